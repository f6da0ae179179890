//! Refunds whose provider accepts another key of the shop from one try to the next.

use local::simulator::ShopKey;
use local::{Fault, Stack, defaults};
use pay_core::domain::Provider;

use super::{paid, point, refund, sums};
use crate::payctl;
use crate::stage::{Payment, own, recycle};
use crate::sweep::sweep_all;

/// Puts a value of the provider secret that has the next key of the shop for each provider.
fn put_next(stack: &Stack) {
    let mut secret = defaults::provider_secrets().unwrap();
    for &provider in Provider::ALL {
        let api = stack.account(provider).unwrap().simulator().api;
        secret[provider.as_str()] = (api.entry)(ShopKey::Next).unwrap();
    }
    stack.secrets().put(defaults::PROVIDER_SECRET_ID, secret.to_string());
}

/// A refund of 60 at each provider, of whose first try nobody knows what became: the payment and our reference.
async fn unknown(stack: &Stack, fault: Fault) -> Vec<(Provider, Payment, String)> {
    let mut refunds = Vec::new();
    for &provider in Provider::ALL {
        let payment = paid(stack, provider).await;
        let account = stack.account(provider).unwrap();
        account.lose_webhooks(true);
        account.set_fault(point(provider), fault, Some(1)).unwrap();
        let unknown = refund(stack, payment, Some(60), "a").await.ok();
        assert_eq!(unknown["status"], "requested", "{provider:?} {fault:?}");
        assert_eq!(sums(stack, payment).await, (0, 60), "{provider:?} {fault:?}");
        assert_ne!(account.key_used(), Some(ShopKey::Next), "{provider:?} {fault:?}");
        refunds.push((provider, payment, unknown["refund_id"].as_str().unwrap().to_owned()));
    }
    refunds
}

/// Checks that each of these was made once, under its reference, and that the next key was used.
async fn assert_made_once(stack: &Stack, fault: Fault, refunds: &[(Provider, Payment, String)]) {
    for (provider, payment, reference) in refunds {
        let account = stack.account(*provider).unwrap();
        assert_eq!(account.key_used(), Some(ShopKey::Next), "{provider:?} {fault:?}");
        assert_eq!(sums(stack, *payment).await, (60, 0), "{provider:?} {fault:?}");
        let made = account.trade(payment.id).unwrap().refunds;
        let made: Vec<_> =
            made.iter().map(|refund| (refund.amount, refund.reference.as_deref())).collect();
        assert_eq!(made, [(60, Some(reference.as_str()))], "{provider:?} {fault:?}");
        assert_eq!(stack.shop().given_back(payment.oid), [60], "{provider:?} {fault:?}");
    }
    payctl::ok(stack, &["audit"]).await;
}

/// 49: the first keys are revoked. What runs finds the next ones in the secret when it is rejected, and goes on under
/// the same references.
#[tokio::test]
async fn a_key_that_is_revoked_between_two_tries_of_a_refund_makes_no_second_one() {
    for fault in [Fault::LoseResponse, Fault::Status(500)] {
        let stack = own().await;
        let refunds = unknown(&stack, fault).await;
        put_next(&stack);
        for &provider in Provider::ALL {
            stack.account(provider).unwrap().accept_keys(&[ShopKey::Next]);
        }
        // The first one has the first keys. Of WeChat Pay, one sends the refund and the last one hears what became
        // of it.
        for _ in 0..3 {
            sweep_all(&stack).await;
        }
        assert!(stack.logs().contains("rejects our configuration"), "{fault:?}");
        assert_made_once(&stack, fault, &refunds).await;
    }
}

/// 49: as a rotation should go: the providers accept both keys for a while. No call is rejected, and what starts from
/// then on uses the next ones.
#[tokio::test]
async fn a_rotation_while_the_provider_accepts_both_keys_rejects_no_call() {
    for fault in [Fault::LoseResponse, Fault::Status(500)] {
        let stack = own().await;
        for &provider in Provider::ALL {
            stack.account(provider).unwrap().accept_keys(&[ShopKey::First, ShopKey::Next]);
        }
        let refunds = unknown(&stack, fault).await;
        put_next(&stack);
        recycle(&stack, "callback").await;
        for _ in 0..2 {
            sweep_all(&stack).await;
        }
        assert!(!stack.logs().contains("rejects our configuration"), "{fault:?}");
        assert_made_once(&stack, fault, &refunds).await;
    }
}
