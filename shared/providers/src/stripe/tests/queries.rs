//! The requests of queries, byte for byte, and the key that they are made with.

use super::{super::querier::StripeQuerier, *};
use crate::Querier;

const KEY: &str = "rk_test_51canary";

pub(super) fn querier() -> StripeQuerier {
    from(&json!({ "api_key": KEY })).unwrap()
}

pub(super) fn from(entry: &Value) -> Result<StripeQuerier, BadSecret> {
    StripeQuerier::from_json(&Json::parse(entry.to_string().as_bytes()).unwrap())
}

pub(super) fn payment(txn: Option<&str>) -> Query {
    let txn = txn.map(|txn| ProviderTxn::new(txn).unwrap());
    Query::Payment { id: PaymentId::parse("42").unwrap(), txn }
}

pub(super) fn refunds(payment: Option<&str>, txn: &str) -> Query {
    let payment = payment.map(|id| PaymentId::parse(id).unwrap());
    Query::Refunds { payment, txn: ProviderTxn::new(txn).unwrap() }
}

fn own_refund(txn: &str) -> Query {
    samples::queries::refund("42_0123456789abcdef", txn)
}

#[test]
fn each_query_is_one_request_and_always_the_same() {
    let search = "/v1/payment_intents/search?query=metadata%5B%27payment_id%27%5D%3A%2742%27&limit=20\
                  &expand%5B%5D=data.latest_charge";
    for (query, target) in [
        (payment(Some("pi_1aB")), "/v1/payment_intents/pi_1aB?expand%5B%5D=latest_charge"),
        (object("pi_1aB"), "/v1/payment_intents/pi_1aB?expand%5B%5D=latest_charge"),
        (payment(None), search),
        // Another sender's name of the transaction.
        (payment(Some("ch_1")), search),
        (payment(Some("pi_1/../x")), search),
        (payment(Some("order:7")), search),
        (object("cs_test_a1B2"), "/v1/checkout/sessions/cs_test_a1B2"),
        (object("ch_1"), "/v1/charges/ch_1"),
        (object("py_1"), "/v1/charges/py_1"),
        (object("re_1"), "/v1/refunds/re_1?expand%5B%5D=payment_intent"),
        (object("pyr_1"), "/v1/refunds/pyr_1?expand%5B%5D=payment_intent"),
        (refunds(Some("42"), "pi_1"), "/v1/refunds?payment_intent=pi_1&limit=100"),
        (refunds(None, "pi_1"), "/v1/refunds?payment_intent=pi_1&limit=100"),
        (own_refund("pi_1"), "/v1/refunds?payment_intent=pi_1&limit=100"),
    ] {
        let request = querier().request(&query, "nonce", at(NOW)).unwrap();
        assert_eq!((request.method, request.target.as_str()), ("GET", target), "{query:?}");
        let headers: Vec<_> =
            request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let want = [
            ("authorization", "Bearer rk_test_51canary"),
            ("stripe-version", "2026-08-26.dahlia"),
            ("accept", "application/json"),
            ("user-agent", concat!("pay/", env!("CARGO_PKG_VERSION"))),
        ];
        assert_eq!(headers, want);
        assert!(request.body.is_empty());
        assert!(querier().request(&query, "other", at(NOW + 1)).unwrap() == request);
    }
}

#[test]
fn an_id_that_could_change_the_path_is_not_sent() {
    for query in [
        object("pi_"),
        object("pi"),
        object("pi_1/confirm"),
        object("pi_1?expand=x"),
        object("pi_1#"),
        object("pi_%2e%2e"),
        object("pi_1&x=1"),
        object("pi_1-2"),
        object("evt_1"),
        object(".."),
        refunds(None, "ch_1"),
        refunds(None, "cs_1"),
        refunds(None, "pi_1&limit=1"),
        own_refund("ch_1"),
        own_refund("4200000001202611231234567890"),
        own_refund("pi_1&limit=1"),
    ] {
        let request = querier().request(&query, "nonce", at(NOW));
        assert!(matches!(request, Err(QueryError::Unusable(_))), "{query:?}");
    }
}

#[test]
fn a_key_is_a_restricted_or_a_secret_one_without_white_space() {
    let authorization = |entry: Value| {
        let request = from(&entry).unwrap().request(&object("pi_1"), "", at(NOW)).unwrap();
        request.headers.into_iter().find(|(name, _)| *name == "authorization").unwrap().1
    };
    assert_eq!(authorization(json!({"api_key": " rk_live_1\n"})), "Bearer rk_live_1");
    assert_eq!(authorization(json!({"api_key": "sk_test_1", "x": 1})), "Bearer sk_test_1");
    for bad in [
        json!([]),
        json!("rk_test_1"),
        json!({}),
        json!({"api_key": null}),
        json!({"api_key": 5}),
        json!({"api_key": ""}),
        json!({"api_key": "rk_"}),
        json!({"api_key": "sk_ "}),
        json!({"api_key": "pk_live_1"}),
        json!({"api_key": "whsec_1"}),
        json!({"api_key": "RK_live_1"}),
        json!({"api_key": "rk_live_ 1"}),
        json!({"api_key": "rk_live\r\nx: 1"}),
        json!({"api_key": "rk_livé"}),
        json!({"api_key": ["rk_live_1"]}),
        json!({"api_key": "rk_live_1", "account": ""}),
        json!({"api_key": "rk_live_1", "account": "ac_1"}),
        json!({"api_key": "rk_live_1", "account": "acct_1\r\nx"}),
        json!({"api_key": "rk_live_1", "account": null}),
        json!({"api_key": "rk_live_1", "shared": "true"}),
        json!({"api_key": "rk_live_1", "shared": null}),
    ] {
        assert!(from(&bad).is_err(), "{bad}");
    }
}

/// With the platform's key a connected account's objects are found only so.
#[test]
fn a_connected_account_is_named() {
    let connected = json!({"api_key": "rk_live_1", "account": " acct_1B "});
    let request = from(&connected).unwrap().request(&object("pi_1"), "", at(NOW)).unwrap();
    let named = request.headers.iter().find(|(name, _)| *name == "stripe-account");
    assert_eq!(named.unwrap().1, "acct_1B");
}

#[test]
fn the_key_is_never_printed() {
    let request = querier().request(&payment(None), "", at(NOW)).unwrap();
    for printed in [format!("{:?}", querier()), format!("{request:?}")] {
        assert!(!printed.contains("canary"), "{printed}");
    }
}
