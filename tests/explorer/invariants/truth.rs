//! What a record says, compared with the refunds that are kept and with what its provider holds.

use pay_core::{
    domain::{
        Event, Notification, Outcome, Payment, PaymentId, Refund, RefundId, RefundReport,
        RefundState, Refunds, Sender, Status, Verdict,
    },
    ports::ProviderState,
    testing::HeldPayment,
};

use super::{Broken, checkouts::is_money_known, hold};
use crate::world::World;

/// What went back is the sum of the refunds that succeeded and the highest total, not both; no more
/// than was paid, and no more than its provider ever gave back. What is reserved is the sum of the requested
/// refunds that have not come to an end.
pub(super) fn check_refunds(world: &World, payment: &Payment) -> Result<(), Broken> {
    let of_payment = |refund: &&Refund| refund.payment == payment.id && !refund.is_outside();
    let all = || world.table.refunds.values().filter(of_payment);
    let is_one = |of: &&Refund| of.provider_refund.is_some() || of.request.is_some();
    let counted = all().filter(is_one).filter(|one| one.state == RefundState::Succeeded);
    let sum = counted.map(|one| one.amount_minor).sum();
    let reserved = all().filter(|of| of.request.is_some() && !of.state.is_final());
    let pending = reserved.map(|of| of.amount_minor).sum();
    let totals = all().filter_map(|refund| refund.id.as_str().strip_prefix("total-")?.parse().ok());
    let explained = Refunds { sum, total: totals.max().unwrap_or(0), pending };
    hold(payment.refunds == explained, "I21", || {
        let refunds: Vec<_> = all().collect();
        format!("{payment:?} is not explained by {refunds:?}")
    })?;
    let refunded = payment.refunded();
    hold(refunded <= payment.amount.minor(), "I21", || {
        format!("{refunded} of {payment:?} went back")
    })?;
    let is_it = |(_, held): &(_, &HeldPayment)| held.txn == payment.reference.txn;
    let by_checkout = || world.held_checkouts(payment.id).find(is_it).map(|(_, held)| held);
    let Some(held) = world.held(payment.id).or_else(by_checkout) else { return Ok(()) };
    let given = held.refunds.iter().filter(|of| of.state != RefundState::Pending);
    let given: u64 = given.map(|of| of.amount_minor).sum();
    hold(refunded <= given, "I21", || format!("{held:?} gave back {given}: {payment:?}"))
}

/// A payment is paid only where its provider says so, and is closed without a close of ours only there.
pub(super) fn check_truth(world: &World, payment: &Payment) -> Result<(), Broken> {
    if !world.has_truth() {
        return Ok(());
    }
    let held = world.held(payment.id);
    let state = held.map_or(ProviderState::Absent, |held| held.state);
    let is_paid = matches!(state, ProviderState::Paid | ProviderState::Refunded);
    let same = held.is_some_and(|held| held.txn == payment.reference.txn);
    let by_checkout = world
        .held_checkouts(payment.id)
        .any(|(_, held)| held.state == ProviderState::Paid && held.txn == payment.reference.txn);
    hold(!payment.was_paid() || (is_paid && same) || by_checkout, "I11", || {
        format!("Stripe holds it as {held:?}: {payment:?}")
    })?;
    // Of one that we close ourselves no checkout can be paid.
    let is_ours = |event: &Event| event.payment == Some(payment.id) && is_close(event);
    let closed = payment.status == Status::Closed && !world.table.events.iter().any(is_ours);
    hold(!closed || state == ProviderState::Closed, "I24", || {
        format!("Stripe holds it as {held:?}: {payment:?}")
    })
}

/// Whether an event is about a payment that we closed.
fn is_close(event: &Event) -> bool {
    event.id.as_str() == "close.ended"
        || (event.sender == Sender::Native && event.report.outcome == Some(Outcome::Closed))
}

