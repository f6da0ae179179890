//! A client of the API: requests built by hand, responses checked as a whole.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use local::messages::Signed;
use local::{Stack, clock, signing};
use pay_core::domain::Provider;
use pay_service::http::Code;
use serde_json::{Value, json};

use crate::echo::http;
use crate::openapi::{ReceivedResponse, assert_described};
use crate::operations;
use crate::stage::fresh;

/// A request under construction.
#[derive(Clone)]
pub(crate) struct Request<'a> {
    stack: &'a Stack,
    operation: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// A request to `/api/pay/{operation}`.
pub(crate) fn post<'a>(stack: &'a Stack, operation: &str) -> Request<'a> {
    Request { stack, operation: operation.to_owned(), headers: Vec::new(), body: Vec::new() }
}

/// A provider's notification as the provider sends it.
pub(crate) fn from_provider<'a>(
    stack: &'a Stack,
    provider: Provider,
    signed: &Signed,
) -> Request<'a> {
    let request = post(stack, &format!("callback/{}", provider.as_str()));
    request.headers(&signed.headers).bytes(signed.body.clone())
}

/// The request that a caller with the right to it would make: a service of the callback and of a refund, a
/// payer of anything else.
pub(crate) fn authorized<'a>(stack: &'a Stack, operation: &str, uid: u64) -> Request<'a> {
    let request = post(stack, operation);
    match operation {
        "callback" => request.service(),
        "refund" => request.refunder().header("idempotency-key", &format!("key-{}", fresh())),
        _ => request.payer(uid),
    }
}

/// The function of an operation.
pub(crate) fn function(operation: &str) -> &'static str {
    operations::named(operation).function
}

impl Request<'_> {
    /// Adds a header; others of the same name stay.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds headers; others of the same names stay.
    pub(crate) fn headers(self, headers: &[(&str, String)]) -> Self {
        headers.iter().fold(self, |request, (name, value)| request.header(name, value))
    }

    /// Removes a header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(given, _)| given != name);
        self
    }

    /// With the token of this user.
    pub(crate) fn payer(self, uid: u64) -> Self {
        let token = self.stack.payer_token(uid);
        self.bearer(&token)
    }

    /// With the token of a gateway of the shop's own.
    pub(crate) fn service(self) -> Self {
        let token = self.stack.service_token();
        self.bearer(&token)
    }

    /// With the token of a service of the shop's that may ask for refunds.
    pub(crate) fn refunder(self) -> Self {
        let token = self.stack.refund_token();
        self.bearer(&token)
    }

    /// With this token.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With this JSON, as `application/json`.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.text(body.to_string())
    }

    /// With these bytes, as `application/json`.
    pub(crate) fn text(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("content-type", "application/json").bytes(body)
    }

    /// With these bytes.
    pub(crate) fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Signed now, with a message id of its own.
    pub(crate) fn signed(self) -> Self {
        let id = format!("msg_{}", fresh());
        self.signed_as(&id, clock::now_secs())
    }

    /// Signed with this message id and time.
    pub(crate) fn signed_as(self, id: &str, timestamp_secs: u64) -> Self {
        let secret = self.stack.standard_secret().unwrap();
        let signed = signing::standard(secret, id, timestamp_secs, &self.body).unwrap();
        self.headers(&signed)
    }

    /// Sends it over HTTP. The response must be one that docs/openapi.yaml describes.
    pub(crate) async fn send(self) -> Reply {
        let url = format!("{}/api/pay/{}", self.stack.api, self.operation);
        let mut request = http().post(url).body(self.body.clone());
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
        let headers = response.headers().iter();
        let headers: Vec<_> =
            headers.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let body = response.bytes().await.unwrap();
        let received = ReceivedResponse { status, headers: &headers, body: &body };
        assert_described(&self.operation, &self.body, &received);
        let header = |name| received.header(name).map(str::to_owned);
        Reply::new(status, Reply::HEADERS.map(header), &body)
    }

    /// The event that API Gateway makes of it. Of doubled headers the last one counts.
    pub(crate) fn event(&self) -> Value {
        let headers: serde_json::Map<String, Value> =
            self.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let path = format!("/api/pay/{}", self.operation);
        json!({
            "version": "2.0",
            "routeKey": format!("POST {path}"),
            "rawPath": path,
            "rawQueryString": "",
            "headers": headers,
            "requestContext": {
                "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1"},
                "requestId": "id",
                "stage": "$default",
            },
            "body": BASE64.encode(&self.body),
            "isBase64Encoded": true,
        })
    }
}

/// Invokes a function with an event as API Gateway does, and reads its response as API Gateway does.
pub(crate) async fn send_event(stack: &Stack, function: &str, event: &Value) -> Reply {
    let response = stack.invoke(function, event).await;
    let response = response.unwrap_or_else(|error| panic!("{error:?} on {event}"));
    let header = |name: &str| Some(response["headers"][name].as_str()?.to_owned());
    let status = u16::try_from(response["statusCode"].as_u64().unwrap()).unwrap();
    let body = response["body"].as_str().unwrap().as_bytes();
    Reply::new(status, Reply::HEADERS.map(header), body)
}

