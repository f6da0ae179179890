//! The shop of the local stack, over HTTPS and with its faults.

use std::time::Duration;

use local::{Fault, ShopRoute, Stack, client, clock, tokens};
use serde_json::{Value, json};

use crate::echo::{eventually, stack};

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
async fn the_shop_responds_over_https_to_clients_that_trust_its_ca() {
    let stack = stack().await;
    let user = call(&stack, ShopRoute::UserInfo, &json!({"id": 1})).await.unwrap();
    assert_eq!(user.0, 200);
    let (status, order) = call(&stack, ShopRoute::OrderDetail, &json!({"id": 1})).await.unwrap();
    let order: Value = serde_json::from_str(&order).unwrap();
    assert_eq!(status, 200);
    let unpaid = json!({"id": 1, "uid": 1, "pid": 1, "amount": 100, "status": 0, "times_paid": 0});
    assert_eq!(order, unpaid);
    let absent = call(&stack, ShopRoute::OrderDetail, &json!({"id": 9})).await.unwrap();
    let text = "rpc error: code = Code(100) desc = Order does not exist";
    assert_eq!(absent, (400, text.to_owned()));

    let untrusting = client::client("").unwrap();
    let url = format!("{}{}", stack.users, ShopRoute::UserInfo.path());
    assert!(untrusting.post(url).send().await.is_err(), "the certificate is from our own CA");
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
        (drip, right.clone()),
        (delay, right.clone()),
    ] {
        shop.set_fault(route, fault, Some(1));
        assert_eq!(call(&stack, route, &order).await, want, "{fault:?}");
        assert_eq!(call(&stack, route, &order).await, right, "after {fault:?}");
    }
    shop.set_fault(route, Fault::WrongId, None);
    let (_, wrong) = call(&stack, route, &order).await.unwrap();
    assert!(wrong.contains(r#""id":2"#), "{wrong}");
    shop.clear_faults();
    assert_eq!(call(&stack, route, &order).await, right);

    let calls = shop.calls(route);
    shop.set_fault(route, Fault::Hang, None);
    tokio::select! {
        response = call(&stack, route, &order) => panic!("{response:?}"),
        () = eventually("the call hangs", || shop.calls(route) > calls) => {}
    }
}

#[tokio::test]
async fn a_lost_response_has_had_its_effect_and_a_reset_has_not() {
    let stack = stack().await;
    let shop = stack.shop();
    let body = json!({"id": 1, "status": 1, "pay_id": 7, "amount": 100});
    shop.set_fault(ShopRoute::OrderPaid, Fault::Reset, Some(1));
    assert_eq!(call(&stack, ShopRoute::OrderPaid, &body).await, None);
    assert_eq!(shop.order(1).unwrap().status, 0);
    shop.set_fault(ShopRoute::OrderPaid, Fault::LoseResponse, Some(1));
    assert_eq!(call(&stack, ShopRoute::OrderPaid, &body).await, None);
    assert_eq!(shop.order(1).unwrap().status, 1);
    assert_eq!(call(&stack, ShopRoute::OrderPaid, &body).await, Some((200, "{}".to_owned())));
    assert_eq!((shop.times_paid(1), shop.order_notifications().len()), (1, 2));
    assert_eq!(shop.order_notifications()[0].pay_id, Some(7));
}
