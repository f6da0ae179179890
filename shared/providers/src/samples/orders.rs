//! What the tests of refund orders share, whatever the provider.

use pay_core::{
    domain::{
        Amount, Currency, Digest, Notification, Outcome, Provider, ProviderRef, ProviderRefund,
        ProviderTxn, Refund, RefundId, RefundReason, RefundReference, RefundReport, RefundRequest,
        RefundState, Report, Timestamp,
    },
    ports::{QueryError, QueryResponse, RefundCallError, RefundOrder},
};

use super::{at, without_content};
use crate::{Headers, Querier, RawResponse, samples::queries::Pairs};

/// A reason whose characters mean something in forms, JSON and signatures.
pub(crate) const REASON: &str = "退款 \"a\" & b=1/2";

/// What a response to an order proves.
pub(crate) type Made = Result<QueryResponse, RefundCallError>;

/// An order, with what it borrows.
pub(crate) struct Ordered {
    reference: RefundReference,
    refund: Refund,
    txn: ProviderTxn,
    paid: Amount,
}

impl Ordered {
    /// The order to give `amount_minor` back of what this transaction paid.
    pub(crate) fn new(
        provider: Provider,
        (reference, txn): (&str, &str),
        amount_minor: u64,
        (paid, currency): (u64, &str),
    ) -> Self {
        let reference = RefundReference::parse(reference).unwrap();
        let txn = ProviderTxn::new(txn).unwrap();
        let refund = Refund {
            payment: reference.payment(),
            id: RefundId::requested(reference),
            taken_from: ProviderRef { source: provider.source(), txn: Some(txn.clone()) },
            provider_refund: None,
            reference: None,
            amount_minor,
            state: RefundState::Requested,
            request: Some(RefundRequest {
                key: Digest::new([0; 32]),
                reason: None,
                quarantined: None,
            }),
            due: None,
            create_time: at(1),
            update_time: at(1),
        };
        let paid = Amount::new(paid, Currency::new(currency).unwrap()).unwrap();
        Self { reference, refund, txn, paid }
    }

    /// The same with a reason.
    pub(crate) fn because(mut self, reason: &str) -> Self {
        self.refund.request.as_mut().unwrap().reason = Some(RefundReason::new(reason).unwrap());
        self
    }

    /// What cannot be ordered is rejected before it is reserved.
    pub(crate) fn assert_rejected_before(&self) {
        assert!(self.rejected_before().is_some(), "{:?} {:?}", self.txn, self.paid);
    }

    pub(crate) fn assert_may_be_ordered(&self) {
        assert_eq!(self.rejected_before(), None, "{:?} {:?}", self.txn, self.paid);
    }

    fn rejected_before(&self) -> Option<&'static str> {
        let Self { refund, paid, .. } = self;
        refund.taken_from.cannot_be_refunded(paid.currency(), refund.amount_minor)
    }

    pub(crate) const fn order(&self) -> RefundOrder<'_> {
        let Self { reference, refund, txn, paid } = self;
        RefundOrder { reference: *reference, refund, txn, paid: *paid, notify_url: None }
    }

    /// The report of this state where our reference stands for the provider's id.
    pub(crate) fn report(&self, provider: Provider, state: RefundState) -> Report {
        let id = ProviderRefund::new(&self.reference.to_string()).unwrap();
        let (reference, amount_minor) = (Some(id.clone()), self.refund.amount_minor);
        Report {
            outcome: Some(Outcome::Refunded),
            refund: Some(RefundReport::One { id, reference, amount_minor, state }),
            reference: ProviderRef { source: provider.source(), txn: Some(self.txn.clone()) },
            amount_minor: None,
            currency: Some(self.paid.currency().code().to_owned()),
        }
    }

    /// The notification of this report, from this body.
    pub(crate) fn notification(
        &self,
        provider: Provider,
        event: &str,
        report: Report,
        body: &[u8],
    ) -> Notification {
        Notification {
            payment: Some(self.reference.payment()),
            queried: true,
            report,
            ..without_content(provider, Some(event), body)
        }
    }

    /// It is refused by this code, and what is reported is that the refund failed.
    pub(crate) fn assert_refused(&self, provider: Provider, code: &str, body: &[u8], made: Made) {
        let Err(RefundCallError::Refused { code: found, report }) = made else {
            panic!("{provider:?} {code}: {made:?}");
        };
        assert_eq!(found, code, "{provider:?}");
        let failed = self.report(provider, RefundState::Failed);
        let event = format!("query.failed.{}", self.reference);
        assert_eq!(*report, self.notification(provider, &event, failed, body), "{code}");
    }
}

pub(crate) fn respond(
    querier: &dyn Querier,
    ordered: &Ordered,
    (status, headers, body): (u16, &Pairs, &[u8]),
    now: Timestamp,
) -> Made {
    let headers = Headers::from_pairs(headers);
    let response = RawResponse { status, headers: &headers, body };
    querier.refund_response(&ordered.order(), &response, now)
}

/// Whether the outcome is not known, and why in a word.
pub(crate) fn unknown(made: &Made) -> Option<&'static str> {
    match made {
        Err(RefundCallError::Unknown(error)) => Some(error.kind()),
        Ok(_) | Err(RefundCallError::Refused { .. }) => None,
    }
}

pub(crate) fn is_unusable(made: &Made) -> bool {
    matches!(made, Err(RefundCallError::Unknown(QueryError::Unusable(_))))
}
