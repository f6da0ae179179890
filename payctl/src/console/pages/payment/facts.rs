//! The record of a payment as facts.

use maud::{Markup, html};
use pay_core::domain::{PaymentId, Timestamp};
use serde_json::Value;

use super::super::super::app::App;
use super::super::super::view::{
    ago, brief, cell, id as copied, money_of, provider_of, time, time_of, with_query, word,
};
use crate::Row;
use crate::event::status;

/// What is wrong with the record.
pub(super) fn wrong(wrong: &[String]) -> Markup {
    html! {
        @if !wrong.is_empty() {
            p.fault { "The record is unreadable: " (brief(&wrong.join("; "))) }
            p {
                "What can be read is below. " a href="/audit" { "Audit" }
                " names what is wrong in the whole table."
            }
        }
    }
}

pub(super) fn record(
    app: &App,
    id: PaymentId,
    record: &Row,
    events: &[Row],
    now: Timestamp,
) -> Markup {
    let currency = record.text("currency");
    let of_money = |name: &str| money_of(record, name, currency);
    let facts = [
        ("Status", state(record)),
        ("Amount", of_money("amount")),
        ("Refunded", of_money("refunded")),
        ("Refund pending", of_money("refund_pending")),
        ("Payment", copied(&id.to_string())),
        ("Order", by_number(record, "oid", |oid| with_query("/find", "q", oid))),
        ("Payer", by_number(record, "uid", |uid| with_query("/payments", "uid", uid))),
        ("Provider", provider_of(record)),
        ("Transaction", transaction(app, record, events)),
        ("Order service", notification(record, now)),
        ("Looked at next", looked_at(record, now)),
        ("Checkouts made", cell(record, "checkouts")),
        ("Created", time_of(record, "create_time")),
        ("Paid", time_of(record, "paid_time")),
        ("Changed", time_of(record, "update_time")),
        ("Version", cell(record, "version")),
    ];
    html! {
        section {
            h2 { "Record" }
            dl.record {
                @for (name, value) in facts {
                    @if !value.0.is_empty() { div { dt { (name) } dd { (value) } } }
                }
            }
        }
    }
}

fn state(record: &Row) -> Markup {
    html! {
        @match record.number("status") {
            Some(code) => (word(&status(code))),
            None => (cell(record, "status")),
        }
        @if record.has("closing") { " " (word("closing")) }
    }
}

/// A number that leads elsewhere.
fn by_number(record: &Row, name: &str, path: impl FnOnce(&str) -> String) -> Markup {
    let Some(number) = record.number(name) else { return cell(record, name) };
    let text = number.to_string();
    html! { a href=(path(&text)) data-copy=(text) { code { (text) } } }
}

/// The provider's id of the money, and where to see it there.
fn transaction(app: &App, record: &Row, events: &[Row]) -> Markup {
    let txn = record.text("provider_txn");
    if txn.is_empty() || txn.len() > 128 {
        return cell(record, "provider_txn");
    }
    let is_test = is_test(events).unwrap_or(app.place.endpoint.is_some());
    html! {
        (copied(txn))
        @if let Some((name, url)) = dashboard(record.number("source"), txn, is_test) {
            " " a href=(url) rel="noreferrer" { (name) }
        }
    }
}

/// Where a provider shows its payments to the merchant. Stripe alone has an address for one of them.
///
/// Sources: docs.stripe.com, "Stripe Dashboard basics"; pay.weixin.qq.com; b.alipay.com.
fn dashboard(source: Option<u64>, txn: &str, is_test: bool) -> Option<(&'static str, String)> {
    let is_id = txn.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_payment = ["pi_", "ch_", "py_"].iter().any(|prefix| txn.starts_with(prefix));
    match source {
        Some(3) if is_id && is_payment => {
            let mode = if is_test { "test/" } else { "" };
            let name =
                if is_test { "Stripe’s dashboard, test mode" } else { "Stripe’s dashboard" };
            Some((name, format!("https://dashboard.stripe.com/{mode}payments/{txn}")))
        }
        Some(2) => {
            Some(("WeChat Pay’s merchant platform", "https://pay.weixin.qq.com/".to_owned()))
        }
        Some(1) => Some(("Alipay’s merchant centre", "https://b.alipay.com/".to_owned())),
        Some(_) | None => None,
    }
}

