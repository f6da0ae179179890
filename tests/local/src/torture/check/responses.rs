//! The responses, compared with the table.

use std::collections::{BTreeMap, BTreeSet};

use super::{Table, violation};
use crate::torture::world::{Create, CreateResponse, Facts, Sent};
use payctl::audit::Violation;

/// Every response that the table contradicts.
pub(super) fn check(table: &Table<'_>, facts: &Facts) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut new = BTreeSet::new();
    for create in &facts.creates {
        found.extend(created(table, create));
        if let CreateResponse::Created(id) = create.response
            && !new.insert(id)
        {
            found.push(violation("I2", format!("payment {id}"), "created twice"));
        }
    }
    found.extend(owners(table, facts));
    found.extend(facts.messages.iter().filter_map(|sent| kept(table, sent)));
    found
}

/// I2, I4: the payment that a response named is there, and is the order's or was replaced.
fn created(table: &Table<'_>, create: &Create) -> Option<Violation> {
    let Create { oid, response, .. } = create;
    let order = || format!("order {oid}");
    let id = match response {
        CreateResponse::Created(id)
        | CreateResponse::Replayed(id)
        | CreateResponse::Exists(Some(id)) => *id,
        // The caller owns it, so the response must name it.
        CreateResponse::Exists(None) => {
            return Some(violation("I5", order(), "payment-exists without the payment"));
        }
        CreateResponse::Rejected(slug) => {
            return Some(violation("I5", order(), format!("a create was rejected: {slug}")));
        }
        CreateResponse::Unknown => return None,
    };
    let Some(record) = table.records.get(&id) else {
        return Some(violation("I4", order(), format!("payment {id} does not exist")));
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

/// I3: a record has the user, order and amount of the create.
fn owners(table: &Table<'_>, facts: &Facts) -> Vec<Violation> {
    let requested = facts.creates.iter().map(|create| (create.oid, (create.uid, create.amount)));
    let requested: BTreeMap<_, _> = requested.collect();
    let mut found = Vec::new();
    for (id, record) in &table.records {
        let number = |name| record.number(name).unwrap_or_default();
        if requested.get(&number("oid")) != Some(&(number("uid"), number("amount"))) {
            let what = "another user or amount than requested";
            found.push(violation("I3", format!("payment {id}"), what));
        }
    }
    found
}

/// I4: a message that was acknowledged is in the log; I11: an unsigned one is not.
fn kept(table: &Table<'_>, sent: &Sent) -> Option<Violation> {
    let Sent { sender, id, payment, genuine, kept, .. } = sent;
    let sender = sender.map_or("native", |sender| sender.as_str());
    let about = || format!("pay#{payment} event#{sender}#{id}");
    match (genuine, kept, table.has_event(sender, id, *payment)) {
        (true, true, false) => Some(violation("I4", about(), "acknowledged, and not in the log")),
        (false, _, true) => Some(violation("I11", about(), "not signed, and in the log")),
        (true, _, _) | (false, _, false) => None,
    }
}
