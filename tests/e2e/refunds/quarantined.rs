//! Money in quarantine that goes back: a second payment of an order, too little, money that came late.

use local::simulator::ledger::Orders;
use local::{Fault, Stack};
use pay_core::domain::Provider;
use serde_json::{Value, json};

use super::{point, sums};
use crate::echo::eventually;
use crate::stage::{Payment, notify, own, payment, shown};
use crate::sweep::sweep_all;
use crate::{api, payctl};

/// How the money came that does not fit its payment.
#[derive(Debug, Clone, Copy)]
enum Came {
    /// Another provider had collected the payment.
    Twice,
    /// It is 99 of 100.
    Short,
    /// The payment was closed, and another one has its order.
    Late,
}

const CAME: [Came; 3] = [Came::Twice, Came::Short, Came::Late];

/// Money that a provider collected and that is in quarantine: its payment, how much it is, and the name of the
/// notification.
async fn quarantined(stack: &Stack, provider: Provider, came: Came) -> (Payment, u64, String) {
    let payment = payment(stack).await;
    let amount = match came {
        Came::Twice => {
            stack.account(other(provider)).unwrap().pay(payment.id, payment.amount).await.unwrap();
            payment.amount
        }
        Came::Short => 99,
        Came::Late => {
            notify(stack, payment, 1, 3).await.ok();
            let again = api::post(stack, "create").payer(payment.uid).json(&payment.request());
            assert_ne!(again.send().await.ok()["id"], payment.id);
            payment.amount
        }
    };
    stack.account(provider).unwrap().pay(payment.id, amount).await.unwrap();
    let [name] = &waiting(stack, payment).await[..] else { panic!("{provider:?} {came:?}") };
    (payment, amount, name.clone())
}

/// The provider that collects a payment first, where this one collects it as well.
fn other(provider: Provider) -> Provider {
    if provider == Provider::Stripe { Provider::Alipay } else { Provider::Stripe }
}

/// The notifications about a payment that wait for a person.
async fn waiting(stack: &Stack, payment: Payment) -> Vec<String> {
    let listed = payctl::ok(stack, &["quarantine", "list", "--json"]).await;
    let listed = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let names = listed.map(|row| row["event"].as_str().unwrap().to_owned());
    names.filter(|name| name.starts_with(&format!("{}/", payment.id))).collect()
}

async fn refund(stack: &Stack, name: &str, more: &[&str]) -> (i32, String) {
    let refund = ["quarantine", "refund", name, "--note", "paid twice", "--by", "ada"];
    payctl::run(stack, &[&refund[..], more].concat()).await
}

/// Decides that the one notification of a payment in quarantine is of money that goes back, and has nobody asked.
pub(crate) async fn given_back(stack: &Stack, payment: Payment) -> String {
    let [name] = &waiting(stack, payment).await[..] else { panic!("{payment:?}") };
    let decision = ["quarantine", "refund", name, "--note", "x", "--by", "ada"];
    let target = ["--endpoint", &stack.dynamodb, "--table", &stack.table];
    let (code, text) = payctl::anywhere(&[&decision[..], &target].concat()).await;
    assert!(code == 0 && text.contains("The next sweep asks the provider"), "{text}");
    name.clone()
}

/// The refund of a payment's money in quarantine, as the table has it.
pub(crate) async fn kept(stack: &Stack, payment: Payment) -> Value {
    let shown = payctl::ok(stack, &["history", &payment.id.to_string(), "--json"]).await;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let [refund] = &shown["refunds"].as_array().unwrap()[..] else { panic!("{shown}") };
    refund.clone()
}

/// Checks that exactly this money is back, in the provider's books and in ours, and that the payment is as it was.
async fn assert_back(
    stack: &Stack,
    provider: Provider,
    (payment, amount, name): (Payment, u64, &str),
    before: &Value,
) {
    let case = format!("{provider:?} {name}");
    let refund = kept(stack, payment).await;
    assert_eq!(
        (&refund["state"], &refund["amount"]),
        (&json!("succeeded"), &json!(amount)),
        "{case}"
    );
    assert_eq!(refund["quarantined"], name, "{case}");
    assert_eq!(refund.get("due"), None, "{case}");
    assert_eq!(super::given_back(stack, provider, payment), amount, "{case}");
    let trade = stack.account(provider).unwrap().trade(payment.id).unwrap();
    assert_eq!(trade.refunds.len(), 1, "{case}");
    assert_eq!(refund["provider_txn"], trade.transaction, "{case}");
    if let Some(first) = stack.account(other(provider)).unwrap().trade(payment.id) {
        assert_eq!(first.refunded(), 0, "{case}");
    }
    assert_eq!(sums(stack, payment).await, (0, 0), "{case}");
    let after = shown(stack, payment).await;
    for member in ["status", "source", "refunded"] {
        assert_eq!(after[member], before[member], "{case} {member}");
    }
    assert!(stack.shop().given_back(payment.oid).is_empty(), "{case}");
}

