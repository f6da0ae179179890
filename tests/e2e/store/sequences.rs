//! The same random calls on the fake and on the adapter: all results and all rows are the same.

use std::{cell::Cell, collections::BTreeMap};

use pay_core::{
    domain::{
        Change, Due, Event, EventId, Guard, OrderId, Payment, PaymentId, Refund, RefundEffect,
        RefundReport, RefundState, Sender, Status, UserId, Verdict,
    },
    limits::QUERY_FIRST_MS,
    ports::{Outbox, PaymentLists, Payments},
    testing::{
        FakeStore, Inspect,
        contract::{
            fresh::{Fresh, at, moving, stripe},
            refunds::{one, total},
            requested::requested,
        },
    },
};
use proptest::prelude::*;

use super::dynamo::{Dynamo, number, on_dynamo, text};

/// Few of each, so that calls concern the same items.
const ORDERS: u64 = 3;
const PAYMENTS: u64 = 6;

/// A call, as choices whose meaning depends on what the store holds.
#[derive(Clone, Copy, Debug)]
struct Step {
    call: u8,
    payment: u64,
    order: u64,
    other: u64,
    status: u8,
    event: u64,
    odd: bool,
}

prop_compose! {
    fn step()(
        call in 0..15_u8,
        payment in 1..=PAYMENTS,
        order in 1..=ORDERS,
        other in 0..=PAYMENTS,
        status in 1..5_u8,
        event in 0..4_u64,
        odd in proptest::bool::weighted(0.2),
    ) -> Step {
        Step { call, payment, order, other, status, event, odd }
    }
}

struct Both {
    fake: FakeStore,
    real: Dynamo,
    fresh: Fresh,
    now: Cell<u64>,
}

impl Both {
    async fn call(&self, step: Step) {
        self.now.set(self.now.get().saturating_add(1));
        match step.call {
            0 | 1 => self.create(step).await,
            2..=5 => self.update(step).await,
            6 => {
                let event = self.event(step, &self.known(step));
                let fake = self.fake.append(&event).await.unwrap();
                assert_eq!(self.real.payments.append(&event).await.unwrap(), fake, "{step:?}");
            }
            7..=9 => self.outbox(step).await,
            13 => self.reserve(step).await,
            14 => self.reschedule_refund(step).await,
            _ => self.refund(step).await,
        }
    }

    async fn outbox(&self, step: Step) {
        let mut read = self.known(step);
        let Some(due) = read.due else { return };
        let now = at(self.now.get());
        let next = due.rescheduled(read.id, now);
        if step.odd && step.event.is_multiple_of(2) {
            read.version = read.version.saturating_add(1);
        } else if step.odd {
            read.due = Some(Due { attempts: due.attempts.saturating_add(1), ..due });
        }
        match step.call {
            // A sweep notifies of what is paid alone, and clears what is not.
            7 if read.status == Status::Paid => {
                self.fake.mark_notified(&read, now, None).await.unwrap();
                self.real.payments.mark_notified(&read, now, None).await.unwrap();
            }
            8 if read.status != Status::Paid => {
                self.fake.clear(&read).await.unwrap();
                self.real.payments.clear(&read).await.unwrap();
            }
            _ => {
                self.fake.reschedule(&read, next).await.unwrap();
                self.real.payments.reschedule(&read, next).await.unwrap();
            }
        }
    }

