//! The store in memory.

use std::sync::{Arc, Mutex};

use super::{Call, Fate, Gate, Table, Write, inspect, lock};
use crate::{
    domain::{
        Change, Checkout, CheckoutReference, CheckoutState, Decided, Due, Event, EventKey, Guard,
        OrderId, Payment, PaymentId, Provider, ProviderRef, ProviderRefund, Quarantined, Refund,
        RefundId, Sender, Timestamp, UserId, Verdict,
    },
    ports::{
        Appended, Created, DueItem, Outbox, PaymentLists, PaymentPage, Payments, Quarantine,
        Resolved, StoreError, Updated,
    },
    testing::{Inspect, Listed, LoggedEvent},
};

/// A store in memory. Clones are handles on one table.
#[derive(Clone, Debug, Default)]
pub struct FakeStore {
    table: Arc<Mutex<Table>>,
    gate: Gate,
}

impl FakeStore {
    /// An empty store whose calls pass `gate`.
    #[must_use]
    pub fn behind(gate: Gate) -> Self {
        Self { table: Arc::default(), gate }
    }

    /// What decides the fate of its calls.
    #[must_use]
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// A copy of the table, to look at.
    #[must_use]
    pub fn table(&self) -> Table {
        self.edit(|table| table.clone())
    }

    /// Changes the table, or just reads it.
    pub fn edit<T>(&self, edit: impl FnOnce(&mut Table) -> T) -> T {
        edit(&mut lock(&self.table))
    }

    async fn read<T>(&self, call: Call, read: impl FnOnce(&Table) -> T) -> Result<T, StoreError> {
        match self.gate.pass(call).await {
            Fate::Responded => Ok(self.edit(|table| read(table))),
            Fate::Before | Fate::Lost | Fate::After | Fate::Late => {
                Err(StoreError::Unavailable("scripted: the read failed".into()))
            }
        }
    }

    async fn write<T>(
        &self,
        call: Call,
        write: Write,
        carry_out: impl FnOnce(&mut Table) -> T,
    ) -> Result<T, StoreError> {
        let fate = self.gate.pass(call).await;
        let mut table = lock(&self.table);
        match fate {
            Fate::Responded => return Ok(carry_out(&mut table)),
            Fate::Before => {
                let cause = "scripted: nothing was written".into();
                return Err(StoreError::Unavailable(cause));
            }
            Fate::Lost => {}
            Fate::After => drop(carry_out(&mut table)),
            Fate::Late => table.late.push(write),
        }
        Err(StoreError::Unknown("scripted: the result was lost".into()))
    }
}

impl Payments for FakeStore {
    async fn newest_of_order(&self, oid: OrderId) -> Result<Option<PaymentId>, StoreError> {
        self.read(Call::NewestOfOrder, |table| {
            let mut newest_first = table.indexed.iter().rev();
            newest_first.find_map(|(id, (of, _))| (*of == oid).then_some(*id))
        })
        .await
    }

    async fn guard(&self, oid: OrderId) -> Result<Option<Guard>, StoreError> {
        self.read(Call::Guard, |table| table.guards.get(&oid).cloned()).await
    }

