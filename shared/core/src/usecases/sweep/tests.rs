mod outages;
mod queries;

use std::{
    future::poll_fn,
    mem::replace,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    task::Poll,
};

use super::*;
use crate::{
    domain::{OrderId, Outcome, Payment, Refund, Status, UserId},
    ports::{Order, Orders},
    testing::{Call, Fate, block_on},
    usecases::{
        create::CreatePayment,
        query::QueryPorts,
        world::{NOW_MS, World, a_notification, later, now, oid, request, uid},
    },
};

const PAID: Option<Outcome> = Some(Outcome::Paid);

/// A world whose payment is paid and whose order service was not notified.
fn due() -> (World, PaymentId) {
    let (world, id) = World::with_payment();
    world.fail(Call::NotifyPaid, Fate::Before);
    world.apply(&a_notification(id, PAID, 1)).unwrap();
    assert!(world.payment(id).due.is_some());
    (world, id)
}

fn run(world: &World, all: bool, at: Timestamp) -> Result<Swept, StoreError> {
    let request = Sweep::new(100, all).unwrap();
    block_on(sweep(&world.ports(), request, &at_work(world, at, &|| Some(at))))
}

/// A run that begins at this time.
fn at_work<'a>(
    world: &'a World,
    now: Timestamp,
    go_on: &'a dyn Fn() -> Option<Timestamp>,
) -> Run<'a> {
    Run { now, go_on, observe: &|_, _| {}, time_to_live: None, trace: &world.trace }
}

/// What becomes of one entry.
fn look(world: &World, id: PaymentId, until: Option<Timestamp>) -> Option<Entry> {
    let (lanes, outages) = (Lanes::new(&[]), Outages::default());
    let (ports, of) = (world.ports(), (id, until));
    let go_on = || Some(now());
    let run = at_work(world, now(), &go_on);
    block_on(entry::look(&ports, of, &run, &lanes, &outages, now()))
}

/// A run over everything that goes on while there is a time to go on at.
fn run_while(world: &World, limit: u64, go_on: &dyn Fn() -> Option<Timestamp>) -> Swept {
    let request = Sweep::new(limit, true).unwrap();
    block_on(sweep(&world.ports(), request, &at_work(world, now(), go_on))).unwrap()
}

fn notified(world: &World) -> usize {
    world.shop.state().effects.len()
}

#[test]
fn what_is_due_is_notified_and_cleared() {
    let (world, id) = due();
    // The callback that notifies has a minute for it.
    let early = run(&world, false, later(59_999)).unwrap();
    assert_eq!((early.notified, early.stale, notified(&world)), (0, 0, 0));
    let before = world.payment(id).version;
    let done = run(&world, false, later(60_000)).unwrap();
    assert_eq!((done.notified, done.oldest_paid), (1, None));
    let payment = world.payment(id);
    assert_eq!((payment.due, payment.notified_time), (None, Some(later(60_000))));
    assert_eq!(payment.version, before);
    assert_eq!(notified(&world), 1);
    assert_eq!(run(&world, true, later(60_000)).unwrap().notified, 0);
}

#[test]
fn of_one_payment_what_it_says_is_done_and_no_other_is_looked_at() {
    let (world, id) = due();
    let other = PaymentId::new(id.get() + 1).unwrap();
    let one = |id| {
        let at = now();
        block_on(sweep(&world.ports(), Sweep::of(id), &at_work(&world, at, &|| Some(at)))).unwrap()
    };
    let missing = one(other);
    assert_eq!((missing.notified, missing.stale, notified(&world)), (0, 1, 0));
    assert!(world.payment(id).due.is_some());
    // Due or not, and whatever the index lists.
    let done = one(id);
    assert_eq!((done.notified, done.stale, notified(&world)), (1, 0, 1));
    assert_eq!(one(id).stale, 1);
}

#[test]
fn all_entries_are_notified_if_all_are_asked_for() {
    let (world, _) = due();
    assert_eq!(run(&world, true, now()).unwrap().notified, 1);
    assert_eq!(notified(&world), 1);
}