/// A refund is never gone, and that it failed is final, unless it only counts as failed because
/// its provider refused it. It is reserved only within what is known to be left.
pub(super) fn check_refund_change(before: &World, after: &World) -> Result<(), Broken> {
    for (key, old) in &before.table.refunds {
        let new = after.table.refunds.get(key);
        let fits = new.is_some_and(|new| {
            let falls = match old.state {
                RefundState::Requested => false,
                RefundState::Pending => new.state == RefundState::Requested,
                RefundState::Succeeded | RefundState::Failed => !new.state.is_final(),
            };
            let is_final = old.state != RefundState::Failed
                || new.state == RefundState::Failed
                || old.is_unnamed_request();
            new.amount_minor == old.amount_minor && !falls && is_final
        });
        hold(fits, "I21", || format!("{old:?} became {new:?}"))?;
    }
    for (key, new) in &after.table.refunds {
        let is_reserved =
            new.request.is_some() && !new.is_outside() && !before.table.refunds.contains_key(key);
        let record = before.table.payments.get(&new.payment);
        let fits = record.is_some_and(|record| {
            let claimed = record.refunds.claimed().saturating_add(new.amount_minor);
            claimed <= record.amount.minor()
        });
        hold(!is_reserved || fits, "I21", || format!("{new:?} was reserved of {record:?}"))?;
    }
    Ok(())
}

/// What a client learns of a refund is durable.
pub(super) fn check_refunded(
    world: &World,
    notification: &Notification,
    id: PaymentId,
) -> Result<(), Broken> {
    if notification.report.outcome != Some(Outcome::Refunded) {
        return Ok(());
    }
    let record = world.table.payments.get(&id);
    let of = |refund: RefundId| world.table.refunds.get(&(id, refund));
    let ours = notification.report.refund.as_ref().and_then(|report| match report {
        RefundReport::One { reference, .. } => RefundId::new(reference.as_ref()?.as_str()).ok(),
        RefundReport::Total(_) => None,
    });
    let kept = ours.and_then(of).or_else(|| of(notification.report.refund_id()?));
    let total = record.map_or(0, |record| record.refunds.total);
    let durable = match &notification.report.refund {
        None => record.is_some_and(|record| record.status == Status::Refunded),
        Some(RefundReport::Total(reported)) => total >= *reported,
        Some(RefundReport::One {
            state: RefundState::Requested | RefundState::Pending, ..
        }) => true,
        Some(RefundReport::One { state: RefundState::Succeeded, .. }) => kept.is_some(),
        Some(RefundReport::One { state: RefundState::Failed, .. }) => {
            kept.is_some_and(|refund| refund.state == RefundState::Failed)
        }
    };
    hold(durable, "I4", || format!("{:?} is not in {record:?}, {kept:?}", notification.report))
}

/// Money that a provider holds as paid is paid or quarantined here.
pub(super) fn check_money(world: &World) -> Result<(), Broken> {
    for (reference, held) in &world.providers.checkouts {
        let is_paid = matches!(held.state, ProviderState::Paid | ProviderState::Refunded);
        let Some(record) = world.table.payments.get(&reference.payment) else { continue };
        hold(!is_paid || is_money_known(world, record, held), "I23", || {
            format!("{held:?} of {record:?}")
        })?;
    }
    for ((provider, id), held) in &world.providers.held {
        if !matches!(held.state, ProviderState::Paid | ProviderState::Refunded) {
            continue;
        }
        let Some(record) = world.table.payments.get(id) else { continue };
        let is_paid = record.was_paid()
            && (record.reference.source, &record.reference.txn) == (provider.source(), &held.txn);
        let is_it = |event: &&Event| event.report.reference.txn == held.txn;
        // Also a message about it that names no payment.
        let waiting = |event: &Event| {
            event.payment.is_none_or(|of| of == *id) && event.verdict == Verdict::Quarantined
        };
        let is_quarantined = world.table.events.iter().filter(is_it).any(waiting);
        hold(is_paid || is_quarantined, "I23", || format!("{held:?} of {record:?}"))?;
    }
    Ok(())
}
