//! Queries of one checkout: the request, and what responses prove.

use pay_core::domain::CheckoutNumber;

use super::*;
use crate::samples::checkouts::{checkout, number};

const INTENT: &str = "pi_1";
const SESSION: &str = "cs_1";

fn ours(id: &str) -> Query {
    checkout("000042_1", Some(id), "test")
}

/// The object with the metadata of our first checkout.
pub(super) fn of_checkout(object: &Value) -> Value {
    with(object, "metadata", json!({"payment_id": "42", "checkout": "1", "oid": "7"}))
}

fn named(response: &QueryResponse) -> (Option<PaymentId>, Option<CheckoutNumber>) {
    let found = &response.notifications[0];
    (found.payment, found.checkout)
}

fn forty_two() -> PaymentId {
    PaymentId::parse("42").unwrap()
}

#[test]
fn a_checkout_is_asked_for_by_stripes_id_alone() {
    for (id, target) in [
        (INTENT, "/v1/payment_intents/pi_1?expand%5B%5D=latest_charge"),
        ("cs_test_a1", "/v1/checkout/sessions/cs_test_a1"),
    ] {
        let request = querier().request(&ours(id), "nonce", at(NOW)).unwrap();
        assert_eq!((request.method, request.target.as_str()), ("GET", target));
    }
    let unknown = checkout("000042_1", None, "test");
    for query in [unknown, ours("ch_1"), ours("re_1"), ours("pi_"), ours("000042_1")] {
        let found = querier().request(&query, "nonce", at(NOW));
        assert!(matches!(found, Err(QueryError::Unusable(_))), "{query:?}");
        let body = of_checkout(&intent_in("succeeded"));
        assert!(is_unusable(&query, &body), "{query:?}");
    }
}

/// Its 404 proves nothing anyway, and its objects are others.
#[test]
fn another_account_and_another_mode_are_not_asked() {
    let of = |key: &str, account: Option<&str>| {
        let mut entry = json!({ "api_key": key });
        if let Some(account) = account {
            entry["account"] = json!(account);
        }
        from(&entry).unwrap()
    };
    for (querier, account) in [
        (of("rk_test_1", None), "test"),
        (of("sk_live_1", None), "live"),
        (of("rk_live_1", Some("acct_1B")), "live-acct_1B"),
    ] {
        assert_eq!(querier.account().unwrap().as_str(), account);
        let body = of_checkout(&intent_in("succeeded")).to_string();
        for known in ["test", "live", "live-acct_1B", "test-acct_1B", "1900000001"] {
            let query = checkout("000042_1", Some(INTENT), known);
            let is_ours = known == account;
            let request = querier.request(&query, "nonce", at(NOW));
            assert_eq!(!matches!(request, Err(QueryError::NoKey)), is_ours, "{known}");
            let found = respond_to(&querier, &query, 200, body.as_bytes());
            assert_eq!(!matches!(found, Err(QueryError::NoKey)), is_ours, "{known}");
        }
    }
}

#[test]
fn what_became_of_an_intent_or_a_session_names_the_checkout() {
    use ProviderState::{Closed, Open, Paid, Processing};
    for (id, object, state, outcome) in [
        (INTENT, intent_in("requires_action"), Open, None),
        (INTENT, intent_in("processing"), Processing, None),
        (INTENT, intent_in("canceled"), Closed, Some(Outcome::Closed)),
        (INTENT, intent_in("succeeded"), Paid, Some(Outcome::Paid)),
        (SESSION, session_in("open", "unpaid"), Open, None),
        (SESSION, session_in("complete", "unpaid"), Processing, None),
        (SESSION, session_in("expired", "unpaid"), Closed, Some(Outcome::Closed)),
        (SESSION, session_in("complete", "paid"), Paid, Some(Outcome::Paid)),
    ] {
        let found = read(&ours(id), &of_checkout(&object));
        assert_eq!(found.state, QueryState::Payment(state), "{object}");
        assert_eq!(named(&found), (Some(forty_two()), Some(number(1))), "{object}");
        assert_eq!(found.notifications[0].report.outcome, outcome, "{object}");
        let event = format!("query.{}.{id}", state.as_str());
        assert_eq!(found.notifications[0].event_id.as_str(), event);
        // What is paid may have been refunded since.
        let next = (state == Paid).then(|| refunds(Some("42"), "pi_1"));
        assert_eq!(found.next, next, "{object}");
    }
}

#[test]
fn an_object_of_another_checkout_proves_nothing() {
    for (id, object) in [
        (INTENT, intent_in("succeeded")),
        (INTENT, intent_in("canceled")),
        (SESSION, session_in("complete", "paid")),
        (SESSION, session_in("open", "unpaid")),
    ] {
        for metadata in [
            json!({"payment_id": "42", "checkout": "2"}),
            json!({"payment_id": "42", "checkout": "01"}),
            json!({"payment_id": "42", "checkout": 1}),
            json!({"payment_id": "42"}),
            json!({"payment_id": "43", "checkout": "1"}),
            json!({"payment_id": 42, "checkout": "1"}),
        ] {
            let other = with(&object, "metadata", metadata);
            assert!(is_unusable(&ours(id), &other), "{other}");
        }
        let other = with(&of_checkout(&object), "id", json!("pi_2"));
        assert!(is_unusable(&ours(id), &other), "{other}");
        // Somebody has removed it: the id is what Stripe gave us.
        let bare = with(&object, "metadata", json!({}));
        let bare = with(&bare, "client_reference_id", Value::Null);
        assert_eq!(named(&read(&ours(id), &bare)), (Some(forty_two()), Some(number(1))), "{bare}");
    }
}

#[test]
fn a_webhook_names_the_checkout_where_its_object_does() {
    let named = |kind: &str, object: &Value| {
        let found = notification_or_hint(&event(kind, object));
        (found.payment, found.checkout)
    };
    let session = session_in("complete", "paid");
    for (kind, object) in [
        ("payment_intent.succeeded", &intent_in("succeeded")),
        ("checkout.session.completed", &session),
        ("charge.refunded", &with(&charge(), "refunded", json!(true))),
        ("refund.updated", &a_refund("re_1", "succeeded")),
    ] {
        let ours = of_checkout(object);
        assert_eq!(named(kind, &ours), (Some(forty_two()), Some(number(1))), "{kind}");
        let of_payment = with(object, "metadata", json!({"payment_id": "42"}));
        assert_eq!(named(kind, &of_payment), (Some(forty_two()), None), "{kind}");
        // Of a payment that is not ours it means nothing.
        let other = with(object, "metadata", json!({"payment_id": "x", "checkout": "1"}));
        assert_eq!(named(kind, &other), (None, None), "{kind}");
        for odd in [json!("0"), json!("21"), json!("+1"), json!(1), Value::Null] {
            let odd = with(object, "metadata", json!({"payment_id": "42", "checkout": odd}));
            assert_eq!(named(kind, &odd), (Some(forty_two()), None), "{kind} {odd}");
        }
    }
}

fn notification_or_hint(event: &Value) -> Notification {
    match verified(event) {
        Verified::Notification(found) | Verified::Hint(found, _) => *found,
        Verified::Ignored(reason) => panic!("{reason:?}"),
    }
}
