//! The command line.

use std::collections::BTreeSet;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, ValueEnum, value_parser};
use serde::Serialize;

use crate::operation::{OPERATIONS, Operation};

/// What can be measured apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Starts and warm calls, and the same calls by a bare client.
    Calls,
    /// Calls where the services take their time, against the sum of their sequential hops.
    Hops,
    /// Starts and calls at 0.07 of a core.
    Throttled,
    /// One instance for very many calls, and freezes.
    Long,
    /// Every memory size, and from that the receipt of a million payments.
    Cost,
}

/// What the functions cost, in release, beside a bare function and one on default settings.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo local bench")]
pub struct Arguments {
    /// What to measure.
    #[arg(long = "part", value_name = "PART", value_delimiter = ',', default_value = "calls")]
    parts: Vec<Part>,
    /// Measure everything.
    #[arg(long, conflicts_with = "parts")]
    all: bool,
    /// Starts of each variant; other parts than `calls` take at most five.
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = value_parser!(u64).range(1..))]
    pub(crate) runs: u64,
    /// Calls of each start, after the first.
    #[arg(long, value_name = "N", default_value_t = 150, value_parser = value_parser!(u64).range(1..))]
    pub(crate) calls: u64,
    /// Calls of one instance in the part `long`.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = value_parser!(u64).range(10..))]
    pub(crate) long_calls: u64,
    /// Measure these alone; the last two are measured for their hops only.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    #[arg(value_parser = PossibleValuesParser::new(OPERATIONS.iter().map(|one| one.name)))]
    only: Vec<String>,
    #[command(flatten)]
    pub(crate) latency: Latency,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
    /// Put the tables on the page docs/performance.md.
    #[arg(long)]
    pub(crate) write: bool,
}

/// How long the services wait before they respond.
#[derive(Debug, Clone, Copy, Default, Args, Serialize)]
pub(crate) struct Latency {
    /// Milliseconds that DynamoDB and Secrets Manager wait in the parts `hops` and `cost`.
    #[arg(long, value_name = "MS", default_value_t = 4)]
    pub(crate) store_ms: u64,
    /// Milliseconds that the shop waits there.
    #[arg(long, value_name = "MS", default_value_t = 8)]
    pub(crate) shop_ms: u64,
}

impl Arguments {
    /// The packages of the functions that are to be measured.
    #[must_use]
    pub fn functions(&self) -> BTreeSet<&'static str> {
        self.operations(|_| true).into_iter().map(|operation| operation.function).collect()
    }

    /// Those that are wanted, of those that are asked for.
    pub(crate) fn operations(&self, wanted: fn(&Operation) -> bool) -> Vec<&'static Operation> {
        let asked = |name| self.only.is_empty() || self.only.iter().any(|only| only == name);
        OPERATIONS.iter().filter(|one| asked(one.name) && wanted(one)).collect()
    }

    pub(crate) fn parts(&self) -> &[Part] {
        if self.all { Part::value_variants() } else { &self.parts }
    }
}
