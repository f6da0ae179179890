//! The fake store's state: what a table holds, and what writes do to it.

use std::collections::BTreeMap;

use crate::{
    domain::{
        Change, Digest, Event, EventKey, Guard, OrderId, Payment, PaymentId, Timestamp, UserId,
        Work,
    },
    ports::{Applied, Created, Logged},
};

/// Everything that is kept. Clones are copies: of two, each goes its own way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Table {
    /// The records.
    pub payments: BTreeMap<PaymentId, Payment>,
    /// The guards.
    pub guards: BTreeMap<OrderId, Guard>,
    /// The event log, in the order it was written.
    pub events: Vec<Event>,
    /// The messages that a person has decided on.
    pub resolved: Vec<EventKey>,
    /// Writes whose caller was told that nobody knows, and that are still to happen.
    pub late: Vec<Write>,
    /// What both indexes know of.
    pub indexed: BTreeMap<PaymentId, (OrderId, UserId)>,
    /// Whether the indexes wait for [`Table::catch_up`] rather than follow at once.
    pub lagging: bool,
}

/// A write that has not happened yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the arguments of the port's methods")]
pub enum Write {
    /// [`crate::ports::PaymentStore::create`].
    Create { payment: Payment, guard: Guard, replacing: Option<PaymentId> },
    /// [`crate::ports::PaymentStore::apply`].
    Apply { change: Change, event: Event },
    /// [`crate::ports::PaymentStore::log`].
    Log(Event),
    /// [`crate::ports::PaymentStore::told`].
    Told { id: PaymentId, work: Work, at: Timestamp },
    /// [`crate::ports::Quarantine::resolved`].
    Resolved(EventKey),
    /// [`crate::ports::PaymentStore::put_off`].
    PutOff { id: PaymentId, work: Work, next: Work },
}

impl Table {
    /// Makes a payment and its guard, or nothing.
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
        if !self.lagging {
            self.catch_up();
        }
        Created::Done
    }

    /// Makes a change and logs its event, or nothing.
    pub fn apply(&mut self, change: &Change, event: &Event) -> Applied {
        let as_expected = |payment: &&mut Payment| {
            payment.version == change.from_version && payment.status == change.from
        };
        let taken = self.logged(&event.key()).is_some();
        let Some(payment) = self.payments.get_mut(&change.id).filter(as_expected) else {
            return Applied::RecordChanged;
        };
        let live = self.guards.get(&change.oid).map(|guard| guard.payment);
        if change.guarded && live != Some(change.id) {
            return Applied::NotLive;
        }
        if taken {
            return Applied::KeyTaken;
        }
        *payment = change.applied_to(payment.clone());
        self.events.push(event.clone());
        Applied::Done
    }

    /// Logs an event, if its key is free.
    pub fn log(&mut self, event: &Event) -> Logged {
        if let Some(taken) = self.logged(&event.key()) {
            return Logged::KeyTaken(taken);
        }
        self.events.push(event.clone());
        Logged::Done
    }

    /// Takes a telling off the list, if it is still this one.
    pub fn told(&mut self, id: PaymentId, work: Work, at: Timestamp) {
        if let Some(payment) = self.payments.get_mut(&id)
            && payment.work == Some(work)
        {
            payment.work = None;
            payment.told_at = Some(at);
        }
    }

    /// Lists a telling anew, if it is still this one.
    pub fn put_off(&mut self, id: PaymentId, work: Work, next: Work) {
        if let Some(payment) = self.payments.get_mut(&id)
            && payment.work == Some(work)
        {
            payment.work = Some(next);
        }
    }

    /// Takes a message off the list of those that a person must look at.
    pub fn resolve(&mut self, key: &EventKey) {
        let there = self.events.iter().any(|event| event.key() == *key);
        if there && !self.resolved.contains(key) {
            self.resolved.push(key.clone());
        }
    }

    /// Lets the oldest late write happen; `false` if there is none.
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
            Write::Apply { change, event } => {
                self.apply(&change, &event);
            }
            Write::Log(event) => {
                self.log(&event);
            }
            Write::Told { id, work, at } => self.told(id, work, at),
            Write::Resolved(key) => self.resolve(&key),
            Write::PutOff { id, work, next } => self.put_off(id, work, next),
        }
        true
    }

    /// Lets the indexes know of all there is.
    pub fn catch_up(&mut self) {
        let all = self.payments.values();
        self.indexed = all.map(|payment| (payment.id, (payment.oid, payment.uid))).collect();
    }

    fn logged(&self, key: &EventKey) -> Option<Digest> {
        let taken = self.events.iter().find(|event| event.key() == *key)?;
        Some(taken.body.digest())
    }
}