/// A response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    content_type: Option<String>,
    retry_after: Option<String>,
    challenge: Option<String>,
    /// The header `Idempotent-Replayed`.
    pub(crate) replayed: Option<String>,
    pub(crate) body: Value,
    /// The body byte for byte.
    pub(crate) raw: String,
}

impl Reply {
    const HEADERS: [&'static str; 4] =
        ["content-type", "retry-after", "www-authenticate", "idempotent-replayed"];

    fn new(status: u16, headers: [Option<String>; 4], body: &[u8]) -> Self {
        let [content_type, retry_after, challenge, replayed] = headers;
        let raw = String::from_utf8_lossy(body).into_owned();
        Self {
            status,
            content_type,
            retry_after,
            challenge,
            replayed,
            body: serde_json::from_slice(body).unwrap_or_else(|_| json!(raw)),
            raw,
        }
    }

    /// Its kind: the slug of a problem, else its status and content type.
    pub(crate) fn kind(&self) -> String {
        let kind = self.body["type"].as_str();
        let slug = kind.and_then(|kind| kind.strip_prefix("urn:problem:pay:"));
        let plain = || format!("{} {}", self.status, self.content_type.as_deref().unwrap_or("-"));
        slug.map_or_else(plain, str::to_owned)
    }

    /// The response to a valid request about a payment that is not paid: there is nothing to refund, all else
    /// is done.
    #[track_caller]
    pub(crate) fn taken(self, operation: &str) -> Value {
        let needs_keys = ["checkout", "refund"].contains(&operation);
        if needs_keys { self.problem("payment-not-payable") } else { self.ok() }
    }

    /// The body of a 200.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        assert_eq!(self.content_type.as_deref(), Some("application/json"));
        assert_eq!(self.retry_after, None);
        self.body
    }

    /// The text of a 200 that is no JSON.
    #[track_caller]
    pub(crate) fn text(self) -> String {
        assert_eq!(self.status, 200, "{}", self.body);
        assert_eq!(self.content_type.as_deref(), Some("text/plain"));
        self.body.as_str().unwrap().to_owned()
    }

    /// The problem, which must be this one.
    #[track_caller]
    pub(crate) fn problem(self, slug: &str) -> Value {
        assert_problem(&self.body, slug);
        let kind = "application/problem+json";
        assert_eq!(self.content_type.as_deref(), Some(kind), "{}", self.body);
        assert_eq!(json!(self.status), self.body["status"]);
        let secs = self.retry_after.map(|secs| secs.parse::<u32>().unwrap());
        assert_eq!(secs.is_some(), slug == "unavailable", "Retry-After");
        let bearer = (slug == "unauthenticated").then_some("Bearer");
        assert_eq!(self.challenge.as_deref(), bearer, "WWW-Authenticate");
        self.body
    }
}

/// Checks that this is the problem with this slug, with the members of a problem and no others.
#[track_caller]
pub(crate) fn assert_problem(problem: &Value, slug: &str) {
    // docs/openapi.yaml has the words and numbers of each, and is held to them by tests of its own.
    let code = Code::ALL.into_iter().find(|code| code.as_str() == slug).unwrap();
    for (member, want) in [
        ("type", json!(format!("urn:problem:pay:{slug}"))),
        ("title", json!(code.title())),
        ("status", json!(code.status().as_u16())),
        ("code", json!(code.number())),
    ] {
        assert_eq!(problem[member], want, "{problem}");
    }
    let request_id = problem["request_id"].as_str();
    assert!(request_id.is_some_and(|id| !id.is_empty()), "{problem}");
    for (member, value) in problem.as_object().unwrap() {
        let fits = match member.as_str() {
            "type" | "title" | "status" | "code" | "request_id" => true,
            "detail" => {
                ["invalid-request", "payment-not-payable"].contains(&slug) && value.is_string()
            }
            "provider_code" => slug == "provider-refused" && value.is_string(),
            "payment_id" => slug == "payment-exists" && value.is_u64(),
            _ => false,
        };
        assert!(fits, "{member} in {problem}");
    }
}

/// The problem of a direct call, which must be this one.
pub(crate) async fn rejected(stack: &Stack, function: &str, event: &Value, slug: &str) -> Value {
    let outcome = stack.invoke(function, event).await;
    let outcome = outcome.map(|response| panic!("{function} responds to {event} with {response}"));
    let error: Value = serde_json::from_slice(&outcome.unwrap_err().payload).unwrap();
    assert_eq!(error["errorType"], slug, "{error} on {event:.200}");
    let problem = serde_json::from_str(error["errorMessage"].as_str().unwrap()).unwrap();
    assert_problem(&problem, slug);
    problem
}
