//! Signatures of every odd kind over a native message.

use local::{clock, signing};

use crate::api::{self, Request};
use crate::stage::{assert_unharmed, payment, pids, shared};
use crate::table;

/// The three headers of a message signed now.
fn headers(body: &str) -> [(&'static str, String); 3] {
    let secret = shared().standard_secret().unwrap();
    signing::standard(secret, "msg_odd", clock::now_secs(), body.as_bytes()).unwrap()
}

fn send<'a>(body: &str, headers: &[(&str, String)]) -> Request<'a> {
    // A token that would do does not help: where a signature is, it alone decides.
    let request = api::post(shared(), "callback").service().text(body);
    headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

#[tokio::test]
async fn a_signature_that_does_not_count_is_refused_and_nothing_moves() {
    let stack = shared();
    let before = pids(stack);
    let payment = payment(stack).await;
    let body = payment.message(1, 1).to_string();
    let good = headers(&body);
    let changed = |at: usize, value: String| {
        let mut headers = good.clone();
        headers[at].1 = value;
        headers
    };
    let signature = good[2].1.clone();
    let base64 = signature.trim_start_matches("v1,");
    let base64url = base64.replace('+', "-").replace('/', "_");
    let mut refused = vec![
        changed(0, String::new()),
        changed(0, "msg_other".to_owned()),
        changed(0, "msg_odd,msg_odd".to_owned()),
        changed(1, String::new()),
        changed(1, "-1".to_owned()),
        changed(1, format!("1{}", "0".repeat(30))),
        changed(1, format!("{}000", good[1].1)),
        changed(1, format!("{0},{0}", good[1].1)),
        changed(1, format!("+{}", good[1].1)),
        changed(2, String::new()),
        changed(2, base64.to_owned()),
        changed(2, format!("v2,{base64}")),
        changed(2, format!("v1a,{base64}")),
        changed(2, format!("v1,{}", base64.trim_end_matches('='))),
        changed(2, format!("v1,{}", base64.split_at(8).0)),
        changed(2, format!("v1,{}", base64.to_lowercase())),
        changed(2, format!("{signature},{signature}")),
        changed(2, "v1,".to_owned()),
    ];
    if base64url != base64 {
        refused.push(changed(2, format!("v1,{base64url}")));
    }
    for headers in &refused {
        let answer = send(&body, headers).send().await;
        assert_eq!(answer.status, 401, "{headers:?}: {}", answer.body);
        answer.problem("bad-signature");
    }
    for missing in good.clone().map(|(name, _)| name) {
        send(&body, &good).without(missing).send().await.problem("bad-signature");
        // One header alone is enough to ask for all.
        let alone: Vec<_> = good.iter().filter(|(name, _)| *name == missing).cloned().collect();
        send(&body, &alone).send().await.problem("bad-signature");
        let (_, value) = alone[0].clone();
        send(&body, &good).header(missing, &value).send().await.problem("bad-signature");
    }
    // The same JSON, written otherwise, is another message.
    let rewritten = body.replace(':', ": ");
    send(&rewritten, &good).send().await.problem("bad-signature");
    assert_eq!(table::record(stack, payment.id).await["version"], 1);
    assert_eq!(table::events(stack, payment.id).await.len(), 0);
    // Further signatures that nobody knows do no harm.
    let several = changed(2, format!("v9,x {signature} v1,AAAA"));
    send(&body, &several).send().await.ok();
    assert_unharmed(stack, &before);
}

#[tokio::test]
async fn a_signature_counts_for_five_minutes_either_way() {
    let stack = shared();
    let payment = payment(stack).await;
    let message = payment.message(1, 2);
    let now = clock::now_secs();
    let at = |timestamp: u64| api::post(stack, "callback").json(&message).signed_as("m", timestamp);
    // The second may pass while the request is on its way: a little inside the window, and outside.
    for inside in [now - 290, now, now + 299] {
        at(inside).send().await.ok();
    }
    for outside in [now - 301, now + 320, 0] {
        at(outside).send().await.problem("bad-signature");
    }
}

#[tokio::test]
async fn a_message_of_exactly_the_limit_is_taken_signed_and_in_base64() {
    let stack = shared();
    let payment = payment(stack).await;
    let mut message = payment.message(1, 2);
    let bare = message.to_string().len();
    message["filler"] = serde_json::json!("x".repeat((1 << 20) - bare - r#","filler":"""#.len()));
    assert_eq!(message.to_string().len(), 1 << 20);
    let request = api::post(stack, "callback").json(&message).signed();
    request.clone().send().await.ok();
    let event = request.event();
    api::send_event(stack, "callback", &event).await.ok();
    let kept = &table::events(stack, payment.id).await[0];
    assert_eq!(kept["len"], 1 << 20);
}
