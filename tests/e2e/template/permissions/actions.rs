//! Everything that the functions do to the table, and everything that may come.

use std::collections::BTreeSet;

use local::messages::{Message, Outcome};
use local::{Action, Fault, ShopRoute, Stack};
use pay_core::domain::{
    Checkout, CheckoutMethod, CheckoutState, Event, Guard, OpenId, PayerIp, Provider,
    ProviderCheckout, RefundState, Status, Verdict, WebUrl,
};
use pay_core::ports::Payments as _;
use pay_core::testing::a_checkout;
use pay_core::testing::contract::fresh::{Fresh, amount_mismatch, at, refunding};
use pay_core::testing::contract::refunds::{one, reports};
use pay_service::adapters::dynamodb::DynamoDbPayments;
use serde_json::{Value, json};

use super::super::schedule_input;
use crate::checkouts::{ago, calm, close, deaf, reference, started};
use crate::providers::{deliver_edited, message, refund};
use crate::refunds::quarantined;
use crate::stage::{self, Payment, meanwhile, notify, order, payment};
use crate::store::dynamo;
use crate::{api, checkouts, table};

/// Everything that create can do to the table: payments, checkouts of each kind, and closes of what is paid,
/// refunded or quarantined by then, or meanwhile.
pub(super) async fn create(stack: &Stack) -> BTreeSet<Action> {
    let [first, second] = [creates(stack).await, checks_out(stack).await];
    first.into_iter().chain(second).chain(closes_late(stack).await).collect()
}

/// Closes of a payment that another caller closes or refunds while the provider is asked.
async fn closes_late(stack: &Stack) -> BTreeSet<Action> {
    let (closed, back) = (payment(stack).await, payment(stack).await);
    let [stripe, alipay] = [Provider::Stripe, Provider::Alipay].map(|of| deaf(stack, of));
    started(stack, back, CheckoutMethod::StripeIntent).await;
    drop(stack.dynamodb_control().take_actions());
    let mut done = Watched { stack, done: BTreeSet::new() };
    let late = async {
        done.aside(async {
            notify(stack, closed, 1, 3).await.ok();
            alipay.pay(closed.id, closed.amount).await.unwrap();
        })
        .await;
    };
    assert_eq!(meanwhile(stack, "alipay:query", close(stack, closed), late).await.0, 1);
    let late = async {
        done.aside(async {
            stripe.lose_webhooks(false);
            stripe.pay_checkout(&reference(back, 1)).await.unwrap();
            stripe.lose_webhooks(true);
            stripe.set_fault("stripe:make-refund", Fault::LoseResponse, Some(1)).unwrap();
            let refund = json!({"id": back.id, "amount": 5, "reason": "broken"});
            let refund = api::authorized(stack, "refund", back.uid).json(&refund).send().await.ok();
            assert_eq!(refund["status"], "requested");
        })
        .await;
    };
    let point = "stripe:payment-intent";
    assert_eq!(meanwhile(stack, point, close(stack, back), late).await.0, 1);
    assert_eq!(stage::shown(stack, back).await["refunded"], 5);
    for account in [stripe, alipay] {
        account.lose_webhooks(false);
    }
    done.aside(async {}).await;
    done.done
}

async fn checks_out(stack: &Stack) -> BTreeSet<Action> {
    let (closed, absent) = (payment(stack).await, payment(stack).await);
    let (paid, back, other) = (payment(stack).await, payment(stack).await, payment(stack).await);
    let short = payment(stack).await;
    let stripe = deaf(stack, Provider::Stripe);
    drop(stack.dynamodb_control().take_actions());
    let mut done = Watched { stack, done: BTreeSet::new() };
    started(stack, closed, CheckoutMethod::StripeCheckout).await;
    done.aside(calm(stack, closed, 1)).await;
    started(stack, closed, CheckoutMethod::WeChatH5).await;
    done.aside(calm(stack, closed, 2)).await;
    started(stack, closed, CheckoutMethod::WeChatJsapi).await;
    assert_eq!(close(stack, closed).await, 3);
    started(stack, absent, CheckoutMethod::AlipayPage).await;
    done.aside(ago(stack, absent, 1, "expires_time", 600)).await;
    assert_eq!(close(stack, absent).await, 0);
    for one in [paid, back, other] {
        started(stack, one, CheckoutMethod::StripeIntent).await;
        stripe.pay_checkout(&reference(one, 1)).await.unwrap();
    }
    assert_eq!(close(stack, paid).await, 1);
    stripe.refund(back.id, 30, "re_console").await.unwrap();
    assert_eq!(close(stack, back).await, 1);
    assert_eq!(stage::shown(stack, back).await["refunded"], 30);
    let pk = format!("pay#{}", other.id);
    done.aside(table::set(stack, &pk, "record", "amount", json!({"N": "99"}))).await;
    assert_eq!(close(stack, other).await, 0);
    // Money that does not fit, which goes back: a close finds out that it did.
    stripe.pay(short.id, 99).await.unwrap();
    assert_eq!(close(stack, short).await, 0);
    done.aside(async {
        quarantined::given_back(stack, short).await;
        stripe.set_fault("stripe:make-refund", Fault::LoseResponse, Some(1)).unwrap();
        stack.invoke("callback", &json!({"operation": "sweep", "all": true})).await.unwrap();
        assert_eq!(quarantined::kept(stack, short).await["state"], "requested");
    })
    .await;
    close(stack, short).await;
    done.aside(async {
        assert_eq!(quarantined::kept(stack, short).await["state"], "succeeded");
        stripe.lose_webhooks(false);
    })
    .await;
    done.done
}

