mod checkouts;
mod outside;
mod requested;
mod tampered;
mod valid;

use std::cell::Cell;

use pay_core::domain::Timestamp;
use serde_json::{Value, json};

use self::valid::{decided, decision, event, guard, record, refund, total, unmatched, valid, with};
use super::table::Items;
use super::*;

/// When the items were written, and when they are audited.
const T: u64 = 1_800_000_000_000;
const NOW: u64 = T + 3_600_000;
const HOUR: u64 = 3_600_000;

fn now() -> Timestamp {
    Timestamp::from_millis(NOW).unwrap()
}

fn row(value: &Value) -> Row {
    Row(value.as_object().unwrap().clone())
}

fn of(rows: &[Value]) -> Audit {
    audit_rows(&rows.iter().map(row).collect::<Vec<_>>(), now()).unwrap()
}

#[test]
fn a_table_as_the_code_writes_it_is_clean() {
    let found = of(&valid());
    assert_eq!(found.violations, []);
    let Audit { payments, orders, events, quarantined, due, .. } = found;
    assert_eq!((payments, orders, events, quarantined, due), (15, 14, 37, 4, 2));
    assert_eq!((found.refunds, found.refund_references), (7, 4));
    assert_eq!(found.items(), valid().len());
    assert_eq!(of(&[]), Audit::default());
    // Any queue that the sweep reads: the number of queues may have changed since.
    for queue in ["sweep#0", "sweep#31"] {
        let rows = tampered(&valid(), "pay#3 record", &json!({ "queue": queue }));
        assert_eq!(of(&rows).violations, [], "{queue}");
    }
}

/// A payment of a deployment whose payments can be paid for ten minutes; it is audited an hour after it was created.
#[test]
fn a_payment_that_should_be_closed_by_now_is_reported_where_the_time_to_live_is_said() {
    let found = |more: Value, time_to_live: Option<u64>| {
        let rows = [row(&record(20, more)), row(&guard(120, 20))];
        let time_to_live = time_to_live.map(|seconds| TimeToLive::new(seconds).unwrap());
        // Half an hour later than the other tests.
        let at = Timestamp::from_millis(NOW + HOUR / 2).unwrap();
        let items = Items::new(&rows);
        let audited = audit(&items, (at, time_to_live), |_| {}).now_or_never();
        let found = audited.unwrap().unwrap().violations;
        let found = found.into_iter().map(|one| one.what);
        found.filter(|what| what.contains("time to live")).collect::<Vec<_>>()
    };
    let what = "its time to live is long over, and it is neither closed nor being closed";
    for (more, time_to_live, want) in [
        (json!({}), None, &[][..]),
        (json!({}), Some(600), &[what]),
        (json!({"status": 2}), Some(600), &[what]),
        // Within the hour that the sweep has.
        (json!({}), Some(1800), &[]),
        (json!({}), Some(1799), &[what]),
    ] {
        assert_eq!(found(more.clone(), time_to_live), want, "{more} {time_to_live:?}");
    }
    for no_more in [json!({"closing": true}), json!({"status": 1}), json!({"status": 3})] {
        assert!(found(no_more.clone(), Some(600)).is_empty(), "{no_more}");
    }
}

/// The table with another item: `null` in place of an attribute takes it away, and of an item all.
fn tampered(rows: &[Value], item: &str, more: &Value) -> Vec<Value> {
    let is_it = |row: &&Value| {
        format!("{} {}", row["pk"].as_str().unwrap(), row["sk"].as_str().unwrap()) == item
    };
    assert_eq!(rows.iter().filter(is_it).count(), 1, "{item}");
    let edited = |row: &Value| {
        if is_it(&row) && more.is_null() {
            return None;
        }
        Some(if is_it(&row) { with(row.clone(), more.clone()) } else { row.clone() })
    };
    rows.iter().filter_map(edited).collect()
}

