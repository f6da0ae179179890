//! Checkouts that we make and close: the requests byte for byte, and what each response proves.

use pay_core::{
    domain::{CheckoutMethod, ProviderCheckout},
    ports::{CheckoutAction, StartedCheckout},
};

use super::{
    queries::{from, querier},
    *,
};
use crate::{
    Querier as _, RawRequest,
    samples::{
        checkouts::{CHECKOUT, OrderedCheckout, RETURN_URL, Started, kind, refused},
        queries::{NONCE, Pairs},
    },
};

const TEXT: &str = "%E8%AE%A2%E5%8D%95%20%227%22%20%26%20b%3D1%2F2";

fn intent_order() -> OrderedCheckout {
    OrderedCheckout::new(CheckoutMethod::StripeIntent, CHECKOUT, "test").of(8888, "EUR")
}

fn session_order() -> OrderedCheckout {
    OrderedCheckout::new(CheckoutMethod::StripeCheckout, CHECKOUT, "test")
        .of(8888, "EUR")
        .back_to(RETURN_URL)
}

fn metadata() -> Value {
    json!({"payment_id": "1217752501201407", "checkout": "2", "oid": "7"})
}

fn made_intent(status: &str) -> Value {
    json!({"id": "pi_1", "object": "payment_intent", "amount": 8888, "currency": "eur",
           "client_secret": "pi_1_secret_canary", "metadata": metadata(), "status": status})
}

fn made_session(status: &str) -> Value {
    json!({"id": "cs_test_1", "object": "checkout.session", "amount_total": 8888,
           "client_reference_id": "1217752501201407", "currency": "eur", "metadata": metadata(),
           "status": status, "url": "https://checkout.stripe.com/c/pay/cs_test_1#canary"})
}

fn with(object: &Value, name: &str, value: impl Into<Option<Value>>) -> Value {
    let mut object = object.clone();
    match value.into() {
        Some(value) => object[name] = value,
        None => drop(object.as_object_mut().unwrap().remove(name).unwrap()),
    }
    object
}

fn raw(ordered: &OrderedCheckout, status: u16, body: &str) -> Started {
    ordered.started(&querier(), (status, &Pairs::new(), body.as_bytes()), at(NOW))
}

fn of(ordered: &OrderedCheckout, object: &Value) -> Started {
    raw(ordered, 200, &object.to_string())
}

fn error(kind: &str, code: Option<&str>) -> String {
    json!({"error": {"type": kind, "code": code, "message": "…"}}).to_string()
}

/// The headers of a request, without those that all have.
fn own_headers(request: &RawRequest) -> Vec<(&'static str, &str)> {
    let headers = request.headers.iter().map(|(name, value)| (*name, value.as_str()));
    let common = [
        ("authorization", "Bearer rk_test_51canary"),
        ("stripe-version", "2026-08-26.dahlia"),
        ("accept", "application/json"),
        ("user-agent", concat!("pay/", env!("CARGO_PKG_VERSION"))),
    ];
    let (found, own): (Vec<_>, Vec<_>) = headers.partition(|header| common.contains(header));
    assert_eq!(found, common);
    own
}