    async fn payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        let read = |table: &Table| {
            let found = table.payments.get(&id).cloned();
            found.map(|payment| if table.unreadable.contains(&id) { None } else { Some(payment) })
        };
        match self.read(Call::Payment, read).await? {
            Some(None) => Err(StoreError::Fault("the record cannot be read".into())),
            found => Ok(found.flatten()),
        }
    }

    async fn of_transaction(&self, reference: &ProviderRef) -> Result<Vec<PaymentId>, StoreError> {
        self.read(Call::OfTransaction, |table| {
            let name = reference.transaction();
            let listed = table.transactions.iter().filter(|(_, of)| Some(*of) == name.as_ref());
            listed.map(|(id, _)| *id).take(2).collect()
        })
        .await
    }

    async fn refund(
        &self,
        payment: PaymentId,
        id: &RefundId,
    ) -> Result<Option<Refund>, StoreError> {
        self.read(Call::Refund, |table| table.refunds.get(&(payment, id.clone())).cloned()).await
    }

    async fn refund_named(
        &self,
        payment: PaymentId,
        provider: Provider,
        id: &ProviderRefund,
    ) -> Result<Option<RefundId>, StoreError> {
        self.read(Call::RefundNamed, |table| {
            let named = |refund: &&Refund| {
                refund.payment == payment
                    && refund.taken_from.source == provider.source()
                    && refund.provider_refund.as_ref() == Some(id)
            };
            table.refunds.values().find(named).map(|refund| refund.id.clone())
        })
        .await
    }

    async fn refunds(&self, payment: PaymentId) -> Result<Vec<Refund>, StoreError> {
        self.read(Call::Refunds, |table| {
            let all = table.refunds.values();
            all.filter(|refund| refund.payment == payment).cloned().collect()
        })
        .await
    }

    async fn checkouts(&self, payment: PaymentId) -> Result<Vec<Checkout>, StoreError> {
        self.read(Call::Checkouts, |table| {
            let all = table.checkouts.values();
            all.filter(|checkout| checkout.reference.payment == payment).cloned().collect()
        })
        .await
    }

    async fn change_checkout(&self, read: &Checkout, next: &Checkout) -> Result<bool, StoreError> {
        let write = Write::ChangeCheckout { read: read.clone(), next: next.clone() };
        self.write(Call::ChangeCheckout, write, |table| table.change_checkout(read, next)).await
    }

    async fn end_checkout(
        &self,
        checkout: CheckoutReference,
        end: CheckoutState,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let write = Write::EndCheckout { checkout, end, at };
        self.write(Call::EndCheckout, write, |table| table.end_checkout(checkout, end, at)).await
    }

    async fn create(
        &self,
        payment: &Payment,
        guard: &Guard,
        replacing: Option<PaymentId>,
    ) -> Result<Created, StoreError> {
        let write = Write::Create { payment: payment.clone(), guard: guard.clone(), replacing };
        self.write(Call::Create, write, |table| table.create(payment, guard, replacing)).await
    }

    async fn update(&self, change: &Change, event: &Event) -> Result<Updated, StoreError> {
        let write = Write::Update { change: change.clone(), event: event.clone() };
        self.write(Call::Update, write, |table| table.update(change, event)).await
    }

    async fn append(&self, event: &Event) -> Result<Appended, StoreError> {
        let write = Write::Append(event.clone());
        self.write(Call::Append, write, |table| table.append(event)).await
    }
}

impl PaymentLists for FakeStore {
    async fn list_by_user(
        &self,
        uid: UserId,
        before: Option<PaymentId>,
        limit: usize,
    ) -> Result<PaymentPage, StoreError> {
        self.read(Call::ListByUser, |table| {
            let newest_first = table.indexed.iter().rev();
            let mut listed = newest_first
                .filter(|(id, (_, of))| *of == uid && before.is_none_or(|before| **id < before))
                .map(|(id, _)| *id);
            let ids: Vec<_> = listed.by_ref().take(limit).collect();
            let is_last = limit == 0 || listed.next().is_none();
            let cursor = ids.last().copied().filter(|_| !is_last);
            let readable = ids.iter().filter(|id| !table.unreadable.contains(id));
            let payments = readable.filter_map(|id| table.payments.get(id).cloned()).collect();
            PaymentPage { payments, cursor }
        })
        .await
    }
}

