//! What the HTTP API responds to pages of other origins: the rules of the template, for the origins that
//! the stack was started with.
//!
//! Source: API Gateway developer guide, "Configure CORS for HTTP APIs in API Gateway".

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use crate::template::CorsRules;

/// CORS of the HTTP API.
#[derive(Debug)]
pub(crate) struct Cors {
    rules: CorsRules,
    origins: Vec<String>,
}

impl Cors {
    /// `None` without rules or origins: then the API knows nothing of CORS.
    pub(crate) fn new(rules: Option<CorsRules>, origins: Vec<String>) -> Option<Self> {
        let rules = rules.filter(|_| !origins.is_empty())?;
        Some(Self { rules, origins })
    }

    /// The response to a preflight, whatever its path is; `None` for any other request.
    pub(super) fn preflight(&self, request: &Parts) -> Option<Response<Body>> {
        let asks = request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if request.method != Method::OPTIONS || !asks {
            return None;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        if let Some(origin) = self.allowed(&request.headers) {
            let CorsRules { allow_methods, allow_headers, max_age, .. } = &self.rules;
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            insert(headers, ACCESS_CONTROL_ALLOW_METHODS, &allow_methods.join(","));
            insert(headers, ACCESS_CONTROL_ALLOW_HEADERS, &allow_headers.join(","));
            insert(headers, ACCESS_CONTROL_MAX_AGE, &max_age.to_string());
        }
        Some(response)
    }

    /// Adds to a function's response what lets a page of the request's origin read it.
    pub(super) fn let_read(&self, request: &HeaderMap, response: &mut HeaderMap) {
        if let Some(origin) = self.allowed(request) {
            response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            let exposed = self.rules.expose_headers.join(",");
            insert(response, ACCESS_CONTROL_EXPOSE_HEADERS, &exposed);
        }
    }

    fn allowed<'a>(&self, request: &'a HeaderMap) -> Option<&'a HeaderValue> {
        let origin = request.get(ORIGIN)?;
        self.origins.iter().any(|allowed| allowed == origin).then_some(origin)
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}
