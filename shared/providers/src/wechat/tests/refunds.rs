//! Refunds: each is reported by its id.

use pay_core::domain::{
    Mismatch, MismatchField, Outcome, PaymentId, Provider, ProviderRefund, RefundReport,
    RefundState, Report,
};
use serde_json::{Value, json};

use super::{
    read::{PAYMENT, TRANSACTION, notification, report, review},
    transaction,
};
use crate::samples;

pub(super) fn refund(part: u64) -> Value {
    json!({
        "mchid": "1900000001",
        "out_trade_no": PAYMENT,
        "transaction_id": TRANSACTION,
        "out_refund_no": "r1",
        "refund_id": "50200207182018070300011301001",
        "refund_status": "SUCCESS",
        "amount": {"total": 100, "refund": part, "payer_total": 90, "payer_refund": part},
    })
}

/// The report of a [`refund`].
fn refunded(part: u64, state: RefundState) -> Report {
    let refund = RefundReport::One {
        id: ProviderRefund::new("50200207182018070300011301001").unwrap(),
        reference: Some(ProviderRefund::new("r1").unwrap()),
        amount_minor: part,
        state,
    };
    let report = samples::report(Provider::WeChat, TRANSACTION, Outcome::Refunded, (100, "CNY"));
    Report { refund: Some(refund), ..report }
}

#[test]
fn a_refund_says_how_much_it_gives_back() {
    let whole = notification("REFUND.SUCCESS", &refund(100));
    assert_eq!(whole.report, refunded(100, RefundState::Succeeded));
    assert_eq!(whole.payment, Some(PaymentId::parse(PAYMENT).unwrap()));
    assert_eq!(whole.review, None);
    // A refund has no appid.
    assert_eq!(whole.wrong_account, None);
    // What that leaves of the payment is decided with the record.
    for part in [0, 25, 30, 99, 101] {
        let want = refunded(part, RefundState::Succeeded);
        assert_eq!(report("REFUND.SUCCESS", &refund(part)), want, "{part}");
    }
    for (amount, status, name) in [
        (json!({"total": 100}), json!("SUCCESS"), "refund"),
        (json!({}), json!("SUCCESS"), "refund"),
        (json!({"total": 100, "refund": 100}), json!("PROCESSING"), "refund_status"),
        (json!({"total": 100, "refund": 100}), Value::Null, "refund_status"),
    ] {
        let mut refund = refund(100);
        refund["amount"] = amount;
        refund["refund_status"] = status;
        let found = notification("REFUND.SUCCESS", &refund);
        assert_eq!(found.report.outcome, None, "{refund}");
        assert_eq!(found.report.refund, None, "{refund}");
        assert_eq!(found.review, Some(review(MismatchField::Outcome, name)), "{refund}");
    }
}

/// Each refund has an id of WeChat Pay's, by which it counts once.
#[test]
fn refunds_are_reported_one_by_one() {
    for (id, part) in [("50300000001", 25), ("50300000002", 25), ("50300000003", 50)] {
        let mut refund = refund(part);
        refund["refund_id"] = json!(id);
        refund["out_refund_no"] = json!(format!("1217752501201407_{part}"));
        let found = report("REFUND.SUCCESS", &refund);
        let want = RefundReport::One {
            id: ProviderRefund::new(id).unwrap(),
            reference: Some(ProviderRefund::new(&format!("1217752501201407_{part}")).unwrap()),
            amount_minor: part,
            state: RefundState::Succeeded,
        };
        assert_eq!((found.refund, found.amount_minor), (Some(want), Some(100)), "{id}");
        assert_eq!(found.outcome, Some(Outcome::Refunded));
    }
}

