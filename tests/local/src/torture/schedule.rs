//! The sweep: as the schedule invokes it during the run, and over everything at its end.

use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::deliver::EntryPoint;

/// How many entries a run of the schedule does: few, so that it ends soon where calls hang.
const ENTRIES: u64 = 24;

/// What became of one invocation.
#[derive(Debug)]
pub(super) enum SweepRun {
    /// What it responded.
    Done(Value),
    /// Its function ended.
    CutOff,
    /// It failed: the error's type and its text.
    Failed(Option<String>, String),
}

/// Sweeps again and again until the end. Sooner than the schedule, and whether entries are due or not.
pub(super) async fn run(entry_point: &EntryPoint<'_>, mut random: Rng, end: Instant) {
    while Instant::now() < end {
        if let SweepRun::Failed(kind, text) = sweep(entry_point, ENTRIES).await
            && kind.as_deref() != Some("unavailable")
        {
            entry_point.world().unexpected.push(format!("I15: the sweep failed: {text}"));
        }
        sleep(Duration::from_millis(random.u64(200..1500))).await;
    }
}

/// Sweeps so many entries, whenever they are due.
pub(super) async fn sweep(entry_point: &EntryPoint<'_>, limit: u64) -> SweepRun {
    let request = json!({"operation": "sweep", "limit": limit, "all": true});
    let swept = match entry_point.stack.invoke("callback", &request).await {
        Ok(done) => SweepRun::Done(done),
        // Of an instance that was killed.
        Err(error) if error.kind().is_some_and(|kind| kind.starts_with("Runtime.")) => {
            SweepRun::CutOff
        }
        Err(error) => SweepRun::Failed(error.kind(), error.message()),
    };
    let mut world = entry_point.world();
    let name = match &swept {
        SweepRun::Done(done) => {
            let moved = done.get("moved").and_then(Value::as_u64).unwrap_or_default();
            world.found = world.found.saturating_add(moved);
            "200"
        }
        SweepRun::CutOff => {
            world.cut_off = world.cut_off.saturating_add(1);
            "cut off"
        }
        SweepRun::Failed(kind, _) => kind.as_deref().unwrap_or("failed"),
    };
    world.count("sweep", name, None);
    swept
}
