//! What events about refunds report.

use super::*;

#[test]
fn only_a_full_refund_makes_a_payment_refunded() {
    let charge = |refunded: Value, amount: u64| {
        json!({"id": "ch_1", "payment_intent": "pi_1", "amount": 100, "currency": "eur",
               "amount_refunded": amount, "refunded": refunded, "metadata": {"payment_id": "42"}})
    };
    let report = |refunded, amount| {
        let found = notification(&event("charge.refunded", &charge(refunded, amount)));
        assert_eq!(found.payment, Some(PaymentId::parse("42").unwrap()));
        found.report
    };
    let full = report(json!(true), 100);
    let want = samples::report(Provider::Stripe, "pi_1", Outcome::Refunded, (100, "EUR"));
    assert_eq!(full, want);
    for (refunded, amount) in [(json!(false), 30), (json!(false), 50)] {
        let part = Report { outcome: Some(Outcome::PartlyRefunded), ..want.clone() };
        assert_eq!(report(refunded, amount), part);
    }
    let mut without = charge(json!(true), 100);
    without.as_object_mut().unwrap().remove("refunded");
    let found = notification(&event("charge.refunded", &without));
    assert_eq!(found.report.outcome, Some(Outcome::PartlyRefunded));
    assert_eq!(found.review, None);
}

/// The payment may be refunded already by what was reported before: a person decides.
#[test]
fn a_refund_that_fails_is_for_review() {
    let refund = |status: Value| {
        json!({"id": "re_1", "object": "refund", "amount": 30, "currency": "eur", "charge": "ch_1",
               "payment_intent": "pi_1", "status": status, "metadata": {"payment_id": "42"}})
    };
    let failed = |word: &str| format!("a refund that failed: {word}");
    for (kind, status, reason) in [
        ("refund.failed", json!("failed"), failed("refund.failed")),
        ("refund.failed", Value::Null, failed("refund.failed")),
        (
            "charge.refund.updated",
            json!("failed"),
            failed("charge.refund.updated with the status failed"),
        ),
        (
            "charge.refund.updated",
            json!("canceled"),
            failed("charge.refund.updated with the status canceled"),
        ),
        ("refund.updated", json!("failed"), failed("refund.updated with the status failed")),
        ("refund.updated", json!(5), "an unknown `status`".to_owned()),
    ] {
        let found = notification(&event(kind, &refund(status.clone())));
        let review = Mismatch::absent(MismatchField::Outcome, Some(reason));
        assert_eq!(found.review, Some(review), "{kind} {status}");
        assert_eq!(found.payment, Some(PaymentId::parse("42").unwrap()));
        // Of the payment's amount it says nothing.
        let paid = samples::report(Provider::Stripe, "pi_1", Outcome::Paid, (1, "EUR"));
        assert_eq!(found.report, Report { outcome: None, amount_minor: None, ..paid });
    }
    let no_change = Verified::Ignored(Ignored::RefundDetail);
    for (kind, status) in [
        ("charge.refund.updated", "succeeded"),
        ("charge.refund.updated", "pending"),
        ("refund.updated", "succeeded"),
        ("refund.updated", "requires_action"),
        ("refund.created", "failed"),
    ] {
        assert_eq!(verified(&event(kind, &refund(json!(status)))), no_change, "{kind} {status}");
    }
    // Its own metadata is often empty.
    let mut without = refund(json!("failed"));
    without["metadata"] = json!({});
    let found = notification(&event("refund.failed", &without));
    assert!(found.payment.is_none() && found.review.is_some());
}
