//! Every described response is one that a request gets, but for the exceptions named here.
//!
//! [`super::assert_described`] checks that each response matches the document, as in any other test.

use std::collections::BTreeSet;

use local::messages::{Message, Outcome};
use local::simulator::ledger::Orders;
use local::{Fault, Stack};
use pay_core::domain::Provider;
use serde_json::{Value, json};

use super::document::{document, members};
use super::{path, provider_path, slugs};
use crate::api::{self, Request};
use crate::operations;
use crate::stage::{Payment, fresh, notify, own, payment, payment_in, user};
use crate::table;

const JSON: &str = "application/json";

/// The responses that no request of a test causes: API Gateway's own while it, or Lambda, fails, and one
/// to an event that API Gateway would not send.
fn not_caused() -> BTreeSet<(String, String)> {
    let everywhere = document().posts().into_iter().map(|(path, _)| (path, format!("429 {JSON}")));
    let own = operations::on_both_entry_points().into_iter();
    let failing = own.flat_map(|operation| {
        ["500", "503"].map(|status| (path(operation), format!("{status} {JSON}")))
    });
    let unread = [(provider_path().to_owned(), "invalid-request".to_owned())];
    everywhere.chain(failing).chain(unread).collect()
}

/// Every described response: a problem by its slug, any other by status and content type.
fn described() -> BTreeSet<(String, String)> {
    let mut described = BTreeSet::new();
    for (path, operation) in document().posts() {
        for (status, response) in members(&operation["responses"]) {
            for (kind, media) in members(&document().resolve(response)["content"]) {
                let slugs = slugs(media);
                assert_eq!(slugs.is_empty(), kind != "application/problem+json", "{path} {status}");
                let plain = slugs.is_empty().then(|| format!("{status} {kind}"));
                described.extend(slugs.into_iter().chain(plain).map(|what| (path.clone(), what)));
            }
        }
    }
    described
}

/// The responses so far.
struct Observed<'a> {
    stack: &'a Stack,
    responses: BTreeSet<(String, String)>,
}

impl<'a> Observed<'a> {
    async fn send(&mut self, operation: &str, request: Request<'_>) {
        let response = request.send().await;
        self.responses.insert((path(operation), response.kind()));
    }

