//! Everything outside the actors, and what a call does to it: the fakes, a call at a time.

mod checkouts;

use std::{
    collections::{BTreeSet, VecDeque},
    mem::swap,
    rc::Rc,
};

use pay_core::{
    domain::{
        CheckoutReference, Notification, OrderId, Outcome, Payment, PaymentId, Provider,
        ProviderRefund, ProviderTxn, RefundId, RefundReport, RefundState,
    },
    ports::ProviderState,
    testing::{
        Call, FakeProviders, FakeShop, FakeStore, Fate, Gate, HeldPayment, HeldRefund,
        ProvidersState, ShopState, Table, block_on,
    },
    usecases::detail::{DetailError, Wanted, detail},
};
use rustc_hash::FxHashMap;

pub(crate) use checkouts::checkout_of;

use super::{
    bugs::StoreBug,
    ports::{Request, Response},
};

/// What the store, the shop and the providers hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) table: Table,
    pub(crate) shop: ShopState,
    /// The truth about payments, if the scenario has one: then there is a key.
    pub(crate) providers: ProvidersState,
    /// What is still to happen at Stripe, to the payment of that id, in this order.
    pub(crate) to_happen: VecDeque<(PaymentId, Happening)>,
    /// The refunds that clients request. Nothing changes them.
    pub(crate) requested: BTreeSet<RefundId>,
    /// Whether payments have checkouts, or may get some. Nothing changes it.
    pub(crate) keeps_checkouts: bool,
    /// The checkouts of which a client got what they are paid with.
    pub(crate) handed_out: BTreeSet<CheckoutReference>,
}

/// What happens to a payment at its provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Happening {
    /// The payer begins to pay.
    Opens,
    /// The payer pays.
    Pays,
    /// It can no longer be paid.
    Closes,
    /// Somebody gives so much back in the provider's console, if that is left.
    ConsoleRefund(u64),
    /// Every refund that was made in the console fails.
    ConsoleRefundFails,
    /// Every pending refund comes to this end.
    RefundsEnd(RefundState),
    /// The payer pays the checkout of this number, if they can.
    PaysCheckout(u32),
    /// The payer who was on its page since before its last moment pays it.
    PaysAtLast(u32),
    /// Its provider closes it.
    ClosesCheckout(u32),
    /// The last moment of every checkout passes.
    Expires,
    /// Providers refuse checkouts no more.
    Accepts,
}

impl Happening {
    /// What happens to the refunds of a payment.
    fn with_refunds(self, held: &mut HeldPayment) {
        match self {
            Self::ConsoleRefund(amount) if held.has_left(amount) => {
                held.refunds.push(console_refund(amount));
            }
            Self::ConsoleRefundFails => {
                let of_console = held.refunds.iter_mut().filter(|of| of.reference.is_none());
                of_console.for_each(|refund| refund.state = RefundState::Failed);
            }
            Self::RefundsEnd(state) => {
                held.refunds_as = state;
                let pending = held.refunds.iter_mut().filter(|of| of.state == RefundState::Pending);
                pending.for_each(|refund| refund.state = state);
            }
            Self::Opens
            | Self::Pays
            | Self::Closes
            | Self::ConsoleRefund(_)
            | Self::PaysCheckout(_)
            | Self::PaysAtLast(_)
            | Self::ClosesCheckout(_)
            | Self::Expires
            | Self::Accepts => {}
        }
    }
}

/// A refund that somebody made in the provider's console.
pub(crate) fn console_refund(amount: u64) -> HeldRefund {
    HeldRefund::new(ProviderRefund::new("re_console").unwrap(), amount, RefundState::Succeeded)
}

impl World {
    /// Whether the scenario says what providers hold.
    pub(crate) fn has_truth(&self) -> bool {
        !self.providers.keys.is_empty()
    }

    /// The payment as Stripe holds it.
    pub(crate) fn held(&self, id: PaymentId) -> Option<&HeldPayment> {
        self.providers.held.get(&(Provider::Stripe, id))
    }

