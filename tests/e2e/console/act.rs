//! Actions on a payment: asked for by a person, done by a function, read back from the table.

use local::{Fault, Stack};
use pay_core::domain::Provider;
use serde_json::{Value, json};

use super::form::{body, hidden};
use super::{Console, console};
use crate::stage::{Payment, own, payment};
use crate::{payctl, table};

/// The events in which an operator's actions were written down.
async fn intentions(stack: &Stack, payment: Payment) -> Vec<Value> {
    let mut events = table::events(stack, payment.id).await;
    events.retain(|event| event["sk"].as_str().unwrap().starts_with("event#operator#action."));
    events
}

async fn form(console: &Console, what: &str, payment: Payment) -> String {
    console.page(&format!("/act/{what}?id={}", payment.id)).await
}

async fn paid(stack: &Stack) -> Payment {
    let payment = payment(stack).await;
    stack.account(Provider::Stripe).unwrap().pay(payment.id, payment.amount).await.unwrap();
    payment
}

#[tokio::test]
async fn a_payment_is_queried_swept_and_closed_and_the_log_says_who_and_why() {
    let stack = own().await;
    let console = console(&stack, &[]).await;
    let account = stack.account(Provider::Stripe).unwrap();
    account.lose_webhooks(true);
    let one = paid(&stack).await;
    assert_eq!(table::record(&stack, one.id).await["status"], 0);
    let buttons = console.page(&format!("/payment/{}", one.id)).await;
    for what in ["query", "close", "sweep"] {
        assert!(buttons.contains(&format!("action=\"/act/{what}\"")), "{what} in {buttons}");
    }
    assert!(!buttons.contains("action=\"/act/refund\""), "{buttons}");

    let page = form(&console, "query", one).await;
    assert!(page.contains("It moves no money.") && page.contains("maxlength=\"1024\""), "{page}");
    let note = "the payer <b>sent</b> a receipt\u{202e}";
    let done = console.sent(&page, "/act/query", &[("note", note)]).await;
    assert!(done.contains("The providers were asked by ada at <time"), "{done}");
    assert!(done.contains(">paid</span>") && !done.contains("<b>sent"), "{done}");
    assert!(done.contains("the payer &lt;b&gt;sent&lt;/b&gt; a receipt\\u{202e}"), "{done}");
    assert_eq!(table::record(&stack, one.id).await["status"], 1);
    let [event] = &intentions(&stack, one).await[..] else { panic!("one action") };
    assert_eq!((&event["by"], &event["about"]), (&json!("ada"), &json!("query")));
    assert_eq!((&event["status_before"], &event["status_after"]), (&json!(0), &json!(0)));

    let two = payment(&stack).await;
    let page = form(&console, "close", two).await;
    assert!(page.contains("It cannot be undone"), "{page}");
    let done = console.sent(&page, "/act/close", &[("note", "a duplicate order")]).await;
    assert!(done.contains("A close was asked for by ada"), "{done}");
    let status = table::record(&stack, two.id).await["status"].clone();
    assert!(status == 3 && done.contains(">closed</span>"), "{status}: {done}");
    let page = form(&console, "close", two).await;
    assert!(page.contains("Only a payment that is pending or failed can be closed."), "{page}");
    assert!(!page.contains("method=\"post\""), "{page}");

    let (three, four) = (paid(&stack).await, paid(&stack).await);
    let page = form(&console, "sweep", three).await;
    let done = console.sent(&page, "/act/sweep", &[("note", "now")]).await;
    assert!(done.contains("What was due was done by ada"), "{done}");
    assert_eq!(table::record(&stack, three.id).await["status"], 1);
    assert_eq!(table::record(&stack, four.id).await["status"], 0);
    let history = payctl::ok(&stack, &["history", &three.id.to_string()]).await;
    assert!(
        history.contains("operator/action.sweep.") && history.contains("ada  now"),
        "{history}"
    );
    payctl::ok(&stack, &["audit"]).await;
}

