//! Checkouts: what is kept of them, what their providers hold, and what somebody can still pay.

use pay_core::{
    domain::{Checkout, CheckoutReference, CheckoutState, Event, Payment, Status, Verdict},
    ports::ProviderState,
    testing::HeldPayment,
    usecases::checkout::{CheckoutPayment, StartedPayment},
};

use super::{Broken, hold};
use crate::{ports::Request, world::World};

/// A request to make or to close a checkout goes out only for one that is kept, durably, with just what it is
/// made with.
pub(super) fn check_call(world: &World, request: &Request) -> Result<(), Broken> {
    let Some(sent) = request.checkout_sent() else { return Ok(()) };
    let kept = world.table.checkouts.get(&sent.reference);
    let is_kept = kept.is_some_and(|kept| made_with(kept) == made_with(sent));
    hold(is_kept, "I25", || format!("{sent:?} is sent, and {kept:?} is kept"))
}

/// What never changes of a checkout.
fn made_with(checkout: &Checkout) -> impl PartialEq {
    let Checkout { parameters, account, expires_time, create_time, .. } = checkout.clone();
    (parameters, account, expires_time, create_time)
}

/// What somebody can pay is unended here, and its payment is not closed. What is unended is due, unless its
/// payment is paid by it. Money of one that has ended is known here.
pub(super) fn check_checkouts(world: &World) -> Result<(), Broken> {
    for reference in world.providers.checkouts.keys() {
        let is_kept = world.table.checkouts.contains_key(reference);
        hold(is_kept, "I25", || format!("a provider has {reference}, of which nothing is kept"))?;
    }
    for (reference, held) in &world.providers.again {
        hold(false, "I25", || format!("{held:?} is a second object under {reference}"))?;
    }
    for checkout in world.table.checkouts.values() {
        let reference = checkout.reference;
        let Some(record) = world.table.payments.get(&reference.payment) else {
            return hold(false, "I25", || format!("{checkout:?} of no payment"));
        };
        let is_closed = record.status == Status::Closed;
        let held = world.providers.checkouts.get(&reference);
        hold(!world.is_payable(reference) || (checkout.is_unended() && !is_closed), "I24", || {
            format!("{held:?} can still be paid: {checkout:?} of {record:?}")
        })?;
        let is_known =
            held.is_none_or(|held| !is_paid(held) || is_money_known(world, record, held));
        let invariant = if is_closed || record.closing { "I24" } else { "I23" };
        hold(is_known || (checkout.is_unended() && !is_closed), invariant, || {
            format!("{held:?} was paid, and is not known here: {checkout:?} of {record:?}")
        })?;
        let is_to_be_asked = checkout.is_unended() && !is_the_only_one(world, record, reference);
        hold(!is_to_be_asked || record.due.is_some(), "I23", || {
            format!("{checkout:?} may be paid, and {record:?} is not due")
        })?;
    }
    Ok(())
}

fn is_paid(held: &HeldPayment) -> bool {
    matches!(held.state, ProviderState::Paid | ProviderState::Refunded)
}

/// Whether a payment is paid by its only checkout: nothing is to be done about that.
fn is_the_only_one(world: &World, record: &Payment, reference: CheckoutReference) -> bool {
    let held = world.providers.checkouts.get(&reference);
    let pays = held.is_some_and(|held| record.was_paid() && held.txn == record.reference.txn);
    record.checkouts == 1 && pays
}

/// Whether money of a checkout pays its payment, or waits for a person.
pub(super) fn is_money_known(world: &World, record: &Payment, held: &HeldPayment) -> bool {
    let pays = record.was_paid() && record.reference.txn == held.txn;
    let waits = |event: &Event| {
        event.verdict == Verdict::Quarantined
            && event.report.reference.txn == held.txn
            && event.payment == Some(record.id)
    };
    pays || world.table.events.iter().any(waits)
}

