//! The fakes' own part: faults, waiting, and an index that lags. What a store does without them is
//! the contract's.

use super::{
    Call, FakeProviders, FakeShop, FakeStore, Fate, Gate, HeldPayment, HeldRefund, ShopState,
    Table, block_on,
    contract::fresh::{Fresh, at, create, stripe},
};
use crate::{
    domain::{
        Guard, Payment, PaymentId, Provider, ProviderRefund, ProviderTxn, RefundReference,
        RefundReport, RefundState, Status,
    },
    ports::{
        Created, Orders, PaymentLists, Payments, ProviderState, Providers, Query, QueryError,
        QueryState, ShopError, StoreError, TraceParent, Updated, Users,
    },
};

async fn attempt(store: &FakeStore, payment: &Payment) -> Result<Created, StoreError> {
    store.create(payment, &Guard::of(payment, None), None).await
}

#[test]
fn a_write_meets_its_fate_and_the_next_one_succeeds() {
    block_on(async {
        for (fate, unknown, there) in [
            (Fate::Before, false, false),
            (Fate::Lost, true, false),
            (Fate::After, true, true),
            (Fate::Late, true, false),
        ] {
            let store = FakeStore::default();
            let payment = Fresh::default().payment();
            store.gate().script(Call::Create, [fate]);
            let failed = attempt(&store, &payment).await.unwrap_err();
            assert_eq!(matches!(failed, StoreError::Unknown(_)), unknown, "{fate:?}");
            let found = store.payment(payment.id).await.unwrap();
            assert_eq!(found.is_some(), there, "{fate:?}");
            let guard = Guard::of(&payment, None);
            let again = attempt(&store, &payment).await.unwrap();
            let want = if there { Created::Guarded(Some(guard)) } else { Created::Done };
            assert_eq!(again, want, "{fate:?}");
        }
    });
}

#[test]
fn a_late_write_lands_on_demand_and_only_if_it_still_may() {
    block_on(async {
        let (store, fresh) = (FakeStore::default(), Fresh::default());
        let payment = fresh.stored(&store).await;
        let [paid, failed] = [Status::Paid, Status::Failed]
            .map(|to| payment.change_to(to, &stripe("pi_1"), false, at(1)));
        store.gate().script(Call::Update, [Fate::Late, Fate::Late]);
        for change in [&paid, &failed] {
            let updated = store.update(change, &fresh.event(&payment)).await;
            assert!(matches!(updated, Err(StoreError::Unknown(_))));
        }
        assert_eq!(store.payment(payment.id).await.unwrap(), Some(payment.clone()));
        while store.edit(Table::land_late) {}
        let want = paid.applied_to(payment);
        assert_eq!(store.payment(want.id).await.unwrap(), Some(want));
        assert_eq!(store.table().events.len(), 1);
    });
}

#[test]
fn a_read_that_fails_is_unavailable() {
    block_on(async {
        let (store, payment) = (FakeStore::default(), Fresh::default().payment());
        store.gate().always(Call::Payment, Fate::Lost);
        for _ in 0..2 {
            let found = store.payment(payment.id).await;
            assert!(matches!(found, Err(StoreError::Unavailable(_))));
        }
        assert_eq!(store.guard(payment.oid).await.unwrap(), None);
        assert_eq!(store.gate().passed(), [Call::Payment, Call::Payment, Call::Guard]);
    });
}

#[test]
fn a_lagging_index_hides_what_the_records_show() {
    block_on(async {
        let (store, fresh) = (FakeStore::default(), Fresh::default());
        store.edit(|table| table.lagging = true);
        let payment = fresh.stored(&store).await;
        assert_eq!(store.newest_of_order(payment.oid).await.unwrap(), None);
        assert_eq!(store.list_by_user(payment.uid, None, 9).await.unwrap().payments, []);
        store.edit(Table::catch_up);
        let hint = store.newest_of_order(payment.oid).await.unwrap();
        assert_eq!(hint, Some(payment.id));
        // What the index lists is as current as the record.
        let paid = fresh.moved(&store, &payment, Status::Paid).await;
        assert_eq!(store.list_by_user(payment.uid, None, 9).await.unwrap().payments, [paid]);
    });
}

#[test]
fn a_call_waits_at_its_start_until_it_is_polled_again() {
    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };
    let store = FakeStore::default();
    store.gate().yield_once();
    let payment = Fresh::default().payment();
    let mut calling = pin!(attempt(&store, &payment));
    let mut context = Context::from_waker(Waker::noop());
    assert!(calling.as_mut().poll(&mut context).is_pending());
    assert!(store.table().payments.is_empty());
    let Poll::Ready(created) = calling.as_mut().poll(&mut context) else {
        panic!("it waits once");
    };
    assert_eq!(created.unwrap(), Created::Done);
}

