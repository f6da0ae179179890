//! Checkouts that are refused or late, and responses that are spoilt.

use std::time::Duration;

use super::*;
use crate::faults::Fault;

#[test]
fn after_its_last_moment_nobody_pays_it() {
    for method in CALLED_METHODS {
        let mut ledger = Ledger::default();
        let ordered = Ordered::new(method, FIRST).ending_in(HOUR_SECS);
        let now = clock::now_secs();
        let provider = method.provider();
        assert_eq!(carried_out(provider, &mut ledger, &ordered.request(), now), 200);
        let last = ordered.checkout.expires_time.secs();
        let paid = ledger.clone().pay_checkout(FIRST, last - 1);
        assert!(paid.is_ok(), "{method:?}");
        let late = ledger.clone().pay_checkout(FIRST, last);
        // An intent has none.
        assert_eq!(late.is_ok(), method == CheckoutMethod::StripeIntent, "{method:?}");
    }
}

/// A session must end in 30 minutes to a day, an order not within a minute.
#[test]
fn a_last_moment_that_the_provider_does_not_take_is_refused() {
    for (method, secs, status) in [
        (CheckoutMethod::StripeCheckout, 29 * 60, 400),
        (CheckoutMethod::StripeCheckout, 31 * 60, 200),
        (CheckoutMethod::StripeCheckout, 25 * HOUR_SECS, 400),
        (CheckoutMethod::WeChatNative, 30, 400),
        (CheckoutMethod::WeChatNative, 90, 200),
    ] {
        let ordered = Ordered::new(method, FIRST).ending_in(secs);
        let (mut ledger, now) = (Ledger::default(), clock::now_secs());
        let found = carried_out(method.provider(), &mut ledger, &ordered.request(), now);
        assert_eq!(found, status, "{method:?} {secs}");
    }
}

/// Whoever sends again after that day makes a second object, which can be paid, too.
#[test]
fn stripe_knows_the_key_of_a_checkout_for_a_day() {
    let (mut ledger, now, day) = (Ledger::default(), clock::now_secs(), 24 * HOUR_SECS);
    let request = Ordered::new(CheckoutMethod::StripeIntent, FIRST).request();
    let mut sent = |at| {
        let status = carried_out(Provider::Stripe, &mut ledger, &request, at);
        (status, ledger.trades().count())
    };
    assert_eq!(sent(now), (200, 1));
    assert_eq!(sent(now + day - 1), (200, 1));
    assert_eq!(sent(now + day), (200, 2));
}

#[tokio::test]
async fn what_the_shop_is_refused_is_not_there() {
    for method in CALLED_METHODS {
        let served = Served::start(method.provider()).await;
        let code = a_code_against_checkouts(method.provider());
        served.account.refuse_checkouts(Some(code));
        let ordered = Ordered::new(method, FIRST);
        assert_eq!(word(&ordered.send(&served).await.unwrap()), code, "{method:?}");
        assert!(served.account.trades().is_empty(), "{method:?}");
        served.account.refuse_checkouts(None);
        let again = ordered.send(&served).await.unwrap();
        // Its key has the first response.
        let stays = method.provider() == Provider::Stripe;
        assert_eq!(again.is_err(), stays, "{method:?}");
    }
}

/// Whatever becomes of the response, the checkout is made once or not at all, and never taken for refused.
#[tokio::test]
async fn a_spoilt_response_to_an_order_or_a_close_proves_nothing() {
    let methods = [
        CheckoutMethod::StripeCheckout,
        CheckoutMethod::StripeIntent,
        CheckoutMethod::WeChatNative,
        CheckoutMethod::AlipayQr,
    ];
    for method in methods {
        let (make, close) = points(method.provider());
        for (fault, is_done) in [
            (Fault::Unsigned, true),
            (Fault::Garbage, true),
            (Fault::WrongShape, true),
            (Fault::LoseResponse, true),
            (Fault::LateEffect(Duration::ZERO), true),
            (Fault::Reset, false),
            (Fault::Throttle, false),
            (Fault::ErrorEnvelope, false),
            (Fault::Status(409), false),
            (Fault::Status(429), false),
            (Fault::Status(500), false),
        ] {
            let served = Served::start(method.provider()).await;
            if served.account.set_fault(make, fault, Some(1)).is_err() {
                continue;
            }
            let ordered = Ordered::new(method, FIRST);
            let started = ordered.send(&served).await;
            let unknown = ["unavailable", "unusable", "rejected"];
            let is_unknown = started.as_ref().is_none_or(|found| unknown.contains(&word(found)));
            assert!(is_unknown, "{method:?} {fault:?}: {started:?}");
            reported(&served).await;
            let count = served.account.trades().len();
            assert_eq!(count, usize::from(is_done), "{method:?} {fault:?}");
            let ordered = ordered.made(&served).await;
            assert_eq!(served.account.trades().len(), 1, "{method:?} {fault:?}");
            assert_eq!(served.account.calls(make), 2, "{method:?} {fault:?}");

            if method == CheckoutMethod::AlipayQr {
                continue;
            }
            served.account.set_fault(close, fault, Some(1)).unwrap();
            let closed = ordered.close(&served).await;
            let is_unknown = closed.as_ref().is_none_or(Result::is_err);
            assert!(is_unknown, "{method:?} {fault:?}: {closed:?}");
            reported(&served).await;
            let closed = served.account.checkout(&ordered.reference()).unwrap().state;
            assert_eq!(closed == TradeState::Closed, is_done, "{method:?} {fault:?}");
            assert!(ordered.close(&served).await.unwrap().is_ok(), "{method:?} {fault:?}");
            assert_eq!(ordered.state(&served).await, ProviderState::Closed, "{method:?}");
        }
    }
}

/// An order that anybody has changed on its way is none.
#[tokio::test]
async fn what_is_ordered_is_signed() {
    for method in [CheckoutMethod::WeChatNative, CheckoutMethod::AlipayQr] {
        let served = Served::start(method.provider()).await;
        let ordered = Ordered::new(method, FIRST);
        let mut request = ordered.request();
        let body = String::from_utf8(request.body.clone()).unwrap();
        request.body = body.replace("000007_1", "000007_2").into_bytes();
        let (status, _, body) = exchange(&served, request).await.unwrap();
        let text = String::from_utf8(body).unwrap();
        assert!(status == 401 || text.contains("isv.invalid-signature"), "{status} {text}");
        assert!(served.account.trades().is_empty(), "{method:?}");
    }
    let served = Served::start(Provider::Stripe).await;
    let mut request = Ordered::new(CheckoutMethod::StripeIntent, FIRST).request();
    request.headers.retain(|(name, _)| *name != "authorization");
    assert_eq!(exchange(&served, request).await.unwrap().0, 401);
    assert!(served.account.trades().is_empty());
}
