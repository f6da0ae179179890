//! The log lines: that of each invocation, and those of what a callback does. The usage figures are checked
//! in `budgets`, what no line must contain in `logs`.

use std::collections::BTreeSet;

use local::messages::{Message, Outcome};
use local::simulator::ledger::Orders;
use local::{Fault, ShopRoute, Stack};
use pay_core::domain::Provider;
use serde_json::{Value, json};

use crate::api;
use crate::logs::logged;
use crate::stage::{Payment, age, invocations, notify, own, payment};
use crate::sweep::sweep_all;

/// The section "Logs" of docs/operations.md.
fn section() -> &'static str {
    let text = include_str!("../../docs/operations.md");
    let (_, logs) = text.split_once("\n## Logs\n").unwrap();
    logs.split_once("\n## ").unwrap().0
}

/// The names in the first column of its table of an invocation's line.
fn documented() -> BTreeSet<&'static str> {
    let rows = section().lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" | "));
    rows.flat_map(|(names, _)| names.split('`').step_by(2))
        .filter(|name| !name.is_empty())
        .collect()
}

/// Level and message of each row in its table of other lines.
fn documented_messages() -> BTreeSet<(&'static str, &'static str)> {
    let rows = section().lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        Some((cells.next()?, cells.next()?.strip_prefix('`')?.strip_suffix('`')?))
    });
    rows.filter(|(level, _)| ["INFO", "WARN", "ERROR"].contains(level)).collect()
}

#[tokio::test]
async fn the_log_line_of_an_invocation_has_the_documented_fields() {
    let stack = own().await;
    let line = |of: &str| {
        let mut found = invocations(&stack);
        found.retain(|line| line.to_string().contains(of));
        assert_eq!(found.len(), 1, "{of} in {}", stack.logs());
        found[0].clone()
    };
    let made = payment(&stack).await;
    let created = line(&made.id.to_string());
    for (name, value) in [
        ("message", json!("succeeded")),
        ("entry_point", json!("http-api")),
        ("outcome", json!("ok")),
        ("payment_id", json!(made.id)),
        ("cold", json!(true)),
    ] {
        assert_eq!(created[name], value, "{created}");
    }
    // A trace of our own has the id of the invocation.
    let request_id = created["request_id"].as_str().unwrap().replace('-', "");
    assert_eq!(created["trace_id"], request_id);
    let times = ["duration_ms", "dynamodb_ms", "shop_ms", "secrets_ms"];
    assert!(times.iter().all(|name| created[name].is_u64()), "{created}");
    let names: BTreeSet<&str> = created.as_object().unwrap().keys().map(String::as_str).collect();
    // The target, a module of the code, is not documented.
    assert_eq!(documented(), names.into_iter().filter(|name| *name != "target").collect());

    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traced = api::post(&stack, "create").json(&made.request());
    let traced = traced.header("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"));
    let problem = traced.send().await.problem("unauthenticated");
    let rejected = line(trace);
    assert_eq!(rejected["request_id"], problem["request_id"]);
    for (name, value) in [
        ("message", json!("rejected")),
        ("outcome", json!("unauthenticated")),
        ("cold", json!(false)),
        ("dynamodb_calls", json!(0)),
    ] {
        assert_eq!(rejected[name], value, "{rejected}");
    }
    assert_eq!(rejected.get("payment_id"), None);
}

/// A message of Stripe's that is about no payment.
async fn send_ignored(stack: &Stack) {
    let other = |event: &mut Value| event["type"] = json!("invoice.created");
    let signed = Message::new(1, 1, Outcome::Paid).edited(Provider::Stripe, other).unwrap();
    api::from_provider(stack, Provider::Stripe, &signed).send().await.ok();
}

