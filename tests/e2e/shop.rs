//! The shop of the local stack, over HTTPS and with its faults.

use std::time::Duration;

use local::{Fault, ShopRoute, Stack, StackOptions, client, clock, tokens};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::echo::{options, stack};

/// Calls the shop as our functions do; `None` if the connection failed.
async fn call(stack: &Stack, route: ShopRoute, body: &Value) -> Option<(u16, String)> {
    let ca = std::fs::read_to_string(&stack.ca_file).unwrap();
    let scope = Some(tokens::SERVICE_SCOPE);
    let token = tokens::issue(&stack.access_secret, 1, scope, clock::now_secs());
    let request = client::client(&ca)
        .unwrap()
        .post(format!("{}{}", stack.orders, route.path()))
        .header("authorization", format!("Bearer {token}"))
        .header("idempotency-key", "key")
        .body(body.to_string());
    let response = request.send().await.ok()?;
    Some((response.status().as_u16(), response.text().await.ok()?))
}

#[tokio::test]
async fn the_certificate_of_the_shop_is_from_a_ca_of_its_own() {
    let stack = stack().await;
    let user = call(&stack, ShopRoute::UserInfo, &json!({"id": 1})).await.unwrap();
    assert_eq!(user.0, 200);
    let untrusting = client::client("").unwrap();
    let url = format!("{}{}", stack.users, ShopRoute::UserInfo.path());
    assert!(untrusting.post(url).send().await.is_err());
}

/// As Python 3.13 and later verify by themselves: by the letter of RFC 5280.
const STRICT: &str = "
import ssl, sys, urllib.request
trust = ssl.create_default_context(cafile=sys.argv[2])
trust.verify_flags |= ssl.VERIFY_X509_STRICT
try:
    urllib.request.urlopen(sys.argv[1], b'{}', context=trust, timeout=60)
except urllib.error.HTTPError as error:
    print(error.code)
";

#[tokio::test]
async fn a_client_that_verifies_strictly_trusts_the_certificate_of_the_shop() {
    let stack = stack().await;
    let url = format!("{}{}", stack.users, ShopRoute::UserInfo.path());
    let mut python = Command::new("python3");
    python.args(["-c", STRICT, &url, stack.ca_file.to_str().unwrap()]);
    let output = python.env_remove("SSL_CERT_FILE").output().await.unwrap();
    let (shown, errors) = (output.stdout, String::from_utf8(output.stderr).unwrap());
    // Without a token, but over a connection.
    assert_eq!(String::from_utf8(shown).unwrap(), "401\n", "{errors}");
}

#[tokio::test]
async fn a_route_fails_as_scripted_and_only_so_often() {
    let stack = stack().await;
    let shop = stack.shop();
    let route = ShopRoute::OrderDetail;
    let order = json!({"id": 1});
    let right = call(&stack, route, &order).await;
    let drip = Fault::Drip(Duration::from_millis(1));
    let delay = Fault::Delay(Duration::from_millis(1));
    for (fault, want) in [
        (Fault::Status(503), Some((503, String::new()))),
        (Fault::Reset, None),
        (Fault::LoseResponse, None),
        (Fault::Garbage, Some((200, "<html>".to_owned()))),
        (
            Fault::ErrorEnvelope,
            Some((
                200,
                r#"{"code":13,"msg":"rpc error: code = Internal desc = deadlock"}"#.to_owned(),
            )),
        ),
        (drip, right.clone()),
        (delay, right.clone()),
    ] {
        shop.set_fault(route, fault, Some(1));
        assert_eq!(call(&stack, route, &order).await, want, "{fault:?}");
        assert_eq!(call(&stack, route, &order).await, right, "after {fault:?}");
    }
}

#[tokio::test]
async fn users_and_orders_go_on_after_a_restart_with_data() {
    let directory = tempfile::tempdir().unwrap();
    let started = async || {
        let options = StackOptions { data: Some(directory.path().to_owned()), ..options().await };
        Stack::start(options).await
    };
    let first = started().await.unwrap();
    let (_, user) = call(&first, ShopRoute::UserRegister, &json!({})).await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&user).unwrap()["id"], 2);
    let order = json!({"uid": 2, "pid": 1, "amount": 5, "status": 0});
    assert_eq!(call(&first, ShopRoute::OrderCreate, &order).await.unwrap().1, r#"{"id":2}"#);
    let paid = json!({"id": 2, "status": 1, "pay_id": 7, "amount": 5});
    assert_eq!(call(&first, ShopRoute::OrderPaid, &paid).await.unwrap().1, "{}");

    // Both would write one table and one shop.
    let error = format!("{:#}", started().await.unwrap_err());
    let path = directory.path().display();
    let cure = "stop it, or choose another directory with --data";
    assert_eq!(error, format!("{path} is in use by another stack: {cure}"));

    first.stop().await.unwrap();
    let second = started().await.unwrap();
    let (_, shown) = call(&second, ShopRoute::OrderDetail, &json!({"id": 2})).await.unwrap();
    let kept = json!({"id": 2, "uid": 2, "pid": 1, "amount": 5, "status": 1, "times_paid": 1});
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), kept);
    assert_eq!(call(&second, ShopRoute::OrderCreate, &order).await.unwrap().1, r#"{"id":3}"#);
}
