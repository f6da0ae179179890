//! What the senders of messages get: it is durable.

use pay_core::{
    domain::{Mismatch, MismatchField, Notification, Outcome, Status, Verdict},
    usecases::apply::{Applied, OrderNotification},
};

use super::{Broken, given_back::check_goes_back, hold, truth::check_refunded};
use crate::world::World;

/// What a notification did is durable, and the order service was notified where that is said.
pub(super) fn check_applied(
    world: &World,
    notification: &Notification,
    applied: &Applied,
) -> Result<(), Broken> {
    // One that names no payment was found by its transaction.
    let id = notification.payment.unwrap_or(applied.record.id);
    let record = world.table.payments.get(&id);
    let at_least = match notification.report.outcome {
        Some(Outcome::Failed) => Status::Failed,
        // It ended a checkout, or began to close the payment; or its money goes back.
        Some(Outcome::Closed | Outcome::Paid) if applied.verdict == Verdict::Noted => {
            Status::Pending
        }
        Some(Outcome::Closed) => Status::Closed,
        Some(Outcome::Refunded) if notification.report.refund.is_none() => Status::Refunded,
        Some(Outcome::Paid | Outcome::Refunded) => Status::Paid,
        None => Status::Pending,
    };
    hold(record.is_some_and(|record| record.status >= at_least), "I4", || {
        format!("a client gets {applied:?}, and the record is {record:?}")
    })?;
    if notification.report.outcome == Some(Outcome::Paid) && applied.verdict == Verdict::Noted {
        check_goes_back(world, notification, id)?;
    }
    check_refunded(world, notification, id)?;
    let notified = match applied.order_notification {
        OrderNotification::NotDue => true,
        OrderNotification::Failed(_) => record.is_some_and(|record| record.paid_time.is_some()),
        OrderNotification::Done | OrderNotification::NotCleared(_) => {
            world.shop.effects.contains_key(&id)
        }
    };
    hold(notified, "I4", || {
        format!("a client gets {applied:?}, and the order service was not notified")
    })
}

/// A message that was followed is kept itself, or what it led to is quarantined.
pub(super) fn check_followed(world: &World, message: &Notification) -> Result<(), Broken> {
    let kept = world.table.events.iter().any(|event| {
        let (txn, quarantined) =
            (&event.report.reference.txn, event.verdict == Verdict::Quarantined);
        event.body.digest() == message.body.digest()
            || (quarantined && *txn == message.report.reference.txn)
    });
    hold(kept, "I4", || format!("it was followed, and no event says so: {message:?}"))
}

pub(super) fn check_quarantined(
    world: &World,
    notification: &Notification,
    mismatch: &Mismatch,
) -> Result<(), Broken> {
    let unmatched = mismatch.field == MismatchField::Payment;
    let payment = notification.payment.filter(|_| !unmatched);
    let kept = world.table.events.iter().any(|event| {
        event.verdict == Verdict::Quarantined
            && event.mismatch.as_ref() == Some(mismatch)
            && event.body.digest() == notification.body.digest()
            && event.payment == payment
    });
    hold(kept, "I4", || format!("quarantined for {mismatch:?}, and no event says so"))
}
