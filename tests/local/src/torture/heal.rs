//! The recovery: nothing fails any more. Senders may repeat their messages, lost webhooks stay lost, payments
//! with checkouts are closed, and the sweep finds the rest.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail};
use fastrand::Rng;
use futures_util::stream::{self, StreamExt as _};
use pay_core::domain::{Due, PaymentId, Provider, RefundState, Timestamp};
use pay_core::limits::CHECKOUT_ABSENT_AFTER_MS;
use pay_service::start::clock;
use payctl::Row;
use payctl::audit::{ItemKind, kind};
use serde_json::json;
use tokio::time::sleep;

use super::deliver::EntryPoint;
use super::payer;
use super::place::Place;
use super::schedule::{self, SweepRun};
use super::world::{
    AskedRefund, Create, CreateResponse, GiveBackResult, GivenBack, Known, RefundResponse, Sent,
};
use crate::simulator::ledger::TradeState;

/// How many requests are made at the same time.
const AT_A_TIME: usize = 8;

/// Repeats every create and every refund whose outcome is unknown, and, as the seed says, delivers every message
/// once more that was made directly, and every decision that money goes back. Refunds that wait at a provider succeed
/// there, and money that is on its way comes or does not. Every payment is closed that
/// can be paid by checkouts: the time in which they expire is longer than a run. Then the sweep runs over
/// everything; persons have most of the money given back that is in quarantine then, and the sweep runs once more.
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
    let refunds = entry_point.world().facts.refunds.clone();
    let unknown = refunds.into_iter().filter(|asked| asked.response == RefundResponse::Unknown);
    stream::iter(unknown)
        .for_each_concurrent(AT_A_TIME, |asked| ask_again(entry_point, asked))
        .await;
    let redelivers = random.bool();
    entry_point.world().swept = !redelivers;
    let messages = entry_point.world().facts.messages.clone();
    let messages = messages.into_iter().enumerate().filter(|(_, sent)| redelivers && sent.genuine);
    stream::iter(messages)
        .for_each_concurrent(AT_A_TIME, |(at, sent)| deliver(entry_point, at, sent))
        .await;
    let decided = entry_point.world().facts.given_back.clone();
    let unknown = decided.into_iter().filter(|of| of.result == GiveBackResult::Unknown);
    stream::iter(unknown)
        .for_each_concurrent(AT_A_TIME, |of| give_back_again(entry_point, of))
        .await;
    complete(entry_point, &mut random).await?;
    let orders = entry_point.world().orders.clone();
    let owned = |order: Known| order.payments.into_iter().map(move |payment| (order.uid, payment));
    let payments = orders.into_iter().flat_map(owned);
    stream::iter(payments.filter(|(_, payment)| Place::of(*payment) == Place::Checkouts))
        .for_each_concurrent(AT_A_TIME, |(uid, payment)| close(entry_point, uid, payment))
        .await;
    sweep(entry_point).await?;
    for (payment, notification) in entry_point.quarantined().await {
        if random.u8(..100) < 70 {
            let asks = random.bool();
            entry_point.give_back((payment, &notification), "ada", asks).await;
        }
    }
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

async fn ask_again(entry_point: &EntryPoint<'_>, asked: AskedRefund) {
    let AskedRefund { payment, amount, key, .. } = asked;
    for _ in 0..CUT_OFF_MAX {
        let (response, noted) = entry_point.refund(payment, amount, &key).await;
        if noted != RefundResponse::Unknown {
            return;
        }
        if !response.cut_off {
            let (status, slug) = (response.status, response.slug());
            let what = format!("I5: the repeated refund {key} of {payment} got {status} {slug:?}");
            return entry_point.world().unexpected.push(what);
        }
    }
}

async fn give_back_again(entry_point: &EntryPoint<'_>, decided: GivenBack) {
    let GivenBack { payment, notification, .. } = decided;
    let again = entry_point.give_back((payment, &notification), "ada", false).await;
    if again == GiveBackResult::Unknown {
        let what = format!("I5: it is not known whether the money of {notification} goes back");
        entry_point.world().unexpected.push(what);
    }
}

/// What a provider has accepted and not made yet it makes now, and money that is on its way comes or does not.
/// Nobody reports that.
async fn complete(entry_point: &EntryPoint<'_>, random: &mut Rng) -> Result<()> {
    for &provider in Provider::ALL {
        let account = entry_point.stack.account(provider)?;
        account.lose_webhooks(true);
        let trades = account.trades().into_iter();
        for trade in trades.filter(|trade| trade.state == TradeState::Processing) {
            match trade.checkout {
                Some(_) => payer::come_or_not(account, random, &trade).await?,
                None => account.pay(trade.payment, trade.amount).await.map(drop)?,
            }
        }
        for refund in account.trades().into_iter().flat_map(|trade| trade.refunds) {
            if refund.state == RefundState::Pending && refund.reference.is_some() {
                account.complete_refund(&refund.id).await?;
            }
        }
        account.lose_webhooks(false);
    }
    Ok(())
}

