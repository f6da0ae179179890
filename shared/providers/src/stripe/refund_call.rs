//! Makes a refund: the request, and what the response to it proves.
//!
//! Sources: docs.stripe.com/api "Create a refund", "Idempotent requests"; docs.stripe.com/error-codes;
//! stripe-go `error.go`.

use std::borrow::Cow;

use pay_core::{
    domain::Provider,
    json::Object,
    ports::{QueryError, QueryResponse, RefundCallError, RefundOrder},
};

use super::{
    kept::Kept,
    querier::{StripeQuerier, failure},
    response,
    target::Target,
};
use crate::{
    encoding::form,
    query::{RawRequest, RawResponse, reason, refused, unusable},
};

/// The codes of errors after which no money went back by the request.
const REFUSED_CODES: [&str; 5] = [
    "amount_too_large",
    "balance_insufficient",
    "charge_already_refunded",
    "charge_disputed",
    "refund_disputed_payment",
];

impl StripeQuerier {
    /// The request that makes a refund. Our reference is the idempotency key, too: while Stripe knows it,
    /// for a day at least, a repeat gets the first response.
    pub(super) fn order_refund(&self, order: &RefundOrder<'_>) -> Result<RawRequest, QueryError> {
        let unknown = || unusable("a refund of something else than a PaymentIntent");
        let intent = Target::intent(order.txn).ok_or_else(unknown)?;
        let (currency, minor) = (order.paid.currency(), order.refund.amount_minor);
        let amount = Provider::Stripe.units(currency, minor);
        let amount = amount.ok_or_else(|| unusable("an amount that Stripe has no unit for"))?;
        let (reference, payment) = (order.reference.to_string(), order.reference.payment());
        let mut fields: Vec<(_, Cow<'_, str>)> = vec![
            ("payment_intent", intent.into()),
            ("amount", amount.to_string().into()),
            ("metadata[payment_id]", payment.to_string().into()),
            ("metadata[refund_id]", reference.as_str().into()),
        ];
        // Its own `reason` is one of three words.
        fields.extend(reason(order).map(|reason| ("metadata[reason]", reason.into())));
        let body = form(fields.iter().map(|(name, value)| (*name, value.as_ref())));
        Ok(self.post("/v1/refunds".to_owned(), body, Some(&reference)))
    }
}

/// What the response to an order proves.
pub(super) fn read(
    order: &RefundOrder<'_>,
    response: &RawResponse<'_>,
) -> Result<QueryResponse, RefundCallError> {
    let RawResponse { status, body, .. } = *response;
    match status {
        200 => Ok(response::made(order, body)?),
        // Another request with this key is being worked on.
        409 => {
            Err(QueryError::Unavailable("a request with our reference is in flight".into()).into())
        }
        400 | 402 => match refused_code(body) {
            Some(code) => Err(refused(Provider::Stripe, order, code, &Kept::of(body).whole())),
            None => Err(failure(status).into()),
        },
        _ => Err(failure(status).into()),
    }
}

/// The code of an error by which a refund is refused.
fn refused_code(body: &[u8]) -> Option<&'static str> {
    let object = Object::parse_message(body)?;
    let error = object.object("error")?;
    let Some(code) = error.get("code") else {
        // More than is left: some versions of the API have no code for it.
        let of_amount = error.text("param") == Some("amount");
        let kind = "invalid_request_error";
        return (of_amount && error.text("type") == Some(kind)).then_some(kind);
    };
    let code = code.as_text()?;
    REFUSED_CODES.iter().copied().find(|known| *known == code)
}
