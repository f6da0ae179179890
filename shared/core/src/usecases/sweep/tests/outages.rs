//! Providers and order services that are down or slow: each holds up only what needs it.

use super::{
    queries::{first, pending},
    *,
};
use crate::{
    domain::{Checkout, Due, MerchantAccount, Provider, ProviderRefund, RefundState},
    limits::{QUERY_AGE_MAX_MS, SWEEP_QUERY_LANES},
    ports::{
        CheckoutCallError, CheckoutOrder, NoKeys, ProviderState, Providers, Query, QueryResponse,
        RefundCallError, RefundOrder, StartedCheckout,
    },
    testing::{FakeProviders, HeldPayment, HeldRefund},
    usecases::world::held,
};
use Provider::{Alipay, Stripe, WeChat};

const ALL: [Provider; 3] = [Alipay, WeChat, Stripe];

/// So many pending payments that are due to be asked about.
fn many_pending(world: &World, count: u64) -> Vec<PaymentId> {
    let ids = (1..=count).map(|order| {
        world.shop.sells(uid(1), oid(order), 100);
        world.ids.first([PaymentId::new(order).unwrap()]);
        let new = CreatePayment { oid: oid(order), queried: true, ..request(100, None) };
        world.create(new).unwrap().id
    });
    ids.collect()
}

/// Its turn came when the other provider had been found to be down.
#[test]
fn a_payment_that_was_not_asked_about_everywhere_is_not_abandoned() {
    let world = World::new();
    world.give_keys(&[Alipay, Stripe]);
    world.providers.edit(|providers| providers.down.insert(Alipay));
    let ids = many_pending(&world, 33);
    let old = later(QUERY_AGE_MAX_MS + 3_600_000);
    let done = run(&world, true, old).unwrap();
    assert_eq!((done.abandoned.len(), done.queried), (0, ids.len()));
    assert!(done.unknown.len() < ids.len(), "the last were not asked about there");
    assert!(ids.iter().all(|id| world.payment(*id).due.is_some()));
}

#[test]
fn an_outage_of_one_provider_stops_neither_the_others_nor_order_notifications() {
    let world = World::new();
    world.give_keys(&ALL);
    let ids = many_pending(&world, 60);
    world.providers.edit(|providers| providers.down.insert(Alipay));
    for id in &ids[..20] {
        world.hold(Stripe, *id, ProviderState::Paid);
    }
    for id in &ids[40..] {
        world.gate.script(Call::NotifyPaid, [Fate::Before]);
        world.apply(&a_notification(*id, PAID, 1)).unwrap();
    }
    let done = run(&world, true, first()).unwrap();
    assert_eq!((done.moved, done.queried, done.notified, done.left), (20, 20, 20, 0));
    // It was asked until it was down, and by those who were at it.
    let asked = done.unknown.iter().filter(|(_, provider, _)| *provider == Alipay).count();
    let all = done.unknown.len();
    assert!((1..SWEEP_LANES + SWEEP_QUERY_LANES).contains(&asked) && asked == all, "{asked}");
    assert_eq!(notified(&world), 40);
}

#[test]
fn a_payment_whose_only_provider_is_down_is_left_until_it_is_up() {
    let world = World::new();
    world.give_keys(&[Stripe]);
    let ids = many_pending(&world, 60);
    world.providers.edit(|providers| providers.down.insert(Stripe));
    let done = run(&world, true, first()).unwrap();
    assert_eq!((done.queried, done.left, done.failed.len()), (16, 44, 0));
    world.providers.edit(|providers| providers.down.clear());
    for id in &ids {
        world.hold(Stripe, *id, ProviderState::Paid);
    }
    assert_eq!(run(&world, true, first()).unwrap().moved, 60);
}

/// An empty list of keys would say that nothing is left to do.
#[test]
fn a_payment_is_left_while_it_is_not_known_who_can_be_asked() {
    let (world, id) = pending();
    world.hold(Stripe, id, ProviderState::Paid);
    // At the look, then at the query.
    for keys in [vec![Fate::Before], vec![Fate::Responded, Fate::Before]] {
        world.gate.script(Call::Queried, keys);
        let done = run(&world, false, first()).unwrap();
        assert_eq!((done.left, done.entries(), world.passed(Call::Query)), (1, 0, 0));
        assert_eq!(world.payment(id).due.unwrap().at, first());
    }
    assert_eq!(run(&world, false, first()).unwrap().moved, 1);
}

/// The rest is asked about and left to its time, not rescheduled.
#[test]
fn an_order_service_that_is_down_stops_no_query() {
    let world = World::new();
    world.give_keys(&[Stripe]);
    let ids = many_pending(&world, 60);
    for id in &ids[..40] {
        world.gate.script(Call::NotifyPaid, [Fate::Before]);
        world.apply(&a_notification(*id, PAID, 1)).unwrap();
    }
    world.gate.always(Call::NotifyPaid, Fate::Before);
    // One of those that are left has waited longest.
    let oldest = Timestamp::from_millis(NOW_MS - 1).unwrap();
    world.store.edit(|table| table.payments.get_mut(&ids[39]).unwrap().paid_time = Some(oldest));
    let done = run(&world, true, first()).unwrap();
    assert_eq!((done.rescheduled.len(), done.left, done.queried), (16, 24, 20));
    assert_eq!(done.oldest_paid, Some(oldest));
}

