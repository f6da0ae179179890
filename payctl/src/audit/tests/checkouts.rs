//! Payments with checkouts, and closes.

use pay_service::http::sha256;
use serde_json::{Value, json};

use super::valid::{and, event, guard, paid, record, with};
use super::{HOUR, NOW, T, of, tampered};

/// The event of what was asked of us: it reports nothing.
fn asked(id: u64, (sender, name): (&str, &str), version: u64) -> Value {
    with(
        event(id, name, (0, 0), version, json!({})),
        json!({
            "sk": format!("event#{sender}#{name}"), "sender": sender, "verdict": "noted",
            "source": 0, "provider_txn": null, "amount": null, "currency": null, "outcome": null,
        }),
    )
}

/// The end of a close.
fn ended(id: u64, sender: &str, version: u64) -> Value {
    with(
        asked(id, (sender, "close.ended"), version),
        json!({
            "verdict": "applied", "outcome": "closed", "status_after": 3, "len": 0,
            "sha256": sha256(&[b""]).to_string(), "body": {"B": ""},
        }),
    )
}

/// A checkout at WeChat Pay, requested by version `made`.
fn native(id: u64, number: u64, state: &str, made: u64) -> Value {
    json!({
        "pk": format!("pay#{id}"), "sk": format!("checkout#{number}"), "provider": "wechat",
        "method": "native", "account": "1900000001_wx1", "reference": format!("{id:06}_{number}"),
        "description": "Order 1", "notify_url": "https://pay.example/api/pay/callback/wechat",
        "expires_time": T + HOUR / 2, "state": state, "called_time": T + made,
        "create_time": T + made, "update_time": T + made,
    })
}

/// What makes it one at Stripe.
fn session(provider_id: &str) -> Value {
    json!({
        "provider": "stripe", "method": "checkout", "account": "stripe", "notify_url": null,
        "return_url": "https://shop.example/paid", "provider_id": provider_id,
    })
}

fn due(queue: u64) -> Value {
    json!({"queue": format!("sweep#{queue}"), "due": T + 300_000, "attempts": 0})
}

/// Payments with checkouts in each state.
fn checkouts() -> Vec<Value> {
    let at = |version: u64| json!({"version": version, "update_time": T + version});
    let mut rows = vec![
        // Two checkouts; another one, at Stripe, was made after them.
        record(40, and(and(at(4), due(8)), json!({"checkouts": 3}))),
        guard(140, 40),
        asked(40, ("native", "checkout.1"), 2),
        asked(40, ("operator", "checkout.2"), 3),
        asked(40, ("native", "checkout.3"), 4),
        native(40, 1, "refused", 2),
        native(40, 2, "requested", 3),
        with(native(40, 3, "open", 4), session("cs_1")),
        // Paid, and the sweep ends the other one.
        record(
            41,
            and(and(paid(41), at(4)), and(due(9), json!({"checkouts": 2, "paid_time": T + 4}))),
        ),
        guard(141, 41),
        asked(41, ("native", "checkout.1"), 2),
        asked(41, ("native", "checkout.2"), 3),
        event(41, "e1", (0, 1), 4, json!({})),
        with(native(41, 1, "ended", 2), json!({"absent_time": T + HOUR / 2 + 1})),
        native(41, 2, "open", 3),
        // Paid by its only checkout, which is left as it was.
        record(
            45,
            and(
                paid(45),
                json!({"version": 3, "update_time": T + 3, "paid_time": T + 3, "checkouts": 1}),
            ),
        ),
        guard(145, 45),
        asked(45, ("native", "checkout.1"), 2),
        event(45, "e1", (0, 1), 3, json!({})),
        native(45, 1, "open", 2),
        // Closed by its payer; a provider's own message came before.
        record(42, and(at(4), json!({"status": 3, "checkouts": 1}))),
        guard(142, 42),
        asked(42, ("native", "checkout.1"), 2),
        asked(42, ("native", "close"), 3),
        event(42, "e1", (0, 0), 3, json!({"verdict": "noted", "outcome": "closed"})),
        ended(42, "native", 4),
        native(42, 1, "ended", 2),
        // Being closed by the sweep, and by a gateway of the shop's own.
        record(43, and(and(at(2), due(11)), json!({"closing": true}))),
        guard(143, 43),
        asked(43, ("sweep", "close"), 2),
        record(44, and(and(at(3), due(12)), json!({"closing": true, "checkouts": 1}))),
        guard(144, 44),
        asked(44, ("native", "checkout.1"), 2),
        native(44, 1, "open", 2),
    ];
    let closed = json!({
        "sk": "event#native#e1", "sender": "native", "verdict": "noted", "source": 0,
        "provider_txn": null, "outcome": "closed",
    });
    rows.push(event(44, "e1", (0, 0), 3, closed));
    rows
}

