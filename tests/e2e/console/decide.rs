//! Decisions on quarantined messages, made and read back.

use local::Stack;
use local::messages::{Message, Outcome};
use pay_core::domain::Provider;
use serde_json::json;

use super::{console, encoded};
use crate::stage::{Payment, own, payment};
use crate::{api, payctl, table};

/// A note that does harm where it is more than text.
const HOSTILE: &str = "the provider has 100\n<script>alert(1)</script>\u{202e}\u{1b}[2J";

/// A payment of 100, and the name of a quarantined notification that reports 99 as paid.
pub(super) async fn short(stack: &Stack) -> (Payment, String) {
    let payment = payment(stack).await;
    let account = stack.account(Provider::Stripe).unwrap();
    account.pay(payment.id, 99).await.unwrap();
    (payment, waiting(stack, payment).await)
}

/// The name of the one notification of a payment that waits.
async fn waiting(stack: &Stack, payment: Payment) -> String {
    let events = table::events(stack, payment.id).await;
    let waiting: Vec<_> = events.iter().filter(|event| event.get("queue").is_some()).collect();
    let [event] = waiting[..] else { panic!("{events:?}") };
    let (_, name) = event["sk"].as_str().unwrap().split_once('#').unwrap();
    format!("{}/{}", payment.id, name.replacen('#', "/", 1))
}

fn path_of(name: &str) -> String {
    format!("/decide?name={}", encoded(name))
}

#[tokio::test]
async fn an_underpayment_is_found_compared_and_accepted() {
    let stack = own().await;
    let (payment, name) = short(&stack).await;
    let console = console(&stack, &[]).await;
    let list = console.page("/quarantine?reason=amount&provider=stripe").await;
    assert!(list.contains(&format!("href=\"{}\"", path_of(&name))), "{list}");
    assert!(list.contains("<h2>amount · 1 message</h2>"), "{list}");
    for other in ["reason=currency", "provider=alipay", "from=2100-01-01"] {
        let list = console.page(&format!("/quarantine?{other}")).await;
        assert!(list.contains("Nothing in quarantine fits the filter"), "{other}: {list}");
    }
    let page = console.page(&path_of(&name)).await;
    for shown in [
        "amount: expected <span class=\"money\" title=\"100 minor units\">1.00 CNY</span>, received <span",
        "<strong>differs</strong>",
        "with its own amount of",
        "although the message reports",
        "0.99",
        "Give the money back",
        "The message has no effect",
    ] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    assert!(!page.contains("Accept onto a payment"), "{page}");
    // The server checks, too.
    for note in ["", "  \n", &"é".repeat(1025)] {
        let got = console.send(&page, "/decide/accept", &[("note", note)]).await;
        assert!(
            got.status == 400 && got.text.contains("A note has 1 to 1024 characters"),
            "{note}"
        );
    }
    assert_eq!(table::record(&stack, payment.id).await["status"], 0);
    let done = console.sent(&page, "/decide/accept", &[("note", HOSTILE)]).await;
    assert!(done.contains("Accepted by ada at <time"), "{done}");
    assert!(done.contains(&format!(">{}</a> is paid.", payment.id)), "{done}");
    assert!(
        done.contains(
            "the provider has 100\n&lt;script&gt;alert(1)&lt;/script&gt;\\u{202e}\\u{1b}[2J"
        ),
        "{done}"
    );
    assert!(!done.contains("<script>alert") && !done.contains("method=\"post\""), "{done}");
    assert_eq!(table::record(&stack, payment.id).await["status"], 1);
    assert!(done.contains("The sweep looks at the payment at <time"), "{done}");
    let pk = format!("pay#{}", payment.id);
    table::set(&stack, &pk, "record", "due", json!({"N": "1700000000000"})).await;
    let late = console.page(&path_of(&name)).await;
    assert!(late.contains("The next sweep looks at the payment"), "{late}");
    crate::sweep::sweep_all(&stack).await;
    assert_eq!(stack.shop().times_paid(payment.oid), 1);
    let done = console.page(&path_of(&name)).await;
    assert!(done.contains("The order service was notified at <time"), "{done}");
    assert!(console.page("/quarantine").await.contains("Nothing waits."));
    payctl::ok(&stack, &["audit"]).await;
}

#[tokio::test]
async fn who_comes_second_learns_who_decided_when_and_why() {
    let stack = own().await;
    let (payment, name) = short(&stack).await;
    let console = console(&stack, &[]).await;
    let page = console.page(&path_of(&name)).await;
    let first = ["quarantine", "dismiss", &name, "--by", "bob", "--note", "<b>not ours</b>"];
    payctl::ok(&stack, &first).await;
    for path in ["/decide/accept", "/decide/refund", "/decide/dismiss"] {
        let lost = console.send(&page, path, &[("note", "x")]).await;
        assert_eq!(lost.status, 409, "{path}: {}", lost.text);
        for shown in [
            "Dismissed by bob at 2",
            ": &lt;b&gt;not ours&lt;/b&gt;",
            "Somebody else decided first, so your decision was not made.",
            "What became of the message",
        ] {
            assert!(lost.text.contains(shown), "{path}: {shown} in {}", lost.text);
        }
    }
    let now = console.page(&path_of(&name)).await;
    assert!(now.contains("Dismissed by bob at <time") && !now.contains("method=\"post\""), "{now}");
    assert_eq!(table::record(&stack, payment.id).await["status"], 0);
    assert!(stack.account(Provider::Stripe).unwrap().trade(payment.id).unwrap().refunds.is_empty());
}

