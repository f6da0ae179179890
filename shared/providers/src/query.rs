//! A query as bytes: the request to a provider, and what its response proves.

use std::fmt;

use pay_core::{
    domain::{
        Checkout, CheckoutReference, EventId, MerchantAccount, Notification, Outcome, Provider,
        ProviderRef, ProviderRefund, RefundReason, RefundReference, RefundReport, RefundState,
        Report, Timestamp,
    },
    ports::{
        CheckoutAction, CheckoutCallError, CheckoutOrder, ProviderState, Query, QueryError,
        QueryResponse, QueryState, RefundCallError, RefundOrder, StartedCheckout,
    },
};

use serde_json::Value;

use crate::{Headers, adapter::Message, sha256};

/// Who asks; some providers reject a request without it.
pub(crate) const USER_AGENT: &str = concat!("pay/", env!("CARGO_PKG_VERSION"));

/// A request to a provider. It is signed as it is: nothing of it may change on the way.
#[derive(Clone, PartialEq, Eq)]
pub struct RawRequest {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path and query, as signed; where the provider has one URL for all, only the query, from its `?`.
    pub target: String,
    /// The headers, secrets among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for `GET`.
    pub body: Vec<u8>,
}

/// Never headers, target or body: they hold secrets and buyers' data.
impl fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawRequest({})", self.method)
    }
}

/// What makes a checkout.
#[derive(Debug)]
pub enum CheckoutStep {
    /// This is sent to the provider, whose response says what the payer's program does next.
    Send(RawRequest),
    /// The provider is not called: this is opened at its URL, to which it is the query, from its `?`.
    Redirect(SignedQuery),
    /// The provider is not called: the payer's program does this.
    Ready(CheckoutAction),
}

/// A signed query, with which whoever has it may pay.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedQuery(pub String);

/// Never what it holds.
impl fmt::Debug for SignedQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedQuery")
    }
}

/// A response of a provider, as it came.
#[derive(Clone, Copy, Debug)]
pub struct RawResponse<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: &'a Headers<'a>,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// The keys that a provider is queried with, and the rules by which a request is built and a response
/// is read.
///
/// No method has a default: whoever adds a provider says what makes its responses authentic.
pub trait Querier: fmt::Debug + Send + Sync {
    /// Builds the request of a query. Pure: the same arguments give the same bytes. `nonce` is 32
    /// hexadecimal digits that were never used before.
    ///
    /// # Errors
    ///
    /// [`QueryError::Unusable`] for a query that this provider does not take.
    fn request(&self, query: &Query, nonce: &str, now: Timestamp)
    -> Result<RawRequest, QueryError>;

    /// Verifies that a response is authentic and about what was asked, then reads it.
    ///
    /// # Errors
    ///
    /// [`QueryError`]: whatever is not proved is not known.
    fn response(
        &self,
        query: &Query,
        response: &RawResponse<'_>,
        now: Timestamp,
    ) -> Result<QueryResponse, QueryError>;

    /// Builds the request that makes a refund, with the refund's own reference. Pure, as [`Self::request`].
    ///
    /// # Errors
    ///
    /// [`QueryError::Unusable`] for a refund that this provider cannot make.
    fn refund_request(
        &self,
        order: &RefundOrder<'_>,
        nonce: &str,
        now: Timestamp,
    ) -> Result<RawRequest, QueryError>;

    /// Verifies that a response is authentic and about the refund that was ordered, then reads it.
    ///
    /// # Errors
    ///
    /// [`RefundCallError`]: refused only by a code of the provider's own list.
    fn refund_response(
        &self,
        order: &RefundOrder<'_>,
        response: &RawResponse<'_>,
        now: Timestamp,
    ) -> Result<QueryResponse, RefundCallError>;

    /// The merchant account that checkouts are made with; `None` where its entry has not all that a checkout
    /// needs.
    fn account(&self) -> Option<MerchantAccount>;

