use super::*;
use crate::{
    domain::{Outcome, Report},
    ports::Order,
    testing::{Call, Fate, block_on},
    usecases::{
        create::CreatePayment,
        world::{NOW_MS, World, a_notice, now, oid, request, uid},
    },
};

const PAID: Report = Report::Outcome(Outcome::Paid);

fn later(ms: u64) -> Timestamp {
    Timestamp::from_millis(NOW_MS.saturating_add(ms)).unwrap()
}

/// A world whose payment is paid and whose order could not be told.
fn untold() -> (World, PaymentId) {
    let (world, id) = World::with_payment();
    world.fail(Call::TellPaid, Fate::Before);
    world.callback(&a_notice(id, PAID, 1)).unwrap();
    assert!(world.payment(id).work.is_some());
    (world, id)
}

fn run(world: &World, all: bool, at: Timestamp) -> Result<Reconciled, StoreError> {
    let request = Reconcile::new(100, all).unwrap();
    block_on(reconcile(&world.shop, &world.store, request, at, &|| Some(at), &world.trace))
}

fn told(world: &World) -> usize {
    world.shop.state().effects.len()
}

#[test]
fn what_is_due_is_told_and_taken_off_the_list() {
    let (world, id) = untold();
    // The callback that is making it has a minute.
    let early = run(&world, false, later(59_999)).unwrap();
    assert_eq!((early.told, early.stale, told(&world)), (0, 0, 0));
    let before = world.payment(id).version;
    let done = run(&world, false, later(60_000)).unwrap();
    assert_eq!((done.told, done.oldest_paid), (1, None));
    let payment = world.payment(id);
    assert_eq!((payment.work, payment.told_at), (None, Some(later(60_000))));
    assert_eq!(payment.version, before);
    assert_eq!(told(&world), 1);
    assert_eq!(run(&world, true, later(60_000)).unwrap().told, 0);
}

#[test]
fn every_entry_is_told_if_all_are_asked_for() {
    let (world, _) = untold();
    assert_eq!(run(&world, true, now()).unwrap().told, 1);
    assert_eq!(told(&world), 1);
}

#[test]
fn a_telling_that_fails_is_put_off_and_never_given_up() {
    let (world, id) = untold();
    world.gate.always(Call::TellPaid, Fate::Before);
    let mut at = later(60_000);
    for tries in 1..=40 {
        let done = run(&world, false, at).unwrap();
        assert_eq!((done.told, done.put_off.len()), (0, 1), "{tries}");
        assert_eq!(done.oldest_paid, Some(now()));
        let work = world.payment(id).work.unwrap();
        assert_eq!(work.tries, tries);
        assert!(work.due > at);
        // Not before it is due again.
        let early = run(&world, false, at).unwrap();
        assert_eq!((early.put_off.len(), early.stale), (0, 0));
        at = work.due;
    }
    world.gate.always(Call::TellPaid, Fate::Answered);
    assert_eq!(run(&world, false, at).unwrap().told, 1);
}

#[test]
fn an_order_that_is_gone_stays_on_the_list() {
    let (world, id) = untold();
    let order = world.shop.edit(|shop| shop.orders.remove(&oid(1))).unwrap();
    let done = run(&world, true, now()).unwrap();
    assert!(matches!(done.put_off[..], [(found, ShopError::Absent)] if found == id));
    world.shop.edit(|shop| shop.orders.insert(oid(1), Order { uid: uid(1), ..order }));
    assert_eq!(run(&world, true, now()).unwrap().told, 1);
}

#[test]
fn an_entry_of_a_payment_that_is_paid_no_more_is_stale() {
    let (world, id) = untold();
    world.callback(&a_notice(id, Report::Outcome(Outcome::Refunded), 2)).unwrap();
    // The index still names it.
    let index = |world: &World| {
        world.gate.always(Call::Payment, Fate::Answered);
        let listed = block_on(entry(&world.shop, &world.store, id, None, now(), &world.trace));
        matches!(listed, Entry::Stale)
    };
    assert!(index(&world));
    assert_eq!(told(&world), 0);
}

