//! The invariants, as checks of a world, of a change of it, and of a client's response.

use std::fmt;

use pay_core::{
    domain::{Event, OrderId, Outcome, Payment, Status, Transition, Verdict},
    usecases::{
        Failure,
        apply::ApplyError,
        create::{CreateError, CreatePayment, CreatedPayment},
        refund::Carried,
    },
};

use super::{client::ClientResponse, ports::Request, world::World};
use given_back::{check_given_back, is_about_quarantined_money};
use messages::{check_applied, check_followed, check_quarantined};
use refunds::{check_references, check_refund_notifications, check_refunded_in_the_end};
use truth::{check_money, check_refund_change, check_refunds, check_truth};

mod checkouts;
mod given_back;
mod messages;
mod refunds;
mod truth;

/// The invariants, by their numbers in docs/reliability.md.
const INVARIANTS: [(&str, &str); 16] = [
    ("I1", "an order has at most one live payment, and its guard names it"),
    ("I2", "all successful creates with one key have one id; a second payment is rejected with it"),
    ("I3", "user, order, amount and currency of a payment never change"),
    ("I4", "a response of success is durable"),
    ("I5", "after a 5xx or a crash, a repeat finds out what was done"),
    ("I6", "a status only rises, by the table, and every order of delivery ends the same"),
    (
        "I7",
        "the order service is notified only after the payment moved to paid, and of a refund only after that",
    ),
    ("I8", "the order service was notified of a paid payment and of its refunds, or they are due"),
    ("I9", "once faults stop, one more delivery or sweeps leave nothing due"),
    (
        "I10",
        "an order is paid once, and refunded what went back, however many notifications arrive",
    ),
    ("I11", "nothing changes but by what a provider said"),
    (
        "I21",
        "what went back and what is reserved is explained by its refunds, and no more than was paid",
    ),
    (
        "I22",
        "a request is one refund at the provider at most, counted here or released once faults stop",
    ),
    ("I23", "money that a provider holds as paid is paid or quarantined here once faults stop"),
    ("I24", "an order is freed only when its payment can no longer be paid, as its provider says"),
    (
        "I25",
        "every request to a provider for a refund or a checkout was preceded by what is kept of it",
    ),
];

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) invariant: &'static str,
    pub(crate) how: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = INVARIANTS.iter().find(|(id, _)| *id == self.invariant);
        let (id, words) = words.expect("every invariant has its words");
        write!(f, "{id} ({words}) is broken: {}", self.how)
    }
}

/// Fails with an invariant unless `holds`.
pub(super) fn hold(
    holds: bool,
    invariant: &'static str,
    how: impl FnOnce() -> String,
) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken { invariant, how: how() }) }
}

/// Checks what holds of a call that is about to be carried out.
pub(crate) fn check_call(world: &World, request: &Request) -> Result<(), Broken> {
    refunds::check_call(world, request)?;
    checkouts::check_call(world, request)
}

/// Checks what holds in every world.
pub(crate) fn check_world(world: &World) -> Result<(), Broken> {
    for oid in world.shop.orders.keys() {
        check_order(world, *oid)?;
    }
    for payment in world.table.payments.values() {
        let id = payment.id;
        check_refunds(world, payment)?;
        check_truth(world, payment)?;
        let coherent = payment.clone().coherent();
        hold(coherent.is_ok(), "I6", || format!("payment {id}: {coherent:?}"))?;
        check_events(world, payment)?;
        let notified = world.shop.effects.contains_key(&id);
        hold(payment.status != Status::Paid || notified || payment.due.is_some(), "I8", || {
            format!("payment {id} is paid, the order service was not notified, and nothing is due")
        })?;
        hold(payment.notified_time.is_none() || notified, "I8", || {
            format!("payment {id} has notified_time, but the order service was not notified")
        })?;
    }
    for call in world.shop.calls.iter().chain(&world.shop.late) {
        let record = world.table.payments.get(&call.payment);
        let paid = record.is_some_and(|record| {
            record.paid_time.is_some()
                && (record.oid, record.uid, record.amount) == (call.oid, call.uid, call.amount)
        });
        hold(paid, "I7", || format!("{call:?}, and the record is {record:?}"))?;
    }
    check_references(world)?;
    check_given_back(world)?;
    checkouts::check_checkouts(world)?;
    check_refund_notifications(world)
}

