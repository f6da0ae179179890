//! Whole events for each handler, over a store and a shop in memory.

use lambda_runtime::Diagnostic;
use local::events::{Filling, fill};
use pay_core::domain::{Amount, Currency, OrderId, PaymentId, Provider, UserId};
use pay_core::json::{Json, Object};
use pay_core::ports::TraceParent;
use pay_core::testing::{FakeProviders, FakeShop, FakeStore, Gate, SeededIds, block_on};
use pay_core::usecases::create::{CreatePayment, create as create_payment};
use pay_providers::{Acknowledgement, adapter};
use pay_service::auth::TokenRules;
use pay_service::http::{Code, FunctionError, Reply, serve};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::NOW_SECS;
use crate::handlers::{self, Fixed, World, at, invocation};
use crate::keys::{AUTH_KEY, WEBHOOK_KEYS};

thread_local! {
    pub(crate) static RUNTIME: Runtime = Builder::new_current_thread().enable_time().build().unwrap();
}

fn cny() -> Currency {
    Currency::new("CNY").unwrap()
}

/// User 1 has the orders 1 and 2, of 100 each; order 1 has payment 42, order 2 has none.
fn world() -> World {
    let gate = Gate::default();
    let (store, shop) = (FakeStore::behind(gate.clone()), FakeShop::behind(gate));
    let uid = UserId::new(1).unwrap();
    let oid = |oid| OrderId::new(oid).unwrap();
    shop.sells(uid, oid(1), 100);
    shop.sells(uid, oid(2), 100);
    let ids = SeededIds::new(0);
    ids.first([PaymentId::new(42).unwrap()]);
    let amount = Amount::new(100, cny()).unwrap();
    let wanted =
        CreatePayment { uid, oid: oid(1), amount, key: None, queried: false, time_to_live: None };
    let trace = TraceParent::start(1, 1);
    block_on(create_payment((&shop, &shop), (&store, &ids), wanted, at(NOW_SECS), &trace)).unwrap();
    let auth_keys = Fixed::new(Some(AUTH_KEY.clone()));
    World { store, shop, auth_keys, webhook_keys: Fixed::new(Some(WEBHOOK_KEYS.clone())) }
}

pub(crate) fn callback(input: &[u8]) {
    each(input, async |event| handlers::callback(world(), event, NOW_SECS).await);
}

/// Judges the reply to the event as it is, and to what its placeholders make of it.
fn each(input: &[u8], reply: impl AsyncFn(Box<RawValue>) -> Result<Reply, FunctionError>) {
    let reply = |event| RUNTIME.with(|runtime| runtime.block_on(reply(event)));
    judge(input, reply);
    if let Some(event) = filled(input) {
        judge(&event, reply);
    }
}

/// The event with its placeholders filled: fresh tokens, and signatures over the body as it is.
fn filled(input: &[u8]) -> Option<Vec<u8>> {
    let ids = [("pending_id", 42), ("paid_id", 42), ("closed_id", 43), ("free_oid", 2)];
    let values = ids.map(|(name, id)| (name.to_owned(), id.to_string())).into();
    let filling = Filling { now_secs: NOW_SECS, values, ..Filling::default() };
    let text = String::from_utf8_lossy(input);
    // A changed length may be huge.
    let fillable = text.contains("{{") && !text.contains("{{filler:");
    fillable
        .then(|| fill(&text, &filling).ok())
        .flatten()
        .map(|event| event.to_string().into_bytes())
}

pub(crate) fn create(input: &[u8]) {
    let World { store, shop, auth_keys, .. } = world();
    let app = create::CreateApp {
        store,
        users: shop.clone(),
        orders: shop,
        providers: FakeProviders::default(),
        ids: SeededIds::new(1),
        auth_keys,
        rules: TokenRules::default(),
        currency: cny(),
        queried: false,
        notify_urls: Vec::new(),
        time_to_live: None,
    };
    each(input, async |event| {
        let handle = |entry_point, invocation| app.handle(entry_point, invocation);
        serve(invocation(event, NOW_SECS), || at(NOW_SECS), create::BODY_MAX, handle).await
    });
}