#[test]
fn an_order_is_one_request_and_always_the_same() {
    let id = "1217752501201407";
    let named = |name: &str| {
        format!("&{name}%5Bpayment_id%5D={id}&{name}%5Bcheckout%5D=2&{name}%5Boid%5D=7")
    };
    let intent = |amount: &str| {
        let named = named("metadata");
        format!("{amount}&automatic_payment_methods%5Benabled%5D=true&description={TEXT}{named}")
    };
    let price = "line_items%5B0%5D%5Bprice_data%5D";
    let session = format!(
        "mode=payment&{price}%5Bcurrency%5D=eur&{price}%5Bproduct_data%5D%5Bname%5D={TEXT}\
         &{price}%5Bunit_amount%5D=8888&line_items%5B0%5D%5Bquantity%5D=1\
         &success_url=https%3A%2F%2Fshop.example%2Fpaid%3Forder%3D7%26x%3D%252F\
         &expires_at=1700001800&client_reference_id={id}{}{}",
        named("metadata"),
        named("payment_intent_data%5Bmetadata%5D")
    );
    for (ordered, target, body) in [
        (intent_order(), "/v1/payment_intents", intent("amount=8888&currency=eur")),
        // In Stripe's unit, not in that of ISO 4217.
        (intent_order().of(5, "ISK"), "/v1/payment_intents", intent("amount=500&currency=isk")),
        (intent_order().of(5120, "KWD"), "/v1/payment_intents", intent("amount=5120&currency=kwd")),
        (session_order(), "/v1/checkout/sessions", session),
    ] {
        let request = ordered.sent(&querier(), at(NOW));
        assert_eq!((request.method, request.target.as_str()), ("POST", target));
        assert_eq!(String::from_utf8_lossy(&request.body), body);
        let form = ("content-type", "application/x-www-form-urlencoded");
        assert_eq!(own_headers(&request), [form, ("idempotency-key", CHECKOUT)]);
        let again = ordered.sent(&querier(), at(NOW + 90_000));
        assert!(again == request, "a key with other parameters is rejected");
    }
}

#[test]
fn a_checkout_that_is_known_is_fetched() {
    for (ordered, target) in [
        (intent_order().known_as("pi_1"), "/v1/payment_intents/pi_1"),
        (session_order().known_as("cs_test_1"), "/v1/checkout/sessions/cs_test_1"),
    ] {
        let request = ordered.sent(&querier(), at(NOW));
        assert_eq!((request.method, request.target.as_str()), ("GET", target));
        assert!(request.body.is_empty() && own_headers(&request).is_empty());
    }
    let connected = from(&json!({"api_key": "rk_test_1", "account": "acct_1"})).unwrap();
    let mut ordered = intent_order();
    ordered.checkout.account = connected.account().unwrap();
    let request = ordered.sent(&connected, at(NOW));
    assert!(request.headers.contains(&("stripe-account", "acct_1".to_owned())));
}

#[test]
fn what_stripe_cannot_make_is_not_ordered() {
    let mut without_return = session_order();
    without_return.checkout.parameters.return_url = None;
    let live = OrderedCheckout::new(CheckoutMethod::StripeIntent, CHECKOUT, "live");
    for (ordered, kind) in [
        (without_return, "unusable"),
        // No whole number of its unit.
        (intent_order().of(350, "MGA"), "unusable"),
        (session_order().of(5123, "KWD"), "unusable"),
        (intent_order().known_as("cs_test_1"), "unusable"),
        (session_order().known_as("pi_1"), "unusable"),
        (session_order().known_as("ch_1"), "unusable"),
        (OrderedCheckout::new(CheckoutMethod::AlipayApp, CHECKOUT, "test"), "unusable"),
        (live, "no-key"),
    ] {
        assert_eq!(ordered.cannot_be_made(&querier()).kind(), kind);
    }
}

#[test]
fn what_can_be_paid_is_handed_out_with_its_id() {
    let started = |id: &str, action| {
        let provider_id = Some(ProviderCheckout::new(id).unwrap());
        StartedCheckout { provider_id, action }
    };
    let secret = "pi_1_secret_canary".to_owned();
    let secret = CheckoutAction::Client { parameters: vec![("client_secret", secret)] };
    let url = "https://checkout.stripe.com/c/pay/cs_test_1#canary".to_owned();
    for status in ["requires_payment_method", "requires_confirmation", "requires_action"] {
        for ordered in [intent_order(), intent_order().known_as("pi_1")] {
            let found = of(&ordered, &made_intent(status)).unwrap();
            assert_eq!(found, started("pi_1", secret.clone()), "{status}");
        }
    }
    for ordered in [session_order(), session_order().known_as("cs_test_1")] {
        let redirect = CheckoutAction::Redirect { url: url.clone() };
        let found = of(&ordered, &made_session("open")).unwrap();
        assert_eq!(found, started("cs_test_1", redirect));
        assert!(!format!("{found:?}").contains("canary"));
    }
}

