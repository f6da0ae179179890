//! Providers are queried, through the real function over HTTPS: no payment is lost with its webhook.

mod faults;
mod refunds;

use local::simulator::Account;
use local::simulator::ledger::Trade;
use local::{Fault, Stack};
use pay_core::domain::Provider;
use serde_json::{Value, json};

use crate::stage::{Payment, own, payment, shown};
use crate::sweep::sweep_all;
use crate::{api, payctl, table};

/// The name of the call that asks a provider about a payment by our reference.
const fn point(provider: Provider) -> &'static str {
    match provider {
        Provider::Stripe => "stripe:search",
        Provider::WeChat => "wechat:payment",
        Provider::Alipay => "alipay:query",
    }
}

/// A provider on a stack, all of whose webhooks are lost.
fn deaf(stack: &Stack, provider: Provider) -> &Account {
    let account = stack.account(provider).unwrap();
    account.lose_webhooks(true);
    account
}

/// The events of a payment: sender's id and verdict of each.
async fn verdicts(stack: &Stack, payment: Payment) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let event = |event: &Value| {
        let key = text(&event["sk"]);
        (key.rsplit('#').next().unwrap().to_owned(), text(&event["verdict"]))
    };
    table::events(stack, payment.id).await.iter().map(event).collect()
}

/// 10: paid once, the order service notified once, as by a webhook; a webhook that comes later is a
/// duplicate.
#[tokio::test]
async fn a_payment_whose_webhook_is_lost_is_found_by_the_sweep() {
    let stack = own().await;
    for &provider in Provider::ALL {
        let account = deaf(&stack, provider);
        let payment = payment(&stack).await;
        account.pay(payment.id, payment.amount).await.unwrap();
        assert_eq!(shown(&stack, payment).await["status"], 0, "{provider:?}");
        let swept = sweep_all(&stack).await;
        assert_eq!((&swept["moved"], &swept["queried"]), (&json!(1), &json!(0)), "{provider:?}");
        let now = shown(&stack, payment).await;
        let source = provider.source().get();
        assert_eq!((&now["status"], &now["source"]), (&json!(1), &json!(source)), "{provider:?}");
        assert_eq!(stack.shop().times_paid(payment.oid), 1);
        assert!(!table::is_due(&stack, payment.id).await);
        let txn = account.trade(payment.id).unwrap().transaction;
        assert_eq!(table::record(&stack, payment.id).await["provider_txn"], txn.as_str());
        let events = verdicts(&stack, payment).await;
        assert!(
            events.contains(&(format!("query.paid.{txn}"), "applied".to_owned())),
            "{events:?}"
        );

        account.lose_webhooks(false);
        let webhook = account.webhooks().pop().unwrap();
        account.send(&webhook).await.unwrap();
        let events = verdicts(&stack, payment).await;
        assert!(events.iter().any(|(_, verdict)| verdict == "duplicate"), "{events:?}");
        assert_eq!(stack.shop().times_paid(payment.oid), 1);
        let swept = sweep_all(&stack).await;
        assert_eq!((&swept["moved"], &swept["queried"]), (&json!(0), &json!(0)), "{provider:?}");
    }
    payctl::ok(&stack, &["audit"]).await;
}

/// 11: quarantined once, however often it is asked about.
#[tokio::test]
async fn a_response_that_does_not_fit_is_quarantined_once() {
    let stack = own().await;
    for &provider in Provider::ALL {
        let account = deaf(&stack, provider);
        let payment = payment(&stack).await;
        account.pay(payment.id, payment.amount - 1).await.unwrap();
        for _ in 0..3 {
            assert_eq!(sweep_all(&stack).await["queried"], 1, "{provider:?}");
        }
        assert_eq!(shown(&stack, payment).await["status"], 0, "{provider:?}");
        assert_eq!(table::quarantined(&stack, payment.id).await, 1, "{provider:?}");
        let events = table::events(&stack, payment.id).await;
        let event = events.iter().find(|event| event["verdict"] == "quarantined").unwrap();
        assert_eq!((&event["mismatch"], &event["received"]), (&json!("amount"), &json!("99")));
        // A person decides.
        let name = event["sk"].as_str().unwrap().replace("event#", "").replacen('#', "/", 1);
        let name = format!("{}/{name}", payment.id);
        let accept = ["quarantine", "accept", &name, "--note", "a coupon", "--by", "ada"];
        payctl::ok(&stack, &accept).await;
        assert_eq!(shown(&stack, payment).await["status"], 1, "{provider:?}");
    }
}

/// 12: one move, however they meet.
#[tokio::test]
async fn a_query_and_a_webhook_at_the_same_time_pay_once() {
    let stack = own().await;
    for &provider in Provider::ALL {
        for _ in 0..3 {
            let account = deaf(&stack, provider);
            let payment = payment(&stack).await;
            account.pay(payment.id, payment.amount).await.unwrap();
            account.lose_webhooks(false);
            let webhook = account.webhooks().pop().unwrap();
            let (swept, sent) = tokio::join!(sweep_all(&stack), account.send(&webhook));
            sent.unwrap();
            assert_eq!(swept["failed"], 0, "{provider:?}");
            let applied = verdicts(&stack, payment).await;
            let applied = applied.iter().filter(|(_, verdict)| verdict == "applied").count();
            assert_eq!(applied, 1, "{provider:?}");
            sweep_all(&stack).await;
            assert!(!table::is_due(&stack, payment.id).await, "{provider:?}");
        }
    }
}

