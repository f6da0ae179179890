//! Refunds of money in quarantine.

use pay_core::domain::{Digest, PaymentId, RefundReference};
use serde_json::{Value, json};

use super::valid::{and, decided, decision, event, guard, key, one, paid, record, waiting, with};
use super::{T, of, row, tampered};
use crate::name::refund_key;

/// A payment that `pi_17` paid, and of which `pi_x` paid 99 as well.
const PAID: u64 = 17;
/// A payment that is pending: `pi_x` paid 99 of 100.
const PENDING: u64 = 18;

fn about(payment: u64) -> String {
    format!("{payment}/stripe/e2")
}

/// The key of the refund of that notification's money.
fn refund_digest() -> Digest {
    refund_key(&row(&json!({"source": 3, "provider_txn": "pi_x"})))
}

/// The id of that refund.
fn id(payment: u64) -> String {
    RefundReference::new(PaymentId::new(payment).unwrap(), refund_digest()).to_string()
}

fn status(of: u64) -> Value {
    json!({"status_before": of, "status_after": of})
}

/// The notification that was quarantined at this version, and the decision that reached the next one.
fn refunded(payment: u64, (at, version): (u64, u64)) -> [Value; 2] {
    let quarantined = json!({"provider_txn": "pi_x", "version": version});
    let made = key(&format!("pay#{payment}"), &about(payment));
    let made = and(quarantined, decided("refunded", &made));
    let noted = json!({"verdict": "noted", "version": version.saturating_add(1)});
    [
        event(payment, "e2", (at, at), version, and(waiting(at), made)),
        decision(&format!("pay#{payment}"), &about(payment), and(noted, status(at))),
    ]
}

/// The refund in a state that it reached at this time.
fn refund(payment: u64, state: &str, changed: u64) -> Value {
    json!({
        "pk": format!("pay#{payment}"), "sk": format!("refund#{}", id(payment)), "amount": 99,
        "source": 3, "provider_txn": "pi_x", "state": state, "key": refund_digest().to_string(),
        "quarantined": about(payment), "create_time": T + 9, "update_time": T.saturating_add(changed),
    })
}

/// What Stripe said became of the refund.
fn became(payment: u64, status: u64, state: &str, (verdict, version): (&str, u64)) -> Value {
    let report = and(one("re_1", 99, state, verdict), json!({"refund_reference": id(payment)}));
    let other = json!({"provider_txn": "pi_x", "amount": 99, "at": T.saturating_add(8).saturating_add(version)});
    event(payment, &format!("{state}.{verdict}"), (status, status), version, and(report, other))
}

/// What else Stripe said of that money, at this version.
fn again(payment: u64, name: &str, status: u64, (version, said): (u64, Value)) -> Value {
    let noted = json!({"provider_txn": "pi_x", "amount": 99, "verdict": "noted", "at": T + 20});
    event(payment, name, (status, status), version, and(noted, said))
}

fn due(payment: u64) -> Value {
    json!({"queue": format!("sweep#{payment}"), "due": T + 60_000, "attempts": 0})
}

/// A refund that succeeded, of a payment that is paid; one that was accepted, of one that is pending.
fn outside() -> Vec<Value> {
    let reference = |payment: u64| json!({"pk": format!("pay#{payment}"), "sk": "refund-ref#stripe#re_1", "refund": id(payment)});
    let named = json!({"provider_refund": "re_1", "reference": "kept"});
    let mut rows = vec![
        record(PAID, and(paid(PAID), json!({"version": 5, "update_time": T + 13}))),
        guard(117, PAID),
        event(PAID, "e1", (0, 1), 2, json!({})),
        became(PAID, 1, "pending", ("applied", 4)),
        became(PAID, 1, "succeeded", ("applied", 5)),
        became(PAID, 1, "succeeded", ("duplicate", 5)),
        again(PAID, "again", 1, (5, json!({"outcome": "paid"}))),
        again(PENDING, "again", 0, (3, json!({"outcome": "paid"}))),
        again(PENDING, "all.back", 0, (3, json!({"outcome": "refunded", "refunded": 99}))),
        with(refund(PAID, "succeeded", 13), named.clone()),
        reference(PAID),
        record(PENDING, and(json!({"version": 3, "update_time": T + 11}), due(PENDING))),
        guard(118, PENDING),
        became(PENDING, 0, "pending", ("applied", 3)),
        became(PENDING, 0, "pending", ("noted", 3)),
        with(refund(PENDING, "pending", 11), and(named, due(PENDING))),
        reference(PENDING),
    ];
    // The second look at a payment is when it was asked: five minutes after its creation.
    let pending = rows.iter_mut().find(|row| row["pk"] == "pay#18" && row["sk"] == "record");
    pending.unwrap()["due"] = json!(T + 300_000);
    rows.extend(refunded(PAID, (1, 2)));
    rows.extend(refunded(PENDING, (0, 1)));
    rows
}

