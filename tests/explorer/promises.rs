//! What the service promises, as checks of a world, of a change of it, and of an answer.

use std::fmt;

use pay_core::{
    domain::{Event, Misfit, OrderId, Outcome, Payment, Report, Status, Step, Verdict},
    usecases::{
        callback::{CallbackError, Notice, Received, Telling},
        create::{CreateError, CreatePayment, CreatedPayment},
        quarantine::ResolveError,
    },
};

use super::{
    actor::{Final, Role},
    world::World,
};

/// The promises, by their numbers in docs/reliability.md.
pub(crate) const PROMISES: [(&str, &str); 10] = [
    ("I1", "an order has at most one live payment, and its guard names it"),
    ("I2", "all success answers to one key carry one id; a duplicate is refused with that id"),
    ("I3", "uid, oid, amount and currency of a record never change"),
    ("I4", "an answer of success means durable"),
    ("I5", "after a 5xx or a crash, a repeat finds out what was done"),
    ("I6", "a status moves along the chain only, and every order of delivery ends the same"),
    ("I7", "an order is told only after its payment's record moved to paid"),
    ("I8", "a paid payment's order was told, or the work list has it"),
    ("I9", "once faults stop, one more delivery ends with paid and told, and no work left"),
    ("I10", "an order is paid once, however often it is told"),
];

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) promise: &'static str,
    pub(crate) how: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = PROMISES.iter().find(|(id, _)| *id == self.promise);
        let (id, words) = words.expect("every promise has its words");
        write!(f, "{id} ({words}) is broken: {}", self.how)
    }
}

/// Fails with a promise if what it says is not so.
pub(super) fn hold(
    so: bool,
    promise: &'static str,
    how: impl FnOnce() -> String,
) -> Result<(), Broken> {
    if so { Ok(()) } else { Err(Broken { promise, how: how() }) }
}

/// What must be so in every world.
pub(crate) fn of_a_world(world: &World) -> Result<(), Broken> {
    for oid in world.shop.orders.keys() {
        of_an_order(world, *oid)?;
    }
    for payment in world.table.payments.values() {
        let id = payment.id;
        let coherent = payment.clone().coherent();
        hold(coherent.is_ok(), "I6", || format!("payment {id}: {coherent:?}"))?;
        of_the_log(world, payment)?;
        let told = world.shop.effects.contains_key(&id);
        hold(payment.status != Status::Paid || told || payment.work.is_some(), "I8", || {
            format!("payment {id} is paid, not told, and on no list")
        })?;
        hold(payment.told_at.is_none() || told, "I8", || {
            format!("payment {id} has told_at, but its order was not told")
        })?;
    }
    for telling in world.shop.calls.iter().chain(&world.shop.late) {
        let record = world.table.payments.get(&telling.payment);
        let paid = record.is_some_and(|record| {
            record.paid_time.is_some()
                && (record.oid, record.uid, record.amount)
                    == (telling.oid, telling.uid, telling.amount)
        });
        hold(paid, "I7", || format!("{telling:?} is told while the record is {record:?}"))?;
    }
    Ok(())
}

fn of_an_order(world: &World, oid: OrderId) -> Result<(), Broken> {
    let guard = world.table.guards.get(&oid);
    let of_it = || world.table.payments.values().filter(move |payment| payment.oid == oid);
    let live: Vec<_> = of_it().filter(|payment| !payment.is_replaceable()).collect();
    hold(live.len() <= 1, "I1", || {
        let live: Vec<_> = live.iter().map(|live| (live.id, live.status)).collect();
        format!("order {oid} has {live:?}")
    })?;
    let agree = match guard {
        None => of_it().next().is_none(),
        Some(guard) => world.table.payments.get(&guard.payment).is_some_and(|record| {
            (record.oid, record.uid, record.amount.minor()) == (oid, guard.uid, guard.amount_minor)
                && live.first().is_none_or(|live| live.id == guard.payment)
        }),
    };
    hold(agree, "I1", || format!("order {oid}: {guard:?} and the records disagree"))?;
    let effects: Vec<_> =
        world.shop.effects.values().filter(|telling| telling.oid == oid).collect();
    hold(effects.len() <= 1, "I10", || format!("order {oid} was paid by {effects:?}"))
}