#[test]
fn no_provider_is_asked_when_the_time_is_over() {
    let (world, id) = pending();
    world.give_keys(&ALL);
    let calls = AtomicUsize::new(0);
    // Time for the look and for the query to begin, and for one provider.
    let go_on = || (calls.fetch_add(1, Relaxed) < 3).then(first);
    let done = run_while(&world, 9, &go_on);
    assert_eq!((world.passed(Call::Query), done.queried), (1, 1));
    assert!(world.payment(id).due.is_some());
    let go_on = || (calls.fetch_add(1, Relaxed) < 6).then(first);
    let done = run_while(&world, 9, &go_on);
    assert_eq!((world.passed(Call::Query), done.queried, done.left), (1, 0, 1));
}

/// It would be paid, and nobody would ask for its refunds.
#[test]
fn a_payment_whose_refunds_there_is_no_time_to_ask_for_is_left_as_it_is() {
    let (world, id) = pending();
    let re_1 = ProviderRefund::new("re_1").unwrap();
    let refunds = vec![HeldRefund::new(re_1, 40, RefundState::Succeeded)];
    world.hold_as(Stripe, id, HeldPayment { refunds, ..held(ProviderState::Refunded) });
    let before = world.store.table();
    let calls = AtomicUsize::new(0);
    // Time for the look, the query to begin and the first call.
    let go_on = || (calls.fetch_add(1, Relaxed) < 3).then(first);
    let done = run_while(&world, 9, &go_on);
    assert_eq!((world.passed(Call::Query), done.entries(), done.left), (1, 0, 1));
    assert_eq!((world.store.table(), notified(&world)), (before, 0));
    assert_eq!(run(&world, false, first()).unwrap().moved, 1);
    let payment = world.payment(id);
    assert_eq!((payment.status, payment.refunded()), (Status::Paid, 40));
    assert_eq!((world.passed(Call::Query), notified(&world)), (3, 1));
}

/// Providers that respond after many polls, and count who waits for them.
struct SlowProviders {
    fake: FakeProviders,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

impl Providers for SlowProviders {
    async fn account(
        &self,
        provider: Provider,
        now: Timestamp,
    ) -> Result<Option<MerchantAccount>, NoKeys> {
        self.fake.account(provider, now).await
    }

    async fn checkout(
        &self,
        order: &CheckoutOrder<'_>,
        now: Timestamp,
    ) -> Result<StartedCheckout, CheckoutCallError> {
        self.fake.checkout(order, now).await
    }

    async fn close(&self, checkout: &Checkout, now: Timestamp) -> Result<(), QueryError> {
        self.fake.close(checkout, now).await
    }

    async fn queried(&self, now: Timestamp) -> Result<Vec<Provider>, NoKeys> {
        self.fake.queried(now).await
    }

    async fn query(
        &self,
        provider: Provider,
        query: &Query,
        now: Timestamp,
    ) -> Result<QueryResponse, QueryError> {
        self.at_once.fetch_add(1, Relaxed);
        self.most_at_once.fetch_max(self.at_once.load(Relaxed), Relaxed);
        let mut polls = 0_u32;
        poll_fn(|_| {
            polls = polls.saturating_add(1);
            if polls > 1000 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        self.at_once.fetch_sub(1, Relaxed);
        self.fake.query(provider, query, now).await
    }

    async fn refund(
        &self,
        provider: Provider,
        order: &RefundOrder<'_>,
        now: Timestamp,
    ) -> Result<QueryResponse, RefundCallError> {
        self.fake.refund(provider, order, now).await
    }
}

#[test]
fn slow_providers_do_not_hold_up_order_notifications() {
    let world = World::new();
    world.give_keys(&[Stripe]);
    let ids = many_pending(&world, 100);
    for id in &ids[50..] {
        world.gate.script(Call::NotifyPaid, [Fate::Before]);
        world.apply(&a_notification(*id, PAID, 1)).unwrap();
    }
    // Those to be asked about are due first, and each call to the store takes a poll.
    world.store.edit(|table| {
        for id in &ids[..50] {
            let due = Some(Due { at: now(), attempts: 0 });
            table.payments.get_mut(id).unwrap().due = due;
        }
    });
    let World { shop, store, providers, .. } = &world;
    let slow = SlowProviders {
        fake: providers.clone(),
        at_once: AtomicUsize::new(0),
        most_at_once: AtomicUsize::new(0),
    };
    world.gate.yield_once();
    let ports = QueryPorts { users: shop, orders: shop, store, providers: &slow };
    let go_on = || Some(first());
    let run = at_work(&world, first(), &go_on);
    let passed = world.gate.passed().len();
    let done = block_on(sweep(&ports, Sweep::new(1000, true).unwrap(), &run)).unwrap();
    assert_eq!((done.notified, done.queried, done.left), (50, 50, 0));
    assert_eq!(slow.most_at_once.into_inner(), SWEEP_QUERY_LANES);
    // Every notification was made before the second round of queries ended.
    let calls = world.gate.passed().split_off(passed);
    let last = calls.iter().rposition(|call| *call == Call::NotifyPaid).unwrap();
    let queries = calls[..last].iter().filter(|call| **call == Call::Query).count();
    assert!(queries <= SWEEP_QUERY_LANES, "{queries}");
}
