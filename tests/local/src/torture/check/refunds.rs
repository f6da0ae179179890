//! The refunds at the providers, in the table and at the order service: I4, I9, I10, I22 and I25.

use std::collections::BTreeMap;

use pay_core::domain::{Provider, RefundState};

use super::{Table, violation};
use crate::OrderRefundedCall;
use crate::simulator::ledger::{Trade, TradeRefund};
use crate::torture::world::{AskedRefund, Facts, RefundResponse};
use payctl::Row;
use payctl::audit::Violation;

/// Everything in which the refunds differ, though those that waited at a provider have succeeded there and the
/// sweep has run over everything.
pub(super) fn check(table: &Table<'_>, facts: &Facts) -> Vec<Violation> {
    let mut found = Vec::new();
    for (id, record) in &table.records {
        let reserved = record.number("refund_pending").unwrap_or_default();
        let of_payment = table.refunds.iter();
        let of_payment = of_payment.filter(|((of, _), item)| of == id && !is_outside(item));
        let waiting = of_payment.filter(|(_, item)| can_be_neither(facts, item));
        let waiting = waiting.filter_map(|(_, item)| item.number("amount"));
        let waiting = waiting.fold(0, u64::saturating_add);
        if reserved != waiting {
            let what = format!("{reserved} are still reserved, and {waiting} wait for a person");
            found.push(violation("I22", format!("payment {id}"), what));
        }
    }
    let mut made: BTreeMap<(Provider, &str), u64> = BTreeMap::new();
    for (provider, trade) in &facts.trades {
        if trade.refunded_or_pending() > trade.amount {
            let what = format!("more went back at {} than was paid", provider.as_str());
            found.push(violation("I22", format!("payment {}", trade.payment), what));
        }
        for refund in trade.refunds.iter().filter(|refund| refund.state != RefundState::Failed) {
            let Some(reference) = &refund.reference else { continue };
            let count = made.entry((*provider, reference)).or_default();
            *count = count.saturating_add(1);
        }
        found.extend(ours(table, *provider, trade));
    }
    for ((provider, reference), count) in made.iter().filter(|(_, count)| **count > 1) {
        let what = format!("made {count} times at {}", provider.as_str());
        found.push(violation("I22", format!("refund {reference}"), what));
    }
    for ((_, id), item) in &table.refunds {
        found.extend(kept(facts, id, item));
    }
    found.extend(promised(table, facts));
    found.extend(notified(table, facts));
    found
}

/// Whether it gives back what a notification in quarantine reports.
pub(super) fn is_outside(item: &Row) -> bool {
    item.has("quarantined")
}

/// Whether a refund can neither be made, since somebody gave so much back in the provider's console that too
/// little is left, nor is known to have failed: not every provider has a code that proves that.
fn can_be_neither(facts: &Facts, item: &Row) -> bool {
    let source = item.number("source");
    let is_it = |provider: Provider, trade: &Trade| {
        Some(u64::from(provider.source().get())) == source
            && trade.transaction == item.text("provider_txn")
    };
    let trade = facts.trades.iter().find(|(provider, trade)| is_it(*provider, trade));
    let left = trade.map(|(_, trade)| trade.amount.saturating_sub(trade.refunded_or_pending()));
    item.text("state") == "requested" && item.number("amount") > left && left.is_some()
}

/// I25, I22: what the service made at a provider is in the table as it is there.
fn ours(table: &Table<'_>, provider: Provider, trade: &Trade) -> Vec<Violation> {
    let mut found = Vec::new();
    for (reference, refund) in newest(trade) {
        let about = format!("refund {reference}");
        let Some(item) = table.refunds.get(&(trade.payment, reference)) else {
            let what = format!("{} has it, and there is no item of it", provider.as_str());
            found.push(violation("I25", about, what));
            continue;
        };
        let there = (
            u64::from(provider.source().get()),
            trade.transaction.as_str(),
            refund.amount,
            refund.state.as_str(),
        );
        let here = (
            item.number("source").unwrap_or_default(),
            item.text("provider_txn"),
            item.number("amount").unwrap_or_default(),
            item.text("state"),
        );
        if here != there {
            found.push(violation("I22", about, format!("{there:?} there, {here:?} here")));
        }
    }
    found
}

