//! What can be changed about a provider.

use serde_json::json;

use super::*;
use crate::simulator::ShopKey;

/// What the provider responds to a query that is signed with this key: whether it accepts it.
async fn is_accepted(served: &Served, key: ShopKey) -> bool {
    let provider = served.account.provider();
    let entry = (served.account.simulator().api.entry)(key).unwrap();
    let keys = ProviderKeys::read(&json!({provider.as_str(): entry}).to_string()).unwrap();
    let (querier, now) = (keys.querier(provider).unwrap(), at(clock::now_secs()));
    let payment = pay_core::domain::PaymentId::new(7).unwrap();
    let query = Query::Payment { id: payment, txn: None };
    let request = querier.request(&query, NONCE, now).unwrap();
    let (status, headers, body) = exchange(served, request).await.unwrap();
    let headers = Headers::from_pairs(&headers);
    let response = RawResponse { status, headers: &headers, body: &body };
    match querier.response(&query, &response, now) {
        Ok(_) => true,
        Err(QueryError::Rejected(_)) => false,
        Err(other) => panic!("{provider:?}: {other:?}"),
    }
}

#[tokio::test]
async fn a_provider_accepts_the_keys_of_the_shop_that_it_knows() {
    for provider in Provider::ALL.iter().copied() {
        let served = Served::start(provider).await;
        let (first, next) = (ShopKey::First, ShopKey::Next);
        assert_eq!(served.account.key_used(), None);
        for (accepted, expected) in [
            (&[first][..], [true, false]),
            (&[first, next], [true, true]),
            (&[next], [false, true]),
            (&[], [false, false]),
        ] {
            served.account.accept_keys(accepted);
            for (key, is_expected) in [first, next].into_iter().zip(expected) {
                assert_eq!(is_accepted(&served, key).await, is_expected, "{provider:?} {key:?}");
                if is_expected {
                    assert_eq!(served.account.key_used(), Some(key), "{provider:?}");
                }
            }
        }
    }
}

/// Its response is that of a close, and what it says later is that nothing was closed.
#[tokio::test]
async fn a_provider_that_only_says_that_it_closed_reports_nothing() {
    for method in CALLED_METHODS {
        let served = Served::start(method.provider()).await;
        let ordered = Ordered::new(method, FIRST).made(&served).await;
        served.account.open_checkout(FIRST).unwrap();
        served.account.only_say_closed(true);
        ordered.close(&served).await.unwrap().unwrap();
        assert_eq!(ordered.state(&served).await, ProviderState::Open, "{method:?}");
        reported(&served).await;
        assert_eq!(webhooks(&served), [], "{method:?}");
        served.account.only_say_closed(false);
        ordered.close(&served).await.unwrap().unwrap();
        assert_eq!(ordered.state(&served).await, ProviderState::Closed, "{method:?}");
    }
    let served = Served::start(Provider::Alipay).await;
    assert!(served.account.open_checkout(FIRST).is_err(), "nobody has ordered it");
}

/// At its last moment, and once.
#[tokio::test]
async fn what_is_over_is_closed_and_reported_where_the_provider_does_so() {
    let closed = [(7, Some(1), Some(Outcome::Closed))];
    for (method, is_closed) in [
        (CheckoutMethod::StripeCheckout, true),
        (CheckoutMethod::StripeIntent, false),
        (CheckoutMethod::WeChatNative, false),
        (CheckoutMethod::AlipayQr, true),
    ] {
        let served = Served::start(method.provider()).await;
        let ordered = Ordered::new(method, FIRST).made(&served).await;
        served.account.open_checkout(FIRST).unwrap();
        let expected = if is_closed { &closed[..] } else { &[] };
        assert_eq!(served.account.set_clock_ahead(HOUR_SECS - 60).await.unwrap(), []);
        assert_eq!(webhooks(&served), [], "{method:?}");
        for _ in 0..2 {
            served.account.set_clock_ahead(HOUR_SECS + 1).await.unwrap();
            assert_eq!(webhooks(&served), expected, "{method:?}");
        }
        let state = served.account.checkout(FIRST).unwrap().state;
        let expected = if is_closed { TradeState::Closed } else { TradeState::Open };
        assert_eq!(state, expected, "{method:?}");
        // An intent has no last moment.
        let is_payable = served.account.pay_checkout(FIRST).await.is_ok();
        assert_eq!(is_payable, method == CheckoutMethod::StripeIntent, "{method:?}");
        served.account.set_clock_ahead(0).await.unwrap();
        if is_closed {
            assert_eq!(ordered.state(&served).await, ProviderState::Closed, "{method:?}");
        }
    }
}

/// A session that lapses is closed by whoever asks, too.
#[tokio::test]
async fn a_session_is_over_for_a_query_as_well() {
    let served = Served::start(Provider::Stripe).await;
    let method = CheckoutMethod::StripeCheckout;
    let ordered = Ordered::new(method, FIRST).ending_in(31 * 60).made(&served).await;
    served.account.with_ledger(|ledger| ledger.ahead_secs = 32 * 60);
    assert_eq!(ordered.state(&served).await, ProviderState::Closed);
    reported(&served).await;
    assert_eq!(webhooks(&served), [(7, Some(1), Some(Outcome::Closed))]);
}
