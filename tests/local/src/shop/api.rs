//! The responses of the mall's HTTP APIs, in the words of go-zero.

use std::collections::BTreeSet;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{Order, OrderPaidCall, OrderRefundedCall, Shop, ShopRoute, State};
use crate::{clock, tokens};

/// Status and body; an error's body is text.
pub(super) type Response = (StatusCode, String);

/// The response to one call.
pub(super) fn response(
    shop: &Shop,
    route: ShopRoute,
    authorization: Option<&str>,
    key: Option<String>,
    body: &[u8],
) -> Response {
    let mut state = shop.lock();
    if !is_service(&state.access_secret, authorization) {
        return (StatusCode::UNAUTHORIZED, String::new());
    }
    let Ok(request) = serde_json::from_slice::<Value>(body) else {
        return (StatusCode::BAD_REQUEST, "unexpected end of JSON input".to_owned());
    };
    let result = match route {
        ShopRoute::UserRegister => Ok(register(&mut state)),
        ShopRoute::UserInfo => user_info(&state, &request),
        ShopRoute::OrderCreate => create(&mut state, &request),
        ShopRoute::OrderDetail => detail(&state, &request),
        ShopRoute::OrderPaid => paid(&mut state, &request, key),
        ShopRoute::OrderRefunded => refunded(&mut state, &request, key),
        ShopRoute::OrderUpdate => update(&mut state, &request),
    };
    let changes = match route {
        ShopRoute::UserInfo | ShopRoute::OrderDetail => false,
        ShopRoute::UserRegister
        | ShopRoute::OrderCreate
        | ShopRoute::OrderPaid
        | ShopRoute::OrderRefunded
        | ShopRoute::OrderUpdate => result.is_ok(),
    };
    if changes && let Err(error) = state.keep() {
        return (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}"));
    }
    match result {
        Ok(response) => (StatusCode::OK, response.to_string()),
        // As go-zero passes a gRPC status with a code of its own on to an HTTP caller.
        Err(GrpcError { code, text }) => {
            (StatusCode::BAD_REQUEST, format!("rpc error: code = Code({code}) desc = {text}"))
        }
    }
}

/// An error of the shop, with its gRPC code.
struct GrpcError {
    code: u16,
    text: &'static str,
}

/// What the mall responds about a user or an order that does not exist.
const fn absent(text: &'static str) -> GrpcError {
    GrpcError { code: 100, text }
}

/// Whether the call carries a token of a service; a payer's is not enough.
fn is_service(access_secret: &str, authorization: Option<&str>) -> bool {
    let Some((scheme, token)) = authorization.and_then(|value| value.split_once(' ')) else {
        return false;
    };
    let claims = tokens::verify(access_secret, token, clock::now_secs());
    let scoped = |claims: &Value| {
        let scope = claims.get("scope").and_then(Value::as_str).unwrap_or_default();
        scope.split(' ').any(|scope| scope == tokens::SERVICE_SCOPE)
    };
    scheme.eq_ignore_ascii_case("bearer") && claims.is_ok_and(|claims| scoped(&claims))
}

fn optional(request: &Value, key: &str) -> Option<u64> {
    request.get(key).and_then(Value::as_u64)
}

fn number(request: &Value, key: &str) -> u64 {
    optional(request, key).unwrap_or(0)
}

const NO_ORDER: GrpcError = absent("Order does not exist");

fn user_info(state: &State, request: &Value) -> Result<Value, GrpcError> {
    let id = number(request, "id");
    if !state.users.contains(&id) {
        return Err(absent("User does not exist"));
    }
    Ok(user(id))
}

/// Adds a user, whatever is asked about name and password: the shop knows users by their ids.
fn register(state: &mut State) -> Value {
    let id = state.users.last().map_or(1, |last| last.saturating_add(1));
    state.users.insert(id);
    user(id)
}

fn user(id: u64) -> Value {
    json!({"id": id, "name": format!("user {id}"), "gender": 1, "mobile": "13800000000"})
}

fn create(state: &mut State, request: &Value) -> Result<Value, GrpcError> {
    let uid = number(request, "uid");
    if !state.users.contains(&uid) {
        return Err(absent("User does not exist"));
    }
    let id = state.orders.last_key_value().map_or(1, |(last, _)| last.saturating_add(1));
    let order = Order {
        id,
        uid,
        pid: number(request, "pid"),
        amount: number(request, "amount"),
        status: number(request, "status"),
    };
    state.orders.insert(id, order);
    Ok(json!({"id": id}))
}

fn detail(state: &State, request: &Value) -> Result<Value, GrpcError> {
    let order = state.orders.get(&number(request, "id")).ok_or(NO_ORDER)?;
    let Order { id, uid, pid, amount, status } = order;
    // One field more than the mall has, for callers outside this process.
    let times_paid = state.keys.get(id).map_or(0, BTreeSet::len);
    Ok(json!({
        "id": id, "uid": uid, "pid": pid, "amount": amount, "status": status,
        "times_paid": times_paid,
    }))
}

