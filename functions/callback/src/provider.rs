//! Payment providers: each by its own signature, and thanked in its own words for what is durable.

use pay_core::{
    domain::{EventId, Money, RawBody},
    ports::Keys,
    usecases::callback::{CallbackError, Notice, Received},
};
use pay_providers::{Message, PaymentProvider, Reading, WebhookKeys};
use pay_service::http::{Answer, ApiRequest, Code, Invocation, Refusal, sha256};
use serde_json::json;

/// What came of checking and reading a provider's message.
pub(crate) enum Taken {
    /// It is about a payment.
    Notice(Box<Notice>),
    /// Genuine, and nothing we act on; why, for the log.
    Ignored(&'static str),
}

/// The provider that a path names.
///
/// # Errors
///
/// [`Code::ProviderNotFound`].
pub(crate) fn named(name: &str) -> Result<PaymentProvider, Refusal> {
    PaymentProvider::named(name).ok_or_else(|| Code::ProviderNotFound.into())
}

/// Checks and reads a provider's message.
///
/// # Errors
///
/// [`ApiRequest::provider_webhook`].
pub(crate) async fn take(
    provider: PaymentProvider,
    request: &ApiRequest,
    keys: &impl Keys<WebhookKeys>,
    invocation: &Invocation,
) -> Result<Taken, Refusal> {
    Ok(match request.provider_webhook(provider, keys, invocation.now).await? {
        Reading::Message(message) => {
            Taken::Notice(Box::new(notice(provider, message, request.body())))
        }
        Reading::Ignored(why) => Taken::Ignored(why),
    })
}

/// Thanks a provider once its message is durable, whatever became of it: sending it again would do
/// nothing that the work list and the quarantine do not.
///
/// # Errors
///
/// What sending it again helps: the store was down, or is not as it should be.
pub(crate) fn acknowledge(
    provider: PaymentProvider,
    outcome: Result<Received, CallbackError>,
) -> Result<Answer, Refusal> {
    match outcome {
        Ok(_) | Err(CallbackError::Misfit(_)) => thanks(provider),
        Err(error @ (CallbackError::Unavailable(_) | CallbackError::Fault(_))) => Err(error.into()),
    }
}

/// What a provider takes for thanks.
///
/// # Errors
///
/// [`Answer::json`].
pub(crate) fn thanks(provider: PaymentProvider) -> Result<Answer, Refusal> {
    match provider {
        // Any 2xx.
        PaymentProvider::Stripe => Answer::json(&json!({})),
        // 200 or 204, whatever the body; older editions of its documentation want this one.
        PaymentProvider::WeChat => Answer::json(&json!({"code": "SUCCESS", "message": "OK"})),
        // These seven bytes, and nothing before or after them.
        PaymentProvider::Alipay => Ok(Answer::text("success")),
    }
}

/// A refusal in the words that a provider knows; most look at the status alone.
pub(crate) fn refuse(provider: PaymentProvider, refusal: Refusal) -> Refusal {
    match provider {
        PaymentProvider::Stripe | PaymentProvider::Alipay => refusal,
        PaymentProvider::WeChat => {
            refusal.in_form(|code| json!({"code": "FAIL", "message": code.title()}).to_string())
        }
    }
}

fn notice(provider: PaymentProvider, message: Message, body: &[u8]) -> Notice {
    let digest = sha256(&[body]);
    Notice {
        provider: provider.sender(),
        event_id: EventId::new(message.event_id.as_deref(), digest),
        payment: message.payment,
        claims: None,
        amount_minor: message.amount_minor,
        currency: message.currency,
        foreign: message.foreign,
        report: message.report,
        money: Money { source: provider.source(), txn: message.txn },
        body: RawBody::new(body, digest),
    }
}