#[tokio::test]
async fn a_form_is_one_refund_of_exactly_what_was_written() {
    let stack = own().await;
    let console = console(&stack, &[]).await;
    let payment = paid(&stack).await;
    let trade = || stack.account(Provider::Stripe).unwrap().trade(payment.id).unwrap();
    let page = form(&console, "refund", payment).await;
    assert!(page.contains("Amount in CNY") && page.contains("console-"), "{page}");
    for (amount, why) in [
        ("0.305", "at most 2 decimals"),
        ("-1", "at most 2 decimals"),
        ("1e-1", "at most 2 decimals"),
        ("0", "is no amount of a payment"),
        ("1.01", "101 minor units are more than the 100"),
    ] {
        let got = console.send(&page, "/act/refund", &[("note", "x"), ("amount", amount)]).await;
        assert!(
            [400, 409].contains(&got.status) && got.text.contains(why),
            "{amount}: {}",
            got.text
        );
    }
    let reason = "é".repeat(41);
    let got = console.send(&page, "/act/refund", &[("note", "x"), ("reason", &reason)]).await;
    assert!(got.status == 400 && got.text.contains("at most 80 bytes"), "{}", got.text);
    assert_eq!(console.send(&page, "/act/refund", &[]).await.status, 400);
    assert!(trade().refunds.is_empty() && intentions(&stack, payment).await.is_empty());

    let fields = [("note", "one was broken"), ("amount", "0.3"), ("reason", "damaged")];
    for _ in 0..2 {
        let done = console.sent(&page, "/act/refund", &fields).await;
        assert!(done.contains("A refund was asked for by ada at <time"), "{done}");
        assert!(done.contains("0.30 CNY") && done.contains(">succeeded</span>"), "{done}");
        assert_eq!((trade().refunded(), trade().refunds.len()), (30, 1));
    }
    assert_eq!(intentions(&stack, payment).await.len(), 1);
    let got = console.send(&page, "/act/refund", &[("note", "another"), ("amount", "0.3")]).await;
    assert!(got.text.contains("This form was sent before, with another note"), "{}", got.text);
    // The rest, unless it is said.
    let page = form(&console, "refund", payment).await;
    assert!(page.contains("0.70 CNY"), "{page}");
    for _ in 0..2 {
        let done = console.sent(&page, "/act/refund", &[("note", "all"), ("amount", "")]).await;
        assert!(done.contains("0.70 CNY") && done.contains(">refunded</span>"), "{done}");
        assert_eq!((trade().refunded(), trade().refunds.len()), (100, 2));
    }
    assert_eq!(table::record(&stack, payment.id).await["status"], 4);
    payctl::ok(&stack, &["audit"]).await;
}

#[tokio::test]
async fn what_was_to_be_done_is_kept_before_a_function_is_called() {
    let stack = own().await;
    let console = console(&stack, &[]).await;
    let account = stack.account(Provider::Stripe).unwrap();
    account.lose_webhooks(true);
    let payment = paid(&stack).await;
    let page = form(&console, "query", payment).await;
    account.set_fault("stripe:search", Fault::Status(503), Some(1)).unwrap();
    let got = console.send(&page, "/act/query", &[("note", "asked")]).await;
    assert_eq!(got.status, 502, "{}", got.text);
    assert!(got.text.contains("503") && got.text.contains("Nothing is done twice"), "{}", got.text);
    assert_eq!(intentions(&stack, payment).await.len(), 1);
    // The same form goes on.
    let done = console.sent(&page, "/act/query", &[("note", "asked")]).await;
    assert!(done.contains(">paid</span>"), "{done}");
    assert_eq!(intentions(&stack, payment).await.len(), 1);
    // Without a key of ours nothing is written.
    let mut fields = hidden(&page, "/act/query");
    fields.retain(|(name, _)| name != "key");
    fields.extend([("key".to_owned(), "x".to_owned()), ("note".to_owned(), "x".to_owned())]);
    assert_eq!(console.post("/act/query", body(&fields)).await.status, 400);
    assert_eq!(intentions(&stack, payment).await.len(), 1);
    payctl::ok(&stack, &["audit"]).await;
}