/// Sets the members that are there, as the mall does.
fn update(state: &mut State, request: &Value) -> Result<Value, GrpcError> {
    let order = state.orders.get_mut(&number(request, "id")).ok_or(NO_ORDER)?;
    order.uid = optional(request, "uid").unwrap_or(order.uid);
    order.pid = optional(request, "pid").unwrap_or(order.pid);
    order.amount = optional(request, "amount").unwrap_or(order.amount);
    order.status = optional(request, "status").unwrap_or(order.status);
    Ok(json!({}))
}

/// Marks an order as paid, if the amount is the order's. A payment that paid it already is
/// acknowledged again, whatever has become of the order since.
fn paid(state: &mut State, request: &Value, key: Option<String>) -> Result<Value, GrpcError> {
    let oid = number(request, "id");
    let order = state.orders.get_mut(&oid).ok_or(NO_ORDER)?;
    let (pay_id, amount) = (optional(request, "pay_id"), optional(request, "amount"));
    let keys = state.keys.entry(oid).or_default();
    if amount != Some(order.amount) && !keys.contains(&key) {
        return Err(GrpcError { code: 102, text: "The amount is not that of the order" });
    }
    order.status = 1;
    let counted = keys.insert(key.clone());
    state.order_notifications.push(OrderPaidCall { oid, pay_id, amount, key, counted });
    Ok(json!({}))
}

