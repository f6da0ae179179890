use proptest::prelude::*;

use super::*;
use crate::domain::{
    Amount, Currency, Digest, OrderId, PaymentId, Provider, ProviderRef, ProviderTxn,
    RefundRequest, Status, UserId,
};
use RefundState::{Failed, Pending, Succeeded};

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000).unwrap().plus_millis(millis)
}

/// A payment of 100, paid, of which this went back.
fn paid(refunds: Refunds) -> Payment {
    let amount = Amount::new(100, Currency::new("CNY").unwrap()).unwrap();
    let (id, uid) = (PaymentId::new(7).unwrap(), UserId::new(1).unwrap());
    let pending = Payment::pending(id, uid, OrderId::new(2).unwrap(), amount, at(0));
    let txn = Some(ProviderTxn::new("wx_1").unwrap());
    let reference = ProviderRef { source: Provider::WeChat.source(), txn };
    let paid = pending.change_to(Status::Paid, &reference, false, at(1)).applied_to(pending);
    let payment = Payment { refunds, status: paid.status_with(refunds), ..paid };
    let due = payment.due.filter(|_| payment.status == Status::Paid);
    Payment { due, ..payment }.coherent().unwrap()
}

fn report(refund: Option<RefundReport>) -> Report {
    let txn = Some(ProviderTxn::new("wx_1").unwrap());
    let reference = ProviderRef { source: Provider::WeChat.source(), txn };
    Report { refund, reference, ..Report::NONE }
}

fn one(name: &str, amount_minor: u64, state: RefundState) -> Report {
    let id = ProviderRefund::new(name).unwrap();
    report(Some(RefundReport::One { id, reference: None, amount_minor, state }))
}

fn total(total: u64) -> Report {
    report(Some(RefundReport::Total(total)))
}

/// The refund of 40 as it is kept in this state.
fn kept(state: RefundState) -> Refund {
    Refund {
        payment: PaymentId::new(7).unwrap(),
        id: RefundId::new("wechat.r1").unwrap(),
        taken_from: paid(Refunds::NONE).reference,
        provider_refund: Some(ProviderRefund::new("r1").unwrap()),
        reference: Some(ProviderRefund::new("ours").unwrap()),
        amount_minor: 40,
        state,
        request: None,
        due: None,
        create_time: at(5),
        update_time: at(6),
    }
}

/// In a word, with sum, total and the refund where it counts.
fn described(effect: &RefundEffect) -> String {
    match effect {
        RefundEffect::Counts(change) => {
            let RefundChange { refunds: Refunds { sum, total, .. }, item, .. } = &**change;
            let (id, amount, state) = (item.id.as_str(), item.amount_minor, item.state.as_str());
            format!("{sum}/{total} {id} {amount} {state}")
        }
        RefundEffect::Duplicate => "duplicate".into(),
        RefundEffect::Stale => "stale".into(),
        RefundEffect::Pending => "pending".into(),
        RefundEffect::Mismatch(mismatch) => mismatch.to_string(),
    }
}

const OVER: &str = "refunded: expected 100, received 110";
const LATE: &str =
    "refunded: expected nothing, received a refund that failed after it may have counted";

