//! Payment providers in memory, which hold the truth about payments.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use super::{Call, Fate, Gate, lock};
use crate::{
    domain::{
        Digest, EventId, Notification, Outcome, PaymentId, Provider, ProviderRef, ProviderRefund,
        ProviderTxn, RawBody, RefundReport, RefundState, Report, Timestamp,
    },
    ports::{NoKeys, ProviderState, Providers, Query, QueryError, QueryResponse},
};

/// Providers in memory. Clones are handles on the same ones.
#[derive(Clone, Debug, Default)]
pub struct FakeProviders {
    held: Arc<Mutex<BTreeMap<(Provider, PaymentId), HeldPayment>>>,
    queried: Arc<Mutex<Vec<Provider>>>,
    gate: Gate,
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
}

impl FakeProviders {
    /// Providers whose calls pass `gate`; none can be queried at first.
    #[must_use]
    pub fn behind(gate: Gate) -> Self {
        Self { gate, ..Self::default() }
    }

    /// Gives keys for these providers, and for no other.
    pub fn give_keys(&self, providers: &[Provider]) {
        *lock(&self.queried) = providers.to_vec();
    }

    /// Makes a provider hold a payment.
    pub fn hold(&self, provider: Provider, id: PaymentId, payment: HeldPayment) {
        lock(&self.held).insert((provider, id), payment);
    }
}

impl HeldPayment {
    /// What a provider reports about it.
    #[must_use]
    pub fn notification(&self, provider: Provider, id: PaymentId) -> Notification {
        let outcome = match self.state {
            ProviderState::Absent | ProviderState::Open | ProviderState::Processing => None,
            ProviderState::Closed => Some(Outcome::Closed),
            ProviderState::Paid | ProviderState::Refunded => Some(Outcome::Paid),
        };
        let name = format!("query.{}", self.state.as_str());
        self.reported(provider, id, name, outcome, None)
    }

    /// What a provider reports about its refunds, one by one.
    #[must_use]
    pub fn refund_notifications(&self, provider: Provider, id: PaymentId) -> Vec<Notification> {
        let refunds = self.refunds.iter().map(|(refund, amount_minor, state)| {
            let name = format!("query.{}.{}", state.as_str(), refund.as_str());
            let refund = RefundReport::One {
                id: refund.clone(),
                reference: None,
                amount_minor: *amount_minor,
                state: *state,
            };
            self.reported(provider, id, name, Some(Outcome::Refunded), Some(refund))
        });
        refunds.collect()
    }

    fn reported(
        &self,
        provider: Provider,
        id: PaymentId,
        name: String,
        outcome: Option<Outcome>,
        refund: Option<RefundReport>,
    ) -> Notification {
        let digest = Digest::new([u8::try_from(name.len()).unwrap_or(u8::MAX); 32]);
        Notification {
            sender: provider.into(),
            event_id: EventId::new(Some(&name), digest),
            payment: Some(id),
            claims: None,
            wrong_account: None,
            review: None,
            queried: true,
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
            Fate::Responded => Ok(lock(&self.queried).clone()),
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
        let held = lock(&self.held);
        let named = |id: PaymentId| Some((id, held.get(&(provider, id))));
        let by_txn = |txn: &ProviderTxn| {
            let of_provider = held.iter().filter(|((of, _), _)| *of == provider);
            let mut found = of_provider.filter(|(_, payment)| payment.txn.as_ref() == Some(txn));
            found.next().map(|((_, id), payment)| (*id, Some(payment)))
        };
        let found = match query {
            Query::Payment { id, .. } => named(*id),
            Query::Refunds { txn, .. } | Query::Object(txn) => by_txn(txn),
        };
        let Some((id, held)) = found else {
            return Err(QueryError::Unusable("no such object".into()));
        };
        let absent = HeldPayment {
            state: ProviderState::Absent,
            txn: None,
            amount_minor: 0,
            currency: "CNY",
            refunds: Vec::new(),
        };
        let held = held.unwrap_or(&absent);
        if matches!(query, Query::Refunds { .. }) {
            return Ok(QueryResponse {
                state: held.state,
                notifications: held.refund_notifications(provider, id),
                next: None,
            });
        }
        let refunds = held.txn.clone().filter(|_| !held.refunds.is_empty());
        Ok(QueryResponse {
            state: held.state,
            notifications: vec![held.notification(provider, id)],
            next: refunds.map(|txn| Query::Refunds { payment: Some(id), txn }),
        })
    }
}