#[test]
fn what_somebody_else_put_off_is_left_to_its_time() {
    let (world, id) = untold();
    world.store.edit(|table| {
        let payment = table.payments.get_mut(&id).unwrap();
        payment.work = payment.work.map(|work| work.put_off(id, later(60_000)));
    });
    let until = Some(later(60_000));
    let found = block_on(entry(&world.shop, &world.store, id, until, now(), &world.trace));
    assert!(matches!(found, Entry::Stale));
    assert_eq!(told(&world), 0);
}

#[test]
fn a_store_that_fails_at_an_entry_loses_nothing() {
    for (call, fate, effects) in [
        (Call::Payment, Fate::Before, 0),
        (Call::Told, Fate::Before, 1),
        (Call::Told, Fate::Lost, 1),
        (Call::Told, Fate::After, 1),
    ] {
        let (world, _) = untold();
        world.fail(call, fate);
        let done = run(&world, true, now()).unwrap();
        assert_eq!((done.told, done.failed.len()), (0, 1), "{call:?} {fate:?}");
        assert_eq!(told(&world), effects);
        run(&world, true, now()).unwrap();
        assert_eq!(told(&world), 1, "{call:?} {fate:?}");
        assert_eq!(block_on(world.store.to_tell(None, 9)).unwrap(), []);
    }
    let (world, _) = untold();
    world.fail(Call::TellPaid, Fate::Before);
    world.fail(Call::PutOff, Fate::Lost);
    assert_eq!(run(&world, true, now()).unwrap().failed.len(), 1);
    assert_eq!(run(&world, true, now()).unwrap().told, 1);
    world.fail(Call::ToTell, Fate::Before);
    assert!(run(&world, true, now()).is_err());
}

#[test]
fn a_run_ends_when_its_time_does() {
    let (world, _) = untold();
    let request = Reconcile::new(1, true).unwrap();
    let stopped = reconcile(&world.shop, &world.store, request, now(), &|| None, &world.trace);
    let done = block_on(stopped).unwrap();
    assert_eq!((done.told, done.left, told(&world)), (0, 1, 0));
}

/// A world with so many payments that are paid and whose orders could not be told, the longest due
/// first.
fn many_untold(count: u64) -> (World, Vec<PaymentId>) {
    let world = World::new();
    let mut ids = Vec::new();
    for order in 1..=count {
        world.shop.sells(uid(1), oid(order), 100);
        // In one millisecond there are not so many ids.
        world.ids.first([PaymentId::new(order).unwrap()]);
        let created = world.create(CreatePayment { oid: oid(order), ..request(100, None) });
        let id = created.unwrap().id;
        world.fail(Call::TellPaid, Fate::Before);
        world.callback(&a_notice(id, PAID, 1)).unwrap();
        ids.push(id);
    }
    ids.sort_unstable();
    (world, ids)
}

fn run_all(world: &World, limit: u64) -> Reconciled {
    let request = Reconcile::new(limit, true).unwrap();
    let go_on = || Some(now());
    block_on(reconcile(&world.shop, &world.store, request, now(), &go_on, &world.trace)).unwrap()
}

fn passed(world: &World, call: Call) -> usize {
    world.gate.passed().into_iter().filter(|one| *one == call).count()
}

#[test]
fn a_run_goes_on_page_by_page_up_to_its_limit() {
    let (world, ids) = many_untold(2005);
    let before = passed(&world, Call::ToTell);
    let done = run_all(&world, 2003);
    assert_eq!((done.told, done.left), (2003, 0));
    assert_eq!(passed(&world, Call::ToTell) - before, 3);
    let still: Vec<PaymentId> = block_on(world.store.to_tell(None, 9)).unwrap();
    assert_eq!(still, ids[2003..]);
    assert_eq!(run_all(&world, 2003).told, 2);
    // Of a list that ends before the page does, there is no more to ask for.
    assert_eq!(passed(&world, Call::ToTell) - before, 3 + 1 + 1);
}

#[test]
fn what_there_is_no_time_for_is_left_and_nothing_more_is_listed() {
    let (world, _) = many_untold(1001);
    let before = passed(&world, Call::ToTell);
    let begun = std::cell::Cell::new(0);
    let go_on = || {
        begun.set(begun.get() + 1);
        (begun.get() <= 40).then(now)
    };
    let request = Reconcile::new(100_000, true).unwrap();
    let run = reconcile(&world.shop, &world.store, request, now(), &go_on, &world.trace);
    let done = block_on(run).unwrap();
    assert_eq!((done.told, done.left), (40, 960));
    assert_eq!(passed(&world, Call::ToTell) - before, 1);
}

