//! Refunds that were requested of us: one each at the provider, and what the order service knows of them.

use pay_core::{
    domain::{Refund, RefundId, RefundState},
    testing::HeldRefund,
};

use super::{Broken, hold};
use crate::{ports::Request, world::World};

/// A request to refund goes out only for what is reserved, durably, under its reference.
pub(super) fn check_call(world: &World, request: &Request) -> Result<(), Broken> {
    let Request::MakeRefund(call) = request else { return Ok(()) };
    let id = RefundId::requested(call.reference);
    let kept = world.table.refunds.get(&(call.reference.payment(), id));
    let is_reserved = kept.is_some_and(|kept| {
        kept.request.is_some() && kept.amount_minor == call.refund.amount_minor
    });
    hold(is_reserved, "I25", || format!("{call:?} is sent, and {kept:?} is kept"))
}

/// The refunds at the provider that name a reference of ours, each with its id here.
fn ours(world: &World) -> impl Iterator<Item = (RefundId, &HeldRefund)> {
    let held = world.providers.held.values().chain(world.providers.checkouts.values());
    let refunds = held.flat_map(|held| &held.refunds);
    refunds.filter_map(|made| Some((RefundId::new(made.reference.as_ref()?.as_str()).ok()?, made)))
}

/// Each refund at the provider that names a reference of ours was requested, and there is one for it.
pub(super) fn check_references(world: &World) -> Result<(), Broken> {
    let made: Vec<_> = ours(world).collect();
    for (id, held) in &made {
        let of_request = made.iter().filter(|(of, _)| of == id).count();
        hold(of_request == 1 && world.requested.contains(id), "I22", || {
            format!("{held:?} is one of {of_request} of {:?}", world.requested)
        })?;
    }
    Ok(())
}

/// The order service is notified of refunds that succeeded, each once in effect and together of no more than
/// went back, once it was notified that the payment is paid. A refund of which it is not notified is due, unless it never hears of the payment.
pub(super) fn check_refund_notifications(world: &World) -> Result<(), Broken> {
    for (id, (payment, amount)) in &world.shop.refunds {
        let kept = world.table.refunds.get(&(*payment, id.clone()));
        let is_it = kept.is_some_and(|kept| {
            kept.amount_minor == *amount
                && kept.state == RefundState::Succeeded
                && !kept.is_outside()
        });
        hold(is_it && *amount > 0, "I7", || {
            format!("the order service was notified of refund {id:?} of {amount}: {kept:?}")
        })?;
        hold(world.shop.effects.contains_key(payment), "I7", || {
            format!("the order service was notified of {kept:?}, and not that it was paid")
        })?;
    }
    for payment in world.table.payments.values() {
        let notified = world.shop.refunds.values().filter(|(of, _)| *of == payment.id);
        let notified: u64 = notified.map(|(_, amount)| amount).sum();
        hold(notified <= payment.refunded(), "I10", || {
            format!("{:?} of {payment:?}", world.shop.refunds)
        })?;
    }
    if !world.shop.hears_of_refunds {
        return Ok(());
    }
    for refund in world.table.refunds.values() {
        let Refund { id, payment, amount_minor, state, due, .. } = refund;
        let record = world.table.payments.get(payment);
        let never_hears =
            record.is_none_or(|of| of.notified_time.is_none() && !of.needs_notification());
        let counts = *state == RefundState::Succeeded && *amount_minor > 0 && !refund.is_outside();
        let notified = world.shop.refunds.contains_key(id);
        hold(!counts || notified || due.is_some() || never_hears, "I8", || {
            format!("{refund:?}: the order service was not notified, and it is not due")
        })?;
    }
    Ok(())
}

/// What the provider made of each request is counted here, and what it did not make is released; the order
/// service knows.
pub(super) fn check_refunded_in_the_end(world: &World) -> Result<(), Broken> {
    let made: Vec<_> = ours(world).collect();
    for ((_, id), refund) in &world.table.refunds {
        let held = made.iter().find(|(of, _)| of == id).map(|(_, held)| held.state);
        let is_known = match (held, refund.state) {
            (Some(held), kept) => held == kept,
            (None, kept) => kept == RefundState::Failed,
        };
        hold(refund.request.is_none() || is_known, "I22", || {
            format!("the provider has {held:?}: {refund:?}")
        })?;
        let waits = refund.state == RefundState::Pending;
        hold(refund.due.is_none() || waits, "I9", || format!("{refund:?} is still due"))?;
    }
    for (id, held) in &made {
        let is_kept = world.table.refunds.keys().any(|(_, of)| of == id);
        hold(is_kept, "I22", || format!("nothing is kept of {held:?}"))?;
    }
    Ok(())
}
