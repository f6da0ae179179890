//! The shop over HTTPS, with the faults a network has.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Result;
use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use super::{Fault, Shop, ShopRoute, api};
use crate::task::Task;

/// The most a request's body may weigh, in bytes.
const BODY_MAX: usize = 1 << 20;

/// The shop's services, until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    _server: Task,
}

impl Server {
    pub(crate) async fn start(shop: Shop, tls: TlsAcceptor) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let server = Task::run(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((socket, _)) = listener.accept() => {
                        connections.spawn(connection(shop.clone(), tls.clone(), socket));
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self { address, _server: server })
    }
}

async fn connection(shop: Shop, tls: TlsAcceptor, socket: TcpStream) {
    // A client that does not trust us, or hangs up, is its own trouble.
    let Ok(socket) = tls.accept(socket).await else {
        return;
    };
    let reset = Arc::new(Notify::new());
    let service = service_fn(|request| serve(shop.clone(), Arc::clone(&reset), request));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    tokio::select! {
        _ = &mut connection => {}
        () = reset.notified() => {
            let socket = connection.into_parts().io.into_inner();
            // Closing without lingering sends RST, as a crashing peer does.
            if socket.get_ref().0.set_zero_linger().is_ok() {
                drop(socket);
            }
        }
    }
}

async fn serve(
    shop: Shop,
    reset: Arc<Notify>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path().to_owned();
    let route = ShopRoute::ALL.into_iter().find(|route| route.path() == path);
    let Some(route) = route.filter(|_| request.method() == "POST") else {
        return Ok(response(404, "404 page not found\n".to_owned().into()));
    };
    let header = |name: &str| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let (authorization, key) = (header(AUTHORIZATION.as_str()), header("idempotency-key"));
    let Ok(body) = Limited::new(request.into_body(), BODY_MAX).collect().await else {
        return Ok(response(413, Body::empty()));
    };
    let body = body.to_bytes();
    let fault = shop.lock().arrive(route);
    match fault {
        Some(Fault::Status(status)) => return Ok(response(status, Body::empty())),
        Some(Fault::Garbage) => return Ok(response(200, "<html>".to_owned().into())),
        Some(Fault::Hang) => return std::future::pending().await,
        Some(Fault::Reset) => {
            reset.notify_one();
            return std::future::pending().await;
        }
        Some(Fault::Delay(time)) => sleep(time).await,
        Some(Fault::LoseAnswer | Fault::Drip(_) | Fault::WrongId) | None => {}
    }
    let wrong_id = fault == Some(Fault::WrongId);
    let (status, text) = api::answer(&shop, route, authorization.as_deref(), key, &body, wrong_id);
    match fault {
        Some(Fault::LoseAnswer) => {
            reset.notify_one();
            std::future::pending().await
        }
        Some(Fault::Drip(apart)) => {
            let drops = stream::unfold(Bytes::from(text), move |mut rest| async move {
                if rest.is_empty() {
                    return None;
                }
                sleep(apart).await;
                let first = rest.split_to(1);
                Some((Ok::<_, Infallible>(first), rest))
            });
            Ok(response(status, Body::from_stream(drops)))
        }
        _ => Ok(response(status, text.into())),
    }
}

fn response(status: u16, body: Body) -> Response<Body> {
    let content_type = match status {
        200 => "application/json; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert("content-type", hyper::header::HeaderValue::from_static(content_type));
    response
}
