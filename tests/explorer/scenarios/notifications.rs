//! Notifications about one payment.

use pay_core::{
    domain::{
        Claims, Notification, Outcome, Provider, ProviderRef, RefundState, Report,
        Sender::{self, Native},
    },
    testing::{Call, a_notification, a_reference, a_refund, reporting},
};

use super::{PAID, paid, with_a_payment};
use crate::scenario::{Scenario, delivering, delivering_early, oid, payment_of, shop, uid};

pub(super) fn all() -> Vec<Scenario> {
    [repeated(), with_one_reference(), with_two_references(), with_one_event_id()].concat()
}

/// Actors 1 and up, who deliver these notifications of one pending payment.
fn at_once<const N: usize>(name: &'static str, notifications: [Notification; N]) -> Scenario {
    let numbered = (1..).zip(notifications);
    let actors = numbered.map(|(number, notification)| delivering(number, notification));
    Scenario::new(name, with_a_payment(), actors)
}

/// What Stripe reports of that payment.
fn reported(outcome: Outcome, name: u8) -> Notification {
    a_notification(payment_of(0), outcome, name)
}

/// The same notification from a gateway of the shop's own, which claims user and order.
fn native(notification: Notification) -> Notification {
    let claims = Some(Claims { uid: uid(1), oid: oid(1) });
    Notification { sender: Native, claims, ..notification }
}

/// One notification, delivered more than once.
fn repeated() -> Vec<Scenario> {
    vec![
        at_once("paid x2", [paid(1), paid(1)]).expecting(&[PAID, "duplicate"], "paid 3/pi_1"),
        at_once("paid x3", [paid(1), paid(1), paid(1)])
            .expecting(&[PAID, "duplicate"], "paid 3/pi_1"),
        at_once("paid x2, native", [paid(1), paid(1)].map(native))
            .expecting(&[PAID, "duplicate"], "paid 3/pi_1"),
        at_once("paid x2, the order service fails", [paid(1), paid(1)])
            .with_down(Call::NotifyPaid)
            .expecting(&[PAID, "duplicate"], "paid 3/pi_1"),
    ]
}

/// Several notifications with references that match.
fn with_one_reference() -> Vec<Scenario> {
    let refunded = || reported(Outcome::Refunded, 2);
    let to_be_refunded = a_refund(payment_of(0), ("re_1", 40, RefundState::Pending), 2);
    let nothing = reporting(paid(3), |report| report.outcome = None);
    let unreferenced = reporting(native(paid(1)), |report| report.reference = ProviderRef::NONE);
    vec![
        at_once("paid, refunded", [paid(1), refunded()])
            .expecting(&[PAID, "applied | duplicate | stale"], "refunded 3/pi_1"),
        at_once(
            "paid, refunded, failed, closed",
            [paid(1), refunded(), reported(Outcome::Failed, 3), reported(Outcome::Closed, 4)],
        )
        .with_faults(1)
        .expecting(
            &[
                "applied | applied+notified | applied+not cleared | not notified | duplicate",
                "duplicate+notified | stale | unavailable",
            ],
            "refunded 3/pi_1",
        ),
        at_once("paid, to be refunded, nothing", [paid(1), to_be_refunded, nothing]).expecting(
            &[PAID, "ignored | noted | noted+notified | noted+not cleared | duplicate"],
            "paid 3/pi_1",
        ),
        at_once("paid, reference completed", [unreferenced, paid(2)])
            .expecting(&[PAID, "duplicate"], "paid 3/pi_1"),
    ]
}

/// Several notifications with references that do not match.
fn with_two_references() -> Vec<Scenario> {
    let by = |provider, txn: &str, name| Notification {
        sender: Sender::Provider(provider),
        ..reporting(paid(name), |report| report.reference = a_reference(provider, txn))
    };
    vec![
        at_once("paid by two providers", [paid(1), by(Provider::WeChat, "wx_1", 2)])
            .expecting(&[PAID, "quarantined: reference"], "paid 2/wx_1 | paid 3/pi_1"),
        at_once(
            "paid, reference completed, paid again",
            [("", 1), ("pi_1", 2), ("pi_2", 3)].map(|(txn, name)| by(Provider::Stripe, txn, name)),
        )
        .expecting(&[PAID, "quarantined: reference | duplicate"], "paid 3/pi_1 | paid 3/pi_2"),
    ]
}

/// Two notifications with one event id.
fn with_one_event_id() -> Vec<Scenario> {
    let colliding = |notification| Notification { event_id: paid(1).event_id, ..notification };
    let other_amount = reporting(paid(2), |report: &mut Report| report.amount_minor = Some(90));
    let unmatched =
        [paid(1), colliding(paid(2))].map(|paid| Notification { payment: None, ..paid });
    vec![
        at_once(
            "paid, failed with its event id",
            [paid(1), colliding(reported(Outcome::Failed, 2))],
        )
        .expecting(&[PAID, "applied | duplicate | stale"], "paid 3/pi_1"),
        at_once("paid, other amount with its event id", [paid(1), colliding(other_amount)])
            .expecting(&[PAID, "quarantined: amount"], "paid 3/pi_1"),
        Scenario::new(
            "unmatched, another with its event id",
            shop(),
            (1..).zip(unmatched).map(|(number, paid)| delivering_early(number, paid)),
        )
        .expecting(&["quarantined: payment | unavailable"], ""),
    ]
}
