//! Providers that do not respond as they should.

use super::{fault, point};
use crate::metrics::expect;
use crate::stage::{own, payment, shown};
use crate::sweep::sweep_all;
use crate::table;
use local::{Fault, defaults};
use pay_core::domain::Provider;
use serde_json::json;
use std::time::Duration;

/// 15, 16: whatever proves nothing changes nothing, the payment is asked about again, later and later, and
/// no other provider has to wait for it.
#[tokio::test]
async fn a_response_that_proves_nothing_changes_nothing() {
    let stack = own().await;
    for &provider in Provider::ALL {
        let account = stack.account(provider).unwrap();
        account.lose_webhooks(true);
        let payment = payment(&stack).await;
        account.pay(payment.id, payment.amount).await.unwrap();
        let created = table::record(&stack, payment.id).await;
        let mut faults = vec![
            Fault::Status(500),
            Fault::Status(503),
            Fault::Throttle,
            Fault::Garbage,
            Fault::WrongShape,
            Fault::WrongId,
            Fault::LoseResponse,
            Fault::Reset,
        ];
        if provider != Provider::Stripe {
            faults.push(Fault::Unsigned);
        }
        for (attempts, of_it) in (1..).zip(faults) {
            fault(&stack, provider, of_it, None);
            assert_eq!(sweep_all(&stack).await["queried"], 1, "{provider:?} {of_it:?}");
            stack.account(provider).unwrap().clear_faults();
            account.lose_webhooks(true);
            let record = table::record(&stack, payment.id).await;
            assert_eq!(record["version"], created["version"], "{provider:?} {of_it:?}");
            assert_eq!(record["attempts"], json!(attempts), "{provider:?} {of_it:?}");
            assert_eq!(table::quarantined(&stack, payment.id).await, 0, "{provider:?} {of_it:?}");
        }
        // Another payment, at another provider, at the same time.
        let other = Provider::ALL.iter().copied().find(|other| *other != provider).unwrap();
        let elsewhere = crate::stage::payment(&stack).await;
        let there = stack.account(other).unwrap();
        there.lose_webhooks(true);
        there.pay(elsewhere.id, elsewhere.amount).await.unwrap();
        fault(&stack, provider, Fault::Status(500), None);
        sweep_all(&stack).await;
        assert_eq!(shown(&stack, elsewhere).await["status"], 1, "{provider:?}");
        account.clear_faults();
        account.lose_webhooks(true);
        sweep_all(&stack).await;
        assert_eq!(shown(&stack, payment).await["status"], 1, "{provider:?}");
    }
}

/// A provider that never responds costs its deadline, and no more.
#[tokio::test]
async fn a_provider_that_hangs_holds_up_nobody_else() {
    let stack = own().await;
    let slow = payment(&stack).await;
    let quick = payment(&stack).await;
    let account = stack.account(Provider::Alipay).unwrap();
    account.lose_webhooks(true);
    account.pay(quick.id, quick.amount).await.unwrap();
    fault(&stack, Provider::WeChat, Fault::Hang, None);
    fault(&stack, Provider::Stripe, Fault::Delay(Duration::from_millis(50)), None);
    let swept = sweep_all(&stack).await;
    assert_eq!((&swept["moved"], &swept["queried"]), (&json!(1), &json!(1)));
    assert_eq!(shown(&stack, quick).await["status"], 1);
    assert_eq!(table::record(&stack, slow.id).await["attempts"], 1);
}

/// 50: WeChat Pay rejects a call that is signed six minutes off its own time. Nothing moves, and the alarm
/// `provider-key` sees it.
#[tokio::test]
async fn a_clock_that_is_off_is_counted_and_moves_nothing() {
    let stack = own().await;
    let account = stack.account(Provider::WeChat).unwrap();
    account.lose_webhooks(true);
    let payment = payment(&stack).await;
    account.pay(payment.id, payment.amount).await.unwrap();
    let created = table::record(&stack, payment.id).await;
    account.set_clock_ahead(6 * 60).await.unwrap();
    assert_eq!(sweep_all(&stack).await["queried"], 1);
    expect(&stack, "QueriesRejected", "callback", 1).await;
    let record = table::record(&stack, payment.id).await;
    assert_eq!((&record["status"], &record["version"]), (&json!(0), &created["version"]));
    assert!(table::is_due(&stack, payment.id).await);
    account.set_clock_ahead(0).await.unwrap();
    sweep_all(&stack).await;
    assert_eq!(shown(&stack, payment).await["status"], 1);
}

/// 50: our key is wrong there. Nothing moves, and the alarm `provider-key` sees it.
#[tokio::test]
async fn a_rejected_key_is_counted_and_moves_nothing() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let mut secret = defaults::provider_secrets().unwrap();
    secret["stripe"]["api_key"] = json!("rk_test_of_another_account");
    secret["wechat"]["serial"] = json!("0000000000000000000000000000000000000000");
    secret["alipay"]["app_id"] = json!("2021000000000000");
    stack.secrets().put(defaults::PROVIDER_SECRET_ID, secret.to_string());
    for &provider in Provider::ALL {
        stack.account(provider).unwrap().lose_webhooks(true);
    }
    stack.account(Provider::WeChat).unwrap().pay(payment.id, payment.amount).await.unwrap();
    sweep_all(&stack).await;
    assert_eq!(shown(&stack, payment).await["status"], 0);
    expect(&stack, "QueriesRejected", "callback", 3).await;
    for &provider in Provider::ALL {
        assert_eq!(stack.account(provider).unwrap().calls(point(provider)), 1, "{provider:?}");
    }
}