    /// A request by a caller who may make it.
    fn by(&self, operation: &str, uid: u64) -> Request<'a> {
        api::authorized(self.stack, operation, uid)
    }

    async fn send_json(&mut self, operation: &str, uid: u64, body: &Value) {
        self.send(operation, self.by(operation, uid).json(body)).await;
    }

    /// A message of each provider about a payment, as it is and without its signature.
    async fn providers(&mut self, payment: Payment) {
        for &provider in Provider::ALL {
            let message = Message::new(payment.id, payment.amount, Outcome::Paid);
            let signed = message.from(provider).unwrap();
            let operation = format!("callback/{}", provider.as_str());
            self.send(&operation, api::from_provider(self.stack, provider, &signed)).await;
            self.send(&operation, api::post(self.stack, &operation).text("{}")).await;
        }
    }

    async fn whole_requests(&mut self, uid: u64) {
        for operation in operations::on_both_entry_points() {
            let by = || self.by(operation, uid);
            let anonymous = api::post(self.stack, operation).json(&json!({}));
            let typed = by().bytes("{}").header("content-type", "text/plain");
            let (array, heavy) = (by().text("[]"), by().text("a".repeat(callback::BODY_MAX + 1)));
            for request in [anonymous, typed, array, heavy, by().text("a".repeat(7 << 20))] {
                self.send(operation, request).await;
            }
        }
        let odd = "callback/no-such-provider";
        self.send(odd, api::post(self.stack, odd)).await;
        for letters in [callback::BODY_MAX + 1, 7 << 20] {
            let heavy = api::post(self.stack, "callback/stripe").bytes("a".repeat(letters));
            self.send("callback/stripe", heavy).await;
        }
        for operation in operations::of_payers() {
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
        self.send_json("create", uid, &order(uid, oid, 100)).await;
        let unknown = fresh();
        self.send_json("create", unknown, &order(unknown, oid, 100)).await;
        self.send_json("create", uid, &order(uid, 9_000_000_000, 100)).await;
        let (higher, paid_order) =
            (stack.shop().add_order(uid, 100), stack.shop().add_order(uid, 100));
        self.send_json("create", uid, &order(uid, higher, 99)).await;
        let mut paid = stack.shop().order(paid_order).unwrap();
        paid.status = 1;
        stack.shop().put_order(paid);
        self.send_json("create", uid, &order(uid, paid_order, 100)).await;
    }

    async fn notifications(&mut self) {
        let pending = payment(self.stack).await;
        let paid = payment_in(self.stack, 1).await;
        let with = |name: &str, value: Value| {
            let mut native = pending.native(1, 1);
            native[name] = value;
            native
        };
        for native in [
            with("id", json!(fresh())),
            with("uid", json!(fresh())),
            with("oid", json!(9_000_000_000_u64)),
            with("amount", json!(99)),
            with("currency", json!("EUR")),
            paid.native(2, 1),
            pending.native(1, 1),
        ] {
            self.send_json("callback", 1, &native).await;
        }
        notify(self.stack, pending, 1, 1).await.ok();
    }

    /// A refund that is made, and everything that stands in the way of one.
    async fn refunds(&mut self) {
        let stack = self.stack;
        let (pending, paid) = (payment(stack).await, payment(stack).await);
        let account = stack.account(Provider::Stripe).unwrap();
        account.pay(paid.id, paid.amount).await.unwrap();
        let payer = api::post(stack, "refund").payer(paid.uid).json(&json!({}));
        self.send("refund", payer).await;
        let of = |id: u64, amount: u64| json!({"id": id, "amount": amount});
        for amount in [30, 31] {
            let request = api::post(stack, "refund").refunder().header("idempotency-key", "k");
            self.send("refund", request.json(&of(paid.id, amount))).await;
        }
        for body in [of(fresh(), 1), of(pending.id, 1), of(paid.id, 71)] {
            self.send_json("refund", 1, &body).await;
        }
        account.refund_orders(Orders::Refused("charge_disputed".to_owned()));
        self.send_json("refund", 1, &of(paid.id, 1)).await;
    }

    /// A checkout that is made, one that is refused, and what cannot be paid or is not there.
    async fn checkouts(&mut self) {
        let stack = self.stack;
        let (pending, paid) = (payment(stack).await, payment_in(stack, 1).await);
        let of = |id: u64| json!({"id": id, "provider": "stripe", "method": "intent"});
        self.send_json("checkout", pending.uid, &of(pending.id)).await;
        self.send_json("checkout", paid.uid, &of(paid.id)).await;
        for operation in ["checkout", "close"] {
            self.send_json(operation, pending.uid, &of(fresh())).await;
        }
        let refused = payment(stack).await;
        let account = stack.account(Provider::Stripe).unwrap();
        account.refuse_checkouts(Some("amount_too_small"));
        self.send_json("checkout", refused.uid, &of(refused.id)).await;
        account.refuse_checkouts(None);
    }

    /// With a malformed record, and then without a store.
    async fn failures(&mut self) {
        let stack = self.stack;
        let Payment { id, uid, oid, .. } = payment(stack).await;
        let number = |number: u64| json!({"N": number.to_string()});
        let malformed = json!({"pk": {"S": format!("pay#{id}")}, "sk": {"S": "record"},
            "id": number(id), "uid": number(uid), "oid": number(oid)});
        table::put(stack, malformed).await;
        let broken = Payment { id, uid, oid, amount: 100 };
        self.all_routes(broken).await;
        // A list leaves out the malformed record; its own query has to be rejected.
        stack.dynamodb_control().set_fault("Query uid-index", Fault::Status(400), None);
        self.send_json("list", uid, &json!({})).await;
        for operation in ["GetItem", "Query uid-index", "TransactWriteItems"] {
            stack.dynamodb_control().set_fault(operation, Fault::Status(500), None);
        }
        self.all_routes(broken).await;
    }

    async fn all_routes(&mut self, payment: Payment) {
        self.send_json("create", payment.uid, &payment.request()).await;
        let checkout = json!({"id": payment.id, "provider": "alipay", "method": "page"});
        self.send_json("checkout", payment.uid, &checkout).await;
        self.send_json("close", payment.uid, &json!({"id": payment.id})).await;
        self.send_json("detail", payment.uid, &json!({"id": payment.id})).await;
        self.send_json("list", payment.uid, &json!({})).await;
        self.send_json("callback", payment.uid, &payment.native(1, 1)).await;
        self.send_json("refund", payment.uid, &json!({"id": payment.id})).await;
        self.providers(payment).await;
    }
}

#[tokio::test]
async fn every_described_response_is_given() {
    let stack = own().await;
    let mut observed = Observed { stack: &stack, responses: BTreeSet::new() };
    let uid = user(&stack);
    observed.send_json("detail", uid, &json!({"id": 1})).await;
    observed.whole_requests(uid).await;
    observed.creates(uid).await;
    observed.notifications().await;
    observed.refunds().await;
    observed.checkouts().await;
    observed.all_routes(payment(&stack).await).await;
    observed.failures().await;
    let expected: BTreeSet<_> = observed.responses.union(&not_caused()).cloned().collect();
    assert_eq!(expected, described());
    assert!(not_caused().is_disjoint(&observed.responses), "{:?}", observed.responses);
}