#[test]
fn an_order_notification_that_fails_is_rescheduled_and_never_given_up() {
    let (world, id) = due();
    world.gate.always(Call::NotifyPaid, Fate::Before);
    let mut at = later(60_000);
    for attempts in 1..=40 {
        let done = run(&world, false, at).unwrap();
        assert_eq!((done.notified, done.rescheduled.len()), (0, 1), "{attempts}");
        assert_eq!(done.oldest_paid, Some(now()));
        let due = world.payment(id).due.unwrap();
        assert_eq!(due.attempts, attempts);
        assert!(due.at > at);
        // Not before it is due again.
        let early = run(&world, false, at).unwrap();
        assert_eq!((early.rescheduled.len(), early.stale), (0, 0));
        at = due.at;
    }
    world.gate.always(Call::NotifyPaid, Fate::Responded);
    assert_eq!(run(&world, false, at).unwrap().notified, 1);
}

#[test]
fn a_payment_whose_order_is_gone_stays_due() {
    let (world, id) = due();
    let order = world.shop.edit(|shop| shop.orders.remove(&oid(1))).unwrap();
    let done = run(&world, true, now()).unwrap();
    assert!(matches!(done.rescheduled[..], [(found, ShopError::Absent)] if found == id));
    world.shop.edit(|shop| shop.orders.insert(oid(1), Order { uid: uid(1), ..order }));
    assert_eq!(run(&world, true, now()).unwrap().notified, 1);
}

#[test]
fn an_entry_of_a_payment_that_is_paid_no_more_is_stale() {
    let (world, id) = due();
    world.apply(&a_notification(id, Some(Outcome::Refunded), 2)).unwrap();
    // The index still names it.
    assert!(matches!(look(&world, id, None), Some(Entry::Stale)));
    assert_eq!(notified(&world), 0);
}

#[test]
fn what_somebody_else_rescheduled_is_left_to_its_time() {
    let (world, id) = due();
    world.store.edit(|table| {
        let payment = table.payments.get_mut(&id).unwrap();
        payment.due = payment.due.map(|due| due.rescheduled(id, later(60_000)));
    });
    let found = look(&world, id, Some(later(60_000)));
    assert!(matches!(found, Some(Entry::Stale)));
    assert_eq!(notified(&world), 0);
}

#[test]
fn a_store_that_fails_at_an_entry_loses_nothing() {
    for (call, fate, effects) in [
        (Call::Payment, Fate::Before, 0),
        (Call::MarkNotified, Fate::Before, 1),
        (Call::MarkNotified, Fate::Lost, 1),
        (Call::MarkNotified, Fate::After, 1),
    ] {
        let (world, _) = due();
        world.fail(call, fate);
        let done = run(&world, true, now()).unwrap();
        assert_eq!((done.notified, done.failed.len()), (0, 1), "{call:?} {fate:?}");
        assert_eq!(notified(&world), effects);
        run(&world, true, now()).unwrap();
        assert_eq!(notified(&world), 1, "{call:?} {fate:?}");
        assert_eq!(block_on(world.store.due_items(None, 9)).unwrap(), []);
    }
    let (world, _) = due();
    world.fail(Call::NotifyPaid, Fate::Before);
    world.fail(Call::Reschedule, Fate::Lost);
    assert_eq!(run(&world, true, now()).unwrap().failed.len(), 1);
    assert_eq!(run(&world, true, now()).unwrap().notified, 1);
    world.fail(Call::DueItems, Fate::Before);
    assert!(run(&world, true, now()).is_err());
}

#[test]
fn a_run_ends_when_its_time_does() {
    let (world, _) = due();
    let done = run_while(&world, 1, &|| None);
    assert_eq!((done.notified, done.left, notified(&world)), (0, 1, 0));
}