#[test]
fn what_cannot_be_read_or_cleared_stands_in_nobodys_way() {
    let (world, ids) = many_untold(2010);
    // An index that lags, or a row that cannot be read: the longest due for as long as it lasts.
    world.store.edit(|table| {
        for id in &ids[..9] {
            table.payments.get_mut(id).unwrap().status = Status::Pending;
        }
    });
    // One that was told and could not be cleared is not told again in the same run.
    world.gate.script(Call::Told, [Fate::Before]);
    let done = run_all(&world, 100_000);
    assert_eq!((done.stale, done.failed.len(), done.told), (9, 1, 2000));
    assert_eq!(world.shop.state().calls.len(), 2001);
}

#[test]
fn a_run_ends_where_nobody_can_be_told() {
    let (world, _) = many_untold(40);
    // One of a round gets through: whatever ails the others, the service is there.
    world.gate.script(Call::TellPaid, [Fate::Before; 15]);
    let done = run_all(&world, 1000);
    assert_eq!((done.put_off.len(), done.told, done.left), (15, 25, 0));

    let (world, ids) = many_untold(40);
    world.gate.always(Call::TellPaid, Fate::Before);
    let done = run_all(&world, 1000);
    assert_eq!((done.put_off.len(), done.told, done.left), (16, 0, 24));
    // The others keep their place, and are due once it is there again.
    world.gate.always(Call::TellPaid, Fate::Answered);
    let at = later(60_000);
    let due = block_on(world.store.to_tell(Some(at), 99)).unwrap();
    assert_eq!(due.iter().filter(|id| ids[16..].contains(id)).count(), 24);
    assert_eq!(run_all(&world, 1000).told, 40);

    // Orders that are gone are no outage.
    let (world, _) = many_untold(40);
    world.shop.edit(|shop| shop.orders.clear());
    assert_eq!(run_all(&world, 1000).put_off.len(), 40);
    // A store that is down is one.
    let (world, _) = many_untold(40);
    world.gate.always(Call::Payment, Fate::Before);
    let done = run_all(&world, 1000);
    assert_eq!((done.failed.len(), done.left), (16, 24));
}

#[test]
fn a_list_that_cannot_be_read_any_further_ends_the_run_and_not_its_account() {
    let (world, _) = many_untold(1001);
    world.gate.script(Call::ToTell, [Fate::Answered, Fate::Before]);
    assert_eq!(run_all(&world, 100_000).told, 1000);
    assert_eq!(run_all(&world, 100_000).told, 1);
}

#[test]
fn what_is_done_late_in_a_run_is_dated_late() {
    let (world, ids) = many_untold(2);
    world.gate.script(Call::TellPaid, [Fate::Answered, Fate::Before]);
    let minutes = std::cell::Cell::new(0);
    let go_on = || {
        minutes.set(minutes.get() + 1);
        Some(later(minutes.get() * 60_000))
    };
    let request = Reconcile::new(9, true).unwrap();
    let run = reconcile(&world.shop, &world.store, request, now(), &go_on, &world.trace);
    assert_eq!(block_on(run).unwrap().told, 1);
    assert_eq!(world.payment(ids[0]).told_at, Some(later(60_000)));
    // Put off from then on, not from the start of the run.
    assert!(world.payment(ids[1]).work.unwrap().due > later(120_000 + 45_000));
}

#[test]
fn a_limit_is_1_to_100_000() {
    assert!(Reconcile::new(0, false).is_err());
    assert!(Reconcile::new(100_001, false).is_err());
    assert!(Reconcile::new(1, false).is_ok() && Reconcile::new(100_000, true).is_ok());
}

#[test]
fn a_run_leaves_time_for_what_it_began() {
    assert_eq!(begins_for_ms(59_500), 52_500);
    // Where there is less than two rounds' time, half of it.
    assert_eq!(begins_for_ms(9_500), 4_750);
    assert_eq!([0, 1].map(begins_for_ms), [0, 0]);
}
