//! What the bench is told and what it says: JSON on its standard input and output.
//!
//! Times are nanoseconds unless a name says otherwise.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Authority;

/// Everything one process of the bench is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// Who vouches for the services.
    pub authority: Authority,
    /// What is measured.
    pub subjects: Vec<Subject>,
    /// What is done, in this order.
    pub work: Vec<Work>,
    /// This program, for the bare client, which is a process of its own.
    pub program: PathBuf,
}

/// A function and what it is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subject {
    /// What it is called in the figures.
    pub name: String,
    /// Its executable.
    pub binary: PathBuf,
    /// Its variables. In a value `{aws}` and `{shop}` become the services' URLs, `{ca}` the path of
    /// the authority's certificate, `{roots}` that of a bundle with the system's beside it.
    pub environment: BTreeMap<String, String>,
    /// The event of every call.
    pub event: String,
    /// What the services answer it, the first that fits.
    pub answers: Vec<Canned>,
}

/// Who is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// `DynamoDB`.
    Store,
    /// Secrets Manager.
    Secrets,
    /// The user and order services.
    Shop,
}

/// An answer that is always the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Canned {
    /// The operation of AWS, or the path of the shop.
    pub to: String,
    /// What the request's body must hold; empty for any.
    pub about: String,
    /// The status.
    pub status: u16,
    /// The body, JSON.
    pub body: String,
}

impl Canned {
    /// An answer of 200 to every such request.
    #[must_use]
    pub fn ok(to: &str, body: impl Into<String>) -> Self {
        Self { to: to.to_owned(), about: String::new(), status: 200, body: body.into() }
    }
}

/// How long the services wait before they answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// `DynamoDB` and Secrets Manager, in milliseconds.
    pub store_ms: u64,
    /// The shop, in milliseconds.
    pub shop_ms: u64,
}

/// How much CPU an instance gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Thousandths of a core.
    pub permille: u64,
    /// Whether that holds in start-up too.
    pub from_birth: bool,
}

/// A piece of work.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Starts an instance and calls it.
    Life {
        /// Which subject.
        subject: usize,
        /// Calls after the first.
        calls: u64,
        /// The services' waiting.
        latency: Latency,
        /// The limit of CPU.
        quota: Option<Quota>,
    },
    /// Learns which calls a subject makes for a request, then makes them without it.
    Client {
        /// Which subject.
        subject: usize,
        /// How often after the first.
        calls: u64,
    },
    /// Calls one instance very often.
    Long {
        /// Which subject.
        subject: usize,
        /// Calls between two looks at its memory and descriptors.
        step: u64,
        /// How many such steps.
        steps: u64,
    },
    /// Stops an instance, closes the services' connections, and calls it again.
    Freeze {
        /// Which subject.
        subject: usize,
        /// How often.
        times: u64,
    },
}

/// What came of a piece of work.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Of [`Work::Life`].
    Life(Life),
    /// Of [`Work::Client`].
    Client(Conversation),
    /// Of [`Work::Long`].
    Long(Long),
    /// Of [`Work::Freeze`].
    Freeze(Freeze),
}

/// An instance from its start on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Life {
    /// The subject.
    pub subject: String,
    /// From the start of the process to its first request for work.
    pub start_ns: u64,
    /// CPU of the process until then.
    pub start_cpu_ns: u64,
    /// The first call.
    pub first_ns: u64,
    /// Its CPU.
    pub first_cpu_ns: u64,
    /// Each later call.
    pub warm_ns: Vec<u64>,
    /// CPU of all those.
    pub warm_cpu_ns: u64,
    /// The most memory that it ever had, in KiB.
    pub peak_rss_kib: u64,
}

/// What a function asks the services for one request, and how long that takes without it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Conversation {
    /// The subject.
    pub subject: String,
    /// Calls that were made side by side, one group after the other.
    pub hops: Vec<Vec<Service>>,
    /// Each replay.
    pub replay_ns: Vec<u64>,
    /// CPU of all of them.
    pub replay_cpu_ns: u64,
}

/// A long life.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Long {
    /// The subject.
    pub subject: String,
    /// One after each step; the first is after the first call.
    pub looks: Vec<Look>,
}

/// What an instance has at one time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Calls so far.
    pub calls: u64,
    /// Memory now, in KiB.
    pub rss_kib: u64,
    /// The most memory so far, in KiB.
    pub peak_rss_kib: u64,
    /// Open descriptors.
    pub descriptors: u64,
    /// Connections to the services that were ever opened.
    pub connections: u64,
}

/// What a freeze cost.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Freeze {
    /// The subject.
    pub subject: String,
    /// Requests that the services see for an ordinary warm call.
    pub requests: u64,
    /// Requests that they saw for each first call after a freeze.
    pub after: Vec<u64>,
    /// Connections opened for each of those.
    pub connections: Vec<u64>,
    /// How long each took.
    pub call_ns: Vec<u64>,
}
