//! What callers heard, held against the table.

use std::collections::{BTreeMap, BTreeSet};

use super::{Table, Violation, number, violation};
use crate::torture::world::{Create, Facts, Heard, Sent};

/// Whatever a caller was told and is not so.
pub(super) fn check(table: &Table<'_>, facts: &Facts) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut new = BTreeSet::new();
    for create in &facts.creates {
        found.extend(created(table, create));
        if let Heard::Created(id) = create.heard
            && !new.insert(id)
        {
            found.push(violation("I2", format!("payment {id} was answered as new twice")));
        }
    }
    found.extend(owners(table, facts));
    found.extend(facts.messages.iter().filter_map(|sent| kept(table, sent)));
    found
}

/// I2, I4: the payment that an answer named is there, and is the order's or was replaced.
fn created(table: &Table<'_>, create: &Create) -> Option<Violation> {
    let Create { oid, heard, .. } = create;
    let id = match heard {
        Heard::Created(id) | Heard::Replayed(id) | Heard::Exists(Some(id)) => *id,
        // The owner asks, and hears the id.
        Heard::Exists(None) => {
            return Some(violation("I5", format!("a refusal named no payment of order {oid}")));
        }
        Heard::Refused(slug) => {
            return Some(violation("I5", format!("a create of order {oid} was refused: {slug}")));
        }
        Heard::Unknown => return None,
    };
    let Some(payment) = table.payments.get(&id) else {
        return Some(violation("I4", format!("payment {id} of order {oid} is not there")));
    };
    let guard = table.guards.get(oid).and_then(|guard| number(guard, "payment"));
    let fits = payment.oid == *oid && (guard == Some(id) || !payment.is_live());
    (!fits).then(|| violation("I2", format!("payment {id} is not the one of order {oid}")))
}

/// I3: a record is of whom, for what and how much it was asked for.
fn owners(table: &Table<'_>, facts: &Facts) -> Vec<Violation> {
    let asked = facts.creates.iter().map(|create| (create.oid, (create.uid, create.amount)));
    let asked: BTreeMap<_, _> = asked.collect();
    let differs = |oid: &u64, uid, amount| asked.get(oid) != Some(&(uid, amount));
    let payments = table.payments.values();
    payments
        .filter(|payment| differs(&payment.oid, payment.uid, payment.amount))
        .map(|payment| {
            violation("I3", format!("payment {} is not as it was asked for", payment.id))
        })
        .collect()
}

/// I4: a message that its sender was thanked for is in the log; I11: an unsigned one is not.
fn kept(table: &Table<'_>, sent: &Sent) -> Option<Violation> {
    let Sent { sender, id, payment, genuine, kept, .. } = sent;
    let sender = sender.map_or("native", |sender| sender.as_str());
    let key = format!("event#{sender}#{id}");
    let under = [format!("pay#{payment}"), format!("stray#{sender}")];
    let mut events =
        under.iter().filter_map(|pk| table.events.get(pk.as_str())).flat_map(BTreeMap::keys);
    let logged = events.any(|sk| {
        sk.strip_prefix(key.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
    });
    match (genuine, kept, logged) {
        (true, true, false) => {
            Some(violation("I4", format!("message {key} was taken and is lost")))
        }
        (false, _, true) => {
            Some(violation("I11", format!("message {key} is not signed, and is kept")))
        }
        (true, _, _) | (false, _, false) => None,
    }
}