/// Without its id or its amount it could count twice, or not at all.
#[test]
fn a_refund_without_an_id_or_an_amount_is_for_review() {
    for id in [
        Value::Null,
        json!(""),
        json!("502#1"),
        json!("502 1"),
        json!("502/1"),
        json!("退款"),
        json!("5".repeat(129)),
        json!(50_200_207_182_018_070_u64),
        json!(["5"]),
    ] {
        let mut refund = refund(30);
        refund["refund_id"] = id.clone();
        for kind in ["REFUND.SUCCESS", "REFUND.CLOSED"] {
            let status = if kind == "REFUND.CLOSED" { "CLOSED" } else { "SUCCESS" };
            refund["refund_status"] = json!(status);
            let found = notification(kind, &refund);
            assert_eq!(
                found.review,
                Some(review(MismatchField::Outcome, "refund_id")),
                "{kind} {id}"
            );
            assert_eq!((found.report.outcome, found.report.refund), (None, None), "{kind} {id}");
        }
    }
    for amount in [json!("30"), json!(30.5), json!(-30), json!(0.3)] {
        let mut refund = refund(30);
        refund["amount"]["refund"] = amount.clone();
        let found = notification("REFUND.SUCCESS", &refund);
        assert_eq!(found.review, Some(review(MismatchField::Outcome, "refund")), "{amount}");
        assert_eq!(found.report.refund, None, "{amount}");
    }
    // The merchant's own reference decides nothing.
    for reference in [Value::Null, json!("a|b*c@d"), json!(7)] {
        let mut refund = refund(30);
        refund["out_refund_no"] = reference.clone();
        let found = notification("REFUND.SUCCESS", &refund);
        let mut want = refunded(30, RefundState::Succeeded);
        if let Some(RefundReport::One { reference, .. }) = &mut want.refund {
            *reference = None;
        }
        assert_eq!((found.report, found.review), (want, None), "{reference}");
    }
}

/// Final, whether it comes before or after the news of its success.
#[test]
fn a_refund_that_was_closed_has_failed() {
    let mut refund = refund(30);
    refund["refund_status"] = json!("CLOSED");
    let found = notification("REFUND.CLOSED", &refund);
    assert_eq!((found.report, found.review), (refunded(30, RefundState::Failed), None));
    assert_eq!(found.payment, Some(PaymentId::parse(PAYMENT).unwrap()));
}

/// An order's number has six characters or more: a short id is padded.
#[test]
fn a_padded_reference_names_the_payment() {
    let seven = Some(PaymentId::new(7).unwrap());
    for (reference, payment) in
        [("7", seven), ("000007", seven), ("07", None), ("0000007", None), ("000000", None)]
    {
        for (kind, mut resource) in
            [("TRANSACTION.SUCCESS", transaction()), ("REFUND.SUCCESS", refund(100))]
        {
            resource["out_trade_no"] = json!(reference);
            assert_eq!(notification(kind, &resource).payment, payment, "{kind} {reference}");
        }
    }
}

/// The payment may be refunded already by what was reported before: a person decides.
#[test]
fn a_refund_that_may_have_failed_is_for_review() {
    for (kind, status, word) in [
        ("REFUND.ABNORMAL", "ABNORMAL", "REFUND.ABNORMAL"),
        ("REFUND.ABNORMAL", "CLOSED", "REFUND.ABNORMAL"),
        // The type says that it failed for good, and the refund does not.
        ("REFUND.CLOSED", "SUCCESS", "REFUND.CLOSED"),
        ("REFUND.CLOSED", "PROCESSING", "REFUND.CLOSED"),
        ("REFUND.CLOSED", "ABNORMAL", "REFUND.CLOSED"),
        ("REFUND.ABNORMAL", "SUCCESS", "REFUND.ABNORMAL"),
        // The type says success and the refund does not.
        ("REFUND.SUCCESS", "ABNORMAL", "ABNORMAL"),
        ("REFUND.SUCCESS", "CLOSED", "CLOSED"),
    ] {
        let mut refund = refund(100);
        refund["refund_status"] = json!(status);
        let found = notification(kind, &refund);
        let reason = format!("a refund that failed: {word}");
        let failed = Mismatch::absent(MismatchField::Outcome, Some(reason));
        assert_eq!(found.review, Some(failed), "{kind} {status}");
        assert_eq!(found.payment, Some(PaymentId::parse(PAYMENT).unwrap()));
        let paid = samples::report(Provider::WeChat, TRANSACTION, Outcome::Paid, (100, "CNY"));
        assert_eq!(found.report, Report { outcome: None, ..paid });
    }
}