    /// A refund that is new or known, in the state that was read or in another one.
    async fn refund(&self, step: Step) {
        let payment = self.known(step);
        let state = RefundState::ALL[usize::from(step.status.rem_euclid(4))];
        let amount = step.order.saturating_mul(10);
        let mut report = match step.call {
            10 => total(amount),
            _ => one(&format!("re_{}", step.event), amount, state),
        };
        let found = match report.refund_id() {
            Some(id) => self.fake.refund(payment.id, &id).await.unwrap(),
            None => None,
        };
        let requested = self.requested(step).filter(|_| step.call == 12);
        if let (Some(requested), Some(RefundReport::One { amount_minor, .. })) =
            (&requested, &mut report.refund)
        {
            *amount_minor = requested.amount_minor;
        }
        let found = requested.or(found);
        let now = at(self.now.get());
        let notify = step.other.is_multiple_of(2);
        let effect = RefundEffect::of(&report, &payment, found.as_ref(), notify, now);
        let RefundEffect::Counts(mut refund) = effect else { return };
        if step.odd {
            refund.from =
                Some(RefundState::ALL[usize::try_from(step.other).unwrap().rem_euclid(4)]);
        }
        let change = payment.refunded_by(refund, &report.reference, false, now);
        self.write(step, &payment, &change).await;
    }

    /// A refund that was requested of the payment, if there is one.
    fn requested(&self, step: Step) -> Option<Refund> {
        let refunds = self.fake.table().refunds.into_values();
        let of_payment = refunds.filter(|of| of.payment.get() == step.payment);
        let mut requested: Vec<_> = of_payment.filter(|of| of.request.is_some()).collect();
        let at = usize::try_from(step.event).unwrap().checked_rem(requested.len())?;
        Some(requested.swap_remove(at))
    }

    async fn reserve(&self, step: Step) {
        let payment = self.known(step);
        if payment.status != Status::Paid {
            return;
        }
        let refund = requested(&self.fresh, &payment, step.order, self.now.get());
        let change = payment.reserving(&refund, at(self.now.get()));
        let from_version = change.from_version.saturating_add(step.odd.into());
        self.write(step, &payment, &Change { from_version, ..change }).await;
    }

    async fn reschedule_refund(&self, step: Step) {
        let Some(mut read) = self.requested(step) else { return };
        let next = read.due.map(|due| due.queried_again(read.payment, at(self.now.get())));
        if step.odd && step.event.is_multiple_of(2) {
            read.state = RefundState::Succeeded;
        } else if step.odd {
            read.due = read.due.map(|due| Due { attempts: due.attempts.saturating_add(1), ..due });
        }
        let next = next.filter(|_| step.order > 1);
        self.fake.reschedule_refund(&read, next).await.unwrap();
        self.real.payments.reschedule_refund(&read, next).await.unwrap();
    }

    async fn write(&self, step: Step, payment: &Payment, change: &Change) {
        let event = self.event(step, payment);
        let fake = self.fake.update(change, &event).await.unwrap();
        let real = self.real.payments.update(change, &event).await.unwrap();
        assert_eq!(real, fake, "{step:?}");
    }

    async fn create(&self, step: Step) {
        let mut payment = self
            .fresh
            .payment_of(UserId::new(step.order).unwrap(), OrderId::new(step.order).unwrap());
        payment.id = PaymentId::new(step.payment).unwrap();
        if step.event.is_multiple_of(2) {
            // Near or far, by when it becomes paid.
            let after_ms = QUERY_FIRST_MS.saturating_add(step.other.saturating_mul(10));
            payment.due = Some(Due { at: at(after_ms), attempts: 0 });
        }
        let guarded = self.fake.table().guards.get(&payment.oid).cloned();
        let live = guarded.map(|guard| guard.payment).filter(|_| step.call == 1);
        let replacing = if step.odd { PaymentId::new(step.other).ok() } else { live };
        if replacing == Some(payment.id) {
            // A transaction must not name an item twice, and no use case does.
            return;
        }
        let guard = Guard::of(&payment, step.odd.then(|| self.fresh.digest()));
        let fake = self.fake.create(&payment, &guard, replacing).await.unwrap();
        let real = self.real.payments.create(&payment, &guard, replacing).await.unwrap();
        assert_eq!(real, fake, "{step:?}");
    }

