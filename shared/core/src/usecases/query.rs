//! Query: asks providers what became of a payment, and applies what they report.
//!
//! A response takes the same path as a webhook. One that proves nothing changes nothing.

use super::{
    Failure,
    apply::{Applied, ApplyError, apply},
};
use crate::{
    domain::{Notification, Payment, PaymentId, Provider, Sender, Timestamp, Verdict},
    ports::{
        NoKeys, Orders, Outbox, Payments, ProviderState, Providers, Query, QueryError, StoreError,
        TraceParent, Users,
    },
};

/// What providers are asked with, and what their responses are applied to.
#[derive(Debug)]
pub struct QueryPorts<'a, U, O, S, P> {
    /// The shop's users.
    pub users: &'a U,
    /// The shop's orders.
    pub orders: &'a O,
    /// The store.
    pub store: &'a S,
    /// The providers.
    pub providers: &'a P,
}

/// What one call to a provider came to.
#[derive(Debug)]
pub struct Queried {
    /// Whom.
    pub provider: Provider,
    /// What was asked.
    pub query: Query,
    /// What became of the payment there, or why that is not known.
    pub state: Result<ProviderState, QueryError>,
    /// What the response reports, and what that did. Empty where it is not known.
    pub applied: Vec<(Notification, Result<Applied, ApplyError>)>,
}

impl<U, O, S, P> QueryPorts<'_, U, O, S, P>
where
    U: Users,
    O: Orders,
    S: Payments + Outbox,
    P: Providers,
{
    /// The providers to ask about a payment: the one that collected it, or each that can be queried.
    ///
    /// # Errors
    ///
    /// [`NoKeys`] if it is not known which can be queried.
    pub async fn providers_of(
        &self,
        payment: &Payment,
        now: Timestamp,
    ) -> Result<Vec<Provider>, NoKeys> {
        let queried = self.providers.queried(now).await?;
        Ok(match Provider::of_source(payment.reference.source) {
            Some(provider) => queried.into_iter().filter(|of| *of == provider).collect(),
            None => queried,
        })
    }

    /// Asks a provider what became of a payment, and applies what it reports: one call, and another one
    /// where the response says what to ask next.
    pub async fn query_payment(
        &self,
        provider: Provider,
        payment: &Payment,
        now: Timestamp,
        trace: &TraceParent,
    ) -> Vec<Queried> {
        let query = Query::Payment { id: payment.id, txn: payment.reference.txn.clone() };
        self.query(provider, query, now, trace).await
    }

    /// Applies a message that only says where to look. Where the provider can be queried, what it
    /// responds is applied and the message is kept; else the message itself is applied.
    ///
    /// # Errors
    ///
    /// [`ApplyError`]: as of the message, or of the first response that could not be applied. A query
    /// without a usable response is [`Failure::Unavailable`]: the provider sends the message again.
    pub async fn follow(
        &self,
        hint: (&Notification, Query),
        observe: &impl Fn(&Notification, &Result<Applied, ApplyError>),
        now: Timestamp,
        trace: &TraceParent,
    ) -> Result<(), ApplyError> {
        let (message, query) = hint;
        let provider = match message.sender {
            Sender::Provider(provider) => Some(provider),
            Sender::Native | Sender::Operator => None,
        };
        let queried = self.providers.queried(now).await;
        let queried = queried.map_err(|error| Failure::Unavailable(error.into()))?;
        let Some(provider) = provider.filter(|provider| queried.contains(provider)) else {
            let applied = apply((self.users, self.orders), self.store, message, now, trace).await;
            observe(message, &applied);
            return applied.map(drop);
        };
        let mut failed = None;
        let mut record = None;
        for step in self.query(provider, query, now, trace).await {
            if let Err(error) = step.state {
                return Err(Failure::Unavailable(error.into()).into());
            }
            for (notification, applied) in step.applied {
                observe(&notification, &applied);
                match applied {
                    Ok(applied) => record = Some(applied.record),
                    Err(ApplyError::Mismatch(_)) => {}
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        if let Some(record) = record {
            self.store.append(&message.event(&record, None, Verdict::Noted, now)).await?;
        }
        Ok(())
    }

    async fn query(
        &self,
        provider: Provider,
        first: Query,
        now: Timestamp,
        trace: &TraceParent,
    ) -> Vec<Queried> {
        let mut steps = Vec::new();
        let mut next = Some(first);
        // The refunds of a payment are the last that a response can say to ask.
        while let Some(query) = next.take().filter(|_| steps.len() < 2) {
            let (state, notifications) = match self.providers.query(provider, &query, now).await {
                Ok(response) => {
                    next = response.next;
                    (Ok(response.state), response.notifications)
                }
                Err(error) => (Err(error), Vec::new()),
            };
            let mut applied = Vec::new();
            for notification in notifications {
                let result = self.apply(&notification, now, trace).await;
                applied.push((notification, result));
            }
            steps.push(Queried { provider, query, state, applied });
        }
        steps
    }

    /// A response that reports nothing that we act on is kept as an event and compared with nothing.
    async fn apply(
        &self,
        notification: &Notification,
        now: Timestamp,
        trace: &TraceParent,
    ) -> Result<Applied, ApplyError> {
        let record = match (notification.report.outcome, notification.payment) {
            (None, Some(id)) if notification.review.is_none() => self.record(id).await?,
            _ => None,
        };
        let Some(record) = record else {
            return apply((self.users, self.orders), self.store, notification, now, trace).await;
        };
        self.store.append(&notification.event(&record, None, Verdict::Ignored, now)).await?;
        Ok(Applied::unchanged(record, Verdict::Ignored))
    }

    async fn record(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        self.store.payment(id).await
    }
}