#[test]
fn a_copy_of_a_table_goes_its_own_way() {
    block_on(async {
        let (store, fresh) = (FakeStore::default(), Fresh::default());
        fresh.stored(&store).await;
        let before = store.table().clone();
        create(&store, &fresh.payment(), None).await;
        assert_ne!(store.table(), before);
        store.edit(|table| table.clone_from(&before));
        assert_eq!(store.table(), before);
        assert_eq!(before.payments.len(), 1);
    });
}

#[test]
fn the_shop_counts_calls_and_effects_apart() {
    block_on(async {
        let (store, fresh) = (FakeStore::default(), Fresh::default());
        let paid = fresh.stored_as(&store, Status::Paid).await;
        let trace = TraceParent::start(1, 1);
        let shop = FakeShop::behind(Gate::default());
        shop.sells(paid.uid, paid.oid, paid.amount.minor());
        assert!(shop.exists(paid.uid, &trace).await.unwrap());
        assert!(!shop.exists(fresh.user(), &trace).await.unwrap());

        shop.gate().script(Call::NotifyPaid, [Fate::Before, Fate::Late, Fate::After]);
        for calls in [0, 0, 1, 2] {
            let notified = shop.notify_paid(&paid, &trace).await;
            assert_eq!(notified.is_ok(), calls == 2);
            assert_eq!(shop.state().calls.len(), calls);
        }
        assert!(shop.edit(ShopState::land_late));
        assert_eq!((shop.state().calls.len(), shop.state().effects.len()), (3, 1));
        let order = shop.find(paid.oid, paid.uid, &trace).await.unwrap();
        assert!(order.unwrap().paid);

        let other = fresh.payment();
        let notified = shop.notify_paid(&other, &trace).await;
        assert!(matches!(notified, Err(ShopError::Absent)));
        assert_eq!(shop.find(other.oid, other.uid, &trace).await.unwrap(), None);
        shop.gate().always(Call::FindOrder, Fate::Before);
        let found = shop.find(paid.oid, paid.uid, &trace).await;
        assert!(matches!(found, Err(ShopError::Unavailable(_))));
    });
}

#[test]
fn an_event_of_a_change_that_is_rejected_is_not_kept() {
    block_on(async {
        let (store, fresh) = (FakeStore::default(), Fresh::default());
        let payment = fresh.stored_as(&store, Status::Closed).await;
        let outdated = payment.change_to(Status::Paid, &stripe(""), true, at(1));
        fresh.moved(&store, &payment, Status::Refunded).await;
        let kept = store.table().events.len();
        let updated = store.update(&outdated, &fresh.event(&payment)).await;
        assert_eq!(updated.unwrap(), Updated::RecordChanged);
        assert_eq!(store.table().events.len(), kept);
    });
}

#[test]
fn a_provider_says_where_one_refund_stands() {
    let providers = FakeProviders::default();
    let id = PaymentId::new(42).unwrap();
    let (txn, reference) =
        (ProviderTxn::new("t").unwrap(), RefundReference::parse("42_0123456789abcdef").unwrap());
    let ours = ProviderRefund::new(&reference.to_string()).unwrap();
    let query = Query::Refund { refund: reference, txn: txn.clone() };
    assert_eq!(query.payment(), Some(id));
    let respond = || block_on(providers.query(Provider::Stripe, &query, at(1)));
    assert!(matches!(respond(), Err(QueryError::Unusable(_))), "no such transaction");
    let hold = |refunds: Vec<_>| {
        let held = HeldPayment::new(ProviderState::Refunded, Some(txn.clone()), 100);
        let held = HeldPayment { refunds, ..held };
        providers.edit(|state| state.held.insert((Provider::Stripe, id), held));
    };
    let other = ProviderRefund::new("re_1").unwrap();
    let other = HeldRefund::new(other, 25, RefundState::Succeeded);
    hold(vec![other.clone()]);
    let absent = respond().unwrap();
    assert_eq!(absent.state, QueryState::NoRefund);
    assert_eq!(absent.notifications[0].event_id.as_str(), "query.absent.42_0123456789abcdef");
    assert_eq!(absent.notifications[0].report.outcome, None);
    for state in RefundState::ALL {
        let made = HeldRefund::new(ours.clone(), 30, state);
        let made = HeldRefund { reference: Some(ours.clone()), ..made };
        hold(vec![other.clone(), made]);
        let found = respond().unwrap();
        assert_eq!((found.state, found.next), (QueryState::Refund(state), None));
        assert_eq!(found.state.as_str(), state.as_str());
        let [notification] = &found.notifications[..] else { panic!("{state:?}") };
        let (id, reference) = (ours.clone(), Some(ours.clone()));
        let want = RefundReport::One { id, reference, amount_minor: 30, state };
        assert_eq!(notification.report.refund, Some(want));
    }
}
