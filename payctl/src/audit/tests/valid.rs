//! A table as the code writes it, with every kind of item in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_core::domain::{PaymentId, Timestamp};
use pay_service::http::sha256;
use serde_json::{Value, json};

use super::T;

/// The members of `more` in place of those of `base`; `null` takes one away.
pub(super) fn with(mut base: Value, more: Value) -> Value {
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
pub(super) fn and(mut base: Value, more: Value) -> Value {
    let (Some(members), Value::Object(more)) = (base.as_object_mut(), more) else { panic!() };
    members.extend(more);
    base
}

/// The record of payment `id` of order `id` + 100, just created.
pub(super) fn record(id: u64, more: Value) -> Value {
    let pending = json!({
        "pk": format!("pay#{id}"), "sk": "record", "id": id, "uid": 1, "oid": id.saturating_add(100),
        "amount": 100, "currency": "CNY", "source": 0, "status": 0, "version": 1,
        "create_time": T, "update_time": T,
    });
    with(pending, more)
}

pub(super) fn guard(oid: u64, payment: u64) -> Value {
    json!({"pk": format!("order#{oid}"), "sk": "guard", "payment": payment, "uid": 1, "amount": 100})
}

/// An event of Stripe's under a payment, which reached a version with a move between two statuses.
pub(super) fn event(
    id: u64,
    name: &str,
    (before, after): (u64, u64),
    version: u64,
    more: Value,
) -> Value {
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
pub(super) fn waiting(status: u64) -> Value {
    json!({
        "verdict": "quarantined", "amount": 99, "mismatch": "amount", "expected": "100",
        "received": "99", "status_before": status, "status_after": status, "outcome": "paid",
        "queue": "review", "due": T + 1,
    })
}

/// What makes a quarantined event one that Ada decided on.
pub(super) fn decided(decision: &str, event: &str) -> Value {
    json!({
        "queue": null, "due": null, "decision": decision, "decided_by": "ada",
        "decided_time": T + 9, "decision_event": event,
    })
}

/// Ada's decision on a notification.
pub(super) fn decision(pk: &str, about: &str, more: Value) -> Value {
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

pub(super) fn key(pk: &str, about: &str) -> String {
    let made = decision(pk, about, json!({}));
    let id = pk.strip_prefix("pay#").unwrap_or("unmatched");
    let name = made["sk"].as_str().unwrap().strip_prefix("event#operator#").unwrap();
    format!("{id}/operator/{name}")
}

/// What a record has that was paid by version 2 and is notified to the order service.
pub(super) fn paid(id: u64) -> Value {
    json!({
        "status": 1, "version": 2, "update_time": T + 2, "paid_time": T + 2,
        "notified_time": T + 2, "source": 3, "provider_txn": format!("pi_{id}"),
        "transaction": format!("stripe#pi_{id}"),
    })
}

/// What a record has of which everything went back, by a total.
pub(super) fn refunded() -> Value {
    json!({"status": 4, "refunds_total": 100, "refunded": 100})
}

/// A refund of Stripe's under a payment, which was made and reached its state at these times.
pub(super) fn refund(
    id: u64,
    name: &str,
    (amount, state): (u64, &str),
    (made, changed): (u64, u64),
) -> [Value; 2] {
    let pk = format!("pay#{id}");
    let item = json!({
        "pk": pk, "sk": format!("refund#stripe.{name}"), "amount": amount, "source": 3,
        "provider_txn": format!("pi_{id}"), "provider_refund": name, "reference": "ours",
        "state": state, "create_time": T.saturating_add(made), "update_time": T.saturating_add(changed),
    });
    let reference = json!({
        "pk": pk, "sk": format!("refund-ref#stripe#{name}"), "refund": format!("stripe.{name}"),
    });
    [item, reference]
}

/// What a total of a payment's refunds added.
pub(super) fn total(id: u64, of: u64, amount: u64, at: u64) -> Value {
    json!({
        "pk": format!("pay#{id}"), "sk": format!("refund#total-{of}"), "amount": amount, "source": 3,
        "provider_txn": format!("pi_{id}"), "state": "succeeded", "create_time": T.saturating_add(at),
        "update_time": T.saturating_add(at),
    })
}

/// What an event has that reports one refund.
pub(super) fn one(name: &str, amount: u64, state: &str, verdict: &str) -> Value {
    json!({
        "outcome": "refunded", "verdict": verdict, "refund": name, "refund_amount": amount,
        "refund_state": state, "refund_reference": "ours",
    })
}

/// What an event has that reports a refund of a payment that was not paid yet.
fn listed_early() -> Value {
    let waiting = and(waiting(0), one("re_1", 25, "pending", "quarantined"));
    and(waiting, json!({"amount": null, "received": null}))
}

/// An id that our own code made.
pub(super) fn generated() -> u64 {
    PaymentId::generate(Timestamp::from_millis(T).unwrap(), 77).get()
}

/// A table as the code writes it, with every kind of item in it.
pub(super) fn valid() -> Vec<Value> {
    [plain(), with_decisions(), with_refunds()].concat()
}

/// Payments in every status.
pub(super) fn plain() -> Vec<Value> {
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
        event(2, "e5", (1, 1), 3, one("re_1", 5, "pending", "noted")),
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
        record(4, and(paid(4), and(refunded(), json!({"version": 3, "update_time": T + 3})))),
        event(4, "e1", (0, 1), 2, json!({})),
        event(4, "e2", (1, 4), 3, json!({})),
        total(4, 100, 100, 3),
        guard(104, 4),
        record(
            5,
            and(
                refunded(),
                json!({"version": 2, "update_time": T + 2, "source": 3,
            "provider_txn": "pi_5", "transaction": "stripe#pi_5"}),
            ),
        ),
        event(5, "e1", (0, 4), 2, json!({"refunded": 100})),
        total(5, 100, 100, 2),
        guard(105, 5),
        // Made by our own code; a native notification without currency, under a key with a suffix.
        record(
            generated,
            and(
                paid(6),
                json!({"oid": 106, "source": 0, "provider_txn": null,
            "transaction": null}),
            ),
        ),
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
pub(super) fn with_decisions() -> Vec<Value> {
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
            "notified_time": T + 10, "provider_txn": "pi_x", "transaction": "stripe#pi_x"}),
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

/// Payments of which a part went back, and one that waits from its creation on.
pub(super) fn with_refunds() -> Vec<Value> {
    let of_total = |total: u64, verdict: &str| json!({"outcome": "refunded", "refunded": total, "verdict": verdict});
    let rows = vec![
        // One by one, of which the second failed after all; then a total that knows more.
        record(
            11,
            and(
                paid(11),
                json!({"version": 6, "update_time": T + 6, "refunds_sum": 25, "refunds_total": 70,
            "refunded": 70}),
            ),
        ),
        event(11, "e1", (0, 1), 2, json!({})),
        event(
            11,
            "e2",
            (1, 1),
            3,
            and(one("re_1", 25, "succeeded", "applied"), json!({"amount": null})),
        ),
        event(11, "e3", (1, 1), 4, one("re_2", 30, "succeeded", "applied")),
        event(11, "e4", (1, 1), 5, one("re_2", 30, "failed", "applied")),
        event(11, "e5", (1, 1), 6, of_total(70, "applied")),
        event(11, "e6", (1, 1), 6, one("re_1", 25, "succeeded", "duplicate")),
        event(11, "e7", (1, 1), 6, of_total(50, "stale")),
        total(11, 70, 45, 6),
        guard(111, 11),
        // Not paid yet: the sweep queries the provider.
        record(12, json!({"queue": "sweep#12", "due": T + 300_000, "attempts": 0})),
        event(
            12,
            "query.absent",
            (0, 0),
            1,
            json!({"verdict": "ignored", "outcome": null, "amount": null, "currency": null,
            "provider_txn": null}),
        ),
        event(12, "query.paid.pi_12#amount", (0, 0), 1, waiting(0)),
        guard(112, 12),
        // A refund that was listed when it was not known yet what paid the payment.
        event(13, "query.pending.re_1#amount", (0, 0), 1, listed_early()),
        // That a refund of it is pending was the first that was heard of it.
        record(13, paid(13)),
        event(13, "e1", (0, 1), 2, one("re_1", 25, "pending", "applied")),
        guard(113, 13),
        // The same of a total of nothing yet.
        record(15, paid(15)),
        event(15, "e1", (0, 1), 2, of_total(0, "applied")),
        guard(115, 15),
        // All of it went back in two parts, of which the first proved that it was paid.
        record(
            14,
            and(
                paid(14),
                json!({"version": 3, "update_time": T + 3, "status": 4, "refunds_sum": 100,
            "refunded": 100}),
            ),
        ),
        event(14, "e1", (0, 1), 2, one("re_1", 60, "succeeded", "applied")),
        event(14, "e2", (1, 4), 3, one("re_2", 40, "succeeded", "applied")),
        guard(114, 14),
    ];
    let refunds = [
        refund(11, "re_1", (25, "succeeded"), (3, 3)),
        refund(11, "re_2", (30, "failed"), (4, 5)),
        refund(14, "re_1", (60, "succeeded"), (2, 2)),
        refund(14, "re_2", (40, "succeeded"), (3, 3)),
    ];
    rows.into_iter().chain(refunds.into_iter().flatten()).collect()
}

pub(super) fn unmatched(name: &str, more: Value) -> Value {
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
