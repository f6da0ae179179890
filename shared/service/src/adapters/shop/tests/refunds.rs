//! The refund notification.

use pay_core::domain::{ProviderRef, Refund, RefundId, RefundState, Refunds, Status};

use super::*;

/// A refund of 30 of a payment of which 40 went back.
fn refunded() -> (Payment, Refund) {
    let payment = Payment::pending(
        PaymentId::new(5).unwrap(),
        UserId::new(1).unwrap(),
        OrderId::new(7).unwrap(),
        Amount::new(100, Currency::new("EUR").unwrap()).unwrap(),
        now(),
    );
    let refunds = Refunds { sum: 40, total: 0, pending: 9 };
    let refund = Refund {
        payment: payment.id,
        id: RefundId::new("5_0123456789abcdef").unwrap(),
        taken_from: ProviderRef::NONE,
        provider_refund: None,
        reference: None,
        amount_minor: 30,
        state: RefundState::Succeeded,
        request: None,
        due: None,
        create_time: now(),
        update_time: now(),
    };
    (Payment { status: Status::Paid, refunds, ..payment }, refund)
}

async fn notify_refunded(orders: &HttpOrders<Fixed>) -> Result<(), ShopError> {
    let (payment, refund) = refunded();
    orders.notify_refunded(&payment, &refund, &trace()).await
}

#[tokio::test]
async fn a_refund_notification_is_sent_as_the_contract_says() {
    let server = Server::start([respond(204, ""), respond(404, ""), respond(500, "")]);
    let orders = orders(&server);
    assert!(orders.hears_of_refunds());
    notify_refunded(&orders).await.unwrap();
    let [request] = server.requests().try_into().unwrap();
    assert!(request.starts_with("POST /api/order/refunded?canary=1 HTTP/1.1\r\n"), "{request}");
    let body = r#"{"amount":30,"id":7,"pay_id":5,"refund_id":"5_0123456789abcdef","refunded":40}"#;
    assert!(request.ends_with(&format!("\r\n\r\n{body}")), "{request}");
    assert_eq!(header(&request, "content-type"), Some("application/json"));
    assert_eq!(header(&request, "traceparent"), Some(TRACE));
    // Two refunds of one payment are two notifications.
    assert_eq!(header(&request, "idempotency-key"), Some("5_0123456789abcdef"));
    let (token, key) = (header(&request, "authorization"), Fixed::available().0.unwrap());
    let rules = TokenRules::default();
    assert_eq!(auth::service(token, &key, &rules, SHOP_SCOPE, now()), Ok(()));

    assert!(matches!(notify_refunded(&orders).await, Err(ShopError::Absent)));
    let why = "the response has status 500 Internal Server Error";
    assert_eq!(cause(notify_refunded(&orders).await), why);
    assert_eq!(server.requests().len(), 3);
}

/// A repeat has the same key.
#[tokio::test]
async fn a_broken_connection_is_replaced_once() {
    let server = Server::start([Act::Reset, respond(200, "")]);
    notify_refunded(&orders(&server)).await.unwrap();
    let [first, second] = server.requests().try_into().unwrap();
    assert_eq!(first, second);
}

#[tokio::test]
async fn without_a_url_nothing_is_sent() {
    let server = Server::start([]);
    let orders = HttpOrders { refunded: None, ..orders(&server) };
    assert!(!orders.hears_of_refunds());
    notify_refunded(&orders).await.unwrap();
    assert!(server.requests().is_empty());
}