pub(crate) fn detail(input: &[u8]) {
    let World { store, auth_keys, .. } = world();
    let app = detail::DetailApp { store, auth_keys, rules: TokenRules::default() };
    each(input, async |event| {
        let handle = |entry_point, invocation| app.handle(entry_point, invocation);
        serve(invocation(event, NOW_SECS), || at(NOW_SECS), detail::BODY_MAX, handle).await
    });
}

/// Asserts that the reply to an event is one that its entry point has.
///
/// The runtime rejects bytes that are not JSON, so they never get this far.
fn judge(input: &[u8], reply: impl FnOnce(Box<RawValue>) -> Result<Reply, FunctionError>) {
    let Ok(event) = serde_json::from_slice::<Box<RawValue>>(input) else {
        return;
    };
    let reply = reply(event);
    let event = Object::parse(input);
    if event.as_ref().and_then(|event| event.get("requestContext")).is_some_and(is_something) {
        let responds = matches!(reply, Ok(Reply::Api(_) | Reply::Other(_)));
        assert!(responds, "no response to the API: {reply:?}");
    }
    match reply {
        Ok(Reply::Api(response)) => judge_response(&serde_json::to_value(response).unwrap()),
        Ok(Reply::Other(response)) => judge_other(serde_json::to_value(response).unwrap()),
        Ok(Reply::Direct(response)) => assert!(Json::parse(response.get().as_bytes()).is_some()),
        Err(error) => {
            let code = error.code();
            assert_ne!(code, Code::Internal, "a panic, or a fault of the fakes");
            let Diagnostic { error_type, error_message } = error.into();
            assert_eq!(error_type, code.as_str());
            assert_problem(&error_message, code);
        }
    }
}

fn is_something(value: &Json) -> bool {
    // Numbers that we do not use are read like null.
    *value != Json::Other
}

/// The response to another kind of API: as an HTTP API's but for the form of its headers.
fn judge_other(mut response: Value) {
    if let Some(lists) = response["multiValueHeaders"].as_object() {
        response["headers"] =
            lists.iter().map(|(name, one)| (name.clone(), one[0].clone())).collect();
    }
    assert_eq!(response["statusCode"], 400, "{response}");
    judge_response(&response);
}

fn judge_response(response: &Value) {
    let body = response["body"].as_str().unwrap();
    let kind = response["headers"]["content-type"].as_str().unwrap();
    let status = response["statusCode"].as_u64().unwrap();
    let known = |code: &&Code| u64::from(code.status().as_u16()) == status;
    let mut known = Code::ALL.iter().filter(known);
    assert!((200..600).contains(&status) && status != 410, "{response}");
    match (status, kind) {
        (200, "text/plain") => {
            let mut texts = Provider::ALL.iter().map(|one| adapter(*one).acknowledgement);
            let own = texts.any(|own| matches!(own, Acknowledgement::Text(text) if text == body));
            assert!(own, "{response}");
        }
        (200, "application/json") => {
            assert!(Object::parse(body.as_bytes()).is_some(), "{response}");
        }
        (_, "application/problem+json") => {
            let slug =
                |code: &&Code| body.contains(&format!("urn:problem:pay:{}\"", code.as_str()));
            let code = known.find(slug).unwrap_or_else(|| panic!("no such problem: {response}"));
            assert_ne!(*code, Code::Internal, "a panic, or a fault of the fakes");
            assert_problem(body, *code);
        }
        // A provider's own form of an error.
        (_, "application/json") => {
            let forms = || Provider::ALL.iter().filter_map(|one| adapter(*one).rejection);
            let form = |code: &&Code| forms().any(|write| write(code.title()) == body);
            let code = known.find(form).unwrap_or_else(|| panic!("no such problem: {response}"));
            assert_ne!(*code, Code::Internal, "a panic, or a fault of the fakes");
        }
        _ => panic!("not a response of ours: {response}"),
    }
}

fn assert_problem(problem: &str, code: Code) {
    let problem: Value = serde_json::from_str(problem).unwrap();
    assert_eq!(problem["type"], format!("urn:problem:pay:{}", code.as_str()));
    assert_eq!(problem["title"], code.title());
    assert_eq!(
        (&problem["status"], &problem["code"]),
        (&json!(code.status().as_u16()), &json!(code.number()))
    );
}
