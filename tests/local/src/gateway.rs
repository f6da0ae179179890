//! API Gateway: the HTTP API of the template, and Lambda's own Invoke API for direct calls.

mod answer;
mod event;
mod route;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;

use crate::clock;
use crate::lambda::{Lambda, PAYLOAD_MAX};
use crate::template::Route;

/// The most a request's body may weigh, in bytes: the gateway's limit.
pub const BODY_MAX: usize = 10 * 1024 * 1024;

/// How much of a body over the limit is read away, in bytes, so that the client hears the refusal
/// instead of a reset connection.
const DISCARD_MAX: usize = 64 * 1024 * 1024;

/// What the front works with.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) routes: Vec<Route>,
}

/// The front as a service.
pub(crate) fn router(gateway: Gateway) -> Router {
    Router::new()
        .route("/2015-03-31/functions/{name}/invocations", post(invoke))
        .fallback(serve)
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::new(gateway))
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
    let Some(matched) = route::find(&gateway.routes, &parts.method, parts.uri.path()) else {
        return answer::message(StatusCode::NOT_FOUND, "Not Found");
    };
    let body = match read(body).await {
        Read::All(body) => body,
        Read::TooLarge => return too_large(),
        Read::Broken => return answer::message(StatusCode::BAD_REQUEST, "Bad Request"),
    };
    let about = event::About { source, request_id, now_ms: clock::now_ms() };
    let event = event::build(&matched, &parts, &body, &about).to_string();
    if event.len() > PAYLOAD_MAX {
        // Within the gateway's limit, over Lambda's: base64 and the rest of the event weigh too.
        return too_large();
    }
    let invoked = gateway.lambda.invoke(&matched.route.function, event.into());
    match tokio::time::timeout(Lambda::GATEWAY_LIMIT, invoked).await {
        Ok(Ok(payload)) => answer::from_function(&payload),
        Ok(Err(_function_error)) => {
            answer::message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
        Err(_elapsed) => answer::message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
    }
}

fn too_large() -> Response {
    answer::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
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
        return answer::refusal(StatusCode::NOT_FOUND, "ResourceNotFoundException", &text);
    }
    let payload = if payload.is_empty() { Bytes::from_static(b"{}") } else { payload };
    if payload.len() > PAYLOAD_MAX {
        let text = format!("Request must be smaller than {PAYLOAD_MAX} bytes");
        return answer::refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", &text);
    }
    if serde_json::from_slice::<serde::de::IgnoredAny>(&payload).is_err() {
        let text = "Could not parse request body into json";
        return answer::refusal(StatusCode::BAD_REQUEST, "InvalidRequestContentException", text);
    }
    match headers.get("x-amz-invocation-type").map(HeaderValue::as_bytes) {
        None | Some(b"RequestResponse") => {}
        Some(b"DryRun") => return StatusCode::NO_CONTENT.into_response(),
        Some(b"Event") => {
            let name = name.to_owned();
            tokio::spawn(async move { gateway.lambda.invoke(&name, payload).await });
            return StatusCode::ACCEPTED.into_response();
        }
        Some(_) => {
            let text = "Unknown invocation type";
            return answer::refusal(
                StatusCode::BAD_REQUEST,
                "InvalidParameterValueException",
                text,
            );
        }
    }
    let version = [("x-amz-executed-version", "$LATEST"), ("content-type", "application/json")];
    match gateway.lambda.invoke(name, payload).await {
        Ok(answer) => (version, answer).into_response(),
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
