//! What a table alone can show: every attribute of every item against what the code can have written,
//! one live payment an order, a chain of events without a gap, no paid payment whose order service is
//! neither notified nor due.
//!
//! It reads the rows by itself, not with the store's own adapter: this finds what the adapter misreads.
//! What it keeps in memory is in docs/design.md.

mod across;
mod attributes;
mod chain;
mod checkout;
mod event;
mod guard;
mod key;
mod outside;
mod record;
mod refund;
mod request;
mod table;

use anyhow::{Context as _, Result};
use futures_util::FutureExt as _;
use pay_core::domain::{Status, TimeToLive, Timestamp};
use serde::Serialize;

use self::across::Across;
use self::checkout::ReadCheckout;
use self::event::{Link, ReadEvent};
use self::key::{checkout_of, refund_of};
use self::record::Record;
use self::refund::{ReadReference, ReadRefund};
use self::table::Items;
use crate::Row;
use crate::limits::OVERDUE_CLOSE_MS;

pub use self::key::{ItemKind, kind};
pub(crate) use self::key::{event_key, payment_of, primary};
pub use self::table::{Audited, Key};

/// What is wrong with an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Violation {
    /// The invariant that is broken: `I1`, `I6`, `I8`, `I21` to `I25`, or `row` for an item that the code cannot have
    /// written so.
    pub invariant: &'static str,
    /// The item.
    pub item: String,
    /// What is wrong with it.
    pub what: String,
}

impl Violation {
    fn of(invariant: &'static str, (pk, sk): Key, what: impl Into<String>) -> Self {
        Self { invariant, item: format!("{pk} {sk}"), what: what.into() }
    }
}

/// What was found.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Records.
    pub payments: usize,
    /// Orders with a guard.
    pub orders: usize,
    /// Entries of the event log.
    pub events: usize,
    /// Checkouts.
    pub checkouts: usize,
    /// Refunds.
    pub refunds: usize,
    /// What providers' ids of refunds stand for.
    pub refund_references: usize,
    /// Notifications that a person must look at.
    pub quarantined: usize,
    /// Payments and refunds about which something is still to be done.
    pub due: usize,
    /// Every violation, in the order of the items.
    pub violations: Vec<Violation>,
}

impl Audit {
    /// The items that were read.
    #[must_use]
    pub const fn items(&self) -> usize {
        self.payments
            .saturating_add(self.orders)
            .saturating_add(self.events)
            .saturating_add(self.checkouts)
            .saturating_add(self.refunds)
            .saturating_add(self.refund_references)
    }
}

/// Checks every item of a table at this time, page by page. `progress` is called after each page. With the time to
/// live of the deployment's payments, those that could be paid long after it are found, too.
///
/// A table may be in use: what looks wrong is read once more, and only what is wrong then counts.
///
/// # Errors
///
/// The table cannot be read.
pub async fn audit(
    table: &impl Audited,
    (now, time_to_live): (Timestamp, Option<TimeToLive>),
    mut progress: impl FnMut(&Audit),
) -> Result<Audit> {
    let now = now.millis();
    let oldest_open = time_to_live.map(|of| {
        now.saturating_sub(of.seconds().saturating_mul(1000)).saturating_sub(OVERDUE_CLOSE_MS)
    });
    let (audit, across) = (Audit::default(), Across::default());
    let mut run = AuditRun { audit, across, now, oldest_open };
    let mut payment = Partition::default();
    let mut after = None;
    loop {
        let (rows, next) = table.page(after).await?;
        for row in &rows {
            run.count(row);
            if row.text("pk") != payment.pk {
                run.end(table, std::mem::take(&mut payment)).await?;
            }
            run.read(&mut payment, row);
            let found = run.across.check(table, now, false).await?;
            run.audit.violations.extend(found);
        }
        progress(&run.audit);
        if next.is_none() {
            break;
        }
        after = next;
    }
    run.end(table, payment).await?;
    let found = run.across.check(table, now, true).await?;
    let mut audit = run.audit;
    audit.violations.extend(found);
    let by_item = |one: &Violation| (one.item.clone(), one.invariant, one.what.clone());
    audit.violations.sort_by_key(by_item);
    audit.violations.dedup();
    Ok(audit)
}

