//! Signatures of every odd kind over a native message.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use local::{clock, defaults, signing};
use pay_core::domain::Digest;

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
    let tag = BASE64.decode(base64).unwrap();
    let hex = Digest::new(tag.clone().try_into().unwrap()).to_string();
    let mut refused = vec![
        changed(2, format!("v1,{hex}")),
        changed(2, format!("v1,{}", hex.to_uppercase())),
        changed(2, format!("v1={base64}")),
        changed(2, format!("V1,{base64}")),
        changed(2, format!("v1,{}", BASE64.encode(&tag[..31]))),
        changed(2, format!("v1,{}", BASE64.encode([&tag[..], b"x"].concat()))),
        changed(1, format!("0{}", good[1].1)),
        changed(1, format!("{}.0", good[1].1)),
        changed(1, "18446744073709551616".to_owned()),
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

/// Signed is signed: whatever is in the id that no header forbids.
#[tokio::test]
async fn an_id_may_be_odd_and_a_message_of_no_use_is_taken() {
    let stack = shared();
    let payment = payment(stack).await;
    for id in ["a.b", "a.1800000000.b", "..", "a/b#c", "a b", &"x".repeat(300)] {
        let message = api::post(stack, "callback").json(&payment.message(1, 2));
        message.signed_as(id, clock::now_secs()).send().await.ok();
    }
    for entry in table::events(stack, payment.id).await {
        let key = entry["sk"].as_str().unwrap();
        assert!(key.len() <= 256 && key.bytes().all(|byte| byte.is_ascii_graphic()), "{key}");
    }
}

#[tokio::test]
async fn a_signature_of_stripes_is_64_lower_case_digits() {
    let stack = shared();
    let body = r#"{"id":"evt_odd","object":"event","type":"of.no.kind","data":{"object":{}}}"#;
    let now = clock::now_secs();
    let [(name, good)] = signing::stripe(defaults::STRIPE_SECRET, now, body.as_bytes());
    let send =
        |value: &str| api::post(stack, "callback/stripe").text(body).header(name, value).send();
    let tag = good.rsplit('=').next().unwrap();
    // A kind that nobody knows is thanked for.
    for fine in [good.clone(), format!("{good},v0={tag}"), format!("v9=x,{good},v1=x,")] {
        assert_eq!(send(&fine).await.ok(), serde_json::json!({}), "{fine}");
    }
    for bad in [
        String::new(),
        good.replace(tag, &tag.to_uppercase()),
        good.replace("v1=", "v0="),
        good.replace("v1=", "V1="),
        good.replace("v1=", "v1:"),
        good.replace(tag, tag.split_at(62).0),
        format!("{good}00"),
        format!("{good}, {good}"),
        format!("{good},t={now}"),
        format!("{good},t=1"),
        good.replace("t=", "t=-"),
        good.replace("t=", "t=0"),
        good.replace(&now.to_string(), &format!("{now}000")),
        good.replace(&now.to_string(), &format!("1{}", "0".repeat(30))),
        good.replace(&format!("t={now},"), ""),
    ] {
        send(&bad).await.problem("bad-signature");
    }
    for (secs, fits) in
        [(now - 290, true), (now + 299, true), (now - 301, false), (now + 320, false)]
    {
        let [(_, value)] = signing::stripe(defaults::STRIPE_SECRET, secs, body.as_bytes());
        assert_eq!(send(&value).await.status, if fits { 200 } else { 401 }, "{secs}");
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
