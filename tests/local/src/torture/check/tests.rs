mod checkouts;
mod given_back;
mod held;
mod refunds;

use pay_core::domain::{Provider, RefundState};
use pay_service::http::sha256;
use serde_json::{Value, json};

use super::check;
use crate::simulator::ledger::{Trade, TradeRefund, TradeState};
use crate::simulator::{Tracked, TrackedRefund};
use crate::torture::world::{Create, CreateResponse, Facts, Sent};
use crate::{OrderPaidCall, OrderRefundedCall};
use payctl::Row;

/// An order whose closed payment was replaced by one that failed, then was paid and notified. A part of it went
/// back twice at its provider, and the second webhook of that was lost.
struct Sound {
    items: Vec<Value>,
    facts: Facts,
    calls: Vec<OrderPaidCall>,
}

const OUTCOMES: [&str; 4] = ["", "paid", "failed", "closed"];

fn record(id: u64, status: u64, version: u64) -> Value {
    json!({
        "pk": format!("pay#{id}"), "sk": "record", "id": id, "uid": 1, "oid": 5, "amount": 100,
        "currency": "CNY", "source": 0, "status": status, "version": version,
        "create_time": 1, "update_time": version,
    })
}

fn event(id: u64, name: &str, verdict: &str, (before, after): (u64, u64), version: u64) -> Value {
    json!({
        "pk": format!("pay#{id}"), "sk": format!("event#stripe#{name}"), "verdict": verdict,
        "status_before": before, "status_after": after, "version": version, "at": version,
        "outcome": OUTCOMES[usize::try_from(after).unwrap()], "sender": "stripe", "source": 3,
        "amount": 100, "currency": "CNY", "sha256": sha256(&[b""]).to_string(), "len": 0,
        "body": {"B": ""},
    })
}

fn create(key: Option<&str>, response: CreateResponse) -> Create {
    Create { uid: 1, oid: 5, amount: 100, key: key.map(str::to_owned), response }
}

fn sent(id: &str, genuine: bool, kept: bool) -> Sent {
    let sender = Some(Provider::Stripe);
    Sent { sender, id: id.to_owned(), payment: 8, body: Vec::new(), genuine, kept }
}

fn sound() -> Sound {
    let mut paid = record(8, 1, 5);
    paid["paid_time"] = json!(3);
    paid["notified_time"] = json!(4);
    paid["source"] = json!(3);
    paid["provider_txn"] = json!("pi_8");
    paid["transaction"] = json!("stripe#pi_8");
    paid["refunds_sum"] = json!(30);
    paid["refunded"] = json!(30);
    let mut refunded = event(8, "refunded", "applied", (1, 1), 5);
    for (name, value) in [("outcome", json!("refunded")), ("refund", json!("re_1"))] {
        refunded[name] = value;
    }
    for (name, value) in [("refund_amount", json!(30)), ("refund_state", json!("succeeded"))] {
        refunded[name] = value;
    }
    refunded["provider_txn"] = json!("pi_8");
    let refund = json!({
        "pk": "pay#8", "sk": "refund#stripe.re_1", "amount": 30, "source": 3, "provider_txn": "pi_8",
        "provider_refund": "re_1", "state": "succeeded", "create_time": 5, "update_time": 5,
    });
    let reference = json!({"pk": "pay#8", "sk": "refund-ref#stripe#re_1", "refund": "stripe.re_1"});
    let mut completed = event(8, "completed", "duplicate", (1, 1), 4);
    completed["provider_txn"] = json!("pi_8");
    let guard = json!({"pk": "order#5", "sk": "guard", "payment": 8, "uid": 1, "amount": 100});
    Sound {
        items: vec![
            record(7, 3, 2),
            event(7, "closed", "applied", (0, 3), 2),
            paid,
            event(8, "failed", "applied", (0, 2), 2),
            event(8, "again", "duplicate", (2, 2), 2),
            event(8, "paid", "applied", (2, 1), 3),
            completed,
            guard,
            refunded,
            refund,
            reference,
        ],
        facts: Facts {
            creates: vec![
                create(Some("a"), CreateResponse::Created(7)),
                create(Some("a"), CreateResponse::Replayed(7)),
                create(None, CreateResponse::Created(8)),
                create(Some("c"), CreateResponse::Exists(Some(8))),
                create(None, CreateResponse::Unknown),
            ],
            messages: vec![sent("paid", true, true), sent("none", false, false)],
            trades: vec![(Provider::Stripe, trade())],
            webhooks: vec![
                webhook("paid", None, true),
                webhook("refunded", Some(("re_1", 30)), true),
                webhook("lost", Some(("re_2", 50)), false),
            ],
            refund_calls: vec![order_refunded(30, "stripe.re_1", true)],
            ..Facts::default()
        },
        calls: [true, false].map(order_paid).to_vec(),
    }
}

