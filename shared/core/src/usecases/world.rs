//! What the tests of the use cases start from: user 1 with order 1 of 100, in a shop and a store
//! whose calls can be made to fail.

pub(super) use crate::testing::{a_notification, a_reference, a_refund, a_total, reporting};
use crate::{
    domain::{
        Amount, CheckoutMethod, Currency, Digest, Notification, OrderId, Payment, PaymentId,
        Provider, ProviderRef, ProviderTxn, RawBody, Sender, Status, TimeToLive, Timestamp, UserId,
        WebUrl,
    },
    ports::{Order, ProviderState, TraceParent},
    testing::{
        Call, FakeProviders, FakeShop, FakeStore, Fate, Gate, HeldPayment, SeededIds, block_on,
    },
    usecases::{
        apply::{Applied, ApplyError, apply},
        checkout::{AskedCheckout, CheckoutPayment},
        create::{CreateError, CreatePayment, CreatedPayment, create},
        query::QueryPorts,
        sweep::{Run, Sweep, Swept, sweep},
    },
};

pub(super) const NOW_MS: u64 = 1_800_000_000_000;

/// The ports of a world.
pub(super) type Ports<'a> = QueryPorts<'a, FakeShop, FakeShop, FakeStore, FakeProviders>;

/// The ports behind one gate.
pub(super) struct World {
    pub(super) gate: Gate,
    pub(super) store: FakeStore,
    pub(super) shop: FakeShop,
    pub(super) providers: FakeProviders,
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

/// So many milliseconds after [`now`].
pub(super) fn later(ms: u64) -> Timestamp {
    now().plus_millis(ms)
}

/// User 1's request for order 1.
pub(super) fn request(minor: u64, key: Option<u8>) -> CreatePayment {
    let key = key.map(|byte| Digest::new([byte; 32]));
    CreatePayment {
        uid: uid(1),
        oid: oid(1),
        amount: amount(minor),
        key,
        queried: false,
        time_to_live: None,
    }
}

/// User 1's request for a checkout, with nothing but a page to come back to.
pub(super) fn checking_out(id: PaymentId, method: CheckoutMethod) -> CheckoutPayment {
    let url = |url| WebUrl::new(url).ok();
    CheckoutPayment {
        id,
        payer: Some(uid(1)),
        asked: AskedCheckout {
            method,
            description: None,
            return_url: url("https://shop.example/paid"),
            openid: None,
            payer_ip: None,
        },
        notify_url: url("https://pay.example/api/pay/callback/x"),
        time_to_live: None,
        sender: Sender::Native,
        body: RawBody::empty(),
    }
}

/// A reference of Stripe's.
pub(super) fn stripe(txn: &str) -> ProviderRef {
    a_reference(Provider::Stripe, txn)
}

/// A payment of 100 as a provider holds it, with the transaction `pi_1` once there is one.
pub(super) fn held(state: ProviderState) -> HeldPayment {
    let has_txn = !matches!(state, ProviderState::Absent | ProviderState::Open);
    let txn = has_txn.then(|| ProviderTxn::new("pi_1").unwrap());
    HeldPayment::new(state, txn, 100)
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
            providers: FakeProviders::behind(gate.clone()),
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

    /// Sweeps at this time what is due, or all.
    pub(super) fn swept(
        &self,
        at: Timestamp,
        all: bool,
        time_to_live: Option<TimeToLive>,
    ) -> Swept {
        let (go_on, trace) = (|| Some(at), &self.trace);
        let run = Run { now: at, go_on: &go_on, observe: &|_, _| (), time_to_live, trace };
        block_on(sweep(&self.ports(), Sweep::new(100, all).unwrap(), &run)).unwrap()
    }

    pub(super) const fn ports(&self) -> Ports<'_> {
        let Self { shop, store, providers, .. } = self;
        QueryPorts { users: shop, orders: shop, store, providers }
    }

    /// Gives keys for these providers, and for no other.
    pub(super) fn give_keys(&self, providers: &[Provider]) {
        self.providers.edit(|held| held.keys = providers.to_vec());
    }

    /// Makes a provider hold a payment of 100 in this state.
    pub(super) fn hold(&self, provider: Provider, id: PaymentId, state: ProviderState) {
        self.hold_as(provider, id, held(state));
    }

    pub(super) fn hold_as(&self, provider: Provider, id: PaymentId, held: HeldPayment) {
        self.providers.edit(|providers| providers.held.insert((provider, id), held));
    }

    /// How often a port was called.
    pub(super) fn passed(&self, call: Call) -> usize {
        self.gate.passed().into_iter().filter(|passed| *passed == call).count()
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