fn requested() -> Vec<Value> {
    let item = format!("pay#{PENDING} refund#{}", id(PENDING));
    let rows = tampered(&outside(), &item, &json!({"provider_refund": null, "reference": null}));
    let rows = tampered(&rows, &item, &json!({"state": "requested", "update_time": T + 9}));
    let mut rows = tampered(
        &rows,
        &format!("pay#{PENDING} record"),
        &json!({"version": 2, "update_time": T + 9}),
    );
    for gone in [
        "event#stripe#pending.applied",
        "event#stripe#pending.noted",
        "event#stripe#again",
        "event#stripe#all.back",
        "refund-ref#stripe#re_1",
    ] {
        rows = tampered(&rows, &format!("pay#{PENDING} {gone}"), &Value::Null);
    }
    rows
}

#[test]
fn refunds_of_money_in_quarantine_as_the_code_writes_them_are_clean() {
    let found = of(&outside());
    assert_eq!(found.violations, []);
    assert_eq!((found.refunds, found.refund_references, found.quarantined), (2, 2, 0));
    assert_eq!(of(&requested()).violations, []);
}

/// Every edit of an item, and what is said of it.
#[rustfmt::skip]
fn tamperings() -> Vec<(String, Value, &'static str)> {
    let of = |payment: u64, sk: &str| format!("pay#{payment} {sk}");
    let refund = |payment| of(payment, &format!("refund#{}", id(payment)));
    let made = |payment| {
        let made = key(&format!("pay#{payment}"), &about(payment));
        of(payment, &format!("event#operator#{}", made.rsplit_once('/').unwrap().1))
    };
    let quarantined = |payment| of(payment, "event#stripe#e2");
    let applied = of(PAID, "event#stripe#succeeded.applied");
    let early = of(PENDING, "event#stripe#pending.applied");
    vec![
        (of(PAID, "record"), json!({"refunds_sum": 99, "refunded": 99}), "refunds_sum is not the sum of its"),
        (of(PAID, "record"), json!({"refund_pending": 99}), "refund_pending is not the sum of its"),
        (of(PENDING, "record"), json!({"refund_pending": 99}), "refund_pending is not the sum of its"),
        (of(PAID, "record"), json!({"provider_txn": "pi_x", "transaction": "stripe#pi_x"}), "another provider reference than its"),
        (refund(PAID), json!({"quarantined": null}), "taken from other money than paid its payment"),
        (refund(PAID), json!({"quarantined": null}), "the refund that it requested is missing"),
        (refund(PAID), json!({"quarantined": "17"}), "quarantined is no text, or none that"),
        (refund(PAID), json!({"provider_txn": "pi_y"}), "its key is not that of its transaction"),
        (refund(PAID), json!({"quarantined": "17/stripe/e1"}), "no decision gives that money back"),
        (refund(PAID), json!({"quarantined": about(PENDING)}), "a notification that is none about its payment"),
        (refund(PAID), json!({"quarantined": "17/operator/e2"}), "a notification that is none about its payment"),
        (refund(PAID), json!({"key": null}), "the money of a notification, and no key"),
        (refund(PAID), json!({"reason": "twice"}), "a reason, and its event has the note"),
        (refund(PAID), json!({"amount": 100}), "another amount than the money that is given back"),
        (refund(PAID), json!({"provider_txn": "pi_y"}), "taken from other money than is given back"),
        (refund(PAID), due(PAID), "due, and the order service does not hear of it"),
        (refund(PAID), Value::Null, "the refund that it requested is missing"),
        (refund(PENDING), json!({"state": "requested"}), "no event made it what it is"),
        (refund(PENDING), json!({"queue": null, "due": null, "attempts": null}), "and is not due"),
        (quarantined(PAID), json!({"decision": "dismissed"}), "the notification that it decides on is missing, or has another decision"),
        (quarantined(PAID), json!({"decision": "accepted"}), "the event of the decision on it is missing, or says something else"),
        (quarantined(PAID), Value::Null, "the notification that it decides on is missing"),
        (made(PAID), Value::Null, "no decision gives that money back"),
        (made(PAID), Value::Null, "no event reached version 3"),
        (made(PAID), json!({"verdict": "ignored"}), "the notification that it decides on is missing, or has another decision"),
        (made(PAID), json!({"verdict": "duplicate"}), "no verdict of a decision"),
        (made(PAID), json!({"amount": 98}), "another amount than the money that is given back"),
        (made(PAID), json!({"provider_txn": "pi_y"}), "taken from other money than is given back"),
        (made(PAID), json!({"outcome": "closed"}), "another verdict than the table has"),
        (made(PAID), json!({"status_after": 4}), "applied if and only if the status moved"),
        (made(PAID), json!({"mismatch": null, "expected": null, "received": null}), "a mismatch if and only if"),
        (made(PAID), json!({"about": null}), "about is missing"),
        (made(PAID), json!({"version": 2}), "a second event reached version 2"),
        (made(PENDING), json!({"at": T + 5}), "or has another decision"),
        (applied.clone(), json!({"amount": 100}), "another amount than its refund's, and not quarantined"),
        (applied.clone(), json!({"currency": "USD"}), "another currency than its record's, and not quarantined"),
        (applied.clone(), json!({"provider_txn": "pi_17"}), "another provider reference than its refund's"),
        (applied.clone(), json!({"status_after": 4}), "the status moved with other money than paid the payment"),
        (applied, json!({"refund_amount": 98}), "no event made it what it is"),
        (early.clone(), json!({"status_after": 1}), "the status moved with other money than paid the payment"),
        (early.clone(), json!({"refund_reference": "ours"}), "another verdict than the table has"),
        (early, json!({"refund_reference": format!("{PENDING}_0123456789abcdef")}), "no refund of other money is what it is about"),
        (of(PENDING, "event#stripe#pending.noted"), json!({"refund_reference": "ours", "provider_txn": "pi_y"}), "no refund of other money is what it is about"),
        (of(PAID, "event#stripe#again"), json!({"provider_txn": "pi_y"}), "no refund of other money is what it is about"),
        (of(PAID, "event#stripe#again"), json!({"provider_txn": null}), "another verdict than the table has"),
        (of(PENDING, "event#stripe#again"), json!({"amount": 98}), "another amount than its refund's, and not quarantined"),
        (of(PENDING, "event#stripe#again"), json!({"status_after": 1}), "applied if and only if the status moved"),
        (of(PENDING, "event#stripe#all.back"), json!({"provider_txn": "pi_y"}), "no refund of other money is what it is about"),
    ]
}

