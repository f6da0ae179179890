//! Every answer that is described is one that somebody gets, but for those that are named here.
//!
//! That each answer fits the document, [`super::assert_described`] sees to, as for any other test.

use std::collections::BTreeSet;

use local::messages::{Message, Outcome};
use local::{Fault, Stack};
use pay_providers::PaymentProvider;
use serde_json::{Value, json};

use super::document::{document, members};
use super::{PROVIDER_ROUTE, path, slugs};
use crate::api::{self, Request};
use crate::stage::{Payment, fresh, own, payment, payment_in, report, user};
use crate::table;

const JSON: &str = "application/json";

/// What no request of a test causes: an answer of the gateway's own while it, or Lambda, is in
/// trouble, and an event that the gateway would not send.
fn uncaused() -> BTreeSet<(String, String)> {
    let everywhere = document().posts().into_iter().map(|(path, _)| (path, format!("429 {JSON}")));
    let troubled = ["create", "detail", "list", "callback"].into_iter().flat_map(|operation| {
        ["500", "503"].map(|status| (path(operation), format!("{status} {JSON}")))
    });
    let unread = [(PROVIDER_ROUTE.to_owned(), "invalid-request".to_owned())];
    everywhere.chain(troubled).chain(unread).collect()
}

/// Every answer that is described: a problem by its slug, any other by status and content type.
fn described() -> BTreeSet<(String, String)> {
    let mut described = BTreeSet::new();
    for (path, operation) in document().posts() {
        for (status, response) in members(&operation["responses"]) {
            for (kind, media) in members(&document().resolve(response)["content"]) {
                let slugs = slugs(&media["schema"]);
                assert_eq!(slugs.is_empty(), kind != "application/problem+json", "{path} {status}");
                let plain = slugs.is_empty().then(|| format!("{status} {kind}"));
                described.extend(slugs.into_iter().chain(plain).map(|what| (path.clone(), what)));
            }
        }
    }
    described
}

/// The answers that were given.
struct Seen<'a> {
    stack: &'a Stack,
    answers: BTreeSet<(String, String)>,
}

impl<'a> Seen<'a> {
    async fn send(&mut self, operation: &str, request: Request<'_>) {
        let answer = request.send().await;
        self.answers.insert((path(operation), answer.what()));
    }

