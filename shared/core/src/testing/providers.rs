//! Payment providers in memory, which hold the truth about payments.

mod checkouts;
mod late;

pub use late::{LateCheckout, LateRefund};

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use super::{Call, Fate, Gate, lock};
use crate::{
    domain::{
        Checkout, CheckoutReference, Digest, EventId, MerchantAccount, Notification, Outcome,
        PaymentId, Provider, ProviderRef, ProviderRefund, ProviderTxn, RawBody, RefundReference,
        RefundReport, RefundState, Report, Timestamp,
    },
    ports::{
        CheckoutCallError, CheckoutOrder, NoKeys, ProviderState, Providers, Query, QueryError,
        QueryResponse, QueryState, RefundCallError, RefundOrder, StartedCheckout,
    },
};

/// Providers in memory. Clones are handles on the same ones.
#[derive(Clone, Debug, Default)]
pub struct FakeProviders {
    state: Arc<Mutex<ProvidersState>>,
    gate: Gate,
}

/// Everything the providers know. Clones are copies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ProvidersState {
    /// Those that there are keys for, in the order in which they are asked.
    pub keys: Vec<Provider>,
    /// Those that are down.
    pub down: BTreeSet<Provider>,
    /// The checkouts that they hold.
    pub checkouts: BTreeMap<CheckoutReference, HeldPayment>,
    /// Whether they hold a checkout only once the payer has begun to pay, as the pages of Alipay's.
    pub are_pages: bool,
    /// Whether the last moment of every checkout is over: then none is made, and no page is paid.
    pub are_expired: bool,
    /// Calls for checkouts that are still to arrive; their callers got no response.
    pub late_checkouts: Vec<LateCheckout>,
    /// Whether they refuse every checkout, and whether that proves that nothing was made.
    pub refuse_checkouts: Option<bool>,
    /// The payments that they hold.
    pub held: BTreeMap<(Provider, PaymentId), HeldPayment>,
    /// Requests to refund that are still to arrive; their callers got no response.
    pub late: Vec<LateRefund>,
}

/// A payment as a provider holds it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeldPayment {
    /// What became of it.
    pub state: ProviderState,
    /// The provider's transaction, once there is one.
    pub txn: Option<ProviderTxn>,
    /// How much it is about, in minor units.
    pub amount_minor: u64,
    /// The currency of the amount.
    pub currency: &'static str,
    /// Its refunds.
    pub refunds: Vec<HeldRefund>,
    /// The state that a refund asked for has at first.
    pub refunds_as: RefundState,
    /// Whether the provider reports what went back in all, not each refund.
    pub reports_total: bool,
    /// Whether the provider refuses a request with a reference that it has: it refunds nothing twice, and
    /// says so by an error.
    pub refuses_repeats: bool,
}

/// A refund as a provider holds it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeldRefund {
    /// The provider's id of it.
    pub id: ProviderRefund,
    /// Our reference of it, if it was asked for by us.
    pub reference: Option<ProviderRefund>,
    /// How much, in minor units.
    pub amount_minor: u64,
    /// Where it stands.
    pub state: RefundState,
}

impl HeldRefund {
    /// A refund that was made at the provider.
    #[must_use]
    pub const fn new(id: ProviderRefund, amount_minor: u64, state: RefundState) -> Self {
        Self { id, reference: None, amount_minor, state }
    }
}

impl FakeProviders {
    /// Providers whose calls pass `gate`; none can be queried at first.
    #[must_use]
    pub fn behind(gate: Gate) -> Self {
        Self { state: Arc::default(), gate }
    }

    /// Changes what the providers know, or just reads it.
    pub fn edit<T>(&self, edit: impl FnOnce(&mut ProvidersState) -> T) -> T {
        edit(&mut lock(&self.state))
    }
}

impl HeldPayment {
    /// A payment of this amount that its provider reports in this state.
    #[must_use]
    pub const fn new(state: ProviderState, txn: Option<ProviderTxn>, amount_minor: u64) -> Self {
        Self {
            state,
            txn,
            amount_minor,
            currency: "CNY",
            refunds: Vec::new(),
            refunds_as: RefundState::Succeeded,
            reports_total: false,
            refuses_repeats: false,
        }
    }

    /// How much of it went back.
    #[must_use]
    pub fn refunded(&self) -> u64 {
        let all = self.refunds.iter().filter(|refund| refund.state == RefundState::Succeeded);
        all.map(|refund| refund.amount_minor).sum()
    }

    /// What its provider reports about it.
    #[must_use]
    pub fn notification(&self, provider: Provider, id: PaymentId) -> Notification {
        let outcome = match self.state {
            ProviderState::Absent | ProviderState::Open | ProviderState::Processing => None,
            ProviderState::Closed => Some(Outcome::Closed),
            ProviderState::Paid | ProviderState::Refunded => Some(Outcome::Paid),
        };
        let txn = self.txn.as_ref().map_or("-", ProviderTxn::as_str);
        let name = format!("query.{}.{txn}", self.state.as_str());
        self.reported((provider, id), &name, outcome, None)
    }

