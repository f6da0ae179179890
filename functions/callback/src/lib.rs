//! The edge of callback: `POST /api/pay/callback` for gateways of ours, the same by direct invoke,
//! `POST /api/pay/callback/{provider}` for payment providers, and reconcile by direct invoke.

mod native;
mod outcome;
mod provider;
mod reconcile;

use pay_core::{
    domain::{EventId, RawBody},
    ports::{Keys, Orders, PaymentStore, Users},
    usecases::callback::{CallbackError, Notice, Received, Telling, callback},
};
use pay_providers::WebhookKeys;
use pay_service::{
    auth::{AuthKey, CALLBACK_SCOPE, TokenRules},
    http::{Answer, ApiRequest, Door, Fields, Invocation, Refusal, sha256},
};
use serde_json::json;

use provider::{Taken, acknowledge, refuse, take, thanks};

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
/// [`pay_core::usecases::callback::CallbackError`].
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
    let notice = match &door {
        Door::Api(request) => {
            if let Some(name) = request.provider() {
                return from_provider(app, name, request, invocation).await;
            }
            let event_id = authenticate(app, request, &invocation).await?;
            native_notice(&request.json()?, event_id.as_deref(), request.body())?
        }
        Door::Direct(event) => {
            let body = event.get().as_bytes();
            let fields = Fields::parse(body)?;
            if let Some(request) = reconcile::requested(&fields) {
                return reconcile::run(app, request?, &invocation).await;
            }
            native_notice(&fields, None, body)?
        }
    };
    let received = settle(app, &notice, invocation).await?;
    // A gateway of ours sends it again, and the order is told then.
    if let Telling::Failed(error) = received.telling {
        return Err(Refusal::unavailable(error));
    }
    Ok(about(Answer::json(&json!({}))?, &notice))
}

/// Takes a provider's message, and answers in the provider's own words.
async fn from_provider<S, U, O, K, W>(
    app: &App<S, U, O, K, W>,
    name: &str,
    request: &ApiRequest,
    invocation: Invocation,
) -> Result<Answer, Refusal>
where
    S: PaymentStore,
    U: Users,
    O: Orders,
    W: Keys<WebhookKeys>,
{
    let provider = provider::named(name)?;
    let answer = async {
        match take(provider, request, &app.webhook_keys, &invocation).await? {
            Taken::Ignored(reason) => {
                tracing::info!(provider = name, reason, "message ignored");
                thanks(provider)
            }
            Taken::Notice(notice) => {
                let outcome = settle(app, &notice, invocation).await;
                Ok(about(acknowledge(provider, outcome)?, &notice))
            }
        }
    };
    answer.await.map_err(|refusal| refuse(provider, refusal))
}

/// Does what a message says, and logs what that was.
async fn settle<S: PaymentStore, U: Users, O: Orders, K, W>(
    app: &App<S, U, O, K, W>,
    notice: &Notice,
    Invocation { now, trace, .. }: Invocation,
) -> Result<Received, CallbackError> {
    let outcome = callback((&app.users, &app.orders), &app.store, notice, now, &trace).await;
    outcome::tell(notice, &outcome);
    outcome
}

fn about(answer: Answer, notice: &Notice) -> Answer {
    match notice.payment {
        Some(payment) => answer.about(payment),
        None => answer,
    }
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

fn native_notice(fields: &Fields, event_id: Option<&str>, body: &[u8]) -> Result<Notice, Refusal> {
    let digest = sha256(&[body]);
    native::notice(fields, EventId::new(event_id, digest), RawBody::new(body, digest))
}
