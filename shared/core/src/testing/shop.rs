//! The shop's users and orders, in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use super::{Call, Fate, Gate, lock};
use crate::{
    domain::{Amount, OrderId, Payment, PaymentId, Refund, RefundId, UserId},
    ports::{Order, Orders, ShopError, TraceParent, Users},
};

/// A shop in memory. Clones are handles on one shop.
#[derive(Clone, Debug, Default)]
pub struct FakeShop {
    state: Arc<Mutex<ShopState>>,
    gate: Gate,
}

/// Everything the shop knows. Clones are copies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ShopState {
    /// Who exists.
    pub users: BTreeSet<UserId>,
    /// What exists.
    pub orders: BTreeMap<OrderId, Order>,
    /// Every order notification that arrived, in order.
    pub calls: Vec<OrderPaidCall>,
    /// The order notifications that had an effect: the first one of each payment.
    pub effects: BTreeMap<PaymentId, OrderPaidCall>,
    /// Order notifications that are still to arrive; their callers got an error.
    pub late: Vec<OrderPaidCall>,
    /// Whether the order service is notified of refunds.
    pub hears_of_refunds: bool,
    /// The refunds it was notified of, each once: of which payment, and how much.
    pub refunds: BTreeMap<RefundId, (PaymentId, u64)>,
}

/// An order notification: the order is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OrderPaidCall {
    /// The payment: the Idempotency-Key.
    pub payment: PaymentId,
    /// The order.
    pub oid: OrderId,
    /// The payer.
    pub uid: UserId,
    /// How much.
    pub amount: Amount,
}

impl ShopState {
    /// Receives an order notification. `false` if there is no such order.
    pub fn notify(&mut self, call: OrderPaidCall) -> bool {
        self.calls.push(call);
        let Some(order) = self.orders.get_mut(&call.oid) else {
            return false;
        };
        order.paid = true;
        self.effects.entry(call.payment).or_insert(call);
        true
    }

    /// Delivers the oldest late order notification; `false` if there is none.
    pub fn land_late(&mut self) -> bool {
        if self.late.is_empty() {
            return false;
        }
        let call = self.late.remove(0);
        self.notify(call);
        true
    }
}

impl FakeShop {
    /// An empty shop whose calls pass `gate`.
    #[must_use]
    pub fn behind(gate: Gate) -> Self {
        Self { state: Arc::default(), gate }
    }

    /// What decides the fate of its calls: every fate without a result is a shop that is down.
    #[must_use]
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// A copy of what the shop knows, to look at.
    #[must_use]
    pub fn state(&self) -> ShopState {
        self.edit(|shop| shop.clone())
    }

    /// Changes the shop, or just reads it.
    pub fn edit<T>(&self, edit: impl FnOnce(&mut ShopState) -> T) -> T {
        edit(&mut lock(&self.state))
    }

    /// Adds a user with an unpaid order.
    pub fn sells(&self, uid: UserId, oid: OrderId, amount_minor: u64) {
        let mut state = lock(&self.state);
        state.users.insert(uid);
        let order = Order { uid, amount_minor, paid: false };
        state.orders.insert(oid, order);
    }

    async fn ask<T>(&self, call: Call, ask: impl FnOnce(&ShopState) -> T) -> Result<T, ShopError> {
        match self.gate.pass(call).await {
            Fate::Responded => Ok(self.edit(|shop| ask(shop))),
            Fate::Before | Fate::Lost | Fate::After | Fate::Late => Err(down()),
        }
    }
}

fn down() -> ShopError {
    ShopError::Unavailable("scripted: the shop is down".into())
}

impl Users for FakeShop {
    async fn exists(&self, uid: UserId, _trace: &TraceParent) -> Result<bool, ShopError> {
        self.ask(Call::UserExists, |shop| shop.users.contains(&uid)).await
    }
}

impl Orders for FakeShop {
    async fn find(
        &self,
        oid: OrderId,
        _payer: UserId,
        _trace: &TraceParent,
    ) -> Result<Option<Order>, ShopError> {
        self.ask(Call::FindOrder, |shop| shop.orders.get(&oid).copied()).await
    }

    async fn notify_paid(&self, payment: &Payment, _trace: &TraceParent) -> Result<(), ShopError> {
        let call = OrderPaidCall {
            payment: payment.id,
            oid: payment.oid,
            uid: payment.uid,
            amount: payment.amount,
        };
        let fate = self.gate.pass(Call::NotifyPaid).await;
        let mut shop = lock(&self.state);
        match fate {
            Fate::Responded if shop.notify(call) => return Ok(()),
            Fate::Responded => return Err(ShopError::Absent),
            Fate::Before | Fate::Lost => {}
            Fate::After => {
                shop.notify(call);
            }
            Fate::Late => shop.late.push(call),
        }
        Err(down())
    }

    fn hears_of_refunds(&self) -> bool {
        self.edit(|shop| shop.hears_of_refunds)
    }

    async fn notify_refunded(
        &self,
        payment: &Payment,
        refund: &Refund,
        _trace: &TraceParent,
    ) -> Result<(), ShopError> {
        let fate = self.gate.pass(Call::NotifyRefunded).await;
        if matches!(fate, Fate::Responded | Fate::After) {
            let heard = (payment.id, refund.amount_minor);
            self.edit(|shop| shop.refunds.insert(refund.id.clone(), heard));
        }
        if fate == Fate::Responded { Ok(()) } else { Err(down()) }
    }
}