#[test]
fn an_item_too_many_is_reported() {
    for (item, what) in [
        (record(20, json!({"oid": 101})), "payment 20 is live, and the guard names 2"),
        (record(20, json!({})), "payments, and no guard that names one"),
        (guard(120, 2), "names a payment of another order"),
        (guard(120, 77), "names a payment that does not exist"),
        (json!({"pk": "pay#x", "sk": "record"}), "a key that no item of ours has"),
        (json!({"pk": "other", "sk": "record"}), "a key that no item of ours has"),
        (event(2, "e7", (2, 1), 3, json!({})), "a second event reached version 3"),
        (event(77, "e1", (0, 1), 2, json!({})), "an event of a payment that has no record"),
        (total(77, 5, 5, 2), "a refund of a payment that has no record"),
        (refund(77, "re_1", (5, "failed"), (2, 2))[1].clone(), "a refund of a payment that has no"),
        (refund(11, "re_3", (5, "failed"), (2, 2))[0].clone(), "no reference stands for it"),
        (refund(11, "re_3", (5, "failed"), (2, 2))[0].clone(), "no event made it what it is"),
        (refund(11, "re_3", (5, "failed"), (2, 2))[1].clone(), "it stands for no refund that has"),
        (total(11, 90, 20, 7), "refunds_total is not the highest total of its refunds"),
        (json!({"pk": "pay#11", "sk": "refund#a#b"}), "a key that no item of ours has"),
        (json!({"pk": "pay#11", "sk": "refund-ref#paypal#a"}), "a key that no item of ours has"),
        (json!({"pk": "order#111", "sk": "refund#total-5"}), "a key that no item of ours has"),
        (unmatched("u4", decided("accepted", "2/operator/x")), "the event of the decision on it"),
        (
            decision(
                "pay#7",
                "7/stripe/e1",
                json!({"status_before": 0, "status_after": 0, "version": 1}),
            ),
            "the notification that it decides on is missing, or has another decision",
        ),
    ] {
        let mut rows = valid();
        rows.push(item.clone());
        let found = of(&rows).violations;
        assert!(found.iter().any(|violation| violation.what.contains(what)), "{item}: {found:#?}");
    }
}

/// A table whose items come one by one, in an order in which no partition is together; the first
/// look at some of them is at another moment than the second.
struct Scattered<'a> {
    items: Items<'a>,
    rows: Vec<Row>,
    pages: Cell<usize>,
}

impl Audited for Scattered<'_> {
    async fn page(&self, after: Option<Key>) -> Result<(Vec<Row>, Option<Key>)> {
        let at = self.pages.get();
        assert_eq!(after.is_some(), at > 0);
        self.pages.set(at.saturating_add(1));
        let row = self.rows[at].clone();
        let next = (self.pages.get() < self.rows.len())
            .then(|| (row.text("pk").into(), row.text("sk").into()));
        Ok((vec![row], next))
    }

    async fn partition(&self, pk: &str) -> Result<Vec<Row>> {
        self.items.partition(pk).await
    }

    async fn batch(&self, keys: &[Key]) -> Result<Vec<Row>> {
        self.items.batch(keys).await
    }
}

#[test]
fn the_order_of_the_items_and_writes_meanwhile_change_nothing() {
    let audited = |rows: &[Row], first_seen: Vec<Row>| {
        let table = Scattered { items: Items::new(rows), rows: first_seen, pages: Cell::new(0) };
        audit(&table, (now(), None), |_| {}).now_or_never().unwrap().unwrap()
    };
    let scattered = |rows: &[Value]| {
        let rows: Vec<Row> = rows.iter().map(row).collect();
        // Every seventh, then every seventh after the first, …
        let order = (0..7).flat_map(|start| rows.iter().skip(start).step_by(7).cloned());
        (rows.clone(), order.collect::<Vec<_>>())
    };
    let (rows, order) = scattered(&valid());
    assert_eq!(audited(&rows, order).violations, []);
    let broken = tampered(&valid(), "pay#2 event#stripe#e3", &json!({"amount": 7}));
    let (rows, order) = scattered(&broken);
    let found = audited(&rows, order).violations;
    let [Violation { item, .. }] = &found[..] else { panic!("{found:#?}") };
    assert_eq!(item, "pay#2 event#stripe#e3");
    // Every item is seen as it was before a write, and is well when it is read again.
    let (rows, _) = scattered(&valid());
    for (item, before) in [
        ("pay#2 record", json!({"status": 2, "version": 2, "paid_time": null})),
        ("pay#11 refund#stripe.re_2", json!({"state": "succeeded", "update_time": T + 4})),
        ("pay#11 record", json!({"refunds_sum": 55})),
        ("pay#7 record", json!({"oid": 108})),
        ("order#104 guard", json!({"payment": 77})),
        ("pay#8 event#stripe#e1", decided("accepted", "8/operator/x")),
    ] {
        let first_seen: Vec<Row> = tampered(&valid(), item, &before).iter().map(row).collect();
        assert_eq!(audited(&rows, first_seen).violations, [], "{item}");
    }
}
