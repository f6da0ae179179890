//! Refunds whose provider accepts another key of the shop from one try to the next.

use local::simulator::ShopKey;
use local::{Fault, Stack, defaults};
use pay_core::domain::Provider;

use super::{given_back, paid, point, refund, sums};
use crate::payctl;
use crate::stage::own;
use crate::sweep::sweep_all;

/// Puts a value of the provider secret that has this key of the shop for each provider.
fn put(stack: &Stack, key: ShopKey) {
    let mut secret = defaults::provider_secrets().unwrap();
    for &provider in Provider::ALL {
        let api = stack.account(provider).unwrap().simulator().api;
        secret[provider.as_str()] = (api.entry)(key).unwrap();
    }
    stack.secrets().put(defaults::PROVIDER_SECRET_ID, secret.to_string());
}

/// 49: the first key is revoked before anybody knows what became of the first try. What runs finds the next one in
/// the secret by the first call that is rejected, and goes on under the same reference.
#[tokio::test]
async fn a_key_that_is_revoked_between_two_tries_of_a_refund_makes_no_second_one() {
    for fault in [Fault::LoseResponse, Fault::Status(500)] {
        let stack = own().await;
        for &provider in Provider::ALL {
            let account = stack.account(provider).unwrap();
            put(&stack, ShopKey::First);
            account.accept_keys(&[ShopKey::First]);
            let payment = paid(&stack, provider).await;
            account.lose_webhooks(true);
            account.set_fault(point(provider), fault, Some(1)).unwrap();
            let unknown = refund(&stack, payment, Some(60), "a").await.ok();
            assert_eq!(unknown["status"], "requested", "{provider:?} {fault:?}");
            assert_ne!(account.key_used(), Some(ShopKey::Next), "{provider:?} {fault:?}");

            put(&stack, ShopKey::Next);
            account.accept_keys(&[ShopKey::Next]);
            // The first sweep asks with the key that it knows, and nothing moves.
            sweep_all(&stack).await;
            assert_eq!(sums(&stack, payment).await, (0, 60), "{provider:?} {fault:?}");
            // Of WeChat Pay, one sends it and the other hears what became of it.
            sweep_all(&stack).await;
            sweep_all(&stack).await;
            assert_eq!(account.key_used(), Some(ShopKey::Next), "{provider:?} {fault:?}");
            assert_eq!(sums(&stack, payment).await, (60, 0), "{provider:?} {fault:?}");
            assert_eq!(given_back(&stack, provider, payment), 60, "{provider:?} {fault:?}");
            let [made] = &account.trade(payment.id).unwrap().refunds[..] else {
                panic!("{provider:?} {fault:?}")
            };
            assert_eq!(made.reference.as_deref(), unknown["refund_id"].as_str());
            assert_eq!(stack.shop().given_back(payment.oid), [60], "{provider:?} {fault:?}");
            account.lose_webhooks(false);
            account.accept_keys(&[ShopKey::First]);
            // The next one begins with the first key again.
            crate::stage::recycle(&stack, "callback").await;
        }
        payctl::ok(&stack, &["audit"]).await;
    }
}

/// 49: as a rotation should go: the provider accepts both for a while. No call is rejected, and what starts from then on
/// uses the next key.
#[tokio::test]
async fn a_rotation_while_the_provider_accepts_both_keys_rejects_no_call() {
    for fault in [Fault::LoseResponse, Fault::Status(500)] {
        let stack = own().await;
        for &provider in Provider::ALL {
            let account = stack.account(provider).unwrap();
            put(&stack, ShopKey::First);
            account.accept_keys(&[ShopKey::First, ShopKey::Next]);
            let payment = paid(&stack, provider).await;
            account.lose_webhooks(true);
            account.set_fault(point(provider), fault, Some(1)).unwrap();
            let unknown = refund(&stack, payment, Some(60), "a").await.ok();
            assert_eq!(unknown["status"], "requested", "{provider:?} {fault:?}");

            put(&stack, ShopKey::Next);
            crate::stage::recycle(&stack, "callback").await;
            sweep_all(&stack).await;
            sweep_all(&stack).await;
            assert_eq!(account.key_used(), Some(ShopKey::Next), "{provider:?} {fault:?}");
            assert_eq!(sums(&stack, payment).await, (60, 0), "{provider:?} {fault:?}");
            let [made] = &account.trade(payment.id).unwrap().refunds[..] else {
                panic!("{provider:?} {fault:?}")
            };
            assert_eq!(made.reference.as_deref(), unknown["refund_id"].as_str());
            account.lose_webhooks(false);
            crate::stage::recycle(&stack, "callback").await;
        }
        assert!(!stack.logs().contains("rejects our configuration"), "{fault:?}");
        payctl::ok(&stack, &["audit"]).await;
    }
}
