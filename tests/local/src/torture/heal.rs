//! The recovery: nothing fails any more, and every sender repeats its messages, or the sweep runs.

use std::time::Duration;

use anyhow::{Result, bail};
use fastrand::Rng;
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::deliver::EntryPoint;
use super::world::{Create, CreateResponse, Sent};

/// How many requests are made at the same time.
const AT_A_TIME: usize = 8;

/// Repeats every create whose outcome is unknown. Then either every message is delivered once more,
/// or the sweep runs until nothing is due.
///
/// # Errors
///
/// A late effect does not end.
pub(super) async fn heal(entry_point: &EntryPoint<'_>, mut random: Rng) -> Result<()> {
    for _ in 0..500 {
        if entry_point.stack.faults().late() == 0 {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    if entry_point.stack.faults().late() > 0 {
        bail!("a late effect has not ended");
    }
    let creates = entry_point.world().facts.creates.clone();
    let unknown = creates.into_iter().filter(|create| create.response == CreateResponse::Unknown);
    stream::iter(unknown)
        .for_each_concurrent(AT_A_TIME, |create| repeat(entry_point, create))
        .await;
    if random.bool() {
        entry_point.world().swept = true;
        sweep(entry_point).await;
        return Ok(());
    }
    let messages = entry_point.world().facts.messages.clone();
    let messages = messages.into_iter().enumerate().filter(|(_, sent)| sent.genuine);
    stream::iter(messages)
        .for_each_concurrent(AT_A_TIME, |(at, sent)| deliver(entry_point, at, sent))
        .await;
    Ok(())
}

/// How often the gateway may respond that a function ended: after an instance is killed at its
/// start, the next request gets this response.
const CUT_OFF_MAX: usize = 50;

async fn repeat(entry_point: &EntryPoint<'_>, create: Create) {
    let Create { uid, oid, amount, key, .. } = create;
    for _ in 0..CUT_OFF_MAX {
        let before = entry_point.world().cut_off;
        match entry_point.create(uid, oid, amount, key.as_deref()).await {
            CreateResponse::Created(_)
            | CreateResponse::Replayed(_)
            | CreateResponse::Exists(Some(_)) => return,
            CreateResponse::Unknown if entry_point.world().cut_off > before => {}
            response @ (CreateResponse::Exists(None)
            | CreateResponse::Rejected(_)
            | CreateResponse::Unknown) => {
                let what = format!("I5: the repeated create of order {oid} got {response:?}");
                return entry_point.world().unexpected.push(what);
            }
        }
    }
}

async fn deliver(entry_point: &EntryPoint<'_>, at: usize, sent: Sent) {
    for _ in 0..CUT_OFF_MAX {
        let (response, kept) = entry_point.deliver(&sent).await;
        if kept {
            if let Some(sent) = entry_point.world().facts.messages.get_mut(at) {
                sent.kept = true;
            }
            return;
        }
        if !response.cut_off {
            let (id, status) = (&sent.id, response.status);
            let what = format!("I9: message {id} was delivered once more and got {status}");
            return entry_point.world().unexpected.push(what);
        }
    }
}

/// Sweeps as the schedule does, but all entries, whenever they are due.
async fn sweep(entry_point: &EntryPoint<'_>) {
    let request = json!({"operation": "sweep", "limit": 1000, "all": true});
    for _ in 0..CUT_OFF_MAX {
        let done = match entry_point.stack.invoke("callback", &request).await {
            Ok(done) => done,
            // For an instance that was killed before.
            Err(error) if error.kind().is_some_and(|kind| kind.starts_with("Runtime.")) => {
                let mut world = entry_point.world();
                world.cut_off = world.cut_off.saturating_add(1);
                continue;
            }
            Err(error) => {
                let what = format!("I9: the sweep failed: {}", error.message());
                return entry_point.world().unexpected.push(what);
            }
        };
        if done.get("left").and_then(Value::as_u64) == Some(0) {
            return;
        }
    }
}
