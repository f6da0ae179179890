//! The fake store's state: what a table holds, and what writes do to it.

use std::collections::{BTreeMap, BTreeSet};

use super::inspect::refund_reference;
use crate::{
    domain::{
        Change, Checkout, CheckoutReference, CheckoutState, Decided, Digest, Due, DueChange, Event,
        EventKey, Guard, OrderId, Payment, PaymentId, Refund, RefundChange, RefundId, Timestamp,
        UserId, Verdict,
    },
    ports::{Appended, Created, Resolved, Updated},
};

/// Everything that is kept. Clones are copies: of two, each goes its own way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Table {
    /// The records.
    pub payments: BTreeMap<PaymentId, Payment>,
    /// The guards.
    pub guards: BTreeMap<OrderId, Guard>,
    /// The refunds.
    pub refunds: BTreeMap<(PaymentId, RefundId), Refund>,
    /// The checkouts.
    pub checkouts: BTreeMap<CheckoutReference, Checkout>,
    /// The event log, in the order it was written.
    pub events: Vec<Event>,
    /// What was decided on notifications.
    pub resolved: BTreeMap<EventKey, Decided>,
    /// The payments whose records cannot be read.
    pub unreadable: BTreeSet<PaymentId>,
    /// Writes that are still to happen; their callers got an unknown outcome.
    pub late: Vec<Write>,
    /// What the indexes by order and user list.
    pub indexed: BTreeMap<PaymentId, (OrderId, UserId)>,
    /// What the index by the provider's transaction lists.
    pub transactions: BTreeMap<PaymentId, String>,
    /// Whether the indexes wait for [`Table::catch_up`] rather than follow at once.
    pub lagging: bool,
}

/// A write that has not happened yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the arguments of the port's methods")]
pub enum Write {
    /// [`crate::ports::Payments::create`].
    Create { payment: Payment, guard: Guard, replacing: Option<PaymentId> },
    /// [`crate::ports::Payments::update`].
    Update { change: Change, event: Event },
    /// [`crate::ports::Payments::append`].
    Append(Event),
    /// [`crate::ports::Outbox::mark_notified`].
    MarkNotified { read: Payment, at: Timestamp, next: Option<Due> },
    /// [`crate::ports::Payments::change_checkout`].
    ChangeCheckout { read: Checkout, next: Checkout },
    /// [`crate::ports::Payments::end_checkout`].
    EndCheckout { checkout: CheckoutReference, end: CheckoutState, at: Timestamp },
    /// [`crate::ports::Outbox::clear`].
    Clear(Payment),
    /// [`crate::ports::Quarantine::resolve`].
    Resolve { key: EventKey, decided: Decided, change: Option<Change>, event: Event },
    /// [`crate::ports::Outbox::reschedule`].
    Reschedule { read: Payment, next: Due },
    /// [`crate::ports::Outbox::reschedule_refund`].
    RescheduleRefund { read: Refund, next: Option<Due> },
}

impl Table {
    /// Creates a payment and its guard, or nothing.
    pub fn create(
        &mut self,
        payment: &Payment,
        guard: &Guard,
        replacing: Option<PaymentId>,
    ) -> Created {
        let found = self.guards.get(&guard.oid);
        if found.map(|guard| guard.payment) != replacing {
            return Created::Guarded(found.cloned());
        }
        if let Some(old) = replacing {
            let old = self.payments.get(&old);
            if !old.is_some_and(Payment::is_replaceable) {
                return Created::NotReplaceable;
            }
        }
        if self.payments.contains_key(&payment.id) {
            return Created::IdTaken;
        }
        self.guards.insert(guard.oid, guard.clone());
        self.payments.insert(payment.id, payment.clone());
        self.index(payment);
        Created::Done
    }

    /// Makes a change and appends its event, or nothing.
    pub fn update(&mut self, change: &Change, event: &Event) -> Updated {
        let as_expected = |payment: &&mut Payment| {
            let due = match change.due {
                DueChange::Set { before, .. } => payment.due == before,
                DueChange::Keep | DueChange::Clear => true,
            };
            due && payment.version == change.from_version && payment.status == change.from
        };
        let taken = self.logged(&event.key()).is_some();
        if !change.refund.as_ref().is_none_or(|refund| self.is_as_read(refund)) {
            return Updated::RecordChanged;
        }
        let checkout = change.checkout.as_deref();
        if checkout.is_some_and(|checkout| self.checkouts.contains_key(&checkout.reference)) {
            return Updated::RecordChanged;
        }
        let Some(payment) = self.payments.get_mut(&change.id).filter(as_expected) else {
            return Updated::RecordChanged;
        };
        let live = self.guards.get(&change.oid).map(|guard| guard.payment);
        if change.guarded && live != Some(change.id) {
            return Updated::NotLive(live);
        }
        if taken {
            return Updated::KeyTaken;
        }
        let changed = change.applied_to(payment.clone());
        payment.clone_from(&changed);
        if let Some(RefundChange { item, .. }) = change.refund.as_deref() {
            self.refunds.insert((item.payment, item.id.clone()), item.clone());
        }
        if let Some(checkout) = checkout {
            self.checkouts.insert(checkout.reference, checkout.clone());
        }
        self.events.push(event.clone());
        self.index(&changed);
        Updated::Done
    }

    /// Whether a refund has the state that was read, and no other has the provider's id if that is new.
    fn is_as_read(&self, RefundChange { item, from, is_named, .. }: &RefundChange) -> bool {
        let found = self.refunds.get(&(item.payment, item.id.clone()));
        let same = |other: &&Refund| {
            let named = refund_reference(other);
            other.payment == item.payment && named.is_some() && named == refund_reference(item)
        };
        found.map(|found| found.state) == *from
            && !(*is_named && self.refunds.values().any(|other| same(&other)))
    }