/// 13: unpaid now, and nothing more: the payer may scan a minute later.
#[tokio::test]
async fn a_payment_that_a_provider_does_not_know_stays_pending() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let created = table::record(&stack, payment.id).await;
    let due = |record: &Value| record["due"].as_u64().unwrap();
    assert_eq!(due(&created), created["create_time"].as_u64().unwrap() + 300_000);
    let mut last = 0;
    for attempts in 1..=3 {
        assert_eq!(sweep_all(&stack).await["queried"], 1);
        let record = table::record(&stack, payment.id).await;
        assert_eq!((&record["status"], &record["attempts"]), (&json!(0), &json!(attempts)));
        assert_eq!(record["version"], created["version"]);
        assert!(due(&record) > last);
        last = due(&record);
    }
    let events = verdicts(&stack, payment).await;
    assert!(events.iter().all(|(_, verdict)| verdict == "ignored"), "{events:?}");
    // Each state once.
    assert_eq!(events.len(), Provider::ALL.len(), "{events:?}");
    for &provider in Provider::ALL {
        assert_eq!(stack.account(provider).unwrap().calls(point(provider)), 3, "{provider:?}");
    }
}

/// What is open, on its way or closed there.
#[tokio::test]
async fn each_state_at_the_provider_does_what_its_row_says() {
    let stack = own().await;
    for &provider in Provider::ALL {
        let account = deaf(&stack, provider);
        let [open, closed] = [payment(&stack).await, payment(&stack).await];
        account.open(open.id, open.amount).unwrap();
        account.open(closed.id, closed.amount).unwrap();
        account.close(closed.id).await.unwrap();
        sweep_all(&stack).await;
        assert_eq!(shown(&stack, open).await["status"], 0, "{provider:?}");
        assert_eq!(shown(&stack, closed).await["status"], 3, "{provider:?}");
        assert!(!table::is_due(&stack, closed.id).await, "{provider:?}");
        account.pay(open.id, open.amount).await.unwrap();
        sweep_all(&stack).await;
        assert_eq!(shown(&stack, open).await["status"], 1, "{provider:?}");
    }
}

/// 17: a status never falls.
#[tokio::test]
async fn a_paid_payment_that_a_provider_calls_unpaid_stays_as_it_is() {
    let stack = own().await;
    for &provider in Provider::ALL {
        let account = stack.account(provider).unwrap();
        let payment = payment(&stack).await;
        account.pay(payment.id, payment.amount).await.unwrap();
        let before = table::record(&stack, payment.id).await;
        assert_eq!(before["status"], 1, "{provider:?}");
        let trade = account.trade(payment.id).unwrap();
        let open = Trade::new(trade.payment, trade.transaction, trade.amount, trade.time_secs);
        account.put(open);
        let text = payctl::ok(&stack, &["query", &payment.id.to_string()]).await;
        // WeChat Pay knows a transaction once it is paid.
        assert!(text.contains("open") || text.contains("absent"), "{text}");
        assert_eq!(table::record(&stack, payment.id).await, before, "{provider:?}");
    }
}

#[tokio::test]
async fn an_operator_asks_now_and_sees_what_came() {
    let stack = own().await;
    let account = deaf(&stack, Provider::WeChat);
    let payment = payment(&stack).await;
    account.pay(payment.id, payment.amount).await.unwrap();
    let id = payment.id.to_string();
    let text = payctl::ok(&stack, &["query", &id]).await;
    let txn = account.trade(payment.id).unwrap().transaction;
    for line in [
        "stripe: payment by our reference: absent".to_owned(),
        "wechat: payment by our reference: paid".to_owned(),
        format!("  query.paid.{txn}: applied"),
        format!("payment {id}: paid, 0 refunded"),
    ] {
        assert!(text.contains(&line), "{line}: {text}");
    }
    // By the transaction, and only where it was collected.
    let (code, json) = payctl::run(&stack, &["query", &id, "--json"]).await;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, json["queries"].as_array().unwrap().len()), (0, 1), "{json}");
    assert_eq!(json["queries"][0]["query"], "payment by its transaction");
    assert_eq!(json["queries"][0]["reports"][0]["verdict"], "duplicate");
    let (code, text) = payctl::run(&stack, &["query", "7"]).await;
    assert!(code == 1 && text.contains("payment-not-found"), "{text}");
}

/// A message that is not authentic makes nobody ask.
#[tokio::test]
async fn nothing_is_asked_because_of_a_forged_message() {
    let stack = own().await;
    let account = deaf(&stack, Provider::Stripe);
    let payment = payment(&stack).await;
    account.pay(payment.id, payment.amount).await.unwrap();
    let webhook = account.webhooks().pop().unwrap();
    let sent = api::post(&stack, "callback/stripe").json(&webhook.content);
    let sent = sent.header("stripe-signature", "t=1,v1=00").send().await;
    sent.problem("bad-signature");
    assert_eq!(account.calls("stripe:search") + account.calls("stripe:payment-intent"), 0);
}

/// The fault that a provider's response has.
fn fault(stack: &Stack, provider: Provider, fault: Fault, times: Option<usize>) {
    stack.account(provider).unwrap().set_fault(point(provider), fault, times).unwrap();
}
