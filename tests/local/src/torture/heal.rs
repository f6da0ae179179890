//! After the torture: nothing fails any more, and every sender says once more what it said.

use std::time::Duration;

use anyhow::{Result, bail};
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::deliver::Door;
use super::world::{Create, Heard, Sent};
use crate::seeded::Seeded;

/// How many requests are under way at a time.
const AT_A_TIME: usize = 8;

/// Repeats every create whose end its sender does not know. Then either every message is delivered
/// once more, or the work list is worked off.
///
/// # Errors
///
/// A late effect does not come to its end.
pub(super) async fn heal(door: &Door<'_>, mut random: Seeded) -> Result<()> {
    for _ in 0..500 {
        if door.stack.faults().late() == 0 {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    if door.stack.faults().late() > 0 {
        bail!("a late effect has not come to its end");
    }
    let creates = door.world().facts.creates.clone();
    let unknown = creates.into_iter().filter(|create| create.heard == Heard::Unknown);
    stream::iter(unknown).for_each_concurrent(AT_A_TIME, |create| repeat(door, create)).await;
    if random.percent(50) {
        door.world().reconciled = true;
        reconcile(door).await;
        return Ok(());
    }
    let messages = door.world().facts.messages.clone();
    let messages = messages.into_iter().enumerate().filter(|(_, sent)| sent.genuine);
    stream::iter(messages)
        .for_each_concurrent(AT_A_TIME, |(at, sent)| deliver(door, at, sent))
        .await;
    Ok(())
}

/// How often the gateway may say that a function ended: an instance that was killed at its start
/// is charged to whoever asks next.
const CUT_OFF_MAX: usize = 50;

async fn repeat(door: &Door<'_>, create: Create) {
    let Create { uid, oid, amount, key, .. } = create;
    for _ in 0..CUT_OFF_MAX {
        let before = door.world().cut_off;
        match door.create(uid, oid, amount, key.as_deref()).await {
            Heard::Created(_) | Heard::Replayed(_) | Heard::Exists(Some(_)) => return,
            Heard::Unknown if door.world().cut_off > before => {}
            heard @ (Heard::Exists(None) | Heard::Refused(_) | Heard::Unknown) => {
                let what = format!("I5: the repeated create of order {oid} heard {heard:?}");
                return door.world().unheard_of.push(what);
            }
        }
    }
}

async fn deliver(door: &Door<'_>, at: usize, sent: Sent) {
    for _ in 0..CUT_OFF_MAX {
        let (answer, kept) = door.deliver(&sent).await;
        if kept {
            if let Some(sent) = door.world().facts.messages.get_mut(at) {
                sent.kept = true;
            }
            return;
        }
        if !answer.cut_off {
            let (id, status) = (&sent.id, answer.status);
            let what = format!("I9: message {id} was delivered once more and got {status}");
            return door.world().unheard_of.push(what);
        }
    }
}

/// As the schedule does, but whatever is due when.
async fn reconcile(door: &Door<'_>) {
    let request = json!({"reconcile": {"limit": 1000, "all": true}});
    for _ in 0..CUT_OFF_MAX {
        let done = match door.stack.invoke("callback", &request).await {
            Ok(done) => done,
            // Charged for an instance that was killed before.
            Err(error) if error.kind().is_some_and(|kind| kind.starts_with("Runtime.")) => {
                let mut world = door.world();
                world.cut_off = world.cut_off.saturating_add(1);
                continue;
            }
            Err(error) => {
                let what = format!("I9: reconcile failed: {}", error.message());
                return door.world().unheard_of.push(what);
            }
        };
        if done.get("left").and_then(Value::as_u64) == Some(0) {
            return;
        }
    }
}