    /// Builds what makes a checkout, from what is kept of it: the same parameters on each attempt. One whose
    /// provider id is known is asked for by that. Pure, as [`Self::request`].
    ///
    /// # Errors
    ///
    /// [`QueryError::Unusable`] for a checkout that this provider cannot make.
    fn checkout_request(
        &self,
        order: &CheckoutOrder<'_>,
        nonce: &str,
        now: Timestamp,
    ) -> Result<CheckoutStep, QueryError>;

    /// Verifies that a response is authentic and about the checkout that was ordered, then reads it. `nonce`
    /// and `now` are for what the payer's program is given signed.
    ///
    /// # Errors
    ///
    /// [`CheckoutCallError`]: refused only by a code of the provider's own list.
    fn checkout_response(
        &self,
        order: &CheckoutOrder<'_>,
        response: &RawResponse<'_>,
        nonce: &str,
        now: Timestamp,
    ) -> Result<StartedCheckout, CheckoutCallError>;

    /// Builds the request that closes a checkout. Pure, as [`Self::request`].
    ///
    /// # Errors
    ///
    /// [`QueryError::Unusable`] for a checkout that this provider cannot close.
    fn close_request(
        &self,
        checkout: &Checkout,
        nonce: &str,
        now: Timestamp,
    ) -> Result<RawRequest, QueryError>;

    /// Reads the response to it: accepted, or refused by a code after which the provider is asked what became
    /// of the checkout.
    ///
    /// # Errors
    ///
    /// [`QueryError`]: it may have been closed or not.
    fn close_response(
        &self,
        checkout: &Checkout,
        response: &RawResponse<'_>,
        now: Timestamp,
    ) -> Result<(), QueryError>;
}

impl Message<'_> {
    /// The notification of a response to a query, whose event id is `query.<state>.<what>`.
    pub(crate) fn into_queried(
        self,
        provider: Provider,
        state: &str,
        what: Option<&str>,
        body: &[u8],
    ) -> Notification {
        let id = match what {
            Some(what) => format!("query.{state}.{what}"),
            None => format!("query.{state}"),
        };
        let event_id = EventId::new(Some(&id), sha256(&[id.as_bytes()]));
        Notification { event_id, queried: true, ..self.notification(provider, body) }
    }
}

/// A response that reports one thing; what it names is the transaction, where it has one, or else the checkout.
pub(crate) fn respond(
    provider: Provider,
    state: ProviderState,
    message: Message<'_>,
    body: &[u8],
) -> QueryResponse {
    let txn = message.report.reference.txn.as_ref().map(|txn| txn.as_str().to_owned());
    let checkout = message.payment.zip(message.checkout);
    let checkout = checkout.map(|(payment, number)| CheckoutReference { payment, number });
    let what = txn.or_else(|| checkout.map(|reference| reference.to_string()));
    let notification = message.into_queried(provider, state.as_str(), what.as_deref(), body);
    let state = QueryState::Payment(state);
    QueryResponse { state, notifications: vec![notification], next: None }
}

/// A response that reports the refund of ours that was asked for; what it names is the provider's id of it.
///
/// # Errors
///
/// [`QueryError::Unusable`] where something of it could not be read.
pub(crate) fn respond_about_refund(
    provider: Provider,
    refund: RefundReference,
    message: Message<'_>,
    body: &[u8],
) -> Result<QueryResponse, QueryError> {
    let Message { report, review: None, .. } = &message else {
        return Err(unusable("a refund that cannot be read"));
    };
    let (Some(RefundReport::One { id, state, .. }), Some(_)) = (&report.refund, &report.currency)
    else {
        return Err(unusable("a refund without an id, an amount or a currency"));
    };
    let (id, state) = (id.clone(), *state);
    let message = Message { payment: Some(refund.payment()), ..message };
    let notification = message.into_queried(provider, state.as_str(), Some(id.as_str()), body);
    let state = QueryState::Refund(state);
    Ok(QueryResponse { state, notifications: vec![notification], next: None })
}

