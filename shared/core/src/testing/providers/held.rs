//! A payment as a provider in memory holds it, and what it reports of it.

use crate::{
    domain::{
        Digest, EventId, Notification, Outcome, PaymentId, Provider, ProviderRef, ProviderRefund,
        ProviderTxn, RawBody, RefundReference, RefundReport, RefundState, Report,
    },
    ports::{ProviderState, QueryResponse, QueryState},
};

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

    pub(super) fn refund_notification(
        &self,
        of: (Provider, PaymentId),
        refund: &HeldRefund,
    ) -> Notification {
        let HeldRefund { id, reference, amount_minor, state } = refund.clone();
        let name = format!("query.{}.{}", state.as_str(), id.as_str());
        let one = RefundReport::One { id, reference, amount_minor, state };
        self.reported(of, &name, Some(Outcome::Refunded), Some(one))
    }

    /// What its provider responds about one refund of ours.
    pub(super) fn refund_response(
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
    pub(super) fn has(&self, reference: &ProviderRefund) -> bool {
        self.refunds.iter().any(|refund| refund.reference.as_ref() == Some(reference))
    }

    /// Takes an order to refund: the same reference refunds once, unless its key is forgotten. `None` if it is
    /// refused.
    pub(super) fn take(
        &mut self,
        reference: &ProviderRefund,
        amount_minor: u64,
        is_forgotten: bool,
    ) -> Option<HeldRefund> {
        let same =
            |refund: &&HeldRefund| !is_forgotten && refund.reference.as_ref() == Some(reference);
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

    pub(super) fn reported(
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
