//! What two items say of each other: a payment and its order's guard, a decision and its notification,
//! and payments of one provider transaction.
//!
//! The other item is read by its key, a batch at a time. Where something looks wrong both are read once
//! more: an item that changed between two reads is no violation.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use anyhow::Result;
use pay_core::domain::{ProviderRef, Sender};
use pay_service::limits::STORE_BATCH_MAX;

use super::Violation;
use super::event::{self, Link};
use super::guard::{self, Guarded};
use super::key::{ItemKind, event_key, kind, primary};
use super::record::{self, Record};
use super::table::{Audited, Key, key_of};
use crate::Row;

/// What waits for its other side.
#[derive(Default)]
pub(super) struct Across {
    records: Vec<Record>,
    guards: Vec<Guarded>,
    links: Vec<Link>,
    /// The hash of the provider transaction of each payment that has one, and the payment's id.
    transactions: Vec<(u64, u64)>,
    hasher: RandomState,
}

impl Across {
    pub(super) fn record(&mut self, record: Record) {
        if let Some(transaction) = transaction(&record) {
            self.transactions.push((self.hasher.hash_one(transaction), record.id));
        }
        self.records.push(record);
    }

    pub(super) fn guard(&mut self, guard: Guarded) {
        self.guards.push(guard);
    }

    pub(super) fn links(&mut self, links: impl IntoIterator<Item = Link>) {
        self.links.extend(links);
    }

    /// Checks what waits, if it is a batch or `all` is to be checked.
    pub(super) async fn check(
        &mut self,
        table: &impl Audited,
        now: u64,
        all: bool,
    ) -> Result<Vec<Violation>> {
        let mut found = Vec::new();
        if all || self.records.len() >= STORE_BATCH_MAX {
            for records in std::mem::take(&mut self.records).chunks(STORE_BATCH_MAX) {
                found.extend(guards_of(table, records, now).await?);
            }
        }
        if all || self.guards.len() >= STORE_BATCH_MAX {
            for guards in std::mem::take(&mut self.guards).chunks(STORE_BATCH_MAX) {
                found.extend(payments_of(table, guards, now).await?);
            }
        }
        if all || self.links.len() >= STORE_BATCH_MAX {
            for links in std::mem::take(&mut self.links).chunks(STORE_BATCH_MAX) {
                found.extend(decisions_of(table, links, now).await?);
            }
        }
        if all {
            found.extend(self.same_transactions(table, now).await?);
        }
        Ok(found)
    }

    /// Two payments of one provider transaction: found by a hash, decided by the records.
    async fn same_transactions(
        &mut self,
        table: &impl Audited,
        now: u64,
    ) -> Result<Vec<Violation>> {
        let mut hashes = std::mem::take(&mut self.transactions);
        hashes.sort_unstable();
        hashes.dedup();
        let mut found = Vec::new();
        for same in hashes.chunk_by(|(one, _), (other, _)| one == other) {
            if same.len() < 2 {
                continue;
            }
            let ids: Vec<u64> = same.iter().map(|(_, id)| *id).collect();
            let mut first: BTreeMap<String, u64> = BTreeMap::new();
            for ids in ids.chunks(STORE_BATCH_MAX) {
                for record in records(table, ids, now).await?.into_values() {
                    let Some(transaction) = transaction(&record) else { continue };
                    if let Some(other) = first.get(&transaction) {
                        let what = format!("has the provider transaction of payment {other}");
                        found.push(Violation::of(
                            "I6",
                            (format!("pay#{}", record.id), "record".into()),
                            what,
                        ));
                    } else {
                        first.insert(transaction, record.id);
                    }
                }
            }
        }
        Ok(found)
    }
}

/// The transaction of a payment, if it is known.
fn transaction(record: &Record) -> Option<String> {
    let reference = record.reference.as_ref()?;
    reference.txn.as_ref().map(|_| ProviderRef::to_string(reference))
}

/// The records of these payments.
async fn records(table: &impl Audited, ids: &[u64], now: u64) -> Result<BTreeMap<u64, Record>> {
    let keys: Vec<Key> = ids.iter().map(|id| (format!("pay#{id}"), "record".to_owned())).collect();
    let rows = table.batch(&keys).await?;
    let records = rows.iter().filter_map(|row| {
        let Some(ItemKind::Record(id)) = kind(row) else { return None };
        Some((id, record::read(id, row, now).0))
    });
    Ok(records.collect())
}

/// The guards of these orders.
async fn guards(table: &impl Audited, oids: &[u64], now: u64) -> Result<BTreeMap<u64, Guarded>> {
    let mut keys: Vec<Key> =
        oids.iter().map(|oid| (format!("order#{oid}"), "guard".to_owned())).collect();
    keys.sort_unstable();
    keys.dedup();
    let rows = table.batch(&keys).await?;
    let guards = rows.iter().filter_map(|row| {
        let Some(ItemKind::Guard(oid)) = kind(row) else { return None };
        Some((oid, guard::read(oid, row, now).0))
    });
    Ok(guards.collect())
}