    /// What its provider reports about its refunds: each of them, or what went back in all.
    #[must_use]
    pub fn refund_notifications(&self, provider: Provider, id: PaymentId) -> Vec<Notification> {
        if self.reports_total {
            let total = self.refunded();
            let name = format!("query.refunded.{total}");
            let total = Some(RefundReport::Total(total));
            let refunded = Some(Outcome::Refunded);
            return vec![self.reported((provider, id), &name, refunded, total)];
        }
        self.refunds.iter().map(|refund| self.refund_notification((provider, id), refund)).collect()
    }

    fn refund_notification(&self, of: (Provider, PaymentId), refund: &HeldRefund) -> Notification {
        let HeldRefund { id, reference, amount_minor, state } = refund.clone();
        let name = format!("query.{}.{}", state.as_str(), id.as_str());
        let one = RefundReport::One { id, reference, amount_minor, state };
        self.reported(of, &name, Some(Outcome::Refunded), Some(one))
    }

    /// What its provider responds about one refund of ours.
    fn refund_response(
        &self,
        of: (Provider, PaymentId),
        reference: RefundReference,
    ) -> QueryResponse {
        let text = reference.to_string();
        let ours = |of: &&HeldRefund| of.reference.as_ref().is_some_and(|of| of.as_str() == text);
        let (state, notification) = if let Some(found) = self.refunds.iter().find(ours) {
            (QueryState::Refund(found.state), self.refund_notification(of, found))
        } else {
            let name = format!("query.absent.{text}");
            (QueryState::NoRefund, self.reported(of, &name, None, None))
        };
        QueryResponse { state, notifications: vec![notification], next: None }
    }

    /// Whether it has a refund of this reference.
    fn has(&self, reference: &ProviderRefund) -> bool {
        self.refunds.iter().any(|refund| refund.reference.as_ref() == Some(reference))
    }

    /// Takes an order to refund: the same reference refunds once. `None` if it is refused.
    fn take(&mut self, reference: &ProviderRefund, amount_minor: u64) -> Option<HeldRefund> {
        let same = |refund: &&HeldRefund| refund.reference.as_ref() == Some(reference);
        if let Some(found) = self.refunds.iter().find(same) {
            let is_taken = found.amount_minor == amount_minor && !self.refuses_repeats;
            return is_taken.then(|| found.clone());
        }
        if !self.has_left(amount_minor) {
            return None;
        }
        let ours = self.refunds.iter().filter(|refund| refund.reference.is_some()).count();
        let id = ProviderRefund::new(&format!("re_{}", ours.saturating_add(1))).ok()?;
        let reference = Some(reference.clone());
        let made = HeldRefund { id, reference, amount_minor, state: self.refunds_as };
        self.refunds.push(made.clone());
        Some(made)
    }

    /// Whether so much of it can still be given back.
    #[must_use]
    pub fn has_left(&self, amount_minor: u64) -> bool {
        let taken = self.refunds.iter().filter(|refund| refund.state != RefundState::Failed);
        let taken: u64 = taken.map(|refund| refund.amount_minor).sum();
        let is_paid = matches!(self.state, ProviderState::Paid | ProviderState::Refunded);
        is_paid && taken.saturating_add(amount_minor) <= self.amount_minor
    }

    fn reported(
        &self,
        (provider, id): (Provider, PaymentId),
        name: &str,
        outcome: Option<Outcome>,
        refund: Option<RefundReport>,
    ) -> Notification {
        // Another name is another digest.
        let letters: Vec<_> = name.bytes().rev().chain([0; 32]).take(32).collect();
        let digest = Digest::new(letters.try_into().unwrap_or_default());
        Notification {
            sender: provider.into(),
            event_id: EventId::new(Some(name), digest),
            payment: Some(id),
            checkout: None,
            claims: None,
            wrong_account: None,
            review: None,
            queried: true,
            is_shared: false,
            report: Report {
                outcome,
                refund,
                reference: ProviderRef { source: provider.source(), txn: self.txn.clone() },
                amount_minor: Some(self.amount_minor),
                currency: Some(self.currency.to_owned()),
            },
            body: RawBody::new(name.as_bytes(), digest),
        }
    }
}

impl Providers for FakeProviders {
    async fn account(
        &self,
        provider: Provider,
        _now: Timestamp,
    ) -> Result<Option<MerchantAccount>, NoKeys> {
        self.account_of(provider).await
    }

    async fn checkout(
        &self,
        order: &CheckoutOrder<'_>,
        _now: Timestamp,
    ) -> Result<StartedCheckout, CheckoutCallError> {
        self.make_checkout(order).await
    }

