//! The shop: the mall's user and order services, and what a test changes in them.

mod api;
mod kept;
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::faults::{Fault, Faults};

/// An order of the shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its id.
    pub id: u64,
    /// The user who ordered.
    pub uid: u64,
    /// The product.
    pub pid: u64,
    /// The amount, in minor units.
    pub amount: u64,
    /// 0 unpaid, 1 paid.
    pub status: u64,
}

/// One notification of the order service that an order is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPaidCall {
    /// The order.
    pub oid: u64,
    /// The payment id in it.
    pub pay_id: Option<u64>,
    /// The amount in it, in minor units.
    pub amount: Option<u64>,
    /// The `Idempotency-Key` header.
    pub key: Option<String>,
    /// Whether it had an effect: only the first one with its key has.
    pub counted: bool,
}

/// One notification of the order service that a refund succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRefundedCall {
    /// The order.
    pub oid: u64,
    /// The payment id in it.
    pub pay_id: Option<u64>,
    /// The refund's id in it.
    pub refund_id: Option<String>,
    /// The amount in it, in minor units.
    pub amount: Option<u64>,
    /// What went back of the payment in all, in minor units.
    pub refunded: Option<u64>,
    /// The `Idempotency-Key` header.
    pub key: Option<String>,
    /// Whether it had an effect: only the first one with its key has.
    pub counted: bool,
}

/// A route of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShopRoute {
    /// `/api/user/register`
    UserRegister,
    /// `/api/user/userinfo`
    UserInfo,
    /// `/api/order/create`
    OrderCreate,
    /// `/api/order/detail`
    OrderDetail,
    /// `/api/order/paid`
    OrderPaid,
    /// `/api/order/refunded`
    OrderRefunded,
    /// `/api/order/update`
    OrderUpdate,
}

impl ShopRoute {
    /// Every route.
    pub const ALL: [Self; 7] = [
        Self::UserRegister,
        Self::UserInfo,
        Self::OrderCreate,
        Self::OrderDetail,
        Self::OrderPaid,
        Self::OrderRefunded,
        Self::OrderUpdate,
    ];

    /// Its path.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::UserRegister => "/api/user/register",
            Self::UserInfo => "/api/user/userinfo",
            Self::OrderCreate => "/api/order/create",
            Self::OrderDetail => "/api/order/detail",
            Self::OrderPaid => "/api/order/paid",
            Self::OrderRefunded => "/api/order/refunded",
            Self::OrderUpdate => "/api/order/update",
        }
    }

    /// Its name in fault rules.
    #[must_use]
    pub fn point(self) -> &'static str {
        match self {
            Self::UserRegister => "users:register",
            Self::UserInfo => "users:userinfo",
            Self::OrderCreate => "orders:create",
            Self::OrderDetail => "orders:detail",
            Self::OrderPaid => "orders:paid",
            Self::OrderRefunded => "orders:refunded",
            Self::OrderUpdate => "orders:update",
        }
    }
}

#[derive(Debug)]
struct State {
    users: BTreeSet<u64>,
    orders: BTreeMap<u64, Order>,
    order_notifications: Vec<OrderPaidCall>,
    /// By order, the keys that had an effect.
    keys: BTreeMap<u64, BTreeSet<Option<String>>>,
    refund_notifications: Vec<OrderRefundedCall>,
    /// By order and key, what went back.
    refunds: BTreeMap<u64, BTreeMap<String, u64>>,
    /// Where users, orders, keys and refunds are kept; `None` if they end with the shop.
    file: Option<PathBuf>,
    calls: BTreeMap<ShopRoute, usize>,
    access_secret: String,
}

/// The shop. Clones share their state.
#[derive(Debug, Clone)]
pub struct Shop {
    state: Arc<Mutex<State>>,
    faults: Faults,
}

impl Shop {
    /// A shop with user 1 and order 1 (user 1, amount 100, unpaid), which trusts this secret.
    #[must_use]
    pub fn new(access_secret: &str, faults: Faults) -> Self {
        let state = State {
            users: BTreeSet::new(),
            orders: BTreeMap::new(),
            order_notifications: Vec::new(),
            keys: BTreeMap::new(),
            refund_notifications: Vec::new(),
            refunds: BTreeMap::new(),
            file: None,
            calls: BTreeMap::new(),
            access_secret: access_secret.to_owned(),
        };
        let shop = Self { state: Arc::new(Mutex::new(state)), faults };
        shop.add_user(1);
        shop.put_order(Order { id: 1, uid: 1, pid: 1, amount: 100, status: 0 });
        shop
    }

    /// Adds a user.
    pub fn add_user(&self, uid: u64) {
        self.lock().users.insert(uid);
    }

    /// Removes a user.
    pub fn remove_user(&self, uid: u64) {
        self.lock().users.remove(&uid);
    }

    /// Adds an unpaid order and returns its id.
    #[must_use]
    pub fn add_order(&self, uid: u64, amount: u64) -> u64 {
        let mut state = self.lock();
        let id = state.orders.last_key_value().map_or(1, |(last, _)| last.saturating_add(1));
        state.orders.insert(id, Order { id, uid, pid: 1, amount, status: 0 });
        id
    }

    /// Stores an order; replaces one with its id.
    pub fn put_order(&self, order: Order) {
        self.lock().orders.insert(order.id, order);
    }

    /// An order as it is now.
    #[must_use]
    pub fn order(&self, oid: u64) -> Option<Order> {
        self.lock().orders.get(&oid).cloned()
    }

    /// Every order notification, in order.
    #[must_use]
    pub fn order_notifications(&self) -> Vec<OrderPaidCall> {
        self.lock().order_notifications.clone()
    }

    /// How often an order was paid: notifications with different keys.
    #[must_use]
    pub fn times_paid(&self, oid: u64) -> usize {
        self.lock().keys.get(&oid).map_or(0, BTreeSet::len)
    }

    /// Every notification of a refund, in order.
    #[must_use]
    pub fn refund_notifications(&self) -> Vec<OrderRefundedCall> {
        self.lock().refund_notifications.clone()
    }

    /// What went back of an order, by the refunds that it was notified of: one for each key.
    #[must_use]
    pub fn given_back(&self, oid: u64) -> Vec<u64> {
        self.lock().refunds.get(&oid).map(|of| of.values().copied().collect()).unwrap_or_default()
    }

    /// How many calls a route has had, failed ones included.
    #[must_use]
    pub fn calls(&self, route: ShopRoute) -> usize {
        self.lock().calls.get(&route).copied().unwrap_or(0)
    }

    /// Makes a route fail: the next `times` calls, or all from now on.
    pub fn set_fault(&self, route: ShopRoute, fault: Fault, times: Option<usize>) {
        self.faults.set(route.point(), fault, times);
    }

    /// Makes every route work again; calls that hang stay hung.
    pub fn clear_faults(&self) {
        for route in ShopRoute::ALL {
            self.faults.clear_at(route.point());
        }
    }

    /// Changes the secret that the shop's callers must sign with.
    pub fn set_access_secret(&self, access_secret: &str) {
        access_secret.clone_into(&mut self.lock().access_secret);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::ShopRoute;
    use crate::faults::POINTS;

    #[test]
    fn a_rule_can_name_every_route() {
        assert!(ShopRoute::ALL.into_iter().all(|route| POINTS.contains(&route.point())));
    }
}