/// I1: every payment's order has a guard, and a live payment's guard names it.
async fn guards_of(table: &impl Audited, read: &[Record], now: u64) -> Result<Vec<Violation>> {
    let oids: Vec<u64> = read.iter().filter_map(|record| record.oid).collect();
    let named = guards(table, &oids, now).await?;
    let looks_wrong = read.iter().filter(|record| unguarded(record, &named).is_some());
    let ids: Vec<u64> = looks_wrong.map(|record| record.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let again = records(table, &ids, now).await?;
    let oids: Vec<u64> = again.values().filter_map(|record| record.oid).collect();
    let named = guards(table, &oids, now).await?;
    Ok(again.values().filter_map(|record| unguarded(record, &named)).collect())
}

fn unguarded(record: &Record, guards: &BTreeMap<u64, Guarded>) -> Option<Violation> {
    let oid = record.oid?;
    let wrong =
        |what| Some(Violation::of("I1", (format!("order#{oid}"), "guard".to_owned()), what));
    let Some(guard) = guards.get(&oid) else {
        return wrong("payments, and no guard that names one".to_owned());
    };
    let named = guard.payment?;
    if record.is_live() && named != record.id {
        return wrong(format!("payment {} is live, and the guard names {named}", record.id));
    }
    None
}

/// I1: every guard names a payment of its order, as it was created.
async fn payments_of(table: &impl Audited, read: &[Guarded], now: u64) -> Result<Vec<Violation>> {
    let ids = |guards: &[Guarded]| -> Vec<u64> {
        let mut ids: Vec<u64> = guards.iter().filter_map(|guard| guard.payment).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let named = records(table, &ids(read), now).await?;
    let looks_wrong = read.iter().filter(|guard| !misnamed(guard, &named).is_empty());
    let oids: Vec<u64> = looks_wrong.map(|guard| guard.oid).collect();
    if oids.is_empty() {
        return Ok(Vec::new());
    }
    let again: Vec<Guarded> = guards(table, &oids, now).await?.into_values().collect();
    let named = records(table, &ids(&again), now).await?;
    Ok(again.iter().flat_map(|guard| misnamed(guard, &named)).collect())
}

fn misnamed(guard: &Guarded, records: &BTreeMap<u64, Record>) -> Vec<Violation> {
    let key = || (format!("order#{}", guard.oid), "guard".to_owned());
    let Some(id) = guard.payment else {
        return Vec::new();
    };
    let Some(record) = records.get(&id) else {
        return vec![Violation::of("I1", key(), "names a payment that does not exist")];
    };
    let wrong = [
        (record.oid != Some(guard.oid), "names a payment of another order"),
        (record.uid != guard.uid, "has another uid than its payment"),
        (record.amount != guard.amount, "has another amount than its payment"),
    ];
    let wrong = wrong.into_iter().filter(|(wrong, _)| *wrong);
    wrong.map(|(_, what)| Violation::of("I1", key(), what)).collect()
}

/// A notification that was decided on and the event of the decision name each other.
async fn decisions_of(table: &impl Audited, read: &[Link], now: u64) -> Result<Vec<Violation>> {
    let mut found = Vec::new();
    let targets = |links: &[Link]| -> Vec<Key> {
        let mut keys: Vec<Key> = links.iter().map(|link| primary(&link.to)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    };
    let rows = table.batch(&targets(read)).await?;
    for link in read.iter().filter(|link| !is_mutual(link, &rows, now)) {
        // Both are written at once: a second look at both decides.
        let from = table.batch(std::slice::from_ref(&link.from)).await?;
        let Some(link) = from.iter().find_map(|row| own_link(row, now)) else {
            continue;
        };
        let to = table.batch(&[primary(&link.to)]).await?;
        if !is_mutual(&link, &to, now) {
            let what = if link.is_decision {
                "the event of the decision on it is missing, or says something else"
            } else {
                "the notification that it decides on is missing, or has another decision"
            };
            found.push(Violation::of("row", link.from, what));
        }
    }
    Ok(found)
}

fn is_mutual(link: &Link, rows: &[Row], now: u64) -> bool {
    let target = primary(&link.to);
    let other = rows.iter().find(|row| key_of(row) == target).and_then(|row| own_link(row, now));
    other.is_some_and(|other| {
        primary(&other.to) == link.from
            && other.by == link.by
            && other.decision == link.decision
            && other.at == link.at
            && other.is_decision != link.is_decision
    })
}

fn own_link(row: &Row, now: u64) -> Option<Link> {
    let key = event_key(row.text("pk"), row.text("sk"))?;
    let (_, link, _) = event::read(&key, row, now);
    link.filter(|link| link.is_decision == (key.sender != Sender::Operator))
}
