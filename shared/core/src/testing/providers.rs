//! Payment providers in memory, which hold the truth about payments.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use super::{Call, Fate, Gate, lock};
use crate::{
    domain::{
        Digest, EventId, Notification, Outcome, PaymentId, Provider, ProviderRef, ProviderRefund,
        ProviderTxn, RawBody, RefundReference, RefundReport, RefundState, Report, Timestamp,
    },
    ports::{NoKeys, ProviderState, Providers, Query, QueryError, QueryResponse, QueryState},
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
    /// The payments that they hold.
    pub held: BTreeMap<(Provider, PaymentId), HeldPayment>,
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
    /// Its refunds: the provider's id of each, its amount and its state.
    pub refunds: Vec<(ProviderRefund, u64, RefundState)>,
    /// Whether the provider reports what went back in all, not each refund.
    pub reports_total: bool,
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
        let refunds = Vec::new();
        Self { state, txn, amount_minor, currency: "CNY", refunds, reports_total: false }
    }

    /// How much of it went back.
    #[must_use]
    pub fn refunded(&self) -> u64 {
        let all = self.refunds.iter().filter(|(_, _, state)| *state == RefundState::Succeeded);
        all.map(|(_, amount, _)| amount).sum()
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
        let report = |name: &str, refund| {
            self.reported((provider, id), name, Some(Outcome::Refunded), Some(refund))
        };
        if self.reports_total {
            let total = self.refunded();
            let name = format!("query.refunded.{total}");
            return vec![report(&name, RefundReport::Total(total))];
        }
        let each = self.refunds.iter();
        each.map(|refund| self.one_refund((provider, id), refund, None)).collect()
    }

    /// What its provider responds about one refund, whose id there is our reference.
    fn refund(
        &self,
        (provider, id): (Provider, PaymentId),
        reference: RefundReference,
    ) -> QueryResponse {
        let text = reference.to_string();
        let found = self.refunds.iter().find(|(id, ..)| id.as_str() == text);
        let (state, notification) = if let Some(found) = found {
            let notification = self.one_refund((provider, id), found, Some(found.0.clone()));
            (QueryState::Refund(found.2), notification)
        } else {
            let name = format!("query.absent.{text}");
            (QueryState::NoRefund, self.reported((provider, id), &name, None, None))
        };
        QueryResponse { state, notifications: vec![notification], next: None }
    }

    fn one_refund(
        &self,
        of: (Provider, PaymentId),
        (id, amount_minor, state): &(ProviderRefund, u64, RefundState),
        reference: Option<ProviderRefund>,
    ) -> Notification {
        let name = format!("query.{}.{}", state.as_str(), id.as_str());
        let (id, amount_minor, state) = (id.clone(), *amount_minor, *state);
        let refund = RefundReport::One { id, reference, amount_minor, state };
        self.reported(of, &name, Some(Outcome::Refunded), Some(refund))
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
        let ProvidersState { down, held, .. } = &*lock(&self.state);
        if down.contains(&provider) {
            return Err(QueryError::Unavailable("it is down".into()));
        }
        let named = |id: PaymentId| Some((id, held.get(&(provider, id))));
        let by_txn = |txn: &ProviderTxn| {
            let of_provider = held.iter().filter(|((of, _), _)| *of == provider);
            let mut found = of_provider.filter(|(_, payment)| payment.txn.as_ref() == Some(txn));
            found.next().map(|((_, id), payment)| (*id, Some(payment)))
        };
        let found = match query {
            Query::Payment { id, .. } => named(*id),
            Query::Refunds { txn, .. } | Query::Refund { txn, .. } | Query::Object(txn) => {
                by_txn(txn)
            }
        };
        let Some((id, held)) = found else {
            return Err(QueryError::Unusable("no such object".into()));
        };
        let absent = HeldPayment::new(ProviderState::Absent, None, 0);
        let held = held.unwrap_or(&absent);
        match query {
            Query::Refund { refund, .. } => return Ok(held.refund((provider, id), *refund)),
            Query::Refunds { .. } => {
                return Ok(QueryResponse {
                    state: QueryState::Payment(held.state),
                    notifications: held.refund_notifications(provider, id),
                    next: None,
                });
            }
            Query::Payment { .. } | Query::Object(_) => {}
        }
        let refunds = held.txn.clone().filter(|_| !held.refunds.is_empty());
        Ok(QueryResponse {
            state: QueryState::Payment(held.state),
            notifications: vec![held.notification(provider, id)],
            next: refunds.map(|txn| Query::Refunds { payment: Some(id), txn }),
        })
    }
}