#[tokio::test]
async fn exactly_that_money_goes_back_once() {
    let stack = own().await;
    for &provider in Provider::ALL {
        for came in CAME {
            let (payment, amount, name) = quarantined(&stack, provider, came).await;
            let before = shown(&stack, payment).await;
            let (code, text) = refund(&stack, &name, &[]).await;
            assert_eq!(code, 0, "{provider:?} {came:?}: {text}");
            assert!(text.contains(&format!("{name} is refunded by ada; payment")), "{text}");
            let stands = if provider == Provider::WeChat { "pending" } else { "succeeded" };
            assert!(text.contains(&format!("of {amount}: ")), "{text}");
            assert!(text.contains(stands) || text.contains("succeeded"), "{text}");
            // WeChat Pay says later that it succeeded: by its webhook, or now that it is asked.
            let (code, text) = refund(&stack, &name, &[]).await;
            assert!(code == 0 && text.contains("succeeded"), "{provider:?} {came:?}: {text}");
            assert_back(&stack, provider, (payment, amount, &name), &before).await;
            // Again, by whomever, it is the same refund.
            let by_bob = ["quarantine", "refund", &name, "--note", "x", "--by", "bob", "--json"];
            let again: Value = serde_json::from_str(&payctl::ok(&stack, &by_bob).await).unwrap();
            let seen = (&again["decision"], &again["by"], &again["refund"]["status"]);
            assert_eq!(seen, (&json!("refunded"), &json!("ada"), &json!("succeeded")));
            assert_eq!(again["refund"]["amount"], amount);
            for decision in ["accept", "dismiss"] {
                let late = ["quarantine", decision, &name, "--note", "x", "--by", "bob"];
                let (code, text) = payctl::run(&stack, &late).await;
                assert!(
                    code == 1 && text.contains("it is decided already: refunded by ada"),
                    "{text}"
                );
            }
            // Whatever its provider says of that money from then on, nobody has to look at it again.
            sweep_all(&stack).await;
            assert_back(&stack, provider, (payment, amount, &name), &before).await;
            assert_eq!(waiting(&stack, payment).await, [""; 0], "{provider:?} {came:?}");
            let history = payctl::ok(&stack, &["history", &payment.id.to_string()]).await;
            assert!(history.contains("quarantined, refunded") && history.contains("paid twice"));
            assert!(history.contains("money of"), "{history}");
            let shown = payctl::ok(&stack, &["quarantine", "show", &name]).await;
            assert!(shown.contains("refunded by ada") && shown.contains("paid twice"), "{shown}");
        }
        let made = stack.account(provider).unwrap().calls(point(provider));
        assert_eq!(made, CAME.len(), "{provider:?}");
    }
    let audit = payctl::ok(&stack, &["audit"]).await;
    assert!(audit.contains("0 violations"), "{audit}");
}

/// What was decided is done whatever dies: before the call there is the sweep, and after it the reference.
#[tokio::test]
async fn a_refund_that_dies_after_its_decision_is_finished_by_the_sweep() {
    let stack = own().await;
    for &provider in Provider::ALL {
        let account = stack.account(provider).unwrap();
        // The operator's program has ended before it called anybody.
        let (payment, amount, name) = quarantined(&stack, provider, Came::Twice).await;
        let before = shown(&stack, payment).await;
        assert_eq!(given_back(&stack, payment).await, name);
        assert_eq!(kept(&stack, payment).await["state"], "requested");
        assert_eq!(super::given_back(&stack, provider, payment), 0);
        sweep_all(&stack).await;
        sweep_all(&stack).await;
        assert_back(&stack, provider, (payment, amount, &name), &before).await;

        for fault in [Fault::Hang, Fault::HangAfter] {
            let (payment, amount, name) = quarantined(&stack, provider, Came::Late).await;
            let before = shown(&stack, payment).await;
            account.lose_webhooks(true);
            account.set_fault(point(provider), fault, Some(1)).unwrap();
            let called = account.calls(point(provider));
            let ((code, text), ()) = tokio::join!(refund(&stack, &name, &[]), async {
                eventually("the call", || account.calls(point(provider)) > called).await;
                let instances = stack.instances();
                let of = instances.iter().find(|one| one.function == "callback").unwrap();
                stack.kill(of.pid).unwrap();
            });
            assert_eq!(code, 1, "{provider:?} {fault:?}: {text}");
            assert!(
                text.contains("is refunded by ada") && text.contains("the sweep goes on"),
                "{text}"
            );
            stack.faults().clear();
            account.lose_webhooks(true);
            eventually("the late effects", || stack.faults().late() == 0).await;
            assert_eq!(kept(&stack, payment).await["state"], "requested", "{provider:?} {fault:?}");
            sweep_all(&stack).await;
            sweep_all(&stack).await;
            assert_back(&stack, provider, (payment, amount, &name), &before).await;
            account.lose_webhooks(false);
        }
    }
    let audit = payctl::ok(&stack, &["audit"]).await;
    assert!(audit.contains("0 violations"), "{audit}");
}

/// The money stays where it is, and the operator is told what can be done.
#[tokio::test]
async fn what_the_provider_refuses_stays_there() {
    let stack = own().await;
    for (provider, code) in
        [(Provider::Stripe, "charge_disputed"), (Provider::Alipay, "ACQ.TRADE_HAS_FINISHED")]
    {
        let (payment, _, name) = quarantined(&stack, provider, Came::Twice).await;
        let account = stack.account(provider).unwrap();
        account.refund_orders(Orders::Refused(code.to_owned()));
        for _ in 0..2 {
            let (exit, text) = refund(&stack, &name, &[]).await;
            assert_eq!(exit, 3, "{provider:?}: {text}");
            assert!(text.contains("of 100: failed\n"), "{text}");
            assert!(text.contains("the money is still there"), "{text}");
            assert!(text.contains("provider's console"), "{text}");
            account.refund_orders(Orders::Succeed);
        }
        assert_eq!(kept(&stack, payment).await["state"], "failed", "{provider:?}");
        assert_eq!(
            (super::given_back(&stack, provider, payment), sums(&stack, payment).await),
            (0, (0, 0))
        );
    }
    let audit = payctl::ok(&stack, &["audit"]).await;
    assert!(audit.contains("0 violations"), "{audit}");
}
