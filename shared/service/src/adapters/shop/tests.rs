use std::{error::Error, sync::Arc, time::Duration};

use pay_core::{
    domain::{Amount, Currency, PaymentId, Timestamp},
    ports::{Generations, NoKeys},
};

use super::{
    server::{Act, Server, header, response, say},
    *,
};
use crate::{
    adapters::https::{self, Pool},
    auth::{self, SHOP_SCOPE, TokenRules},
};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const USER: &str = r#"{"id":1,"name":"x"}"#;
const ORDER: &str = r#"{"id":7,"uid":1,"amount":100,"status":0}"#;
const ABSENT: &str = "rpc error: code = Code(100) desc = no such thing";

/// Longer than any test takes: only a server that goes quiet makes a call wait for it.
const PATIENT: Duration = Duration::from_secs(30);
const IMPATIENT: Duration = Duration::from_millis(250);

/// Keys that are there, or are not.
struct Fixed(Option<Arc<Generations<AuthKey>>>);

impl Fixed {
    fn there() -> Self {
        let secret = format!(r#"{{"access_secret":"{}"}}"#, "k".repeat(32));
        let current = AuthKey::from_secret(&secret).unwrap();
        let previous = None;
        Self(Some(Arc::new(Generations { current, previous })))
    }
}

impl Keys<AuthKey> for Fixed {
    async fn keys(&self, _now: Timestamp) -> Result<Arc<Generations<AuthKey>>, NoKeys> {
        self.0.clone().ok_or_else(|| NoKeys("none".into()))
    }

    async fn reread(&self, _now: Timestamp) -> Option<Arc<Generations<AuthKey>>> {
        None
    }
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000).unwrap()
}

fn client(ca_pem: &str, keys: Fixed) -> ShopClient<Fixed> {
    let of = |pool| https::client(https::tls(Some(ca_pem)).unwrap(), pool).unwrap();
    ShopClient::new(of(Pool::Kept), of(Pool::Fresh), Arc::new(keys), now).with_deadline(PATIENT)
}

fn users(server: &Server) -> HttpUsers<Fixed> {
    let client = client(&server.ca_pem, Fixed::there());
    HttpUsers::new(client, server.url("/api/user/userinfo?canary=1"))
}

