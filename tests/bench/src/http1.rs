//! A small HTTP/1.1 server: every request goes whole to one function.

use std::convert::Infallible;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Answers requests.
pub(crate) trait Answer: Clone + Send + Sync + 'static {
    /// Answers one.
    fn answer(&self, head: Parts, body: Bytes) -> impl Future<Output = Response<Bytes>> + Send;
}

/// A running server; dropping it closes it with all its connections.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    accepted: Arc<AtomicU64>,
    hang_up: Arc<Notify>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Serves on any free port of 127.0.0.1, over TLS if there is an acceptor.
    pub(crate) async fn start<A: Answer>(
        answer: A,
        tls: Option<TlsAcceptor>,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (accepted, hang_up) = (Arc::<AtomicU64>::default(), Arc::<Notify>::default());
        let door =
            Door { answer, tls, accepted: Arc::clone(&accepted), hang_up: Arc::clone(&hang_up) };
        let mut tasks = JoinSet::new();
        tasks.spawn(door.accept(listener));
        Ok(Self { address, accepted, hang_up, _tasks: tasks })
    }

    /// How many connections were ever opened.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Closes every connection; new ones are welcome.
    pub(crate) fn hang_up(&self) {
        self.hang_up.notify_waiters();
    }
}

/// Where connections come in.
#[derive(Clone)]
struct Door<A> {
    answer: A,
    tls: Option<TlsAcceptor>,
    accepted: Arc<AtomicU64>,
    hang_up: Arc<Notify>,
}

impl<A: Answer> Door<A> {
    async fn accept(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                Ok((socket, _)) = listener.accept() => {
                    self.accepted.fetch_add(1, Ordering::Relaxed);
                    connections.spawn(self.clone().shake_hands(socket));
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn shake_hands(self, socket: TcpStream) {
        // An answer must not wait for the acknowledgement of what came before it.
        drop(socket.set_nodelay(true));
        match &self.tls {
            None => self.serve(socket).await,
            Some(tls) => {
                if let Ok(socket) = tls.accept(socket).await {
                    self.serve(socket).await;
                }
            }
        }
    }

    async fn serve(&self, socket: impl AsyncRead + AsyncWrite + Unpin) {
        let serve = service_fn(|request| one(self.answer.clone(), request));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), serve);
        // However it ends, there is nobody to tell: who called sees it.
        tokio::select! {
            _ = connection => {}
            () = self.hang_up.notified() => {}
        }
    }
}

async fn one<A: Answer>(
    answer: A,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    Ok(answer.answer(head, body).await.map(Full::new))
}
