//! Makes a checkout, or fetches one that is there: the request, and what the response to it proves.
//!
//! Sources: docs.stripe.com/api "Create a `PaymentIntent`", "Create a Checkout Session", "Idempotent requests";
//! docs.stripe.com/error-codes; stripe-go `error.go`.

use std::borrow::Cow;

use pay_core::{
    domain::{CheckoutMethod, CheckoutReference, Provider, ProviderCheckout, WebUrl},
    json::{Json, Object},
    ports::{CheckoutAction, CheckoutCallError, CheckoutOrder, QueryError, StartedCheckout},
};

use super::{
    kind::ObjectKind,
    querier::{StripeQuerier, failure},
    reference,
    target::CheckoutObject,
};
use crate::{
    asked::of_our_account,
    encoding::form,
    query::{RawRequest, RawResponse, unusable},
};

/// The types of errors after which nothing was made by the request.
const REFUSED_TYPES: [&str; 2] = ["card_error", "invalid_request_error"];

/// A form of a request.
type FormFields<'a> = Vec<(&'static str, Cow<'a, str>)>;

/// The object that a checkout of a method is.
fn kind(method: CheckoutMethod) -> Result<ObjectKind, QueryError> {
    match method {
        CheckoutMethod::StripeCheckout => Ok(ObjectKind::Session),
        CheckoutMethod::StripeIntent => Ok(ObjectKind::Intent),
        CheckoutMethod::WeChatNative
        | CheckoutMethod::WeChatH5
        | CheckoutMethod::WeChatJsapi
        | CheckoutMethod::WeChatApp
        | CheckoutMethod::AlipayPage
        | CheckoutMethod::AlipayWap
        | CheckoutMethod::AlipayQr
        | CheckoutMethod::AlipayApp => Err(unusable("a checkout of another provider's")),
    }
}

impl StripeQuerier {
    /// The request that makes a checkout, whose reference is the idempotency key; or that fetches it, where
    /// its id is known.
    pub(super) fn order_checkout(
        &self,
        order: &CheckoutOrder<'_>,
    ) -> Result<RawRequest, QueryError> {
        let checkout = order.checkout;
        of_our_account(&checkout.account, &self.merchant)?;
        let kind = kind(checkout.parameters.method)?;
        if let Some(id) = &checkout.provider_id {
            return Ok(self.get(object(id, kind)?.path()));
        }
        let is_session = kind == ObjectKind::Session;
        let (fields, target) = if is_session {
            (session(order)?, "/v1/checkout/sessions")
        } else {
            (intent(order)?, "/v1/payment_intents")
        };
        let body = form(fields.iter().map(|(name, value)| (*name, value.as_ref())));
        Ok(self.post(target.to_owned(), body, Some(&checkout.reference.to_string())))
    }
}

/// A `PaymentIntent` has no expiry.
fn intent<'a>(order: &CheckoutOrder<'a>) -> Result<FormFields<'a>, QueryError> {
    let CheckoutReference { payment, number } = order.checkout.reference;
    Ok(vec![
        ("amount", amount(order)?.to_string().into()),
        ("currency", order.amount.currency().code().to_ascii_lowercase().into()),
        ("automatic_payment_methods[enabled]", "true".into()),
        ("description", order.checkout.parameters.description.as_str().into()),
        ("metadata[payment_id]", payment.to_string().into()),
        ("metadata[checkout]", number.to_string().into()),
        ("metadata[oid]", order.oid.to_string().into()),
    ])
}

/// The metadata of a session is not that of its `PaymentIntent`.
fn session<'a>(order: &CheckoutOrder<'a>) -> Result<FormFields<'a>, QueryError> {
    let CheckoutReference { payment, number } = order.checkout.reference;
    let payment: Cow<'_, str> = payment.to_string().into();
    let number: Cow<'_, str> = number.to_string().into();
    let oid: Cow<'_, str> = order.oid.to_string().into();
    let parameters = &order.checkout.parameters;
    let return_url = parameters.return_url.as_ref().map(WebUrl::as_str);
    let return_url = return_url.ok_or_else(|| unusable("a checkout without `return_url`"))?;
    let currency = order.amount.currency().code().to_ascii_lowercase();
    Ok(vec![
        ("mode", "payment".into()),
        ("line_items[0][price_data][currency]", currency.into()),
        ("line_items[0][price_data][product_data][name]", parameters.description.as_str().into()),
        ("line_items[0][price_data][unit_amount]", amount(order)?.to_string().into()),
        ("line_items[0][quantity]", "1".into()),
        ("success_url", return_url.into()),
        ("expires_at", order.checkout.expires_time.secs().to_string().into()),
        ("client_reference_id", payment.clone()),
        ("metadata[payment_id]", payment.clone()),
        ("metadata[checkout]", number.clone()),
        ("metadata[oid]", oid.clone()),
        ("payment_intent_data[metadata][payment_id]", payment),
        ("payment_intent_data[metadata][checkout]", number),
        ("payment_intent_data[metadata][oid]", oid),
    ])
}