#[test]
fn what_can_no_longer_be_paid_has_ended() {
    for status in ["processing", "requires_capture", "succeeded", "canceled"] {
        assert_eq!(kind(&of(&intent_order().known_as("pi_1"), &made_intent(status))), "ended");
    }
    for status in ["complete", "expired"] {
        // It has no URL any more.
        let session = with(&made_session(status), "url", Value::Null);
        assert_eq!(kind(&of(&session_order().known_as("cs_test_1"), &session)), "ended");
    }
}

#[test]
fn another_checkout_or_one_that_cannot_be_read_proves_nothing() {
    for (ordered, good, amount) in [
        (intent_order(), made_intent("requires_payment_method"), "amount"),
        (session_order(), made_session("open"), "amount_total"),
    ] {
        assert_eq!(kind(&of(&ordered, &good)), "started");
        let mut other = metadata();
        other["checkout"] = json!("3");
        let mut second = metadata();
        second["payment_id"] = json!("1217752501201408");
        for (name, value) in [
            ("metadata", other),
            ("metadata", second),
            ("metadata", json!({})),
            ("object", json!("charge")),
            ("id", json!("ch_1")),
            ("id", json!("pi_1/../2")),
            ("id", Value::Null),
            (amount, json!(8889)),
            (amount, json!("8888")),
            ("currency", json!("usd")),
            ("currency", Value::Null),
            ("status", json!("x")),
            ("status", Value::Null),
        ] {
            let bad = with(&good, name, value);
            assert_eq!(kind(&of(&ordered, &bad)), "unusable", "{bad}");
            assert_eq!(kind(&of(&ordered, &with(&good, name, None))), "unusable", "{name}");
        }
        let known = good["id"].as_str().unwrap().replace('1', "2");
        assert_eq!(kind(&of(&ordered.clone().known_as(&known), &good)), "unusable");
        let text = good.to_string();
        for (end, _) in text.char_indices() {
            let cut = text.split_at(end).0;
            assert_eq!(kind(&raw(&ordered, 200, cut)), "unusable", "{end}");
        }
    }
    for odd in [Value::Null, json!(""), json!(1)] {
        let open = made_intent("requires_action");
        let intent = with(&open, "client_secret", odd.clone());
        assert_eq!(kind(&of(&intent_order(), &intent)), "unusable", "{odd}");
        let session = with(&made_session("open"), "url", odd.clone());
        assert_eq!(kind(&of(&session_order(), &session)), "unusable", "{odd}");
    }
    let plain = with(&made_session("open"), "url", json!("http://checkout.stripe.com/"));
    assert_eq!(kind(&of(&session_order(), &plain)), "unusable");
    // The other method's.
    assert_eq!(kind(&of(&intent_order(), &made_session("open"))), "unusable");
    assert_eq!(kind(&of(&session_order(), &made_intent("requires_action"))), "unusable");
}

/// By Stripe's rules nothing is made by a request that it calls invalid, and a repeat with the key of a checkout
/// that is there gets its first response.
#[test]
fn an_invalid_request_is_refused_and_makes_nothing() {
    for (body, code) in [
        (error("invalid_request_error", Some("amount_too_small")), "amount_too_small"),
        (error("invalid_request_error", None), "invalid_request_error"),
        (error("card_error", Some("card_declined")), "card_declined"),
        // Not a word: it would stand in our response.
        (error("invalid_request_error", Some("a\" b")), "invalid_request_error"),
        (error("invalid_request_error", Some("")), "invalid_request_error"),
    ] {
        for status in [400, 402] {
            assert_eq!(refused(&raw(&intent_order(), status, &body)), Some((code, true)));
        }
        for status in [401, 403, 404, 409, 429, 500] {
            assert_eq!(refused(&raw(&intent_order(), status, &body)), None, "{status}");
        }
        // Fetching makes nothing and refuses nothing.
        let known = intent_order().known_as("pi_1");
        assert_eq!(kind(&raw(&known, 400, &body)), "unusable");
    }
}

