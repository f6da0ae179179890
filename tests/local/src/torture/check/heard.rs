//! What callers heard, held against the table.

use std::collections::{BTreeMap, BTreeSet};

use super::{Table, violation};
use crate::audit::Violation;
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
            found.push(violation("I2", format!("payment {id}"), "answered as new twice"));
        }
    }
    found.extend(owners(table, facts));
    found.extend(facts.messages.iter().filter_map(|sent| kept(table, sent)));
    found
}

/// I2, I4: the payment that an answer named is there, and is the order's or was replaced.
fn created(table: &Table<'_>, create: &Create) -> Option<Violation> {
    let Create { oid, heard, .. } = create;
    let order = || format!("order {oid}");
    let id = match heard {
        Heard::Created(id) | Heard::Replayed(id) | Heard::Exists(Some(id)) => *id,
        // Its owner asks, and is to hear the id.
        Heard::Exists(None) => {
            return Some(violation("I5", order(), "a refusal named no payment"));
        }
        Heard::Refused(slug) => {
            return Some(violation("I5", order(), format!("a create was refused: {slug}")));
        }
        Heard::Unknown => return None,
    };
    let Some(record) = table.records.get(&id) else {
        return Some(violation("I4", order(), format!("payment {id} is not there")));
    };
    let replaceable = match record.number("status") {
        Some(3) => true,
        Some(4) => !record.has("paid_time"),
        _ => false,
    };
    let guarded = table.guards.get(oid) == Some(&id);
    let fits = record.number("oid") == Some(*oid) && (guarded || replaceable);
    (!fits).then(|| violation("I2", order(), format!("payment {id} is not its payment")))
}

/// I3: a record is of whom, for what and how much it was asked for.
fn owners(table: &Table<'_>, facts: &Facts) -> Vec<Violation> {
    let asked = facts.creates.iter().map(|create| (create.oid, (create.uid, create.amount)));
    let asked: BTreeMap<_, _> = asked.collect();
    let mut found = Vec::new();
    for (id, record) in &table.records {
        let number = |name| record.number(name).unwrap_or_default();
        if asked.get(&number("oid")) != Some(&(number("uid"), number("amount"))) {
            let what = "not for whom and how much it was asked for";
            found.push(violation("I3", format!("payment {id}"), what));
        }
    }
    found
}

/// I4: a message that its sender was thanked for is in the log; I11: an unsigned one is not.
fn kept(table: &Table<'_>, sent: &Sent) -> Option<Violation> {
    let Sent { sender, id, payment, genuine, kept, .. } = sent;
    let sender = sender.map_or("native", |sender| sender.as_str());
    let key = format!("event#{sender}#{id}");
    let suffixed = format!("{key}#");
    let logged = [format!("pay#{payment}"), format!("stray#{sender}")].iter().any(|pk| {
        let from = table.events.range((pk.as_str(), key.as_str())..);
        let mut of_payment = from.take_while(|(under, _)| under == pk);
        of_payment.any(|(_, sk)| *sk == key || sk.starts_with(&suffixed))
    });
    let about = || format!("pay#{payment} {key}");
    match (genuine, kept, logged) {
        (true, true, false) => Some(violation("I4", about(), "taken, and lost")),
        (false, _, true) => Some(violation("I11", about(), "not signed, and kept")),
        (true, _, _) | (false, _, false) => None,
    }
}
