//! Refunds that we were asked for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_core::domain::{Digest, PaymentId, RefundReference};
use pay_service::http::sha256;
use serde_json::{Value, json};

use super::valid::{and, event, guard, one, paid, record, with};
use super::{HOUR, NOW, T, of, tampered};

const PAYMENT: u64 = 16;

fn key(name: &str) -> Digest {
    sha256(&[name.as_bytes()])
}

/// The id of the refund that was requested with this key.
fn id(name: &str) -> String {
    RefundReference::new(PaymentId::new(PAYMENT).unwrap(), key(name)).to_string()
}

/// A refund that was requested by version `made`, and reached its state by version `changed`.
fn refund(name: &str, (amount, state): (u64, &str), (made, changed): (u64, u64)) -> Value {
    json!({
        "pk": format!("pay#{PAYMENT}"), "sk": format!("refund#{}", id(name)), "amount": amount,
        "source": 3, "provider_txn": format!("pi_{PAYMENT}"), "state": state,
        "key": key(name).to_string(), "create_time": T.saturating_add(made),
        "update_time": T.saturating_add(changed),
    })
}

/// What a refund has that is due.
fn due() -> Value {
    json!({"queue": "sweep#16", "due": T + 60_000, "attempts": 0})
}

/// The event of a reservation.
fn reserved(name: &str, sender: &str, version: u64) -> Value {
    with(
        event(PAYMENT, name, (1, 1), version, json!({})),
        json!({
            "sk": format!("event#{sender}#refund.{}", id(name)), "sender": sender,
            "verdict": "noted", "source": 0, "provider_txn": null, "amount": null,
            "currency": null, "outcome": null,
        }),
    )
}

/// The event of what Stripe said became of a refund.
fn became(name: &str, refund: &str, (amount, state): (u64, &str), version: u64) -> Value {
    let applied = and(one(refund, amount, state, "applied"), json!({"refund_reference": id(name)}));
    event(PAYMENT, &format!("{name}.{state}"), (1, 1), version, applied)
}

/// What a provider's id stands for.
fn reference(provider_refund: &str, name: &str) -> Value {
    json!({
        "pk": format!("pay#{PAYMENT}"), "sk": format!("refund-ref#stripe#{provider_refund}"),
        "refund": id(name),
    })
}

/// A payment with a refund in each state.
fn requested() -> Vec<Value> {
    let made = json!({"version": 10, "update_time": T + 10, "refunds_sum": 25, "refunded": 25,
        "refund_pending": 50});
    let named = |id: &str| json!({"provider_refund": id, "reference": "kept"});
    vec![
        record(PAYMENT, and(paid(PAYMENT), made)),
        guard(116, PAYMENT),
        event(PAYMENT, "e1", (0, 1), 2, json!({})),
        // Accepted, then succeeded; the order service is to be notified.
        reserved("a", "native", 3),
        became("a", "re_a", (25, "pending"), 4),
        became("a", "re_a", (25, "succeeded"), 5),
        with(refund("a", (25, "succeeded"), (3, 5)), and(named("re_a"), due())),
        reference("re_a", "a"),
        // Refused: its provider has no id of it.
        reserved("b", "operator", 6),
        became("b", &id("b"), (10, "failed"), 7),
        refund("b", (10, "failed"), (6, 7)),
        // Accepted.
        reserved("c", "native", 8),
        became("c", "re_c", (20, "pending"), 9),
        with(refund("c", (20, "pending"), (8, 9)), and(named("re_c"), due())),
        reference("re_c", "c"),
        // Nothing is known of it.
        reserved("d", "operator", 10),
        with(refund("d", (30, "requested"), (10, 10)), and(due(), json!({"reason": "broken"}))),
    ]
}

#[test]
fn refunds_as_the_code_reserves_and_resolves_them_are_clean() {
    let found = of(&requested());
    assert_eq!(found.violations, []);
    assert_eq!((found.refunds, found.refund_references, found.due), (4, 2, 3));
    // An event whose key was taken has the version as suffix.
    let (sk, suffixed) = (
        format!("event#operator#refund.{}", id("d")),
        json!({"sk": format!("event#operator#refund.{}#10", id("d"))}),
    );
    let rows = tampered(&requested(), &format!("pay#16 {sk}"), &suffixed);
    assert_eq!(of(&rows).violations, []);
}