#[test]
fn any_other_response_leaves_the_outcome_unknown() {
    let key = error("idempotency_error", Some("idempotency_key_in_use"));
    for (status, body, want) in [
        (400, &*key, "unusable"),
        (409, &key, "unavailable"),
        (400, &error("api_error", None), "unusable"),
        (400, "", "unusable"),
        (400, "{}", "unusable"),
        (400, r#"{"error":"invalid_request_error"}"#, "unusable"),
        (401, "", "rejected"),
        (403, "", "rejected"),
        (404, &error("invalid_request_error", Some("resource_missing")), "unusable"),
        (429, "", "unavailable"),
        (500, "", "unavailable"),
        (503, "", "unavailable"),
        (201, &made_intent("requires_action").to_string(), "unusable"),
        (302, "", "unusable"),
    ] {
        assert_eq!(kind(&raw(&intent_order(), status, body)), want, "{status} {body}");
    }
}

#[test]
fn closing_is_one_request_without_a_key_and_only_asks() {
    let intent = intent_order().known_as("pi_1");
    let session = session_order().known_as("cs_test_1");
    for (ordered, target) in [
        (&intent, "/v1/payment_intents/pi_1/cancel"),
        (&session, "/v1/checkout/sessions/cs_test_1/expire"),
    ] {
        let request = querier().close_request(&ordered.checkout, NONCE, at(NOW)).unwrap();
        assert_eq!((request.method, request.target.as_str()), ("POST", target));
        let form = ("content-type", "application/x-www-form-urlencoded");
        assert_eq!(own_headers(&request), [form]);
        assert!(request.body.is_empty());
    }
    let live = OrderedCheckout::new(CheckoutMethod::StripeIntent, CHECKOUT, "live");
    for (ordered, kind) in [
        (intent_order(), "unusable"),
        (intent_order().known_as("ch_1"), "unusable"),
        (live.known_as("pi_1"), "no-key"),
    ] {
        let found = querier().close_request(&ordered.checkout, NONCE, at(NOW)).unwrap_err();
        assert_eq!(found.kind(), kind);
    }
    let closed = |ordered: &OrderedCheckout, status, body: &str| {
        let response = (status, &Pairs::new(), body.as_bytes());
        ordered.closed(&querier(), response, at(NOW)).map_err(|error| error.kind())
    };
    let canceled = made_intent("canceled").to_string();
    let expired = made_session("expired").to_string();
    assert_eq!(closed(&intent, 200, &canceled), Ok(()));
    assert_eq!(closed(&session, 200, &expired), Ok(()));
    let refusal = error("invalid_request_error", Some("payment_intent_unexpected_state"));
    assert_eq!(closed(&intent, 400, &refusal), Ok(()));
    assert_eq!(closed(&session, 400, &error("invalid_request_error", None)), Ok(()));
    let other = canceled.replace("pi_1", "pi_2");
    for (status, body, kind) in [
        (200, &*other, "unusable"),
        (200, &expired, "unusable"),
        (200, "", "unusable"),
        (400, "", "unusable"),
        (400, &error("idempotency_error", None), "unusable"),
        (404, &refusal, "unusable"),
        (402, &refusal, "unusable"),
        (401, &refusal, "rejected"),
        (429, &refusal, "unavailable"),
        (500, &refusal, "unavailable"),
    ] {
        assert_eq!(closed(&intent, status, body), Err(kind), "{status} {body}");
    }
}