/// A checkout is never gone, is always made with the same, and comes to one end. No further one is requested of
/// a payment that is closing or that nobody can pay, nor a second one of what is unended.
pub(super) fn check_checkout_change(before: &World, after: &World) -> Result<(), Broken> {
    for (reference, old) in &before.table.checkouts {
        let new = after.table.checkouts.get(reference);
        let fits = new.is_some_and(|new| {
            let goes_on = match old.state {
                CheckoutState::Requested => true,
                CheckoutState::Open => new.state != CheckoutState::Requested,
                CheckoutState::Refused | CheckoutState::Ended => new.state == old.state,
            };
            let is_named = old.provider_id.is_none() || new.provider_id == old.provider_id;
            goes_on && is_named && made_with(new) == made_with(old)
        });
        hold(fits, "I25", || format!("{old:?} became {new:?}"))?;
    }
    for (reference, new) in &after.table.checkouts {
        if before.table.checkouts.contains_key(reference) {
            continue;
        }
        let record = before.table.payments.get(&reference.payment);
        let is_payable = record.is_some_and(|record| {
            let next = record.checkouts.saturating_add(1);
            record.is_open() && !record.closing && reference.number.get() == next
        });
        hold(is_payable, "I24", || format!("{new:?} was requested of {record:?}"))?;
        let twin = before.table.checkouts.values().find(|old| {
            old.reference.payment == reference.payment
                && old.is_unended()
                && (&old.parameters, &old.account) == (&new.parameters, &new.account)
        });
        let has_expired = twin.is_none_or(|twin| twin.expires_time <= new.create_time);
        hold(has_expired, "I25", || format!("{new:?} was requested beside {twin:?}"))?;
    }
    Ok(())
}

/// What a client was given to pay with is kept as it was asked for.
pub(super) fn check_started(
    world: &World,
    request: &CheckoutPayment,
    started: &StartedPayment,
) -> Result<(), Broken> {
    let StartedPayment { checkout, .. } = started;
    let kept = world.table.checkouts.get(&checkout.reference);
    let durable = kept.is_some_and(|kept| {
        let is_as_asked = kept.reference.payment == request.id
            && kept.parameters.method == request.asked.method
            && (request.asked.description.as_ref())
                .is_none_or(|text| *text == kept.parameters.description);
        is_as_asked
            && made_with(kept) == made_with(checkout)
            && kept.state != CheckoutState::Requested
    });
    hold(durable, "I4", || format!("a client gets {checkout:?}, and {kept:?} is kept"))
}

/// What a client learns of a payment that it closes is durable: one that can still be paid is closing.
pub(super) fn check_closed(world: &World, shown: &Payment) -> Result<(), Broken> {
    let record = world.table.payments.get(&shown.id);
    let durable = record.is_some_and(|record| {
        let is_under_way = record.closing || !record.is_open();
        record.status >= shown.status && is_under_way
    });
    hold(durable, "I4", || format!("a client gets {shown:?}, and the record is {record:?}"))
}

/// Once their last moment is over and sweeps have run, every checkout has come to its end, but for one that is
/// paid with what does not fit, and the only one of a payment that it pays.
pub(super) fn check_ended_in_the_end(world: &World) -> Result<(), Broken> {
    for checkout in world.table.checkouts.values() {
        let record = &world.table.payments[&checkout.reference.payment];
        let is_done = !checkout.is_unended()
            || is_the_only_one(world, record, checkout.reference)
            || waits_for_a_person(world, record);
        hold(is_done, "I9", || format!("{checkout:?} is still unended: {record:?}"))?;
    }
    for payment in world.table.payments.values().filter(|payment| payment.closing) {
        hold(waits_for_a_person(world, payment), "I9", || format!("{payment:?} is still closing"))?;
    }
    Ok(())
}

/// Whether a payment is paid at a provider, and what that reports does not fit.
pub(super) fn waits_for_a_person(world: &World, record: &Payment) -> bool {
    record.is_open() && world.held_checkouts(record.id).any(|(_, held)| is_paid(held))
}
