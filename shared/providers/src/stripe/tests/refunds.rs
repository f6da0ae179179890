//! What events about refunds report.

use pay_core::domain::{ProviderRefund, RefundReport, RefundState};

use super::*;

fn charge(refunded: bool, amount: u64) -> Value {
    json!({"id": "ch_1", "payment_intent": "pi_1", "amount": 100, "currency": "eur",
           "amount_refunded": amount, "refunded": refunded, "metadata": {"payment_id": "42"}})
}

fn refund(status: &str) -> Value {
    json!({"id": "re_1", "object": "refund", "amount": 30, "currency": "eur", "charge": "ch_1",
           "payment_intent": "pi_1", "status": status, "metadata": {"payment_id": "42"}})
}

fn one(amount_minor: u64, state: RefundState) -> RefundReport {
    let id = ProviderRefund::new("re_1").unwrap();
    RefundReport::One { id, reference: None, amount_minor, state }
}

fn review(field: MismatchField, text: &str) -> Mismatch {
    Mismatch::absent(field, Some(text))
}

#[test]
fn a_refunded_charge_reports_the_total_so_far() {
    let want = samples::report(Provider::Stripe, "pi_1", Outcome::Refunded, (100, "EUR"));
    for (refunded, amount) in [(false, 30), (false, 50), (true, 100)] {
        let event = event("charge.refunded", &charge(refunded, amount));
        let refund = Some(RefundReport::Total(amount));
        let report = Report { refund, ..want.clone() };
        let body = event.to_string();
        let want = samples::notification(Provider::Stripe, "evt_1", "42", report, body.as_bytes());
        assert_eq!(notification(&event), want, "{event}");
    }
    // All of it, without a number.
    let mut without = charge(true, 100);
    without.as_object_mut().unwrap().remove("amount_refunded");
    assert_eq!(notification(&event("charge.refunded", &without)).report, want);
    let mut without = charge(true, 100);
    without.as_object_mut().unwrap().remove("refunded");
    let found = notification(&event("charge.refunded", &without));
    let refund = Some(RefundReport::Total(100));
    assert_eq!((found.report, found.review), (Report { refund, ..want }, None));
}

#[test]
fn a_charge_that_does_not_say_how_much_was_refunded_is_for_review() {
    for (name, other) in [
        ("refunded", json!("true")),
        ("amount_refunded", json!("30")),
        ("amount_refunded", json!(-1)),
    ] {
        let mut charge = charge(true, 100);
        charge[name] = other;
        let found = notification(&event("charge.refunded", &charge));
        assert_eq!(
            found.review,
            Some(review(MismatchField::Outcome, &format!("an unknown `{name}`")))
        );
        assert_eq!((found.report.outcome, found.report.refund), (None, None), "{charge}");
    }
    let mut charge = charge(false, 30);
    charge.as_object_mut().unwrap().remove("amount_refunded");
    let found = notification(&event("charge.refunded", &charge));
    assert_eq!(found.review, Some(review(MismatchField::Outcome, "an unknown `amount_refunded`")));
    assert_eq!(found.report.outcome, None);
}

#[test]
fn an_event_about_one_refund_reports_it_and_where_it_stands() {
    use RefundState::{Failed, Pending, Succeeded};
    let paid = samples::report(Provider::Stripe, "pi_1", Outcome::Refunded, (1, "EUR"));
    for (kind, status, state) in [
        ("refund.created", json!("pending"), Pending),
        ("refund.created", json!("succeeded"), Succeeded),
        ("refund.created", json!("failed"), Failed),
        ("refund.updated", json!("succeeded"), Succeeded),
        ("refund.updated", json!("requires_action"), Pending),
        ("refund.updated", json!("failed"), Failed),
        ("refund.updated", json!("canceled"), Failed),
        ("charge.refund.updated", json!("succeeded"), Succeeded),
        ("charge.refund.updated", json!("pending"), Pending),
        ("charge.refund.updated", json!("failed"), Failed),
        ("charge.refund.updated", json!("canceled"), Failed),
        ("refund.failed", json!("failed"), Failed),
        // The type says it.
        ("refund.failed", Value::Null, Failed),
        ("refund.failed", json!("pending"), Failed),
    ] {
        let mut refund = refund("");
        refund["status"] = status;
        let event = event(kind, &refund);
        // Of the payment's amount it says nothing.
        let report = Report { refund: Some(one(30, state)), amount_minor: None, ..paid.clone() };
        let body = event.to_string();
        let want = samples::notification(Provider::Stripe, "evt_1", "42", report, body.as_bytes());
        assert_eq!(notification(&event), want, "{event}");
    }
}

