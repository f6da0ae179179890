//! A small HTTP/1.1 server: every request goes whole to one handler.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode, body::Incoming};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

pub(crate) type Response = hyper::Response<Full<Bytes>>;

pub(crate) type Handler = Arc<dyn Fn(Parts, Bytes) -> BoxFuture<'static, Response> + Send + Sync>;

/// A running server; dropping it closes it with all its connections.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// How many connections were ever opened.
    pub(crate) accepted: Arc<AtomicU64>,
    /// Notified, it closes every connection; new ones are accepted.
    pub(crate) hang_up: Arc<Notify>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Serves on any free port of 127.0.0.1, over TLS if there is an acceptor.
    pub(crate) async fn start(handler: Handler, tls: Option<TlsAcceptor>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (accepted, hang_up) = (Arc::<AtomicU64>::default(), Arc::<Notify>::default());
        let (count, ended) = (Arc::clone(&accepted), Arc::clone(&hang_up));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((socket, _)) = listener.accept() => {
                        count.fetch_add(1, Ordering::Relaxed);
                        let served = serve(socket, tls.clone(), Arc::clone(&handler));
                        let ended = Arc::clone(&ended);
                        // However it ends, the caller sees it.
                        connections.spawn(async move {
                            tokio::select! { _ = served => {}, () = ended.notified() => {} }
                        });
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self { address, accepted, hang_up, _tasks: tasks })
    }
}

async fn serve(socket: TcpStream, tls: Option<TlsAcceptor>, handler: Handler) -> Result<()> {
    // A response must not wait for the acknowledgement of what came before it.
    socket.set_nodelay(true)?;
    match tls {
        None => requests(socket, handler).await,
        Some(tls) => requests(tls.accept(socket).await?, handler).await,
    }
}

async fn requests(io: impl AsyncRead + AsyncWrite + Unpin, handler: Handler) -> Result<()> {
    let service = service_fn(async |request: Request<Incoming>| {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok::<_, hyper::Error>(handler(head, body).await)
    });
    Ok(http1::Builder::new().serve_connection(TokioIo::new(io), service).await?)
}

pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