/// Books a refund of an order, once a key. The shop has heard that the order was paid by that payment.
fn refunded(state: &mut State, request: &Value, key: Option<String>) -> Result<Value, GrpcError> {
    let oid = number(request, "id");
    if !state.orders.contains_key(&oid) {
        return Err(NO_ORDER);
    }
    let (pay_id, amount) = (optional(request, "pay_id"), optional(request, "amount"));
    let refund_id = request.get("refund_id").and_then(Value::as_str).map(str::to_owned);
    let paid_by = state.keys.get(&oid).zip(pay_id);
    if !paid_by.is_some_and(|(keys, id)| keys.contains(&Some(id.to_string()))) {
        return Err(GrpcError { code: 103, text: "The order is not paid by that payment" });
    }
    let (Some(of), Some(amount_minor)) = (key.clone(), amount) else {
        return Err(GrpcError { code: 104, text: "A refund has a key and an amount" });
    };
    let refunds = state.refunds.entry(oid).or_default();
    let counted = !refunds.contains_key(&of);
    if *refunds.entry(of).or_insert(amount_minor) != amount_minor {
        return Err(GrpcError { code: 105, text: "The key is that of another amount" });
    }
    state.refund_notifications.push(OrderRefundedCall {
        oid,
        pay_id,
        refund_id,
        amount,
        refunded: optional(request, "refunded"),
        key,
        counted,
    });
    Ok(json!({}))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Shop, ShopRoute, StatusCode, response};
    use crate::faults::Faults;
    use crate::{clock, tokens};

    fn token(scope: Option<&str>) -> String {
        format!("bearer {}", tokens::issue("secret", 1, scope, clock::now_secs()))
    }

    #[test]
    fn what_is_absent_is_reported_in_the_words_of_go_zero() {
        let shop = Shop::new("secret", Faults::default());
        let token = token(Some(tokens::SERVICE_SCOPE));
        for (route, text) in [
            (ShopRoute::UserInfo, "User does not exist"),
            (ShopRoute::OrderDetail, "Order does not exist"),
            (ShopRoute::OrderPaid, "Order does not exist"),
            (ShopRoute::OrderRefunded, "Order does not exist"),
            (ShopRoute::OrderUpdate, "Order does not exist"),
        ] {
            let found = response(&shop, route, Some(&token), None, br#"{"id":2}"#);
            assert_eq!(
                found,
                (StatusCode::BAD_REQUEST, format!("rpc error: code = Code(100) desc = {text}"))
            );
        }
    }

    #[test]
    fn only_a_services_token_is_let_in() {
        let shop = Shop::new("secret", Faults::default());
        let ask = |token: Option<&str>| {
            response(&shop, ShopRoute::UserInfo, token, None, br#"{"id":1}"#).0
        };
        assert_eq!(ask(Some(&token(Some("pay:callback pay:service")))), 200);
        assert_eq!(ask(Some(&token(Some("pay:callback")))), 401);
        assert_eq!(ask(Some(&token(None))), 401);
        assert_eq!(ask(Some("Basic x")), 401);
        assert_eq!(ask(None), 401);
    }

    #[test]
    fn a_user_who_registers_gets_the_next_id_and_can_order() {
        let shop = Shop::new("secret", Faults::default());
        let token = token(Some(tokens::SERVICE_SCOPE));
        let send = |route, body: &Value| {
            let (status, text) =
                response(&shop, route, Some(&token), None, body.to_string().as_bytes());
            assert_eq!(status, StatusCode::OK, "{text}");
            serde_json::from_str::<Value>(&text).unwrap()
        };
        let registered = send(ShopRoute::UserRegister, &json!({"name": "b", "password": "p"}));
        assert_eq!(registered["id"], 2);
        assert_eq!(send(ShopRoute::UserInfo, &json!({"id": 2})), registered);
        let order = json!({"uid": 2, "pid": 1, "amount": 5, "status": 0});
        assert_eq!(send(ShopRoute::OrderCreate, &order), json!({"id": 2}));
        assert_eq!(send(ShopRoute::UserRegister, &json!({}))["id"], 3);
    }

    #[test]
    fn an_order_is_paid_by_its_own_amount_only() {
        let shop = Shop::new("secret", Faults::default());
        let token = token(Some(tokens::SERVICE_SCOPE));
        let send = |route, key: &str, body: &Value| {
            let body = body.to_string();
            response(&shop, route, Some(&token), Some(key.to_owned()), body.as_bytes())
        };
        let pay = |key: &str, amount: Value| {
            send(ShopRoute::OrderPaid, key, &json!({"id": 1, "pay_id": 7, "amount": amount}))
        };
        let other = "rpc error: code = Code(102) desc = The amount is not that of the order";
        for amount in [json!(99), json!(101), json!("100"), Value::Null] {
            assert_eq!(pay("7", amount), (StatusCode::BAD_REQUEST, other.to_owned()));
        }
        assert_eq!((shop.order(1).unwrap().status, shop.times_paid(1)), (0, 0));
        let done = (StatusCode::OK, "{}".to_owned());
        assert_eq!(pay("7", json!(100)), done);
        assert_eq!((shop.order(1).unwrap().status, shop.times_paid(1)), (1, 1));
        // The same payment again, after the price has changed.
        assert_eq!(send(ShopRoute::OrderUpdate, "", &json!({"id": 1, "amount": 120})), done);
        let order = shop.order(1).unwrap();
        assert_eq!((order.uid, order.pid, order.amount, order.status), (1, 1, 120, 1));
        assert_eq!(pay("7", json!(100)), done);
        assert_eq!(pay("8", json!(100)).0, StatusCode::BAD_REQUEST);
        assert_eq!(shop.times_paid(1), 1);
    }

    #[test]
    fn a_refund_counts_once_a_key_and_after_the_order_was_paid() {
        let shop = Shop::new("secret", Faults::default());
        let token = token(Some(tokens::SERVICE_SCOPE));
        let send = |route, key: &str, body: &str| {
            response(&shop, route, Some(&token), Some(key.to_owned()), body.as_bytes()).0
        };
        let refund = |key: &str, pay_id: u64, amount: u64| {
            let body = json!({"id": 1, "pay_id": pay_id, "refund_id": key, "amount": amount,
                "refunded": 30});
            send(ShopRoute::OrderRefunded, key, &body.to_string())
        };
        assert_eq!(refund("7_a", 7, 30), StatusCode::BAD_REQUEST);
        assert_eq!(send(ShopRoute::OrderPaid, "7", r#"{"id":1,"pay_id":7,"amount":100}"#), 200);
        assert_eq!(refund("7_a", 8, 30), StatusCode::BAD_REQUEST);
        assert_eq!(
            (refund("7_a", 7, 30), refund("7_a", 7, 30), refund("7_b", 7, 30)),
            (StatusCode::OK, StatusCode::OK, StatusCode::OK)
        );
        assert_eq!(refund("7_a", 7, 31), StatusCode::BAD_REQUEST);
        assert_eq!(shop.given_back(1), [30, 30]);
        let calls = shop.refund_notifications();
        let counted: Vec<_> = calls.iter().map(|call| call.counted).collect();
        assert_eq!(counted, [true, false, true]);
        assert_eq!((calls[0].refund_id.as_deref(), calls[0].refunded), (Some("7_a"), Some(30)));
    }

    #[test]
    fn an_order_notification_counts_once_a_key() {
        let shop = Shop::new("secret", Faults::default());
        let token = token(Some(tokens::SERVICE_SCOPE));
        let body = br#"{"id":1,"status":1,"pay_id":7,"amount":100}"#;
        for key in ["7", "7", "8"] {
            let key = Some(key.to_owned());
            let found = response(&shop, ShopRoute::OrderPaid, Some(&token), key, body);
            assert_eq!(found, (StatusCode::OK, "{}".to_owned()));
        }
        let calls = shop.order_notifications();
        let counted: Vec<bool> = calls.iter().map(|call| call.counted).collect();
        assert_eq!(counted, [true, false, true]);
        assert_eq!(shop.times_paid(1), 2);
        let (_, shown) =
            response(&shop, ShopRoute::OrderDetail, Some(&token), None, br#"{"id":1}"#);
        assert_eq!(
            serde_json::from_str::<Value>(&shown).unwrap(),
            json!({"id": 1, "uid": 1, "pid": 1, "amount": 100, "status": 1, "times_paid": 2})
        );
    }
}