    /// A request of whoever may make it.
    fn by(&self, operation: &str, uid: u64) -> Request<'a> {
        let request = api::post(self.stack, operation);
        if operation == "callback" { request.service() } else { request.payer(uid) }
    }

    async fn ask(&mut self, operation: &str, uid: u64, body: &Value) {
        self.send(operation, self.by(operation, uid).json(body)).await;
    }

    /// A message of each provider about a payment, as it is and without its signature.
    async fn providers(&mut self, payment: Payment) {
        for provider in PaymentProvider::ALL {
            let message = Message::new(payment.id, payment.amount, Outcome::Paid);
            let signed = message.from(provider).unwrap();
            let operation = format!("callback/{}", provider.as_str());
            let bare = || api::post(self.stack, &operation);
            let whole = signed.headers.iter();
            let whole = whole.fold(bare(), |request, (name, value)| request.header(name, value));
            let (whole, bare) = (whole.bytes(signed.body), bare().text("{}"));
            self.send(&operation, whole).await;
            self.send(&operation, bare).await;
        }
    }

    async fn whole_requests(&mut self, uid: u64) {
        for operation in ["create", "detail", "list", "callback"] {
            let by = || self.by(operation, uid);
            let nobody = api::post(self.stack, operation).json(&json!({}));
            let typed = by().bytes("{}").header("content-type", "text/plain");
            let (array, heavy) = (by().text("[]"), by().text("a".repeat(callback::BODY_MAX + 1)));
            for request in [nobody, typed, array, heavy, by().text("a".repeat(7 << 20))] {
                self.send(operation, request).await;
            }
        }
        let odd = "callback/nobody";
        self.send(odd, api::post(self.stack, odd)).await;
        for letters in [callback::BODY_MAX + 1, 7 << 20] {
            let heavy = api::post(self.stack, "callback/stripe").bytes("a".repeat(letters));
            self.send("callback/stripe", heavy).await;
        }
        for operation in ["create", "detail", "list"] {
            let service = api::post(self.stack, operation).service().json(&json!({}));
            self.send(operation, service).await;
        }
        let callback = || api::post(self.stack, "callback");
        self.send("callback", callback().payer(uid).json(&json!({}))).await;
        self.send("callback", callback().header("webhook-id", "a").json(&json!({}))).await;
    }

    async fn creates(&mut self, uid: u64) {
        let stack = self.stack;
        let order = |uid, oid, amount| json!({"uid": uid, "oid": oid, "amount": amount});
        let oid = stack.shop().add_order(uid, 100);
        let keyed = |amount| {
            let request = api::post(stack, "create").payer(uid).header("idempotency-key", "k");
            request.json(&order(uid, oid, amount))
        };
        for amount in [100, 100, 99] {
            self.send("create", keyed(amount)).await;
        }
        self.ask("create", uid, &order(uid, oid, 100)).await;
        let nobody = fresh();
        self.ask("create", nobody, &order(nobody, oid, 100)).await;
        self.ask("create", uid, &order(uid, 9_000_000_000, 100)).await;
        let (dear, settled) = (stack.shop().add_order(uid, 100), stack.shop().add_order(uid, 100));
        self.ask("create", uid, &order(uid, dear, 99)).await;
        let mut paid = stack.shop().order(settled).unwrap();
        paid.status = 1;
        stack.shop().put_order(paid);
        self.ask("create", uid, &order(uid, settled, 100)).await;
    }

    async fn reports(&mut self) {
        let pending = payment(self.stack).await;
        let paid = payment_in(self.stack, 1).await;
        let but = |name: &str, value: Value| {
            let mut message = pending.message(1, 1);
            message[name] = value;
            message
        };
        for message in [
            but("id", json!(fresh())),
            but("uid", json!(fresh())),
            but("oid", json!(9_000_000_000_u64)),
            but("amount", json!(99)),
            but("currency", json!("EUR")),
            paid.message(2, 1),
            pending.message(1, 1),
        ] {
            self.ask("callback", 1, &message).await;
        }
        report(self.stack, pending, 1, 1).await.ok();
    }

    /// A record without most of what it must have, and then no store at all.
    async fn troubles(&mut self) {
        let stack = self.stack;
        let Payment { id, uid, oid, .. } = payment(stack).await;
        let number = |number: u64| json!({"N": number.to_string()});
        let torn = json!({"pk": {"S": format!("pay#{id}")}, "sk": {"S": "record"},
            "id": number(id), "uid": number(uid), "oid": number(oid)});
        table::put(stack, torn).await;
        let broken = Payment { id, uid, oid, amount: 100 };
        self.all_routes(broken).await;
        for operation in ["GetItem", "Query uid-index", "TransactWriteItems"] {
            stack.dynamodb_control().set_fault(operation, Fault::Status(500), None);
        }
        self.all_routes(broken).await;
    }

    async fn all_routes(&mut self, payment: Payment) {
        self.ask("create", payment.uid, &payment.request()).await;
        self.ask("detail", payment.uid, &json!({"id": payment.id})).await;
        self.ask("list", payment.uid, &json!({})).await;
        self.ask("callback", payment.uid, &payment.message(1, 1)).await;
        self.providers(payment).await;
    }
}

#[tokio::test]
async fn every_answer_that_is_described_is_given() {
    let stack = own().await;
    let mut seen = Seen { stack: &stack, answers: BTreeSet::new() };
    let uid = user(&stack);
    seen.ask("detail", uid, &json!({"id": 1})).await;
    seen.whole_requests(uid).await;
    seen.creates(uid).await;
    seen.reports().await;
    seen.all_routes(payment(&stack).await).await;
    seen.troubles().await;
    let told: BTreeSet<_> = seen.answers.union(&uncaused()).cloned().collect();
    let described = described();
    // What is given is described: sending it has shown that.
    assert_eq!(told, described);
    assert!(uncaused().is_disjoint(&seen.answers), "{:?}", seen.answers);
}
