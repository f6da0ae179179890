//! API Gateway: the HTTP API of the template, and Lambda's own Invoke API for direct calls.

mod cors;
mod event;
mod response;
mod route;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use serde_json::json;

pub(crate) use cors::Cors;

use crate::clock;
use crate::lambda::{Lambda, PAYLOAD_MAX};
use crate::simulator::{Account, Delivery};
use crate::template::Route;

/// The longest body of a request, in bytes: the gateway's limit.
pub const BODY_MAX: usize = 10 * 1024 * 1024;

/// How much of a body over the limit is read, in bytes, so that the client gets the error and not a
/// reset connection.
const DISCARD_MAX: usize = 64 * 1024 * 1024;

/// What the router works with.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) routes: Vec<Route>,
    pub(crate) cors: Option<Cors>,
    /// Where the services are, as JSON for `payctl --local`. It holds no secret.
    pub(crate) services: String,
    /// The shop's accounts at the providers, for the payers who pay there.
    pub(crate) accounts: Vec<Account>,
}

/// The HTTP API and the Invoke API as one router.
pub(crate) fn router(gateway: Gateway) -> Router {
    Router::new()
        .route("/2015-03-31/functions/{name}/invocations", post(invoke))
        .route("/local-stack", get(services))
        .route("/local-stack/pay/{checkout}", post(pay))
        .fallback(serve)
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::new(gateway))
}

async fn services(State(gateway): State<Arc<Gateway>>) -> Response {
    ([("content-type", "application/json")], gateway.services.clone()).into_response()
}

/// The payer pays a checkout at its provider, which sends its webhook.
async fn pay(State(gateway): State<Arc<Gateway>>, Path(checkout): Path<String>) -> Response {
    let mut refused = Vec::new();
    for account in &gateway.accounts {
        match account.pay_checkout(&checkout).await {
            Ok(deliveries) => {
                let paid = json!({
                    "provider": account.provider().as_str(),
                    "webhooks": deliveries.iter().map(Delivery::to_string).collect::<Vec<_>>(),
                });
                return axum::Json(paid).into_response();
            }
            Err(why) => refused.push(format!("{}: {why:#}", account.provider().as_str())),
        }
    }
    (StatusCode::CONFLICT, refused.join("\n")).into_response()
}

/// One request to the HTTP API.
async fn serve(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(source): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let request_id = event::request_id();
    let mut response = handle(&gateway, source, request, &request_id).await;
    if let Ok(request_id) = request_id.parse() {
        response.headers_mut().insert("apigw-requestid", request_id);
    }
    response
}

async fn handle(
    gateway: &Gateway,
    source: SocketAddr,
    request: Request<Body>,
    request_id: &str,
) -> Response {
    let (parts, body) = request.into_parts();
    if let Some(response) = gateway.cors.as_ref().and_then(|cors| cors.preflight(&parts)) {
        return response;
    }
    let Some(matched) = route::find(&gateway.routes, &parts.method, parts.uri.path()) else {
        return response::message(StatusCode::NOT_FOUND, "Not Found");
    };
    let body = match read(body).await {
        Read::All(body) => body,
        Read::TooLarge => return too_large(),
        Read::Broken => return response::message(StatusCode::BAD_REQUEST, "Bad Request"),
    };
    let about = event::About { source, request_id, now_ms: clock::now_ms() };
    let event = event::build(&matched, &parts, &body, &about).to_string();
    if event.len() > PAYLOAD_MAX {
        // Within the gateway's limit and over Lambda's: base64 and the rest of the event add to it.
        return too_large();
    }
    let invoked = gateway.lambda.invoke(&matched.route.function, event.into());
    match tokio::time::timeout(Lambda::GATEWAY_LIMIT, invoked).await {
        Ok(Ok(payload)) => {
            let mut response = response::from_function(&payload);
            if let Some(cors) = &gateway.cors {
                cors.let_read(&parts.headers, response.headers_mut());
            }
            response
        }
        Ok(Err(_function_error)) => {
            response::message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
        Err(_elapsed) => response::message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
    }
}

fn too_large() -> Response {
    response::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
}

enum Read {
    All(Bytes),
    TooLarge,
    Broken,
}

async fn read(mut body: Body) -> Read {
    let mut kept = BytesMut::new();
    let mut seen: usize = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Read::Broken;
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        seen = seen.saturating_add(data.len());
        if seen <= BODY_MAX {
            kept.extend_from_slice(&data);
        } else if seen > DISCARD_MAX {
            break;
        }
    }
    if seen > BODY_MAX { Read::TooLarge } else { Read::All(kept.freeze()) }
}

/// One direct call, as `aws lambda invoke` sends it.
///
/// Source: AWS Lambda API reference, "Invoke".
async fn invoke(
    State(gateway): State<Arc<Gateway>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    payload: Bytes,
) -> Response {
    let name = function_name(&name);
    if !gateway.lambda.has(name) {
        let text = format!("Function not found: {name}");
        return response::problem(StatusCode::NOT_FOUND, "ResourceNotFoundException", &text);
    }
    let payload = if payload.is_empty() { Bytes::from_static(b"{}") } else { payload };
    if payload.len() > PAYLOAD_MAX {
        let text = format!("Request must be smaller than {PAYLOAD_MAX} bytes");
        return response::problem(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", &text);
    }
    if serde_json::from_slice::<serde::de::IgnoredAny>(&payload).is_err() {
        let text = "Could not parse request body into json";
        return response::problem(StatusCode::BAD_REQUEST, "InvalidRequestContentException", text);
    }
    let kind = headers.get("x-amz-invocation-type");
    if kind.is_some_and(|kind| kind != "RequestResponse") {
        let text = "Only RequestResponse is known here";
        return response::problem(StatusCode::BAD_REQUEST, "InvalidParameterValueException", text);
    }
    let version = [("x-amz-executed-version", "$LATEST"), ("content-type", "application/json")];
    match gateway.lambda.invoke(name, payload).await {
        Ok(response) => (version, response).into_response(),
        Err(error) => {
            (version, [("x-amz-function-error", "Unhandled")], error.payload).into_response()
        }
    }
}

/// The bare name in `create`, `create:$LATEST`, or an ARN with either.
fn function_name(given: &str) -> &str {
    let name = given.rsplit_once("function:").map_or(given, |(_, name)| name);
    name.split_once(':').map_or(name, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::function_name;

    #[test]
    fn a_function_is_found_by_name_version_and_arn() {
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:create";
        for given in ["create", "create:$LATEST", arn, &format!("{arn}:$LATEST")] {
            assert_eq!(function_name(given), "create");
        }
    }
}
