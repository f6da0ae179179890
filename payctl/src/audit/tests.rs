mod tampered;

use std::cell::Cell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_core::domain::{PaymentId, Timestamp};
use pay_service::http::sha256;
use serde_json::{Value, json};

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

/// The members of `more` in place of those of `base`; `null` takes one away.
fn with(mut base: Value, more: Value) -> Value {
    let (Some(members), Value::Object(more)) = (base.as_object_mut(), more) else { panic!() };
    for (name, value) in more {
        if value.is_null() {
            members.remove(&name)
        } else {
            members.insert(name, value)
        };
    }
    base
}

/// Both edits, the second where both have a member.
fn and(mut base: Value, more: Value) -> Value {
    let (Some(members), Value::Object(more)) = (base.as_object_mut(), more) else { panic!() };
    members.extend(more);
    base
}

/// The record of payment `id` of order `id` + 100, just created.
fn record(id: u64, more: Value) -> Value {
    let pending = json!({
        "pk": format!("pay#{id}"), "sk": "record", "id": id, "uid": 1, "oid": id.saturating_add(100),
        "amount": 100, "currency": "CNY", "source": 0, "status": 0, "version": 1,
        "create_time": T, "update_time": T,
    });
    with(pending, more)
}

fn guard(oid: u64, payment: u64) -> Value {
    json!({"pk": format!("order#{oid}"), "sk": "guard", "payment": payment, "uid": 1, "amount": 100})
}

/// An event of Stripe's under a payment, which reached a version with a move between two statuses.
fn event(id: u64, name: &str, (before, after): (u64, u64), version: u64, more: Value) -> Value {
    let outcomes = ["", "paid", "failed", "closed", "refunded"];
    let body = format!("{id} {name}");
    let moved = json!({
        "pk": format!("pay#{id}"), "sk": format!("event#stripe#{name}"), "at": T.saturating_add(version),
        "sender": "stripe", "verdict": "applied", "source": 3, "provider_txn": format!("pi_{id}"),
        "amount": 100, "currency": "CNY", "status_before": before, "status_after": after,
        "version": version, "outcome": outcomes[usize::try_from(after).unwrap()],
        "sha256": sha256(&[body.as_bytes()]).to_string(), "len": body.len(),
        "body": {"B": BASE64.encode(&body)},
    });
    with(moved, more)
}

/// What makes an event one that waits for a person.
fn waiting(status: u64) -> Value {
    json!({
        "verdict": "quarantined", "amount": 99, "mismatch": "amount", "expected": "100",
        "received": "99", "status_before": status, "status_after": status, "outcome": "paid",
        "queue": "review", "due": T + 1,
    })
}

/// What makes a quarantined event one that Ada decided on.
fn decided(decision: &str, event: &str) -> Value {
    json!({
        "queue": null, "due": null, "decision": decision, "decided_by": "ada",
        "decided_time": T + 9, "decision_event": event,
    })
}

/// Ada's decision on a notification.
fn decision(pk: &str, about: &str, more: Value) -> Value {
    let note = "seen";
    let sha = sha256(&[note.as_bytes()]).to_string();
    let named = about.splitn(3, '/').skip(1).collect::<Vec<_>>().join(".");
    let ignored = json!({
        "pk": pk, "sk": format!("event#operator#{named}.{}", sha.get(..8).unwrap()), "at": T + 9,
        "sender": "operator", "verdict": "ignored", "source": 3, "provider_txn": "pi_x",
        "amount": 99, "currency": "CNY", "outcome": "paid", "by": "ada", "about": about,
        "mismatch": "amount", "expected": "100", "received": "99",
        "sha256": sha, "len": 4, "body": {"B": BASE64.encode(note)},
    });
    with(ignored, more)
}

fn key(pk: &str, about: &str) -> String {
    let made = decision(pk, about, json!({}));
    let id = pk.strip_prefix("pay#").unwrap_or("unmatched");
    let name = made["sk"].as_str().unwrap().strip_prefix("event#operator#").unwrap();
    format!("{id}/operator/{name}")
}

/// What a record has that was paid by version 2 and is settled with the order service.
fn paid(id: u64) -> Value {
    json!({
        "status": 1, "version": 2, "update_time": T + 2, "paid_time": T + 2,
        "notified_time": T + 2, "source": 3, "provider_txn": format!("pi_{id}"),
    })
}

/// An id that our own code made.
fn generated() -> u64 {
    PaymentId::generate(Timestamp::from_millis(T).unwrap(), 77).get()
}

/// A table as the code writes it, with every kind of item in it.
fn valid() -> Vec<Value> {
    [plain(), with_decisions()].concat()
}

