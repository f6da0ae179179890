//! The bare client: makes the calls that a function made for a request, and nothing else.
//!
//! It is a process of its own, as the function is: what it is compared with has the same way to go.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use futures_util::future::try_join_all;
use http_body_util::Full;
use hyper::Request;
use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::fetch::{Connection, connector};
use crate::instance::nanos;
use crate::plan::Service;
use crate::services::Heard;

/// What the client is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Errand {
    pub(crate) ca: String,
    pub(crate) calls: u64,
    /// Made side by side, one group after the other.
    pub(crate) hops: Vec<Vec<Recorded>>,
}

/// A request, as it was made.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) service: Service,
    pub(crate) port: u16,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What came of it, in nanoseconds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Errands {
    pub(crate) replay_ns: Vec<u64>,
    pub(crate) cpu_ns: u64,
}

impl Recorded {
    pub(crate) fn of(heard: &Heard, port: u16) -> Self {
        let headers = heard.head.headers.iter();
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        Self {
            service: heard.service,
            port,
            path: heard.head.uri.to_string(),
            headers: headers.map(|(n, v)| (n.to_string(), text(v.as_bytes()))).collect(),
            body: text(&heard.body),
        }
    }

    fn request(&self) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::post(&self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        Ok(request.body(Full::new(Bytes::from(self.body.clone())))?)
    }
}

/// Groups what was heard by who waited for whom: a new group begins with the first request that
/// came after an answer to the group before.
pub(crate) fn hops(mut heard: Vec<Heard>) -> Vec<Vec<Heard>> {
    heard.sort_by_key(|one| one.arrived);
    let mut hops: Vec<Vec<Heard>> = Vec::new();
    for one in heard {
        let side_by_side = |hop: &Vec<Heard>| {
            hop.iter().all(|other| other.answered.is_none_or(|at| one.arrived < at))
        };
        match hops.last_mut() {
            Some(hop) if side_by_side(hop) => hop.push(one),
            Some(_) | None => hops.push(vec![one]),
        }
    }
    hops
}

/// Reads an errand, does it and writes what came of it.
///
/// # Errors
///
/// The errand cannot be read, or a service does not answer it.
pub async fn run(input: &mut impl Read, output: &mut impl Write) -> Result<()> {
    let errand: Errand = serde_json::from_reader(input).context("not an errand")?;
    let errands = errand.run().await?;
    Ok(serde_json::to_writer(output, &errands)?)
}

impl Errand {
    async fn run(&self) -> Result<Errands> {
        let mut kept = self.connections().await?;
        // The first opens nothing any more, but is the first.
        self.once(&mut kept).await?;
        let cpu = || clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from);
        let before = cpu()?;
        let mut replay_ns = Vec::new();
        for _ in 0..self.calls {
            let began = Instant::now();
            self.once(&mut kept).await?;
            replay_ns.push(nanos(began.elapsed()));
        }
        let cpu_ns = nanos(cpu()?.saturating_sub(before));
        Ok(Errands { replay_ns, cpu_ns })
    }

    /// As many connections to each port as are ever used side by side.
    async fn connections(&self) -> Result<BTreeMap<u16, Vec<Connection>>> {
        let tls = connector(&self.ca)?;
        let mut kept: BTreeMap<u16, Vec<Connection>> = BTreeMap::new();
        for hop in &self.hops {
            for port in hop.iter().map(|recorded| recorded.port) {
                let needed = hop.iter().filter(|recorded| recorded.port == port).count();
                let connections = kept.entry(port).or_default();
                while connections.len() < needed {
                    connections.push(Connection::open(&tls, port).await?);
                }
            }
        }
        Ok(kept)
    }

    async fn once(&self, kept: &mut BTreeMap<u16, Vec<Connection>>) -> Result<()> {
        for hop in &self.hops {
            let mut free: BTreeMap<u16, _> = kept
                .iter_mut()
                .map(|(port, connections)| (*port, connections.iter_mut()))
                .collect();
            let fetches = hop.iter().map(|recorded| {
                let connection = free.get_mut(&recorded.port).and_then(Iterator::next);
                let request = recorded.request();
                async move { connection.context("no connection")?.fetch(request?).await }
            });
            try_join_all(fetches.collect::<Vec<_>>()).await?;
        }
        Ok(())
    }
}
