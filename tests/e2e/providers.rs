//! Payment providers' own messages, end to end, each by its own signature: what holds for all of
//! them is here, what only one of them does is in its file.

mod alipay;
mod any;
mod failures;
mod handler;
mod orders;
mod stripe;
mod vectors;
mod wechat;

use local::Stack;
use local::messages::{Message, Outcome, Signed};
use pay_providers::PaymentProvider;
use pay_service::http::Code;
use serde_json::{Value, json};

use crate::api::{self, Reply, Request, send_event};
use crate::stage::Payment;

/// What a provider reports of a payment.
fn message(payment: Payment, outcome: Outcome) -> Message {
    Message::new(payment.id, payment.amount, outcome)
}

/// A signed message, ready to be sent.
fn request<'a>(stack: &'a Stack, provider: PaymentProvider, signed: &Signed) -> Request<'a> {
    let request = api::post(stack, &format!("callback/{}", provider.as_str()));
    let add = |request: Request<'a>, (name, value): &(&str, String)| request.header(name, value);
    signed.headers.iter().fold(request, add).bytes(signed.body.clone())
}

/// The same as the event that the gateway makes of it: the body in base64.
fn event(provider: PaymentProvider, request: &Request<'_>) -> Value {
    let mut event = request.event();
    event["routeKey"] = json!("POST /api/pay/callback/{provider}");
    event["pathParameters"] = json!({"provider": provider.as_str()});
    event
}

async fn send_as_event(stack: &Stack, provider: PaymentProvider, request: &Request<'_>) -> Reply {
    send_event(stack, "callback", &event(provider, request)).await
}

/// Sends a message, which must be thanked for in the provider's own words.
async fn deliver(stack: &Stack, provider: PaymentProvider, message: &Message) {
    let signed = message.from(provider).unwrap();
    assert_thanked(provider, request(stack, provider, &signed).send().await);
}

#[track_caller]
fn assert_thanked(provider: PaymentProvider, reply: Reply) {
    match provider {
        PaymentProvider::Stripe => assert_eq!(reply.ok(), json!({})),
        PaymentProvider::WeChat => assert_eq!(reply.ok()["code"], "SUCCESS"),
        PaymentProvider::Alipay => assert_eq!(reply.text(), "success"),
    }
}

/// That a message was refused with this problem, in the provider's own words if it has any.
#[track_caller]
fn assert_refused(provider: PaymentProvider, reply: Reply, code: Code) {
    assert_eq!(reply.status, code.status().as_u16(), "{provider:?} {}", reply.body);
    match provider {
        PaymentProvider::Stripe | PaymentProvider::Alipay => {
            reply.problem(code.as_str());
        }
        PaymentProvider::WeChat => {
            assert_eq!(reply.body, json!({"code": "FAIL", "message": code.title()}));
        }
    }
}
