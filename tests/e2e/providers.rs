//! Payment providers' own notifications, end to end, each by its own signature: what holds for all of
//! them is here, what only one of them does is in its file.

mod alipay;
mod failures;
mod orders;
mod stripe;
mod vectors;
mod wechat;

use local::messages::{Message, Outcome};
use local::simulator::simulator;
use local::{Stack, clock};
use pay_core::domain::Provider;
use pay_providers::{Acknowledgement, adapter};
use pay_service::http::Code;
use serde_json::{Value, json};

use crate::api::{Reply, Request, from_provider as request, send_event};
use crate::stage::Payment;

/// A provider's message about a payment.
pub(crate) fn message(payment: Payment, outcome: Outcome) -> Message {
    Message::new(payment.id, payment.amount, outcome)
}

/// A provider's message about a refund of a part: of this much, or of this total so far.
pub(crate) fn refund(payment: Payment, amount: u64) -> Message {
    Message::refund(payment.id, payment.amount, amount)
}

/// The event that API Gateway makes of a request: the body in base64.
fn event(provider: Provider, request: &Request<'_>) -> Value {
    let mut event = request.event();
    event["routeKey"] = json!(callback::Operation::ProviderCallback.route());
    event["pathParameters"] = json!({"provider": provider.as_str()});
    event
}

async fn send_as_event(stack: &Stack, provider: Provider, request: &Request<'_>) -> Reply {
    send_event(stack, "callback", &event(provider, request)).await
}

/// Sends a message, which must be acknowledged.
async fn deliver(stack: &Stack, provider: Provider, message: &Message) {
    deliver_edited(stack, provider, message, |_| ()).await;
}

/// The same, with what it says changed.
pub(crate) async fn deliver_edited(
    stack: &Stack,
    provider: Provider,
    message: &Message,
    edit: impl FnOnce(&mut Value),
) {
    let signed = message.edited(provider, edit).unwrap();
    assert_acknowledged(provider, request(stack, provider, &signed).send().await);
}

/// Sends this body, signed, which must be acknowledged.
async fn deliver_bytes(stack: &Stack, provider: Provider, body: &[u8]) {
    let signed = simulator(provider).sign(None, "nonce", clock::now_secs(), body).unwrap();
    assert_acknowledged(provider, request(stack, provider, &signed).send().await);
}

/// Checks that a provider got the success response that its adapter has, byte for byte.
#[track_caller]
fn assert_acknowledged(provider: Provider, reply: Reply) {
    match adapter(provider).acknowledgement {
        Acknowledgement::Json(text) => {
            assert_eq!(reply.raw, text, "{provider:?}");
            reply.ok();
        }
        Acknowledgement::Text(text) => {
            assert_eq!(reply.raw, text, "{provider:?}");
            reply.text();
        }
    }
}

/// Checks that a message was rejected with this problem, in the provider's own form if it has one.
#[track_caller]
fn assert_rejected(provider: Provider, reply: Reply, code: Code) {
    assert_eq!(reply.status, code.status().as_u16(), "{provider:?} {}", reply.body);
    match adapter(provider).rejection {
        None => drop(reply.problem(code.as_str())),
        Some(write) => assert_eq!(reply.raw, write(code.title()), "{provider:?}"),
    }
}
