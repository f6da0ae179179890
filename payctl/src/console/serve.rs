//! The console as a server: routes, what every request must pass and every response has.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio::net::TcpListener;

use super::access::{Denied, ENTER};
use super::app::App;
use super::fault::Fault;
use super::{page, pages};
use crate::limits::CONSOLE_BODY_BYTES;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// What a page may load and where its forms may go: this server alone.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// A console that listens.
#[derive(Debug)]
pub(crate) struct ConsoleServer {
    listener: TcpListener,
    /// Where: an address of this machine that no other one reaches.
    pub(crate) address: SocketAddr,
}

impl ConsoleServer {
    /// Listens on this port of 127.0.0.1; on any free one if it is 0.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub(crate) async fn listen(port: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let listener = listener.with_context(|| {
            format!(
                "cannot listen on 127.0.0.1:{port}: choose another port with --port, or 0 for any"
            )
        })?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Serves until `end`.
    ///
    /// # Errors
    ///
    /// The listener fails.
    pub(crate) async fn until(
        self,
        app: App,
        end: impl Future<Output = ()> + Send + 'static,
    ) -> Result<()> {
        let app = router(Arc::new(app));
        Ok(axum::serve(self.listener, app).with_graceful_shutdown(end).await?)
    }
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        .route(ENTER, get(enter))
        .route("/style.css", get(async || asset("text/css; charset=utf-8", STYLE)))
        .route("/script.js", get(async || asset("text/javascript; charset=utf-8", SCRIPT)))
        .merge(pages::routes())
        .fallback(nowhere)
        .layer(DefaultBodyLimit::max(CONSOLE_BODY_BYTES))
        .layer(from_fn_with_state(Arc::clone(&app), guarded))
        .with_state(app)
}

fn asset(content_type: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}

async fn nowhere(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let what = format!("There is no page {}.", uri.path());
    page::fault(&app, uri.path(), &Fault::not_found(what, "The menu above has every page."))
}

#[derive(Debug, Deserialize)]
struct Entering {
    code: Option<String>,
}

/// Takes the code out of the address bar.
async fn enter(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    query: Query<Entering>,
) -> Response {
    let entered = app.access.enter(query.code.as_deref().unwrap_or_default());
    match entered {
        Ok(cookie) => {
            let headers = [(header::SET_COOKIE, cookie), (header::LOCATION, "/".to_owned())];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        // The link of somebody who is in already, opened once more.
        Err(_) if app.access.has_session(&headers) => {
            (StatusCode::SEE_OTHER, [(header::LOCATION, "/")]).into_response()
        }
        Err(denied) => deny(denied),
    }
}

/// Checks a request, and gives every response the headers that keep the console to itself.
async fn guarded(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let checked = app.access.check(request.method(), request.uri(), request.headers());
    let is_post = request.method() == Method::POST;
    let mut response = match checked {
        // Whatever it is, and whether or not a page has a form for it.
        Ok(()) if is_post && app.is_read_only => {
            page::fault(&app, request.uri().path(), &Fault::read_only())
        }
        Ok(()) => next.run(request).await,
        Err(denied) => deny(denied),
    };
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn deny(denied: Denied) -> Response {
    let (status, text) = match denied {
        Denied::OtherHost => (
            StatusCode::MISDIRECTED_REQUEST,
            "This console serves its own address alone: open the link that payctl printed.",
        ),
        Denied::Method => {
            (StatusCode::METHOD_NOT_ALLOWED, "A page is read by GET, and changed by POST.")
        }
        Denied::OtherOrigin => (
            StatusCode::FORBIDDEN,
            "This request comes from no page of this console, so nothing was done.",
        ),
        Denied::NoSession => (
            StatusCode::UNAUTHORIZED,
            "This browser has no session: open the link that payctl printed. It works once; start payctl \
             console again for a new one.",
        ),
        Denied::Code => (
            StatusCode::FORBIDDEN,
            "This link was used already, or is of an earlier run: start payctl console again for a new one.",
        ),
    };
    page::plain(status, text)
}