/// The refunds of a payment with a reference of ours; of one that was tried again after it failed, the last.
fn newest(trade: &Trade) -> BTreeMap<&str, &TradeRefund> {
    let ours = trade.refunds.iter();
    ours.filter_map(|refund| Some((refund.reference.as_deref()?, refund))).collect()
}

/// I9, I22: what the table says of a refund that the service was asked for has come to an end, and is true.
fn kept(facts: &Facts, id: &str, item: &Row) -> Option<Violation> {
    let about = || format!("refund {id}");
    let is_there = |refund: &TradeRefund| {
        refund.reference.as_deref() == Some(id) && refund.state == RefundState::Succeeded
    };
    match item.text("state") {
        _ if !item.has("key") => None,
        "failed" => None,
        "requested" if can_be_neither(facts, item) => None,
        "succeeded" => {
            let mut there = facts.trades.iter().flat_map(|(_, trade)| &trade.refunds);
            let missing = !there.any(is_there);
            missing.then(|| violation("I22", about(), "succeeded here, and not there"))
        }
        open => Some(violation("I9", about(), format!("{open}, and nothing is wrong any more"))),
    }
}

/// I4, I22: what a response said of a refund is so, and the same key is the same refund.
fn promised(table: &Table<'_>, facts: &Facts) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut ids: BTreeMap<(u64, &str), &str> = BTreeMap::new();
    for AskedRefund { payment, key, response, .. } in &facts.refunds {
        let RefundResponse::Kept { id, amount, status } = response else { continue };
        let about = || format!("refund {id}");
        let first = *ids.entry((*payment, key)).or_insert(id);
        if first != id {
            found.push(violation("I22", about(), format!("the key {key} was {first} before")));
        }
        let Some(item) = table.refunds.get(&(*payment, id)) else {
            found.push(violation("I4", about(), "responded, and not kept"));
            continue;
        };
        let state = item.text("state");
        let is_final = matches!(&**status, "succeeded" | "failed");
        if item.number("amount") != Some(*amount) || is_final && state != status {
            found.push(violation("I4", about(), format!("{amount} {status}, and it is {state}")));
        }
    }
    found
}

/// I10: the order service was notified of refunds that succeeded, once of each; I8: and of all that it is to
/// know of.
fn notified(table: &Table<'_>, facts: &Facts) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut counted: BTreeMap<(u64, &str), u64> = BTreeMap::new();
    for call in &facts.refund_calls {
        let OrderRefundedCall { pay_id, refund_id, amount, key, .. } = call;
        let (payment, id) = (pay_id.unwrap_or_default(), refund_id.as_deref().unwrap_or_default());
        let item = table.refunds.get(&(payment, id));
        let is_true = item.is_some_and(|item| {
            item.text("state") == "succeeded" && item.number("amount") == *amount
        });
        if !is_true || key.as_deref() != Some(id) {
            let what = format!("the order service was notified of {amount:?} by the key {key:?}");
            found.push(violation("I10", format!("refund {id}"), what));
        }
        let count = counted.entry((payment, id)).or_default();
        *count = count.saturating_add(u64::from(call.counted));
    }
    let is_to_know = |payment: &u64| {
        table.records.get(payment).is_some_and(|record| record.has("notified_time"))
    };
    for ((payment, id), item) in &table.refunds {
        let times = counted.get(&(*payment, *id)).copied().unwrap_or_default();
        // A total that the refunds before it explain is no news.
        let is_news = item.number("amount") != Some(0);
        let is_known = is_news && item.text("state") == "succeeded" && is_to_know(payment);
        // Of other money than the payment's it hears nothing.
        let want = if is_outside(item) { Some(0) } else { is_known.then_some(1) };
        if want.is_some_and(|want| times != want) {
            let what = format!("the order service has counted it {times} times");
            found.push(violation("I8", format!("refund {id}"), what));
        }
    }
    found
}
