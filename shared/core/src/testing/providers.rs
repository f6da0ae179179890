//! Payment providers in memory, which hold the truth about payments.

mod checkouts;
mod forgotten;
mod held;
mod late;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use super::{Call, Fate, Gate, lock};
use crate::{
    domain::{
        Checkout, CheckoutReference, MerchantAccount, PaymentId, Provider, ProviderRefund,
        RefundState, Timestamp,
    },
    ports::{
        CheckoutCallError, CheckoutOrder, NoKeys, ProviderState, Providers, Query, QueryError,
        QueryResponse, QueryState, RefundCallError, RefundOrder, StartedCheckout,
    },
};

pub use held::{HeldPayment, HeldRefund};
pub use late::{LateCheckout, LateRefund};

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
    /// The merchant account that these keys are of; `merchant_1` unless it is said.
    pub account: Option<MerchantAccount>,
    /// Those that are down.
    pub down: BTreeSet<Provider>,
    /// The checkouts that they hold.
    pub checkouts: BTreeMap<CheckoutReference, HeldPayment>,
    /// Those of them that were made with another account than `merchant_1`, each with its account.
    pub accounts: BTreeMap<CheckoutReference, MerchantAccount>,
    /// The second objects under references that have one, each made by a request whose key was forgotten.
    pub again: BTreeMap<CheckoutReference, HeldPayment>,
    /// When they forget the keys of what was requested until then, where they have keys.
    pub forget_time: Option<Timestamp>,
    /// Our references of what was requested since then.
    pub remembered: BTreeSet<String>,
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
        now: Timestamp,
    ) -> Result<StartedCheckout, CheckoutCallError> {
        self.make_checkout(order, now).await
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
        let providers = lock(&self.state);
        let named = |id: PaymentId| Some((id, providers.held.get(&(provider, id))));
        let by_txn = |txn| providers.by_txn(provider, txn).map(|(id, held)| (id, Some(held)));
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
        now: Timestamp,
    ) -> Result<QueryResponse, RefundCallError> {
        let fate = self.gate.pass(Call::MakeRefund).await;
        let lost = || QueryError::Unavailable("scripted: no response".into()).into();
        let mut providers = lock(&self.state);
        let Ok(reference) = ProviderRefund::new(&order.reference.to_string()) else {
            return Err(lost());
        };
        if fate == Fate::Late {
            let (txn, amount_minor) = (order.txn.clone(), order.refund.amount_minor);
            providers.late.push((provider, txn, reference.clone(), amount_minor));
        }
        if !matches!(fate, Fate::Responded | Fate::After) || providers.down.contains(&provider) {
            return Err(lost());
        }
        let is_forgotten = providers.forgets(provider, reference.as_str(), now);
        let Some((payment, held)) = providers.by_txn_mut(provider, order.txn) else {
            return Err(lost());
        };
        let is_repeat = !is_forgotten && held.has(&reference);
        let taken = held.take(&reference, order.refund.amount_minor, is_forgotten);
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
