//! The store in memory.

use std::sync::{Arc, Mutex};

use super::{Call, Fate, Gate, Table, Write, inspect, lock};
use crate::{
    domain::{
        Change, Event, EventKey, Guard, OrderId, Payment, PaymentId, Provider, Quarantined,
        Timestamp, UserId, Verdict, Work,
    },
    ports::{Applied, Created, Logged, PaymentStore, Quarantine, StoreError},
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

    /// Puts the table right, or just reads it.
    pub fn edit<T>(&self, edit: impl FnOnce(&mut Table) -> T) -> T {
        edit(&mut lock(&self.table))
    }

    async fn read<T>(&self, call: Call, read: impl FnOnce(&Table) -> T) -> Result<T, StoreError> {
        match self.gate.pass(call).await {
            Fate::Answered => Ok(self.edit(|table| read(table))),
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
            Fate::Answered => return Ok(carry_out(&mut table)),
            Fate::Before => {
                let cause = "scripted: nothing was written".into();
                return Err(StoreError::Unavailable(cause));
            }
            Fate::Lost => {}
            Fate::After => drop(carry_out(&mut table)),
            Fate::Late => table.late.push(write),
        }
        Err(StoreError::Unknown("scripted: the answer was lost".into()))
    }
}

impl PaymentStore for FakeStore {
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
        self.read(Call::Payment, |table| table.payments.get(&id).cloned()).await
    }

    async fn of_user(
        &self,
        uid: UserId,
        before: Option<PaymentId>,
        limit: usize,
    ) -> Result<Vec<Payment>, StoreError> {
        self.read(Call::OfUser, |table| {
            let newest_first = table.indexed.iter().rev();
            newest_first
                .filter(|(id, (_, of))| *of == uid && before.is_none_or(|before| **id < before))
                .take(limit)
                .filter_map(|(id, _)| table.payments.get(id).cloned())
                .collect()
        })
        .await
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

    async fn apply(&self, change: &Change, event: &Event) -> Result<Applied, StoreError> {
        let write = Write::Apply { change: change.clone(), event: event.clone() };
        self.write(Call::Apply, write, |table| table.apply(change, event)).await
    }

    async fn log(&self, event: &Event) -> Result<Logged, StoreError> {
        let write = Write::Log(event.clone());
        self.write(Call::Log, write, |table| table.log(event)).await
    }

    async fn told(&self, id: PaymentId, work: Work, at: Timestamp) -> Result<(), StoreError> {
        let write = Write::Told { id, work, at };
        self.write(Call::Told, write, |table| table.told(id, work, at)).await
    }

    async fn to_tell(
        &self,
        until: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<PaymentId>, StoreError> {
        self.read(Call::ToTell, |table| {
            let listed = table
                .payments
                .values()
                .filter_map(|payment| payment.work.map(|work| (work.due, payment.id)));
            let due = listed.filter(|(due, _)| until.is_none_or(|until| *due <= until));
            let mut due: Vec<_> = due.collect();
            due.sort_unstable();
            due.into_iter().map(|(_, id)| id).take(limit).collect()
        })
        .await
    }

    async fn put_off(&self, id: PaymentId, work: Work, next: Work) -> Result<(), StoreError> {
        let write = Write::PutOff { id, work, next };
        self.write(Call::PutOff, write, |table| table.put_off(id, work, next)).await
    }
}

impl Quarantine for FakeStore {
    async fn quarantined(&self, key: &EventKey) -> Result<Option<Quarantined>, StoreError> {
        self.read(Call::Quarantined, |table| {
            let event = table.events.iter().find(|event| event.key() == *key)?;
            (event.verdict == Verdict::Quarantined).then(|| Quarantined {
                said: event.said.clone(),
                reason: event.reason,
                open: !table.resolved.contains(key),
            })
        })
        .await
    }

    async fn resolved(&self, key: &EventKey) -> Result<(), StoreError> {
        let write = Write::Resolved(key.clone());
        self.write(Call::Resolved, write, |table| table.resolve(key)).await
    }
}

impl Inspect for FakeStore {
    async fn events(&self, of: Option<PaymentId>, provider: Provider) -> Vec<LoggedEvent> {
        let table = self.table();
        let kept =
            |event: &&Event| event.payment == of && (of.is_some() || event.provider == provider);
        let row = |event: &Event| {
            let mut row = LoggedEvent::of(event);
            if table.resolved.contains(&event.key()) {
                (row.work, row.due) = (None, None);
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
}