    async fn close(&self, checkout: &Checkout, _now: Timestamp) -> Result<(), QueryError> {
        self.close_checkout(checkout).await
    }

    async fn queried(&self, _now: Timestamp) -> Result<Vec<Provider>, NoKeys> {
        match self.gate.pass(Call::Queried).await {
            Fate::Responded => Ok(self.edit(|state| state.keys.clone())),
            Fate::Before | Fate::Lost | Fate::After | Fate::Late => {
                Err(NoKeys("scripted: no keys".into()))
            }
        }
    }

    async fn query(
        &self,
        provider: Provider,
        query: &Query,
        _now: Timestamp,
    ) -> Result<QueryResponse, QueryError> {
        match self.gate.pass(Call::Query).await {
            Fate::Responded => {}
            Fate::Before | Fate::After => {
                return Err(QueryError::Unavailable("scripted: no response".into()));
            }
            Fate::Lost | Fate::Late => {
                return Err(QueryError::Unusable("scripted: not signed".into()));
            }
        }
        if self.edit(|state| state.down.contains(&provider)) {
            return Err(QueryError::Unavailable("it is down".into()));
        }
        if let Query::Checkout { reference, provider_id, account } = query {
            return self.query_checkout(provider, (*reference, provider_id.as_ref()), account);
        }
        let ProvidersState { held, .. } = &*lock(&self.state);
        let named = |id: PaymentId| Some((id, held.get(&(provider, id))));
        let by_txn = |txn: &ProviderTxn| {
            let of_provider = held.iter().filter(|((of, _), _)| *of == provider);
            let mut found = of_provider.filter(|(_, payment)| payment.txn.as_ref() == Some(txn));
            found.next().map(|((_, id), payment)| (*id, Some(payment)))
        };
        let found = match query {
            Query::Payment { id, .. } => named(*id),
            Query::Checkout { .. } => None,
            Query::Refunds { txn, .. } | Query::Refund { txn, .. } | Query::Object(txn) => {
                by_txn(txn)
            }
        };
        let Some((id, held)) = found else {
            return Err(QueryError::Unusable("no such object".into()));
        };
        let absent = HeldPayment::new(ProviderState::Absent, None, 0);
        let held = held.unwrap_or(&absent);
        if let Query::Refund { refund, .. } = query {
            return Ok(held.refund_response((provider, id), *refund));
        }
        if matches!(query, Query::Refunds { .. }) {
            return Ok(QueryResponse {
                state: QueryState::Payment(held.state),
                notifications: held.refund_notifications(provider, id),
                next: None,
            });
        }
        let refunds = held.txn.clone().filter(|_| !held.refunds.is_empty());
        Ok(QueryResponse {
            state: QueryState::Payment(held.state),
            notifications: vec![held.notification(provider, id)],
            next: refunds.map(|txn| Query::Refunds { payment: Some(id), txn }),
        })
    }

    /// A fate is that of the refund as well: `After` makes it, and its response is lost; after `Late` it is
    /// made when [`ProvidersState::land_late`] says so.
    async fn refund(
        &self,
        provider: Provider,
        order: &RefundOrder<'_>,
        _now: Timestamp,
    ) -> Result<QueryResponse, RefundCallError> {
        let fate = self.gate.pass(Call::MakeRefund).await;
        let lost = || QueryError::Unavailable("scripted: no response".into()).into();
        let mut providers = lock(&self.state);
        let payment = order.reference.payment();
        let Ok(reference) = ProviderRefund::new(&order.reference.to_string()) else {
            return Err(lost());
        };
        if fate == Fate::Late {
            providers.late.push((provider, payment, reference.clone(), order.refund.amount_minor));
        }
        if !matches!(fate, Fate::Responded | Fate::After) || providers.down.contains(&provider) {
            return Err(lost());
        }
        let Some(held) = providers.held.get_mut(&(provider, payment)) else {
            return Err(lost());
        };
        let is_repeat = held.has(&reference);
        let taken = held.take(&reference, order.refund.amount_minor);
        if fate == Fate::After {
            return Err(lost());
        }
        let Some(mut made) = taken else {
            let refused = HeldRefund {
                id: reference.clone(),
                reference: Some(reference),
                amount_minor: order.refund.amount_minor,
                state: RefundState::Failed,
            };
            let report = held.refund_notification((provider, payment), &refused);
            return Err(RefundCallError::Refused {
                code: "REFUND_REFUSED".to_owned(),
                report: Box::new(report),
            });
        };
        if held.reports_total && is_repeat {
            // It says that no money moved by this request.
            made.state = RefundState::Pending;
        }
        let state = QueryState::Refund(made.state);
        let mut notifications = vec![held.refund_notification((provider, payment), &made)];
        if held.reports_total && held.refunded() > 0 {
            notifications.extend(held.refund_notifications(provider, payment));
        }
        Ok(QueryResponse { state, notifications, next: None })
    }
}
