//! Closes a checkout: the request, and what the response to it proves.
//!
//! Sources: docs.stripe.com/api "Cancel a `PaymentIntent`", "Expire a Checkout Session".

use pay_core::{domain::Checkout, json::Object, ports::QueryError};

use super::{
    querier::{StripeQuerier, failure},
    target::CheckoutObject,
};
use crate::{
    asked::of_our_account,
    query::{RawRequest, RawResponse, unusable},
};

impl StripeQuerier {
    /// The request that closes a checkout. It has no idempotency key: a repeat must not get the first response.
    ///
    /// The `PaymentIntent` of a session cannot be cancelled, only the session.
    pub(super) fn order_close(&self, checkout: &Checkout) -> Result<RawRequest, QueryError> {
        of_our_account(&checkout.account, &self.merchant)?;
        let object = object(checkout)?;
        let verb = match object {
            CheckoutObject::Intent(_) => "cancel",
            CheckoutObject::Session(_) => "expire",
        };
        Ok(self.post(format!("{}/{verb}", object.path()), String::new(), None))
    }
}

/// What the response proves: that Stripe got the request, and no more. It refuses to close what is closed, paid or
/// being paid.
pub(super) fn read(checkout: &Checkout, response: &RawResponse<'_>) -> Result<(), QueryError> {
    let RawResponse { status, body, .. } = *response;
    match status {
        200 => {
            let closed = Object::parse_message(body);
            object(checkout)?.is(&closed.ok_or_else(|| unusable("not a JSON object"))?)
        }
        400 if is_refused(body) => Ok(()),
        _ => Err(failure(status)),
    }
}

fn object(checkout: &Checkout) -> Result<CheckoutObject<'_>, QueryError> {
    let unknown = || unusable("a checkout whose id at Stripe is not known");
    CheckoutObject::of(checkout.provider_id.as_ref().ok_or_else(unknown)?)
}

/// Whether it is refused. For a session Stripe has no code.
fn is_refused(body: &[u8]) -> bool {
    let object = Object::parse_message(body).unwrap_or_default();
    let kind = object.object("error").and_then(|error| error.text("type"));
    kind == Some("invalid_request_error")
}
