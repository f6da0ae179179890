use pay_providers::PaymentProvider;
use serde_json::{Value, json};

use super::check;
use crate::Telling;
use crate::audit::Row;
use crate::torture::world::{Create, Facts, Heard, Sent};

/// An order with a closed payment that was replaced by one which failed, was paid and told.
struct Sound {
    items: Vec<Value>,
    facts: Facts,
    tellings: Vec<Telling>,
}

const OUTCOMES: [&str; 4] = ["", "paid", "failed", "closed"];

fn record(id: u64, status: u64, version: u64) -> Value {
    json!({
        "pk": format!("pay#{id}"), "sk": "record", "id": id, "uid": 1, "oid": 5, "amount": 100,
        "currency": "CNY", "source": 0, "status": status, "version": version,
        "create_time": 1, "update_time": 2,
    })
}

fn event(id: u64, name: &str, verdict: &str, (before, after): (u64, u64), version: u64) -> Value {
    json!({
        "pk": format!("pay#{id}"), "sk": format!("event#stripe#{name}"), "verdict": verdict,
        "status_before": before, "status_after": after, "version": version,
        "outcome": OUTCOMES[usize::try_from(after).unwrap()],
    })
}

fn create(key: Option<&str>, heard: Heard) -> Create {
    Create { uid: 1, oid: 5, amount: 100, key: key.map(str::to_owned), heard }
}

fn sent(id: &str, genuine: bool, kept: bool) -> Sent {
    let sender = Some(PaymentProvider::Stripe);
    Sent { sender, id: id.to_owned(), payment: 8, body: Vec::new(), genuine, kept }
}

fn sound() -> Sound {
    let mut paid = record(8, 1, 4);
    paid["paid_time"] = json!(3);
    paid["told_at"] = json!(4);
    paid["source"] = json!(3);
    let guard = json!({"pk": "order#5", "sk": "guard", "payment": 8, "uid": 1, "amount": 100});
    Sound {
        items: vec![
            record(7, 3, 2),
            event(7, "closed", "applied", (0, 3), 2),
            paid,
            event(8, "failed", "applied", (0, 2), 2),
            event(8, "again", "repeat", (2, 2), 2),
            event(8, "paid", "applied", (2, 1), 3),
            event(8, "taught", "repeat", (1, 1), 4),
            guard,
        ],
        facts: Facts {
            creates: vec![
                create(Some("a"), Heard::Created(7)),
                create(Some("a"), Heard::Replayed(7)),
                create(None, Heard::Created(8)),
                create(Some("c"), Heard::Exists(Some(8))),
                create(None, Heard::Unknown),
            ],
            messages: vec![sent("paid", true, true), sent("none", false, false)],
        },
        tellings: [true, false].map(telling).to_vec(),
    }
}

fn telling(counted: bool) -> Telling {
    Telling { oid: 5, pay_id: Some(8), amount: Some(100), key: Some("8".to_owned()), counted }
}

fn found(damage: impl FnOnce(&mut Sound)) -> Vec<String> {
    let mut stage = sound();
    damage(&mut stage);
    let rows = stage.items.iter().map(|item| Row(item.as_object().unwrap().clone()));
    let found = check(&rows.collect::<Vec<_>>(), &stage.facts, &stage.tellings);
    let one = |found: crate::audit::Violation| {
        format!("{} {}: {}", found.promise, found.item, found.what)
    };
    found.into_iter().map(one).collect()
}

type Damage = fn(&mut Sound);

fn assert_named(table: &[(&str, Damage)]) {
    for (name, damage) in table {
        let found = found(damage);
        assert!(found.iter().any(|found| found.starts_with(name)), "{name}: {found:?}");
    }
}

const CLOSED: usize = 0;
const PAID: usize = 2;
const MOVED: usize = 5;
const GUARD: usize = 7;

#[test]
fn what_is_sound_breaks_nothing() {
    assert_eq!(found(|_| {}), [""; 0]);
}

#[test]
fn whatever_is_wrong_with_the_table_is_named() {
    // What it shows by itself has tests with the audit.
    assert_named(&[
        ("I1 order#5 guard: payments, and no guard", |stage| drop(stage.items.remove(GUARD))),
        ("I6 pay#8 record: ", |stage| stage.items[PAID]["version"] = json!(3)),
        ("I6 pay#8 record: ", |stage| drop(stage.items.remove(MOVED))),
        ("I8 pay#8 record: ", |stage| {
            drop(stage.items[PAID].as_object_mut().unwrap().remove("told_at"));
        }),
        ("I3 payment 8: ", |stage| stage.items[PAID]["uid"] = json!(2)),
        ("I4 order 5: payment 7 is not there", |stage| drop(stage.items.remove(CLOSED))),
        ("I4 pay#8 event#stripe#paid: taken, and lost", |stage| drop(stage.items.remove(MOVED))),
        ("I9 order 5: is still to be told of 8", |stage| {
            stage.items[PAID]["work"] = json!("order#0");
        }),
    ]);
}

#[test]
fn whatever_callers_heard_wrongly_is_named() {
    assert_named(&[
        ("I2 payment 8: answered as new twice", |stage| {
            stage.facts.creates.push(create(None, Heard::Created(8)));
        }),
        ("I2 order 6: payment 8 is not its payment", |stage| stage.facts.creates[2].oid = 6),
        ("I2 order 5: payment 7 is not its payment", |stage| {
            stage.items[CLOSED]["status"] = json!(0);
        }),
        ("I4 order 5: payment 9 is not there", |stage| {
            stage.facts.creates.push(create(None, Heard::Exists(Some(9))));
        }),
        ("I5 order 5: a refusal named no payment", |stage| {
            stage.facts.creates.push(create(None, Heard::Exists(None)));
        }),
        ("I5 order 5: a create was refused: order-paid", |stage| {
            stage.facts.creates.push(create(None, Heard::Refused("order-paid".to_owned())));
        }),
        ("I11 pay#8 event#stripe#again: not signed, and kept", |stage| {
            stage.facts.messages.push(sent("again", false, false));
        }),
    ]);
}

#[test]
fn whatever_the_shop_was_told_wrongly_is_named() {
    assert_named(&[
        ("I7 order 5: told of 7, which was never paid", |stage| stage.tellings[1].pay_id = Some(7)),
        ("I7 order 6: told of 8, which is not for it", |stage| stage.tellings[1].oid = 6),
        ("I7 order 5: told of 8, which is not for it", |stage| stage.tellings[1].amount = Some(1)),
        ("I10 order 5: told of 8 under the key Some(\"x\")", |stage| {
            stage.tellings[1].key = Some("x".to_owned());
        }),
        ("I10 order 5: paid by each of [8, 8]", |stage| stage.tellings[1].counted = true),
        ("I9 order 5: does not know that 8 paid it", |stage| stage.tellings.clear()),
    ]);
}
