//! The bare client: makes the calls that a function made for a request, and nothing else.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use futures_util::future::try_join_all;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, header::HOST};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::services::Recorded;
use crate::stats::nanos;

/// One connection, kept, for each place in a group and each service that is called there.
type Kept = BTreeMap<(usize, SocketAddr), SendRequest<Full<Bytes>>>;

/// Makes these calls so often, those of one group side by side, on a thread of its own as the
/// function is a process of its own; returns what each time took, in nanoseconds.
pub(crate) async fn replay(
    tls: Arc<ClientConfig>,
    hops: Vec<Vec<Recorded>>,
    calls: u64,
) -> Result<Vec<u64>> {
    let (tls, mut drivers, mut kept) = (TlsConnector::from(tls), JoinSet::new(), Kept::new());
    let work = async move {
        for (at, recorded) in hops.iter().flat_map(|hop| hop.iter().enumerate()) {
            let address = address(recorded).context("a call does not say where it went")?;
            let socket = TcpStream::connect(address).await?;
            socket.set_nodelay(true)?;
            let socket = tls.connect(address.ip().into(), socket).await?;
            let (sender, connection) = handshake(TokioIo::new(socket)).await?;
            drivers.spawn(connection);
            kept.insert((at, address), sender);
        }
        // The first opens nothing any more, but is the first.
        make(&hops, &mut kept).await?;
        let mut replays_ns = Vec::new();
        for _ in 0..calls {
            let began = Instant::now();
            make(&hops, &mut kept).await?;
            replays_ns.push(nanos(began.elapsed()));
        }
        Ok(replays_ns)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    tokio::task::spawn_blocking(move || runtime.block_on(work)).await?
}

fn address(recorded: &Recorded) -> Option<SocketAddr> {
    recorded.head.headers.get(HOST)?.to_str().ok()?.parse().ok()
}

async fn make(hops: &[Vec<Recorded>], kept: &mut Kept) -> Result<()> {
    for hop in hops {
        let calls = kept.iter_mut().filter_map(|((at, to), connection)| {
            let recorded = hop.get(*at).filter(|recorded| address(recorded) == Some(*to))?;
            Some(call(connection, recorded))
        });
        try_join_all(calls).await?;
    }
    Ok(())
}

/// Makes a call and reads its whole response.
async fn call(connection: &mut SendRequest<Full<Bytes>>, recorded: &Recorded) -> Result<()> {
    let body = Full::new(recorded.body.clone());
    connection.ready().await?;
    let response =
        connection.send_request(Request::from_parts(recorded.head.clone(), body)).await?;
    ensure!(response.status().is_success(), "a repeated call got {}", response.status());
    response.into_body().collect().await?;
    Ok(())
}
