//! The same random calls on the fake and on the adapter: every answer and every row alike.

use std::cell::Cell;

use pay_core::{
    domain::{
        Change, Event, Guard, OrderId, Payment, PaymentId, Provider, Status, UserId, Verdict,
    },
    ports::PaymentStore,
    testing::{
        FakeStore, Inspect,
        contract::fresh::{Fresh, at, stripe},
    },
};
use proptest::prelude::*;

use super::dynamo::{Dynamo, on_dynamo};

/// Few of each, so that calls meet.
const ORDERS: u64 = 3;
const PAYMENTS: u64 = 6;

/// One call, as choices: what they mean depends on what is there.
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
        call in 0..9_u8,
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
    async fn take(&self, step: Step) {
        self.now.set(self.now.get().saturating_add(1));
        match step.call {
            0 | 1 => self.create(step).await,
            2..=5 => self.apply(step).await,
            6 => {
                let event = self.event(step, &self.known(step));
                let fake = self.fake.log(&event).await.unwrap();
                assert_eq!(self.real.log(&event).await.unwrap(), fake, "{step:?}");
            }
            _ => {
                let payment = self.known(step);
                let Some(mut work) = payment.work else { return };
                work.tries = work.tries.saturating_add(step.odd.into());
                let now = at(self.now.get());
                if step.call == 7 {
                    self.fake.told(payment.id, work, now).await.unwrap();
                    self.real.told(payment.id, work, now).await.unwrap();
                } else {
                    let next = work.put_off(payment.id, now);
                    self.fake.put_off(payment.id, work, next).await.unwrap();
                    self.real.put_off(payment.id, work, next).await.unwrap();
                }
            }
        }
    }

    async fn create(&self, step: Step) {
        let mut payment = self
            .fresh
            .payment_of(UserId::new(step.order).unwrap(), OrderId::new(step.order).unwrap());
        payment.id = PaymentId::new(step.payment).unwrap();
        let guarded = self.fake.table().guards.get(&payment.oid).cloned();
        let live = guarded.map(|guard| guard.payment).filter(|_| step.call == 1);
        let replacing = if step.odd { PaymentId::new(step.other).ok() } else { live };
        if replacing == Some(payment.id) {
            // No transaction may name one item twice, and no use case does.
            return;
        }
        let guard = Guard::of(&payment, step.odd.then(|| self.fresh.digest()));
        let fake = self.fake.create(&payment, &guard, replacing).await.unwrap();
        let real = self.real.create(&payment, &guard, replacing).await.unwrap();
        assert_eq!(real, fake, "{step:?}");
    }

    async fn apply(&self, step: Step) {
        let payment = self.known(step);
        let to = Status::ALL[usize::from(step.status)];
        let money = stripe(if step.event.is_multiple_of(2) { "pi_1" } else { "" });
        let now = at(self.now.get());
        let change = if to > payment.status {
            payment.change_to(to, &money, step.event > 1, now)
        } else if payment.status >= Status::Paid
            && let Some(change) = payment.change_taught_by(&money, now)
        {
            change
        } else {
            return;
        };
        let change =
            Change { from_version: change.from_version.saturating_add(step.odd.into()), ..change };
        let event = self.event(step, &payment);
        let fake = self.fake.apply(&change, &event).await.unwrap();
        let real = self.real.apply(&change, &event).await.unwrap();
        assert_eq!(real, fake, "{step:?}");
    }

    /// The payment as the fake has it, or one that is not there.
    fn known(&self, step: Step) -> Payment {
        let id = PaymentId::new(step.payment).unwrap();
        let there = self.fake.table().payments.get(&id).cloned();
        there.unwrap_or_else(|| Payment { id, ..self.fresh.payment() })
    }

    fn event(&self, step: Step, payment: &Payment) -> Event {
        let event = self.fresh.event(payment);
        let few =
            pay_core::domain::EventId::new(Some(&step.event.to_string()), event.body.digest());
        let verdict = if step.odd { Verdict::Quarantined } else { Verdict::Noted };
        let event = Event { id: few, verdict, ..event };
        if step.other.is_multiple_of(2) { event.suffixed_by_body() } else { event }
    }

    async fn compare(&self) {
        for id in (1..=PAYMENTS).map(|id| PaymentId::new(id).unwrap()) {
            let fake = self.fake.payment(id).await.unwrap();
            assert_eq!(self.real.payment(id).await.unwrap(), fake);
            let fake = self.fake.events(Some(id), Provider::Native).await;
            assert_eq!(self.real.events(Some(id), Provider::Native).await, fake);
        }
        for number in 1..=ORDERS {
            let (oid, uid) = (OrderId::new(number).unwrap(), UserId::new(number).unwrap());
            let fake = self.fake.guard(oid).await.unwrap();
            assert_eq!(self.real.guard(oid).await.unwrap(), fake);
            let fake = self.fake.newest_of_order(oid).await.unwrap();
            assert_eq!(self.real.newest_of_order(oid).await.unwrap(), fake);
            let fake = self.fake.of_user(uid, None, 100).await.unwrap();
            assert_eq!(self.real.of_user(uid, None, 100).await.unwrap(), fake);
        }
        assert_eq!(self.real.listed().await, self.fake.listed().await);
        for until in [None, Some(at(self.now.get()).plus_millis(70_000))] {
            for limit in [1, 9] {
                let fake = self.fake.to_tell(until, limit).await.unwrap();
                assert_eq!(self.real.to_tell(until, limit).await.unwrap(), fake);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_fake_and_the_adapter_answer_alike(steps in prop::collection::vec(step(), 20..60)) {
        on_dynamo(|real, fresh| async move {
            let both = Both {
                fake: FakeStore::default(),
                real,
                fresh,
                now: Cell::new(0),
            };
            for step in steps {
                both.take(step).await;
            }
            both.compare().await;
        });
    }
}