/// Sum and total before, the state of the refund that is kept, the report, and what it does.
type Row = ((u64, u64), Option<RefundState>, Report, &'static str);

#[rustfmt::skip]
fn table() -> Vec<Row> {
    vec![
        ((0, 0), None, one("r1", 40, Pending), "pending"),
        ((0, 0), None, one("r1", 40, Succeeded), "40/0 wechat.r1 40 succeeded"),
        ((0, 0), None, one("r1", 100, Succeeded), "100/0 wechat.r1 100 succeeded"),
        ((30, 0), None, one("r1", 40, Failed), "30/0 wechat.r1 40 failed"),
        ((30, 0), Some(Pending), one("r1", 40, Pending), "pending"),
        ((30, 0), Some(Pending), one("r1", 40, Succeeded), "70/0 wechat.r1 40 succeeded"),
        ((30, 0), Some(Pending), one("r1", 40, Failed), "30/0 wechat.r1 40 failed"),
        ((70, 0), Some(Succeeded), one("r1", 40, Pending), "stale"),
        ((70, 0), Some(Succeeded), one("r1", 40, Succeeded), "duplicate"),
        ((70, 0), Some(Succeeded), one("r1", 40, Failed), "30/0 wechat.r1 40 failed"),
        ((30, 0), Some(Failed), one("r1", 40, Pending), "stale"),
        ((30, 0), Some(Failed), one("r1", 40, Succeeded), "stale"),
        ((30, 0), Some(Failed), one("r1", 40, Failed), "duplicate"),
        // All of it went back with it, or a total may count it.
        ((100, 0), Some(Succeeded), one("r1", 40, Failed), LATE),
        ((100, 30), Some(Succeeded), one("r1", 40, Failed), LATE),
        ((40, 40), Some(Succeeded), one("r1", 40, Failed), LATE),
        ((70, 31), Some(Succeeded), one("r1", 40, Failed), LATE),
        ((0, 40), None, one("r1", 40, Failed), LATE),
        ((0, 100), Some(Pending), one("r1", 40, Failed), LATE),
        // The others explain all of it.
        ((100, 0), None, one("r1", 40, Failed), "100/0 wechat.r1 40 failed"),
        ((100, 100), Some(Pending), one("r1", 40, Failed), "100/100 wechat.r1 40 failed"),
        ((40, 40), None, one("r1", 40, Failed), "40/40 wechat.r1 40 failed"),
        ((70, 30), Some(Succeeded), one("r1", 40, Failed), "30/30 wechat.r1 40 failed"),
        // More than was paid.
        ((70, 0), None, one("r1", 40, Succeeded), OVER),
        ((70, 100), None, one("r1", 40, Succeeded), OVER),
        ((0, 0), None, total(110), OVER),
        // One by one beside a total: they are not added.
        ((0, 50), None, one("r1", 40, Succeeded), "40/50 wechat.r1 40 succeeded"),
        ((25, 0), None, total(50), "25/50 total-50 25 succeeded"),
        ((50, 0), None, total(50), "50/50 total-50 0 succeeded"),
        ((50, 0), None, total(25), "50/25 total-25 0 succeeded"),
        ((0, 0), None, total(0), "pending"),
        ((0, 50), None, total(0), "pending"),
        ((0, 50), None, total(49), "stale"),
        ((0, 50), None, total(50), "duplicate"),
        ((0, 50), None, total(51), "0/51 total-51 1 succeeded"),
        ((0, 50), None, total(100), "0/100 total-100 50 succeeded"),
        // In full.
        ((0, 0), None, report(None), "0/100 total-100 100 succeeded"),
        ((100, 0), None, report(None), "100/100 total-100 0 succeeded"),
        ((0, 100), None, report(None), "duplicate"),
    ]
}

#[test]
fn a_report_about_a_refund_does_what_the_table_says() {
    for ((sum, total), state, report, want) in table() {
        let record = paid(Refunds { sum, total, ..Refunds::NONE });
        let found = state.map(kept);
        let effect = RefundEffect::of(&report, &record, found.as_ref(), false, at(9));
        assert_eq!(described(&effect), want, "{sum}/{total} {state:?} {report:?}");
    }
}

/// Our reference of the refund that we were asked for.
const OURS: &str = "7_0101010101010101";

/// The refund of 40 that we were asked for, in this state, and whether its provider has named it.
fn requested(state: RefundState, is_named: bool) -> Refund {
    let request =
        Some(RefundRequest { key: Digest::new([1; 32]), reason: None, quarantined: None });
    let due = (!state.is_final()).then(|| Due::after_grace(at(5)));
    let id = RefundId::new(OURS).unwrap();
    let provider_refund = is_named.then(|| ProviderRefund::new("r1").unwrap());
    Refund { id, provider_refund, request, due, ..kept(state) }
}

/// A report about it by the provider's id of it, or by our reference alone.
fn of_ours(name: &str, amount_minor: u64, state: RefundState) -> Report {
    let [id, reference] = [name, OURS].map(|name| ProviderRefund::new(name).unwrap());
    let reference = Some(reference);
    report(Some(RefundReport::One { id, reference, amount_minor, state }))
}

/// What a report does to a refund that we were asked for. Before and after: the sum, what is reserved; the
/// state, and `+` once the provider has named it. A reservation of 30 is another's.
#[test]
fn a_refund_that_we_were_asked_for_keeps_its_reservation_until_it_ends() {
    use RefundState::Requested;
    let other = "refunded: expected 40, received 50";
    let named = |state| of_ours("r1", 40, state);
    let unnamed = |state| of_ours(OURS, 40, state);
    #[rustfmt::skip]
    let table = [
        ((10, 70), (Requested, false), named(Pending), "10/70 pending+"),
        ((10, 70), (Requested, false), named(Succeeded), "50/30 succeeded+"),
        ((10, 70), (Requested, false), named(Failed), "10/30 failed+"),
        ((10, 70), (Requested, false), of_ours("r1", 50, Succeeded), other),
        ((10, 70), (Requested, false), of_ours("r1", 50, Failed), other),
        // A provider without ids of its own, or one that refused it.
        ((10, 70), (Requested, false), unnamed(Pending), "10/70 pending"),
        ((10, 70), (Requested, false), unnamed(Succeeded), "50/30 succeeded"),
        ((10, 70), (Requested, false), unnamed(Failed), "10/30 failed"),
        ((10, 70), (Pending, true), named(Pending), "pending"),
        ((10, 70), (Pending, true), named(Succeeded), "50/30 succeeded+"),
        ((10, 70), (Pending, true), named(Failed), "10/30 failed+"),
        ((10, 70), (Pending, true), of_ours("r1", 50, Succeeded), other),
        ((10, 70), (Pending, false), unnamed(Succeeded), "50/30 succeeded"),
        ((10, 70), (Pending, false), unnamed(Failed), "10/30 failed"),
        // A request that was refused says nothing of one that the provider took.
        ((10, 70), (Pending, true), unnamed(Failed), "stale"),
        ((50, 30), (Succeeded, true), unnamed(Failed), "stale"),
        ((50, 30), (Succeeded, false), unnamed(Failed), "stale"),
        // What is reserved is released once.
        ((50, 30), (Succeeded, true), named(Pending), "stale"),
        ((50, 30), (Succeeded, true), named(Succeeded), "duplicate"),
        ((50, 30), (Succeeded, true), named(Failed), "10/30 failed+"),
        ((10, 30), (Failed, true), named(Pending), "stale"),
        ((10, 30), (Failed, true), named(Succeeded), "stale"),
        ((10, 30), (Failed, true), named(Failed), "duplicate"),
        // Its provider refused it, and made it after all.
        ((10, 30), (Failed, false), named(Pending), "stale"),
        ((10, 30), (Failed, false), named(Succeeded), "50/30 succeeded+"),
        ((10, 30), (Failed, false), unnamed(Succeeded), "50/30 succeeded"),
        ((10, 30), (Failed, false), named(Failed), "duplicate"),
        ((10, 30), (Failed, false), unnamed(Failed), "duplicate"),
    ];
    for ((sum, pending), (state, is_named), report, want) in table {
        let record = paid(Refunds { sum, pending, ..Refunds::NONE });
        let found = requested(state, is_named);
        let effect = RefundEffect::of(&report, &record, Some(&found), true, at(9));
        let what = match &effect {
            RefundEffect::Counts(change) => {
                let RefundChange { refunds: Refunds { sum, pending, .. }, item, .. } = &**change;
                let notified = (item.state == Succeeded).then(|| Due::after_grace(at(9)));
                let waits = found.due.filter(|_| !item.state.is_final());
                assert_eq!((item.due, &item.id), (notified.or(waits), &found.id), "{item:?}");
                assert_eq!((&item.request, change.from), (&found.request, Some(state)));
                let is_new = item.provider_refund.is_some() && !is_named;
                assert_eq!(change.is_named, is_new, "{change:?}");
                let plus = if item.provider_refund.is_some() { "+" } else { "" };
                format!("{sum}/{pending} {}{plus}", item.state.as_str())
            }
            RefundEffect::Duplicate
            | RefundEffect::Stale
            | RefundEffect::Pending
            | RefundEffect::Mismatch(_) => described(&effect),
        };
        assert_eq!(what, want, "{sum}/{pending} {state:?} {is_named} {report:?}");
    }
}

/// A total that was reached by a refund of our own is notified of by the item of that one.
#[test]
fn a_total_is_notified_of_as_far_as_no_other_item_is() {
    for (pending, reported, amount, is_due) in [
        (0, 40, 0, false),
        (0, 41, 1, true),
        (30, 70, 0, false),
        (30, 60, 0, false),
        (30, 71, 1, true),
    ] {
        let record = paid(Refunds { sum: 40, pending, ..Refunds::NONE });
        let effect = RefundEffect::of(&total(reported), &record, None, true, at(9));
        let RefundEffect::Counts(change) = effect else { panic!("{effect:?}") };
        let item = (change.item.amount_minor, change.item.due.is_some());
        assert_eq!((item, change.refunds.total), ((amount, is_due), reported));
        assert_eq!(change.refunds.pending, pending);
    }
}

#[test]
fn what_is_kept_of_a_refund() {
    let found = kept(Succeeded);
    let record = paid(Refunds { sum: 40, total: 0, ..Refunds::NONE });
    let effect = RefundEffect::of(&one("r1", 40, Failed), &record, Some(&found), false, at(9));
    let RefundEffect::Counts(change) = effect else { panic!("{effect:?}") };
    assert_eq!(change.from, Some(Succeeded));
    // A report that leaves our reference out does not remove it.
    assert_eq!(change.item, Refund { state: Failed, update_time: at(9), ..found.clone() });

    let effect =
        RefundEffect::of(&one("r1", 40, Succeeded), &paid(Refunds::NONE), None, false, at(9));
    let RefundEffect::Counts(change) = effect else { panic!("{effect:?}") };
    assert_eq!(change.from, None);
    let [create_time, update_time] = [at(9); 2];
    let new = Refund { reference: None, create_time, update_time, ..found };
    assert_eq!(change.item, new);
}

#[test]
fn the_order_service_hears_of_a_refund_in_full_only_if_it_knows_of_the_payment() {
    for (is_notified, minor, is_due) in
        [(false, 40, true), (false, 100, false), (true, 40, true), (true, 100, true)]
    {
        let notified_time = is_notified.then(|| at(2));
        let record = Payment { notified_time, ..paid(Refunds::NONE) };
        let effect = RefundEffect::of(&one("r1", minor, Succeeded), &record, None, true, at(9));
        let RefundEffect::Counts(change) = effect else { panic!("{effect:?}") };
        assert_eq!(change.item.due.is_some(), is_due, "{is_notified} {minor}");
    }
}

#[test]
fn a_refund_of_no_provider_is_for_a_person() {
    let mut report = one("r1", 40, Succeeded);
    report.reference = ProviderRef::NONE;
    let effect = RefundEffect::of(&report, &paid(Refunds::NONE), None, false, at(9));
    assert!(described(&effect).contains("a refund of no known provider"), "{effect:?}");
}

/// What a payment of 100 comes to by these reports, one after another: what is known to have gone back,
/// and the refunds that are kept.
fn end(reports: &[Report]) -> (Payment, Vec<Refund>) {
    let mut record = paid(Refunds::NONE);
    let mut items: Vec<Refund> = Vec::new();
    for report in reports {
        let id = report.refund_id();
        let found = items.iter().position(|item| Some(&item.id) == id.as_ref());
        let found_item = found.map(|index| items[index].clone());
        let effect = RefundEffect::of(report, &record, found_item.as_ref(), false, at(9));
        let RefundEffect::Counts(change) = effect else { continue };
        assert_eq!(change.from, found_item.map(|item| item.state));
        assert_ne!(items.iter().find(|item| item.id == change.item.id).is_some(), found.is_none());
        match found {
            Some(index) => items[index] = change.item.clone(),
            None => items.push(change.item.clone()),
        }
        let change = record.refunded_by(change, &report.reference, false, at(9));
        record = change.applied_to(record).coherent().unwrap();
        explained(&record, &items);
    }
    items.sort_by(|one, other| one.id.cmp(&other.id));
    (record, items)
}

/// The refunds that are kept explain the sum and the total.
fn explained(record: &Payment, items: &[Refund]) {
    let ones = items.iter().filter(|item| item.provider_refund.is_some());
    let sum: u64 = ones.filter(|one| one.state == Succeeded).map(|one| one.amount_minor).sum();
    let totals = items.iter().filter_map(|item| item.id.as_str().strip_prefix("total-"));
    let total = totals.map(|total| total.parse().unwrap()).max().unwrap_or(0);
    assert_eq!(record.refunds, Refunds { sum, total, pending: 0 });
}

/// Reports that one history of a payment can send: refunds of 25, 25 and 50 one by one, each with the
/// states before it, and the totals after each.
fn history() -> Vec<Report> {
    let mut all: Vec<Report> = [25, 50, 100].map(total).to_vec();
    for (name, amount) in [("r1", 25), ("r2", 25), ("r3", 50)] {
        all.extend([Pending, Succeeded].map(|state| one(name, amount, state)));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..<_>::default() })]

    /// Any part of it, in any order, with any repetition: what counts is which reports there were.
    #[test]
    fn neither_order_nor_repetition_matters(
        picked in proptest::collection::vec(proptest::sample::select(history()), 0..20),
        seed in any::<prop::sample::Index>(),
    ) {
        let (first, items) = end(&picked);
        let mut other = picked.clone();
        other.reverse();
        if !other.is_empty() {
            other.rotate_left(seed.index(picked.len()));
        }
        other.extend(picked);
        let (second, again) = end(&other);
        prop_assert_eq!((first.status, first.refunds), (second.status, second.refunds));
        prop_assert_eq!(ones(items), ones(again));
    }

    /// One that fails leaves the sum, whether that is reported before or after its success.
    #[test]
    fn a_failure_is_final_wherever_it_comes(
        order in Just(vec![
            one("r1", 25, Succeeded),
            one("r1", 25, Pending),
            one("r1", 25, Failed),
            one("r2", 50, Succeeded),
            one("r2", 50, Succeeded),
        ])
        .prop_shuffle(),
    ) {
        let (record, items) = end(&order);
        prop_assert_eq!((record.status, record.refunded()), (Status::Paid, 50));
        let states: Vec<_> = items.iter().map(|item| (item.id.as_str(), item.state)).collect();
        prop_assert_eq!(states, [("wechat.r1", Failed), ("wechat.r2", Succeeded)]);
    }
}

/// Those that were reported one by one. Which totals are kept depends on which came first.
fn ones(items: Vec<Refund>) -> Vec<Refund> {
    items.into_iter().filter(|item| item.provider_refund.is_some()).collect()
}