async fn close(entry_point: &EntryPoint<'_>, uid: u64, payment: u64) {
    for _ in 0..CUT_OFF_MAX {
        let response = entry_point.close(uid, payment).await;
        if response.status == 200 {
            return;
        }
        if !response.cut_off {
            let (status, slug) = (response.status, response.slug());
            let what = format!("I5: the close of {payment} got {status} {slug:?}");
            return entry_point.world().unexpected.push(what);
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
    let begun = clock();
    let mut left = String::new();
    for _ in 0..CUT_OFF_MAX {
        match schedule::sweep(entry_point, EVERYTHING).await {
            SweepRun::Done(done) => {
                let rows = entry_point.table.items().await?;
                let (waiting, is_whole) =
                    (waiting(&rows, begun), done.get("left") == Some(&json!(0)));
                if is_whole && waiting.is_empty() {
                    return Ok(());
                }
                left = format!("{done} {waiting:?}");
            }
            SweepRun::CutOff => {}
            SweepRun::Failed(_, text) => {
                entry_point.world().unexpected.push(format!("I9: the sweep failed: {text}"));
                return Ok(());
            }
        }
    }
    let what = format!("I9: the sweep does not come to an end: {left}");
    entry_point.world().unexpected.push(what);
    Ok(())
}

/// What is due and was not looked at since then.
fn waiting(rows: &[Row], since: Timestamp) -> Vec<String> {
    let mut expiries: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for row in rows.iter().filter(|row| is_unended(row)) {
        expiries.entry(row.text("pk")).or_default().extend(row.number("expires_time"));
    }
    let of = |row: &Row| expiries.get(row.text("pk")).map_or(&[][..], Vec::as_slice);
    let waiting = rows.iter().filter(|row| !was_looked_at(row, of(row), since));
    waiting.map(|row| format!("{} {}", row.text("pk"), row.text("sk"))).collect()
}

/// Whether an item is a checkout that may still be paid.
pub(super) fn is_unended(row: &Row) -> bool {
    let is_checkout = matches!(kind(row), Some(ItemKind::Checkout(_)));
    is_checkout && matches!(row.text("state"), "requested" | "open")
}

/// Whether an item is not due, or is a payment that providers were asked about since then: it is due again
/// after at least the time that belongs to its attempts, or when a checkout expires or can be absent. So is a
/// refund that its provider does not make. None is pending: nothing waits at a provider.
fn was_looked_at(row: &Row, expiries: &[u64], since: Timestamp) -> bool {
    let Some(due) = row.number("due") else { return true };
    let (id, waits) = match kind(row) {
        Some(ItemKind::Record(id)) => {
            (id, matches!(row.number("status"), Some(0 | 2)) || !expiries.is_empty())
        }
        Some(ItemKind::Refund(id)) => (id, row.text("state") == "requested"),
        _ => return true,
    };
    let before = row.number("attempts").and_then(|attempts| attempts.checked_sub(1));
    let before = before.and_then(|attempts| u32::try_from(attempts).ok());
    let (Some(attempts), Ok(id)) = (before, PaymentId::new(id)) else { return false };
    let again = Due { at: since, attempts }.queried_again(id, since).at.millis();
    let moments = expiries
        .iter()
        .flat_map(|expiry| [*expiry, expiry.saturating_add(CHECKOUT_ABSENT_AFTER_MS)]);
    let first = moments.filter(|moment| *moment > since.millis()).min();
    waits && due >= first.map_or(again, |first| first.min(again))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Due, PaymentId, Row, Timestamp, waiting, was_looked_at};

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
            was_looked_at(&Row(row), &[], since)
        };
        assert!(looked_at(0, due, 3) && looked_at(2, due, 3));
        assert!(!looked_at(0, due - 1, 3), "the last time was before");
        assert!(!looked_at(0, due, 0), "it never was");
        assert!(!looked_at(1, due, 3), "its order service is to be notified");
        assert!(was_looked_at(&Row::default(), &[], since), "no payment");
    }

    #[test]
    fn what_has_checkouts_is_due_again_when_one_of_them_expires() {
        let since = Timestamp::from_millis(1_800_000_000_000).unwrap();
        let minute = |count: u64| since.millis() + count * 60_000;
        // Its turn comes in an hour, but for the checkout.
        let swept = |status: u64, due: u64, state: &str| {
            let rows = [
                json!({"pk": "pay#8", "sk": "record", "status": status, "due": due, "attempts": 9}),
                json!({
                    "pk": "pay#8", "sk": "checkout#1", "state": state, "expires_time": minute(10),
                }),
            ];
            let rows = rows.map(|row| Row(row.as_object().unwrap().clone()));
            waiting(&rows, since).is_empty()
        };
        for (status, state) in [(0, "open"), (1, "requested"), (3, "open")] {
            assert!(swept(status, minute(10), state), "{status} {state}");
            assert!(!swept(status, minute(9), state), "{status} {state}");
        }
        assert!(!swept(0, minute(10), "ended"), "in an hour");
        assert!(!swept(1, minute(120), "ended"), "nothing is left");
        for (state, due, want) in [
            ("requested", minute(120), 0),
            ("requested", minute(1), 1),
            ("pending", minute(120), 1),
        ] {
            let refund = json!({
                "pk": "pay#8", "sk": "refund#8_0123456789abcdef", "state": state, "due": due,
                "attempts": 9,
            });
            let found = waiting(&[Row(refund.as_object().unwrap().clone())], since);
            assert_eq!(found.len(), want, "{state} {due}");
        }
    }
}