    /// Whether a call reads an index that does not list yet all that it will.
    pub(crate) fn is_index_behind(&self, call: Call) -> bool {
        let Table { payments, indexed, transactions, .. } = &self.table;
        let has_txn = |payment: &&Payment| payment.reference.transaction().is_some();
        let with_txn = || payments.values().filter(has_txn).count();
        (call == Call::NewestOfOrder && indexed.len() < payments.len())
            || (call == Call::OfTransaction && transactions.len() < with_txn())
    }

    /// Makes the next thing happen at the provider.
    pub(crate) fn happen(&mut self) {
        let Some((id, happening)) = self.to_happen.pop_front() else { return };
        let txn = ProviderTxn::new("pi_1").ok();
        let (state, txn) = match happening {
            Happening::Opens => (ProviderState::Open, None),
            Happening::Pays => (ProviderState::Paid, txn),
            Happening::Closes => (ProviderState::Closed, None),
            Happening::ConsoleRefund(_)
            | Happening::ConsoleRefundFails
            | Happening::RefundsEnd(_) => {
                if let Some(held) = self.providers.held.get_mut(&(Provider::Stripe, id)) {
                    happening.with_refunds(held);
                }
                return;
            }
            Happening::PaysCheckout(_)
            | Happening::PaysAtLast(_)
            | Happening::ClosesCheckout(_)
            | Happening::Expires
            | Happening::Accepts => {
                self.happen_to_checkouts(id, happening);
                return;
            }
        };
        let held = HeldPayment::new(state, txn, 100);
        self.providers.held.insert((Provider::Stripe, id), held);
    }

    /// The payment that Stripe holds with this transaction.
    fn held_by(&self, txn: Option<&ProviderTxn>) -> Option<&HeldPayment> {
        self.providers.held.values().find(|held| held.txn.is_some() && held.txn.as_ref() == txn)
    }

    /// Whether an honest provider can have sent this by now.
    pub(crate) fn may_send(&self, notification: &Notification) -> bool {
        let named = notification.payment;
        if !self.has_truth() {
            return named.is_none_or(|id| self.table.payments.contains_key(&id));
        }
        if let (Some(payment), Some(number)) = (named, notification.checkout) {
            return self.may_send_of(CheckoutReference { payment, number }, notification);
        }
        let by_txn = self.held_by(notification.report.reference.txn.as_ref());
        let held = by_txn.or_else(|| self.held(named?));
        let Some(held) = held else { return false };
        let is_paid = matches!(held.state, ProviderState::Paid | ProviderState::Refunded);
        match &notification.report.refund {
            Some(RefundReport::One { id, state, .. }) => {
                return held.refunds.iter().any(|of| of.id == *id && of.state == *state);
            }
            Some(RefundReport::Total(total)) => return held.refunded() >= *total,
            None => {}
        }
        match notification.report.outcome {
            Some(Outcome::Paid | Outcome::Refunded) => is_paid,
            Some(Outcome::Closed) => held.state == ProviderState::Closed,
            Some(Outcome::Failed) | None => true,
        }
    }
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fault {
    /// It has no effect, and the caller knows.
    Before,
    /// It has no effect, and the caller does not know.
    Lost,
    /// It has its effect, and the caller does not know.
    After,
    /// The caller does not know; it has its effect later, or never.
    Late,
    /// It has its effect, its response is lost, and a retry below the port gets the second
    /// response.
    Twice,
    /// The actor crashes before the call.
    CrashBefore,
    /// The call has its effect, and the actor crashes.
    CrashAfter,
}

impl Fault {
    const ALL: [Self; 7] = [
        Self::Before,
        Self::Lost,
        Self::After,
        Self::Late,
        Self::Twice,
        Self::CrashBefore,
        Self::CrashAfter,
    ];