#[test]
fn every_tampering_with_a_refund_of_money_in_quarantine_is_reported() {
    let silent: Vec<String> = tamperings()
        .iter()
        .filter_map(|(item, edit, what)| {
            let found = of(&tampered(&outside(), item, edit)).violations;
            let named = found.iter().any(|violation| violation.what.contains(what));
            (!named).then(|| format!("{item} {edit}: {what}: {found:#?}"))
        })
        .collect();
    assert!(silent.is_empty(), "{} are silent: {}", silent.len(), silent.join("\n"));
}

/// A report about it that does not match is kept with what did not.
#[test]
fn a_mismatch_is_with_the_amount_of_the_refund() {
    let quarantined = |expected: &str, received: u64| {
        let waits = json!({
            "queue": "review", "due": T + 13, "mismatch": "amount", "expected": expected,
            "received": received.to_string(), "amount": received, "verdict": "quarantined",
        });
        let event = with(became(PAID, 1, "failed", ("quarantined", 5)), waits);
        of(&[outside(), vec![event]].concat()).violations
    };
    assert_eq!(quarantined("99", 98), []);
    for (expected, received) in [("99", 99), ("98", 97)] {
        let [found] = &quarantined(expected, received)[..] else { panic!("{expected}") };
        assert_eq!(found.what, "its mismatch in the amount is none, or of other amounts");
    }
}
