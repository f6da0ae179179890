//! The doctor's page: pasted messages, and those of the log.

use local::defaults::webhook_secrets;
use local::simulator::stripe;
use serde_json::json;

use super::decide::short;
use super::{console, encoded};
use crate::stage::own;

const SECS: u64 = 1_700_000_000;

#[tokio::test]
async fn a_message_is_checked_with_keys_that_are_never_shown() {
    let stack = own().await;
    let console = console(&stack, &[]).await;
    let secrets = webhook_secrets().unwrap();
    let secret = secrets["stripe"]["secrets"][0].as_str().unwrap().to_owned();
    let body = json!({"id": "evt_<b>1</b>", "object": "event", "type": "invoice.paid"}).to_string();
    let signed = stripe::sign(&secret, SECS, body.as_bytes());
    let headers: Vec<_> = signed.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let (headers, now) = (headers.join("\r\n"), SECS.to_string());
    let page = console.page("/doctor").await;
    let given = [
        ("provider", "stripe"),
        ("headers", headers.as_str()),
        ("body", body.as_str()),
        ("now", now.as_str()),
    ];
    let check = async |more: &[(&str, &str)]| {
        let filled: Vec<_> = given.iter().chain(more).copied().collect();
        console.send(&page, "/doctor", &filled).await
    };
    let got = check(&[("keys", ""), ("use_secret", "yes")]).await;
    assert!(got.status == 200 && got.text.contains("The service accepts it"), "{}", got.text);
    assert!(!got.text.contains(&secret), "{}", got.text);
    assert!(!got.text.contains("<b>1"), "{}", got.text);
    let keys = json!({"secrets": ["whsec_another_one"]}).to_string();
    let got = check(&[("keys", &keys)]).await;
    assert!(got.status == 200 && got.text.contains("The service rejects it"), "{}", got.text);
    assert!(!got.text.contains("whsec_another_one"), "{}", got.text);
    for (keys, says) in [("", "There are no keys"), ("whsec_x", "The keys are not JSON: line 1")] {
        let got = check(&[("keys", keys)]).await;
        assert!(got.status == 400 && got.text.contains(says), "{keys}: {}", got.text);
        assert!(!got.text.contains("whsec_x"), "{}", got.text);
    }
}

#[tokio::test]
async fn a_message_of_the_log_is_checked_byte_for_byte() {
    let stack = own().await;
    let (_, name) = short(&stack).await;
    let console = console(&stack, &[]).await;
    let path = format!("/doctor?name={}", encoded(&name));
    let message = console.page(&format!("/message?name={}", encoded(&name))).await;
    assert!(message.contains(&format!("href=\"{path}\"")), "{message}");
    let page = console.page(&path).await;
    assert!(page.contains("The log does not keep headers"), "{page}");
    assert!(page.contains(" bytes of <a href=\"/message?name="), "{page}");
    let filled =
        [("provider", "stripe"), ("headers", ""), ("keys", ""), ("now", ""), ("use_secret", "yes")];
    let got = console.send(&page, "/doctor", &filled).await;
    let says = "the header stripe-signature is missing or empty";
    assert!(got.status == 200 && got.text.contains(says), "{}", got.text);
    let got = console.get("/doctor?name=7/stripe/evt_none").await;
    assert!(got.status == 404 && got.text.contains("There is no message"), "{}", got.text);
}
