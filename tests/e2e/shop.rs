//! The shop of the local stack, over HTTPS and with its faults.

use std::time::Duration;

use local::{Fault, ShopRoute, Stack, client, clock, tokens};
use serde_json::{Value, json};

use crate::echo::stack;

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
