//! Measures what is asked for and writes it down: tables, one JSON object, the page.

use std::fs;
use std::io::Write as _;
use std::process::Command;

use anyhow::{Context as _, Result};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::Serialize;

use crate::arguments::{Arguments, Latency, Part};
use crate::instance::Cage;
use crate::lives::{Bench, Measured, Setting, executable, show};
use crate::long::{self, Long};
use crate::operation::{MEMORY_MB, Operation};
use crate::receipt::Receipt;
use crate::tables::{self, SIZES_MB, Sizes, share_permille};
use crate::targets::{self, Target};
use crate::workspace;

/// The page that shows the last figures: each table stands between two marks, and nothing else does.
const PAGE: &str = "docs/performance.md";

/// Calls of each start in the parts that need fewer.
const FEW_CALLS: u64 = 40;

/// What a function of 128 MB gets, in thousandths of a core: 128 / 1769 of one, rounded down.
const SMALL_PERMILLE: u64 = 70;

/// All figures; a part that was not measured has none.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    machine: String,
    runs: u64,
    calls: u64,
    pub(crate) latency: Latency,
    pub(crate) cold: Option<Vec<Measured>>,
    pub(crate) hops: Option<Vec<Measured>>,
    /// After the start, and from the first instruction on.
    throttled: Option<[Vec<Measured>; 2]>,
    pub(crate) long: Option<Vec<Long>>,
    /// By memory size.
    sizes: Option<Sizes>,
    receipt: Option<Receipt>,
    targets: Vec<Target>,
}

/// Measures, and returns what is to be printed.
pub async fn run(arguments: &Arguments) -> Result<String> {
    if arguments.parts().iter().any(|part| [Part::Throttled, Part::Cost].contains(part)) {
        Cage::new().context("the parts throttled and cost limit CPU, which cannot be done here")?;
    }
    let bench = Bench::start(arguments).await?;
    let (runs, calls, latency) = (arguments.runs, arguments.calls, arguments.latency);
    let mut report = Report { machine: machine()?, runs, calls, latency, ..Report::default() };
    for part in arguments.parts() {
        report.measure(&bench, *part).await?;
    }
    show("");
    report.targets = targets::of(&report);
    let sections = report.sections();
    if arguments.write {
        write(&sections, report.cold.is_some() && report.hops.is_some() && report.long.is_some())?;
    }
    if arguments.json {
        return Ok(serde_json::to_string(&report)?);
    }
    let written = arguments.write.then(|| format!("{PAGE} is written."));
    Ok(sections.into_iter().map(|(_, text)| text).chain(written).collect::<Vec<_>>().join("\n"))
}

impl Report {
    async fn measure(&mut self, bench: &Bench<'_>, part: Part) -> Result<()> {
        let (calls, latency, few_runs) = (self.calls, self.latency, self.runs.min(5));
        let (everyday, of_a_payment) = (Operation::is_everyday, Operation::is_of_a_payment);
        let few = Setting { calls: FEW_CALLS, ..Setting::default() };
        match part {
            Part::Calls => {
                let setting = Setting { calls, replays: calls, ..Setting::default() };
                let [mut rows] = bench.measure("calls", self.runs, everyday, [setting]).await?;
                for row in &mut rows {
                    row.zip_bytes = zip_bytes(&fs::read(executable(row.operation.function)?)?)?;
                }
                self.cold = Some(rows);
            }
            Part::Hops => {
                let setting = Setting { latency, replays: 1, ..few };
                let [rows] = bench.measure("hops", few_runs, Operation::ships, [setting]).await?;
                self.hops = Some(rows);
            }
            Part::Long => self.long = Some(long::measure(bench).await?),
            Part::Throttled => {
                let quotas = [None, Some(SMALL_PERMILLE)].map(|at| Some((at, SMALL_PERMILLE)));
                let settings = quotas.map(|quota| Setting { quota, ..few });
                let rows = bench.measure("throttled", few_runs, everyday, settings).await?;
                self.throttled = Some(rows);
            }
            Part::Cost => {
                let quotas = SIZES_MB.map(|size_mb| Some((None, share_permille(size_mb))));
                let settings = quotas.map(|quota| Setting { latency, quota, ..few });
                let rows = bench.measure("memory sizes", few_runs, of_a_payment, settings).await?;
                let sizes: Sizes = SIZES_MB.into_iter().zip(rows).collect();
                self.receipt = sizes.get(&MEMORY_MB).and_then(|rows| Receipt::of(rows));
                self.sizes = Some(sizes);
            }
        }
        Ok(())
    }

