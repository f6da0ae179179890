//! Answers, in the form of the door they leave by.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use lambda_http::{Body, aws_lambda_events::apigw::ApiGatewayV2httpResponse};
use lambda_runtime::Diagnostic;
use pay_core::domain::PaymentId;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Code, Refusal};

/// How long a client should wait before it repeats a request that found us unavailable.
const RETRY_AFTER_SECS: HeaderValue = HeaderValue::from_static("1");

/// How to do better. A signature is of no scheme that HTTP knows, so its refusal names none.
///
/// Source: RFC 6750, section 3.
const BEARER: HeaderValue = HeaderValue::from_static("Bearer");

const JSON: &str = "application/json";

/// A request done: 200 on the HTTP door, the body alone on the other.
#[derive(Debug)]
pub struct Answer {
    body: Content,
    headers: HeaderMap,
    /// The payment it is about, for the log.
    pub(super) payment: Option<PaymentId>,
}

#[derive(Debug)]
enum Content {
    Json(Box<RawValue>),
    /// Sent as it is; a JSON string to a direct caller.
    Text(&'static str),
}

impl Answer {
    /// An answer with this body.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`] if the body cannot be written as JSON.
    pub fn json(body: &impl Serialize) -> Result<Self, Refusal> {
        let body = serde_json::value::to_raw_value(body).map_err(Refusal::internal)?;
        Ok(Self { body: Content::Json(body), headers: HeaderMap::new(), payment: None })
    }

    /// An answer that is this text and nothing else.
    #[must_use]
    pub fn text(text: &'static str) -> Self {
        Self { body: Content::Text(text), headers: HeaderMap::new(), payment: None }
    }

    /// Names the payment it is about, for the log.
    #[must_use]
    pub fn about(mut self, payment: PaymentId) -> Self {
        self.payment = Some(payment);
        self
    }

    /// Adds a header, which only the HTTP door shows.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// What a function hands to the Lambda runtime.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// To API Gateway.
    Api(Box<ApiGatewayV2httpResponse>),
    /// To a direct caller.
    Direct(Box<RawValue>),
}

impl Reply {
    pub(super) fn api(outcome: Result<Answer, Refusal>, request_id: &str) -> Self {
        let (status, kind, headers, body) = match outcome {
            Ok(Answer { body, headers, .. }) => {
                let (kind, body) = match body {
                    Content::Json(body) => (JSON, Box::<str>::from(body).into_string()),
                    Content::Text(text) => ("text/plain", text.to_owned()),
                };
                (StatusCode::OK, kind, headers, body)
            }
            Err(refusal) => {
                let mut headers = HeaderMap::new();
                if refusal.code == Code::Unavailable {
                    headers.insert(header::RETRY_AFTER, RETRY_AFTER_SECS);
                }
                if refusal.code == Code::Unauthenticated {
                    headers.insert(header::WWW_AUTHENTICATE, BEARER);
                }
                let (kind, body) = match refusal.own_form {
                    Some(form) => (JSON, form(refusal.code)),
                    None => ("application/problem+json", refusal.problem(request_id)),
                };
                (refusal.code.status(), kind, headers, body)
            }
        };
        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = status.as_u16().into();
        response.headers = headers;
        response.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        response.body = Some(Body::Text(body));
        Self::Api(Box::new(response))
    }

    pub(super) fn direct(
        outcome: Result<Answer, Refusal>,
        request_id: &str,
    ) -> Result<Self, FunctionError> {
        match outcome {
            Ok(Answer { body: Content::Json(body), .. }) => Ok(Self::Direct(body)),
            Ok(Answer { body: Content::Text(text), .. }) => serde_json::value::to_raw_value(text)
                .map(Self::Direct)
                .map_err(|error| FunctionError::new(&Refusal::internal(error), request_id)),
            Err(refusal) => Err(FunctionError::new(&refusal, request_id)),
        }
    }
}

/// A refusal of a direct call: `errorType` is the problem's slug, `errorMessage` the problem.
pub struct FunctionError {
    code: Code,
    problem: String,
}

impl FunctionError {
    fn new(refusal: &Refusal, request_id: &str) -> Self {
        Self { code: refusal.code, problem: refusal.problem(request_id) }
    }

    /// Which problem.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }
}

impl fmt::Debug for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused: {}", self.code.as_str())
    }
}

impl From<FunctionError> for Diagnostic {
    fn from(error: FunctionError) -> Self {
        Self { error_type: error.code.as_str().to_owned(), error_message: error.problem }
    }
}
