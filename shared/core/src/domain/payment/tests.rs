//! Which changes lead where.

use super::*;
use crate::domain::{Currency, ProviderTxn, RefundEffect, RefundReport, Report, Source};

const NOW: u64 = 1_800_000_000_000;

fn pending() -> Payment {
    let cny = Currency::new("CNY").unwrap();
    Payment::pending(
        PaymentId::new(7).unwrap(),
        UserId::new(1).unwrap(),
        OrderId::new(2).unwrap(),
        Amount::new(100, cny).unwrap(),
        Timestamp::from_millis(NOW).unwrap(),
    )
}

fn stripe(txn: Option<&str>) -> ProviderRef {
    ProviderRef {
        source: Source::new(3).unwrap(),
        txn: txn.map(|txn| ProviderTxn::new(txn).unwrap()),
    }
}

fn after(payment: &Payment, to: Status, reference: &ProviderRef) -> Payment {
    let now = Timestamp::from_millis(NOW + 5).unwrap();
    payment.change_to(to, reference, false, now).applied_to(payment.clone()).coherent().unwrap()
}

/// The payment after this much of it went back in all.
fn refunded(payment: &Payment, total: u64, reference: &ProviderRef) -> Payment {
    let now = Timestamp::from_millis(NOW + 5).unwrap();
    let refund = Some(RefundReport::Total(total));
    let report = Report { refund, reference: reference.clone(), ..Report::NONE };
    let effect = RefundEffect::of(&report, payment, None, false, now);
    let RefundEffect::Counts(refund) = effect else { panic!("{effect:?}") };
    let change = payment.refunded_by(refund, reference, false, now);
    change.applied_to(payment.clone()).coherent().unwrap()
}

#[test]
fn the_move_to_paid_makes_it_due() {
    let paid = after(&pending(), Status::Paid, &stripe(Some("pi_1")));
    assert_eq!(paid.paid_time.unwrap().millis(), NOW + 5);
    assert_eq!(paid.due.unwrap().at.millis(), NOW + 60_005);
    assert_eq!((paid.version, paid.reference), (2, stripe(Some("pi_1"))));
}

#[test]
fn a_refund_clears_due_and_completes_only_what_is_unknown() {
    let paid = after(&pending(), Status::Paid, &stripe(None));
    let refunded = refunded(&paid, 100, &stripe(Some("pi_1")));
    assert_eq!((refunded.due, &refunded.reference), (None, &stripe(Some("pi_1"))));
    assert_eq!(refunded.paid_time, paid.paid_time);
    assert!(!refunded.is_replaceable());
}

#[test]
fn a_refund_of_a_payment_never_seen_paid_frees_the_order() {
    let refunded = refunded(&pending(), 100, &stripe(Some("pi_1")));
    assert_eq!((refunded.paid_time, refunded.due), (None, None));
    assert_eq!(refunded.reference, stripe(Some("pi_1")));
    assert!(refunded.is_replaceable());
}

#[test]
fn a_refund_of_a_part_leaves_it_paid_and_due() {
    let paid = after(&pending(), Status::Paid, &stripe(None));
    let part = refunded(&paid, 40, &stripe(Some("pi_1")));
    assert_eq!((part.status, part.refunded(), part.due), (Status::Paid, 40, paid.due));
    assert_eq!((part.version, &part.reference), (3, &stripe(Some("pi_1"))));
    assert!(part.needs_notification() && !part.is_replaceable());
    // It proves that it was paid.
    let part = refunded(&pending(), 40, &stripe(Some("pi_1")));
    assert_eq!((part.status, part.paid_time), (Status::Paid, Some(part.update_time)));
    assert_eq!(part.due, paid.due);
    let all = refunded(&part, 100, &stripe(Some("pi_1")));
    assert_eq!((all.status, all.due), (Status::Refunded, None));
    assert!(!all.is_replaceable(), "the order service may know that it was paid");
}

/// That saves a write of the index.
#[test]
fn the_move_to_paid_keeps_a_time_that_is_near() {
    let ahead = |ms| Some(Due { at: Timestamp::from_millis(NOW + ms).unwrap(), attempts: 3 });
    for (before, after_ms) in [
        (None, 60_005),
        (ahead(0), 0),
        (ahead(300_005), 300_005),
        // A query that is far ahead is no time to notify by.
        (ahead(300_006), 60_005),
    ] {
        let payment = Payment { due: before, ..pending() };
        let now = Timestamp::from_millis(NOW + 5).unwrap();
        let change = payment.change_to(Status::Paid, &stripe(None), false, now);
        let due = Due { at: Timestamp::from_millis(NOW + after_ms).unwrap(), attempts: 0 };
        assert_eq!(change.due, DueChange::Set { before, after: due });
    }
}

#[test]
fn failing_and_closing_set_no_reference() {
    let closed = after(&pending(), Status::Closed, &stripe(Some("pi_1")));
    assert_eq!(closed.reference, ProviderRef::NONE);
    assert!(closed.is_replaceable());
}

#[test]
fn completing_the_reference_raises_the_version_and_nothing_else() {
    let paid = after(&pending(), Status::Paid, &stripe(None));
    let now = Timestamp::from_millis(NOW + 9).unwrap();
    let change = paid.completion(&stripe(Some("pi_1")), now).unwrap();
    let completed = change.applied_to(paid.clone());
    assert_eq!(completed.reference, stripe(Some("pi_1")));
    assert_eq!((completed.status, completed.due, completed.version), (paid.status, paid.due, 3));
    assert_eq!(completed.completion(&stripe(Some("pi_1")), now), None);
}

#[test]
fn a_record_that_no_change_leads_to_is_rejected() {
    let paid = after(&pending(), Status::Paid, &stripe(None));
    let some = |sum| Refunds { sum, ..Refunds::NONE };
    let wrong = [
        Payment { version: 0, ..pending() },
        Payment { paid_time: None, ..paid.clone() },
        Payment { status: Status::Closed, ..paid.clone() },
        Payment { reference: stripe(None), ..pending() },
        Payment { due: paid.due, ..after(&pending(), Status::Closed, &stripe(None)) },
        Payment { notified_time: paid.paid_time, ..pending() },
        Payment { refunds: some(1), ..pending() },
        Payment { refunds: some(101), ..paid.clone() },
        Payment { refunds: some(100), ..paid.clone() },
        Payment { status: Status::Refunded, refunds: some(99), due: None, ..paid.clone() },
        Payment { status: Status::Refunded, due: None, ..paid.clone() },
    ];
    for payment in wrong {
        assert!(payment.clone().coherent().is_err(), "{payment:?}");
    }
    let right = [
        pending(),
        // It is to be queried.
        Payment { due: paid.due, ..pending() },
        Payment { refunds: some(99), ..paid.clone() },
        Payment { status: Status::Refunded, refunds: some(100), due: None, ..paid },
    ];
    for payment in right {
        assert_eq!(payment.clone().coherent().as_ref(), Ok(&payment));
    }
}
