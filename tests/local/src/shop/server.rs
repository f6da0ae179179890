//! The shop over HTTPS.

use std::net::IpAddr;

use anyhow::Result;
use bytes::Bytes;
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;

use super::{Shop, ShopRoute, api};
use crate::faults::server::{self, Server, Service};

/// The longest body that a real shop's gateway passes on, in bytes.
const BODY_MAX: usize = 1 << 20;

impl Shop {
    /// Serves on `host` until the server is dropped.
    pub(crate) async fn serve(&self, host: IpAddr, tls: TlsAcceptor) -> Result<Server> {
        Server::start(host, self.clone(), self.faults.clone(), Some(tls)).await
    }
}

fn route(head: &Parts) -> Option<ShopRoute> {
    let route = ShopRoute::ALL.into_iter().find(|route| route.path() == head.uri.path());
    route.filter(|_| head.method == Method::POST)
}

impl Service for Shop {
    fn arrived(&self, head: &Parts, _body: &[u8]) -> String {
        let Some(route) = route(head) else { return String::new() };
        let mut state = self.lock();
        let calls = state.calls.entry(route).or_default();
        *calls = calls.saturating_add(1);
        route.point().to_owned()
    }

    async fn response(&self, head: Parts, body: Bytes) -> Response<Bytes> {
        let Some(route) = route(&head) else {
            return text(StatusCode::NOT_FOUND, "404 page not found\n".to_owned());
        };
        if body.len() > BODY_MAX {
            return text(StatusCode::PAYLOAD_TOO_LARGE, String::new());
        }
        let header = |name: &str| {
            head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let (authorization, key) = (header(AUTHORIZATION.as_str()), header("idempotency-key"));
        let (status, response) = api::response(self, route, authorization.as_deref(), key, &body);
        match status {
            StatusCode::OK => server::response(status, "application/json; charset=utf-8", response),
            _ => text(status, response),
        }
    }

    fn problem(&self, status: StatusCode) -> Response<Bytes> {
        text(status, String::new())
    }

    /// As a go-zero service with the error handler of its documentation responds.
    fn error_envelope(&self) -> Response<Bytes> {
        server::found(r#"{"code":13,"msg":"rpc error: code = Internal desc = deadlock"}"#)
    }

    async fn about_another(&self, head: Parts, body: Bytes) -> Response<Bytes> {
        self.response(head, body).await.map(|response| {
            let Ok(mut object) = serde_json::from_slice::<Value>(&response) else {
                return response;
            };
            if let Some(id) = object.get_mut("id") {
                *id = json!(id.as_u64().map(|id| id.saturating_add(1)));
            }
            object.to_string().into()
        })
    }
}

fn text(status: StatusCode, text: String) -> Response<Bytes> {
    server::response(status, "text/plain; charset=utf-8", text)
}
