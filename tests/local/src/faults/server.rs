//! An HTTP server with the faults of services and networks.

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

/// The longest body of a request, in bytes: DynamoDB's limit.
const BODY_MAX: usize = 16 * 1024 * 1024;

/// What is served: it carries out calls, and writes its errors in its own form.
pub(crate) trait Service: Clone + Send + Sync + 'static {
    /// The name of a call: one of [`super::POINTS`], or another text, which no rule names.
    fn arrived(&self, head: &Parts, body: &[u8]) -> String;

    /// Carries out a call.
    fn response(&self, head: Parts, body: Bytes) -> impl Future<Output = Response<Bytes>> + Send;

    /// An error with this status.
    fn problem(&self, status: StatusCode) -> Response<Bytes>;

    /// The error of a call that is throttled. A service to which a fault does not apply
    /// ([`Fault::is_for`]) has no response of its own for it.
    fn throttled(&self) -> Response<Bytes> {
        self.problem(StatusCode::NOT_IMPLEMENTED)
    }

    /// The error of a write whose items another transaction has.
    fn in_conflict(&self, _body: &[u8]) -> Response<Bytes> {
        self.problem(StatusCode::NOT_IMPLEMENTED)
    }

    /// The error of a service that puts its errors into a 200.
    fn error_envelope(&self) -> Response<Bytes> {
        self.problem(StatusCode::NOT_IMPLEMENTED)
    }

    /// The response that nothing is found.
    fn nothing_found(&self) -> Response<Bytes> {
        self.problem(StatusCode::NOT_IMPLEMENTED)
    }

    /// The response about another id than requested.
    fn about_another(
        &self,
        head: Parts,
        body: Bytes,
    ) -> impl Future<Output = Response<Bytes>> + Send {
        self.response(head, body)
    }

    /// The response without its signature.
    fn unsigned(&self, head: Parts, body: Bytes) -> impl Future<Output = Response<Bytes>> + Send {
        self.response(head, body)
    }
}

/// A running server. Dropping it closes all its connections.
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
                                // A client that does not trust us, or hangs up, gets no connection.
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
        return Ok(whole(service.problem(StatusCode::PAYLOAD_TOO_LARGE)));
    };
    let body = body.to_bytes();
    let point = service.arrived(&head, &body);
    faults.gates.pass(&point).await;
    let fault = faults.arrive(&point);
    let place = faults.journal.begin(&point, &body).await;
    let broken = || async {
        reset.notify_one();
        std::future::pending().await
    };
    let Some(fault) = fault else {
        let response = service.response(head, body).await;
        if let Some(place) = place {
            faults.journal.end(place, response.body());
        }
        return Ok(whole(response));
    };
    let response = match fault {
        Fault::Delay(time) => {
            sleep(time).await;
            whole(service.response(head, body).await)
        }
        Fault::Drip(apart) => drip(service.response(head, body).await, apart),
        Fault::Reset => broken().await,
        Fault::Hang => std::future::pending().await,
        Fault::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            whole(service.problem(status))
        }
        Fault::Throttle => whole(service.throttled()),
        Fault::Conflict => whole(service.in_conflict(&body)),
        Fault::ErrorEnvelope => whole(service.error_envelope()),
        Fault::FindNothing => whole(service.nothing_found()),
        Fault::Garbage => {
            carried_out(service, head, body).await;
            whole(found("<html>"))
        }
        Fault::WrongShape => {
            carried_out(service, head, body).await;
            whole(found(r#"[{"Item":7,"id":"seven"}]"#))
        }
        Fault::WrongId => whole(service.about_another(head, body).await),
        Fault::Unsigned => whole(service.unsigned(head, body).await),
        // Of webhooks, which are not served here.
        Fault::Lose | Fault::Twice => whole(service.problem(StatusCode::NOT_IMPLEMENTED)),
        Fault::LoseResponse => {
            carried_out(service, head, body).await;
            broken().await
        }
        Fault::HangAfter => {
            carried_out(service, head, body).await;
            std::future::pending().await
        }
        Fault::LateEffect(after) => {
            let problem = service.problem(StatusCode::INTERNAL_SERVER_ERROR);
            faults.later(after, async move { drop(service.response(head, body).await) });
            whole(problem)
        }
    };
    if let Some(place) = place {
        faults.journal.end(place, &[]);
    }
    Ok(response)
}

/// Carries out a call, whether or not the caller hangs up meanwhile.
async fn carried_out<S: Service>(service: S, head: Parts, body: Bytes) {
    let done = tokio::spawn(async move { service.response(head, body).await });
    match done.await {
        Ok(_) | Err(_) => {}
    }
}

/// A response of 200 with the content type JSON.
pub(crate) fn found(body: impl Into<Bytes>) -> Response<Bytes> {
    response(StatusCode::OK, "application/json", body)
}

/// A response.
pub(crate) fn response(
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

/// The response byte by byte.
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
