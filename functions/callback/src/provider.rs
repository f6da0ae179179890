//! Payment providers: each by its own signature, and thanked for what is durable.

use pay::{
    domain::{EventId, Money, Provider, RawBody, Source},
    http::{Answer, ApiRequest, Code, Invocation, Refusal, sha256},
    ports::Keys,
    usecases::callback::{CallbackError, Notice, Received},
    webhooks::{Message, Reading, WebhookKeys},
};
use serde_json::json;

/// What came of checking and reading a provider's message.
pub(crate) enum Taken {
    /// It is about a payment.
    Notice(Box<Notice>),
    /// Genuine, and nothing we act on: thanked at once.
    Ignored(Answer),
}

/// Checks and reads the message of the provider that the path names.
///
/// # Errors
///
/// [`Code::ProviderNotFound`], [`Code::BadSignature`], [`Code::Unavailable`] without keys.
pub(crate) async fn take(
    name: &str,
    request: &ApiRequest,
    keys: &impl Keys<WebhookKeys>,
    invocation: &Invocation,
) -> Result<Taken, Refusal> {
    match name {
        "stripe" => match request.stripe_webhook(keys, invocation.now).await? {
            Reading::Message(message) => {
                let notice = notice(Provider::Stripe, Source::STRIPE, message, request.body());
                Ok(Taken::Notice(Box::new(notice)))
            }
            Reading::Ignored(why) => {
                tracing::info!(provider = name, why, "message ignored");
                Ok(Taken::Ignored(thanks()?))
            }
        },
        _ => Err(Code::ProviderNotFound.into()),
    }
}

/// Thanks a provider once its message is durable, whatever became of it: sending it again would do
/// nothing that the work list and the quarantine do not.
///
/// # Errors
///
/// What sending it again helps: the store was down, or is not as it should be.
pub(crate) fn acknowledge(outcome: Result<Received, CallbackError>) -> Result<Answer, Refusal> {
    match outcome {
        Ok(_) | Err(CallbackError::Misfit(_) | CallbackError::NotTold(_)) => thanks(),
        Err(error @ (CallbackError::Unavailable(_) | CallbackError::Fault(_))) => Err(error.into()),
    }
}

/// Stripe takes any 2xx.
fn thanks() -> Result<Answer, Refusal> {
    Answer::json(&json!({}))
}

fn notice(provider: Provider, source: Source, message: Message, body: &[u8]) -> Notice {
    let digest = sha256(&[body]);
    Notice {
        provider,
        event_id: EventId::new(message.event_id.as_deref(), digest),
        payment: message.payment,
        claims: None,
        amount_minor: message.amount_minor,
        currency: message.currency,
        foreign: message.foreign,
        report: message.report,
        money: Money { source, txn: message.txn },
        body: RawBody::new(body, digest),
    }
}
