mod rotated;

use pay_core::{
    domain::{
        Amount, CheckoutMethod, CheckoutNumber, CheckoutParameters, CheckoutReference,
        CheckoutState, Currency, Description, OrderId, PaymentId, ProviderCheckout, ProviderTxn,
    },
    ports::{ProviderState, QueryState, SecretKeys, chain},
};

use super::*;
use crate::adapters::server::{Act, Server, header, respond};

/// Longer than any test takes: only a server that hangs makes a call wait for it.
const PATIENT: Duration = Duration::from_secs(30);
const IMPATIENT: Duration = Duration::from_millis(250);

/// A provider secret that can be read, or not.
struct ProviderSecret(Option<&'static str>);

impl Keys<ProviderKeys> for ProviderSecret {
    async fn current(&self, _now: Timestamp) -> Result<Arc<ProviderKeys>, NoKeys> {
        let text = self.0.ok_or_else(|| NoKeys("down".into()))?;
        ProviderKeys::read(text).map(Arc::new).map_err(|bad| NoKeys(bad.into()))
    }

    async fn previous(&self, _now: Timestamp) -> Result<Option<Arc<ProviderKeys>>, NoKeys> {
        panic!("nothing is verified with it")
    }

    async fn reread(&self, _now: Timestamp) -> Option<Arc<ProviderKeys>> {
        None
    }
}

type Sender = HttpProviders<ProviderSecret>;

/// The sender whose Stripe is this server.
fn sender(server: &Server, path: &str) -> Sender {
    let urls = vec![(Provider::Stripe, server.url(path))];
    let secret = Some(ProviderSecret(Some("{}")));
    HttpProviders::new(secret, urls, Some(server.ca_pem.clone())).with_deadline(PATIENT)
}

fn get() -> RawRequest {
    RawRequest {
        method: "GET",
        target: "/v1/objects?query=a%3Ab%27%2A&limit=100".to_owned(),
        headers: vec![("authorization", "Bearer canary".to_owned())],
        body: Vec::new(),
    }
}

async fn call(sender: &Sender, request: &RawRequest) -> Result<Received, SendError> {
    sender.call(Provider::Stripe, ProviderCall::Query, request).await
}

/// The whole cause of a call that should have no response.
async fn why(sender: &Sender) -> String {
    let error = call(sender, &get()).await.unwrap_err();
    let (debug, whole) = (format!("{error:?}"), chain(&error));
    for hidden in ["canary", "objects", "localhost"] {
        assert!(!debug.contains(hidden) && !whole.contains(hidden), "{debug} {whole}");
    }
    error.to_string()
}

#[tokio::test]
async fn a_request_arrives_as_it_was_signed_and_the_response_as_it_was_sent() {
    let text = "HTTP/1.1 200 x\r\nWechatpay-Nonce: a\r\nx: \u{e9}\r\ncontent-length: 3\r\n\r\n{ }";
    let server = Server::start([Act::Send(text.to_owned()), respond(200, "")]);
    let at_root = sender(&server, "");
    let received = call(&at_root, &get()).await.unwrap();
    assert_eq!((received.status, received.body.as_slice()), (200, b"{ }".as_slice()));
    let headers = Headers::from_pairs(&received.headers);
    assert_eq!(headers.get_one("wechatpay-nonce").unwrap(), Some("a"));

    // Where one URL is for all, the target is its query.
    let gateway = sender(&server, "/gateway.do");
    let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
    let body = b"biz_content=%7B%7D".to_vec();
    let post = RawRequest { method: "POST", target: "?sign=a%2Bb".to_owned(), headers, body };
    assert_eq!(call(&gateway, &post).await.unwrap().body, b"");
    let [first, second] = server.requests().try_into().unwrap();
    let line = "GET /v1/objects?query=a%3Ab%27%2A&limit=100 HTTP/1.1\r\n";
    assert!(first.starts_with(line) && first.ends_with("\r\n\r\n"), "{first}");
    assert_eq!(header(&first, "authorization"), Some("Bearer canary"));
    assert_eq!(header(&first, "content-length"), None);
    assert!(second.starts_with("POST /gateway.do?sign=a%2Bb HTTP/1.1\r\n"), "{second}");
    assert!(second.ends_with("\r\n\r\nbiz_content=%7B%7D"), "{second}");
    let content_type = header(&second, "content-type");
    assert_eq!(content_type, Some("application/x-www-form-urlencoded"));
}

#[tokio::test]
async fn any_status_is_a_response_and_is_neither_followed_nor_repeated() {
    for status in [201, 202, 204, 301, 302, 307, 308, 400, 401, 404, 409, 429, 500, 502, 503] {
        let server = Server::start([respond(status, "")]);
        let received = call(&sender(&server, ""), &get()).await.unwrap();
        assert_eq!((received.status, received.body.len()), (status, 0));
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_response_has_a_size_limit() {
    let longest = "x".repeat(PROVIDER_RESPONSE_MAX_BYTES);
    let server = Server::start([respond(200, &longest), respond(200, &format!("{longest}x"))]);
    let sender = sender(&server, "");
    assert_eq!(call(&sender, &get()).await.unwrap().body.len(), 256 * 1024);
    assert_eq!(why(&sender).await, "the response is longer than 262144 bytes");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn nothing_is_opened_before_the_first_query_and_then_it_stays_open() {
    let server = Server::start(vec![respond(404, "{}"); 3]);
    let sender = sender(&server, "");
    assert_eq!(sender.queried(Timestamp::EPOCH).await.unwrap(), []);
    assert!(sender.clients.get().is_none());
    for _ in 0..3 {
        assert_eq!(call(&sender, &get()).await.unwrap().status, 404);
    }
    assert_eq!(server.connections(), 1);
}

/// What breaks how is tested with the shop's services, which are called by the same code.
#[tokio::test]
async fn a_broken_connection_is_replaced_once() {
    let server = Server::start([respond(200, ""), Act::Reset, respond(200, "{}")]);
    let sender = sender(&server, "");
    call(&sender, &get()).await.unwrap();
    assert_eq!(call(&sender, &get()).await.unwrap().body, b"{}");
    assert_eq!((server.requests().len(), server.connections()), (3, 2));
    let [_, first, second] = server.requests().try_into().unwrap();
    assert_eq!(first, second);
}

/// A kept connection that died cannot be told from one on which the request arrived, and a second request on
/// its heels may overtake it.
#[tokio::test]
async fn a_refund_is_sent_once_on_a_connection_of_its_own() {
    let server = Server::start([respond(200, ""), Act::Reset, respond(200, "{}")]);
    let sender = sender(&server, "");
    call(&sender, &get()).await.unwrap();
    let request = get();
    let refund = || sender.call(Provider::Stripe, ProviderCall::Action, &request);
    assert_eq!(refund().await.unwrap_err().to_string(), "the connection failed");
    assert_eq!((server.requests().len(), server.connections()), (2, 2));
    assert_eq!(refund().await.unwrap().body, b"{}");
    assert_eq!((server.requests().len(), server.connections()), (3, 3));
}

#[tokio::test]
async fn a_call_ends_at_its_deadline_and_is_not_repeated() {
    let server = Server::start([respond(200, ""), Act::Hang]);
    let sender = sender(&server, "");
    // The deadline is to end the wait for the response, not the handshake.
    call(&sender, &get()).await.unwrap();
    assert_eq!(why(&sender.with_deadline(IMPATIENT)).await, "no response in time");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn only_the_ca_of_a_url_that_is_set_is_trusted() {
    let (server, other) = (Server::start([respond(200, "")]), Server::start([]));
    let urls = || vec![(Provider::Stripe, server.url(""))];
    for ca_bundle in [None, Some(other.ca_pem.clone())] {
        let sender: Sender = HttpProviders::new(None, urls(), ca_bundle).with_deadline(PATIENT);
        assert_eq!(why(&sender).await, "the connection failed");
    }
    assert!(server.requests().is_empty());
    let at_home: Sender = HttpProviders::new(None, Vec::new(), Some(other.ca_pem.clone()));
    assert_eq!((at_home.ca_bundle, at_home.deadline), (None, Duration::from_secs(5)));
    // A bundle that is none keeps no provider from being known.
    let sender: Sender = HttpProviders::new(None, urls(), Some("canary".to_owned()));
    assert_eq!(why(&sender).await, "the HTTP client could not be built");
}

#[test]
fn a_target_that_would_arrive_otherwise_than_it_was_signed_is_not_sent() {
    let url = |at: &str, target: &str| {
        let urls = match at {
            "" => Vec::new(),
            at => vec![(Provider::Alipay, at.parse().unwrap())],
        };
        let sender: Sender = HttpProviders::new(None, urls, None);
        [Provider::Stripe, Provider::WeChat, Provider::Alipay]
            .map(|provider| sender.url(provider, target).map(|url| url.to_string()))
    };
    let home = |text: &str| Some(text.to_owned());
    let [stripe, wechat, _] = url("", "/v1/a?b=c%20d");
    assert_eq!(stripe, home("https://api.stripe.com/v1/a?b=c%20d"));
    assert_eq!(wechat, home("https://api.mch.weixin.qq.com/v1/a?b=c%20d"));
    let [_, _, alipay] = url("", "?a=b");
    assert_eq!(alipay, home("https://openapi.alipay.com/gateway.do?a=b"));
    let [stripe, _, alipay] = url("https://sandbox.example:8443/gateway.do", "?a=b");
    assert_eq!(alipay, home("https://sandbox.example:8443/gateway.do?a=b"));
    assert_eq!(stripe, home("https://api.stripe.com/?a=b"));
    for changed in
        ["/v1/a b", "/v1/\u{e9}", "/v1/../a", "/v1/./a", "/v1/a\\b", "/v1/a?b=\"c\"", "/a\n"]
    {
        assert_eq!(url("", changed), [const { None }; 3], "{changed}");
    }
    assert_eq!(url("http://sandbox.example", "?a=b")[2], None);
    // Nor is it a part of the host.
    for elsewhere in ["@canary.example/", ".canary.example/", ":1/", "a", ""] {
        assert_eq!(url("", elsewhere), [const { None }; 3], "{elsewhere}");
    }
}

#[tokio::test]
async fn without_keys_nobody_is_asked() {
    let id = PaymentId::new(5).unwrap();
    let query = Query::Payment { id, txn: None };
    let server = Server::start([]);
    for (secret, queried, kind) in [
        (None, Ok(vec![]), "no-key"),
        (Some(ProviderSecret(Some("{}"))), Ok(vec![]), "no-key"),
        (
            Some(ProviderSecret(Some(r#"{"stripe":{"api_key":5}}"#))),
            Ok(vec![Provider::Stripe]),
            "rejected",
        ),
        (Some(ProviderSecret(None)), Err("down".to_owned()), "unavailable"),
    ] {
        let sender = HttpProviders { keys: secret, ..sender(&server, "") };
        let found = sender.queried(Timestamp::EPOCH).await;
        assert_eq!(found.map_err(|NoKeys(cause)| cause.to_string()), queried, "{kind}");
        let error = sender.query(Provider::Stripe, &query, Timestamp::EPOCH).await.unwrap_err();
        assert_eq!(error.kind(), kind);
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_query_is_signed_sent_and_read() {
    let open = r#"{"id":"pi_1","object":"payment_intent","amount":100,"amount_received":0,
        "currency":"eur","latest_charge":null,"metadata":{"payment_id":"5"},
        "status":"requires_payment_method","livemode":false}"#;
    let script = [respond(200, open), respond(401, "{}"), respond(429, "{}"), respond(200, "{}")];
    let server = Server::start(script);
    let key = r#"{"stripe":{"api_key":"rk_test_canary"}}"#;
    let sender = HttpProviders { keys: Some(ProviderSecret(Some(key))), ..sender(&server, "") };
    assert_eq!(sender.queried(Timestamp::EPOCH).await.unwrap(), [Provider::Stripe]);
    let txn = Some(ProviderTxn::new("pi_1").unwrap());
    let query = Query::Payment { id: PaymentId::new(5).unwrap(), txn };
    let response = sender.query(Provider::Stripe, &query, Timestamp::EPOCH).await.unwrap();
    assert_eq!(response.state, QueryState::Payment(ProviderState::Open));
    for kind in ["rejected", "unavailable", "unusable"] {
        let error = sender.query(Provider::Stripe, &query, Timestamp::EPOCH).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(!format!("{error:?} {}", chain(&error)).contains("canary"), "{error:?}");
    }
    for request in server.requests() {
        assert!(request.starts_with("GET /v1/payment_intents/pi_1?"), "{request}");
        assert_eq!(header(&request, "authorization"), Some("Bearer rk_test_canary"));
    }
    let unasked = sender.query(Provider::WeChat, &query, Timestamp::EPOCH).await.unwrap_err();
    assert_eq!((unasked.kind(), server.requests().len()), ("no-key", 4));
}

fn a_checkout() -> Checkout {
    let payment = PaymentId::new(5).unwrap();
    let number = CheckoutNumber::new(1).unwrap();
    Checkout {
        reference: CheckoutReference { payment, number },
        parameters: CheckoutParameters {
            method: CheckoutMethod::StripeIntent,
            description: Description::new("Tea").unwrap(),
            return_url: None,
            openid: None,
            payer_ip: None,
            notify_url: None,
        },
        account: MerchantAccount::new("stripe").unwrap(),
        expires_time: Timestamp::EPOCH.plus_millis(1),
        provider_id: None,
        state: CheckoutState::Requested,
        called_time: Timestamp::EPOCH,
        absent_time: None,
        create_time: Timestamp::EPOCH,
        update_time: Timestamp::EPOCH,
    }
}

/// Each is one attempt, on a connection of its own: whether a first one arrived is not known.
#[tokio::test]
async fn a_checkout_is_made_and_closed_by_one_attempt_each() {
    let intent = r#"{"id":"pi_1","object":"payment_intent","amount":100,"amount_received":0,
        "currency":"eur","latest_charge":null,"metadata":{"payment_id":"5","checkout":"1"},
        "status":"requires_payment_method","client_secret":"pi_1_secret_canary","livemode":false}"#;
    let script = [
        respond(200, "{}"),
        Act::Reset,
        respond(200, intent),
        respond(402, r#"{"error":{"type":"card_error","code":"card_declined"}}"#),
        Act::Reset,
        respond(200, r#"{"id":"pi_1","object":"payment_intent","status":"canceled"}"#),
    ];
    let server = Server::start(script);
    let key = r#"{"stripe":{"api_key":"rk_test_canary"}}"#;
    let sender = HttpProviders { keys: Some(ProviderSecret(Some(key))), ..sender(&server, "") };
    call(&sender, &get()).await.unwrap();
    let now = Timestamp::EPOCH;
    let account = sender.account(Provider::Stripe, now).await.unwrap().unwrap();
    assert!(sender.account(Provider::WeChat, now).await.unwrap().is_none());
    let checkout = Checkout { account, ..a_checkout() };
    let order = CheckoutOrder {
        checkout: &checkout,
        oid: OrderId::new(7).unwrap(),
        amount: Amount::new(100, Currency::new("EUR").unwrap()).unwrap(),
    };
    let lost = sender.checkout(&order, now).await.unwrap_err();
    assert!(matches!(lost, CheckoutCallError::Unknown(QueryError::Unavailable(_))), "{lost:?}");
    assert_eq!((server.requests().len(), server.connections()), (2, 2));
    let started = sender.checkout(&order, now).await.unwrap();
    let id = started.provider_id.clone();
    assert_eq!(id.as_ref().map(ProviderCheckout::as_str), Some("pi_1"));
    assert!(!format!("{started:?}").contains("canary"), "{started:?}");
    let refused = sender.checkout(&order, now).await.unwrap_err();
    let CheckoutCallError::Refused { code, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(code, "card_declined");
    let named = Checkout { provider_id: id, ..checkout };
    let lost = sender.close(&named, now).await.unwrap_err();
    assert_eq!(lost.kind(), "unavailable");
    sender.close(&named, now).await.unwrap();
    let requests = server.requests();
    assert_eq!((requests.len(), server.connections()), (6, 6));
    assert_eq!(requests[1], requests[2], "the same request each time");
    assert!(requests[5].starts_with("POST /v1/payment_intents/pi_1/cancel HTTP/1.1\r\n"));
}

#[test]
fn what_a_failed_call_means_is_in_its_kind() {
    for (error, kind) in [
        (CallFailure::Deadline.into(), "unavailable"),
        (CallFailure::TooLong(1).into(), "unusable"),
        (SendError::Url, "rejected"),
        (SendError::Client(HttpsError::CaBundle), "rejected"),
    ] {
        assert_eq!(QueryError::from(error).kind(), kind);
    }
}