/// The payment 8 at its provider.
fn trade() -> Trade {
    let refund = |id, amount| TradeRefund::in_console(id, amount, RefundState::Succeeded, 1);
    let refunds = vec![refund("re_1", 30), refund("re_2", 20)];
    let trade = Trade::new(8, "pi_8".to_owned(), 100, 1);
    Trade { state: TradeState::Paid, refunds, ..trade }
}

fn webhook(id: &str, refund: Option<(&str, u64)>, acknowledged: bool) -> (Provider, Tracked) {
    let refund =
        refund.map(|(id, total)| TrackedRefund { id: id.to_owned(), is_back: true, total });
    let (id, transaction) = (id.to_owned(), "pi_8".to_owned());
    (Provider::Stripe, Tracked { id, payment: 8, transaction, refund, acknowledged })
}

fn order_paid(counted: bool) -> OrderPaidCall {
    OrderPaidCall { oid: 5, pay_id: Some(8), amount: Some(100), key: Some("8".to_owned()), counted }
}

fn order_refunded(amount: u64, id: &str, counted: bool) -> OrderRefundedCall {
    OrderRefundedCall {
        oid: 5,
        pay_id: Some(8),
        refund_id: Some(id.to_owned()),
        amount: Some(amount),
        refunded: Some(amount),
        key: Some(id.to_owned()),
        counted,
    }
}

fn found(damage: impl FnOnce(&mut Sound)) -> Vec<String> {
    let mut stage = sound();
    damage(&mut stage);
    let rows = stage.items.iter().map(|item| Row(item.as_object().unwrap().clone()));
    let found = check(&rows.collect::<Vec<_>>(), &stage.facts, &stage.calls);
    let one = |found: payctl::audit::Violation| {
        format!("{} {}: {}", found.invariant, found.item, found.what)
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
fn a_sound_table_has_no_violation() {
    assert_eq!(found(|_| {}), [""; 0]);
}

#[test]
fn every_fault_of_the_table_is_found() {
    // The first is one of those that the table alone shows: the audit has tests of its own.
    assert_named(&[
        ("I1 order#5 guard: payments, and no guard", |stage| drop(stage.items.remove(GUARD))),
        ("I3 payment 8: ", |stage| stage.items[PAID]["uid"] = json!(2)),
        ("I4 order 5: payment 7 does not exist", |stage| drop(stage.items.remove(CLOSED))),
        ("I4 pay#8 event#stripe#paid: acknowledged, and not in the log", |stage| {
            drop(stage.items.remove(MOVED));
        }),
        ("I9 order 5: 8 is still due", |stage| {
            stage.items[PAID]["queue"] = json!("sweep#8");
        }),
    ]);
}

#[test]
fn every_wrong_response_is_found() {
    assert_named(&[
        ("I2 payment 8: created twice", |stage| {
            stage.facts.creates.push(create(None, CreateResponse::Created(8)));
        }),
        ("I2 order 6: payment 8 is not its payment", |stage| stage.facts.creates[2].oid = 6),
        ("I2 order 5: payment 7 is not its payment", |stage| {
            stage.items[CLOSED]["status"] = json!(0);
        }),
        ("I4 order 5: payment 9 does not exist", |stage| {
            stage.facts.creates.push(create(None, CreateResponse::Exists(Some(9))));
        }),
        ("I5 order 5: payment-exists without the payment", |stage| {
            stage.facts.creates.push(create(None, CreateResponse::Exists(None)));
        }),
        ("I5 order 5: a create was rejected: order-paid", |stage| {
            stage
                .facts
                .creates
                .push(create(None, CreateResponse::Rejected("order-paid".to_owned())));
        }),
        ("I11 pay#8 event#stripe#again: not signed, and in the log", |stage| {
            stage.facts.messages.push(sent("again", false, false));
        }),
    ]);
}

#[test]
fn every_wrong_order_notification_is_found() {
    assert_named(&[
        ("I7 order 5: notified of 7, which was never paid", |stage| {
            stage.calls[1].pay_id = Some(7);
        }),
        ("I7 order 6: notified of 8, which is not for it", |stage| stage.calls[1].oid = 6),
        ("I7 order 5: notified of 8, which is not for it", |stage| stage.calls[1].amount = Some(1)),
        ("I10 order 5: notified of 8 with the key Some(\"x\")", |stage| {
            stage.calls[1].key = Some("x".to_owned());
        }),
        ("I10 order 5: paid by each of [8, 8]", |stage| stage.calls[1].counted = true),
        ("I9 order 5: does not know that 8 paid it", |stage| stage.calls.clear()),
    ]);
}
