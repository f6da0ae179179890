use std::{error::Error, sync::Arc, time::Duration};

use pay_core::{
    domain::{Amount, Currency, PaymentId, Timestamp},
    ports::NoKeys,
};

use super::*;
use crate::{
    adapters::{
        https::{self, Clients},
        server::{Act, Server, header, respond, response},
    },
    auth::{self, SHOP_SCOPE, TokenRules},
};

mod envelope;
mod refunds;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const USER: &str = r#"{"id":1,"name":"x"}"#;
const ORDER: &str = r#"{"id":7,"uid":1,"amount":100,"status":0}"#;
const ABSENT: &str = "rpc error: code = Code(100) desc = no such thing";

/// Longer than any test takes: only a server that hangs makes a call wait for it.
const PATIENT: Duration = Duration::from_secs(30);
const IMPATIENT: Duration = Duration::from_millis(250);

/// Keys that can be had, or none.
struct Fixed(Option<Arc<AuthKey>>);

impl Fixed {
    fn available() -> Self {
        let secret = format!(r#"{{"access_secret":"{}"}}"#, "k".repeat(32));
        Self(Some(Arc::new(AuthKey::from_secret(&secret).unwrap())))
    }
}

impl Keys<AuthKey> for Fixed {
    async fn current(&self, _now: Timestamp) -> Result<Arc<AuthKey>, NoKeys> {
        self.0.clone().ok_or_else(|| NoKeys("none".into()))
    }

    async fn previous(&self, _now: Timestamp) -> Result<Option<Arc<AuthKey>>, NoKeys> {
        Ok(None)
    }

    async fn reread(&self, _now: Timestamp) -> Option<Arc<AuthKey>> {
        None
    }
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000).unwrap()
}

fn client(ca_pem: &str, keys: Fixed) -> ShopClient<Fixed> {
    let clients = Clients::new(Some(ca_pem)).unwrap();
    ShopClient::new(clients, Arc::new(keys), now).with_deadline(PATIENT)
}

fn users(server: &Server) -> HttpUsers<Fixed> {
    let client = client(&server.ca_pem, Fixed::available());
    HttpUsers::new(client, server.url("/api/user/userinfo?canary=1"))
}

fn orders(server: &Server) -> HttpOrders<Fixed> {
    let client = client(&server.ca_pem, Fixed::available());
    let paid = server.url("/api/order/paid?canary=1");
    let refunded = server.url("/api/order/refunded?canary=1");
    HttpOrders::new(client, server.url("/api/order/detail"), paid, Some(refunded))
}

fn trace() -> TraceParent {
    TraceParent::parse(TRACE).unwrap()
}

async fn exists(users: &HttpUsers<Fixed>) -> Result<bool, ShopError> {
    users.exists(UserId::new(1).unwrap(), &trace()).await
}

async fn find(orders: &HttpOrders<Fixed>) -> Result<Option<Order>, ShopError> {
    let (oid, payer) = (OrderId::new(7).unwrap(), UserId::new(1).unwrap());
    orders.find(oid, payer, &trace()).await
}

async fn notify(orders: &HttpOrders<Fixed>) -> Result<(), ShopError> {
    let payment = Payment::pending(
        PaymentId::new(5).unwrap(),
        UserId::new(1).unwrap(),
        OrderId::new(7).unwrap(),
        Amount::new(100, Currency::new("EUR").unwrap()).unwrap(),
        now(),
    );
    orders.notify_paid(&payment, &trace()).await
}

/// The whole cause of a response that should be [`ShopError::Unavailable`].
fn cause<T: std::fmt::Debug>(response: Result<T, ShopError>) -> String {
    let Err(ShopError::Unavailable(cause)) = response else {
        panic!("{response:?}");
    };
    let mut chain = vec![cause.to_string()];
    let mut next: Option<&dyn Error> = cause.source();
    while let Some(error) = next {
        chain.push(error.to_string());
        next = error.source();
    }
    let debug = format!("{cause:?}");
    for hidden in ["canary", "eyJ", "/api/"] {
        assert!(!debug.contains(hidden) && !chain.concat().contains(hidden), "{debug}");
    }
    chain.swap_remove(0)
}