/// The event chain: every version of the record has the event that made it, and each is a move of
/// the table.
fn of_the_log(world: &World, payment: &Payment) -> Result<(), Broken> {
    let (mut version, mut status) = (1_u64, Status::Pending);
    for event in world.table.events.iter().filter(|event| event.payment == Some(payment.id)) {
        let next = event.version == Some(version.checked_add(1).expect("few versions"));
        let fits = if next {
            is_a_move(event, status)
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
        format!("the log leads to version {version}, {status:?}: {log:?}, {payment:?}")
    })
}

fn is_a_move(event: &Event, from: Status) -> bool {
    let (Some((before, after)), Some(outcome)) = (event.status, event.said.outcome) else {
        return false;
    };
    let lawful = match from.step(outcome, true) {
        Step::Move(to) | Step::MoveIfLive(to) => after == to && event.verdict == Verdict::Applied,
        // The record learnt whose money it was.
        Step::Repeat => after == from && event.verdict == Verdict::Repeat,
        Step::Stale => after == from && event.verdict == Verdict::Stale,
        Step::Quarantine => false,
    };
    before == from && lawful
}

/// What must be so of every change.
pub(crate) fn of_a_change(before: &World, after: &World) -> Result<(), Broken> {
    for old in before.table.payments.values() {
        let new = after.table.payments.get(&old.id);
        let same = new.is_some_and(|new| {
            (new.uid, new.oid, new.amount, new.create_time)
                == (old.uid, old.oid, old.amount, old.create_time)
        });
        hold(same, "I3", || format!("{old:?} became {new:?}"))?;
        let rose = new.is_some_and(|new| {
            let step = new.version.checked_sub(old.version);
            let known = old.money.taught_by(&new.money).unwrap_or_else(|| old.money.clone());
            new.status >= old.status
                && step.is_some_and(|step| step <= 1)
                && (step == Some(1) || (new.status, &new.money) == (old.status, &old.money))
                && known == new.money
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
    hold(after.table.events.starts_with(&before.table.events), "I6", || {
        "an event that was kept is gone, or another".into()
    })
}

/// What must be so when a client gets an answer; `earlier` are those that were given before.
pub(crate) fn of_an_answer<'a>(
    world: &World,
    (role, end): (&Role, &Final),
    earlier: impl Iterator<Item = (&'a Role, &'a Final)>,
) -> Result<(), Broken> {
    match (role, end) {
        (Role::Create(request), Final::Create(Ok(created))) => {
            of_a_success(world, request, *created)?;
            for (role, end) in earlier {
                if let (Role::Create(other), Some(first)) = (role, end.made()) {
                    of_two_successes(world, (request, *created), (other, first))?;
                }
            }
            Ok(())
        }
        (Role::Create(request), Final::Create(Err(error))) => of_a_refusal(world, request, error),
        (Role::Message { notice, .. }, Final::Message(answer)) => match answer {
            Ok(received) => of_a_receipt(world, notice, received),
            Err(error) => of_a_reject(world, notice, error),
        },
        (Role::Reconcile, Final::Reconcile(_)) => Ok(()),
        (Role::Resolve, Final::Resolve(answer)) => {
            let fault = matches!(answer, Err(ResolveError::Fault(_)));
            hold(!fault, "I5", || format!("a person is answered {answer:?}"))
        }
        (role, end) => panic!("{role:?} ends with {end:?}"),
    }
}

fn of_a_success(
    world: &World,
    request: &CreatePayment,
    created: CreatedPayment,
) -> Result<(), Broken> {
    let record = world.table.payments.get(&created.id);
    let durable = record.is_some_and(|record| {
        (record.uid, record.oid, record.amount) == (request.uid, request.oid, request.amount)
    });
    hold(durable, "I4", || format!("{created:?} was answered, and the record is {record:?}"))?;
    hold(!created.replayed || request.key.is_some(), "I2", || {
        format!("{created:?} answers a request without a key")
    })
}

fn of_two_successes(
    world: &World,
    (request, created): (&CreatePayment, CreatedPayment),
    (other, first): (&CreatePayment, CreatedPayment),
) -> Result<(), Broken> {
    hold(created.replayed || first.replayed || created.id != first.id, "I2", || {
        format!("{} was made twice", created.id)
    })?;
    let one_key = request.key.is_some() && request.key == other.key && request.oid == other.oid;
    let guarded = world.table.guards.get(&request.oid).map(|guard| guard.payment);
    hold(!one_key || created.id == first.id || guarded != Some(first.id), "I2", || {
        format!("{} and then {} answer one key", first.id, created.id)
    })
}

fn of_a_refusal(world: &World, request: &CreatePayment, error: &CreateError) -> Result<(), Broken> {
    match error {
        CreateError::PaymentExists(named) => {
            let record = named.and_then(|id| world.table.payments.get(&id));
            let own =
                record.is_some_and(|record| (record.uid, record.oid) == (request.uid, request.oid));
            hold(own, "I2", || format!("a duplicate is refused with {named:?}, {record:?}"))
        }
        CreateError::Fault(cause) => hold(false, "I5", || format!("a fault: {cause}")),
        CreateError::UserNotFound
        | CreateError::OrderNotFound
        | CreateError::KeyReused
        | CreateError::OrderPaid
        | CreateError::AmountMismatch
        | CreateError::Unavailable(_) => Ok(()),
    }
}

fn of_a_receipt(world: &World, notice: &Notice, received: &Received) -> Result<(), Broken> {
    let record = notice.payment.and_then(|id| world.table.payments.get(&id));
    let at_least = match notice.report {
        Report::Outcome(Outcome::Failed) => Status::Failed,
        Report::Outcome(Outcome::Closed) => Status::Closed,
        Report::Outcome(Outcome::Paid) => Status::Paid,
        Report::Outcome(Outcome::Refunded) => Status::Refunded,
        Report::PartialRefund | Report::Nothing => Status::Pending,
    };
    hold(record.is_some_and(|record| record.status >= at_least), "I4", || {
        format!("{received:?} was answered, and the record is {record:?}")
    })?;
    let told = match received.telling {
        Telling::None => true,
        Telling::Failed(_) => record.is_some_and(|record| record.paid_time.is_some()),
        Telling::Done | Telling::Uncleared(_) => {
            notice.payment.is_some_and(|id| world.shop.effects.contains_key(&id))
        }
    };
    hold(told, "I4", || {
        format!("{received:?} was answered, and the order was neither told nor listed")
    })
}

fn of_a_reject(world: &World, notice: &Notice, error: &CallbackError) -> Result<(), Broken> {
    match error {
        CallbackError::Misfit(misfit) => {
            let kept = world.table.events.iter().any(|event| {
                event.verdict == Verdict::Quarantined
                    && event.reason == Some(*misfit)
                    && event.body.digest() == notice.body.digest()
                    && (*misfit == Misfit::PaymentNotFound || event.payment == notice.payment)
            });
            hold(kept, "I4", || format!("{misfit:?} was answered, and the message is not kept"))
        }
        CallbackError::Unavailable(_) => Ok(()),
        CallbackError::Fault(cause) => hold(false, "I5", || format!("a fault: {cause}")),
    }
}

/// What the repeat of a create that got no answer must end in, once faults stopped: success, a
/// refusal that names the payment, or one that is right to say that nothing was done.
pub(crate) fn of_a_repeat(world: &World, role: &Role, end: &Final) -> Result<(), Broken> {
    let (Role::Create(request), Final::Create(Err(refused))) = (role, end) else { return Ok(()) };
    let named = matches!(refused, CreateError::PaymentExists(Some(_)));
    let done = world.table.payments.values().any(|payment| {
        (payment.uid, payment.oid, payment.amount) == (request.uid, request.oid, request.amount)
    });
    hold(named || !done, "I5", || format!("the repeat of {role:?} ends with {end:?}"))
}

/// What must be so after the healing round.
pub(crate) fn of_a_healed_world(world: &World) -> Result<(), Broken> {
    for payment in world.table.payments.values() {
        if !world.shop.orders.contains_key(&payment.oid) {
            // There is nobody to tell, and nobody forgets it; I8 says where it is.
            continue;
        }
        hold(payment.work.is_none(), "I9", || format!("{payment:?} is still to be told"))?;
        let paid = payment.status == Status::Paid;
        hold(!paid || payment.told_at.is_some(), "I9", || format!("{payment:?} was not told"))?;
        let calls = world.shop.calls.iter().filter(|telling| telling.payment == payment.id);
        hold(!paid || calls.count() >= 1, "I10", || format!("{payment:?}: no telling arrived"))?;
    }
    Ok(())
}
