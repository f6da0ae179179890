//! The rows: their attributes, their entries in the indexes, and malformed ones.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue::{self, N, S};
use pay_core::{
    domain::{Event, Guard, Payment, Status, Verdict},
    limits::SWEEP_QUEUES,
    ports::{Appended, Outbox as _, PaymentLists as _, Payments as _, StoreError},
    testing::contract::fresh::{Fresh, at, create},
};

use super::dynamo::{Dynamo, Item, on_dynamo, text};

pub(super) fn n(number: u64) -> AttributeValue {
    N(number.to_string())
}

pub(super) fn s(text: impl Into<String>) -> AttributeValue {
    S(text.into())
}

pub(super) fn item<const LEN: usize>(attributes: [(&str, AttributeValue); LEN]) -> Item {
    attributes.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The row of a paid payment whose order service is still to be notified, as docs/architecture.md has it.
pub(super) fn paid_item(paid: &Payment) -> Item {
    item([
        ("pk", s(format!("pay#{}", paid.id))),
        ("sk", s("record")),
        ("id", n(paid.id.get())),
        ("uid", n(paid.uid.get())),
        ("oid", n(paid.oid.get())),
        ("amount", n(paid.amount.minor())),
        ("currency", s("EUR")),
        ("source", n(3)),
        ("status", n(1)),
        ("provider_txn", s("pi_1")),
        ("transaction", s("stripe#pi_1")),
        ("create_time", n(1_800_000_000_000)),
        ("update_time", n(1_800_000_000_010)),
        ("version", n(2)),
        ("paid_time", n(1_800_000_000_010)),
        ("queue", s(format!("sweep#{}", paid.id.get() % SWEEP_QUEUES))),
        ("due", n(1_800_000_060_010)),
        ("attempts", n(0)),
    ])
}

pub(super) async fn row(store: &Dynamo, pk: &str, sk: &str) -> Item {
    let rows = store.scan(None).await.into_iter();
    let mut rows = rows.filter(|row| row["pk"] == s(pk) && row["sk"] == s(sk));
    rows.next().unwrap()
}

#[test]
fn a_payment_has_the_documented_layout_at_every_stage() {
    on_dynamo(|store, fresh| async move {
        let pending = fresh.stored(&store.payments).await;
        let pk = format!("pay#{}", pending.id);
        let mut want = paid_item(&pending);
        for name in ["provider_txn", "transaction", "paid_time", "queue", "due", "attempts"] {
            want.remove(name);
        }
        want.extend(item([
            ("source", n(0)),
            ("status", n(0)),
            ("update_time", n(1_800_000_000_000)),
            ("version", n(1)),
        ]));
        assert_eq!(row(&store, &pk, "record").await, want);

        let paid = fresh.moved(&store.payments, &pending, Status::Paid).await;
        let mut want = paid_item(&paid);
        assert_eq!(row(&store, &pk, "record").await, want);

        store.payments.mark_notified(&paid, at(99), None).await.unwrap();
        for name in ["queue", "due", "attempts"] {
            want.remove(name);
        }
        want.insert("notified_time".to_owned(), n(1_800_000_000_099));
        assert_eq!(row(&store, &pk, "record").await, want);
    });
}

#[test]
fn a_payment_may_be_due_from_its_creation_on() {
    on_dynamo(|store, fresh| async move {
        let payment = fresh.due_after(300_000);
        create(&store.payments, &payment, None).await;
        let record = row(&store, &format!("pay#{}", payment.id), "record").await;
        let queue = format!("sweep#{}", payment.id.get() % SWEEP_QUEUES);
        for (name, value) in
            [("queue", s(queue)), ("due", n(1_800_000_300_000)), ("attempts", n(0))]
        {
            assert_eq!(record[name], value, "{name}");
        }
    });
}

#[test]
fn a_guard_has_the_documented_layout() {
    on_dynamo(|store, fresh| async move {
        let payment = fresh.payment();
        let key = fresh.digest();
        let guard = Guard::of(&payment, Some(key));
        store.payments.create(&payment, &guard, None).await.unwrap();
        let pk = format!("order#{}", payment.oid);
        let want = item([
            ("pk", s(pk.clone())),
            ("sk", s("guard")),
            ("payment", n(payment.id.get())),
            ("uid", n(payment.uid.get())),
            ("amount", n(payment.amount.minor())),
            ("key", s(key.to_string())),
        ]);
        assert_eq!(row(&store, &pk, "guard").await, want);
    });
}

#[test]
fn a_long_currency_of_a_notification_is_kept_in_part() {
    on_dynamo(|store, fresh| async move {
        let payment = fresh.payment();
        let mut event = fresh.event(&payment);
        event.report.currency = Some("é".repeat(500_000));
        store.payments.append(&event).await.unwrap();
        let rows = store.scan(None).await;
        assert_eq!(text(&rows[0], "currency"), Some("é".repeat(16)));
    });
}

#[test]
fn only_payments_are_in_the_indexes_of_orders_and_users() {
    on_dynamo(|store, fresh| async move {
        let closed = fresh.stored_as(&store.payments, Status::Closed).await;
        let paid = fresh.stored_as(&store.payments, Status::Paid).await;
        let quarantined = Event { verdict: Verdict::Quarantined, ..fresh.event(&closed) };
        let unmatched = Event { payment: None, ..quarantined.clone() };
        for event in [&quarantined, &unmatched] {
            store.payments.append(event).await.unwrap();
        }
        let rows = store.scan(None).await;
        assert_eq!(rows.len(), 8, "two payments, two guards, four events: {rows:?}");

        let keys = |rows: &[Item]| -> BTreeSet<_> {
            let key = |row| (text(row, "pk").unwrap(), text(row, "sk").unwrap());
            rows.iter().map(key).collect()
        };
        let records =
            [closed, paid].map(|payment| (format!("pay#{}", payment.id), "record".to_owned()));
        for index in ["oid-index", "uid-index"] {
            let listed = store.scan(Some(index)).await;
            assert_eq!(keys(&listed), records.clone().into(), "{index}");
        }
        let listed = store.scan(Some("due-index")).await;
        assert_eq!(listed.len(), 3, "one due payment, two quarantined events: {listed:?}");
    });
}

#[test]
fn a_malformed_row_is_a_fault_and_never_a_default() {
    on_dynamo(|store, fresh| async move {
        let good = fresh.stored_as(&store.payments, Status::Paid).await;
        let row = paid_item(&good);
        for name in row.keys().filter(|name| !["pk", "sk"].contains(&name.as_str())) {
            let mut without = row.clone();
            without.remove(name);
            assert!(is_fault(&store, &good, without).await, "without {name}");

            // An index key of another type is rejected by DynamoDB itself.
            if ["id", "oid", "uid", "queue", "due", "transaction"].contains(&name.as_str()) {
                continue;
            }
            let mut other_type = row.clone();
            let wrong = if row[name].is_n() { s("1") } else { n(1) };
            other_type.insert(name.clone(), wrong);
            assert!(is_fault(&store, &good, other_type).await, "{name} of another type");
        }
        for (name, value) in [
            ("amount", n(0)),
            ("amount", n(4_294_967_296)),
            ("amount", N("-1".to_owned())),
            ("amount", N("1.5".to_owned())),
            ("currency", s("EUX")),
            ("source", n(256)),
            ("status", n(5)),
            ("status", n(0)),
            ("version", n(0)),
            // Another row's id, also one of the same queue.
            ("id", n(good.id.get() + 1)),
            ("id", n(good.id.get() + SWEEP_QUEUES)),
            ("uid", n(1 << 63)),
            ("provider_txn", s("a b")),
            ("create_time", n(253_402_300_800_000)),
            ("queue", s("review")),
            ("queue", s("sweep#")),
            ("queue", s("sweep#x")),
            ("attempts", n(4_294_967_296)),
            ("transaction", s("stripe#pi_2")),
            ("refunded", n(1)),
            ("refunded", n(0)),
            ("refunds_sum", n(1)),
            ("refunds_total", n(1)),
            ("refunds_total", s("1")),
        ] {
            let mut wrong = row.clone();
            wrong.insert(name.to_owned(), value.clone());
            assert!(is_fault(&store, &good, wrong).await, "{name} = {value:?}");
        }
        // The number of queues may have been another one when the row was written.
        let queue = ("queue".to_owned(), s("sweep#4096"));
        let other_queue = row.clone().into_iter().chain([queue]).collect();
        let mut of_source_alone = row.clone();
        for name in ["provider_txn", "transaction"] {
            of_source_alone.remove(name);
        }
        for good_row in [other_queue, of_source_alone, row] {
            assert!(!is_fault(&store, &good, good_row).await);
        }
    });
}

async fn is_fault(store: &Dynamo, payment: &Payment, row: Item) -> bool {
    store.put(row).await;
    let found = store.payments.payment(payment.id).await;
    let listed = store.payments.list_by_user(payment.uid, None, 1).await;
    // A list has room for others; without an index key it is in no index.
    let listed = listed.unwrap();
    match (found, listed.payments.len()) {
        (Err(StoreError::Fault(cause)), 0) => {
            assert!(
                cause.to_string().starts_with(&format!("pay#{} record: ", payment.id)),
                "{cause}"
            );
            true
        }
        (Ok(Some(_)), 1) => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_index_entry_that_names_no_payment_takes_no_place_on_a_page() {
    on_dynamo(|store, fresh: Fresh| async move {
        let (uid, oid) = (fresh.user(), fresh.payment().oid);
        let mut own = Vec::new();
        for _ in 0..4 {
            let payment = fresh.payment_of(uid, fresh.payment().oid);
            create(&store.payments, &payment, None).await;
            own.insert(0, payment);
        }
        // Before, between and after them.
        for (pk, sk, id) in [
            ("pay#1", "copy", "9007199254740993"),
            ("pay#x", "record", "9007199254740990"),
            ("somebody", "else", "9007199254740989"),
            ("pay#77", "record", "1100.5"),
            ("pay#78", "record", "2"),
            ("pay#79", "record", "1.5"),
            ("pay#80", "record", "-1"),
        ] {
            let id = N(id.to_owned());
            let (uid, oid) = (n(uid.get()), n(oid.get()));
            store
                .put(item([("pk", s(pk)), ("sk", s(sk)), ("id", id), ("uid", uid), ("oid", oid)]))
                .await;
        }
        assert_eq!(store.scan(Some("uid-index")).await.len(), 11);
        for size in 1..=5 {
            let (mut found, mut cursor) = (Vec::new(), None);
            loop {
                let page = store.payments.list_by_user(uid, cursor, size).await.unwrap();
                assert!(page.cursor.is_none() || page.payments.len() == size, "{page:?}");
                found.extend(page.payments);
                cursor = page.cursor;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(found, own, "{size}");
        }
        assert_eq!(store.payments.newest_of_order(oid).await.unwrap(), None);
    });
}

#[test]
fn an_unreadable_event_keeps_its_key_and_stops_no_other() {
    on_dynamo(|store, fresh: Fresh| async move {
        let event = fresh.event(&fresh.stored(&store.payments).await);
        let payments = &store.payments;
        assert_eq!(payments.append(&event).await.unwrap(), Appended::Done);
        let mut rows = store.scan(None).await.into_iter();
        let mut row = rows.find(|row| row.contains_key("sha256")).unwrap();
        row.insert("sha256".to_owned(), s("short"));
        store.put(row.clone()).await;
        assert_eq!(payments.append(&event).await.unwrap(), Appended::KeyTaken(None));
        let beside = event.suffixed_by_body();
        assert_eq!(payments.append(&beside).await.unwrap(), Appended::Done);
        assert!(store.scan(None).await.contains(&row), "it stays as it is");
    });
}

#[test]
fn a_malformed_guard_is_a_fault_for_reads_and_writes() {
    on_dynamo(|store, fresh: Fresh| async move {
        let payment = fresh.payment();
        let good = item([
            ("pk", s(format!("order#{}", payment.oid))),
            ("sk", s("guard")),
            ("payment", n(7)),
            ("uid", n(7)),
            ("amount", n(7)),
        ]);
        let bad = [("payment", s("7")), ("payment", n(0)), ("amount", s("7")), ("key", s("short"))];
        for (name, value) in bad {
            let mut row = good.clone();
            row.insert(name.to_owned(), value);
            store.put(row).await;
            let read = store.payments.guard(payment.oid).await;
            assert!(matches!(read, Err(StoreError::Fault(_))), "{name}: {read:?}");
            let guard = Guard::of(&payment, None);
            let met = store.payments.create(&payment, &guard, None).await;
            assert!(matches!(met, Err(StoreError::Fault(_))), "{name}: {met:?}");
        }
        assert_eq!(store.payments.payment(payment.id).await.unwrap(), None);
    });
}
