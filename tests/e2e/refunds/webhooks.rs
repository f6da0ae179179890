//! Refunds of which webhooks report: ours, and those that somebody makes in the provider's console.

use local::Stack;
use local::simulator::Webhook;
use local::simulator::ledger::Orders;
use pay_core::domain::Provider;
use serde_json::{Value, json};

use super::{given_back, paid, refund, sums};
use crate::echo::eventually;
use crate::stage::{Payment, own, shown};
use crate::sweep::sweep_all;
use crate::{payctl, table};

/// The provider's ids of the refunds of a payment, the first one first.
fn ids(stack: &Stack, provider: Provider, payment: Payment) -> Vec<String> {
    let refunds = stack.account(provider).unwrap().trade(payment.id).unwrap().refunds;
    refunds.into_iter().map(|refund| refund.id).collect()
}

/// An id of the provider's for a refund of this amount that somebody makes in its console.
fn in_console(provider: Provider, payment: Payment, amount: u64) -> String {
    let prefix = if provider == Provider::Stripe { "re_" } else { "50" };
    format!("{prefix}{}{amount}", payment.id)
}

/// Delivers each of these twice.
async fn deliver(stack: &Stack, provider: Provider, webhooks: &[Webhook]) {
    for webhook in webhooks {
        for _ in 0..2 {
            stack.account(provider).unwrap().send(webhook).await.unwrap();
        }
    }
}

/// The webhooks that are made meanwhile, none of which is delivered.
async fn lost<T>(
    stack: &Stack,
    provider: Provider,
    makes: impl Future<Output = T>,
) -> Vec<Webhook> {
    let account = stack.account(provider).unwrap();
    account.lose_webhooks(true);
    let before = account.webhooks().len();
    makes.await;
    eventually("the webhooks", || stack.faults().late() == 0).await;
    account.lose_webhooks(false);
    account.webhooks().split_off(before)
}

/// 23: accepted at first, and said to have succeeded later, twice.
#[tokio::test]
async fn a_refund_of_all_that_is_accepted_succeeds_by_its_webhook_once() {
    let stack = own().await;
    for &provider in Provider::ALL {
        let payment = paid(&stack, provider).await;
        let account = stack.account(provider).unwrap();
        account.refund_orders(Orders::Wait);
        let mut accepted = Value::Null;
        let early = lost(&stack, provider, async {
            accepted = refund(&stack, payment, None, "all").await.ok();
        });
        let early = early.await;
        assert_eq!(accepted["status"], "pending", "{provider:?}");
        deliver(&stack, provider, &early).await;
        assert_eq!(sums(&stack, payment).await, (0, 100), "{provider:?}");
        assert_eq!(shown(&stack, payment).await["status"], 1, "{provider:?}");

        let [id] = &ids(&stack, provider, payment)[..] else { panic!("{provider:?}") };
        let late = lost(&stack, provider, account.complete_refund(id)).await;
        assert_eq!(late.len(), 1, "{provider:?}");
        deliver(&stack, provider, &late).await;
        // Once more, what was said before it succeeded.
        deliver(&stack, provider, &early).await;
        let again = refund(&stack, payment, None, "all").await.ok();
        assert_eq!((&again["status"], &again["amount"]), (&json!("succeeded"), &json!(100)));
        let now = shown(&stack, payment).await;
        assert_eq!((&now["status"], &now["refunded"]), (&json!(4), &json!(100)), "{provider:?}");
        assert_eq!(sums(&stack, payment).await, (100, 0), "{provider:?}");
        assert_eq!(stack.shop().given_back(payment.oid), [100], "{provider:?}");
        assert_eq!(table::quarantined(&stack, payment.id).await, 0, "{provider:?}");
    }
    payctl::ok(&stack, &["audit"]).await;
}

/// 24, 25: 30 and 20 of 100, their webhooks in either order and twice: 50, whether a webhook reports one refund or
/// all that went back so far.
#[tokio::test]
async fn two_refunds_whose_webhooks_come_in_any_order_count_once_each() {
    let stack = own().await;
    for &provider in Provider::ALL {
        for is_reversed in [false, true] {
            for is_ours in [true, false] {
                let case = format!("{provider:?} {is_reversed} {is_ours}");
                let payment = paid(&stack, provider).await;
                let account = stack.account(provider).unwrap();
                account.refund_orders(Orders::Wait);
                let mut webhooks = lost(&stack, provider, async {
                    for (amount, key) in [(30, "a"), (20, "b")] {
                        if is_ours {
                            refund(&stack, payment, Some(amount), key).await.ok();
                            let id = ids(&stack, provider, payment).pop().unwrap();
                            account.complete_refund(&id).await.unwrap();
                        } else {
                            let id = in_console(provider, payment, amount);
                            account.refund(payment.id, amount, &id).await.unwrap();
                        }
                    }
                })
                .await;
                if is_reversed {
                    webhooks.reverse();
                }
                deliver(&stack, provider, &webhooks).await;
                let now = shown(&stack, payment).await;
                let found = (&now["status"], &now["refunded"]);
                assert_eq!(found, (&json!(1), &json!(50)), "{case}");
                // Alipay's total says nothing of one of ours that a later total has overtaken.
                sweep_all(&stack).await;
                sweep_all(&stack).await;
                assert_eq!(sums(&stack, payment).await, (50, 0), "{case}");
                assert_eq!(given_back(&stack, provider, payment), 50, "{case}");
                assert_eq!(table::quarantined(&stack, payment.id).await, 0, "{case}");
                if is_ours {
                    for (amount, key) in [(30, "a"), (20, "b")] {
                        let again = refund(&stack, payment, Some(amount), key).await.ok();
                        assert_eq!(again["status"], "succeeded", "{case} {key}");
                    }
                    let mut notified = stack.shop().given_back(payment.oid);
                    notified.sort_unstable();
                    assert_eq!(notified, [20, 30], "{case}");
                }
            }
        }
    }
    payctl::ok(&stack, &["audit"]).await;
}

/// 35: it counts like ours, and what is left is less. More than fits beside what is reserved waits for a person.
#[tokio::test]
async fn a_refund_that_somebody_makes_in_the_console_is_adopted() {
    let stack = own().await;
    for &provider in Provider::ALL {
        let payment = paid(&stack, provider).await;
        let account = stack.account(provider).unwrap();
        let id = in_console(provider, payment, 40);
        account.refund(payment.id, 40, &id).await.unwrap();
        assert_eq!(shown(&stack, payment).await["refunded"], 40, "{provider:?}");
        assert_eq!(sums(&stack, payment).await, (40, 0), "{provider:?}");
        let history = payctl::ok(&stack, &["history", &payment.id.to_string(), "--json"]).await;
        let history: Value = serde_json::from_str(&history).unwrap();
        let [adopted] = &history["refunds"].as_array().unwrap()[..] else { panic!("{history}") };
        assert_eq!(
            (&adopted["amount"], &adopted["state"]),
            (&json!(40), &json!("succeeded")),
            "{provider:?}"
        );
        refund(&stack, payment, Some(61), "a").await.problem("refund-exceeds-payment");
        refund(&stack, payment, Some(60), "b").await.ok();
        sweep_all(&stack).await;
        let now = shown(&stack, payment).await;
        assert_eq!((&now["status"], &now["refunded"]), (&json!(4), &json!(100)), "{provider:?}");
        assert_eq!(table::quarantined(&stack, payment.id).await, 0, "{provider:?}");
    }
    payctl::ok(&stack, &["audit"]).await;
}
