//! Events that report money and cannot be applied: thin ones, and charges without a `PaymentIntent`.

use super::*;
use crate::stripe::kind::KINDS;

/// An event as a destination with the payload style "thin" gets it.
fn thin(kind: &str) -> Value {
    json!({
        "id": "evt_test_65R9Ijk8dKEYZcXeRWn16R9A7j1FSQ3w3TGDPLLGSM4CW0", "object": "v2.core.event",
        "type": kind, "livemode": false, "created": "2026-10-22T12:00:00.000Z", "context": null,
        "related_object": {
            "id": "pi_1", "type": "payment_intent", "url": "/v1/payment_intents/pi_1",
        },
    })
}

const CURE: &str = "set the payload style of the event destination to snapshot";

#[test]
fn a_thin_event_about_money_is_for_review_and_says_what_to_configure() {
    for kind in KINDS {
        for kind in [format!("v1.{kind}"), kind.to_owned()] {
            let found = notification(&thin(&kind));
            let reason = format!("a thin event of pi_1: {CURE}");
            let review = Mismatch::absent(MismatchField::Payment, Some(reason));
            assert_eq!((found.payment, found.review), (None, Some(review)), "{kind}");
            assert!(found.event_id.as_str().starts_with("evt_test_"), "{kind}");
            let intent = found.report.reference.txn.unwrap();
            assert_eq!((intent.as_str(), found.report.outcome), ("pi_1", None), "{kind}");
        }
    }
    // Whatever it names: only a PaymentIntent is a transaction.
    for (related, named) in [
        (json!({"id": "cs_1", "type": "checkout.session"}), " of cs_1"),
        (json!({"id": "x y", "type": "payment_intent"}), ""),
        (json!({"type": "payment_intent"}), ""),
        (json!({"id": "pi_1"}), " of pi_1"),
        (json!("pi_1"), ""),
        (Value::Null, ""),
    ] {
        let mut thin = thin("v1.payment_intent.succeeded");
        thin["related_object"] = related;
        let found = notification(&thin);
        let reason = format!("a thin event{named}: {CURE}");
        assert_eq!(found.review.unwrap().received.unwrap(), reason, "{thin}");
        assert!(found.report.reference.txn.is_none(), "{thin}");
    }
    let mut live = thin("v1.payment_intent.succeeded");
    live["livemode"] = json!(true);
    assert!(notification(&live).wrong_account.is_some());
}

#[test]
fn a_thin_event_about_no_money_is_ignored() {
    for (kind, reason) in [
        ("v1.customer.created", Ignored::OtherKind),
        ("v1.charge.dispute.created", Ignored::Dispute),
        ("v2.core.account.created", Ignored::OtherKind),
        ("v2.payment_intent.succeeded", Ignored::OtherKind),
        ("", Ignored::OtherKind),
    ] {
        assert_eq!(verified(&thin(kind)), Verified::Ignored(reason), "{kind}");
    }
}

/// What it names is read instead, where there is a key.
#[test]
fn a_thin_event_says_where_to_look() {
    let of = |kind: &str, id: &str| {
        let mut thin = thin("v1.payment_intent.succeeded");
        thin["related_object"] = json!({"id": id, "type": kind});
        hint(&thin)
    };
    for (kind, id) in [
        ("payment_intent", "pi_1"),
        ("checkout.session", "cs_test_a1B2"),
        ("charge", "ch_1"),
        ("charge", "py_1"),
        ("refund", "re_1"),
        ("refund", "pyr_1"),
    ] {
        assert_eq!(of(kind, id), Some(object(id)), "{kind} {id}");
    }
    for (kind, id) in [
        ("customer", "pi_1"),
        ("invoice", "in_1"),
        ("payment_intent", "in_1"),
        ("payment_intent", "pi_"),
        ("payment_intent", "pi"),
        ("payment_intent", "pi_1/confirm"),
        ("payment_intent", "pi_1?x"),
        ("payment_intent", "pi_%2e"),
        ("payment_intent", ""),
    ] {
        assert_eq!(of(kind, id), None, "{kind} {id}");
    }
    // With our key nothing of another account or mode is seen.
    for (name, value) in [("livemode", json!(true)), ("context", json!("acct_1"))] {
        let mut thin = thin("v1.payment_intent.succeeded");
        thin[name] = value;
        assert_eq!(hint(&thin), None, "{thin}");
    }
    // What reports nothing about money says nothing about where to look.
    assert_eq!(hint(&thin("v1.customer.created")), None);
    assert_eq!(hint(&event("payment_intent.succeeded", &intent())), None);
}

/// It reports money as well, and there is no object to read.
#[test]
fn an_event_without_its_object_is_for_review() {
    let whole = event("payment_intent.succeeded", &intent());
    for (path, name) in [("", "object"), ("", "data"), ("/data", "object")] {
        let mut event = whole.clone();
        event.pointer_mut(path).unwrap().as_object_mut().unwrap().remove(name);
        let found = notification(&event);
        let reason = format!("a thin event: {CURE}");
        assert_eq!(found.review.unwrap().received.unwrap(), reason, "{event}");
        assert_eq!(found.payment, None, "{event}");
        let mut other = event.clone();
        other["type"] = json!("customer.created");
        assert_eq!(verified(&other), Verified::Ignored(Ignored::OtherKind), "{other}");
    }
}

/// Its money has no event of a `PaymentIntent`.
#[test]
fn a_charge_without_a_payment_intent_is_for_review() {
    let charge = |intent: Value, metadata: Value| {
        json!({"id": "ch_1", "amount": 100, "currency": "eur", "payment_intent": intent,
               "metadata": metadata})
    };
    let ours = || json!({"payment_id": "42"});
    for kind in ["charge.succeeded", "charge.captured"] {
        let found = notification(&event(kind, &charge(Value::Null, ours())));
        let review = found.review.unwrap();
        assert_eq!(review.field, MismatchField::Reference, "{kind}");
        assert!(review.received.unwrap().starts_with("a charge without a PaymentIntent"), "{kind}");
        assert_eq!(found.payment, Some(PaymentId::parse("42").unwrap()));
        let report = found.report;
        assert_eq!((report.outcome, report.amount_minor), (Some(Outcome::Paid), Some(100)));
        for (intent, metadata) in [(json!("pi_1"), ours()), (Value::Null, json!({}))] {
            let event = event(kind, &charge(intent, metadata));
            assert_eq!(verified(&event), Verified::Ignored(Ignored::OtherKind), "{event}");
        }
    }
}
