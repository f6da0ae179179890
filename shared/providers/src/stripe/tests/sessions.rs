//! What events about Checkout sessions report.

use super::*;

fn session(status: &str) -> Value {
    json!({"id": "cs_1", "object": "checkout.session", "amount_subtotal": 120, "amount_total": 100,
           "currency": "eur", "client_reference_id": "42", "metadata": {}, "mode": "payment",
           "payment_intent": "pi_1", "payment_status": status})
}

fn of(kind: &str, session: &Value) -> Notification {
    notification(&event(&format!("checkout.session.{kind}"), session))
}

fn outcome_review(text: &str) -> Mismatch {
    Mismatch::absent(MismatchField::Outcome, Some(text))
}

#[test]
fn a_session_is_paid_failed_or_closed() {
    for (kind, status, outcome) in [
        ("completed", "paid", Outcome::Paid),
        ("async_payment_succeeded", "paid", Outcome::Paid),
        ("async_payment_failed", "unpaid", Outcome::Failed),
        ("expired", "unpaid", Outcome::Closed),
        ("expired", "no_payment_required", Outcome::Closed),
    ] {
        let event = event(&format!("checkout.session.{kind}"), &session(status));
        let body = event.to_string();
        // The total counts, after discounts, taxes and shipping.
        let report = samples::report(Provider::Stripe, "pi_1", outcome, (100, "EUR"));
        let want = samples::notification(Provider::Stripe, "evt_1", "42", report, body.as_bytes());
        assert_eq!(notification(&event), want, "{kind} {status}");
    }
    // The same transaction as that of the PaymentIntent's own event: it is a duplicate.
    let reference = of("completed", &session("paid")).report.reference;
    let mut intent = intent();
    intent["amount_received"] = json!(100);
    let own = notification(&event("payment_intent.succeeded", &intent));
    assert_eq!(reference, own.report.reference);
}

#[test]
fn a_session_that_is_not_paid_yet_or_free_pays_nothing() {
    let unpaid = event("checkout.session.completed", &session("unpaid"));
    assert_eq!(verified(&unpaid), Verified::Ignored(Ignored::Unpaid));
    let mut free = session("no_payment_required");
    free["payment_intent"] = Value::Null;
    let review = outcome_review("a checkout session that needed no payment");
    let found = of("completed", &free);
    assert_eq!((found.report.outcome, found.review), (None, Some(review)));
    // A card that was saved, of no payment of ours.
    free["client_reference_id"] = json!("customer-5");
    let ignored = Verified::Ignored(Ignored::Free);
    assert_eq!(verified(&event("checkout.session.completed", &free)), ignored);
    let other = event("checkout.session.updated", &session("paid"));
    assert_eq!(verified(&other), Verified::Ignored(Ignored::OtherKind));
}

/// A state that is new, or does not agree with the type, is money that a person must look at.
#[test]
fn a_session_in_an_unknown_state_is_for_review() {
    for (kind, status) in [
        ("completed", json!("partly_paid")),
        ("completed", json!("")),
        ("completed", Value::Null),
        ("completed", json!(["paid"])),
        ("async_payment_succeeded", json!("unpaid")),
        ("async_payment_succeeded", json!("no_payment_required")),
        ("async_payment_failed", json!("paid")),
        ("async_payment_failed", Value::Null),
        ("expired", json!("paid")),
        ("expired", json!(5)),
    ] {
        let mut session = session("");
        session["payment_status"] = status.clone();
        let found = of(kind, &session);
        let review = outcome_review("an unknown `payment_status`");
        assert_eq!(found.review, Some(review), "{kind} {status}");
        assert_eq!(found.report.outcome, None, "{kind} {status}");
        assert_eq!(found.payment, Some(PaymentId::parse("42").unwrap()), "{kind} {status}");
    }
    let mut without = session("");
    without.as_object_mut().unwrap().remove("payment_status");
    assert_eq!(of("completed", &without).report.outcome, None);
    assert_eq!(of("expired", &without).report.outcome, Some(Outcome::Closed));
}

#[test]
fn a_session_names_its_payment_in_either_member_and_not_two_payments() {
    let id = |id: &str| Some(PaymentId::parse(id).unwrap());
    let two = Some(Mismatch::new(
        MismatchField::Payment,
        Some("metadata.payment_id=42"),
        Some("client_reference_id=43"),
    ));
    let unknown =
        Some(Mismatch::absent(MismatchField::Payment, Some("an unknown `client_reference_id`")));
    for (metadata, client, payment, review) in [
        (json!({"payment_id": "42"}), Value::Null, id("42"), None),
        (json!({"payment_id": "42"}), json!("42"), id("42"), None),
        (json!({}), json!("42"), id("42"), None),
        (Value::Null, json!("42"), id("42"), None),
        // A reference of the shop's own.
        (json!({"payment_id": "42"}), json!("order-7"), id("42"), None),
        (json!({"payment_id": "42"}), json!("43"), id("42"), two),
        (json!({"payment_id": "42"}), json!(43), id("42"), unknown.clone()),
        (json!({}), json!(42), None, unknown),
        (json!({}), json!("order-7"), None, None),
        (json!({}), Value::Null, None, None),
        // What should name a payment of ours, and cannot.
        (json!({"payment_id": "x"}), json!("42"), None, None),
        (json!({"payment_id": 42}), json!("42"), None, None),
    ] {
        let mut session = session("paid");
        session["metadata"] = metadata;
        session["client_reference_id"] = client;
        let found = of("completed", &session);
        assert_eq!((found.payment, found.review), (payment, review), "{session}");
    }
    // Only a session has it.
    let mut intent = intent();
    intent["metadata"] = json!({});
    intent["client_reference_id"] = json!("42");
    assert_eq!(notification(&event("payment_intent.succeeded", &intent)).payment, None);
}

/// Without it, a second session that is paid would look like a repeat of the first.
#[test]
fn a_paid_session_names_its_transaction() {
    let reference = |text: &str| Some(Mismatch::absent(MismatchField::Reference, Some(text)));
    let none = reference("a paid checkout session without a `payment_intent`");
    let unknown = reference("an unknown `payment_intent`");
    for (intent, txn, review) in [
        (json!("pi_1"), Some("pi_1"), None),
        (json!({"id": "pi_1", "object": "payment_intent"}), Some("pi_1"), None),
        (Value::Null, None, none),
        (json!({"object": "payment_intent"}), None, unknown.clone()),
        (json!(""), None, unknown.clone()),
        (json!(5), None, unknown),
    ] {
        let mut paid = session("paid");
        paid["payment_intent"] = intent.clone();
        let found = of("completed", &paid);
        let found_txn = found.report.reference.txn.as_ref().map(ProviderTxn::as_str);
        assert_eq!((found_txn, found.review), (txn, review), "{intent}");
    }
    // Nobody began to pay.
    let mut expired = session("unpaid");
    expired["payment_intent"] = Value::Null;
    let found = of("expired", &expired);
    assert_eq!((found.report.reference.txn, found.review), (None, None));
    // A charge's PaymentIntent may be expanded, too.
    let mut charge = json!({"id": "ch_1", "amount": 100, "currency": "eur", "refunded": true,
                            "metadata": {"payment_id": "42"}, "payment_intent": {"id": "pi_1"}});
    let refunded = notification(&event("charge.refunded", &charge));
    assert_eq!(refunded.report.reference, of("completed", &session("paid")).report.reference);
    charge["payment_intent"] = json!({"id": 5});
    assert!(notification(&event("charge.refunded", &charge)).review.is_some());
}
