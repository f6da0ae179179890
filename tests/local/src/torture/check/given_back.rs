//! The money in quarantine that persons had given back: I4, I21 and I22.

use std::collections::BTreeMap;

use pay_core::domain::Provider;

use super::refunds::is_outside;
use super::{Table, violation};
use crate::simulator::ledger::{Trade, TradeState};
use crate::torture::world::{Facts, GiveBackResult, GivenBack};
use payctl::Row;
use payctl::audit::Violation;

/// Everything in which decisions, refunds and providers differ, though the sweep has run over everything.
pub(super) fn check(table: &Table<'_>, facts: &Facts) -> Vec<Violation> {
    let mut found = Vec::new();
    for GivenBack { payment, notification, result } in &facts.given_back {
        let GiveBackResult::Kept(id) = result else { continue };
        let item = table.refunds.get(&(*payment, id)).filter(|item| is_outside(item));
        if item.is_none() {
            let what = format!("{notification} was given back by it, and it is not kept");
            found.push(violation("I4", format!("refund {id}"), what));
        }
    }
    let mut of_money: BTreeMap<(u64, u64, &str), u64> = BTreeMap::new();
    let outside = table.refunds.iter().filter(|(_, item)| is_outside(item));
    for ((payment, id), item) in outside.filter(|(_, item)| item.text("state") != "failed") {
        let (source, txn) = (item.number("source").unwrap_or_default(), item.text("provider_txn"));
        let count = of_money.entry((*payment, source, txn)).or_default();
        *count = count.saturating_add(1);
        let record = table.records.get(payment).copied();
        if let Some(what) = wrong(facts, (source, txn), item, record) {
            found.push(violation("I21", format!("refund {id}"), what));
        }
    }
    for ((payment, _, txn), count) in of_money.into_iter().filter(|(_, count)| *count > 1) {
        let what = format!("{txn} was given back {count} times");
        found.push(violation("I22", format!("payment {payment}"), what));
    }
    found
}

/// What is wrong with the refund of other money, which has this source and transaction.
fn wrong(
    facts: &Facts,
    (source, txn): (u64, &str),
    item: &Row,
    record: Option<&Row>,
) -> Option<String> {
    let is_it = |(provider, trade): &&(Provider, Trade)| {
        let is_of_provider = u64::from(provider.source().get()) == source;
        is_of_provider && trade.transaction == txn && trade.state == TradeState::Paid
    };
    let Some((_, trade)) = facts.trades.iter().find(is_it) else {
        return Some(format!("gives back {txn}, which no provider holds as paid"));
    };
    let amount = item.number("amount").unwrap_or_default();
    if amount != trade.amount {
        return Some(format!("gives back {amount}, and {} were paid by {txn}", trade.amount));
    }
    let pays = record.is_some_and(|record| {
        let is_same = (record.number("source"), record.text("provider_txn")) == (Some(source), txn);
        is_same && record.has("paid_time")
    });
    pays.then(|| format!("gives back {txn}, which pays the payment"))
}
