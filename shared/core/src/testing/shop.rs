//! The shop's users and orders, in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use super::{Call, Fate, Gate, lock};
use crate::{
    domain::{Amount, OrderId, Payment, PaymentId, UserId},
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
    /// Every telling that arrived, in order.
    pub calls: Vec<Telling>,
    /// The tellings that had an effect: the first one of each payment.
    pub effects: BTreeMap<PaymentId, Telling>,
    /// Tellings whose caller was told that they failed, and that are still to arrive.
    pub late: Vec<Telling>,
}

/// An order was told that it is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Telling {
    /// By which payment: the Idempotency-Key.
    pub payment: PaymentId,
    /// Which order.
    pub oid: OrderId,
    /// On whose behalf.
    pub uid: UserId,
    /// How much.
    pub amount: Amount,
}

impl ShopState {
    /// Receives a telling. `false` if there is no such order.
    pub fn tell(&mut self, telling: Telling) -> bool {
        self.calls.push(telling);
        let Some(order) = self.orders.get_mut(&telling.oid) else {
            return false;
        };
        order.paid = true;
        self.effects.entry(telling.payment).or_insert(telling);
        true
    }

    /// Lets the oldest late telling arrive; `false` if there is none.
    pub fn land_late(&mut self) -> bool {
        if self.late.is_empty() {
            return false;
        }
        let telling = self.late.remove(0);
        self.tell(telling);
        true
    }
}

impl FakeShop {
    /// An empty shop whose calls pass `gate`.
    #[must_use]
    pub fn behind(gate: Gate) -> Self {
        Self { state: Arc::default(), gate }
    }

    /// What decides the fate of its calls: every fate but an answer is a shop that is down.
    #[must_use]
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// A copy of what the shop knows, to look at.
    #[must_use]
    pub fn state(&self) -> ShopState {
        self.edit(|shop| shop.clone())
    }

    /// Puts the shop right, or just reads it.
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
            Fate::Answered => Ok(self.edit(|shop| ask(shop))),
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

    async fn tell_paid(&self, payment: &Payment, _trace: &TraceParent) -> Result<(), ShopError> {
        let telling = Telling {
            payment: payment.id,
            oid: payment.oid,
            uid: payment.uid,
            amount: payment.amount,
        };
        let fate = self.gate.pass(Call::TellPaid).await;
        let mut shop = lock(&self.state);
        match fate {
            Fate::Answered if shop.tell(telling) => return Ok(()),
            Fate::Answered => return Err(ShopError::Absent),
            Fate::Before | Fate::Lost => {}
            Fate::After => {
                shop.tell(telling);
            }
            Fate::Late => shop.late.push(telling),
        }
        Err(down())
    }
}