/// A response that the provider has no refund with our reference.
pub(crate) fn respond_no_refund(
    provider: Provider,
    refund: RefundReference,
    body: &[u8],
) -> QueryResponse {
    let (state, reference) = (QueryState::NoRefund, refund.to_string());
    let nothing = Message { payment: Some(refund.payment()), ..Message::unreadable(None) };
    let notification = nothing.into_queried(provider, state.as_str(), Some(&reference), body);
    QueryResponse { state, notifications: vec![notification], next: None }
}

/// Why a refund is ordered, where that was said.
pub(crate) fn reason<'a>(order: &RefundOrder<'a>) -> Option<&'a str> {
    order.refund.request.as_ref()?.reason.as_ref().map(RefundReason::as_str)
}

/// The JSON of a request, without the members that are not known.
pub(crate) fn written(mut content: Value) -> String {
    if let Some(members) = content.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    content.to_string()
}

/// The report that a refund which was ordered is in this state, where the provider has no id of it: our
/// reference stands for it.
///
/// # Errors
///
/// [`QueryError::Unusable`] for a reference that is too long to be an id; none is.
pub(crate) fn ordered(
    order: &RefundOrder<'_>,
    state: RefundState,
) -> Result<Message<'static>, QueryError> {
    let id = ProviderRefund::new(&order.reference.to_string());
    let id = id.map_err(|_out_of_range| unusable("a long reference"))?;
    let (amount_minor, reference) = (order.refund.amount_minor, Some(id.clone()));
    let report = Report {
        outcome: Some(Outcome::Refunded),
        refund: Some(RefundReport::One { id, reference, amount_minor, state }),
        reference: ProviderRef { txn: Some(order.txn.clone()), ..ProviderRef::NONE },
        amount_minor: None,
        currency: Some(order.paid.currency().code().to_owned()),
    };
    let payment = Some(order.reference.payment());
    Ok(Message { payment, report, ..Message::unreadable(None) })
}

/// That a refund is refused by a code of the provider's own list.
pub(crate) fn refused(
    provider: Provider,
    order: &RefundOrder<'_>,
    code: &str,
    body: &[u8],
) -> RefundCallError {
    let (state, reference) = (RefundState::Failed, order.reference.to_string());
    match ordered(order, state) {
        Ok(message) => {
            let report = message.into_queried(provider, state.as_str(), Some(&reference), body);
            RefundCallError::Refused { code: code.to_owned(), report: Box::new(report) }
        }
        Err(error) => error.into(),
    }
}

/// A response that proves nothing, and why.
pub(crate) fn unusable(why: &'static str) -> QueryError {
    QueryError::Unusable(why.into())
}

#[cfg(test)]
mod tests {
    use pay_core::domain::{
        Mismatch, MismatchField, Provider, ProviderRefund, RefundReference, RefundReport,
        RefundState, Report,
    };

    use super::respond_about_refund;
    use crate::adapter::Message;

    /// What a person must look at is not known.
    #[test]
    fn a_refund_for_review_says_nothing() {
        let ours = RefundReference::parse("42_0123456789abcdef").unwrap();
        let responded = |review| {
            let (id, state) = (ProviderRefund::new("re_1").unwrap(), RefundState::Succeeded);
            let refund = RefundReport::One { id, reference: None, amount_minor: 30, state };
            let currency = Some("CNY".to_owned());
            let report = Report { refund: Some(refund), currency, ..Report::NONE };
            let message = Message { review, report, ..Message::unreadable(None) };
            respond_about_refund(Provider::WeChat, ours, message, b"{}")
        };
        assert!(responded(None).is_ok());
        let review = Mismatch::absent(MismatchField::Refunded, Some("a part"));
        assert!(responded(Some(review)).is_err());
    }
}