#[rustfmt::skip]
fn tamperings() -> Vec<(String, Value, &'static str)> {
    let refund = |name: &str| format!("pay#16 refund#{}", id(name));
    let reservation = |name: &str, sender: &str| format!("pay#16 event#{sender}#refund.{}", id(name));
    let record = || "pay#16 record".to_owned();
    vec![
        (record(), json!({"refund_pending": 49}), "refund_pending is not the sum of its refunds that"),
        (record(), json!({"refund_pending": null}), "refund_pending is not the sum of its refunds that"),
        (record(), json!({"refund_pending": 0}), "refund_pending is no whole number, or out of range"),
        (record(), json!({"refunds_sum": 55, "refunded": 55}), "refunds_sum is not the sum of its"),
        (refund("a"), json!({"key": null}), "its id is not that of the provider's"),
        (refund("a"), json!({"key": key("b").to_string()}), "its id is not that of its key"),
        (refund("a"), json!({"key": "short"}), "key is no text, or none that this attribute has"),
        (refund("a"), json!({"provider_refund": "re_9"}), "no reference stands for it"),
        (refund("a"), json!({"state": "requested"}), "no event made it what it is"),
        (refund("a"), json!({"state": "failed"}), "due, and failed"),
        (refund("a"), json!({"due": NOW + HOUR}), "due later than any attempt is put"),
        (refund("b"), json!({"state": "succeeded"}), "refunds_sum is not the sum of its refunds"),
        (refund("b"), json!({"amount": 11}), "no event made it what it is"),
        (refund("b"), Value::Null, "the refund that it reserved is missing"),
        (refund("b"), Value::Null, "the refund that it counted is missing"),
        (refund("c"), json!({"queue": null, "due": null, "attempts": null}), "and is not due"),
        (refund("c"), json!({"due": null}), "queue without due, or due without queue"),
        (refund("c"), json!({"attempts": null}), "queue without attempts, or attempts without queue"),
        (refund("c"), json!({"queue": "sweep#016"}), "in a queue above those that the sweep reads"),
        (refund("c"), json!({"due": NOW + 2 * HOUR}), "due later than any attempt is put"),
        (refund("c"), json!({"state": "failed"}), "refund_pending is not the sum of its refunds that"),
        (refund("d"), json!({"reason": "a\tb"}), "reason is no text, or none that this attribute has"),
        (refund("d"), json!({"key": null}), "requested without a key"),
        (refund("d"), json!({"key": null}), "a reason, and no key"),
        (refund("d"), json!({"update_time": T + 9}), "no event made it what it is"),
        (refund("d"), json!({"create_time": T - 1}), "requested more than an hour ago"),
        (refund("d"), Value::Null, "the refund that it reserved is missing"),
        (reservation("d", "operator"), Value::Null, "no event made it what it is"),
        (reservation("d", "operator"), Value::Null, "no event reached version 10"),
        (reservation("d", "operator"), json!({"version": 9}), "a second event reached version 9"),
        (reservation("d", "operator"), json!({"status_before": 0, "status_after": 0}), "that is not paid"),
        (reservation("d", "operator"), json!({"outcome": "paid"}), "another verdict than the table has"),
        (reservation("d", "operator"), json!({"verdict": "ignored"}), "about is missing"),
        (reservation("d", "operator"), json!({"by": "ada"}), "no item of ours has the attribute by here"),
        (reservation("a", "native"), json!({"sk": "event#native#refund.17_0123456789abcdef"}), "a refund of another payment"),
        (reservation("a", "native"), json!({"sk": format!("event#native#refund.{}#9", id("a"))}), "its suffix is no version"),
        ("pay#16 event#stripe#c.pending".to_owned(), json!({"refund": "re_9", "refund_reference": "ours"}), "the refund that it counted is missing"),
        ("pay#16 event#stripe#c.pending".to_owned(), json!({"refund_reference": "ours"}), "another verdict than the table has"),
    ]
}

#[test]
fn every_tampering_with_a_requested_refund_is_reported() {
    let silent: Vec<String> = tamperings()
        .iter()
        .filter_map(|(item, edit, what)| {
            let found = of(&tampered(&requested(), item, edit)).violations;
            let named = found.iter().any(|violation| violation.what.contains(what));
            (!named).then(|| format!("{item} {edit}: {what}: {found:#?}"))
        })
        .collect();
    assert!(silent.is_empty(), "{} are silent: {}", silent.len(), silent.join("\n"));
}

/// What an operator wrote down before a function was called.
fn intention(about: &str) -> Value {
    let note = b"the payer asked twice";
    let word = about.split(' ').next().unwrap();
    with(
        event(PAYMENT, "x", (1, 1), 10, json!({})),
        json!({
            "sk": format!("event#operator#action.{word}.0a1b2c3d4e5f6071"), "sender": "operator",
            "verdict": "noted", "source": 0, "provider_txn": null, "amount": null, "currency": null,
            "outcome": null, "by": "ada", "about": about, "len": note.len(),
            "sha256": sha256(&[note]).to_string(), "body": {"B": BASE64.encode(note)},
        }),
    )
}

#[test]
fn what_an_operator_had_done_is_no_change_and_says_who_and_what() {
    let refund = format!("refund {} 30", id("d"));
    let all = ["query", "sweep", "close", &refund].map(intention);
    let rows = [requested(), all.to_vec()].concat();
    assert_eq!(of(&rows).violations, []);
    let close = "pay#16 event#operator#action.close.0a1b2c3d4e5f6071";
    for (edit, what) in [
        (json!({"by": null}), "by is missing"),
        (json!({"about": null}), "about is missing"),
        (json!({"about": "sweep"}), "its event id says that something else was intended"),
        (json!({"about": "closes"}), "about is no text, or none that this attribute has"),
        (json!({"sk": "event#operator#action.close.1"}), "its event id says that something else"),
        (json!({"status_after": 4}), "an intention, and the status moved"),
        (json!({"version": 11}), "an event reached version 11, the record has 10"),
        (json!({"len": 0, "body": {"B": ""}}), "the body is no note of a decision"),
        (json!({"status_before": 0, "status_after": 0}), "its status is not the record's"),
    ] {
        let found = of(&tampered(&rows, close, &edit)).violations;
        let named = found.iter().any(|violation| violation.what.contains(what));
        assert!(named, "{edit}: {what}: {found:#?}");
    }
}