/// A refund has metadata of its own, which are often empty: its `PaymentIntent` says whose it is.
#[test]
fn a_refund_without_our_reference_names_its_transaction() {
    for metadata in [json!({}), Value::Null, json!({"refund_id": "x"}), json!({"payment_id": "x"})]
    {
        let mut refund = refund("succeeded");
        refund["metadata"] = metadata;
        let found = notification(&event("refund.created", &refund));
        assert_eq!((found.payment, found.review), (None, None), "{refund}");
        let intent = found.report.reference.txn.unwrap();
        assert_eq!((intent.as_str(), found.report.outcome), ("pi_1", Some(Outcome::Refunded)));
    }
}

#[test]
fn a_refund_that_cannot_be_read_is_for_review() {
    for (name, other) in [
        ("status", json!(5)),
        ("status", json!("returned")),
        ("status", Value::Null),
        ("id", json!("re#1")),
        ("id", Value::Null),
        ("amount", json!("30")),
        ("amount", Value::Null),
    ] {
        let mut refund = refund("succeeded");
        refund[name] = other;
        let found = notification(&event("refund.updated", &refund));
        assert_eq!(
            found.review,
            Some(review(MismatchField::Outcome, &format!("an unknown `{name}`")))
        );
        assert_eq!((found.report.outcome, found.report.refund), (None, None), "{refund}");
        assert_eq!(found.payment, Some(PaymentId::parse("42").unwrap()));
    }
    let mut bare = refund("succeeded");
    bare["payment_intent"] = Value::Null;
    let found = notification(&event("refund.updated", &bare));
    assert_eq!(found.review, Some(review(MismatchField::Reference, "an unknown `payment_intent`")));
}

/// Without its amount a refund would stand for all of the payment.
#[test]
fn a_refund_is_converted_to_minor_units_as_payments_are() {
    let part = |text: &str| Some(review(MismatchField::Refunded, text));
    for (currency, amount, minor, review) in [
        ("isk", 50_000, Some(500), None),
        ("ugx", 370_000, Some(3700), None),
        ("mga", 5, Some(500), None),
        ("kwd", 5120, Some(5120), None),
        ("isk", 50_050, None, part("50050, no whole number of minor units of ISK")),
        // Of no record.
        ("usdc", 50_050, Some(50_050), None),
    ] {
        let mut refund = refund("succeeded");
        refund["currency"] = json!(currency);
        refund["amount"] = json!(amount);
        let found = notification(&event("refund.created", &refund));
        let want = minor.map(|minor| one(minor, RefundState::Succeeded));
        assert_eq!((found.report.refund, &found.review), (want, &review), "{currency} {amount}");
        assert_eq!(found.report.outcome, minor.map(|_| Outcome::Refunded), "{currency}");

        let mut charge = charge(false, amount);
        charge["currency"] = json!(currency);
        charge["amount"] = json!(100_000_000);
        let found = notification(&event("charge.refunded", &charge));
        let want = minor.map(RefundReport::Total);
        assert_eq!((found.report.refund, &found.review), (want, &review), "{currency} {amount}");
        assert_eq!(found.report.outcome, minor.map(|_| Outcome::Refunded), "{currency}");
    }
}

/// The total of a charge counts refunds that may still fail: where there is a key, the single ones count.
#[test]
fn an_event_about_refunds_says_where_to_look() {
    let charge = charge(true, 100);
    assert_eq!(hint(&event("charge.refunded", &charge)), Some(object("pi_1")));
    for kind in ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"] {
        assert_eq!(hint(&event(kind, &refund("pending"))), Some(object("pi_1")), "{kind}");
        // What cannot be read here may be readable there.
        assert_eq!(hint(&event(kind, &refund("new"))), Some(object("pi_1")), "{kind}");
    }
    for intent in [Value::Null, json!("pi_1/x"), json!("other"), json!(5)] {
        let mut refund = refund("succeeded");
        refund["payment_intent"] = intent;
        assert_eq!(hint(&event("refund.created", &refund)), None, "{refund}");
    }
    let mut live = event("charge.refunded", &charge);
    live["livemode"] = json!(true);
    assert_eq!(hint(&live), None);
}
