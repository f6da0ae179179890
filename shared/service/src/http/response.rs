//! Responses, in the form of the entry point that the request came through.

use std::{collections::BTreeMap, fmt};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use lambda_http::{Body, aws_lambda_events::apigw::ApiGatewayV2httpResponse};
use lambda_runtime::Diagnostic;
use pay_core::domain::PaymentId;
use pay_providers::Acknowledgement;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Code, Problem, api::OtherForm};
use crate::limits::RETRY_AFTER_SECS;

/// The challenge of a 401. A webhook signature is no scheme that HTTP knows, so it has none.
///
/// Source: RFC 6750, section 3.
const BEARER: HeaderValue = HeaderValue::from_static("Bearer");

const JSON: &str = "application/json";

/// A success response: 200 through the API, the body alone to a direct caller.
#[derive(Debug)]
pub struct Response {
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

impl Response {
    /// A response with this JSON body.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`] if the body cannot be written as JSON.
    pub fn json(body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::value::to_raw_value(body).map_err(Problem::internal)?;
        Ok(Self { body: Content::Json(body), headers: HeaderMap::new(), payment: None })
    }

    /// The success response that a provider expects.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`] if the body is no JSON.
    pub fn acknowledgement(body: Acknowledgement) -> Result<Self, Problem> {
        let body = match body {
            Acknowledgement::Json(json) => {
                let json = RawValue::from_string(json.to_owned()).map_err(Problem::internal)?;
                Content::Json(json)
            }
            Acknowledgement::Text(text) => Content::Text(text),
        };
        Ok(Self { body, headers: HeaderMap::new(), payment: None })
    }

    /// Names the payment it is about, for the log.
    #[must_use]
    pub fn about(mut self, payment: PaymentId) -> Self {
        self.payment = Some(payment);
        self
    }

    /// Adds a header; a direct caller does not get it.
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
    /// To an HTTP API.
    Api(Box<ApiGatewayV2httpResponse>),
    /// To another kind of API, or to a load balancer.
    Other(Box<OtherResponse>),
    /// To a direct caller.
    Direct(Box<RawValue>),
}

/// A response to what reads payload format 1.0.
///
/// A REST API rejects a response with other members than it knows.
///
/// Source: API Gateway Developer Guide, "Output format of a Lambda function for proxy integration";
/// Elastic Load Balancing, "Lambda functions as targets".
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OtherResponse {
    status_code: u16,
    /// For a load balancer: `400 Bad Request`.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_headers: Option<BTreeMap<String, [String; 1]>>,
    body: String,
    is_base64_encoded: bool,
}

/// What HTTP carries of an outcome.
struct HttpResponse {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl HttpResponse {
    fn new(outcome: Result<Response, Problem>, request_id: &str) -> Self {
        let (status, kind, mut headers, body) = match outcome {
            Ok(Response { body, headers, .. }) => {
                let (kind, body) = match body {
                    Content::Json(body) => (JSON, Box::<str>::from(body).into_string()),
                    Content::Text(text) => ("text/plain", text.to_owned()),
                };
                (StatusCode::OK, kind, headers, body)
            }
            Err(problem) => {
                let mut headers = HeaderMap::new();
                if problem.code == Code::Unavailable {
                    let seconds = HeaderValue::from_static(RETRY_AFTER_SECS);
                    headers.insert(header::RETRY_AFTER, seconds);
                }
                if problem.code == Code::Unauthenticated {
                    headers.insert(header::WWW_AUTHENTICATE, BEARER);
                }
                let (kind, body) = match problem.own_form {
                    Some(form) => (JSON, form(problem.code.title())),
                    None => ("application/problem+json", problem.problem(request_id)),
                };
                (problem.code.status(), kind, headers, body)
            }
        };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        Self { status, headers, body }
    }
}

impl Reply {
    pub(super) fn api(outcome: Result<Response, Problem>, request_id: &str) -> Self {
        let HttpResponse { status, headers, body } = HttpResponse::new(outcome, request_id);
        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = status.as_u16().into();
        response.headers = headers;
        response.body = Some(Body::Text(body));
        Self::Api(Box::new(response))
    }

    pub(super) fn other(
        outcome: Result<Response, Problem>,
        request_id: &str,
        form: OtherForm,
    ) -> Self {
        let HttpResponse { status, headers, body } = HttpResponse::new(outcome, request_id);
        // Each of ours is there once, and is ASCII.
        let headers: BTreeMap<String, String> = headers
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let lists = || headers.iter().map(|(name, value)| (name.clone(), [value.clone()]));
        Self::Other(Box::new(OtherResponse {
            status_code: status.as_u16(),
            status_description: form.load_balancer.then(|| status.to_string()),
            multi_value_headers: form.multi_value.then(|| lists().collect()),
            headers: (!form.multi_value).then_some(headers),
            body,
            is_base64_encoded: false,
        }))
    }

    pub(super) fn direct(
        outcome: Result<Response, Problem>,
        request_id: &str,
    ) -> Result<Self, FunctionError> {
        match outcome {
            Ok(Response { body: Content::Json(body), .. }) => Ok(Self::Direct(body)),
            Ok(Response { body: Content::Text(text), .. }) => serde_json::value::to_raw_value(text)
                .map(Self::Direct)
                .map_err(|error| FunctionError::new(&Problem::internal(error), request_id)),
            Err(problem) => Err(FunctionError::new(&problem, request_id)),
        }
    }
}

/// A problem for a direct caller: `errorType` is its slug, `errorMessage` the problem as JSON.
pub struct FunctionError {
    code: Code,
    problem: String,
}

impl FunctionError {
    fn new(problem: &Problem, request_id: &str) -> Self {
        Self { code: problem.code, problem: problem.problem(request_id) }
    }

    /// Which problem.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }
}

impl fmt::Debug for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "problem: {}", self.code.as_str())
    }
}

impl From<FunctionError> for Diagnostic {
    fn from(error: FunctionError) -> Self {
        Self { error_type: error.code.as_str().to_owned(), error_message: error.problem }
    }
}