/// What is wrong with an item by itself, for who shows it to a person.
pub(crate) fn faults(row: &Row, now: Timestamp) -> Vec<String> {
    let (key, now) = (table::key_of(row), now.millis());
    match (kind(row), event_key(&key.0, &key.1), refund_of(&key.1)) {
        (Some(ItemKind::Record(id)), _, _) => record::read(id, row, now).1,
        (Some(ItemKind::Guard(oid)), _, _) => guard::read(oid, row, now).1,
        (Some(ItemKind::Refund(_)), _, Some(id)) => refund::read(id, row, now).1,
        (Some(ItemKind::Checkout(_)), _, _) => {
            checkout_of(&key.1).map(|number| checkout::read(number, row, now).1).unwrap_or_default()
        }
        (_, Some(event), _) => event::read(&event, row, now).2,
        (_, None, _) => vec!["its key is none of a notification".to_owned()],
    }
}

/// Checks items in memory at this time.
///
/// # Errors
///
/// None: memory can be read.
pub fn audit_rows(rows: &[Row], now: Timestamp) -> Result<Audit> {
    let audited = audit(&Items::new(rows), (now, None), |_| {}).now_or_never();
    audited.context("items in memory are read without waiting")?
}

/// The items of one payment, as they come.
#[derive(Default)]
struct Partition {
    pk: String,
    record: Option<Record>,
    events: Vec<ReadEvent>,
    checkouts: Vec<ReadCheckout>,
    refunds: Vec<ReadRefund>,
    references: Vec<ReadReference>,
    links: Vec<Link>,
    found: Vec<Violation>,
}

struct AuditRun {
    audit: Audit,
    across: Across,
    now: u64,
    /// Before when no payment was created that can still be paid and is not being closed.
    oldest_open: Option<u64>,
}

impl AuditRun {
    fn count(&mut self, row: &Row) {
        let audit = &mut self.audit;
        let of_kind = match kind(row) {
            Some(ItemKind::Record(_)) => Some(&mut audit.payments),
            Some(ItemKind::Guard(_)) => Some(&mut audit.orders),
            Some(ItemKind::Event(_) | ItemKind::Unmatched) => Some(&mut audit.events),
            Some(ItemKind::Checkout(_)) => Some(&mut audit.checkouts),
            Some(ItemKind::Refund(_)) => Some(&mut audit.refunds),
            Some(ItemKind::RefundReference(_)) => Some(&mut audit.refund_references),
            None => None,
        };
        let listed = match row.get_text("queue") {
            Some("review") => Some(&mut audit.quarantined),
            Some(_) => Some(&mut audit.due),
            None => None,
        };
        for counter in [of_kind, listed].into_iter().flatten() {
            *counter = counter.saturating_add(1);
        }
    }

    /// Reads an item: what is of a payment waits for the rest of the payment.
    fn read(&mut self, payment: &mut Partition, row: &Row) {
        let key = table::key_of(row);
        match kind(row) {
            Some(ItemKind::Guard(oid)) => {
                let (guard, wrong) = guard::read(oid, row, self.now);
                self.across.guard(guard);
                self.note(&key, wrong);
            }
            Some(ItemKind::Unmatched) => {
                let Some(event) = event_key(&key.0, &key.1) else { return };
                let (_, link, wrong) = event::read(&event, row, self.now);
                self.across.links(link);
                self.note(&key, wrong);
            }
            Some(
                ItemKind::Record(_)
                | ItemKind::Event(_)
                | ItemKind::Checkout(_)
                | ItemKind::Refund(_)
                | ItemKind::RefundReference(_),
            ) => payment.add(row, self.now),
            None => self.note(&key, vec!["a key that no item of ours has".to_owned()]),
        }
    }

