//! What the providers know and sent, compared with the table: I4, I21 and I23.

use std::collections::BTreeSet;

use pay_core::domain::{Provider, RefundState};

use super::{Table, violation};
use crate::simulator::ledger::{Trade, TradeRefund, TradeState};
use crate::simulator::{RefundReports, Tracked, TrackedRefund, simulator};
use crate::torture::world::Facts;
use payctl::Row;
use payctl::audit::Violation;

/// Everything in which the table and the providers differ, though the sweep has run over everything.
pub(super) fn check(table: &Table<'_>, facts: &Facts) -> Vec<Violation> {
    let mut found = Vec::new();
    for (id, record) in &table.records {
        if refunded(record) > record.number("amount").unwrap_or_default() {
            found.push(violation("I21", format!("payment {id}"), "more refunded than its amount"));
        }
    }
    for (provider, trade) in &facts.trades {
        let Some(record) = table.records.get(&trade.payment) else {
            found.push(violation("I23", format!("payment {}", trade.payment), "has no record"));
            continue;
        };
        let held = Held { table, facts, provider: *provider, trade, record };
        found.extend(held.webhooks());
        found.extend(held.money());
        found.extend(held.refunds());
    }
    found
}

fn refunded(record: &Row) -> u64 {
    record.number("refunded").unwrap_or_default()
}

/// A payment at its provider.
struct Held<'a> {
    table: &'a Table<'a>,
    facts: &'a Facts,
    provider: Provider,
    trade: &'a Trade,
    record: &'a Row,
}

impl<'a> Held<'a> {
    fn violation(&self, invariant: &'static str, what: impl Into<String>) -> Violation {
        let (provider, payment) = (self.provider.as_str(), self.trade.payment);
        violation(invariant, format!("payment {payment} at {provider}"), what)
    }

    /// Whether the record says that this money paid it, or has gone back since.
    fn is_paid_here(&self) -> bool {
        let own = u64::from(self.provider.source().get());
        let record = self.record;
        let txn = record.get_text("provider_txn");
        matches!(record.number("status"), Some(1 | 4))
            && record.number("source") == Some(own)
            && txn.is_none_or(|txn| txn == self.trade.transaction)
    }

    /// Whether a person is to look at this money.
    fn is_quarantined(&self) -> bool {
        let is_it = |event: &Row| {
            event.text("verdict") == "quarantined"
                && event.text("provider_txn") == self.trade.transaction
                && event.number("amount") == Some(self.trade.amount)
        };
        self.events().any(|(_, event)| is_it(event))
    }

    /// The events of the payment, by sort key.
    fn events(&self) -> impl Iterator<Item = (&'a str, &'a Row)> {
        let pk = self.record.text("pk");
        let from = self.table.events.range((pk, "")..);
        from.take_while(move |((under, _), _)| *under == pk).map(|((_, sk), row)| (*sk, *row))
    }

    /// I4: a webhook that was acknowledged is in the log, or, where it made us ask for a refund, the responses
    /// are, for a person to look at.
    fn webhooks(&self) -> Vec<Violation> {
        let sender = self.provider.as_str();
        let is_kept = |webhook: &Tracked| {
            self.table.has_event(sender, &webhook.id, webhook.payment)
                || webhook.refund.is_some() && self.has_quarantined_response()
        };
        let acknowledged = self.own_webhooks().filter(|webhook| webhook.acknowledged);
        let missing = acknowledged.filter(|webhook| !is_kept(webhook));
        let what =
            |webhook: &Tracked| format!("{} was acknowledged, and is not in the log", webhook.id);
        missing.map(|webhook| self.violation("I4", what(webhook))).collect()
    }

    fn has_quarantined_response(&self) -> bool {
        let begin = format!("event#{}#query.", self.provider.as_str());
        let is_listed = simulator(self.provider).refund_reports == RefundReports::Listed;
        let is_it = |(sk, event): (&str, &Row)| {
            sk.starts_with(&begin) && event.text("verdict") == "quarantined"
        };
        is_listed && self.events().any(is_it)
    }