    /// Appends an event, if its key is free.
    pub fn append(&mut self, event: &Event) -> Appended {
        if let Some(taken) = self.logged(&event.key()) {
            return Appended::KeyTaken(Some(taken));
        }
        self.events.push(event.clone());
        Appended::Done
    }

    /// Writes a checkout, if it is as it was read.
    pub fn change_checkout(&mut self, read: &Checkout, next: &Checkout) -> bool {
        match self.checkouts.get_mut(&read.reference) {
            Some(found) if found == read => {
                found.clone_from(next);
                true
            }
            _ => false,
        }
    }

    /// Ends a checkout that is unended.
    pub fn end_checkout(&mut self, of: CheckoutReference, end: CheckoutState, at: Timestamp) {
        if let Some(found) = self.checkouts.get_mut(&of).filter(|found| found.is_unended()) {
            found.state = end;
            found.update_time = at;
        }
    }

    /// Sets `notified_time`, and `due` to `next`, if the record is as it was read.
    pub fn mark_notified(&mut self, read: &Payment, at: Timestamp, next: Option<Due>) {
        if let Some(payment) = self.as_read(read) {
            payment.due = next;
            payment.notified_time = Some(at);
        }
    }

    /// Clears `due`, if the record is as it was read.
    pub fn clear(&mut self, read: &Payment) {
        if let Some(payment) = self.as_read(read) {
            payment.due = None;
        }
    }

    /// Sets `due` to `next`, if the record is as it was read.
    pub fn reschedule(&mut self, read: &Payment, next: Due) {
        if let Some(payment) = self.as_read(read) {
            payment.due = Some(next);
        }
    }

    /// Sets or clears `due` of a refund, if it is as it was read.
    pub fn reschedule_refund(&mut self, read: &Refund, next: Option<Due>) {
        if let Some(refund) = self.refunds.get_mut(&(read.payment, read.id.clone()))
            && refund.state == read.state
            && refund.due == read.due
            && refund.due.is_some()
        {
            refund.due = next;
        }
    }

    fn as_read(&mut self, read: &Payment) -> Option<&mut Payment> {
        let payment = self.payments.get_mut(&read.id)?;
        let same = payment.version == read.version && payment.due == read.due;
        (same && payment.due.is_some()).then_some(payment)
    }

    /// Keeps a decision with its event and its change, or nothing.
    pub fn resolve(
        &mut self,
        key: &EventKey,
        decided: &Decided,
        change: Option<&Change>,
        event: &Event,
    ) -> Resolved {
        let quarantined =
            |event: &Event| event.key() == *key && event.verdict == Verdict::Quarantined;
        if !self.events.iter().any(quarantined) || self.resolved.contains_key(key) {
            return Resolved::NotOpen;
        }
        let written = match change {
            Some(change) => match self.update(change, event) {
                Updated::Done => Resolved::Done,
                Updated::RecordChanged => Resolved::RecordChanged,
                Updated::NotLive(live) => Resolved::NotLive(live),
                Updated::KeyTaken => Resolved::KeyTaken,
            },
            None => match self.append(event) {
                Appended::Done => Resolved::Done,
                Appended::KeyTaken(_) => Resolved::KeyTaken,
            },
        };
        if written == Resolved::Done {
            self.resolved.insert(key.clone(), decided.clone());
        }
        written
    }

    /// Carries out the oldest late write; `false` if there is none.
    ///
    /// Like every write it is conditional: by now it may change nothing.
    pub fn land_late(&mut self) -> bool {
        if self.late.is_empty() {
            return false;
        }
        match self.late.remove(0) {
            Write::Create { payment, guard, replacing } => {
                self.create(&payment, &guard, replacing);
            }
            Write::Update { change, event } => {
                self.update(&change, &event);
            }
            Write::Append(event) => {
                self.append(&event);
            }
            Write::MarkNotified { read, at, next } => self.mark_notified(&read, at, next),
            Write::ChangeCheckout { read, next } => {
                self.change_checkout(&read, &next);
            }
            Write::EndCheckout { checkout, end, at } => self.end_checkout(checkout, end, at),
            Write::Clear(read) => self.clear(&read),
            Write::Resolve { key, decided, change, event } => {
                self.resolve(&key, &decided, change.as_ref(), &event);
            }
            Write::Reschedule { read, next } => self.reschedule(&read, next),
            Write::RescheduleRefund { read, next } => self.reschedule_refund(&read, next),
        }
        true
    }

    /// Brings the indexes up to date.
    pub fn catch_up(&mut self) {
        let all = self.payments.values();
        self.indexed = all.map(|payment| (payment.id, (payment.oid, payment.uid))).collect();
        let all = self.payments.values();
        let named = all.filter_map(|payment| Some((payment.id, payment.reference.transaction()?)));
        self.transactions = named.collect();
    }

    /// Lists a payment in the indexes, unless they lag.
    fn index(&mut self, payment: &Payment) {
        if self.lagging {
            return;
        }
        self.indexed.insert(payment.id, (payment.oid, payment.uid));
        match payment.reference.transaction() {
            Some(name) => self.transactions.insert(payment.id, name),
            None => self.transactions.remove(&payment.id),
        };
    }

    fn logged(&self, key: &EventKey) -> Option<Digest> {
        let taken = self.events.iter().find(|event| event.key() == *key)?;
        Some(taken.body.digest())
    }
}