    async fn update(&self, step: Step) {
        let payment = self.known(step);
        let to = Status::ALL[usize::from(step.status)];
        let reference = stripe(if step.event.is_multiple_of(2) { "pi_1" } else { "" });
        let now = at(self.now.get());
        let change = if to > payment.status {
            Change { guarded: step.event > 1, ..moving(&payment, to, &reference, now) }
        } else if payment.status >= Status::Paid
            && let Some(change) = payment.completion(&reference, now)
        {
            change
        } else {
            return;
        };
        let change =
            Change { from_version: change.from_version.saturating_add(step.odd.into()), ..change };
        self.write(step, &payment, &change).await;
    }

    /// The payment as the fake has it, or one that does not exist.
    fn known(&self, step: Step) -> Payment {
        let id = PaymentId::new(step.payment).unwrap();
        let there = self.fake.table().payments.get(&id).cloned();
        there.unwrap_or_else(|| Payment { id, ..self.fresh.payment() })
    }

    fn event(&self, step: Step, payment: &Payment) -> Event {
        let event = self.fresh.event(payment);
        let few = EventId::new(Some(&step.event.to_string()), event.body.digest());
        let verdict = if step.odd { Verdict::Quarantined } else { Verdict::Noted };
        let event = Event { id: few, verdict, ..event };
        if step.other.is_multiple_of(2) { event.suffixed_by_body() } else { event }
    }

    async fn compare(&self) {
        for id in (1..=PAYMENTS).map(|id| PaymentId::new(id).unwrap()) {
            let fake = self.fake.payment(id).await.unwrap();
            assert_eq!(self.real.payments.payment(id).await.unwrap(), fake);
            let fake = self.fake.events(Some(id), Sender::Native).await;
            assert_eq!(self.real.events(Some(id), Sender::Native).await, fake);
            let fake = self.fake.refund_references(id).await;
            assert_eq!(self.real.refund_references(id).await, fake);
        }
        for (key, refund) in self.fake.table().refunds {
            let real = self.real.payments.refund(key.0, &key.1).await.unwrap();
            assert_eq!(real, Some(refund));
        }
        let rows = self.real.scan(None).await;
        let refunds = rows.iter().filter(|row| text(row, "sk").unwrap().starts_with("refund#"));
        assert_eq!(refunds.count(), self.fake.table().refunds.len());
        let entries = self.real.scan(Some("transaction-index")).await;
        let listed: BTreeMap<_, _> = entries
            .iter()
            .map(|row| (number(row, "id").unwrap(), text(row, "transaction").unwrap()))
            .collect();
        let fake = self.fake.table().transactions.into_iter();
        assert_eq!(listed, fake.map(|(id, of)| (id.get(), of)).collect());
        for number in 1..=ORDERS {
            let (oid, uid) = (OrderId::new(number).unwrap(), UserId::new(number).unwrap());
            let fake = self.fake.guard(oid).await.unwrap();
            assert_eq!(self.real.payments.guard(oid).await.unwrap(), fake);
            let fake = self.fake.newest_of_order(oid).await.unwrap();
            assert_eq!(self.real.payments.newest_of_order(oid).await.unwrap(), fake);
            let fake = self.fake.list_by_user(uid, None, 100).await.unwrap();
            assert_eq!(self.real.payments.list_by_user(uid, None, 100).await.unwrap(), fake);
        }
        assert_eq!(self.real.listed().await, self.fake.listed().await);
        for until in [None, Some(at(self.now.get()).plus_millis(70_000))] {
            for limit in [1, 9] {
                let fake = self.fake.due_items(until, limit).await.unwrap();
                assert_eq!(self.real.payments.due_items(until, limit).await.unwrap(), fake);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_fake_and_the_adapter_give_the_same_results(steps in prop::collection::vec(step(), 20..60)) {
        on_dynamo(|real, fresh| async move {
            let both = Both {
                fake: FakeStore::default(),
                real,
                fresh,
                now: Cell::new(0),
            };
            for step in steps {
                both.call(step).await;
            }
            both.compare().await;
        });
    }
}