fn check_order(world: &World, oid: OrderId) -> Result<(), Broken> {
    let guard = world.table.guards.get(&oid);
    let of_order = || world.table.payments.values().filter(move |payment| payment.oid == oid);
    let live: Vec<_> = of_order().filter(|payment| !payment.is_replaceable()).collect();
    hold(live.len() <= 1, "I1", || {
        let live: Vec<_> = live.iter().map(|live| (live.id, live.status)).collect();
        format!("order {oid} has {live:?}")
    })?;
    let agree = match guard {
        None => of_order().next().is_none(),
        Some(guard) => world.table.payments.get(&guard.payment).is_some_and(|record| {
            (record.oid, record.uid, record.amount.minor()) == (oid, guard.uid, guard.amount_minor)
                && live.first().is_none_or(|live| live.id == guard.payment)
        }),
    };
    hold(agree, "I1", || format!("order {oid}: {guard:?} and the records disagree"))?;
    let effects: Vec<_> = world.shop.effects.values().filter(|call| call.oid == oid).collect();
    hold(effects.len() <= 1, "I10", || format!("order {oid} was paid by {effects:?}"))
}

/// The event log: every version of the record has the event that made it, and each is a transition
/// of the table.
fn check_events(world: &World, payment: &Payment) -> Result<(), Broken> {
    let (mut version, mut status) = (1_u64, Status::Pending);
    for event in world.table.events.iter().filter(|event| event.payment == Some(payment.id)) {
        let next = event.version == Some(version.checked_add(1).expect("few versions"));
        let fits = if next {
            is_transition(world, event, status)
        } else {
            event.version.is_some_and(|at| at <= version)
                && event.status.is_some_and(|(before, after)| before == after)
        };
        hold(fits, "I6", || format!("{event:?} follows version {version}, {status:?}"))?;
        if let (true, Some((_, after)), Some(reached)) = (next, event.status, event.version) {
            (version, status) = (reached, after);
        }
    }
    hold((version, status) == (payment.version, payment.status), "I6", || {
        let log: Vec<_> = world.table.events.iter().map(|event| event.version).collect();
        format!("the events lead to version {version}, {status:?}: {log:?}, {payment:?}")
    })
}

/// Whether an event that raised the version is a transition of the table.
fn is_transition(world: &World, event: &Event, from: Status) -> bool {
    let Some((before, after)) = event.status else { return false };
    if is_about_quarantined_money(world, event) {
        return (before, after) == (from, from);
    }
    let Some(outcome) = event.report.outcome else {
        let requests = ["refund.", "checkout.", "close"];
        let is_request = requests.iter().any(|name| event.id.as_str().starts_with(name));
        return is_request && event.verdict == Verdict::Noted && (before, after) == (from, from);
    };
    let row = from.transition(outcome, true);
    let expected = match event.verdict {
        // A refund of a part moves no payment that is paid; it proves that one that is not was paid.
        Verdict::Applied if outcome == Outcome::Refunded => {
            after >= from.max(Status::Paid) && row != Transition::Quarantine
        }
        Verdict::Applied => {
            matches!(row, Transition::Move(to) | Transition::MoveIfLive(to) if to == after)
        }
        // The notification completed the provider reference.
        Verdict::Duplicate | Verdict::Stale | Verdict::Noted if outcome == Outcome::Refunded => {
            after == from && from >= Status::Paid
        }
        Verdict::Duplicate => row == Transition::Duplicate && after == from,
        Verdict::Stale => row == Transition::Stale && after == from,
        // The shop's own *closed* begins to close a payment with checkouts.
        Verdict::Noted => outcome == Outcome::Closed && after == from && from <= Status::Failed,
        Verdict::Ignored | Verdict::Quarantined => false,
    };
    before == from && expected
}

