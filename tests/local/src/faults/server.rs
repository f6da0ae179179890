//! Serves over HTTP, with the faults that services and networks have.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::{Fault, Faults};
use crate::task::Task;

/// The most a request's body may weigh, in bytes: what DynamoDB takes.
const BODY_MAX: usize = 16 * 1024 * 1024;

/// What is served: it does what it is asked, and knows how its own refusals are worded.
pub(crate) trait Service: Clone + Send + Sync + 'static {
    /// The name of a call, one of [`super::POINTS`] or nothing that a rule can name.
    fn arrived(&self, head: &Parts, body: &[u8]) -> String;

    /// Does what it is asked.
    fn answer(&self, head: Parts, body: Bytes) -> impl Future<Output = Response<Bytes>> + Send;

    /// A refusal with this status.
    fn refusal(&self, status: StatusCode) -> Response<Bytes>;

    /// The refusal of a call that comes too soon. Where a fault is not for a service
    /// ([`Fault::is_for`]), it has no answer of its own.
    fn throttled(&self) -> Response<Bytes> {
        self.refusal(StatusCode::NOT_IMPLEMENTED)
    }

    /// The refusal of a write whose items another transaction is at.
    fn in_conflict(&self, _body: &[u8]) -> Response<Bytes> {
        self.refusal(StatusCode::NOT_IMPLEMENTED)
    }

    /// The answer that nothing is found.
    fn nothing_found(&self) -> Response<Bytes> {
        self.refusal(StatusCode::NOT_IMPLEMENTED)
    }

    /// The same answer, but about another id.
    fn about_another(&self, answer: Bytes) -> Bytes {
        answer
    }
}

/// A running server; dropping it closes it with all its connections.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    _server: Task,
}

impl Server {
    /// Serves on any free port of `host`, over TLS if there is an acceptor.
    pub(crate) async fn start<S: Service>(
        host: IpAddr,
        service: S,
        faults: Faults,
        tls: Option<TlsAcceptor>,
    ) -> Result<Self> {
        let listener = TcpListener::bind((host, 0)).await?;
        let address = listener.local_addr()?;
        let server = Task::run(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((socket, _)) = listener.accept() => {
                        let (service, faults, tls) = (service.clone(), faults.clone(), tls.clone());
                        connections.spawn(async move {
                            match tls {
                                None => connection(service, faults, socket).await,
                                // A client that does not trust us, or hangs up, is its own trouble.
                                Some(tls) => {
                                    if let Ok(socket) = tls.accept(socket).await {
                                        connection(service, faults, socket).await;
                                    }
                                }
                            }
                        });
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self { address, _server: server })
    }
}

/// A socket with TCP below it.
trait Socket: AsyncRead + AsyncWrite + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Socket for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Socket for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

async fn connection<S: Service>(service: S, faults: Faults, socket: impl Socket) {
    let broken = Arc::clone(&faults.broken);
    let broken = broken.notified();
    let reset = Arc::new(Notify::new());
    let serve =
        service_fn(|request| serve(service.clone(), faults.clone(), Arc::clone(&reset), request));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(socket), serve);
    tokio::select! {
        _ = &mut connection => return,
        () = reset.notified() => {}
        () = broken => {}
    }
    let socket = connection.into_parts().io.into_inner();
    // Closing without lingering sends RST, as a crashing peer does.
    if socket.tcp().set_zero_linger().is_ok() {
        drop(socket);
    }
}

async fn serve<S: Service>(
    service: S,
    faults: Faults,
    reset: Arc<Notify>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_MAX).collect().await else {
        return Ok(whole(service.refusal(StatusCode::PAYLOAD_TOO_LARGE)));
    };
    let body = body.to_bytes();
    let point = service.arrived(&head, &body);
    let fault = faults.arrive(&point);
    let place = faults.journal.begin(&point, &body).await;
    let broken = || async {
        reset.notify_one();
        std::future::pending().await
    };
    let Some(fault) = fault else {
        let answer = service.answer(head, body).await;
        if let Some(place) = place {
            faults.journal.end(place, answer.body());
        }
        return Ok(whole(answer));
    };
    let answer = match fault {
        Fault::Delay(time) => {
            sleep(time).await;
            whole(service.answer(head, body).await)
        }
        Fault::Drip(apart) => drip(service.answer(head, body).await, apart),
        Fault::Reset => broken().await,
        Fault::Hang => std::future::pending().await,
        Fault::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            whole(service.refusal(status))
        }
        Fault::Throttle => whole(service.throttled()),
        Fault::Conflict => whole(service.in_conflict(&body)),
        Fault::FindNothing => whole(service.nothing_found()),
        Fault::Garbage => {
            carried_out(service, head, body).await;
            whole(found("<html>"))
        }
        Fault::WrongShape => {
            carried_out(service, head, body).await;
            whole(found(r#"[{"Item":7,"id":"seven"}]"#))
        }
        Fault::WrongId => {
            let answer = service.answer(head, body).await;
            whole(answer.map(|body| service.about_another(body)))
        }
        Fault::LoseAnswer => {
            carried_out(service, head, body).await;
            broken().await
        }
        Fault::HangAfter => {
            carried_out(service, head, body).await;
            std::future::pending().await
        }
        Fault::LateEffect(after) => {
            let refusal = service.refusal(StatusCode::INTERNAL_SERVER_ERROR);
            late(service, faults.clone(), (head, body), after);
            whole(refusal)
        }
    };
    if let Some(place) = place {
        faults.journal.end(place, &[]);
    }
    Ok(answer)
}

/// Does what is asked, whether or not the caller hangs up meanwhile.
async fn carried_out<S: Service>(service: S, head: Parts, body: Bytes) {
    let done = tokio::spawn(async move { service.answer(head, body).await });
    match done.await {
        Ok(_) | Err(_) => {}
    }
}

/// Does what is asked, later.
fn late<S: Service>(service: S, faults: Faults, (head, body): (Parts, Bytes), after: Duration) {
    faults.count_late(true);
    tokio::spawn(async move {
        sleep(after).await;
        drop(service.answer(head, body).await);
        faults.count_late(false);
    });
}

/// An answer of 200, said to be JSON.
pub(crate) fn found(body: impl Into<Bytes>) -> Response<Bytes> {
    answer(StatusCode::OK, "application/json", body)
}

/// An answer.
pub(crate) fn answer(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn whole(response: Response<Bytes>) -> Response<Body> {
    response.map(Body::from)
}

/// The answer byte by byte.
fn drip(response: Response<Bytes>, apart: Duration) -> Response<Body> {
    response.map(|body| {
        let drops = stream::unfold(body, move |mut rest| async move {
            if rest.is_empty() {
                return None;
            }
            sleep(apart).await;
            let first = rest.split_to(1);
            Some((Ok::<_, Infallible>(first), rest))
        });
        Body::from_stream(drops)
    })
}
