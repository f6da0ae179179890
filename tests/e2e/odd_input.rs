//! Whatever comes in, the answer is one of ours, and no function dies of it.

mod tokens;
mod webhooks;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::api::{self, send_event};
use crate::stage::{assert_unharmed, fresh, payment, pids, shared, user};

#[tokio::test]
async fn what_is_not_one_json_object_is_refused() {
    let stack = shared();
    let before = pids(stack);
    let uid = user(stack);
    let oid = stack.shop().add_order(uid, 100);
    let good = format!(r#""uid":{uid},"oid":{oid},"amount":100"#);
    let nested = format!(r#"{{{good},"x":{}{}}}"#, "[".repeat(33), "]".repeat(33));
    let with = |rest: &str| format!("{{{good}{rest}}}").into_bytes();
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        format!("[{uid},{oid},100]").into_bytes(),
        b"\"text\"".to_vec(),
        b"{".to_vec(),
        [b"\xef\xbb\xbf".to_vec(), with("")].concat(),
        [with(""), b"x".to_vec()].concat(),
        [with(""), b"{}".to_vec()].concat(),
        with(r#","amount":100"#),
        with(r#","x":1,"x":1"#),
        with(r#","x":{"a":1,"a":2}"#),
        with(r#","x":"\ud800""#),
        with(r#","x":1e400"#),
        with(",\"x\":\"\u{0}\""),
        [format!("{{{good},\"x\":\"").into_bytes(), b"\xff\"}".to_vec()].concat(),
        format!("{{{good}}}").encode_utf16().flat_map(u16::to_be_bytes).collect(),
        nested.into_bytes(),
        "[".repeat(60_000).into_bytes(),
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body).chars().take(80).collect::<String>();
        let answer = api::post(stack, "create").payer(uid).text(body).send().await;
        assert_eq!(answer.status, 400, "{shown}: {}", answer.body);
        answer.problem("invalid-request");
    }
    // Unknown names are nobody's business, as in the replaced service.
    let ignored = with(r#","x":[[{"y":null}]],"Uid":0"#);
    api::post(stack, "create").payer(uid).text(ignored).send().await.ok();
    assert_unharmed(stack, &before);
}

#[tokio::test]
async fn every_field_has_its_type_and_its_range() {
    let stack = shared();
    let before = pids(stack);
    let payment = payment(stack).await;
    let odd = [
        "0",
        "-1",
        "-0",
        "9007199254740992",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "1.0",
        "1.5",
        "3e2",
        "1e-1",
        "\"1\"",
        "null",
        "true",
        "[1]",
        "{}",
    ];
    let routes: [(&str, Value, &[&str]); 4] = [
        ("create", payment.request(), &["uid", "oid", "amount"]),
        ("detail", json!({"id": payment.id}), &["id"]),
        ("list", json!({"limit": 1}), &["limit", "cursor"]),
        ("callback", payment.message(1, 1), &["id", "uid", "oid", "amount"]),
    ];
    for (operation, good, names) in routes {
        for name in names {
            for value in odd {
                let mut body = good.clone();
                body[name] = json!("PLACE");
                let text = body.to_string().replace("\"PLACE\"", value);
                let request = api::post(stack, operation).text(text);
                let by = if operation == "callback" {
                    request.service()
                } else {
                    request.payer(payment.uid)
                };
                let problem = by.send().await.problem("invalid-request");
                let detail = problem["detail"].as_str().unwrap();
                let named =
                    detail.contains(&format!("`{name}`")) || value == "18446744073709551616";
                assert!(named, "{operation} {name}={value}: {detail}");
            }
        }
    }
    assert_unharmed(stack, &before);
}

#[tokio::test]
async fn what_is_out_of_its_own_range_is_refused() {
    let stack = shared();
    let payment = payment(stack).await;
    for (name, value) in [
        ("amount", json!(4_294_967_296_u64)),
        ("source", json!(256)),
        ("source", json!(-1)),
        ("status", json!(5)),
        ("status", json!("1")),
        ("currency", json!("cny")),
        ("currency", json!("EUX")),
        ("currency", json!(156)),
        ("provider_txn", json!("")),
        ("provider_txn", json!("a b")),
        ("provider_txn", json!("x".repeat(129))),
    ] {
        let mut body = payment.message(1, 1);
        body[name] = value.clone();
        let answer = api::post(stack, "callback").service().json(&body).send().await;
        assert_eq!(answer.status, 400, "{name}={value}: {}", answer.body);
    }
    for (name, value) in [("limit", 101), ("limit", 0), ("cursor", 0)] {
        let body = json!({ name: value });
        let request = api::post(stack, "list").payer(payment.uid).json(&body);
        request.send().await.problem("invalid-request");
    }
    // Nothing of all that moved it.
    assert_eq!(crate::table::record(stack, payment.id).await["version"], 1);
}

#[tokio::test]
async fn only_plain_utf8_json_is_taken() {
    let stack = shared();
    let uid = user(stack);
    let send = |content_type: Option<&str>, encoding: Option<&str>| {
        let request = api::post(stack, "detail").payer(uid).bytes(r#"{"id":1}"#);
        let headers = [("content-type", content_type), ("content-encoding", encoding)];
        headers
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| (name, value)))
            .fold(request, |request, (name, value)| request.header(name, value))
            .send()
    };
    for good in [
        "application/json",
        "Application/Json;Charset=UTF-8",
        "application/json; charset=\"utf-8\"",
    ] {
        send(Some(good), None).await.problem("payment-not-found");
    }
    for bad in [
        "",
        "text/plain",
        "text/json",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "application/json; charset=gbk",
        "application/jsonp",
        "*/*",
    ] {
        send(Some(bad), None).await.problem("unsupported-media-type");
    }
    send(None, None).await.problem("unsupported-media-type");
    for encoding in ["gzip", "identity", "br"] {
        let answer = send(Some("application/json"), Some(encoding)).await;
        answer.problem("unsupported-media-type");
    }
}

#[tokio::test]
async fn a_body_comes_plain_or_in_base64() {
    let stack = shared();
    let before = pids(stack);
    let uid = user(stack);
    let request = api::post(stack, "detail").payer(uid).text(r#"{"id":12}"#);
    let mut event = request.event();
    // No length that a stranger's gateway may leave unpadded is wrong.
    event["body"] = json!(BASE64.encode(r#"{"id":123}"#));
    assert!(event["body"].as_str().unwrap().ends_with('='));
    send_event(stack, "detail", &event).await.problem("payment-not-found");
    let unpadded = event["body"].as_str().unwrap().trim_end_matches('=').to_owned();
    event["body"] = json!(unpadded);
    send_event(stack, "detail", &event).await.problem("payment-not-found");
    for junk in ["%%%", "e30", "a", "====", "e30=\n", "ÿ"] {
        event["body"] = json!(junk);
        send_event(stack, "detail", &event).await.problem("invalid-request");
    }
    event["body"] = Value::Null;
    send_event(stack, "detail", &event).await.problem("invalid-request");
    assert_unharmed(stack, &before);
}

#[tokio::test]
async fn an_odd_event_of_the_api_is_answered() {
    let stack = shared();
    let before = pids(stack);
    let request = api::post(stack, "detail").payer(fresh()).text(r#"{"id":1}"#);
    let event = request.event();
    let changed = |path: &str, value: Value| {
        let mut event = event.clone();
        *event.pointer_mut(path).unwrap() = value;
        event
    };
    // What lambda_http's own conversion dies of.
    let mut odd_but_fine = vec![
        changed("/rawQueryString", json!("a=<script>")),
        changed("/rawQueryString", json!("x".repeat(70 * 1024))),
        changed("/rawPath", json!("//..//%ff")),
    ];
    for (name, value) in [
        ("x-forwarded-proto", "https,https"),
        ("host", "a b<c>:99999"),
        ("x-forwarded-port", "not a port"),
        ("cookie", "a=b; c"),
    ] {
        let mut event = event.clone();
        event["headers"][name] = json!(value);
        odd_but_fine.push(event);
    }
    for event in odd_but_fine {
        send_event(stack, "detail", &event).await.problem("payment-not-found");
    }
    let unreadable = [
        changed("/version", json!("1.0")),
        changed("/version", Value::Null),
        changed("/headers", json!({"x": "a\u{1}b"})),
        changed("/headers", json!({"x y": "a"})),
        changed("/headers", json!([])),
        changed("/body", json!(5)),
        changed("/requestContext", json!({})),
        changed("/requestContext", json!("x")),
        // A load balancer's, and a REST API's.
        json!({"requestContext": {"elb": {}}, "httpMethod": "POST", "path": "/", "body": "{}"}),
        json!({"requestContext": {"stage": "prod"}, "resource": "/", "httpMethod": "POST"}),
    ];
    for function in ["create", "detail", "callback"] {
        for event in &unreadable {
            send_event(stack, function, event).await.problem("invalid-request");
        }
    }
    assert_unharmed(stack, &before);
}

#[tokio::test]
async fn an_event_of_another_service_is_a_clear_refusal() {
    let stack = shared();
    let before = pids(stack);
    let records = json!({"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": "x"}}}]});
    for event in [
        Value::Null,
        json!([]),
        json!([{"requestContext": {}}]),
        json!(1),
        json!("ping"),
        json!({}),
        json!({"source": "serverless-plugin-warmup"}),
        json!({"requestContext": null}),
        records,
    ] {
        for function in ["create", "detail", "callback"] {
            api::refused(stack, function, &event, "invalid-request").await;
        }
    }
    assert_unharmed(stack, &before);
}

#[tokio::test]
async fn other_methods_and_paths_are_the_gateways_to_refuse() {
    let stack = shared();
    let client = crate::echo::http();
    let url = |path: &str| format!("{}{path}", stack.api);
    for request in [
        client.get(url("/api/pay/create")),
        client.put(url("/api/pay/detail")),
        client.post(url("/api/pay/create/")),
        client.post(url("/prod/api/pay/create")),
        client.post(url("/api/pay")),
        client.post(url("/api/pay/callback/stripe/x")),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 404);
        assert_eq!(answer.text().await.unwrap(), r#"{"message":"Not Found"}"#);
    }
}