/// A world with so many paid payments whose order service was not notified, longest overdue first.
fn many_due(count: u64) -> (World, Vec<PaymentId>) {
    let world = World::new();
    let mut ids = Vec::new();
    for order in 1..=count {
        world.shop.sells(uid(1), oid(order), 100);
        // In one millisecond there are not so many ids.
        world.ids.first([PaymentId::new(order).unwrap()]);
        let created = world.create(CreatePayment { oid: oid(order), ..request(100, None) });
        let id = created.unwrap().id;
        world.fail(Call::NotifyPaid, Fate::Before);
        world.apply(&a_notification(id, PAID, 1)).unwrap();
        ids.push(id);
    }
    ids.sort_unstable();
    (world, ids)
}

fn run_all(world: &World, limit: u64) -> Swept {
    run_while(world, limit, &|| Some(now()))
}

fn passed(world: &World, call: Call) -> usize {
    world.gate.passed().into_iter().filter(|one| *one == call).count()
}

#[test]
fn a_run_goes_on_page_by_page_up_to_its_limit() {
    let (world, ids) = many_due(2005);
    let before = passed(&world, Call::DueItems);
    let done = run_all(&world, 2003);
    assert_eq!((done.notified, done.left), (2003, 0));
    assert_eq!(passed(&world, Call::DueItems) - before, 3);
    let still = block_on(world.store.due_items(None, 9)).unwrap();
    assert!(still.iter().map(DueItem::payment).eq(ids[2003..].iter().copied()));
    assert_eq!(run_all(&world, 2003).notified, 2);
    // A list that ends before its page does is not read further.
    assert_eq!(passed(&world, Call::DueItems) - before, 3 + 1 + 1);
}

#[test]
fn what_there_is_no_time_for_is_left_and_no_more_is_listed() {
    let (world, _) = many_due(1001);
    let before = passed(&world, Call::DueItems);
    let begun = std::cell::Cell::new(0);
    let go_on = || {
        begun.set(begun.get() + 1);
        (begun.get() <= 40).then(now)
    };
    let done = run_while(&world, 100_000, &go_on);
    assert_eq!((done.notified, done.left), (40, 960));
    assert_eq!(passed(&world, Call::DueItems) - before, 1);
}

#[test]
fn what_cannot_be_read_or_cleared_holds_up_nothing_else() {
    let (world, ids) = many_due(2010);
    // An index that lags, or a row that cannot be read: the longest overdue for as long as it lasts.
    world.store.edit(|table| {
        for id in &ids[..9] {
            table.payments.get_mut(id).unwrap().status = Status::Pending;
        }
    });
    // One that was notified and could not be cleared is not notified again in the same run.
    world.gate.script(Call::MarkNotified, [Fate::Before]);
    let done = run_all(&world, 100_000);
    assert_eq!((done.stale, done.failed.len(), done.notified), (9, 1, 2000));
    assert_eq!(world.shop.state().calls.len(), 2001);
}

#[test]
fn a_run_ends_when_the_order_service_is_down() {
    let (world, _) = many_due(40);
    // One of a round succeeds: the service is up, whatever is wrong with the others.
    world.gate.script(Call::NotifyPaid, [Fate::Before; 15]);
    let done = run_all(&world, 1000);
    assert_eq!((done.rescheduled.len(), done.notified, done.left), (15, 25, 0));

    let (world, ids) = many_due(40);
    world.gate.always(Call::NotifyPaid, Fate::Before);
    let done = run_all(&world, 1000);
    assert_eq!((done.rescheduled.len(), done.notified, done.left), (16, 0, 24));
    // The others stay due for when it is up again.
    world.gate.always(Call::NotifyPaid, Fate::Responded);
    let at = later(60_000);
    let due = block_on(world.store.due_items(Some(at), 99)).unwrap();
    assert_eq!(due.iter().filter(|item| ids[16..].contains(&item.payment())).count(), 24);
    assert_eq!(run_all(&world, 1000).notified, 40);

    // Orders that are gone are no outage.
    let (world, _) = many_due(40);
    world.shop.edit(|shop| shop.orders.clear());
    assert_eq!(run_all(&world, 1000).rescheduled.len(), 40);
    // A store that is down is one.
    let (world, _) = many_due(40);
    world.gate.always(Call::Payment, Fate::Before);
    let done = run_all(&world, 1000);
    assert_eq!((done.failed.len(), done.left), (16, 24));
}