/// What functions do, but for what a test does itself meanwhile.
struct Watched<'a> {
    stack: &'a Stack,
    done: BTreeSet<Action>,
}

impl Watched<'_> {
    async fn aside(&mut self, own: impl Future<Output = ()>) {
        self.done.extend(self.stack.dynamodb_control().take_actions());
        own.await;
        drop(self.stack.dynamodb_control().take_actions());
    }
}

/// Everything that a create does.
async fn creates(stack: &Stack) -> BTreeSet<Action> {
    let (uid, _, keyed) = order(stack);
    stage::create(stack, uid, &keyed).await.ok();
    let first = payment(stack).await;
    let again = || api::post(stack, "create").payer(first.uid).json(&first.request());
    again().send().await.problem("payment-exists");
    let made = stack.dynamodb_control().take_actions();
    notify(stack, first, 1, 3).await.ok();
    drop(stack.dynamodb_control().take_actions());
    again().send().await.ok();
    made.into_iter().chain(stack.dynamodb_control().take_actions()).collect()
}

/// Everything that detail can do.
pub(super) async fn detail(stack: &Stack) -> BTreeSet<Action> {
    let Payment { id, uid, oid, .. } = payment(stack).await;
    drop(stack.dynamodb_control().take_actions());
    for request in [json!({"id": id}), json!({"oid": oid})] {
        api::post(stack, "detail").payer(uid).json(&request).send().await.ok();
    }
    api::post(stack, "list").payer(uid).json(&json!({})).send().await.ok();
    stack.dynamodb_control().take_actions()
}

/// Everything that callback can do: notifications that change the record, that only append an event,
/// that wait for a person, and that name no payment of ours; refunds of every kind; and the sweep as the
/// schedule invokes it.
pub(super) async fn callback(stack: &Stack) -> BTreeSet<Action> {
    let (one, other) = (payment(stack).await, payment(stack).await);
    let (third, fourth) = (payment(stack).await, payment(stack).await);
    let (unknown, absent) = (payment(stack).await, payment(stack).await);
    begun(stack, unknown, absent).await;
    drop(stack.dynamodb_control().take_actions());
    // Closed, paid after all, a late failure, refunded.
    for status in [3, 1, 2, 4] {
        notify(stack, one, 1, status).await.ok();
    }
    let send = async |payment: Payment, status: u64, txn: &str| {
        let mut body = payment.native(3, status);
        body["provider_txn"] = json!(txn);
        body["currency"] = json!("CNY");
        api::post(stack, "callback").json(&body).signed().send().await
    };
    send(Payment { amount: 99, ..other }, 1, "pi_9").await.problem("amount-mismatch");
    stack.shop().set_fault(ShopRoute::OrderPaid, Fault::Status(500), None);
    send(other, 1, "pi_1").await.problem("unavailable");
    // Once more, while it is due: rescheduled, then notified.
    for notified in [0, 1] {
        let swept = stack.invoke("callback", &json!({"operation": "sweep", "all": true})).await;
        assert_eq!(swept.unwrap()["notified"], notified);
        stack.shop().clear_faults();
    }
    send(other, 1, "pi_2").await.problem("status-conflict");
    // One by one, once without a reference of ours; and as a total.
    let by_wechat = async |message: Message, edit: fn(&mut Value)| {
        deliver_edited(stack, Provider::WeChat, &message, edit).await;
    };
    by_wechat(message(third, Outcome::Paid), |_| ()).await;
    by_wechat(refund(third, 25), |_| ()).await;
    by_wechat(refund(third, 30), |content| content["resource"]["out_trade_no"] = json!("till-7"))
        .await;
    assert_eq!(stage::shown(stack, third).await["refunded"], 55);
    let mut total = third.native(2, 1);
    total["refunded"] = json!(60);
    api::post(stack, "callback").json(&total).signed().send().await.ok();
    assert_eq!(stage::shown(stack, third).await["refunded"], 60);
    // One that the shop asks for, of which it is notified.
    stack.account(Provider::Stripe).unwrap().pay(fourth.id, fourth.amount).await.unwrap();
    let refund = json!({"id": fourth.id, "amount": 5, "reason": "broken"});
    let refund = api::authorized(stack, "refund", fourth.uid).json(&refund).send().await.ok();
    assert_eq!(refund["status"], "succeeded");
    // It is paid once more, and that goes back.
    stack.account(Provider::Alipay).unwrap().pay(fourth.id, fourth.amount).await.unwrap();
    let mut done = Watched { stack, done: BTreeSet::new() };
    done.aside(async { drop(quarantined::given_back(stack, fourth).await) }).await;
    stack.invoke("callback", &json!({"operation": "sweep", "all": true})).await.unwrap();
    // A checkout whose outcome is not known, and one of which Alipay has nothing; a gateway closes both.
    for one in [unknown, absent] {
        notify(stack, one, 1, 3).await.ok();
    }
    let nobodys = Payment { id: 1, ..one };
    send(nobodys, 1, "pi_3").await.problem("payment-not-found");
    let swept = stack.invoke("callback", &schedule_input()).await.unwrap();
    assert!(swept["notified"].is_u64(), "{swept}");
    done.aside(async {}).await;
    done.done
}

