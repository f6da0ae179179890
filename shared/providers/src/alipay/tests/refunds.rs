//! Refunds: a notification reports the total so far.

use pay_core::domain::RefundReport;

use super::*;

#[test]
fn the_trade_status_and_the_refund_fields_decide_the_outcome() {
    let paid = Some(Outcome::Paid);
    let (closed, refunded) = (Some(Outcome::Closed), Some(Outcome::Refunded));
    let time = ("gmt_refund", "2026-11-24 10:00:00");
    let fee = |fee| ("refund_fee", fee);
    for (status, more, outcome, total) in [
        ("TRADE_SUCCESS", &[][..], paid, None),
        ("TRADE_SUCCESS", &[fee("0.01")], refunded, Some(1)),
        // The total so far, refund by refund.
        ("TRADE_SUCCESS", &[time, fee("30.00")], refunded, Some(3000)),
        ("TRADE_SUCCESS", &[time, fee("50")], refunded, Some(5000)),
        ("TRADE_FINISHED", &[], paid, None),
        ("TRADE_FINISHED", &[fee("0.00")], paid, None),
        ("TRADE_FINISHED", &[fee("30.00")], refunded, Some(3000)),
        ("TRADE_CLOSED", &[], closed, None),
        ("TRADE_CLOSED", &[fee("0.00")], closed, None),
        ("TRADE_CLOSED", &[fee("88.88")], refunded, Some(8888)),
        ("TRADE_CLOSED", &[time, fee("88.88")], refunded, Some(8888)),
        // In full: a trade that was paid is closed by nothing else.
        ("TRADE_CLOSED", &[time], refunded, None),
        ("TRADE_CLOSED", &[fee("x")], refunded, None),
        ("TRADE_CLOSED", &[time, fee("0.00")], refunded, None),
    ] {
        let mut fields = with(trade(), "trade_status", Some(status));
        fields.extend(more);
        let refund = total.map(RefundReport::Total);
        let want = Report { outcome, refund, ..trade_report() };
        let found = notification(&fields);
        assert_eq!((found.report, found.review), (want, None), "{status} {more:?}");
    }
}

/// How much went back of a trade that is not closed would be a guess.
#[test]
fn a_refund_without_a_total_is_for_review() {
    let time = ("gmt_refund", "2026-11-24 10:00:00");
    for status in ["TRADE_SUCCESS", "TRADE_FINISHED"] {
        for more in [
            &[time][..],
            &[("refund_fee", "x")],
            &[("refund_fee", "-30.00")],
            &[("refund_fee", "30.001")],
            &[time, ("refund_fee", "0.00")],
            &[time, ("refund_fee", "30,00")],
        ] {
            let mut fields = with(trade(), "trade_status", Some(status));
            fields.extend(more);
            let found = notification(&fields);
            let review = Mismatch::absent(MismatchField::Outcome, Some("an unknown `refund_fee`"));
            assert_eq!(found.review, Some(review), "{status} {more:?}");
            assert_eq!(
                found.report,
                Report { outcome: None, ..trade_report() },
                "{status} {more:?}"
            );
            assert_eq!(found.payment, Some(PaymentId::parse("1217752501201407").unwrap()));
        }
    }
}
