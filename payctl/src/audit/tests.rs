use pay_core::limits::SWEEP_QUEUES;
use serde_json::{Value, json};

use super::{Audit, Violation, audit};
use crate::Row;

fn row(value: &Value) -> Row {
    Row(value.as_object().unwrap().clone())
}

fn record(id: u64, oid: u64, status: u64, version: u64) -> Value {
    let mut record = json!({
        "pk": format!("pay#{id}"), "sk": "record", "id": id, "uid": 1, "oid": oid, "amount": 100,
        "currency": "CNY", "source": 0, "status": status, "version": version,
        "create_time": 1000, "update_time": 2000,
    });
    if status == 1 || status == 4 {
        record["source"] = json!(3);
        record["paid_time"] = json!(2000);
        record["notified_time"] = json!(2001);
    }
    record
}

fn guard(oid: u64, payment: u64) -> Value {
    json!({"pk": format!("order#{oid}"), "sk": "guard", "payment": payment, "uid": 1, "amount": 100})
}

fn applied(id: u64, version: u64, (before, after): (u64, u64), outcome: &str) -> Value {
    json!({
        "pk": format!("pay#{id}"), "sk": format!("event#stripe#evt_{version}"),
        "verdict": "applied", "status_before": before, "status_after": after,
        "version": version, "outcome": outcome,
    })
}

/// Order 5: a closed payment, and the paid one that replaced it.
fn good() -> Vec<Value> {
    vec![
        record(8, 5, 3, 2),
        applied(8, 2, (0, 3), "closed"),
        record(9, 5, 1, 3),
        applied(9, 2, (0, 2), "failed"),
        applied(9, 3, (2, 1), "paid"),
        json!({"pk": "pay#9", "sk": "event#stripe#evt_r", "verdict": "duplicate", "version": 3,
               "status_before": 1, "status_after": 1, "outcome": "paid"}),
        guard(5, 9),
        json!({"pk": "unmatched#stripe", "sk": "event#stripe#evt_s", "verdict": "quarantined",
               "queue": "review", "due": 1}),
    ]
}

fn of(rows: &[Value]) -> Audit {
    audit(&rows.iter().map(row).collect::<Vec<_>>())
}

#[test]
fn a_table_that_keeps_the_invariants_has_no_violation() {
    let found = of(&good());
    assert_eq!(found.violations, []);
    let Audit { payments, orders, events, quarantined, due, .. } = found;
    assert_eq!((payments, orders, events, quarantined, due), (2, 1, 5, 1, 0));
    let mut listed = good();
    listed[2].as_object_mut().unwrap().remove("notified_time");
    listed[2]["queue"] = json!("sweep#9");
    listed[2]["due"] = json!(3000);
    listed[2]["attempts"] = json!(0);
    // Any queue that the sweep reads: the number of queues may have changed since.
    for queue in ["sweep#9", "sweep#0", "sweep#31"] {
        listed[2]["queue"] = json!(queue);
        let found = of(&listed);
        assert_eq!((found.violations, found.due), (vec![], 1));
    }
    assert_eq!(of(&[]), Audit::default());
}

/// Asserts that a change of the good table is found as a violation of this invariant.
#[track_caller]
fn caught(invariant: &str, change: impl FnOnce(&mut Vec<Value>)) {
    let mut rows = good();
    change(&mut rows);
    let found = of(&rows).violations;
    assert!(found.iter().any(|violation| violation.invariant == invariant), "{found:?}");
}

#[test]
fn a_second_live_payment_or_a_guard_that_disagrees_is_found() {
    caught("I1", |rows| rows.push(record(10, 5, 0, 1)));
    caught("I1", |rows| rows[0]["status"] = json!(0));
    caught("I1", |rows| drop(rows.remove(6)));
    for (name, value) in [("payment", 8), ("payment", 77), ("uid", 2), ("amount", 99)] {
        caught("I1", |rows| rows[6][name] = json!(value));
    }
    caught("I1", |rows| rows.push(guard(6, 9)));
    caught("I1", |rows| rows.push(record(10, 6, 3, 1)));
}