    /// What can go wrong with a call, each with another result.
    pub(crate) fn of(call: Call) -> &'static [Self] {
        match call {
            // A read has no effect, so all that matters is whether there is a response.
            Call::NewestOfOrder
            | Call::Guard
            | Call::Payment
            | Call::OfTransaction
            | Call::Refund
            | Call::RefundNamed
            | Call::Refunds
            | Call::Checkouts
            | Call::Account
            | Call::Queried
            | Call::ListByUser
            | Call::DueItems
            | Call::Quarantined
            | Call::UserExists
            | Call::FindOrder => &[Self::Before, Self::CrashBefore],
            // A response that does not come, and one that proves nothing.
            Call::Query => &[Self::Before, Self::Lost, Self::CrashBefore],
            // Of a call that fails before its effect the caller knows no more than of one that is lost. No
            // port repeats it.
            Call::MakeRefund | Call::MakeCheckout | Call::Close => {
                &[Self::Before, Self::After, Self::Late, Self::CrashBefore, Self::CrashAfter]
            }
            Call::NotifyRefunded => {
                &[Self::Before, Self::After, Self::CrashBefore, Self::CrashAfter]
            }
            Call::Create
            | Call::Update
            | Call::Append
            | Call::ChangeCheckout
            | Call::EndCheckout
            | Call::MarkNotified
            | Call::Clear
            | Call::Reschedule
            | Call::RescheduleRefund
            | Call::Resolve
            | Call::NotifyPaid => &Self::ALL,
        }
    }
}

/// The fakes, which work on one world after another.
pub(crate) struct Fakes {
    gate: Gate,
    store: FakeStore,
    shop: FakeShop,
    providers: FakeProviders,
    bug: Option<StoreBug>,
}

impl Fakes {
    pub(crate) fn new(bug: Option<StoreBug>) -> Self {
        let gate = Gate::default();
        let store = FakeStore::behind(gate.clone());
        let shop = FakeShop::behind(gate.clone());
        Self { store, shop, providers: FakeProviders::behind(gate.clone()), gate, bug }
    }

    /// Carries out a call on the world; its response, or `None` if the caller crashes.
    pub(crate) fn carry_out(
        &self,
        world: &mut World,
        request: &Request,
        fault: Option<Fault>,
    ) -> Option<Response> {
        let fates: &[Fate] = match fault {
            None => &[Fate::Responded],
            Some(Fault::Before) => &[Fate::Before],
            Some(Fault::Lost) => &[Fate::Lost],
            Some(Fault::After | Fault::CrashAfter) => &[Fate::After],
            Some(Fault::Late) => &[Fate::Late],
            Some(Fault::Twice) => &[Fate::After, Fate::Responded],
            Some(Fault::CrashBefore) => &[],
        };
        let response = fates.iter().map(|fate| self.once(world, request, *fate)).last();
        response.filter(|_| fault != Some(Fault::CrashAfter))
    }

    /// What `detail` responds about an order.
    pub(crate) fn detail(&self, world: &World, oid: OrderId) -> Result<Payment, DetailError> {
        self.store.edit(|table| table.clone_from(&world.table));
        block_on(detail(&self.store, Wanted::Order(oid), None))
    }

    fn once(&self, world: &mut World, request: &Request, mut fate: Fate) -> Response {
        if let (Some(bug), Fate::Responded | Fate::After) = (self.bug, fate)
            && let Some(response) = bug(&mut world.table, request)
        {
            if fate == Fate::Responded {
                return response;
            }
            // The effect is there; only the response is still to be lost.
            fate = Fate::Lost;
        }
        self.swap(world);
        self.providers.edit(|providers| providers.account = request.account().cloned());
        self.gate.script(request.id().call, [fate]);
        let response = block_on(request.make(&self.store, &self.shop, &self.providers));
        self.providers.edit(|providers| providers.account = None);
        self.swap(world);
        response
    }

    fn swap(&self, world: &mut World) {
        self.store.edit(|table| swap(table, &mut world.table));
        self.shop.edit(|shop| swap(shop, &mut world.shop));
        self.providers.edit(|providers| swap(providers, &mut world.providers));
    }
}

/// Every world that was seen, each once.
#[derive(Default)]
pub(crate) struct Worlds {
    numbers: FxHashMap<Rc<World>, usize>,
    all: Vec<Rc<World>>,
}

impl Worlds {
    pub(crate) fn get(&self, number: usize) -> Rc<World> {
        Rc::clone(&self.all[number])
    }

    /// A world's number, and whether it is new.
    pub(crate) fn number(&mut self, world: World) -> (usize, bool) {
        if let Some(number) = self.numbers.get(&world) {
            return (*number, false);
        }
        let (number, world) = (self.all.len(), Rc::new(world));
        self.all.push(Rc::clone(&world));
        self.numbers.insert(world, number);
        (number, true)
    }
}
