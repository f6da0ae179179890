//! What the functions cost.

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use bench::plan::Latency;
use clap::Args;
use local::bench::{self as measuring, Operation, Options, PAGE, Part, Progress, Report};

use super::serve::until_stopped;

/// What the bench takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What to measure; `calls` if nothing is said.
    #[arg(long = "part", value_name = "PART", value_delimiter = ',')]
    parts: Vec<Part>,
    /// Measure everything.
    #[arg(long, conflicts_with = "parts")]
    all: bool,
    /// Starts of each variant; other parts than `calls` take at most five.
    #[arg(long, value_name = "N", default_value_t = 25)]
    runs: usize,
    /// Calls of each start, after the first.
    #[arg(long, value_name = "N", default_value_t = 150)]
    calls: u64,
    /// Calls of one instance in the part `long`.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    long_calls: u64,
    /// Measure these alone: bare, defaults, create, detail, callback, callback-stripe; for hops
    /// detail-by-order and list besides.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Milliseconds that the services wait, for example store=4,shop=8; alone it means the part
    /// `hops`.
    #[arg(long, value_name = "store=MS,shop=MS", value_parser = latency)]
    latency: Option<Latency>,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
    /// Put the tables on the page docs/performance.md.
    #[arg(long)]
    write: bool,
}

/// What DynamoDB and a service beside it commonly take.
const USUAL: Latency = Latency { store_ms: 4, shop_ms: 8 };

const ALL: [Part; 5] = [Part::Calls, Part::Hops, Part::Throttled, Part::Long, Part::Cost];

impl Arguments {
    fn options(&self) -> Result<Options> {
        if self.runs == 0 || self.calls == 0 || self.long_calls < 10 {
            bail!("at least one run, one call and a long life of ten calls are needed");
        }
        let parts = match (self.all, self.parts.is_empty(), self.latency) {
            (true, _, _) => ALL.to_vec(),
            (false, false, _) => self.parts.clone(),
            (false, true, Some(_)) => vec![Part::Hops],
            (false, true, None) => vec![Part::Calls],
        };
        Ok(Options {
            parts,
            runs: self.runs,
            calls: self.calls,
            long_calls: self.long_calls,
            latency: self.latency.unwrap_or(USUAL),
            operations: Operation::named(&self.only)?,
            release: true,
        })
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let options = arguments.options()?;
    let mut progress = Progress::on_terminal();
    let measured = until_stopped(measuring::run(&options, &mut progress)).await?;
    let Some(report) = measured else {
        return Ok(ExitCode::FAILURE);
    };
    let report = report?;
    if arguments.write {
        report.write()?;
    }
    let text = if arguments.json { serde_json::to_string(&report)? } else { tables(&report) };
    writeln!(stdout(), "{text}")?;
    if arguments.write && !arguments.json {
        writeln!(stdout(), "{PAGE} is written.")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn tables(report: &Report) -> String {
    let sections = report.sections();
    let tables: Vec<&str> = sections.iter().map(|(_, text)| text.as_str()).collect();
    tables.join("\n")
}

/// Reads `store=4,shop=8`, in any order; what is not said is 0.
fn latency(text: &str) -> Result<Latency> {
    let mut latency = Latency::default();
    for pair in text.split(',') {
        let (name, value) = pair.split_once('=').context("expected store=MS,shop=MS")?;
        let value =
            value.parse().with_context(|| format!("{value} is no number of milliseconds"))?;
        match name {
            "store" => latency.store_ms = value,
            "shop" => latency.shop_ms = value,
            _ => bail!("there is no {name}: store, shop"),
        }
    }
    Ok(latency)
}

#[cfg(test)]
mod tests {
    use super::{Latency, latency};

    #[test]
    fn latency_is_read_in_any_order_and_in_part() {
        let read = |text| latency(text).ok();
        let of = |store_ms, shop_ms| Some(Latency { store_ms, shop_ms });
        assert_eq!(read("store=4,shop=8"), of(4, 8));
        assert_eq!(read("shop=8,store=4"), of(4, 8));
        assert_eq!(read("shop=8"), of(0, 8));
        for odd in ["", "store", "store=", "store=x", "db=4", "store=4 shop=8"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }
}
