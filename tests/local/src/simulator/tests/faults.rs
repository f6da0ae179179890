//! Faults of providers, the same for all that can have them.

use std::time::Duration;

use pay_core::domain::Provider;

use super::caller::{Response, Served, send};
use crate::faults::{Fault, POINTS};
use crate::simulator::simulator;

/// A call, which has no key: faults are for all calls.
async fn call(served: &Served) -> Option<Response> {
    let request = match served.account.provider() {
        Provider::Stripe => served.http.get(format!("{}/v1/payment_intents/pi_42", served.url)),
        Provider::WeChat => {
            served.http.get(format!("{}/v3/pay/transactions/id/4200?mchid=1", served.url))
        }
        Provider::Alipay => served.http.post(format!("{}?method=alipay.trade.query", served.url)),
    };
    send(request.timeout(Duration::from_secs(20))).await
}

const fn point(provider: Provider) -> &'static str {
    match provider {
        Provider::Stripe => "stripe:payment-intent",
        Provider::WeChat => "wechat:payment",
        Provider::Alipay => "alipay:query",
    }
}

#[test]
fn a_rule_can_name_every_providers_webhooks() {
    for provider in Provider::ALL.iter().copied() {
        assert!(POINTS.contains(&simulator(provider).webhook_point));
        let begin = format!("{}:", provider.as_str());
        let points = POINTS.iter().filter(|point| point.starts_with(&begin));
        assert!(points.count() > 1, "{provider:?}");
    }
}

#[tokio::test]
async fn calls_fail_in_the_providers_own_words_and_are_counted() {
    for provider in Provider::ALL.iter().copied() {
        let served = Served::start(provider).await;
        let (account, at) = (&served.account, point(provider));
        for status in [429, 500, 503] {
            account.set_fault(at, Fault::Status(status), Some(1)).unwrap();
            assert_eq!(call(&served).await.unwrap().status, status, "{provider:?}");
        }
        account.set_fault(at, Fault::Throttle, Some(1)).unwrap();
        let throttled = call(&served).await.unwrap();
        let own = match provider {
            Provider::Stripe => (429, "rate_limit"),
            Provider::WeChat => (429, "FREQUENCY_LIMITED"),
            Provider::Alipay => (200, "isv.call-limited"),
        };
        assert_eq!(throttled.status, own.0);
        assert!(throttled.text.contains(own.1), "{}", throttled.text);
        account.set_fault(at, Fault::Reset, Some(1)).unwrap();
        assert!(call(&served).await.is_none(), "{provider:?}");
        assert_eq!(account.calls(at), 5, "{provider:?}");
        let fired = served.faults.fired();
        assert_eq!(fired[&(at.to_owned(), "status")], 3);
        assert!(account.set_fault(at, Fault::Lose, None).is_err(), "only of webhooks");
        assert!(account.set_fault("orders:paid", Fault::Hang, None).is_err());
        let webhook = simulator(provider).webhook_point;
        assert!(account.set_fault(webhook, Fault::Hang, None).is_err());
    }
}

#[tokio::test]
async fn a_hanging_call_never_gets_a_response() {
    let served = Served::start(Provider::Stripe).await;
    let at = point(Provider::Stripe);
    served.account.set_fault(at, Fault::Hang, None).unwrap();
    let hanging = call(&served);
    let mut hanging = std::pin::pin!(hanging);
    while served.account.calls(at) == 0 {
        tokio::select! {
            _ = &mut hanging => panic!("it got a response"),
            () = tokio::task::yield_now() => {}
        }
    }
    served.account.clear_faults();
    assert_eq!(call(&served).await.unwrap().status, 401, "others do");
}
