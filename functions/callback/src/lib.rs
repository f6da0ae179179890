//! The handler of callback: `POST /api/pay/callback` for gateways of the shop's own and the same by
//! direct invoke, `POST /api/pay/callback/{provider}` for payment providers, and the sweep by direct
//! invoke.

mod native;
mod query;
mod refund;
mod sweep;

use pay_core::{
    domain::{EventId, Notification, Provider, RawBody, Sender, TimeToLive},
    ports::{Keys, Orders, Outbox, Payments, Providers, Users},
    usecases::{
        apply::{Applied, ApplyError, OrderNotification, apply},
        query::{QueryPorts, follow},
    },
};
use pay_providers::{Adapter, Verified, WebhookKeys, adapter};
use pay_service::{
    auth::{AuthKey, CALLBACK_SCOPE, REFUND_SCOPE, TokenRules},
    http::{
        ApiRequest, Code, EntryPoint, Fields, IDEMPOTENCY_HEADER, Invocation, Problem, Response,
        sha256,
    },
    outcome,
};
use serde_json::json;

pub use pay_service::limits::NOTIFICATION_MAX_BYTES as BODY_MAX;

pay_service::operations! {
    /// Applies a notification of a gateway of the shop's own.
    Callback: Some("callback"), Some("POST /api/pay/callback");
    /// Applies a notification of a payment provider.
    ProviderCallback: None, Some("POST /api/pay/callback/{provider}");
    /// Gives money of a payment back at its provider.
    Refund: Some("refund"), Some("POST /api/pay/refund");
    /// Does what is due.
    Sweep: Some("sweep"), None;
    /// Asks providers about a payment.
    Query: Some("query"), None;
}

/// What the function works with.
#[derive(Debug)]
pub struct CallbackApp<S, U, O, P, K, W> {
    /// The store of payments.
    pub store: S,
    /// The shop's users.
    pub users: U,
    /// The shop's orders.
    pub orders: O,
    /// The payment providers.
    pub providers: P,
    /// The keys that services' tokens are signed with.
    pub auth_keys: K,
    /// The keys that notifications are signed with.
    pub webhook_keys: W,
    /// What else a token must say.
    pub rules: TokenRules,
    /// Whether a service's token may stand for a signature on the native route.
    pub tokens: bool,
    /// How long a payment can be paid, where that is limited.
    pub time_to_live: Option<TimeToLive>,
}

