//! A client of the API: requests put together by hand, answers judged as a whole.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use local::{Stack, clock, signing};
use serde_json::{Value, json};

use crate::echo::http;
use crate::openapi::{Answer, assert_described};
use crate::stage::fresh;

/// Every problem: slug, status, code, title.
pub(crate) const PROBLEMS: [(&str, u16, u16, &str); 18] = [
    ("body-too-large", 413, 413, "The request body is too large"),
    ("unsupported-media-type", 415, 415, "The request body must be application/json in UTF-8"),
    ("invalid-request", 400, 400, "The request is not valid"),
    ("provider-not-found", 404, 404, "Payment provider does not exist"),
    ("unauthenticated", 401, 401, "A valid token is required"),
    ("bad-signature", 401, 401, "A valid and recent signature is required"),
    ("forbidden", 403, 403, "This caller may not do this"),
    ("user-not-found", 404, 100, "User does not exist"),
    ("order-not-found", 404, 100, "Order does not exist"),
    ("payment-exists", 409, 100, "Payment order created"),
    ("key-reused", 422, 100, "The Idempotency-Key was used for another request"),
    ("order-paid", 409, 100, "Order is already paid"),
    ("payment-not-found", 404, 100, "Payment does not exist"),
    ("amount-mismatch", 422, 100, "The payment amount is inconsistent with the order amount"),
    ("record-mismatch", 422, 100, "The message does not match the payment"),
    ("status-conflict", 409, 100, "The payment does not allow this; it is kept for a person"),
    ("unavailable", 503, 500, "Temporarily unavailable; repeating the request is safe"),
    ("internal", 500, 500, "Internal error"),
];

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

impl Request<'_> {
    /// Adds a header, beside those of its name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes a header away.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(given, _)| given != name);
        self
    }

    /// With the token of this user.
    pub(crate) fn payer(self, uid: u64) -> Self {
        let token = self.stack.payer_token(uid);
        self.bearer(&token)
    }

    /// With the token of a gateway of ours.
    pub(crate) fn service(self) -> Self {
        let token = self.stack.service_token();
        self.bearer(&token)
    }

    /// With this token.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With this JSON, said to be JSON.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.text(body.to_string())
    }

    /// With these bytes, said to be JSON.
    pub(crate) fn text(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("content-type", "application/json").bytes(body)
    }

    /// With these bytes.
    pub(crate) fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Signed now, as a message of its own.
    pub(crate) fn signed(self) -> Self {
        let id = format!("msg_{}", fresh());
        self.signed_as(&id, clock::now_secs())
    }

    /// Signed as this message at this time.
    pub(crate) fn signed_as(self, id: &str, timestamp_secs: u64) -> Self {
        let secret = self.stack.standard_secret().unwrap();
        let signed = signing::standard(secret, id, timestamp_secs, &self.body).unwrap();
        let add = |request: Self, (name, value): (&str, String)| request.header(name, &value);
        signed.into_iter().fold(self, add)
    }

    /// Sends it over HTTP. The answer must be one that the document of the API describes.
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
        let answer = Answer { status, headers: &headers, body: &body };
        assert_described(&self.operation, &self.body, &answer);
        Reply::new(status, Reply::HEADERS.map(|name| answer.header(name).map(str::to_owned)), &body)
    }

    /// The event that the gateway makes of it. Of doubled headers the last one counts.
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

/// Hands a function an event as the gateway does, and reads its answer as the gateway does.
pub(crate) async fn send_event(stack: &Stack, function: &str, event: &Value) -> Reply {
    let answer = stack.invoke(function, event).await;
    let answer = answer.unwrap_or_else(|error| panic!("{error:?} on {event}"));
    let header = |name: &str| Some(answer["headers"][name].as_str()?.to_owned());
    let status = u16::try_from(answer["statusCode"].as_u64().unwrap()).unwrap();
    let body = answer["body"].as_str().unwrap().as_bytes();
    Reply::new(status, Reply::HEADERS.map(header), body)
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    content_type: Option<String>,
    retry_after: Option<String>,
    challenge: Option<String>,
    /// The header `Idempotent-Replayed`.
    pub(crate) replayed: Option<String>,
    pub(crate) body: Value,
}

impl Reply {
    const HEADERS: [&'static str; 4] =
        ["content-type", "retry-after", "www-authenticate", "idempotent-replayed"];

    fn new(status: u16, headers: [Option<String>; 4], body: &[u8]) -> Self {
        let [content_type, retry_after, challenge, replayed] = headers;
        let text = || json!(String::from_utf8_lossy(body));
        Self {
            status,
            content_type,
            retry_after,
            challenge,
            replayed,
            body: serde_json::from_slice(body).unwrap_or_else(|_| text()),
        }
    }

    /// What it is: the slug of a problem, else its status and content type.
    pub(crate) fn what(&self) -> String {
        let kind = self.body["type"].as_str();
        let slug = kind.and_then(|kind| kind.strip_prefix("urn:problem:pay:"));
        let plain = || format!("{} {}", self.status, self.content_type.as_deref().unwrap_or("-"));
        slug.map_or_else(plain, str::to_owned)
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

    /// The problem, which must be this one and nothing more.
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

/// That this is the problem of that name, with the members of one and no others.
#[track_caller]
pub(crate) fn assert_problem(problem: &Value, slug: &str) {
    let row = PROBLEMS.iter().find(|row| row.0 == slug);
    let &(_, status, code, title) = row.unwrap();
    let urn = format!("urn:problem:pay:{slug}");
    for (member, want) in [
        ("type", json!(urn)),
        ("title", json!(title)),
        ("status", json!(status)),
        ("code", json!(code)),
    ] {
        assert_eq!(problem[member], want, "{problem}");
    }
    let request_id = problem["request_id"].as_str();
    assert!(request_id.is_some_and(|id| !id.is_empty()), "{problem}");
    for (member, value) in problem.as_object().unwrap() {
        let fits = match member.as_str() {
            "type" | "title" | "status" | "code" | "request_id" => true,
            "detail" => slug == "invalid-request" && value.is_string(),
            "payment_id" => slug == "payment-exists" && value.is_u64(),
            _ => false,
        };
        assert!(fits, "{member} in {problem}");
    }
}

/// The problem that a direct call is refused with, which must be this one.
pub(crate) async fn refused(stack: &Stack, function: &str, event: &Value, slug: &str) -> Value {
    let refusal = stack.invoke(function, event).await;
    let refusal = refusal.map(|answer| panic!("{function} answered {event} with {answer}"));
    let error: Value = serde_json::from_slice(&refusal.unwrap_err().payload).unwrap();
    assert_eq!(error["errorType"], slug, "{error} on {event:.200}");
    let problem = serde_json::from_str(error["errorMessage"].as_str().unwrap()).unwrap();
    assert_problem(&problem, slug);
    problem
}