/// The amount to pay in Stripe's unit.
fn amount(order: &CheckoutOrder<'_>) -> Result<u64, QueryError> {
    let (currency, minor) = (order.amount.currency(), order.amount.minor());
    let amount = Provider::Stripe.units(currency, minor);
    amount.ok_or_else(|| unusable("an amount that Stripe has no unit for"))
}

/// What the response to an order proves.
pub(super) fn read(
    order: &CheckoutOrder<'_>,
    response: &RawResponse<'_>,
) -> Result<StartedCheckout, CheckoutCallError> {
    let RawResponse { status, body, .. } = *response;
    match status {
        200 => started(order, body),
        // Another request with this key is being worked on.
        409 => {
            Err(QueryError::Unavailable("a request with our reference is in flight".into()).into())
        }
        400 | 402 if order.checkout.provider_id.is_none() => match refused_code(body) {
            Some(code) => Err(CheckoutCallError::Refused { code, is_absent: true }),
            None => Err(failure(status).into()),
        },
        _ => Err(failure(status).into()),
    }
}

/// The code of an error by which a checkout is refused, or else its type.
fn refused_code(body: &[u8]) -> Option<String> {
    let object = Object::parse_message(body)?;
    let error = object.object("error")?;
    let kind = error.text("type").filter(|kind| REFUSED_TYPES.contains(kind))?;
    let is_word = |code: &&str| {
        let in_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        (1..=64).contains(&code.len()) && code.bytes().all(in_word)
    };
    Some(error.text("code").filter(is_word).unwrap_or(kind).to_owned())
}

/// What an object lets the payer's program do, if it is the checkout that was ordered.
fn started(order: &CheckoutOrder<'_>, body: &[u8]) -> Result<StartedCheckout, CheckoutCallError> {
    let object = Object::parse_message(body).ok_or_else(|| unusable("not a JSON object"))?;
    let kind = kind(order.checkout.parameters.method)?;
    let known = order.checkout.provider_id.clone();
    let made = || object.text("id").and_then(|id| ProviderCheckout::new(id).ok());
    let id = known.or_else(made).ok_or_else(|| unusable("a checkout without an id"))?;
    let of_id = self::object(&id, kind)?;
    of_id.is(&object)?;
    is_ordered(order, &object, kind)?;
    let is_open = match (of_id, object.text("status")) {
        (CheckoutObject::Session(_), Some("open"))
        | (
            CheckoutObject::Intent(_),
            Some("requires_payment_method" | "requires_confirmation" | "requires_action"),
        ) => true,
        (CheckoutObject::Session(_), Some("complete" | "expired"))
        | (
            CheckoutObject::Intent(_),
            Some("processing" | "requires_capture" | "succeeded" | "canceled"),
        ) => false,
        _ => return Err(unusable("a checkout of an unknown `status`").into()),
    };
    if !is_open {
        return Err(CheckoutCallError::Ended);
    }
    let action = action(of_id, &object);
    let action = action.ok_or_else(|| unusable("a checkout without what it is paid with"))?;
    Ok(StartedCheckout { provider_id: Some(id), action })
}

/// What an object that can be paid lets the payer's program do.
fn action(of_id: CheckoutObject<'_>, object: &Object) -> Option<CheckoutAction> {
    let text = |name| object.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
    match of_id {
        CheckoutObject::Intent(_) => {
            let parameters = vec![("client_secret", text("client_secret")?)];
            Some(CheckoutAction::Client { parameters })
        }
        CheckoutObject::Session(_) => {
            let url = text("url").filter(|url| url.starts_with("https://"))?;
            Some(CheckoutAction::Redirect { url })
        }
    }
}

/// The object of an id, if it is of the kind of the method.
fn object(id: &ProviderCheckout, kind: ObjectKind) -> Result<CheckoutObject<'_>, QueryError> {
    let object = CheckoutObject::of(id)?;
    let is_of_method = object.kind() == kind;
    is_of_method.then_some(object).ok_or_else(|| unusable("an id of another method"))
}

/// Whether an object is of this checkout and of its amount.
fn is_ordered(
    order: &CheckoutOrder<'_>,
    object: &Object,
    kind: ObjectKind,
) -> Result<(), QueryError> {
    let CheckoutReference { payment, number } = order.checkout.reference;
    let named = reference::payment(object, kind).0 == Some(payment);
    let total = if kind == ObjectKind::Session { "amount_total" } else { "amount" };
    let currency = object.get("currency").and_then(Json::as_text);
    let is_amount = object.integer(total) == Some(amount(order)?)
        && currency.is_some_and(|of| of.eq_ignore_ascii_case(order.amount.currency().code()));
    let is_it = named && reference::checkout(object) == Some(number) && is_amount;
    is_it.then_some(()).ok_or_else(|| unusable("another checkout than was ordered"))
}
