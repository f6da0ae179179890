use pay::webhooks::PaymentProvider;
use serde_json::{Value, json};

use super::check;
use crate::Telling;
use crate::torture::world::{Create, Facts, Heard, Sent};

/// An order with a closed payment that was replaced by one which failed, was paid and told.
struct Sound {
    items: Vec<Value>,
    facts: Facts,
    tellings: Vec<Telling>,
}

fn record(id: u64, status: u64, version: u64) -> Value {
    json!({
        "pk": format!("pay#{id}"), "sk": "record", "id": id, "uid": 1, "oid": 5, "amount": 100,
        "status": status, "version": version,
    })
}

fn event(id: u64, name: &str, verdict: &str, (before, after): (u64, u64), version: u64) -> Value {
    json!({
        "pk": format!("pay#{id}"), "sk": format!("event#stripe#{name}"), "verdict": verdict,
        "status_before": before, "status_after": after, "version": version,
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
    let found = check(&stage.items, &stage.facts, &stage.tellings);
    let found = found.into_iter().map(|found| format!("{}: {}", found.invariant, found.what));
    found.collect()
}

const CLOSED: usize = 0;
const PAID: usize = 2;
const AGAIN: usize = 4;
const MOVED: usize = 5;
const GUARD: usize = 7;

#[test]
fn what_is_sound_breaks_nothing() {
    assert_eq!(found(|_| {}), [""; 0]);
}

#[test]
fn whatever_is_wrong_with_the_table_is_named() {
    type Damage = fn(&mut Sound);
    let table: [(&str, Damage); 16] = [
        ("I1: payment 8 of order 5 has no guard", |stage| drop(stage.items.remove(GUARD))),
        ("I1: payment 8 of order 5 is live beside 7", |stage| {
            stage.items[GUARD]["payment"] = json!(7)
        }),
        ("I1: payment 7 of order 5 is live beside 8", |stage| {
            stage.items[CLOSED]["status"] = json!(0)
        }),
        ("I1: the guard of order 5 and payment 8 differ", |stage| {
            stage.items[GUARD]["amount"] = json!(1)
        }),
        ("I1: the guard of order 5 names no payment", |stage| {
            stage.items[GUARD]["payment"] = json!(9)
        }),
        ("I3: pay#8 record cannot be read", |stage| stage.items[PAID]["status"] = json!("paid")),
        ("I3: payment 8 is not as it was asked for", |stage| stage.items[PAID]["uid"] = json!(2)),
        ("I4: payment 7 of order 5 is not there", |stage| drop(stage.items.remove(CLOSED))),
        ("I4: message event#stripe#paid was taken and is lost", |stage| {
            drop(stage.items.remove(MOVED))
        }),
        ("I6: payment 8: it has version 3, the log has {1, 2, 3, 4}", |stage| {
            stage.items[PAID]["version"] = json!(3)
        }),
        ("I6: payment 8: it has version 4, the log has {1, 2, 4}", |stage| {
            drop(stage.items.remove(MOVED))
        }),
        ("I6: payment 8: it is Failed, the log ends in Paid", |stage| {
            stage.items[PAID]["status"] = json!(2)
        }),
        ("I6: payment 8: event#stripe#paid moved it from Paid to Failed", |stage| {
            stage.items[MOVED] = event(8, "paid", "applied", (1, 2), 3);
        }),
        ("I6: payment 8: two events made version 2", |stage| {
            stage.items[AGAIN]["verdict"] = json!("applied")
        }),
        ("I8: payment 8 is paid, not told and not listed", |stage| {
            stage.items[PAID]["told_at"] = json!(null)
        }),
        ("I9: payment 8 is still to be told", |stage| stage.items[PAID]["work"] = json!("order#0")),
    ];
    for (name, damage) in table {
        let found = found(damage);
        assert!(found.iter().any(|found| found.starts_with(name)), "{name}: {found:?}");
    }
}

#[test]
fn whatever_callers_heard_wrongly_is_named() {
    type Damage = fn(&mut Sound);
    let table: [(&str, Damage); 10] = [
        ("I2: payment 8 was answered as new twice", |stage| {
            stage.facts.creates.push(create(None, Heard::Created(8)));
        }),
        ("I2: payment 8 is not the one of order 6", |stage| stage.facts.creates[2].oid = 6),
        ("I4: payment 9 of order 5 is not there", |stage| {
            stage.facts.creates.push(create(None, Heard::Exists(Some(9))));
        }),
        ("I5: a refusal named no payment of order 5", |stage| {
            stage.facts.creates.push(create(None, Heard::Exists(None)));
        }),
        ("I5: a create of order 5 was refused: order-paid", |stage| {
            stage.facts.creates.push(create(None, Heard::Refused("order-paid".to_owned())));
        }),
        ("I7: order 5 was told of Some(7), which was never paid", |stage| {
            stage.tellings[1].pay_id = Some(7)
        }),
        ("I7: order 6 was told of payment 8, which is another's", |stage| {
            stage.tellings[1].oid = 6
        }),
        ("I10: payment 8 was told under the key Some(\"x\")", |stage| {
            stage.tellings[1].key = Some("x".to_owned())
        }),
        ("I10: order 5 was paid by [8, 8]", |stage| stage.tellings[1].counted = true),
        ("I11: message event#stripe#again is not signed, and is kept", |stage| {
            stage.facts.messages.push(sent("again", false, false));
        }),
    ];
    for (name, damage) in table {
        let found = found(damage);
        assert!(found.iter().any(|found| found.starts_with(name)), "{name}: {found:?}");
    }
    let untold = found(|stage| stage.tellings.clear());
    assert_eq!(untold, ["I9: order 5 does not know that 8 paid it"]);
}