    fn own_webhooks(&self) -> impl Iterator<Item = &'a Tracked> {
        let (own, payment) = (self.provider, self.trade.payment);
        let webhooks = self.facts.webhooks.iter();
        let transaction = &self.trade.transaction;
        let of = webhooks.filter(move |(provider, one)| {
            *provider == own && one.payment == payment && one.transaction == *transaction
        });
        of.map(|(_, webhook)| webhook)
    }

    /// I23: what is paid there is paid or quarantined here, and nothing else is paid.
    fn money(&self) -> Option<Violation> {
        let wrong = |what: &str| Some(self.violation("I23", what));
        let same_amount = self.record.number("amount") == Some(self.trade.amount);
        match (self.trade.state, self.is_paid_here(), same_amount) {
            (TradeState::Paid, true, true) => None,
            (TradeState::Paid, false, _) if self.is_quarantined() => None,
            (TradeState::Paid, false, _) => wrong("paid there, and neither paid nor quarantined"),
            (TradeState::Paid, true, false) => wrong("paid, and another amount is paid there"),
            (_, true, _) => wrong("paid, and not paid there"),
            // That is the end of one checkout, not of the payment.
            (TradeState::Closed, false, _) if self.trade.checkout.is_some() => None,
            (TradeState::Closed, false, _) if self.record.number("status") != Some(3) => {
                wrong("closed there, and not closed")
            }
            (TradeState::Open | TradeState::Processing | TradeState::Closed, false, _) => None,
        }
    }

    /// I21: everything counts that a webhook in the log reported or that we have made, and nothing that is not
    /// back.
    fn refunds(&self) -> Option<Violation> {
        let reported = self.reported();
        let is_back = |id: &str| reported.iter().any(|one| one.is_back && one.id == id);
        let is_ours = |refund: &&TradeRefund| {
            refund.reference.is_some() && refund.state == RefundState::Succeeded
        };
        let refunds = self.trade.refunds.iter();
        let each = refunds.filter(|refund| is_back(&refund.id) || is_ours(refund));
        let each = each.fold(0_u64, |sum, refund| sum.saturating_add(refund.amount));
        let (least, most) = match simulator(self.provider).refund_reports {
            RefundReports::OneByOne => (each, each),
            RefundReports::Listed => (each, self.trade.refunded()),
            RefundReports::InAll => {
                let totals = reported.iter().map(|refund| refund.total);
                let ours = self.trade.refunds.iter().filter(is_ours);
                let ours = ours.fold(0_u64, |sum, refund| sum.saturating_add(refund.amount));
                (totals.max().unwrap_or_default().max(ours), self.trade.refunded())
            }
        };
        let refunded = refunded(self.record);
        let right = match (self.is_paid_here(), self.trade.checkout.is_some()) {
            (true, _) => (least..=most).contains(&refunded),
            // It may have been paid by another checkout.
            (false, true) => refunded == 0 || self.record.has("paid_time"),
            (false, false) => refunded == 0,
        };
        let what = format!("{refunded} refunded, of {least} reported and {most} there");
        (!right).then(|| self.violation("I21", what))
    }

    /// What those webhooks report that are in the log, and not in quarantine.
    fn reported(&self) -> Vec<&'a TrackedRefund> {
        let begin = format!("event#{}#", self.provider.as_str());
        let logged: BTreeSet<&str> = self
            .events()
            .filter(|(_, event)| event.text("verdict") != "quarantined")
            .filter_map(|(sk, _)| sk.strip_prefix(&begin)?.split('#').next())
            .collect();
        let webhooks = self.own_webhooks().filter(|webhook| logged.contains(webhook.id.as_str()));
        webhooks.filter_map(|webhook| webhook.refund.as_ref()).collect()
    }
}
