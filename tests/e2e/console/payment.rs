//! The page of a payment.

use local::messages::Outcome;
use pay_core::domain::Provider;
use serde_json::json;

use super::{console, encoded, item, pending, quarantined};
use crate::providers::{deliver_edited, message};
use crate::stage::{notify, own, payment};
use crate::{api, payctl, table};

/// What `payctl history` names as the events of a payment, oldest first.
async fn events(stack: &local::Stack, id: u64) -> Vec<String> {
    let text = payctl::ok(stack, &["history", &id.to_string(), "--json"]).await;
    let history: serde_json::Value = serde_json::from_str(&text).unwrap();
    let events = history["events"].as_array().unwrap().iter();
    events.map(|event| event["event"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_payment_is_shown_with_all_that_happened() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let checkout = json!({"id": payment.id, "provider": "wechat", "method": "native"});
    api::post(&stack, "checkout").payer(payment.uid).json(&checkout).send().await.ok();
    stack.account(Provider::WeChat).unwrap().pay(payment.id, payment.amount).await.unwrap();
    // The same once more, and money of another provider's.
    notify(&stack, payment, 2, 1).await.ok();
    deliver_edited(&stack, Provider::Stripe, &message(payment, Outcome::Paid), |_| ()).await;
    let refund = json!({"id": payment.id, "amount": 30, "reason": "one piece <broken>"});
    let refund =
        api::post(&stack, "refund").refunder().header("idempotency-key", "k").json(&refund);
    let refund = refund.send().await.ok();

    let console = console(&stack, &[]).await;
    let page =
        console.page(&format!("/payment/{}?found=order%20{}", payment.id, payment.oid)).await;
    let record = table::record(&stack, payment.id).await;
    let transaction = record["provider_txn"].as_str().unwrap();
    for shown in [
        &format!("Found by order {}.", payment.oid),
        "title=\"100 minor units\">1.00 CNY",
        "title=\"30 minor units\">0.30 CNY",
        &format!("data-copy=\"{transaction}\""),
        "https://pay.weixin.qq.com/",
        &format!("href=\"/find?q={}\"", payment.oid),
        &format!("href=\"/payments?uid={}\"", payment.uid),
        "class=\"word well\">paid",
        "class=\"word well\">notified",
        "WeChat Pay native",
        &format!("data-copy=\"{}\"", refund["refund_id"].as_str().unwrap()),
        "one piece &lt;broken&gt;",
        "pending → <span class=\"word well\">paid",
        "class=\"word ill\">quarantined",
        "reference: expected",
    ] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    // Each event is a row, in the order of the command, and leads to its message.
    let events = events(&stack, payment.id).await;
    assert!(events.len() >= 6, "{events:?}");
    let mut rest = page.split_once("<h2>Timeline</h2>").unwrap().1;
    for event in &events {
        let link = format!("/message?name={}", encoded(event));
        rest = rest.split_once(&link).unwrap_or_else(|| panic!("{link} in {page}")).1;
        let message = console.page(&link).await;
        assert!(message.contains("class=\"word well\">the same"), "{message}");
        assert!(message.contains(&format!("href=\"/payment/{}\"", payment.id)), "{message}");
    }
    assert_eq!(page.matches("<a href=\"/message?name=").count(), events.len());
    let quarantined = events.iter().find(|event| event.contains("/stripe/")).unwrap();
    let decide = format!("/decide?name={}", encoded(quarantined));
    assert!(
        page.contains(&decide)
            && console
                .page(&format!("/message?name={}", encoded(quarantined)))
                .await
                .contains(&decide)
    );
    for nowhere in ["/payment/7", "/payment/0", "/payment/x", "/message?name=7/stripe/evt_7"] {
        assert_eq!(console.get(nowhere).await.status, 404, "{nowhere}");
    }
    assert_eq!(console.get("/message?name=evt_7").await.status, 400);
}

#[tokio::test]
async fn an_unreadable_item_stops_no_other_one() {
    let stack = own().await;
    let payment = payment(&stack).await;
    notify(&stack, payment, 1, 1).await.ok();
    let pk = format!("pay#{}", payment.id);
    table::set(&stack, &pk, "record", "amount", json!({"S": "many"})).await;
    table::put(
        &stack,
        json!({"pk": {"S": pk}, "sk": {"S": "event#stripe#odd"}, "at": {"N": "0.5"}}),
    )
    .await;
    table::put(&stack, json!({"pk": {"S": pk}, "sk": {"S": "what ever"}})).await;
    let console = console(&stack, &[]).await;
    let page = console.page(&format!("/payment/{}", payment.id)).await;
    for shown in [
        "The record is unreadable: amount is no whole number",
        ">many<",
        "class=\"word well\">applied",
    ] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    let events = events(&stack, payment.id).await;
    assert_eq!(events.len(), 3, "{events:?}");
    for event in events {
        let link = format!("/message?name={}", encoded(&event));
        assert!(page.contains(&link), "{link} in {page}");
        console.page(&link).await;
    }
}

#[tokio::test]
async fn a_long_timeline_is_shown_in_parts_that_are_the_whole() {
    let stack = own().await;
    let mut items = vec![item(&pending(7, 7, 1_700_000_000_000))];
    let at = |number: u64| 1_700_000_000_000 + number;
    // Their keys are in another order than their times.
    let id = |number: u64| format!("evt_{:03}", (number * 7) % 300);
    items.extend((0..300).map(|number| item(&quarantined(7, &id(number), at(number), b"{}"))));
    table::put_all(&stack, &items).await;
    let console = console(&stack, &[]).await;
    let (mut path, mut seen, mut pages) = ("/payment/7".to_owned(), Vec::new(), 0);
    loop {
        let page = console.page(&path).await;
        let links = page.split("<a href=\"/message?name=7%2Fstripe%2F").skip(1);
        let names: Vec<_> = links.map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
        // Oldest first on each page, and older ones on the next.
        seen.splice(0..0, names);
        pages += 1;
        let Some((before, _)) = page.split_once("\">The older ") else { break };
        path = before.rsplit("href=\"").next().unwrap().replace("&amp;", "&");
    }
    assert_eq!(seen, (0..300).map(id).collect::<Vec<_>>());
    assert!(pages > 2, "{pages}");
    assert_eq!(console.get("/payment/7?before=7/stripe/none").await.status, 404);

    // More than three reads give, since each has its body: the record is there, and the page says what is not.
    let body = [b'x'; 16 * 1024];
    let large: Vec<_> =
        (0..250).map(|number| item(&quarantined(8, &id(number), at(number), &body))).collect();
    table::put_all(&stack, &large).await;
    table::put_all(&stack, &[item(&pending(8, 7, 1_700_000_000_000))]).await;
    let page = console.page("/payment/8").await;
    assert!(
        page.contains("more items than a page reads") && page.contains("<h2>Record</h2>"),
        "{page}"
    );
}