impl<S, U, O, P, K, W> CallbackApp<S, U, O, P, K, W>
where
    S: Payments + Outbox,
    U: Users,
    O: Orders,
    P: Providers,
    K: Keys<AuthKey>,
    W: Keys<WebhookKeys>,
{
    /// Responds to one request.
    ///
    /// # Errors
    ///
    /// [`Problem`]: signature or token, media type, JSON, ranges, then [`ApplyError`].
    pub async fn handle(
        &self,
        entry_point: EntryPoint,
        invocation: Invocation,
    ) -> Result<Response, Problem> {
        // Each operation is boxed: else every request would have the size of the largest, the sweep, and
        // be copied at that size.
        match &entry_point {
            EntryPoint::HttpApi(request) => {
                match Operation::of_request(request)? {
                    Operation::ProviderCallback => {
                        let name = request.provider().unwrap_or_default();
                        Box::pin(self.provider(name, request, invocation)).await
                    }
                    Operation::Refund => {
                        let (keys, rules) = (&self.auth_keys, &self.rules);
                        request.service(keys, rules, REFUND_SCOPE, invocation.now).await?;
                        let (fields, key) = (request.json()?, request.header(IDEMPOTENCY_HEADER)?);
                        let request = refund::read(&fields, key, Sender::Native, request.body())?;
                        let wanted = refund::WantedRefund::Keyed(request);
                        Box::pin(refund::run(&self.query_ports(), &wanted, &invocation)).await
                    }
                    // The others have no route.
                    Operation::Callback | Operation::Sweep | Operation::Query => {
                        let event_id = self.authenticate(request, &invocation).await?;
                        let fields = request.json()?;
                        let (id, body) = (event_id.as_deref(), request.body());
                        Box::pin(self.native(&fields, id, body, invocation)).await
                    }
                }
            }
            EntryPoint::Direct(event) => {
                let body = event.get().as_bytes();
                let fields = Fields::parse(body)?;
                match Operation::of_fields(&fields)?.unwrap_or(Operation::Callback) {
                    Operation::Callback | Operation::ProviderCallback => {
                        Box::pin(self.native(&fields, None, body, invocation)).await
                    }
                    Operation::Refund => {
                        let wanted = refund::read_direct(&fields, body)?;
                        Box::pin(refund::run(&self.query_ports(), &wanted, &invocation)).await
                    }
                    Operation::Sweep => {
                        let request = (sweep::read(&fields)?, self.time_to_live);
                        Box::pin(sweep::run(&self.query_ports(), request, &invocation)).await
                    }
                    Operation::Query => {
                        Box::pin(query::run(&self.query_ports(), &fields, &invocation)).await
                    }
                }
            }
        }
    }

    /// Applies a notification of a gateway of the shop's own.
    async fn native(
        &self,
        fields: &Fields,
        event_id: Option<&str>,
        body: &[u8],
        invocation: Invocation,
    ) -> Result<Response, Problem> {
        let digest = sha256(&[body]);
        let event_id = EventId::new(event_id, digest);
        let notification = native::read(fields, event_id, RawBody::new(body, digest))?;
        let applied = self.apply(&notification, invocation).await?;
        // The gateway sends it again, and the order service is notified then.
        if let OrderNotification::Failed(error) = applied.order_notification {
            return Err(Problem::unavailable(error));
        }
        Ok(about(Response::json(&json!({}))?, &notification))
    }

    /// Applies a notification of a payment provider, and responds in the provider's own form.
    ///
    /// Once the notification is durable the provider gets its success response, whatever it did: a
    /// redelivery would do nothing that the sweep and the quarantine do not.
    async fn provider(
        &self,
        name: &str,
        request: &ApiRequest,
        invocation: Invocation,
    ) -> Result<Response, Problem> {
        let provider = Provider::new(name).map_err(|_unknown| Code::ProviderNotFound)?;
        let adapter = adapter(provider);
        let response = async {
            match request.provider_webhook(provider, &self.webhook_keys, invocation.now).await? {
                Verified::Ignored(reason) => {
                    outcome::ignored(provider, reason);
                    acknowledged(adapter)
                }
                Verified::Notification(notification) => {
                    let applied = self.apply(&notification, invocation).await.map(drop);
                    durable(applied)?;
                    Ok(about(acknowledged(adapter)?, &notification))
                }
                Verified::Hint(notification, query) => {
                    let Invocation { now, trace, .. } = invocation;
                    let ports = self.query_ports();
                    let hint = (&*notification, query);
                    let followed = follow(&ports, hint, &outcome::record, now, &trace);
                    durable(Box::pin(followed).await)?;
                    Ok(about(acknowledged(adapter)?, &notification))
                }
            }
        };
        response.await.map_err(|problem: Problem| match adapter.rejection {
            Some(rejection) => problem.in_form(rejection),
            None => problem,
        })
    }

    const fn query_ports(&self) -> QueryPorts<'_, U, O, S, P> {
        let Self { users, orders, store, providers, .. } = self;
        QueryPorts { users, orders, store, providers }
    }

    /// Applies a notification, and logs what it did.
    async fn apply(
        &self,
        notification: &Notification,
        Invocation { now, trace, .. }: Invocation,
    ) -> Result<Applied, ApplyError> {
        let shop = (&self.users, &self.orders);
        let outcome = apply(shop, &self.store, notification, now, &trace).await;
        outcome::record(notification, &outcome);
        outcome
    }

    /// The id of the message, if it is signed; a token without a signature has none.
    ///
    /// Where a header of the signature scheme is there, or tokens are off, the signature alone decides.
    async fn authenticate(
        &self,
        request: &ApiRequest,
        invocation: &Invocation,
    ) -> Result<Option<String>, Problem> {
        if request.is_signed() || !self.tokens {
            return request.standard_webhook(&self.webhook_keys, invocation.now).await.map(Some);
        }
        let (keys, rules) = (&self.auth_keys, &self.rules);
        request.service(keys, rules, CALLBACK_SCOPE, invocation.now).await?;
        Ok(None)
    }
}

/// Whether what a notification did is durable, also where a person decides: then it need not come again.
fn durable(applied: Result<(), ApplyError>) -> Result<(), ApplyError> {
    match applied {
        Ok(()) | Err(ApplyError::Mismatch(_) | ApplyError::NotOurs) => Ok(()),
        Err(error @ ApplyError::Failed(_)) => Err(error),
    }
}

fn acknowledged(adapter: &Adapter) -> Result<Response, Problem> {
    Response::acknowledgement(adapter.acknowledgement)
}

fn about(response: Response, notification: &Notification) -> Response {
    match notification.payment {
        Some(payment) => response.about(payment),
        None => response,
    }
}

#[cfg(test)]
mod tests {
    use super::Operation;

    #[test]
    fn routes_and_names_are_those_of_the_contract() {
        let all = Operation::ALL.iter().map(|operation| (operation.name(), operation.route()));
        let contract = [
            (Some("callback"), Some("POST /api/pay/callback")),
            (None, Some("POST /api/pay/callback/{provider}")),
            (Some("refund"), Some("POST /api/pay/refund")),
            (Some("sweep"), None),
            (Some("query"), None),
        ];
        assert!(all.eq(contract));
    }
}