    /// The tables, by the name of their place on the page.
    fn sections(&self) -> Vec<(&'static str, String)> {
        let Self { machine, runs, calls, latency, targets, .. } = self;
        let cold = self.cold.as_deref().map(|rows| {
            let table = tables::calls(rows);
            format!("{runs} starts of each, {calls} warm calls a start; times in ms.\n\n{table}")
        });
        let hops = self.hops.as_deref().map(|rows| {
            let Latency { store_ms, shop_ms } = latency;
            let table = tables::hops(rows, *latency);
            format!("The store waits {store_ms} ms, the shop {shop_ms}.\n\n{table}")
        });
        let sections = [
            ("machine", self.cold.is_some().then(|| machine.clone())),
            ("calls", cold),
            ("hops", hops),
            ("throttled", self.throttled.as_ref().map(tables::throttled)),
            ("long", self.long.as_deref().map(tables::long)),
            ("sizes", self.sizes.as_ref().map(tables::sizes)),
            ("advice", self.sizes.as_ref().map(tables::advice)),
            ("receipt", self.receipt.as_ref().map(Receipt::text)),
            ("targets", (!targets.is_empty()).then(|| targets::text(targets))),
        ];
        sections.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
    }
}

/// Puts the tables on the page; places of what was not measured stay, and so do the targets unless
/// everything that has one was measured.
fn write(sections: &[(&'static str, String)], all_targets: bool) -> Result<()> {
    let mut page =
        fs::read_to_string(workspace::file(PAGE)?).with_context(|| format!("no {PAGE}"))?;
    for (name, text) in sections.iter().filter(|(name, _)| all_targets || *name != "targets") {
        page =
            replaced(&page, name, text).with_context(|| format!("{PAGE} has no place {name}"))?;
    }
    fs::write(workspace::file(PAGE)?, page).with_context(|| format!("cannot write {PAGE}"))
}

/// The page with another text in a place; nothing if it has no such place.
fn replaced(page: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- bench: {name} -->\n"), "<!-- end -->");
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}\n{text}\n{end}{after}"))
}

/// The length in bytes of a zip archive with one file of the name `bootstrap`, deflated at level 9.
fn zip_bytes(executable: &[u8]) -> Result<u64> {
    // Its headers: local, central and the end of it.
    // Source: PKWARE, APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
    const HEADERS: usize = 30 + 46 + 22 + 2 * "bootstrap".len();
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    deflated.write_all(executable)?;
    Ok(u64::try_from(deflated.finish()?.len().saturating_add(HEADERS))?)
}

/// Where and of what the figures are.
fn machine() -> Result<String> {
    let mut script = Command::new("sh");
    script.args(["-c", include_str!("../fixtures/machine")]).current_dir(workspace::root()?);
    Ok(String::from_utf8(script.output().context("cannot run sh")?.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::{replaced, zip_bytes};

    #[test]
    fn only_the_named_place_of_the_page_changes() {
        let page =
            |x: &str| format!("a\n<!-- bench: x -->\n{x}<!-- end -->\nb\n<!-- bench: y -->\n");
        let new = page("\nnew\n\n");
        assert_eq!(replaced(&page("old\n"), "x", "new\n").as_ref(), Some(&new));
        assert_eq!(replaced(&new, "x", "new\n").as_ref(), Some(&new));
        assert_eq!([replaced(&new, "y", ""), replaced(&new, "z", "")], [None, None]);
    }

    #[test]
    fn a_zip_is_its_headers_and_what_deflate_makes() {
        // An empty stream of deflate is 2 bytes, and the archive around it 116 (Python's `zipfile`).
        assert_eq!(zip_bytes(b"").unwrap(), 116 + 2);
        assert!((116..500).contains(&zip_bytes(&vec![b'x'; 100_000]).unwrap()));
    }
}