#[test]
fn checkouts_and_closes_as_the_code_writes_them_are_clean() {
    let found = of(&checkouts());
    assert_eq!(found.violations, []);
    assert_eq!((found.payments, found.checkouts, found.due), (6, 8, 4));
    assert_eq!(found.items(), checkouts().len());
    // The end of a time to live.
    let rows = tampered(&checkouts(), "pay#43 record", &json!({"due": T + 1_800_000}));
    assert_eq!(of(&rows).violations, []);
}

#[rustfmt::skip]
fn tamperings() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("pay#40 record", json!({"checkouts": 2}), "checkouts is not how many there are"),
        ("pay#40 record", json!({"checkouts": 2}), "its number is above the record's checkouts"),
        ("pay#40 record", json!({"checkouts": null}), "checkouts is not how many there are"),
        ("pay#40 record", json!({"checkouts": 21}), "checkouts is no whole number, or out of range"),
        ("pay#40 record", json!({"queue": null, "due": null, "attempts": null}), "it can be paid, and its payment is not due"),
        ("pay#40 checkout#2", Value::Null, "the checkout that it requested is missing"),
        ("pay#40 checkout#2", Value::Null, "checkouts is not how many there are"),
        ("pay#40 event#operator#checkout.2", Value::Null, "no event requested it"),
        ("pay#40 event#operator#checkout.2", Value::Null, "no event reached version 3"),
        ("pay#40 event#operator#checkout.2", json!({"at": T + 4}), "no event requested it"),
        ("pay#40 event#operator#checkout.2", json!({"sk": "event#operator#checkout.21"}), "about is missing"),
        ("pay#40 event#operator#checkout.2", json!({"outcome": "paid"}), "another verdict than the table has"),
        ("pay#40 event#operator#checkout.2", json!({"version": 2}), "a second event reached version 2"),
        ("pay#41 event#native#checkout.2", json!({"status_before": 1, "status_after": 1}), "of a payment that nobody can pay"),
        ("pay#40 checkout#2", json!({"reference": "40_2"}), "reference is no text, or none"),
        ("pay#40 checkout#2", json!({"reference": "000040_1"}), "reference is no text, or none"),
        ("pay#40 checkout#2", json!({"account": "a b"}), "account is no text, or none"),
        ("pay#40 checkout#2", json!({"description": ""}), "description is no text, or none"),
        ("pay#40 checkout#2", json!({"provider": "paypal"}), "provider is no text, or none"),
        ("pay#40 checkout#2", json!({"method": "checkout"}), "method is no text, or none"),
        ("pay#40 checkout#2", json!({"method": "jsapi"}), "openid is missing for its method"),
        ("pay#40 checkout#2", json!({"method": "h5"}), "payer_ip is missing for its method"),
        ("pay#40 checkout#2", json!({"notify_url": null}), "notify_url is missing for its method"),
        ("pay#40 checkout#2", json!({"payer_ip": "192.0.2.1"}), "payer_ip, which its method does not use"),
        ("pay#40 checkout#2", json!({"return_url": "https://shop.example"}), "return_url, which its method does not use"),
        ("pay#40 checkout#2", json!({"state": "paid"}), "state is none of the words"),
        ("pay#40 checkout#2", json!({"state": null}), "state is missing"),
        ("pay#40 checkout#2", json!({"provider_id": "cs_1"}), "an id of its provider's, which makes none"),
        ("pay#40 checkout#2", json!({"create_time": T - HOUR, "update_time": T - HOUR, "called_time": T - HOUR}), "create_time is before its payment was created"),
        ("pay#40 checkout#2", json!({"called_time": T - HOUR}), "called_time is before create_time"),
        ("pay#40 checkout#2", json!({"update_time": NOW + HOUR}), "update_time is in the future"),
        ("pay#40 checkout#2", json!({"expires_time": T - HOUR}), "expires_time is before create_time"),
        ("pay#40 checkout#2", json!({"absent_time": T + 1}), "absent_time is before expires_time"),
        ("pay#40 checkout#2", json!({"client_secret": "x"}), "no item of ours has the attribute client_secret here"),
        ("pay#40 checkout#3", json!({"provider_id": null}), "open without the id that finds it"),
        ("pay#40 checkout#3", json!({"return_url": null}), "return_url is missing for its method"),
        ("pay#40 checkout#3", json!({"return_url": "http://shop.example"}), "return_url is no text, or none"),
        ("pay#41 record", json!({"closing": true}), "closing, and closed or paid"),
        ("pay#41 record", json!({"queue": null, "due": null, "attempts": null}), "it can be paid, and its payment is not due"),
        ("pay#42 checkout#1", json!({"state": "open"}), "its payment is closed, and it can be paid"),
        ("pay#42 event#native#close.ended", Value::Null, "its events end in another status"),
        ("pay#42 event#native#close.ended", json!({"outcome": "paid"}), "another verdict than the table has"),
        ("pay#42 event#stripe#e1", json!({"verdict": "applied", "status_after": 3}), "it closed a payment with checkouts"),
        ("pay#43 record", json!({"queue": null, "due": null, "attempts": null}), "closing, and not due"),
        ("pay#43 record", json!({"closing": false}), "closing is not `true`"),
        ("pay#43 record", json!({"closing": 1}), "closing is not `true`"),
        ("pay#43 record", json!({"due": T + 31 * 24 * HOUR}), "due at another time than after its creation"),
        ("pay#43 event#sweep#close", json!({"sk": "event#sweep#e1"}), "an event of the sweep that closes nothing"),
        ("pay#44 record", json!({"due": NOW + 31 * HOUR, "attempts": 1}), "due later than any attempt is put"),
        ("pay#44 event#native#e1", json!({"outcome": "failed"}), "another verdict than the table has"),
        ("pay#44 event#native#e1", json!({"sk": "event#stripe#e1", "sender": "stripe", "source": 3}), "no event moved it or completed"),
    ]
}

#[test]
fn every_tampering_with_a_checkout_is_reported() {
    let silent: Vec<String> = tamperings()
        .iter()
        .filter_map(|(item, edit, what)| {
            let found = of(&tampered(&checkouts(), item, edit)).violations;
            let named = found.iter().any(|violation| violation.what.contains(what));
            (!named).then(|| format!("{item} {edit}: {what}: {found:#?}"))
        })
        .collect();
    assert!(silent.is_empty(), "{} are silent: {}", silent.len(), silent.join("\n"));
}

#[test]
fn a_checkout_of_no_payment_is_reported() {
    let found = of(&[native(77, 1, "open", 2)]).violations;
    assert!(found.iter().any(|one| one.what == "a checkout of a payment that has no record"));
    // Nothing else closes without a checkout by a mere note.
    let noted = event(47, "e1", (0, 0), 1, json!({"verdict": "noted", "outcome": "closed"}));
    let found = of(&[record(47, json!({})), guard(147, 47), noted]).violations;
    let what = "closed and only noted, and its payment has no checkout";
    assert!(found.iter().any(|one| one.what == what), "{found:#?}");
}