impl Outbox for FakeStore {
    async fn due_items(
        &self,
        until: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<DueItem>, StoreError> {
        self.read(Call::DueItems, |table| {
            let payments = table.payments.values();
            let payments = payments.filter_map(|of| Some((of.due?.at, DueItem::Payment(of.id))));
            let refunds = table.refunds.values();
            let refunds = refunds
                .filter_map(|of| Some((of.due?.at, DueItem::Refund(of.payment, of.id.clone()))));
            let listed = payments.chain(refunds);
            let due = listed.filter(|(at, _)| until.is_none_or(|until| *at <= until));
            let mut due: Vec<_> = due.collect();
            due.sort_unstable();
            due.into_iter().map(|(_, id)| id).take(limit).collect()
        })
        .await
    }

    async fn mark_notified(
        &self,
        read: &Payment,
        at: Timestamp,
        next: Option<Due>,
    ) -> Result<(), StoreError> {
        let write = Write::MarkNotified { read: read.clone(), at, next };
        self.write(Call::MarkNotified, write, |table| table.mark_notified(read, at, next)).await
    }

    async fn clear(&self, read: &Payment) -> Result<(), StoreError> {
        let write = Write::Clear(read.clone());
        self.write(Call::Clear, write, |table| table.clear(read)).await
    }

    async fn reschedule(&self, read: &Payment, next: Due) -> Result<(), StoreError> {
        let write = Write::Reschedule { read: read.clone(), next };
        self.write(Call::Reschedule, write, |table| table.reschedule(read, next)).await
    }

    async fn reschedule_refund(&self, read: &Refund, next: Option<Due>) -> Result<(), StoreError> {
        let write = Write::RescheduleRefund { read: read.clone(), next };
        let reschedule = |table: &mut Table| table.reschedule_refund(read, next);
        self.write(Call::RescheduleRefund, write, reschedule).await
    }
}

impl Quarantine for FakeStore {
    async fn quarantined(&self, key: &EventKey) -> Result<Option<Quarantined>, StoreError> {
        self.read(Call::Quarantined, |table| {
            let event = table.events.iter().find(|event| event.key() == *key)?;
            (event.verdict == Verdict::Quarantined).then(|| Quarantined {
                report: event.report.clone(),
                checkout: event.checkout,
                mismatch: event.mismatch.clone(),
                decided: table.resolved.get(key).cloned(),
            })
        })
        .await
    }

    async fn resolve(
        &self,
        key: &EventKey,
        decided: &Decided,
        change: Option<&Change>,
        event: &Event,
    ) -> Result<Resolved, StoreError> {
        let write = Write::Resolve {
            key: key.clone(),
            decided: decided.clone(),
            change: change.cloned(),
            event: event.clone(),
        };
        let resolve = |table: &mut Table| table.resolve(key, decided, change, event);
        self.write(Call::Resolve, write, resolve).await
    }
}

impl Inspect for FakeStore {
    async fn events(&self, of: Option<PaymentId>, sender: Sender) -> Vec<LoggedEvent> {
        let table = self.table();
        let kept = |event: &&Event| event.payment == of && (of.is_some() || event.sender == sender);
        let row = |event: &Event| {
            let mut row = LoggedEvent::of(event);
            if let Some(decided) = table.resolved.get(&event.key()) {
                row.resolved(decided);
            }
            row
        };
        let mut found: Vec<_> = table.events.iter().filter(kept).map(row).collect();
        found.sort_by(|one, other| one.sk.cmp(&other.sk));
        found
    }

    async fn listed(&self) -> Vec<Listed> {
        self.edit(|table| inspect::listed(table))
    }

    async fn refund_references(&self, of: PaymentId) -> Vec<(String, String)> {
        let table = self.table();
        let own = table.refunds.values().filter(|refund| refund.payment == of);
        let reference = |refund: &Refund| {
            Some((inspect::refund_reference(refund)?, refund.id.as_str().to_owned()))
        };
        let mut found: Vec<_> = own.filter_map(reference).collect();
        found.sort();
        found
    }

    async fn spoil(&self, id: PaymentId) {
        self.edit(|table| table.unreadable.insert(id));
    }
}