#[test]
fn a_chain_with_a_gap_or_an_illegal_transition_is_found() {
    for gone in [1, 3, 4] {
        caught("I6", |rows| drop(rows.remove(gone)));
    }
    caught("I6", |rows| rows[2]["version"] = json!(2));
    caught("I6", |rows| rows[2]["version"] = json!(4));
    caught("I6", |rows| rows[2]["version"] = json!(u64::MAX));
    caught("I6", |rows| rows[2]["status"] = json!(4));
    caught("I6", |rows| rows[4]["outcome"] = json!("closed"));
    caught("I6", |rows| rows[4]["status_before"] = json!(0));
    caught("I6", |rows| rows[4]["status_after"] = json!(0));
    caught("I6", |rows| {
        let mut twice = applied(9, 3, (2, 1), "paid");
        twice["sk"] = json!("event#stripe#other");
        rows.push(twice);
    });
    // A record that moved, and no event at all.
    caught("I6", |rows| {
        rows.extend([record(10, 6, 1, 2), guard(6, 10)]);
    });
}

#[test]
fn a_paid_payment_that_is_neither_notified_nor_due_is_found() {
    caught("I8", |rows| drop(rows[2].as_object_mut().unwrap().remove("notified_time")));
}

#[test]
fn an_item_that_cannot_be_right_is_found() {
    for (name, value) in [
        ("id", json!(8)),
        ("uid", json!("1")),
        ("oid", json!(0)),
        ("amount", json!(4_294_967_296_u64)),
        ("source", json!(256)),
        ("status", json!(5)),
        ("version", json!(0)),
        ("currency", json!("cny")),
        ("update_time", json!(999)),
        ("queue", json!("sweep#9")),
        ("due", json!(3000)),
        ("attempts", json!(0)),
        ("paid_time", Value::Null),
    ] {
        caught("row", |rows| {
            let record = rows[2].as_object_mut().unwrap();
            if value.is_null() {
                record.remove(name);
            } else {
                record.insert(name.to_owned(), value);
            }
        });
    }
    for (name, value) in [
        ("source", json!(3)),
        ("provider_txn", json!("pi_1")),
        ("notified_time", json!(2000)),
        ("paid_time", json!(2000)),
        ("queue", json!("sweep#8")),
    ] {
        caught("row", |rows| rows[0][name] = value);
    }
    caught("row", |rows| rows.push(json!({"pk": "pay#x", "sk": "record"})));
    caught("row", |rows| rows.push(json!({"pk": "other", "sk": "record"})));
    caught("row", |rows| rows.push(applied(77, 2, (0, 1), "paid")));
    caught("row", |rows| rows[5]["queue"] = json!("sweep#1"));
}

#[test]
fn a_due_payment_that_no_sweep_finds_is_found() {
    let beyond = format!("sweep#{SWEEP_QUEUES}");
    for (queue, what) in [
        (beyond.as_str(), "in a queue above those that the sweep reads"),
        ("sweep#18446744073709551616", "in a queue above those that the sweep reads"),
        ("sweep#", "in a queue that is not one of the sweep"),
        ("sweep#x", "in a queue that is not one of the sweep"),
        ("review", "in a queue that is not one of the sweep"),
    ] {
        let mut rows = good();
        rows[2].as_object_mut().unwrap().remove("notified_time");
        rows[2]["queue"] = json!(queue);
        rows[2]["due"] = json!(3000);
        rows[2]["attempts"] = json!(0);
        let found = of(&rows).violations;
        let [Violation { invariant: "row", what: found, .. }] = found.as_slice() else {
            panic!("{queue}: {found:?}");
        };
        assert_eq!(found, what, "{queue}");
    }
}