/// Begins two checkouts: one at Stripe whose response is lost, and one that nobody begins at Alipay.
async fn begun(stack: &Stack, unknown: Payment, absent: Payment) {
    let stripe = stack.account(Provider::Stripe).unwrap();
    stripe.set_fault("stripe:make-checkout", Fault::LoseResponse, Some(1)).unwrap();
    let asked = checkouts::request(unknown, CheckoutMethod::StripeIntent);
    checkouts::checkout(stack, unknown, &asked).await.problem("unavailable");
    started(stack, absent, CheckoutMethod::AlipayPage).await;
    ago(stack, absent, 1, "expires_time", 600).await;
}

/// Values with everything that they may have, written through the adapter as far as a function writes them:
/// by create alone, and by callback and create.
pub(super) async fn whole(stack: &Stack) -> [BTreeSet<Action>; 2] {
    let client = dynamo::client(&stack.dynamodb, dynamo::PATIENT);
    let store = DynamoDbPayments::new(client, &stack.table);
    let fresh = Fresh::default();
    drop(stack.dynamodb_control().take_actions());
    let payment = fresh.due_after(300_000);
    let guard = Guard::of(&payment, Some(fresh.digest()));
    store.create(&payment, &guard, None).await.unwrap();
    let mut checkout = a_checkout(payment.id, 1, CheckoutMethod::WeChatH5, at(1));
    checkout.parameters.return_url = WebUrl::new("https://shop.example/").ok();
    checkout.parameters.openid = OpenId::new("o").ok();
    checkout.parameters.payer_ip = PayerIp::new("192.0.2.1").ok();
    let begun = fresh.changed(&store, &payment, &payment.beginning(&checkout, at(1))).await;
    let creates = stack.dynamodb_control().take_actions();
    let open = Checkout {
        state: CheckoutState::Open,
        provider_id: ProviderCheckout::new("cs_1").ok(),
        absent_time: Some(at(2)),
        ..checkout.clone()
    };
    assert!(store.change_checkout(&checkout, &open).await.unwrap());
    store.end_checkout(open.reference, CheckoutState::Ended, at(3)).await.unwrap();
    fresh.changed(&store, &begun, &begun.begin_closing(at(4))).await;
    for status in [Status::Failed, Status::Closed, Status::Paid, Status::Refunded] {
        let record = store.payment(payment.id).await.unwrap().unwrap();
        let record = fresh.moved(&store, &record, status).await;
        if status == Status::Paid {
            let part = one("re_1", 25, RefundState::Succeeded);
            let change = refunding(&store, &record, &part, at(20)).await;
            fresh.changed(&store, &record, &change).await;
        }
    }
    for report in reports() {
        store.append(&Event { report, ..fresh.event(&payment) }).await.unwrap();
    }
    let event = fresh.event(&payment);
    let checkout = Some(open.reference.number);
    store.append(&Event { checkout, ..fresh.event(&payment) }).await.unwrap();
    let mismatch = Some(amount_mismatch());
    let quarantined = Event { verdict: Verdict::Quarantined, mismatch, ..event };
    store.append(&quarantined).await.unwrap();
    let both = stack.dynamodb_control().take_actions();
    store.append(&Event { payment: None, ..quarantined }).await.unwrap();
    let unmatched = stack.dynamodb_control().take_actions();
    let callback = both.iter().cloned().chain(unmatched).collect();
    [creates.into_iter().chain(both).collect(), callback]
}
