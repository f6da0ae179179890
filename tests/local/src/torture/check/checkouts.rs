//! The checkouts at the providers, compared with those of the table: I4, I24 and I25.

use std::collections::BTreeMap;

use pay_core::domain::Provider;

use super::{Table, violation};
use crate::simulator::ledger::{Trade, TradeState};
use crate::torture::heal::is_unended;
use crate::torture::world::{AskedClose, Facts, HandedOut};
use payctl::Row;
use payctl::audit::Violation;

/// Everything in which the checkouts differ, though every payment with checkouts was closed as far as it could be.
pub(super) fn check(table: &Table<'_>, facts: &Facts) -> Vec<Violation> {
    let mut there: BTreeMap<(u64, u32), Vec<(Provider, &Trade)>> = BTreeMap::new();
    for (provider, trade) in facts.trades.iter().filter(|(_, trade)| trade.checkout.is_some()) {
        there.entry((trade.payment, trade.number())).or_default().push((*provider, trade));
    }
    let mut found = Vec::new();
    for (key, trades) in &there {
        let item = table.checkouts.get(key).copied();
        if trades.len() > 1 {
            let what = format!("{} objects of the providers have this reference", trades.len());
            found.push(violation("I25", named(*key), what));
        }
        for (provider, trade) in trades {
            let wrong = compared(*provider, trade, item, table.records.get(&key.0).copied());
            found.extend(wrong.map(|(invariant, what)| violation(invariant, named(*key), what)));
        }
    }
    for (key, item) in table.checkouts.iter().filter(|(_, item)| is_unended(item)) {
        // Only where nobody has opened a page or an order came to nothing the provider says that it is absent,
        // which ends it after its expiry. The audit checks that its payment is due.
        let is_known = there.contains_key(key);
        if !is_known && item.text("provider") == Provider::Stripe.as_str() {
            let what = "it may be paid, and sending it again would have named it";
            found.push(violation("I24", named(*key), what));
        }
    }
    found.extend(facts.checkouts.iter().filter_map(|handed| handed_out(table, handed)));
    found.extend(facts.closes.iter().filter_map(|close| closed(table, close)));
    found
}

fn named((payment, number): (u64, u32)) -> String {
    format!("checkout {number} of payment {payment}")
}

/// What is wrong with a checkout at its provider, whose item and the record of whose payment are these.
fn compared(
    provider: Provider,
    trade: &Trade,
    item: Option<&Row>,
    record: Option<&Row>,
) -> Option<(&'static str, String)> {
    let at = provider.as_str();
    let Some(item) = item.filter(|item| item.text("provider") == at) else {
        return Some(("I25", format!("{at} has it, and there is no item of it")));
    };
    let is_unended = is_unended(item);
    let is_closed = record.and_then(|record| record.number("status")) == Some(3);
    // The only checkout of a payment that is paid can be left as it was.
    let is_only = record
        .is_some_and(|record| record.has("paid_time") && record.number("checkouts") == Some(1));
    let what = match trade.state {
        TradeState::Open | TradeState::Processing if is_closed => {
            "its payment is closed, and it can be paid there"
        }
        TradeState::Open | TradeState::Processing if !is_unended => {
            "it has come to an end, and can be paid there"
        }
        TradeState::Open | TradeState::Processing if trade.is_begun() => {
            "it can be paid there, though its payment was closed or is paid"
        }
        TradeState::Closed if is_unended => "closed there, and not at its end",
        TradeState::Paid if is_unended && !is_only => "paid there, and not at its end",
        TradeState::Open | TradeState::Processing | TradeState::Closed | TradeState::Paid => {
            return None;
        }
    };
    Some(("I24", format!("{what}: {at}")))
}

/// I4: a checkout that was handed out is in the table, and is no refused one.
fn handed_out(table: &Table<'_>, handed: &HandedOut) -> Option<Violation> {
    let HandedOut { payment, method, expires_ms } = handed;
    let is_it = |item: &Row| {
        item.text("provider") == method.provider().as_str()
            && item.text("method") == method.as_str()
            && item.number("expires_time") == Some(*expires_ms)
            && matches!(item.text("state"), "open" | "ended")
    };
    let mut of_payment = table.checkouts.range((*payment, 0)..=(*payment, u32::MAX));
    let missing = !of_payment.any(|(_, item)| is_it(item));
    let what = format!("{method:?} until {expires_ms} was handed out, and is not kept");
    missing.then(|| violation("I4", format!("payment {payment}"), what))
}

/// I4: a payment that was shown as closed, paid or refunded is that, or more.
fn closed(table: &Table<'_>, AskedClose { payment, status }: &AskedClose) -> Option<Violation> {
    // In the order of the chain.
    let rank = |status| [0, 2, 3, 1, 4].iter().position(|known| *known == status);
    let now = table.records.get(payment).and_then(|record| record.number("status"));
    let is_kept = now.is_some_and(|now| rank(now) >= rank(*status));
    let what = format!("shown as {status}, and it is {now:?}");
    (!is_kept).then(|| violation("I4", format!("payment {payment}"), what))
}