/// Whether Stripe's newest message says that it is of its test mode.
///
/// Source: docs.stripe.com/api, "The Event object", `livemode`.
fn is_test(events: &[Row]) -> Option<bool> {
    let of_stripe = events.iter().rev().filter(|event| event.text("sender") == "stripe");
    let live = of_stripe.filter_map(|event| {
        let message: Value = serde_json::from_slice(&event.bytes("body")?).ok()?;
        message.get("livemode")?.as_bool()
    });
    live.map(|is_live| !is_live).next()
}

/// Whether the order service knows.
fn notification(record: &Row, now: Timestamp) -> Markup {
    if let Some(at) = record.number("notified_time") {
        return html! { (word("notified")) " " (time(at)) };
    }
    let is_paid = record.has("paid_time");
    match (is_paid, record.number("due")) {
        (true, Some(due)) if due <= now.millis() => html! {
            (word("late")) " due since " (time(due)) ", " (ago(now.millis().saturating_sub(due)))
            (attempts(record))
        },
        (true, Some(due)) => html! { (word("due")) " " (time(due)) (attempts(record)) },
        (true, None) => html! {
            (word("failed")) " paid, and neither notified nor due: " a href="/audit" { "Audit" }
        },
        (false, _) => html! { "not paid: nothing to notify it of" },
    }
}

fn attempts(record: &Row) -> Markup {
    html! {
        @match record.number("attempts") {
            Some(0) | None => {},
            Some(1) => ", after 1 attempt",
            Some(number) => { ", after " (number) " attempts" },
        }
    }
}

/// When the sweep looks at it.
fn looked_at(record: &Row, now: Timestamp) -> Markup {
    match record.number("due") {
        Some(due) if due <= now.millis() => {
            html! { (time(due)) ", which is past: the sweep runs each minute" }
        }
        Some(due) => time(due),
        None => cell(record, "due"),
    }
}

#[cfg(test)]
mod tests {
    use pay_core::domain::Timestamp;
    use serde_json::json;

    use super::{dashboard, looked_at, notification};
    use crate::Row;

    #[test]
    fn the_order_service_is_notified_due_late_or_forgotten() {
        let at = |millis| Timestamp::from_millis(millis).unwrap();
        let row = |members: serde_json::Value| Row(members.as_object().unwrap().clone());
        for (members, text) in [
            (json!({}), "not paid"),
            (json!({"due": 1}), "not paid"),
            (json!({"paid_time": 1, "notified_time": 2, "due": 3}), ">notified</span>"),
            (json!({"paid_time": 1, "due": 9_000, "attempts": 0}), ">due</span> <time"),
            (json!({"paid_time": 1, "due": 9_000, "attempts": 2}), ", after 2 attempts"),
            (json!({"paid_time": 1, "due": 4_000, "attempts": 1}), ">late</span> due since <time"),
            (json!({"paid_time": 1, "due": 4_000, "attempts": 1}), ", 1 second, after 1 attempt"),
            (json!({"paid_time": 1}), "neither notified nor due"),
        ] {
            let shown = notification(&row(members.clone()), at(5_000)).into_string();
            assert!(shown.contains(text), "{members}: {shown}");
        }
        let past = |due| looked_at(&row(json!({ "due": due })), at(5_000)).into_string();
        assert!(past(5_000).contains("which is past") && !past(5_001).contains("which is past"));
    }

    #[test]
    fn a_link_leads_to_an_address_that_exists() {
        let url = |source, txn, is_test| dashboard(Some(source), txn, is_test).map(|(_, url)| url);
        let stripe = |path: &str| Some(format!("https://dashboard.stripe.com/{path}"));
        assert_eq!(url(3, "pi_3N", false), stripe("payments/pi_3N"));
        assert_eq!(url(3, "pi_3N", true), stripe("test/payments/pi_3N"));
        for (source, txn) in [(3, "pi_3/../x"), (3, "cs_1"), (9, "pi_3N"), (0, "")] {
            assert_eq!(url(source, txn, false), None, "{source} {txn}");
        }
        assert_eq!(url(2, "4200", false).as_deref(), Some("https://pay.weixin.qq.com/"));
        assert_eq!(url(1, "2026", false).as_deref(), Some("https://b.alipay.com/"));
        assert_eq!(dashboard(None, "pi_3N", false), None);
    }
}