    fn note(&mut self, key: &Key, wrong: Vec<String>) {
        let found = wrong.into_iter().map(|what| Violation::of("row", key.clone(), what));
        self.audit.violations.extend(found);
    }

    /// Checks a payment whose items have been read. Where it looks wrong it is read again, whole and
    /// at one moment: items may have been written meanwhile, or may not have come together.
    async fn end(&mut self, table: &impl Audited, mut payment: Partition) -> Result<()> {
        if payment.pk.is_empty() {
            return Ok(());
        }
        if !payment.check(self.oldest_open).is_empty() {
            let mut again = Partition::default();
            for row in table.partition(&payment.pk).await? {
                if !matches!(kind(&row), None | Some(ItemKind::Guard(_) | ItemKind::Unmatched)) {
                    again.add(&row, self.now);
                }
            }
            payment = again;
            self.audit.violations.extend(payment.check(self.oldest_open));
        }
        self.across.links(payment.links);
        if let Some(record) = payment.record {
            self.across.record(record);
        }
        Ok(())
    }
}

impl Partition {
    fn add(&mut self, row: &Row, now: u64) {
        let key = table::key_of(row);
        self.pk.clone_from(&key.0);
        let wrong = if let Some(ItemKind::Record(id)) = kind(row) {
            let (record, wrong) = record::read(id, row, now);
            self.record = Some(record);
            wrong
        } else if let Some(event) = event_key(&key.0, &key.1) {
            let (entry, link, wrong) = event::read(&event, row, now);
            self.events.push(entry);
            self.links.extend(link);
            wrong
        } else if let Some(number) = checkout_of(&key.1) {
            let (checkout, wrong) = checkout::read(number, row, now);
            self.checkouts.push(checkout);
            wrong
        } else if let Some(id) = refund_of(&key.1) {
            let (refund, wrong) = refund::read(id, row, now);
            self.refunds.push(refund);
            wrong
        } else if let Some((reference, wrong)) = refund::read_reference(row, now) {
            self.references.push(reference);
            wrong
        } else {
            Vec::new()
        };
        self.found.extend(wrong.into_iter().map(|what| Violation::of("row", key.clone(), what)));
    }

    /// Everything that is wrong with it.
    fn check(&self, oldest_open: Option<u64>) -> Vec<Violation> {
        let mut found = self.found.clone();
        let key = |sk: &str| (self.pk.clone(), sk.to_owned());
        let Some(record) = &self.record else {
            let orphans = self.events.iter().map(|event| key(&event.sk));
            let what = "an event of a payment that has no record";
            found.extend(orphans.map(|key| Violation::of("row", key, what)));
            let orphans = refund::keys(&self.refunds, &self.references).map(key);
            let what = "a refund of a payment that has no record";
            found.extend(orphans.map(|key| Violation::of("row", key, what)));
            let orphans = self.checkouts.iter().map(|checkout| key(&checkout.sk));
            let what = "a checkout of a payment that has no record";
            found.extend(orphans.map(|key| Violation::of("row", key, what)));
            return found;
        };
        let known = refund::Known::of(record, &self.refunds, &self.references);
        let refunds = refund::check(&known, &self.events);
        let checkouts = checkout::check(record, &self.checkouts, &self.events);
        let chain = chain::check(record, &self.events, &known);
        let chain = chain.into_iter().chain(refunds).chain(checkouts);
        found.extend(chain.map(|(sk, invariant, what)| Violation::of(invariant, key(&sk), what)));
        if record.status == Some(Status::Paid) && !record.is_due && !record.is_notified {
            let what = "paid, and the order service neither notified nor due";
            found.push(Violation::of("I8", key("record"), what));
        }
        if oldest_open.is_some_and(|oldest| record.is_open_since(oldest)) {
            let what = "its time to live is long over, and it is neither closed nor being closed";
            found.push(Violation::of("row", key("record"), what));
        }
        found
    }
}

#[cfg(test)]
mod tests;