#[test]
fn a_list_that_cannot_be_read_further_ends_the_run_and_keeps_its_counts() {
    let (world, _) = many_due(1001);
    world.gate.script(Call::DueItems, [Fate::Responded, Fate::Before]);
    assert_eq!(run_all(&world, 100_000).notified, 1000);
    assert_eq!(run_all(&world, 100_000).notified, 1);
}

#[test]
fn what_is_done_late_in_a_run_is_dated_late() {
    let (world, ids) = many_due(2);
    world.gate.script(Call::NotifyPaid, [Fate::Responded, Fate::Before]);
    let minutes = std::cell::Cell::new(0);
    let go_on = || {
        minutes.set(minutes.get() + 1);
        Some(later(minutes.get() * 60_000))
    };
    assert_eq!(run_while(&world, 9, &go_on).notified, 1);
    assert_eq!(world.payment(ids[0]).notified_time, Some(later(60_000)));
    // Rescheduled from then on, not from the start of the run.
    assert!(world.payment(ids[1]).due.unwrap().at > later(120_000 + 45_000));
}

#[test]
fn a_limit_is_1_to_100_000() {
    assert!(Sweep::new(0, false).is_err());
    assert!(Sweep::new(100_001, false).is_err());
    assert!(Sweep::new(1, false).is_ok() && Sweep::new(100_000, true).is_ok());
}

#[test]
fn a_run_leaves_time_for_what_it_started() {
    assert_eq!(starts_for_ms(59_500), 51_500);
    // Where that is less than two entries take, half of it.
    assert_eq!(starts_for_ms(9_500), 4_750);
    assert_eq!([0, 1].map(starts_for_ms), [0, 0]);
}

/// An order service that responds at the next poll, and counts its calls.
#[derive(Default)]
struct SlowOrders {
    down: bool,
    calls: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

impl Orders for SlowOrders {
    async fn find(
        &self,
        _oid: OrderId,
        _payer: UserId,
        _trace: &TraceParent,
    ) -> Result<Option<Order>, ShopError> {
        Err(ShopError::Absent)
    }

    async fn notify_paid(&self, _: &Payment, _trace: &TraceParent) -> Result<(), ShopError> {
        self.calls.fetch_add(1, Relaxed);
        self.at_once.fetch_add(1, Relaxed);
        self.most_at_once.fetch_max(self.at_once.load(Relaxed), Relaxed);
        let mut polled = false;
        poll_fn(|_| if replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }).await;
        self.at_once.fetch_sub(1, Relaxed);
        if self.down { Err(ShopError::Unavailable("down".into())) } else { Ok(()) }
    }

    fn hears_of_refunds(&self) -> bool {
        false
    }

    async fn notify_refunded(
        &self,
        _payment: &Payment,
        _refund: &Refund,
        _trace: &TraceParent,
    ) -> Result<(), ShopError> {
        Err(ShopError::Absent)
    }
}

/// The load on the order service: see docs/scale.md.
#[test]
fn sixteen_notifications_run_at_a_time_and_an_outage_costs_thirty_one_calls() {
    for (down, notified, calls) in [(false, 100, 100), (true, 0, 31)] {
        let (world, _) = many_due(100);
        let orders = SlowOrders { down, ..SlowOrders::default() };
        let (request, go_on) = (Sweep::new(1000, true).unwrap(), || Some(now()));
        let World { shop, store, providers, .. } = &world;
        let ports = QueryPorts { users: shop, orders: &orders, store, providers };
        let done = block_on(sweep(&ports, request, &at_work(&world, now(), &go_on))).unwrap();
        assert_eq!((done.notified, done.rescheduled.len() + done.notified), (notified, calls));
        assert_eq!((orders.calls.into_inner(), orders.most_at_once.into_inner()), (calls, 16));
    }
}