/// Checks what holds of every change.
pub(crate) fn check_change(before: &World, after: &World) -> Result<(), Broken> {
    for old in before.table.payments.values() {
        let new = after.table.payments.get(&old.id);
        let same = new.is_some_and(|new| {
            (new.uid, new.oid, new.amount, new.create_time)
                == (old.uid, old.oid, old.amount, old.create_time)
        });
        hold(same, "I3", || format!("{old:?} became {new:?}"))?;
        let rose = new.is_some_and(|new| {
            let raised = new.version.checked_sub(old.version);
            let unchanged = (new.status, &new.reference, new.refunds)
                == (old.status, &old.reference, old.refunds);
            let completed = old.reference.completed_by(&new.reference);
            let completed = completed.unwrap_or_else(|| old.reference.clone());
            new.status >= old.status
                && (raised == Some(1) || (raised == Some(0) && unchanged))
                && completed == new.reference
                && old.paid_time.is_none_or(|paid| new.paid_time == Some(paid))
        });
        hold(rose, "I6", || format!("{old:?} became {new:?}"))?;
    }
    for (oid, old) in &before.table.guards {
        let new = after.table.guards.get(oid);
        let same = new.is_some_and(|new| {
            new == old
                || !new.has_key(old.key)
                || (new.uid, new.amount_minor) != (old.uid, old.amount_minor)
        });
        hold(same, "I2", || format!("{old:?} became {new:?}: one key, two payments"))?;
    }
    check_refund_change(before, after)?;
    checkouts::check_checkout_change(before, after)?;
    hold(after.table.events.starts_with(&before.table.events), "I6", || {
        "an event is gone, or was changed".into()
    })
}

/// Checks what a client gets; `earlier` is what other clients got before.
pub(crate) fn check_response<'a>(
    world: &World,
    end: &ClientResponse,
    earlier: impl Iterator<Item = &'a ClientResponse>,
) -> Result<(), Broken> {
    let fault = matches!(end.failure(), Some(Failure::Fault(_)));
    hold(!fault, "I5", || format!("a client gets {end:?}"))?;
    match end {
        ClientResponse::Create(request, Ok(created)) => {
            check_success(world, request, *created)?;
            for first in earlier.filter_map(ClientResponse::created) {
                check_two_successes(world, (request, *created), first)?;
            }
            Ok(())
        }
        ClientResponse::Create(request, Err(CreateError::PaymentExists(named))) => {
            let record = named.and_then(|id| world.table.payments.get(&id));
            let own =
                record.is_some_and(|record| (record.uid, record.oid) == (request.uid, request.oid));
            hold(own, "I2", || format!("a create is rejected with {named:?}, {record:?}"))
        }
        ClientResponse::Deliver(notification, Ok(applied)) => {
            check_applied(world, notification, applied)
        }
        ClientResponse::Follow(message, Ok(())) => check_followed(world, message),
        ClientResponse::Deliver(dropped, Err(ApplyError::NotOurs))
        | ClientResponse::Follow(dropped, Err(ApplyError::NotOurs)) => {
            hold(false, "I4", || format!("no account is shared here, and nothing kept {dropped:?}"))
        }
        ClientResponse::Deliver(notification, Err(ApplyError::Mismatch(mismatch)))
        | ClientResponse::Follow(notification, Err(ApplyError::Mismatch(mismatch))) => {
            check_quarantined(world, notification, mismatch)
        }
        ClientResponse::Create(_, Err(_))
        | ClientResponse::Deliver(_, Err(ApplyError::Failed(_)))
        | ClientResponse::Follow(_, Err(ApplyError::Failed(_)))
        | ClientResponse::Sweep(_)
        | ClientResponse::Resolve(..)
        | ClientResponse::Refund(Err(_))
        | ClientResponse::Checkout(_, Err(_))
        | ClientResponse::Close(Err(_)) => Ok(()),
        ClientResponse::Checkout(request, Ok(started)) => {
            checkouts::check_started(world, request, started)
        }
        ClientResponse::Close(Ok(payment)) => checkouts::check_closed(world, payment),
        ClientResponse::Refund(Ok(carried)) => {
            let Carried { refund, .. } = &**carried;
            let kept = world.table.refunds.get(&(refund.payment, refund.id.clone()));
            let durable = kept.is_some_and(|kept| {
                let same =
                    (kept.amount_minor, &kept.request) == (refund.amount_minor, &refund.request);
                same && (kept.state.is_final()
                    || kept.state == refund.state
                    || !refund.state.is_final())
            });
            hold(durable, "I4", || format!("a client gets {refund:?}, and {kept:?} is kept"))
        }
    }
}

