//! Odd signatures of native notifications.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use local::{clock, signing};

use crate::api::{self, Request};
use crate::stage::{assert_unharmed, payment, pids, shared};
use crate::table;

/// The three headers of a notification signed now.
fn headers(body: &str) -> [(&'static str, String); 3] {
    let secret = shared().standard_secret().unwrap();
    signing::standard(secret, "msg_odd", clock::now_secs(), body.as_bytes()).unwrap()
}

fn send<'a>(body: &str, headers: &[(&str, String)]) -> Request<'a> {
    // A valid token does not help: where a header of the scheme is, the signature alone decides.
    api::post(shared(), "callback").service().text(body).headers(headers)
}

#[tokio::test]
async fn an_invalid_signature_is_rejected_and_changes_nothing() {
    let stack = shared();
    let before = pids(stack);
    let payment = payment(stack).await;
    let body = payment.native(1, 1).to_string();
    let good = headers(&body);
    let changed = |at: usize, value: String| {
        let mut headers = good.clone();
        headers[at].1 = value;
        headers
    };
    let signature = good[2].1.clone();
    let base64 = signature.trim_start_matches("v1,");
    // One of each kind; the tests of `pay_providers::standard` have every case.
    let rejected = [
        changed(0, String::new()),
        changed(0, "msg_other".to_owned()),
        changed(0, "msg_odd,msg_odd".to_owned()),
        changed(1, format!("0{}", good[1].1)),
        changed(1, format!("{}000", good[1].1)),
        changed(1, "-1".to_owned()),
        changed(2, String::new()),
        changed(2, base64.to_owned()),
        changed(2, format!("v1,{}", hex::encode(BASE64.decode(base64).unwrap()))),
        changed(2, format!("v1,{}", BASE64.encode([7; 32]))),
        changed(2, format!("v2,{base64}")),
        changed(2, format!("{signature},{signature}")),
    ];
    for headers in &rejected {
        let response = send(&body, headers).send().await;
        assert_eq!(response.status, 401, "{headers:?}: {}", response.body);
        response.problem("bad-signature");
    }
    for missing in good.clone().map(|(name, _)| name) {
        send(&body, &good).without(missing).send().await.problem("bad-signature");
        // One of the headers makes all of them required.
        let alone: Vec<_> = good.iter().filter(|(name, _)| *name == missing).cloned().collect();
        send(&body, &alone).send().await.problem("bad-signature");
        let (_, value) = alone[0].clone();
        send(&body, &good).header(missing, &value).send().await.problem("bad-signature");
    }
    // The same JSON in another notation has another signature, and so has another source.
    for other in [body.replace(':', ": "), payment.native(2, 1).to_string()] {
        send(&other, &good).send().await.problem("bad-signature");
    }
    assert_eq!(table::record(stack, payment.id).await["version"], 1);
    assert_eq!(table::events(stack, payment.id).await.len(), 0);
    // Further signatures of unknown versions are ignored.
    let several = changed(2, format!("v9,x {signature} v1,AAAA"));
    send(&body, &several).send().await.ok();
    assert_unharmed(stack, &before);
}

#[tokio::test]
async fn a_signature_counts_for_five_minutes_either_way() {
    let stack = shared();
    let payment = payment(stack).await;
    let native = payment.native(1, 2);
    let now = clock::now_secs();
    let at = |timestamp: u64| api::post(stack, "callback").json(&native).signed_as("m", timestamp);
    // A second may pass while the request is in transit: a little inside the window, and outside.
    for inside in [now - 290, now, now + 299] {
        at(inside).send().await.ok();
    }
    for outside in [now - 301, now - 3600, now + 320, 0] {
        at(outside).send().await.problem("bad-signature");
    }
}

/// The id is whatever a header may contain.
#[tokio::test]
async fn an_odd_event_id_is_accepted_and_its_key_is_clean() {
    let stack = shared();
    let payment = payment(stack).await;
    for id in ["a.b", "a.1800000000.b", "..", "a/b#c", "a b", &"x".repeat(300)] {
        let callback = api::post(stack, "callback").json(&payment.native(1, 2));
        callback.signed_as(id, clock::now_secs()).send().await.ok();
    }
    for entry in table::events(stack, payment.id).await {
        let key = entry["sk"].as_str().unwrap();
        assert!(key.len() <= 256 && key.bytes().all(|byte| byte.is_ascii_graphic()), "{key}");
    }
}

#[tokio::test]
async fn a_notification_of_exactly_the_limit_is_accepted_signed_and_in_base64() {
    let stack = shared();
    let payment = payment(stack).await;
    let mut native = payment.native(1, 2);
    let bare = native.to_string().len();
    let filler = callback::BODY_MAX - bare - r#","filler":"""#.len();
    native["filler"] = serde_json::json!("x".repeat(filler));
    assert_eq!(native.to_string().len(), callback::BODY_MAX);
    let request = api::post(stack, "callback").json(&native).signed();
    request.clone().send().await.ok();
    api::send_event(stack, "callback", &request.event()).await.ok();
    let kept = &table::events(stack, payment.id).await[0];
    assert_eq!(kept["len"], callback::BODY_MAX);
}