#[tokio::test]
async fn a_call_is_sent_as_the_contract_says() {
    let server = Server::start([respond(200, USER), respond(200, ORDER), respond(204, "")]);
    assert!(exists(&users(&server)).await.unwrap());
    let orders = orders(&server);
    let order = find(&orders).await.unwrap().unwrap();
    assert_eq!((order.uid.get(), order.amount_minor, order.paid), (1, 100, false));
    notify(&orders).await.unwrap();
    let wanted = [
        ("/api/user/userinfo?canary=1", r#"{"id":1}"#, None),
        ("/api/order/detail", r#"{"id":7}"#, None),
        ("/api/order/paid?canary=1", r#"{"amount":100,"id":7,"pay_id":5,"status":1}"#, Some("5")),
    ];
    let requests = server.requests();
    assert_eq!(requests.len(), wanted.len());
    for (request, (path, body, key)) in requests.iter().zip(wanted) {
        assert!(request.starts_with(&format!("POST {path} HTTP/1.1\r\n")), "{request}");
        assert!(request.ends_with(&format!("\r\n\r\n{body}")), "{request}");
        assert_eq!(header(request, "content-type"), Some("application/json"));
        assert_eq!(header(request, "traceparent"), Some(TRACE));
        assert_eq!(header(request, "idempotency-key"), key);
        let token = header(request, "authorization");
        let key = Fixed::available().0.unwrap();
        let rules = TokenRules::default();
        assert_eq!(auth::service(token, &key, &rules, SHOP_SCOPE, now()), Ok(()));
    }
}

#[tokio::test]
async fn one_connection_serves_many_calls() {
    let script = [
        respond(200, ORDER),
        respond(404, "x"),
        respond(400, ABSENT),
        respond(204, ""),
        respond(200, "y"),
    ];
    let server = Server::start(script);
    let orders = orders(&server);
    assert!(find(&orders).await.unwrap().is_some());
    assert!(find(&orders).await.unwrap().is_none());
    assert!(find(&orders).await.unwrap().is_none());
    assert!(notify(&orders).await.is_ok());
    assert!(notify(&orders).await.is_ok());
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn the_first_call_uses_the_connection_opened_at_start() {
    let server = Server::start([respond(405, ""), respond(200, USER)]);
    let users = users(&server);
    users.warm().await;
    assert!(exists(&users).await.unwrap());
    assert_eq!(server.connections(), 1);
    assert!(server.requests()[0].starts_with("HEAD "));
    assert_eq!(header(&server.requests()[0], "authorization"), None);
}

#[tokio::test]
async fn what_does_not_exist_in_the_shop_is_absent() {
    // go-zero responds 400 up to version 1.3.4, and 500 since.
    let absent =
        [respond(404, ""), respond(404, "canary"), respond(400, ABSENT), respond(500, ABSENT)];
    for absent in absent {
        let server = Server::start(vec![absent; 3]);
        assert!(!exists(&users(&server)).await.unwrap());
        let orders = orders(&server);
        assert!(find(&orders).await.unwrap().is_none());
        assert!(matches!(notify(&orders).await, Err(ShopError::Absent)));
    }
}

#[tokio::test]
async fn any_other_response_is_unavailable_and_not_repeated() {
    let other = "rpc error: code = Code(101) desc = canary";
    for (response, why) in [
        (respond(200, r#"{"id":2,"canary":1}"#), "the response cannot be read, or has another id"),
        (respond(200, "canary"), "the response cannot be read, or has another id"),
        (respond(200, ""), "the response cannot be read, or has another id"),
        (respond(202, USER), "the response has status 202 Accepted"),
        (respond(302, ""), "the response has status 302 Found"),
        (respond(307, ""), "the response has status 307 Temporary Redirect"),
        (respond(400, other), "the response has status 400 Bad Request"),
        (respond(401, ABSENT), "the response has status 401 Unauthorized"),
        (respond(403, ABSENT), "the response has status 403 Forbidden"),
        (respond(410, ""), "the response has status 410 Gone"),
        (respond(429, ""), "the response has status 429 Too Many Requests"),
        (respond(500, other), "the response has status 500 Internal Server Error"),
        (respond(501, ABSENT), "the response has status 501 Not Implemented"),
        (respond(502, ABSENT), "the response has status 502 Bad Gateway"),
        (respond(503, ""), "the response has status 503 Service Unavailable"),
        (respond(200, &" ".repeat(64 * 1024 + 1)), "the response is longer than 65536 bytes"),
    ] {
        let server = Server::start([response.clone()]);
        assert_eq!(cause(exists(&users(&server)).await), why, "{response:?}");
        assert_eq!(server.requests().len(), 1, "{response:?}");
    }
    let padded = format!("{}{USER}", " ".repeat(64 * 1024 - USER.len()));
    let server = Server::start([respond(200, &padded)]);
    assert!(exists(&users(&server)).await.unwrap());
}

#[tokio::test]
async fn an_order_notification_succeeds_with_any_2xx_that_is_no_error() {
    for success in [
        respond(200, "canary"),
        respond(201, &"x".repeat(1 << 20)),
        respond(200, ""),
        respond(202, "{}"),
        respond(200, "[13]"),
        respond(200, r#"{"code":0,"msg":"ok"}"#),
        respond(200, r#"{"code":200,"data":"done"}"#),
        respond(200, r#"{"code":"SUCCESS"}"#),
        respond(200, r#"{"id":7}"#),
    ] {
        let server = Server::start([success.clone()]);
        assert!(notify(&orders(&server)).await.is_ok(), "{success:?}");
        assert_eq!(server.requests().len(), 1, "{success:?}");
    }
    for rejected in [respond(302, ""), respond(400, "x"), respond(401, ""), respond(500, "")] {
        let server = Server::start([rejected.clone()]);
        cause(notify(&orders(&server)).await);
        assert_eq!(server.requests().len(), 1, "{rejected:?}");
    }
}

#[tokio::test]
async fn a_broken_connection_is_replaced_once() {
    let whole = response(200, USER);
    let (half, _) = whole.split_at(whole.len() - 4);
    let broken = [
        String::new(),
        "220 garbage\r\n\r\n".to_owned(),
        "HTTP/1.1 200 x\r\ncont".to_owned(),
        half.to_owned(),
    ];
    let broken = broken.map(Act::Cut).into_iter().chain([Act::Reset]);
    for broken in broken {
        let server = Server::start([broken.clone(), respond(200, USER)]);
        assert!(exists(&users(&server)).await.unwrap(), "{broken:?}");
        assert_eq!((server.requests().len(), server.connections()), (2, 2), "{broken:?}");
        let [first, second] = server.requests().try_into().unwrap();
        assert_eq!(first, second);

        let server = Server::start([broken.clone(), broken.clone(), respond(200, USER)]);
        let response = exists(&users(&server)).await;
        assert_eq!(cause(response), "the connection failed", "{broken:?}");
        assert_eq!((server.requests().len(), server.connections()), (2, 2), "{broken:?}");
    }
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced_on_the_fresh_client() {
    let server = Server::start([respond(200, ORDER), Act::Reset, respond(200, "")]);
    let named = |name: &str| {
        reqwest::Client::builder()
            .tls_backend_preconfigured(https::tls(Some(&server.ca_pem)).unwrap())
            .user_agent(name)
            .build()
            .unwrap()
    };
    let keys = Arc::new(Fixed::available());
    let clients = Clients { kept: named("kept"), fresh: named("fresh") };
    let client = ShopClient::new(clients, keys, now);
    let client = client.with_deadline(PATIENT);
    let orders = HttpOrders::new(client, server.url("/detail"), server.url("/paid"), None);
    assert!(find(&orders).await.unwrap().is_some());
    assert!(notify(&orders).await.is_ok());
    assert_eq!((server.requests().len(), server.connections()), (3, 2));
    let [_, died, repeated] = server.requests().try_into().unwrap();
    // Another kept connection may have died like the first.
    assert_eq!(header(&died, "user-agent"), Some("kept"));
    assert_eq!(header(&repeated, "user-agent"), Some("fresh"));
    for order_notification in [died, repeated] {
        assert_eq!(header(&order_notification, "idempotency-key"), Some("5"));
    }
}

#[tokio::test]
async fn each_host_is_warmed_once() {
    let one = Server::start(vec![respond(405, ""); 2]);
    let other = one.beside([respond(405, "")]);
    let (detail, paid) = (one.url("/detail"), one.url("/paid"));
    let client = client(&one.ca_pem, Fixed::available());
    HttpOrders::new(client.clone(), detail.clone(), paid, None).warm().await;
    assert_eq!((one.requests().len(), other.requests().len()), (1, 0));
    HttpOrders::new(client, detail, other.url("/paid"), None).warm().await;
    assert_eq!((one.requests().len(), other.requests().len()), (2, 1));
}

#[tokio::test]
async fn a_call_ends_at_its_deadline_and_is_not_repeated() {
    let head = "HTTP/1.1 200 x\r\nx:".to_owned();
    let body = "HTTP/1.1 200 x\r\ncontent-length: 99999\r\n\r\n".to_owned();
    for slow in [Act::Hang, Act::Drip(head), Act::Drip(body)] {
        let server = Server::start([respond(405, ""), slow.clone()]);
        let mut users = users(&server);
        // The deadline is to end the wait for the response, not the handshake.
        users.warm().await;
        users.client = users.client.with_deadline(IMPATIENT);
        assert_eq!(cause(exists(&users).await), "no response in time", "{slow:?}");
        assert_eq!(server.requests().len(), 2, "{slow:?}");
    }
}

#[tokio::test]
async fn no_other_private_ca_is_trusted() {
    let (server, other) = (Server::start([respond(200, USER)]), Server::start([]));
    let client = client(&other.ca_pem, Fixed::available());
    let users = HttpUsers::new(client, server.url("/"));
    assert_eq!(cause(exists(&users).await), "the connection failed");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_closed_port_is_unavailable() {
    let (ca_pem, url) = {
        let server = Server::start([]);
        (server.ca_pem, "https://localhost:1/canary".parse().unwrap())
    };
    let users = HttpUsers::new(client(&ca_pem, Fixed::available()), url);
    assert_eq!(cause(exists(&users).await), "the connection failed");
    users.warm().await;
}

#[tokio::test]
async fn without_a_key_nothing_is_sent() {
    let server = Server::start([respond(200, USER)]);
    let client = client(&server.ca_pem, Fixed(None));
    let users = HttpUsers::new(client, server.url("/"));
    assert_eq!(cause(exists(&users).await), "no key to sign a token with");
    assert!(server.requests().is_empty());
}