#[tokio::test]
async fn money_in_quarantine_goes_back_and_a_message_is_dismissed() {
    let stack = own().await;
    let console = console(&stack, &[]).await;
    let (payment, name) = short(&stack).await;
    let page = console.page(&path_of(&name)).await;
    assert!(page.contains("goes back to the payer at Stripe, from the transaction"), "{page}");
    let done = console.sent(&page, "/decide/refund", &[("note", "too little")]).await;
    assert!(done.contains("Refunded by ada at <time") && done.contains(": succeeded."), "{done}");
    assert_eq!(stack.account(Provider::Stripe).unwrap().trade(payment.id).unwrap().refunded(), 99);
    // The same form again is the same refund.
    console.sent(&page, "/decide/refund", &[("note", "too little")]).await;
    assert_eq!(stack.account(Provider::Stripe).unwrap().trade(payment.id).unwrap().refunded(), 99);

    let (payment, name) = short(&stack).await;
    let page = console.page(&path_of(&name)).await;
    let done = console.sent(&page, "/decide/dismiss", &[("note", "a test")]).await;
    assert!(done.contains("Dismissed by ada at <time") && done.contains("is pending."), "{done}");
    assert_eq!(table::record(&stack, payment.id).await["status"], 0);
    payctl::ok(&stack, &["audit"]).await;
}

#[tokio::test]
async fn an_unmatched_message_is_accepted_onto_a_payment() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let paid = Message::new(payment.id, payment.amount, Outcome::Paid);
    let lost = paid.edited(Provider::Stripe, |event| {
        event["data"]["object"]["metadata"] = json!({});
    });
    api::from_provider(&stack, Provider::Stripe, &lost.unwrap()).send().await.ok();
    let console = console(&stack, &[]).await;
    let waiting = console.page("/quarantine").await;
    let (_, link) = waiting.split_once("href=\"/decide?name=").unwrap();
    let path = format!("/decide?name={}", link.split('"').next().unwrap());
    let page = console.page(&path).await;
    assert!(
        page.contains("It names none of ours.") && page.contains("Accept onto a payment"),
        "{page}"
    );
    for (onto, status, why) in
        [("x", 400, "needs an id"), ("7", 409, "there is no payment 7"), ("", 400, "needs an id")]
    {
        let fields = [("note", "seen"), ("payment", onto)];
        let got = console.send(&page, "/decide/accept", &fields).await;
        assert!(got.status == status && got.text.contains(why), "{onto}: {}", got.text);
    }
    let id = payment.id.to_string();
    let fields = [("note", "seen at Stripe"), ("payment", id.as_str())];
    let done = console.sent(&page, "/decide/accept", &fields).await;
    assert!(done.contains("Accepted by ada at <time"), "{done}");
    assert!(done.contains(&format!(">{id}</a> is paid.")), "{done}");
    payctl::ok(&stack, &["audit"]).await;
}

#[tokio::test]
async fn an_unreadable_message_can_only_be_dismissed() {
    let stack = own().await;
    let (payment, name) = short(&stack).await;
    let pk = format!("pay#{}", payment.id);
    let sk = format!("event#{}", name.split_once('/').unwrap().1.replacen('/', "#", 1));
    table::set(&stack, &pk, &sk, "verdict", json!({"S": "<img src=x>"})).await;
    let console = console(&stack, &[]).await;
    let list = console.page("/quarantine?reason=unreadable").await;
    assert!(list.contains(&path_of(&name)), "{list}");
    let page = console.page(&path_of(&name)).await;
    assert!(page.contains("It is unreadable, and can only be dismissed"), "{page}");
    assert!(!page.contains("/decide/accept") && !page.contains("<img"), "{page}");
    let done = console.sent(&page, "/decide/dismiss", &[("note", "odd")]).await;
    assert!(done.contains("Dismissed by ada at <time"), "{done}");
}

#[tokio::test]
async fn a_long_quarantine_is_read_page_by_page() {
    let stack = own().await;
    let console = console(&stack, &[]).await;
    let items: Vec<_> = (0..130_u64)
        .map(|number| {
            let at = 1_700_000_000_000 + number;
            super::item(&super::quarantined(7, &format!("e{number:03}"), at, b"{}"))
        })
        .collect();
    table::put_all(&stack, &items).await;
    let (mut path, mut seen) = ("/quarantine".to_owned(), Vec::new());
    let mut pages = 0;
    loop {
        let page = console.page(&path).await;
        let links = page.split("href=\"/decide?name=7%2Fstripe%2F").skip(1);
        seen.extend(links.map(|rest| rest.split('"').next().unwrap().to_owned()));
        pages += 1;
        assert!(pages < 10, "{path}");
        let Some((_, rest)) = page.split_once("href=\"/quarantine?cursor=") else { break };
        path = format!("/quarantine?cursor={}", rest.split('"').next().unwrap());
    }
    let want: Vec<_> = (0..130).map(|number| format!("e{number:03}")).collect();
    assert_eq!(seen, want);
    assert!(pages >= 2, "{pages}");
}