/// Payments in every status.
fn plain() -> Vec<Value> {
    let same = |status: u64, outcome: &str, verdict: &str| {
        json!({"status_before": status, "status_after": status, "outcome": outcome,
               "verdict": verdict})
    };
    let generated = generated();
    vec![
        // Order 101: a closed payment, and the one that replaced it: failed, paid, and what came after.
        record(1, json!({"status": 3, "version": 2, "update_time": T + 2})),
        event(1, "e1", (0, 3), 2, json!({})),
        record(
            2,
            and(
                paid(2),
                json!({"oid": 101, "version": 3, "update_time": T + 3, "paid_time": T + 3}),
            ),
        ),
        event(2, "e1", (0, 2), 2, json!({})),
        event(2, "e2", (2, 1), 3, json!({})),
        event(2, "e3", (1, 1), 3, and(same(1, "paid", "duplicate"), json!({"at": T + 5}))),
        event(2, "e4", (1, 1), 3, same(1, "failed", "stale")),
        event(2, "e5", (1, 1), 3, same(1, "partly-refunded", "noted")),
        event(2, "e6", (1, 1), 3, and(same(1, "", "ignored"), json!({"outcome": null}))),
        with(guard(101, 2), json!({"key": sha256(&[b"key"]).to_string()})),
        // Paid without a transaction, which a duplicate completed; still due.
        record(
            3,
            and(
                paid(3),
                json!({"version": 3, "update_time": T + 3, "notified_time": null,
            "queue": "sweep#3", "due": T + 60_002, "attempts": 0}),
            ),
        ),
        event(3, "e1", (0, 1), 2, json!({"provider_txn": null})),
        event(3, "e2", (1, 1), 3, same(1, "paid", "duplicate")),
        guard(103, 3),
        // Refunded after it was paid; and one whose refund was the first that was heard of it.
        record(4, and(paid(4), json!({"status": 4, "version": 3, "update_time": T + 3}))),
        event(4, "e1", (0, 1), 2, json!({})),
        event(4, "e2", (1, 4), 3, json!({})),
        guard(104, 4),
        record(
            5,
            json!({"status": 4, "version": 2, "update_time": T + 2, "source": 3,
            "provider_txn": "pi_5"}),
        ),
        event(5, "e1", (0, 4), 2, json!({})),
        guard(105, 5),
        // Made by our own code; a native notification without currency, under a key with a suffix.
        record(generated, and(paid(6), json!({"oid": 106, "source": 0, "provider_txn": null}))),
        with(
            event(
                generated,
                "e1",
                (0, 1),
                2,
                json!({"currency": null, "source": 0,
            "provider_txn": null, "sender": "native"}),
            ),
            json!({"sk": "event#native#e1#2"}),
        ),
        guard(106, generated),
    ]
}

/// Notifications that wait for a person, and those that a person decided on.
fn with_decisions() -> Vec<Value> {
    let dismissed = key("pay#8", "8/stripe/e1");
    let accepted = key("pay#9", "9/stripe/e1");
    let (lost, odd) = ("unmatched/stripe/u2", "unmatched/stripe/u3");
    vec![
        // A notification that waits, one that was dismissed and one that was accepted.
        record(7, json!({})),
        event(7, "e1", (0, 0), 1, waiting(0)),
        guard(107, 7),
        record(8, json!({})),
        event(8, "e1", (0, 0), 1, and(waiting(0), decided("dismissed", &dismissed))),
        decision(
            "pay#8",
            "8/stripe/e1",
            json!({"status_before": 0, "status_after": 0, "version": 1}),
        ),
        guard(108, 8),
        record(
            9,
            and(
                paid(9),
                json!({"update_time": T + 9, "paid_time": T + 9,
            "notified_time": T + 10, "provider_txn": "pi_x"}),
            ),
        ),
        event(9, "e1", (0, 0), 1, and(waiting(0), decided("accepted", &accepted))),
        decision(
            "pay#9",
            "9/stripe/e1",
            json!({"verdict": "applied", "amount": 100, "mismatch": null,
            "expected": null, "received": null, "status_before": 0, "status_after": 1, "version": 2}),
        ),
        guard(109, 9),
        // Unmatched: one that waits, one that was accepted onto payment 10, one that was dismissed.
        unmatched("u1", json!({})),
        unmatched("u2", decided("accepted", &key("pay#10", lost))),
        record(
            10,
            and(
                paid(10),
                json!({"update_time": T + 9, "paid_time": T + 9,
            "notified_time": T + 10}),
            ),
        ),
        decision(
            "pay#10",
            lost,
            json!({"verdict": "applied", "amount": 100, "mismatch": null,
            "expected": null, "received": null, "status_before": 0, "status_after": 1, "version": 2,
            "provider_txn": "pi_10"}),
        ),
        guard(110, 10),
        unmatched("u3", decided("dismissed", &key("unmatched#operator", odd))),
        decision("unmatched#operator", odd, json!({})),
    ]
}

fn unmatched(name: &str, more: Value) -> Value {
    let lost = event(
        0,
        name,
        (0, 0),
        1,
        and(
            waiting(0),
            json!({"pk": "unmatched#stripe",
        "status_before": null, "status_after": null, "version": null, "mismatch": "payment",
        "expected": null, "received": null}),
        ),
    );
    with(lost, more)
}

fn of(rows: &[Value]) -> Audit {
    audit_rows(&rows.iter().map(row).collect::<Vec<_>>(), now()).unwrap()
}

#[test]
fn a_table_as_the_code_writes_it_is_clean() {
    let found = of(&valid());
    assert_eq!(found.violations, []);
    let Audit { payments, orders, events, quarantined, due, .. } = found;
    assert_eq!((payments, orders, events, quarantined, due), (10, 9, 23, 2, 1));
    assert_eq!(of(&[]), Audit::default());
    // Any queue that the sweep reads: the number of queues may have changed since.
    for queue in ["sweep#0", "sweep#31"] {
        let rows = tampered(&valid(), "pay#3 record", &json!({ "queue": queue }));
        assert_eq!(of(&rows).violations, [], "{queue}");
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
        audit(&table, now(), |_| {}).now_or_never().unwrap().unwrap()
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
        ("pay#7 record", json!({"oid": 108})),
        ("order#104 guard", json!({"payment": 77})),
        ("pay#8 event#stripe#e1", decided("accepted", "8/operator/x")),
    ] {
        let first_seen: Vec<Row> = tampered(&valid(), item, &before).iter().map(row).collect();
        assert_eq!(audited(&rows, first_seen).violations, [], "{item}");
    }
}
