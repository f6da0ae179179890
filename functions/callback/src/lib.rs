//! The edge of callback: `POST /api/pay/callback` for gateways of ours, the same by direct invoke,
//! and `POST /api/pay/callback/{provider}` for payment providers.

mod native;
mod provider;

use pay::{
    auth::{AuthKey, CALLBACK_SCOPE, TokenRules},
    domain::{EventId, RawBody},
    http::{Answer, ApiRequest, Door, Invocation, Refusal, sha256},
    json::Object,
    ports::{Keys, Orders, PaymentStore, Users},
    usecases::callback::{CallbackError, Notice, Received, Telling, callback},
    webhooks::WebhookKeys,
};
use serde_json::json;

use provider::{Taken, acknowledge, take};

/// How many bytes a message may have. Providers' messages are a few KB; the suites of webhook
/// libraries go up to 1 MiB.
pub const BODY_MAX: usize = 1024 * 1024;

/// What the function works with.
#[derive(Debug)]
pub struct App<S, U, O, K, W> {
    /// Where payments are kept.
    pub store: S,
    /// The shop's users.
    pub users: U,
    /// The shop's orders.
    pub orders: O,
    /// What services' tokens are signed with.
    pub auth_keys: K,
    /// What messages are signed with.
    pub webhook_keys: W,
    /// What else a token must say.
    pub rules: TokenRules,
}

/// Answers one request.
///
/// # Errors
///
/// [`Refusal`]: signature or token, media type, JSON, ranges, then
/// [`pay::usecases::callback::CallbackError`].
pub async fn handle<S, U, O, K, W>(
    app: &App<S, U, O, K, W>,
    door: Door,
    invocation: Invocation,
) -> Result<Answer, Refusal>
where
    S: PaymentStore,
    U: Users,
    O: Orders,
    K: Keys<AuthKey>,
    W: Keys<WebhookKeys>,
{
    let provider = match &door {
        Door::Api(request) => request.provider(),
        Door::Direct(_) => None,
    };
    let notice = match read(app, &door, &invocation).await? {
        Taken::Notice(notice) => notice,
        Taken::Ignored(answer) => return Ok(answer),
    };
    let Invocation { now, trace } = invocation;
    let outcome = callback((&app.users, &app.orders), &app.store, &notice, now, &trace).await;
    log(&notice, &outcome);
    let answer = if provider.is_some() {
        acknowledge(outcome)?
    } else {
        outcome?;
        Answer::json(&json!({}))?
    };
    Ok(match notice.payment {
        Some(payment) => answer.about(payment),
        None => answer,
    })
}

/// Checks a message by its route's rule, and reads it.
async fn read<S, U, O, K: Keys<AuthKey>, W: Keys<WebhookKeys>>(
    app: &App<S, U, O, K, W>,
    door: &Door,
    invocation: &Invocation,
) -> Result<Taken, Refusal> {
    let notice = match door {
        Door::Api(request) => {
            if let Some(name) = request.provider() {
                return take(name, request, &app.webhook_keys, invocation).await;
            }
            let event_id = authenticate(app, request, invocation).await?;
            native_notice(&request.json()?, event_id.as_deref(), request.body())?
        }
        Door::Direct(event) => {
            let body = event.get().as_bytes();
            native_notice(&Object::body(body)?, None, body)?
        }
    };
    Ok(Taken::Notice(Box::new(notice)))
}

/// Whether a gateway of ours sent it; the id of the message, if it is signed.
///
/// Where a header of the signature scheme is there, the signature alone decides.
async fn authenticate<S, U, O, K: Keys<AuthKey>, W: Keys<WebhookKeys>>(
    app: &App<S, U, O, K, W>,
    request: &ApiRequest,
    invocation: &Invocation,
) -> Result<Option<String>, Refusal> {
    let signed = request.standard_webhook(&app.webhook_keys, invocation.now).await?;
    if signed.is_none() {
        request.service(&app.auth_keys, &app.rules, CALLBACK_SCOPE, invocation.now).await?;
    }
    Ok(signed)
}

fn native_notice(fields: &Object, event_id: Option<&str>, body: &[u8]) -> Result<Notice, Refusal> {
    let digest = sha256(&[body]);
    native::notice(fields, EventId::new(event_id, digest), RawBody::new(body, digest))
}

/// What became of a message, beside the line of the invocation.
fn log(notice: &Notice, outcome: &Result<Received, CallbackError>) {
    let provider = notice.provider.as_str();
    let event_id = notice.event_id.as_str();
    let payment_id = notice.payment.map(pay::domain::PaymentId::get);
    match outcome {
        Ok(received) => {
            let verdict = received.verdict.as_str();
            tracing::info!(provider, event_id, payment_id, verdict, "message taken");
            if let Telling::Uncleared(error) = &received.telling {
                tracing::warn!(payment_id, %error, "order told, and will be told again");
            }
        }
        Err(CallbackError::Misfit(misfit)) => {
            let reason = misfit.as_str();
            tracing::warn!(provider, event_id, payment_id, reason, "message quarantined");
        }
        Err(CallbackError::NotTold(error)) => {
            tracing::error!(provider, event_id, payment_id, %error, "order not told yet");
        }
        // The line of the invocation says why.
        Err(CallbackError::Unavailable(_) | CallbackError::Fault(_)) => {}
    }
}
