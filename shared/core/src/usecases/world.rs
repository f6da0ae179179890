//! What the tests of the use cases start from: user 1 with order 1 of 100, in a shop and a store
//! whose calls can be made to fail.

use crate::{
    domain::{
        Amount, Currency, Digest, EventId, Notification, OrderId, Outcome, Payment, PaymentId,
        Provider, ProviderRef, ProviderTxn, RawBody, Report, Sender, Status, Timestamp, UserId,
    },
    ports::{Order, TraceParent},
    testing::{Call, FakeShop, FakeStore, Fate, Gate, SeededIds, block_on},
    usecases::{
        apply::{Applied, ApplyError, apply},
        create::{CreateError, CreatePayment, CreatedPayment, create},
    },
};

pub(super) const NOW_MS: u64 = 1_800_000_000_000;

/// The ports behind one gate.
pub(super) struct World {
    pub(super) gate: Gate,
    pub(super) store: FakeStore,
    pub(super) shop: FakeShop,
    pub(super) ids: SeededIds,
    pub(super) trace: TraceParent,
}

pub(super) fn uid(uid: u64) -> UserId {
    UserId::new(uid).unwrap()
}

pub(super) fn oid(oid: u64) -> OrderId {
    OrderId::new(oid).unwrap()
}

pub(super) fn amount(minor: u64) -> Amount {
    Amount::new(minor, Currency::new("CNY").unwrap()).unwrap()
}

pub(super) fn now() -> Timestamp {
    Timestamp::from_millis(NOW_MS).unwrap()
}

/// User 1's request for order 1.
pub(super) fn request(minor: u64, key: Option<u8>) -> CreatePayment {
    let key = key.map(|byte| Digest::new([byte; 32]));
    CreatePayment { uid: uid(1), oid: oid(1), amount: amount(minor), key, queried: false }
}

/// A reference of Stripe's.
pub(super) fn stripe(txn: &str) -> ProviderRef {
    let txn = Some(ProviderTxn::new(txn).unwrap());
    ProviderRef { source: Provider::Stripe.source(), txn }
}

/// A notification of a payment of 100; each `name` is another one.
pub(super) fn a_notification(
    payment: PaymentId,
    outcome: Option<Outcome>,
    name: u8,
) -> Notification {
    let digest = Digest::new([name; 32]);
    Notification {
        sender: Sender::Native,
        event_id: EventId::new(Some(&format!("evt_{name}")), digest),
        payment: Some(payment),
        claims: None,
        wrong_account: None,
        review: None,
        queried: false,
        report: Report {
            outcome,
            refund: None,
            reference: stripe("pi_1"),
            amount_minor: Some(100),
            currency: Some("CNY".to_owned()),
        },
        body: RawBody::new(&[name], digest),
    }
}

/// The same notification with another report.
pub(super) fn reporting(
    notification: Notification,
    change: impl FnOnce(&mut Report),
) -> Notification {
    let mut notification = notification;
    change(&mut notification.report);
    notification
}

/// The same notification with another reference.
pub(super) fn referring(notification: Notification, reference: ProviderRef) -> Notification {
    reporting(notification, |report| report.reference = reference)
}

impl World {
    pub(super) fn new() -> Self {
        let gate = Gate::default();
        let shop = FakeShop::behind(gate.clone());
        shop.sells(uid(1), oid(1), 100);
        Self {
            store: FakeStore::behind(gate.clone()),
            shop,
            ids: SeededIds::new(1),
            trace: TraceParent::start(1, 1),
            gate,
        }
    }

    /// A world with user 1's payment of order 1, and that payment.
    pub(super) fn with_payment() -> (Self, PaymentId) {
        let world = Self::new();
        let created = world.create(request(100, Some(1))).unwrap();
        (world, created.id)
    }

    pub(super) fn create(&self, request: CreatePayment) -> Result<CreatedPayment, CreateError> {
        let shop = (&self.shop, &self.shop);
        block_on(create(shop, (&self.store, &self.ids), request, now(), &self.trace))
    }

    pub(super) fn apply(&self, notification: &Notification) -> Result<Applied, ApplyError> {
        block_on(apply((&self.shop, &self.shop), &self.store, notification, now(), &self.trace))
    }

    pub(super) fn payment(&self, id: PaymentId) -> Payment {
        self.store.table().payments.get(&id).unwrap().clone()
    }

    pub(super) fn set_status(&self, id: PaymentId, status: Status) {
        self.store.edit(|table| table.payments.get_mut(&id).unwrap().status = status);
    }

    /// Changes order 1 in the shop.
    pub(super) fn edit_order(&self, edit: impl FnOnce(&mut Order)) {
        self.shop.edit(|shop| edit(shop.orders.get_mut(&oid(1)).unwrap()));
    }

    pub(super) fn fail(&self, call: Call, fate: Fate) {
        self.gate.script(call, [fate]);
    }

    pub(super) fn payments(&self) -> usize {
        self.store.table().payments.len()
    }
}
