//! The recovery: nothing fails any more. Senders may repeat their messages, lost webhooks stay lost, and the
//! sweep finds the rest.

use std::time::Duration;

use anyhow::{Result, bail};
use fastrand::Rng;
use futures_util::stream::{self, StreamExt as _};
use pay_core::domain::{Due, PaymentId, Timestamp};
use pay_service::start::clock;
use payctl::audit::{ItemKind, kind};
use payctl::{Row, Table};
use tokio::time::sleep;

use super::deliver::EntryPoint;
use super::schedule::{self, SweepRun};
use super::world::{Create, CreateResponse, Sent};

/// How many requests are made at the same time.
const AT_A_TIME: usize = 8;

/// Repeats every create whose outcome is unknown, and, as the seed says, delivers every message once more that
/// was made directly. Then the sweep runs over everything.
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
    let redelivers = random.bool();
    entry_point.world().swept = !redelivers;
    let messages = entry_point.world().facts.messages.clone();
    let messages = messages.into_iter().enumerate().filter(|(_, sent)| redelivers && sent.genuine);
    stream::iter(messages)
        .for_each_concurrent(AT_A_TIME, |(at, sent)| deliver(entry_point, at, sent))
        .await;
    sweep(entry_point).await
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

/// The most entries that a sweep takes.
const EVERYTHING: u64 = 100_000;

/// Sweeps until everything was looked at that is due. A run ends with its time, and the next one begins with
/// what is due first, not with what the one before has left.
async fn sweep(entry_point: &EntryPoint<'_>) -> Result<()> {
    let stack = entry_point.stack;
    let table = Table::open(Some(&stack.dynamodb), &stack.table)?;
    let begun = clock();
    for _ in 0..CUT_OFF_MAX {
        match schedule::sweep(entry_point, EVERYTHING).await {
            SweepRun::Done(_) => {
                if table.items().await?.iter().all(|row| was_looked_at(row, begun)) {
                    return Ok(());
                }
            }
            SweepRun::CutOff => {}
            SweepRun::Failed(_, text) => {
                entry_point.world().unexpected.push(format!("I9: the sweep failed: {text}"));
                return Ok(());
            }
        }
    }
    entry_point.world().unexpected.push("I9: the sweep does not come to an end".to_owned());
    Ok(())
}

/// Whether an item is not due, or is a payment that providers were asked about since then: it is due again
/// after at least the time that belongs to its attempts.
fn was_looked_at(row: &Row, since: Timestamp) -> bool {
    let (Some(ItemKind::Record(id)), Some(due)) = (kind(row), row.number("due")) else {
        return true;
    };
    let is_open = matches!(row.number("status"), Some(0 | 2));
    let before = row.number("attempts").and_then(|attempts| attempts.checked_sub(1));
    let before = before.and_then(|attempts| u32::try_from(attempts).ok());
    let (Some(attempts), Ok(id)) = (before, PaymentId::new(id)) else { return false };
    let again = Due { at: since, attempts }.queried_again(id, since);
    is_open && due >= again.at.millis()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Due, PaymentId, Row, Timestamp, was_looked_at};

    #[test]
    fn what_was_looked_at_is_due_again_later() {
        let since = Timestamp::from_millis(1_800_000_000_000).unwrap();
        let due = Due { at: since, attempts: 2 };
        let due = due.queried_again(PaymentId::new(8).unwrap(), since).at.millis();
        let looked_at = |status: u64, due: u64, attempts: u64| {
            let Value::Object(row) = json!({
                "pk": "pay#8", "sk": "record", "status": status, "due": due, "attempts": attempts,
            }) else {
                panic!();
            };
            was_looked_at(&Row(row), since)
        };
        assert!(looked_at(0, due, 3) && looked_at(2, due, 3));
        assert!(!looked_at(0, due - 1, 3), "the last time was before");
        assert!(!looked_at(0, due, 0), "it never was");
        assert!(!looked_at(1, due, 3), "its order service is to be notified");
        assert!(was_looked_at(&Row::default(), since), "no payment");
    }
}
