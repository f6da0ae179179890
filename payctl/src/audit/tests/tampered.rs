//! Tamperings, each an edit of one item of the valid table.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_core::limits::SWEEP_QUEUES;
use pay_service::http::sha256;
use serde_json::{Value, json};

use super::valid::{generated, key, valid};
use super::{HOUR, NOW, T, of, tampered};

/// An item, an edit of it, and what the audit says.
type Tampering = (String, Value, &'static str);

fn list(rows: &[(&str, Value, &'static str)]) -> Vec<Tampering> {
    rows.iter().map(|(item, edit, what)| ((*item).to_owned(), edit.clone(), *what)).collect()
}

/// A record by itself.
#[rustfmt::skip]
fn records() -> Vec<Tampering> {
    let generated = &format!("pay#{} record", generated());
    list(&[
        ("pay#2 record", json!({"id": 8}), "id is no whole number, or out of range"),
        ("pay#2 record", json!({"uid": "1"}), "uid is no whole number"),
        ("pay#2 record", json!({"uid": 2}), "has another uid than its payment"),
        ("pay#2 record", json!({"oid": 0}), "oid is no whole number, or out of range"),
        ("pay#2 record", json!({"oid": 104}), "payment 2 is live, and the guard names 4"),
        ("pay#2 record", json!({"oid": 999}), "payments, and no guard that names one"),
        ("pay#2 record", json!({"amount": 4_294_967_296_u64}), "amount is no whole number, or out of"),
        ("pay#2 record", json!({"amount": {"N": "1.5"}}), "amount is no whole number, or out of range"),
        ("pay#2 record", json!({"amount": 101}), "another amount than its record's"),
        ("pay#2 record", json!({"amount": null}), "amount is missing"),
        ("pay#2 record", json!({"currency": "cny"}), "currency is no text, or none"),
        ("pay#2 record", json!({"currency": "USD"}), "another currency than its record's"),
        ("pay#2 record", json!({"source": 256}), "source is no whole number, or out of range"),
        ("pay#2 record", json!({"source": 2}), "another provider reference than its events report"),
        ("pay#2 record", json!({"provider_txn": "pi_x"}), "another provider reference than its"),
        ("pay#2 record", json!({"provider_txn": null}), "another provider reference than its events"),
        ("pay#2 record", json!({"transaction": null}), "transaction is not that of source and"),
        ("pay#2 record", json!({"transaction": "stripe#pi_3"}), "transaction is not that of source and"),
        ("pay#2 record", json!({"transaction": 2}), "transaction is no text, or none"),
        ("pay#1 record", json!({"transaction": "stripe#pi_1"}), "transaction is not that of source"),
        ("pay#2 record", json!({"provider_txn": "a b"}), "provider_txn is no text, or none"),
        ("pay#9 record", json!({"provider_txn": "pi_10"}), "has the provider transaction of payment"),
        ("pay#2 record", json!({"status": 5}), "status is no whole number, or out of range"),
        ("pay#2 record", json!({"status": 4}), "its events end in another status"),
        ("pay#7 record", json!({"status": 3}), "its events end in another status"),
        ("pay#2 record", json!({"version": 0}), "version is no whole number, or out of range"),
        ("pay#2 record", json!({"version": 2}), "an event reached version 3, the record has 2"),
        ("pay#2 record", json!({"version": 4}), "no event reached version 4"),
        ("pay#2 record", json!({"version": u64::MAX}), "no event reached version 4"),
        ("pay#7 record", json!({"create_time": T - HOUR}), "update_time is not when its version was"),
        (generated, json!({"create_time": T - 1}), "create_time is not the time in its id"),
        ("pay#2 record", json!({"create_time": T + HOUR / 2}), "at is before the payment was created"),
        ("pay#2 record", json!({"create_time": "then"}), "create_time is no whole number"),
        ("pay#2 record", json!({"update_time": T + 4}), "update_time is not when its version was reached"),
        ("pay#2 record", json!({"update_time": T - HOUR}), "update_time is before create_time"),
        ("pay#2 record", json!({"update_time": NOW + HOUR}), "update_time is in the future"),
        ("pay#2 record", json!({"paid_time": null}), "paid without paid_time"),
        ("pay#2 record", json!({"paid_time": T + 2}), "paid_time is not when an event moved it to paid"),
        ("pay#1 record", json!({"paid_time": T + 2}), "paid_time, and never paid"),
        ("pay#2 record", json!({"notified_time": T - HOUR}), "notified_time is before paid_time"),
        ("pay#2 record", json!({"notified_time": NOW + HOUR}), "notified_time is in the future"),
        ("pay#1 record", json!({"notified_time": T + 2}), "notified_time without paid_time"),
        ("pay#5 record", json!({"notified_time": T + 2}), "notified_time without paid_time"),
        ("pay#2 record", json!({"notified_time": null}), "paid, and the order service neither notified"),
        ("pay#1 record", json!({"source": 3}), "a provider reference, and never paid"),
        ("pay#1 record", json!({"provider_txn": "pi_1"}), "a provider reference, and never paid"),
        ("pay#2 record", json!({"checkouts": 1}), "checkouts is not how many there are"),
    ])
}

/// The outbox.
#[rustfmt::skip]
fn outbox() -> Vec<Tampering> {
    let beyond = format!("sweep#{SWEEP_QUEUES}");
    list(&[
        ("pay#3 record", json!({"queue": null}), "queue without due, or due without queue"),
        ("pay#3 record", json!({"due": null}), "queue without due, or due without queue"),
        ("pay#3 record", json!({"attempts": null}), "queue without attempts, or attempts without"),
        ("pay#3 record", json!({"queue": "review"}), "in a queue that is not one of the sweep"),
        ("pay#3 record", json!({"queue": "sweep#"}), "in a queue that is not one of the sweep"),
        ("pay#3 record", json!({"queue": beyond}), "in a queue above those that the sweep reads"),
        ("pay#3 record", json!({"queue": "sweep#03"}), "in a queue above those that the sweep reads"),
        ("pay#3 record", json!({"queue": "sweep#18446744073709551616"}), "in a queue above those"),
        ("pay#3 record", json!({"due": T + 300_004}), "due later than after the move to paid, without"),
        ("pay#3 record", json!({"due": T - HOUR, "attempts": 1}), "due is before create_time"),
        ("pay#12 record", json!({"due": T + 300_001}), "due at another time than after its creation"),
        ("pay#12 record", json!({"due": NOW + 2 * HOUR, "attempts": 3}), "due later than any attempt"),
        ("pay#4 record", json!({"queue": "sweep#4", "due": T + 9, "attempts": 0}), "due, and closed or"),
        ("pay#3 record", json!({"due": NOW + HOUR, "attempts": 3}), "due later than any attempt is put"),
        ("pay#3 record", json!({"due": {"N": "-1"}}), "due is no whole number"),
        ("pay#3 record", json!({"attempts": u64::MAX}), "attempts is no whole number, or out of range"),
        ("pay#3 record", json!({"notified_time": T + 3}), "due, and the order service was notified"),
        ("pay#1 record", json!({"queue": "sweep#1", "due": T + 9, "attempts": 0}), "due, and closed or refunded"),
    ])
}

/// A guard, and what it guards.
#[rustfmt::skip]
fn guards() -> Vec<Tampering> {
    list(&[
        ("order#101 guard", Value::Null, "payments, and no guard that names one"),
        ("order#101 guard", json!({"payment": 1}), "payment 2 is live, and the guard names 1"),
        ("order#101 guard", json!({"payment": 77}), "names a payment that does not exist"),
        ("order#101 guard", json!({"payment": 4}), "names a payment of another order"),
        ("order#101 guard", json!({"uid": 2}), "has another uid than its payment"),
        ("order#101 guard", json!({"amount": 99}), "has another amount than its payment"),
        ("order#101 guard", json!({"key": "short"}), "key is no text, or none that this attribute has"),
        ("order#101 guard", json!({"id": 2}), "no item of ours has the attribute id here"),
        ("order#101 guard", json!({"sk": "record"}), "a key that no item of ours has"),
        ("order#101 guard", json!({"pk": "order#0101"}), "a key that no item of ours has"),
        ("pay#2 record", Value::Null, "names a payment that does not exist"),
        ("pay#2 record", json!({"pk": "pay#02"}), "a key that no item of ours has"),
        ("pay#1 record", json!({"status": 0}), "payment 1 is live, and the guard names 2"),
    ])
}

/// An event by itself.
#[rustfmt::skip]
fn events() -> Vec<Tampering> {
    let sha = sha256(&[b"other"]).to_string();
    list(&[
        ("pay#2 event#stripe#e2", json!({"at": null}), "at is missing"),
        ("pay#2 event#stripe#e2", json!({"at": T + 4}), "paid_time is not when an event moved it to paid"),
        ("pay#2 event#stripe#e3", json!({"at": T - HOUR}), "at is before the payment was created"),
        ("pay#2 event#stripe#e3", json!({"at": NOW + HOUR}), "at is in the future"),
        ("pay#2 event#stripe#e2", json!({"sender": "wechat"}), "sender is no text, or none that this"),
        ("pay#2 event#stripe#e2", json!({"sender": null}), "sender is missing"),
        ("pay#2 event#stripe#e3", json!({"source": 2}), "another source than its sender's"),
        ("pay#2 event#stripe#e3", json!({"provider_txn": "pi_3"}), "another provider reference than its"),
        ("pay#2 event#stripe#e2", json!({"provider_txn": "pi_3"}), "another provider reference than its"),
        ("pay#2 event#stripe#e2", json!({"amount": 101}), "another amount than its record's, and not"),
        ("pay#2 event#stripe#e2", json!({"amount": null}), "another amount than its record's, and not"),
        ("pay#2 event#stripe#e2", json!({"currency": "USD"}), "another currency than its record's"),
        ("pay#2 event#stripe#e2", json!({"currency": null}), "another currency than its record's"),
        ("pay#2 event#stripe#e2", json!({"verdict": "done"}), "verdict is none of the words"),
        ("pay#2 event#stripe#e3", json!({"verdict": "stale"}), "another verdict than the table has"),
        ("pay#2 event#stripe#e3", json!({"verdict": "applied"}), "applied if and only if the status moved"),
        ("pay#2 event#stripe#e2", json!({"verdict": "ignored"}), "applied if and only if the status moved"),
        ("pay#2 event#stripe#e2", json!({"outcome": "closed"}), "another verdict than the table has"),
        ("pay#2 event#stripe#e2", json!({"outcome": "won"}), "outcome is none of the words"),
        ("pay#2 event#stripe#e2", json!({"status_before": 0}), "moved from pending, but the status was failed"),
        ("pay#2 event#stripe#e2", json!({"status_after": 0}), "another verdict than the table has"),
        ("pay#2 event#stripe#e3", json!({"status_after": 4}), "applied if and only if the status moved"),
        ("pay#2 event#stripe#e3", json!({"status_before": null}), "no status and version of its record"),
        ("pay#2 event#stripe#e2", json!({"version": 2}), "a second event reached version 2"),
        ("pay#2 event#stripe#e3", json!({"version": 2}), "its status is not the record's at that version"),
        ("pay#2 event#stripe#e3", json!({"version": 9}), "an event reached version 9, the record has 3"),
        ("pay#2 event#stripe#e2", json!({"sha256": sha}), "sha256 is not that of the body"),
        ("pay#2 event#stripe#e2", json!({"sha256": "00"}), "sha256 is no text, or none"),
        ("pay#2 event#stripe#e2", json!({"body": {"B": "YQ=="}}), "len is not the length of the body"),
        ("pay#2 event#stripe#e2", json!({"body": {"B": BASE64.encode("2 eX")}}), "sha256 is not that of"),
        ("pay#2 event#stripe#e2", json!({"body": "text"}), "body is no bytes"),
        ("pay#2 event#stripe#e2", json!({"len": 9}), "len is not the length of the body"),
        ("pay#2 event#stripe#e3", json!({"mismatch": "amount"}), "a mismatch if and only if it is"),
        ("pay#2 event#stripe#e3", json!({"received": "99"}), "a side of a mismatch, and no mismatch"),
        ("pay#2 event#stripe#e3", json!({"queue": "sweep#1", "due": T}), "queue is no text, or none"),
        ("pay#2 event#stripe#e3", json!({"queue": "review", "due": T + 5}), "on the review list, and not"),
        ("pay#2 event#stripe#e3", json!({"by": "ada"}), "no item of ours has the attribute by here"),
        ("pay#2 event#stripe#e3", json!({"id": 2}), "no item of ours has the attribute id here"),
        ("pay#2 event#stripe#e3", json!({"sk": "event#stripe#e3#9"}), "its suffix is no version"),
        ("pay#2 event#stripe#e3", json!({"sk": "event#wechat#e3"}), "sender is no text, or none"),
        ("pay#2 event#stripe#e3", json!({"sk": "event#nobody#e3"}), "a key that no item of ours has"),
        ("pay#2 event#stripe#e3", json!({"pk": "pay#77"}), "an event of a payment that has no record"),
        ("pay#2 event#stripe#e1", Value::Null, "no event reached version 2"),
        ("pay#2 event#stripe#e2", Value::Null, "its events end in another status"),
        ("pay#3 event#stripe#e2", Value::Null, "no event reached version 3"),
        ("pay#3 event#stripe#e2", json!({"provider_txn": null}), "no event moved it or completed its"),
    ])
}

/// Quarantine, and decisions.
#[rustfmt::skip]
fn decisions() -> Vec<Tampering> {
    let ada8 = &format!("pay#8 event#operator#{}", name("pay#8", "8/stripe/e1"));
    let ada9 = &format!("pay#9 event#operator#{}", name("pay#9", "9/stripe/e1"));
    list(&[
        ("pay#7 event#stripe#e1", json!({"queue": null, "due": null}), "neither on the review list nor"),
        ("pay#7 event#stripe#e1", json!({"queue": null}), "due without queue"),
        ("pay#7 event#stripe#e1", json!({"due": T + 2}), "due at another time than it was quarantined"),
        ("pay#7 event#stripe#e1", json!({"mismatch": null}), "a mismatch if and only if it is quarantined"),
        ("pay#7 event#stripe#e1", json!({"mismatch": "taste"}), "mismatch is none of the words"),
        ("pay#7 event#stripe#e1", json!({"amount": 100}), "its mismatch in the amount is none"),
        ("pay#7 event#stripe#e1", json!({"expected": "99"}), "its mismatch in the amount is none"),
        ("pay#7 event#stripe#e1", json!({"verdict": "noted"}), "on the review list, and not quarantined"),
        ("pay#8 event#stripe#e1", json!({"decided_by": null}), "a part of a decision"),
        ("pay#8 event#stripe#e1", json!({"decided_by": "bob"}), "the event of the decision on it is"),
        ("pay#8 event#stripe#e1", json!({"decided_time": T - HOUR}), "decided_time is before at"),
        ("pay#8 event#stripe#e1", json!({"decided_time": T + 8}), "the event of the decision on it is"),
        ("pay#8 event#stripe#e1", json!({"decision": "kept"}), "decision is none of the words"),
        ("pay#8 event#stripe#e1", json!({"decision": "accepted"}), "the event of the decision on it is"),
        ("pay#8 event#stripe#e1", json!({"decision_event": "8/operator/x"}), "the event of the decision"),
        ("pay#8 event#stripe#e1", json!({"queue": "review", "due": T + 1}), "on the review list, and decided"),
        ("pay#8 event#stripe#e1", Value::Null, "the notification that it decides on is missing"),
        (ada8, Value::Null, "the event of the decision on it is missing"),
        (ada8, json!({"by": "bob"}), "the notification that it decides on is missing, or has another"),
        (ada8, json!({"by": null}), "by is missing"),
        (ada8, json!({"about": "7/stripe/e1"}), "the notification that it decides on is missing, or"),
        (ada8, json!({"about": "8/stripe/e2"}), "its event id names another notification"),
        (ada8, json!({"body": {"B": ""}, "len": 0}), "the body is no note of a decision"),
        (ada9, json!({"verdict": "duplicate"}), "no verdict of a decision"),
        (ada9, json!({"amount": 99}), "another amount than its record's, and not quarantined"),
        (ada9, Value::Null, "its events end in another status"),
    ])
}

/// Refunds, and what the record says of them.
#[rustfmt::skip]
fn refunds() -> Vec<Tampering> {
    let one = "pay#11 refund#stripe.re_1";
    let failed = "pay#11 refund#stripe.re_2";
    let total = "pay#11 refund#total-70";
    let reference = "pay#11 refund-ref#stripe#re_1";
    list(&[
        ("pay#11 record", json!({"refunded": 69}), "refunded is not the larger of refunds_sum and"),
        ("pay#11 record", json!({"refunded": null}), "refunded is not the larger of refunds_sum and"),
        ("pay#11 record", json!({"refunded": 0}), "refunded is no whole number, or out of range"),
        ("pay#11 record", json!({"refunds_sum": 55}), "refunds_sum is not the sum of its refunds"),
        ("pay#11 record", json!({"refunds_sum": null}), "refunds_sum is not the sum of its refunds"),
        ("pay#11 record", json!({"refunds_sum": 0}), "refunds_sum is no whole number, or out of"),
        ("pay#11 record", json!({"refunds_total": 95, "refunded": 95}), "is not the highest total of its"),
        ("pay#11 record", json!({"refunds_total": 170, "refunded": 170}), "more went back than was paid"),
        ("pay#11 record", json!({"refunds_total": 100, "refunded": 100}), "its status is not what went back"),
        ("pay#4 record", json!({"refunds_total": 99, "refunded": 99}), "its status is not what went back"),
        ("pay#1 record", json!({"refunds_total": 5, "refunded": 5}), "refunds, and never paid"),
        ("pay#2 record", json!({"refunds_sum": 5, "refunded": 5}), "refunds_sum is not the sum of its"),
        (one, Value::Null, "the refund that it counted is missing"),
        (one, Value::Null, "refunds_sum is not the sum of its refunds"),
        (one, Value::Null, "it stands for no refund that has its id"),
        (one, json!({"amount": 26}), "refunds_sum is not the sum of its refunds"),
        (one, json!({"amount": 26}), "no event made it what it is"),
        (one, json!({"amount": 126}), "more than its payment"),
        (one, json!({"amount": null}), "amount is missing"),
        (one, json!({"state": "failed"}), "refunds_sum is not the sum of its refunds"),
        (one, json!({"state": "failed"}), "no event made it what it is"),
        (one, json!({"state": "done"}), "state is none of the words of this attribute"),
        (one, json!({"state": null}), "state is missing"),
        (one, json!({"source": 2}), "its id is not that of the provider's"),
        (one, json!({"source": null}), "source is missing"),
        (one, json!({"provider_txn": "pi_x"}), "taken from other money than paid its payment"),
        (one, json!({"provider_txn": "a b"}), "provider_txn is no text, or none"),
        (one, json!({"provider_refund": "re_9"}), "its id is not that of the provider's"),
        (one, json!({"provider_refund": null}), "neither an id of the provider's, nor a total"),
        (one, json!({"provider_refund": "a#b"}), "provider_refund is no text, or none"),
        (one, json!({"reference": ""}), "reference is no text, or none that this attribute has"),
        (one, json!({"create_time": T - HOUR}), "create_time is before its payment was created"),
        (one, json!({"create_time": T + HOUR}), "update_time is before create_time"),
        (one, json!({"create_time": null}), "create_time is missing"),
        (one, json!({"update_time": T + 4}), "no event made it what it is"),
        (one, json!({"update_time": T + HOUR}), "update_time is after its payment last changed"),
        (one, json!({"update_time": NOW + HOUR}), "update_time is in the future"),
        (one, json!({"id": 11}), "no item of ours has the attribute id here"),
        (one, json!({"queue": "review"}), "in a queue that is not one of the sweep"),
        (one, json!({"pk": "pay#77"}), "a refund of a payment that has no record"),
        (one, json!({"sk": "refund#stripe.re_9"}), "its id is not that of the provider's"),
        (failed, json!({"state": "succeeded"}), "refunds_sum is not the sum of its refunds"),
        (failed, Value::Null, "the refund that it counted is missing"),
        (total, Value::Null, "refunds_total is not the highest total of its refunds"),
        (total, json!({"amount": 71}), "more than the total that it was reported with"),
        (total, json!({"state": "failed"}), "a total that did not succeed"),
        (total, json!({"reference": "ours"}), "a reference, and no id of the provider's"),
        (total, json!({"sk": "refund#total-070"}), "neither an id of the provider's, nor a total"),
        (total, json!({"sk": "refund#total-71"}), "refunds_total is not the highest total of its"),
        (reference, Value::Null, "no reference stands for it"),
        (reference, json!({"refund": "stripe.re_2"}), "it stands for no refund that has its id"),
        (reference, json!({"refund": "stripe.re_2"}), "no reference stands for it"),
        (reference, json!({"refund": null}), "refund is missing"),
        (reference, json!({"sk": "refund-ref#wechat#re_1"}), "no reference stands for it"),
        (reference, json!({"payment": 11}), "no item of ours has the attribute payment here"),
    ])
}

/// Events about refunds.
#[rustfmt::skip]
fn events_of_refunds() -> Vec<Tampering> {
    list(&[
        ("pay#11 event#stripe#e2", json!({"refund": null}), "a part of a refund"),
        ("pay#11 event#stripe#e2", json!({"refund_amount": 26}), "no event made it what it is"),
        ("pay#11 event#stripe#e2", json!({"refund_amount": null}), "a part of a refund"),
        ("pay#11 event#stripe#e2", json!({"refund_state": "failed"}), "no event made it what it is"),
        ("pay#11 event#stripe#e2", json!({"refund_state": "gone"}), "refund_state is none of the words"),
        ("pay#11 event#stripe#e2", json!({"refund_state": "pending"}), "another verdict than the table"),
        ("pay#11 event#stripe#e2", json!({"refunded": 25}), "one refund, and a total"),
        ("pay#11 event#stripe#e2", json!({"refund": "re_9"}), "the refund that it counted is missing"),
        ("pay#11 event#stripe#e2", json!({"provider_txn": null}), "another amount than its record's"),
        ("pay#11 event#stripe#e2", json!({"outcome": "paid"}), "a refund, and another outcome"),
        ("pay#11 event#stripe#e2", json!({"verdict": "noted"}), "no event moved it or completed its"),
        ("pay#11 event#stripe#e2", json!({"status_after": 0}), "another verdict than the table has"),
        ("pay#11 event#stripe#e4", json!({"status_after": 4}), "another verdict than the table has"),
        ("pay#11 event#stripe#e5", json!({"refunded": null}), "another verdict than the table has"),
        ("pay#11 event#stripe#e5", json!({"refunded": 71}), "the refund that it counted is missing"),
        ("pay#11 event#stripe#e5", json!({"refund_reference": "ours"}), "a reference of no refund"),
        ("pay#11 event#stripe#e5", Value::Null, "no event moved it or completed its reference"),
        ("pay#11 event#stripe#e6", json!({"verdict": "ignored"}), "another verdict than the table has"),
        ("pay#11 event#stripe#e7", json!({"refunded": null}), "another verdict than the table has"),
        ("pay#2 event#stripe#e5", json!({"verdict": "ignored"}), "another verdict than the table has"),
        ("pay#12 event#stripe#query.absent", json!({"amount": 99}), "another amount than its record's"),
        ("pay#12 event#stripe#query.absent", json!({"currency": "USD"}), "another currency than its"),
        ("pay#12 event#stripe#query.absent", json!({"sk": "event#stripe#e1"}), "another amount than its"),
        ("pay#12 event#stripe#query.paid.pi_12#amount", json!({"mismatch": "uid"}), "its suffix is"),
        ("pay#13 event#stripe#e1", json!({"status_after": 4}), "another verdict than the table has"),
    ])
}

/// Unmatched notifications.
#[rustfmt::skip]
fn unmatched() -> Vec<Tampering> {
    let sha = sha256(&[b"other"]).to_string();
    list(&[
        ("unmatched#stripe event#stripe#u1", json!({"verdict": "noted"}), "unmatched, and not quarantined"),
        ("unmatched#stripe event#stripe#u1", json!({"version": 1}), "a status or version, and no record"),
        ("unmatched#stripe event#stripe#u1", json!({"queue": null, "due": null}), "neither on the review"),
        ("unmatched#stripe event#stripe#u1", json!({"pk": "unmatched#wechat"}), "a key that no item of"),
        ("unmatched#stripe event#stripe#u1", json!({"sha256": sha}), "sha256 is not that of the body"),
        ("unmatched#stripe event#stripe#u2", Value::Null, "the notification that it decides on is missing"),
        ("unmatched#stripe event#stripe#u3", json!({"decided_by": "bob"}), "the event of the decision on"),
    ])
}

fn name(pk: &str, about: &str) -> String {
    key(pk, about).rsplit('/').next().unwrap().to_owned()
}

#[test]
fn every_tampering_is_reported() {
    let table = [
        records(),
        outbox(),
        guards(),
        events(),
        decisions(),
        refunds(),
        events_of_refunds(),
        unmatched(),
    ]
    .concat();
    assert_eq!(table.len(), 237);
    let mut silent = Vec::new();
    for (item, edit, what) in table {
        let found = of(&tampered(&valid(), &item, &edit)).violations;
        if !found.iter().any(|violation| violation.what.contains(what)) {
            silent.push(format!("{item} {edit}: {what}: {found:#?}"));
        }
    }
    assert!(silent.is_empty(), "{} are silent: {}", silent.len(), silent.join("\n"));
}