#[tokio::test]
async fn the_other_log_lines_of_callback_are_the_documented_ones() {
    let stack = own().await;
    let paid = payment(&stack).await;
    notify(&stack, paid, 1, 1).await.ok();
    notify(&stack, Payment { amount: 99, ..paid }, 1, 1).await.problem("amount-mismatch");
    send_ignored(&stack).await;
    let unsigned = api::post(&stack, "callback/stripe").json(&json!({}));
    unsigned.clone().send().await.problem("bad-signature");
    for elsewhere in [json!({"routeKey": "$default"}), json!({"version": "1.0"})] {
        let mut event = unsigned.event();
        event.as_object_mut().unwrap().extend(elsewhere.as_object().unwrap().clone());
        api::send_event(&stack, "callback", &event).await.problem("invalid-request");
    }
    let abandoned = payment(&stack).await;
    age(&stack, abandoned, 73).await;
    assert_eq!(sweep_all(&stack).await["abandoned"], 1);
    let asked = payment(&stack).await;
    stack.account(Provider::Stripe).unwrap().set_fault("stripe:search", Fault::Hang, None).unwrap();
    assert_eq!(sweep_all(&stack).await["queried"], 1);
    let refused = payment(&stack).await;
    let stripe = stack.account(Provider::Stripe).unwrap();
    stripe.clear_faults();
    stripe.pay(refused.id, refused.amount).await.unwrap();
    stripe.refund_orders(Orders::Refused("charge_disputed".to_owned()));
    let refund = json!({"id": refused.id, "amount": 1});
    api::authorized(&stack, "refund", 1).json(&refund).send().await.problem("provider-refused");
    let not_notified = payment(&stack).await;
    stack.shop().set_fault(ShopRoute::OrderPaid, Fault::Status(500), None);
    notify(&stack, not_notified, 1, 1).await.problem("unavailable");
    stack.shop().clear_faults();
    stack.dynamodb_control().set_fault("UpdateItem", Fault::Status(500), None);
    let not_cleared = payment(&stack).await;
    notify(&stack, not_cleared, 1, 1).await.ok();
    assert_eq!(sweep_all(&stack).await["failed"], 3);

    let mut seen = BTreeSet::new();
    for (message, of, fields) in [
        ("notification applied", Some(paid), "event_id payment_id sender verdict"),
        ("notification ignored", None, "reason sender"),
        (
            "notification quarantined",
            Some(paid),
            "event_id expected mismatch payment_id received sender",
        ),
        ("notification rejected", None, "reason sender"),
        ("order service not notified yet", Some(not_notified), "cause event_id payment_id sender"),
        ("order service notified; the sweep will repeat it", Some(not_cleared), "cause payment_id"),
        ("sweep entry failed", Some(not_notified), "cause payment_id"),
        ("request by another route", None, "route"),
        ("request of another kind of API or of a load balancer", None, ""),
        ("provider gave no usable response", Some(asked), "cause payment_id provider reason"),
        ("provider refused", Some(refused), "code payment_id provider"),
        ("nobody paid it in time: it is not asked about any more", Some(abandoned), "payment_id"),
        (
            "swept",
            None,
            "abandoned failed left moved notified oldest_due_seconds queried rescheduled stale unknown",
        ),
    ] {
        let written = |line: &Value| {
            let of = of.map_or(Value::Null, |payment| json!(payment.id));
            line["message"] == message && line["payment_id"] == of
        };
        logged(&stack, message).await;
        let logs = stack.logs();
        let mut lines = logs.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let line = lines.rfind(written).unwrap_or_else(|| panic!("{message} in {logs}"));
        let mut names: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
        names.retain(|name| !["level", "message", "target"].contains(name));
        assert_eq!(names.join(" "), fields, "{line}");
        seen.insert((line["level"].as_str().unwrap().to_owned(), message));
    }
    let seen: BTreeSet<(&str, &str)> =
        seen.iter().map(|(level, message)| (level.as_str(), *message)).collect();
    assert_eq!(seen, documented_messages());
    let logs = stack.logs();
    let quarantined = logs.lines().find(|line| line.contains("notification quarantined")).unwrap();
    let sides = r#""mismatch":"amount","expected":"100","received":"99""#;
    assert!(quarantined.contains(sides), "{quarantined}");
}