fn check_success(
    world: &World,
    request: &CreatePayment,
    created: CreatedPayment,
) -> Result<(), Broken> {
    let record = world.table.payments.get(&created.id);
    let durable = record.is_some_and(|record| {
        (record.uid, record.oid, record.amount) == (request.uid, request.oid, request.amount)
    });
    hold(durable, "I4", || format!("a client gets {created:?}, and the record is {record:?}"))?;
    hold(!created.replayed || request.key.is_some(), "I2", || {
        format!("{created:?} for a request without a key")
    })
}

fn check_two_successes(
    world: &World,
    (request, created): (&CreatePayment, CreatedPayment),
    (other, first): (&CreatePayment, CreatedPayment),
) -> Result<(), Broken> {
    hold(created.replayed || first.replayed || created.id != first.id, "I2", || {
        format!("{} was created twice", created.id)
    })?;
    let one_key = request.key.is_some() && request.key == other.key && request.oid == other.oid;
    let guarded = world.table.guards.get(&request.oid).map(|guard| guard.payment);
    hold(!one_key || created.id == first.id || guarded != Some(first.id), "I2", || {
        format!("{} and then {} for one key", first.id, created.id)
    })
}

/// Checks a repeat once faults have stopped: it succeeds, or is rejected with the payment that
/// exists, or rightly because nothing was done.
pub(crate) fn check_repeat(world: &World, end: &ClientResponse) -> Result<(), Broken> {
    if let ClientResponse::Create(request, Err(error)) = end {
        let named = matches!(error, CreateError::PaymentExists(Some(_)));
        let done = world.table.payments.values().any(|payment| {
            (payment.uid, payment.oid, payment.amount) == (request.uid, request.oid, request.amount)
        });
        hold(named || !done, "I5", || format!("the repeat ends with {end:?}"))?;
    }
    let finished = end.failure().is_none() && !matches!(end, ClientResponse::Sweep(Err(_)));
    hold(finished, "I9", || format!("without faults a client gets {end:?}"))
}

/// Checks what holds after recovery.
pub(crate) fn check_recovered(world: &World) -> Result<(), Broken> {
    check_money(world)?;
    check_refunded_in_the_end(world)?;
    checkouts::check_ended_in_the_end(world)?;
    for payment in world.table.payments.values() {
        if !world.shop.orders.contains_key(&payment.oid) {
            // No order can be notified, and the payment stays due: I8.
            continue;
        }
        // A provider may still say that it is paid.
        let waits = world.has_truth() && payment.status <= Status::Failed;
        let waits =
            waits && (payment.checkouts == 0 || checkouts::waits_for_a_person(world, payment));
        hold(payment.due.is_none() || waits, "I9", || format!("{payment:?} is still due"))?;
        let paid = payment.status == Status::Paid;
        hold(!paid || payment.notified_time.is_some(), "I9", || {
            format!("{payment:?}: the order service was not notified")
        })?;
        let called = world.shop.calls.iter().any(|call| call.payment == payment.id);
        hold(!paid || called, "I10", || format!("{payment:?}: no order notification arrived"))?;
    }
    Ok(())
}