fn orders(server: &Server) -> HttpOrders<Fixed> {
    let client = client(&server.ca_pem, Fixed::there());
    let paid = server.url("/api/order/paid?canary=1");
    HttpOrders::new(client, server.url("/api/order/detail"), paid)
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

async fn tell(orders: &HttpOrders<Fixed>) -> Result<(), ShopError> {
    let payment = Payment::pending(
        PaymentId::new(5).unwrap(),
        UserId::new(1).unwrap(),
        OrderId::new(7).unwrap(),
        Amount::new(100, Currency::new("EUR").unwrap()).unwrap(),
        now(),
    );
    orders.tell_paid(&payment, &trace()).await
}

/// The whole cause of an answer that should be [`ShopError::Unavailable`].
fn cause<T: std::fmt::Debug>(answer: Result<T, ShopError>) -> String {
    let Err(ShopError::Unavailable(cause)) = answer else {
        panic!("{answer:?}");
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
async fn a_question_is_sent_as_the_contract_says() {
    let server = Server::start([say(200, USER), say(200, ORDER), say(204, "")]);
    assert!(exists(&users(&server)).await.unwrap());
    let orders = orders(&server);
    let order = find(&orders).await.unwrap().unwrap();
    assert_eq!((order.uid.get(), order.amount_minor, order.paid), (1, 100, false));
    tell(&orders).await.unwrap();
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
        let keys = Fixed::there().0.unwrap();
        let rules = TokenRules::default();
        assert_eq!(auth::service(token, &keys, &rules, SHOP_SCOPE, now()), Ok(()));
    }
}

#[tokio::test]
async fn one_connection_serves_many_calls() {
    let script = [say(200, ORDER), say(404, "x"), say(400, ABSENT), say(204, ""), say(200, "y")];
    let server = Server::start(script);
    let orders = orders(&server);
    assert!(find(&orders).await.unwrap().is_some());
    assert!(find(&orders).await.unwrap().is_none());
    assert!(find(&orders).await.unwrap().is_none());
    assert!(tell(&orders).await.is_ok());
    assert!(tell(&orders).await.is_ok());
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_connection_opened_at_start_is_the_first_calls() {
    let server = Server::start([say(405, ""), say(200, USER)]);
    let users = users(&server);
    users.warm().await;
    assert!(exists(&users).await.unwrap());
    assert_eq!(server.connections(), 1);
    assert!(server.requests()[0].starts_with("HEAD "));
    assert_eq!(header(&server.requests()[0], "authorization"), None);
}

#[tokio::test]
async fn what_the_shop_does_not_know_is_absent() {
    for absent in [say(404, ""), say(404, "canary"), say(400, ABSENT)] {
        let server = Server::start(vec![absent; 3]);
        assert!(!exists(&users(&server)).await.unwrap());
        let orders = orders(&server);
        assert!(find(&orders).await.unwrap().is_none());
        assert!(matches!(tell(&orders).await, Err(ShopError::Absent)));
    }
}

#[tokio::test]
async fn any_other_answer_is_unavailable_and_not_repeated() {
    let other = "rpc error: code = Code(101) desc = canary";
    for (answer, why) in [
        (
            say(200, r#"{"id":2,"canary":1}"#),
            "the answer cannot be read, or is about something else",
        ),
        (say(200, "canary"), "the answer cannot be read, or is about something else"),
        (say(200, ""), "the answer cannot be read, or is about something else"),
        (say(202, USER), "answered with status 202 Accepted"),
        (say(302, ""), "answered with status 302 Found"),
        (say(307, ""), "answered with status 307 Temporary Redirect"),
        (say(400, other), "answered with status 400 Bad Request"),
        (say(401, ABSENT), "answered with status 401 Unauthorized"),
        (say(403, ABSENT), "answered with status 403 Forbidden"),
        (say(410, ""), "answered with status 410 Gone"),
        (say(429, ""), "answered with status 429 Too Many Requests"),
        (say(500, ABSENT), "answered with status 500 Internal Server Error"),
        (say(503, ""), "answered with status 503 Service Unavailable"),
        (say(200, &" ".repeat(64 * 1024 + 1)), "answered with more than 65536 bytes"),
    ] {
        let server = Server::start([answer.clone()]);
        assert_eq!(cause(exists(&users(&server)).await), why, "{answer:?}");
        assert_eq!(server.requests().len(), 1, "{answer:?}");
    }
    let padded = format!("{}{USER}", " ".repeat(64 * 1024 - USER.len()));
    let server = Server::start([say(200, &padded)]);
    assert!(exists(&users(&server)).await.unwrap());
}

#[tokio::test]
async fn a_telling_is_heard_whatever_is_said_back() {
    let head = "HTTP/1.1 200 x\r\ncontent-length: 9\r\n\r\n".to_owned();
    for heard in [
        say(200, "canary"),
        say(201, &"x".repeat(1 << 20)),
        Act::Cut(head.clone()),
        Act::Drip(head),
    ] {
        let server = Server::start([heard.clone()]);
        assert!(tell(&orders(&server)).await.is_ok(), "{heard:?}");
        assert_eq!(server.requests().len(), 1, "{heard:?}");
    }
    for refused in [say(302, ""), say(400, "x"), say(401, ""), say(500, "")] {
        let server = Server::start([refused.clone()]);
        cause(tell(&orders(&server)).await);
        assert_eq!(server.requests().len(), 1, "{refused:?}");
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
        let server = Server::start([broken.clone(), say(200, USER)]);
        assert!(exists(&users(&server)).await.unwrap(), "{broken:?}");
        assert_eq!((server.requests().len(), server.connections()), (2, 2), "{broken:?}");
        let [first, second] = server.requests().try_into().unwrap();
        assert_eq!(first, second);

        let server = Server::start([broken.clone(), broken.clone(), say(200, USER)]);
        let answer = exists(&users(&server)).await;
        assert_eq!(cause(answer), "the connection failed", "{broken:?}");
        assert_eq!((server.requests().len(), server.connections()), (2, 2), "{broken:?}");
    }
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced_on_the_fresh_client() {
    let server = Server::start([say(200, ORDER), Act::Reset, say(200, "")]);
    let named = |name: &str| {
        reqwest::Client::builder()
            .tls_backend_preconfigured(https::tls(Some(&server.ca_pem)).unwrap())
            .user_agent(name)
            .build()
            .unwrap()
    };
    let keys = Arc::new(Fixed::there());
    let client = ShopClient::new(named("kept"), named("fresh"), keys, now);
    let client = client.with_deadline(PATIENT);
    let orders = HttpOrders::new(client, server.url("/detail"), server.url("/paid"));
    assert!(find(&orders).await.unwrap().is_some());
    assert!(tell(&orders).await.is_ok());
    assert_eq!((server.requests().len(), server.connections()), (3, 2));
    let [_, died, repeated] = server.requests().try_into().unwrap();
    // Another kept connection may be as dead as the first.
    assert_eq!(header(&died, "user-agent"), Some("kept"));
    assert_eq!(header(&repeated, "user-agent"), Some("fresh"));
    for telling in [died, repeated] {
        assert_eq!(header(&telling, "idempotency-key"), Some("5"));
    }
}

#[tokio::test]
async fn each_host_is_warmed_once() {
    let one = Server::start(vec![say(405, ""); 2]);
    let other = one.beside([say(405, "")]);
    let (detail, paid) = (one.url("/detail"), one.url("/paid"));
    let client = client(&one.ca_pem, Fixed::there());
    HttpOrders::new(client.clone(), detail.clone(), paid).warm().await;
    assert_eq!((one.requests().len(), other.requests().len()), (1, 0));
    HttpOrders::new(client, detail, other.url("/paid")).warm().await;
    assert_eq!((one.requests().len(), other.requests().len()), (2, 1));
}

#[tokio::test]
async fn a_call_is_given_up_at_its_deadline_and_not_repeated() {
    let head = "HTTP/1.1 200 x\r\nx:".to_owned();
    let body = "HTTP/1.1 200 x\r\ncontent-length: 99999\r\n\r\n".to_owned();
    for slow in [Act::Hang, Act::Drip(head), Act::Drip(body)] {
        let server = Server::start([say(405, ""), slow.clone()]);
        let mut users = users(&server);
        // A handshake may take its time; what the deadline is to cut short is the answer.
        users.warm().await;
        users.client = users.client.with_deadline(IMPATIENT);
        assert_eq!(cause(exists(&users).await), "not answered in time", "{slow:?}");
        assert_eq!(server.requests().len(), 2, "{slow:?}");
    }
}

#[tokio::test]
async fn only_the_private_ca_is_trusted_beside_the_webs() {
    let (server, other) = (Server::start([say(200, USER)]), Server::start([]));
    let client = client(&other.ca_pem, Fixed::there());
    let users = HttpUsers::new(client, server.url("/"));
    assert_eq!(cause(exists(&users).await), "the connection failed");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn nothing_listening_is_unavailable() {
    let (ca_pem, url) = {
        let server = Server::start([]);
        (server.ca_pem, "https://localhost:1/canary".parse().unwrap())
    };
    let users = HttpUsers::new(client(&ca_pem, Fixed::there()), url);
    assert_eq!(cause(exists(&users).await), "the connection failed");
    users.warm().await;
}

#[tokio::test]
async fn without_a_key_nothing_is_sent() {
    let server = Server::start([say(200, USER)]);
    let client = client(&server.ca_pem, Fixed(None));
    let users = HttpUsers::new(client, server.url("/"));
    assert_eq!(cause(exists(&users).await), "no key to sign a token with");
    assert!(server.requests().is_empty());
}
