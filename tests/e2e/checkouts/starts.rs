//! Checkouts that are started, repeated and paid.

use local::simulator::ShopKey;
use local::{Fault, defaults};
use pay_core::domain::CheckoutMethod;
use serde_json::{Value, json};

use super::{CALLED, calm, checkout, close, kept, points, reference, request, started};
use crate::api;
use crate::metrics::expect;
use crate::stage::{
    notify, own, own_with, own_without_provider_keys, payment, payment_in, payment_of, shown, user,
};
use crate::{payctl, table};

/// 1: the checkout is written with all that it is made with, and the payer gets what its method gives.
#[tokio::test]
async fn every_method_gives_the_payer_what_its_provider_has_for_it() {
    let stack = own().await;
    for &method in CheckoutMethod::ALL {
        let provider = method.provider();
        let payment = payment(&stack).await;
        let given = started(&stack, payment, method).await;
        assert_eq!(
            (given["provider"].as_str(), given["method"].as_str()),
            (Some(provider.as_str()), Some(method.as_str()))
        );
        let action = &given["action"];
        let is_url = |name: &str| action[name].as_str().is_some_and(|of| of.contains("://"));
        let client = |names: &[&str]| {
            let parameters = action["parameters"].as_object().unwrap();
            names.iter().all(|name| parameters[*name].as_str().is_some_and(|of| !of.is_empty()))
        };
        let (kind, is_whole) = match method {
            CheckoutMethod::StripeCheckout
            | CheckoutMethod::WeChatH5
            | CheckoutMethod::AlipayPage
            | CheckoutMethod::AlipayWap => ("redirect", is_url("url")),
            CheckoutMethod::WeChatNative | CheckoutMethod::AlipayQr => ("qr", is_url("text")),
            CheckoutMethod::StripeIntent => ("client", client(&["client_secret"])),
            CheckoutMethod::WeChatJsapi => {
                ("client", client(&["appId", "timeStamp", "nonceStr", "package", "paySign"]))
            }
            CheckoutMethod::WeChatApp => {
                ("client", client(&["appid", "partnerid", "prepayid", "noncestr", "sign"]))
            }
            CheckoutMethod::AlipayApp => {
                ("client", action["parameters"].as_object().is_some_and(|of| of.len() == 1))
            }
        };
        assert!(action["type"] == kind && is_whole, "{method:?}: {given}");

        let item = kept(&stack, payment, 1).await;
        assert_eq!(
            (&item["state"], &item["reference"]),
            (&json!("open"), &json!(reference(payment, 1)))
        );
        assert_eq!(item["provider_id"].is_string(), method.has_provider_id(), "{item}");
        assert_eq!(item["notify_url"].is_string(), method.needs_notify_url(), "{item}");
        assert_eq!(item["description"], format!("Order {}", payment.oid));
        let record = table::record(&stack, payment.id).await;
        assert_eq!((&record["status"], &record["checkouts"]), (&json!(0), &json!(1)));
        let expires = item["expires_time"].as_u64().unwrap();
        let lives_ms = expires - item["create_time"].as_u64().unwrap();
        assert_eq!(lives_ms, method.lifetime_ms().1, "{method:?}");
        assert!(table::is_due(&stack, payment.id).await, "{method:?}");
    }
    payctl::ok(&stack, &["audit"]).await;
}

/// 2, 4: the same parameters and the same reference, whatever became of the first try.
#[tokio::test]
async fn a_start_whose_response_is_lost_is_repeated_and_makes_one_object() {
    let stack = own().await;
    for method in CALLED {
        let provider = method.provider();
        let account = stack.account(provider).unwrap();
        for fault in [Fault::Reset, Fault::Status(500), Fault::LoseResponse, Fault::Garbage] {
            let payment = payment(&stack).await;
            account.set_fault(points(provider).0, fault, Some(1)).unwrap();
            let mut asked = request(payment, method);
            asked["description"] = json!("Tea");
            checkout(&stack, payment, &asked).await.problem("unavailable");
            let item = kept(&stack, payment, 1).await;
            assert_eq!(item["state"], "requested", "{method:?} {fault:?}");
            // A moment later no provider is called again.
            let calls = account.calls(points(provider).0);
            checkout(&stack, payment, &asked).await.problem("unavailable");
            assert_eq!(account.calls(points(provider).0), calls, "{method:?} {fault:?}");
            calm(&stack, payment, 1).await;
            // Who says nothing of it gets what is kept.
            checkout(&stack, payment, &request(payment, method)).await.ok();
            assert_eq!(kept(&stack, payment, 1).await["description"], "Tea");
            calm(&stack, payment, 1).await;
            checkout(&stack, payment, &asked).await.ok();
            assert_eq!(table::record(&stack, payment.id).await["checkouts"], 1);
            account.pay_checkout(&reference(payment, 1)).await.unwrap();
            let now = shown(&stack, payment).await;
            assert_eq!(now["status"], 1, "{method:?} {fault:?}");
            assert!(account.checkout(&reference(payment, 2)).is_none());
        }
    }
    payctl::ok(&stack, &["audit"]).await;
}

/// 3: no provider is called before the checkout is durable.
#[tokio::test]
async fn a_start_that_is_not_written_calls_nobody() {
    let stack = own().await;
    let payment = payment(&stack).await;
    stack.dynamodb_control().set_fault("TransactWriteItems", Fault::Status(500), None);
    for method in CALLED {
        checkout(&stack, payment, &request(payment, method)).await.problem("unavailable");
        let account = stack.account(method.provider()).unwrap();
        assert_eq!(account.calls(points(method.provider()).0), 0, "{method:?}");
    }
    assert_eq!(table::record(&stack, payment.id).await.get("checkouts"), None);
}

/// 5: one object, which both get; who is a moment late has to ask again.
#[tokio::test]
async fn two_starts_at_the_same_time_make_one_object() {
    let stack = own().await;
    for method in CALLED {
        let payment = payment(&stack).await;
        let asked = request(payment, method);
        let two = [checkout(&stack, payment, &asked), checkout(&stack, payment, &asked)];
        let replies = futures_util::future::join_all(two).await;
        assert!(replies.iter().any(|reply| reply.status == 200), "{method:?}");
        assert!(replies.iter().all(|reply| [200, 503].contains(&reply.status)), "{method:?}");
        calm(&stack, payment, 1).await;
        let again = checkout(&stack, payment, &asked).await.ok();
        for reply in replies.into_iter().filter(|reply| reply.status == 200) {
            assert_eq!(reply.ok()["expires_time"], again["expires_time"], "{method:?}");
        }
        assert_eq!(table::record(&stack, payment.id).await["checkouts"], 1, "{method:?}");
        let account = stack.account(method.provider()).unwrap();
        assert!(account.checkout(&reference(payment, 2)).is_none());
    }
}

/// 6: without a call.
#[tokio::test]
async fn a_payment_that_cannot_be_paid_takes_no_checkout() {
    let stack = own().await;
    for status in [1, 3, 4] {
        let payment = payment_in(&stack, if status == 3 { 3 } else { 1 }).await;
        if status == 4 {
            notify(&stack, payment, 1, 4).await.ok();
        }
        let problem = checkout(&stack, payment, &request(payment, CALLED[0])).await;
        let problem = problem.problem("payment-not-payable");
        let why = if status == 3 { "it is closed" } else { "it is paid" };
        assert_eq!(problem["detail"], why);
    }
    // One that is being closed, since its checkout can still be paid.
    let closing = payment(&stack).await;
    started(&stack, closing, CheckoutMethod::AlipayPage).await;
    assert_eq!(close(&stack, closing).await, 0);
    let problem = checkout(&stack, closing, &request(closing, CALLED[0])).await;
    assert_eq!(problem.problem("payment-not-payable")["detail"], "it is being closed");
    // Another user's.
    let own_one = payment(&stack).await;
    let asked = request(own_one, CALLED[0]);
    api::post(&stack, "checkout")
        .payer(closing.uid)
        .json(&asked)
        .send()
        .await
        .problem("payment-not-found");
    let other = api::post(&stack, "close").payer(closing.uid).json(&json!({"id": own_one.id}));
    other.send().await.problem("payment-not-found");
    for method in CALLED {
        let account = stack.account(method.provider()).unwrap();
        assert_eq!(account.calls(points(method.provider()).0), 0, "{method:?}");
    }
}

#[tokio::test]
async fn without_keys_or_a_public_url_no_checkout_is_made() {
    let stack = own_without_provider_keys().await;
    let one = payment(&stack).await;
    for method in CALLED {
        checkout(&stack, one, &request(one, method)).await.problem("payment-not-payable");
    }
    let stack = own_with(&[("PUBLIC_URL", "")]).await;
    let one = payment(&stack).await;
    for method in [CheckoutMethod::WeChatNative, CheckoutMethod::AlipayPage] {
        let problem = checkout(&stack, one, &request(one, method)).await;
        let why = "no public URL is configured for the provider's notifications";
        assert_eq!(problem.problem("payment-not-payable")["detail"], why);
    }
    started(&stack, one, CheckoutMethod::StripeIntent).await;
}

/// No repeat could cure it: it is said at once, and nothing is left behind.
#[tokio::test]
async fn an_amount_that_a_provider_cannot_collect_takes_no_checkout_there() {
    let stack = own_with(&[("CURRENCY", "KWD")]).await;
    // Of the three decimals of a dinar Stripe takes two.
    let odd = payment_of(&stack, user(&stack), 5123).await;
    let of_steps = "its provider collects this currency in larger steps: choose another provider, or \
                    round the order's amount";
    let of_currency = "its provider does not collect its currency";
    for (method, why) in [
        (CheckoutMethod::StripeCheckout, of_steps),
        (CheckoutMethod::StripeIntent, of_steps),
        (CheckoutMethod::WeChatNative, of_currency),
        (CheckoutMethod::AlipayPage, of_currency),
    ] {
        let problem = checkout(&stack, odd, &request(odd, method)).await;
        assert_eq!(problem.problem("payment-not-payable")["detail"], why, "{method:?}");
        let account = stack.account(method.provider()).unwrap();
        assert_eq!(account.calls(points(method.provider()).0), 0, "{method:?}");
    }
    let record = table::record(&stack, odd.id).await;
    assert_eq!((record.get("checkouts"), &record["version"]), (None, &json!(1)));
    assert_eq!(table::events(&stack, odd.id).await.len(), 0);
    let even = payment_of(&stack, user(&stack), 5120).await;
    started(&stack, even, CheckoutMethod::StripeIntent).await;
}

/// Its operator has left out what a checkout needs, and not what a query does.
#[tokio::test]
async fn without_an_app_wechat_pay_makes_no_checkout() {
    let stack = own().await;
    let mut secret = defaults::provider_secrets().unwrap();
    secret["wechat"].as_object_mut().unwrap().remove("appid");
    stack.secrets().put(defaults::PROVIDER_SECRET_ID, secret.to_string());
    let one = payment(&stack).await;
    let problem = checkout(&stack, one, &request(one, CheckoutMethod::WeChatNative)).await;
    let why = "there is no key of its provider";
    assert_eq!(problem.problem("payment-not-payable")["detail"], why);
    assert_eq!(table::record(&stack, one.id).await.get("checkouts"), None);
}

/// 7: what a provider did not sign gives nobody anything.
#[tokio::test]
async fn a_response_that_is_not_the_providers_hands_out_nothing() {
    let stack = own().await;
    for method in [CheckoutMethod::WeChatNative, CheckoutMethod::AlipayQr] {
        let account = stack.account(method.provider()).unwrap();
        for fault in [Fault::Unsigned, Fault::WrongId] {
            // WeChat Pay's response names no order.
            if method == CheckoutMethod::WeChatNative && matches!(fault, Fault::WrongId) {
                continue;
            }
            let payment = payment(&stack).await;
            account.set_fault(points(method.provider()).0, fault, Some(1)).unwrap();
            let reply = checkout(&stack, payment, &request(payment, method)).await;
            assert!(!reply.raw.contains("action"), "{method:?} {fault:?}: {}", reply.raw);
            reply.problem("unavailable");
            assert_eq!(kept(&stack, payment, 1).await["state"], "requested");
            calm(&stack, payment, 1).await;
            started(&stack, payment, method).await;
        }
    }
}

/// 8: our key is wrong there. The alarm sees it, and the same request works once the key is right.
#[tokio::test]
async fn a_rejected_key_is_counted_and_the_start_can_be_repeated() {
    let stack = own().await;
    let good = defaults::provider_secrets().unwrap();
    let mut secret = good.clone();
    secret["stripe"]["api_key"] = json!("rk_test_of_another_account");
    stack.secrets().put(defaults::PROVIDER_SECRET_ID, secret.to_string());
    let payment = payment(&stack).await;
    let asked = request(payment, CheckoutMethod::StripeCheckout);
    checkout(&stack, payment, &asked).await.problem("unavailable");
    expect(&stack, "QueriesRejected", "create", 1).await;
    let record = table::record(&stack, payment.id).await;
    assert_eq!((&record["status"], &record["checkouts"]), (&json!(0), &json!(1)));
    assert_eq!(kept(&stack, payment, 1).await["state"], "requested");
    stack.secrets().put(defaults::PROVIDER_SECRET_ID, good.to_string());
    crate::stage::recycle(&stack, "create").await;
    calm(&stack, payment, 1).await;
    checkout(&stack, payment, &asked).await.ok();
    expect(&stack, "CheckoutsStarted", "create", 1).await;
    expect(&stack, "CheckoutsStarted", "create stripe", 1).await;
}

/// 8: at each provider. What runs finds the right key by itself once it is in the secret.
#[tokio::test]
async fn a_start_whose_key_is_rejected_works_once_the_secret_has_the_right_one() {
    for method in CALLED {
        let stack = own().await;
        let provider = method.provider();
        let account = stack.account(provider).unwrap();
        account.accept_keys(&[ShopKey::Next]);
        let payment = payment(&stack).await;
        let asked = request(payment, method);
        checkout(&stack, payment, &asked).await.problem("unavailable");
        expect(&stack, "QueriesRejected", "create", 1).await;
        let record = table::record(&stack, payment.id).await;
        assert_eq!((&record["status"], &record["checkouts"]), (&json!(0), &json!(1)), "{method:?}");
        let kept = kept(&stack, payment, 1).await;
        assert_eq!(kept["state"], "requested", "{method:?}");
        let mut secret = defaults::provider_secrets().unwrap();
        secret[provider.as_str()] = (account.simulator().api.entry)(ShopKey::Next).unwrap();
        stack.secrets().put(defaults::PROVIDER_SECRET_ID, secret.to_string());
        calm(&stack, payment, 1).await;
        checkout(&stack, payment, &asked).await.problem("unavailable");
        calm(&stack, payment, 1).await;
        checkout(&stack, payment, &asked).await.ok();
        assert_eq!(account.key_used(), Some(ShopKey::Next), "{method:?}");
        assert_eq!(table::record(&stack, payment.id).await["checkouts"], 1, "{method:?}");
    }
}

/// Its code goes to the caller; nothing is left open, and another try is another checkout.
#[tokio::test]
async fn a_refused_checkout_ends_and_another_can_follow() {
    let stack = own().await;
    for (method, code) in
        CALLED.into_iter().zip(["parameter_invalid_empty", "PARAM_ERROR", "ACQ.INVALID_PARAMETER"])
    {
        let payment = payment(&stack).await;
        let account = stack.account(method.provider()).unwrap();
        account.refuse_checkouts(Some(code));
        let refused = checkout(&stack, payment, &request(payment, method)).await;
        assert_eq!(refused.problem("provider-refused")["provider_code"], code, "{method:?}");
        assert_eq!(kept(&stack, payment, 1).await["state"], "refused");
        account.refuse_checkouts(None);
        calm(&stack, payment, 1).await;
        started(&stack, payment, method).await;
        assert_eq!(kept(&stack, payment, 2).await["state"], "open");
        expect(&stack, "ProviderRefused", &format!("create {}", method.provider().as_str()), 1)
            .await;
    }
    payctl::ok(&stack, &["audit"]).await;
}

#[tokio::test]
async fn the_time_to_live_bounds_a_checkout() {
    let stack = own_with(&[("PAYMENT_TTL_SECONDS", "1000")]).await;
    let payment = payment(&stack).await;
    let given = started(&stack, payment, CheckoutMethod::WeChatNative).await;
    let item = kept(&stack, payment, 1).await;
    let created = table::record(&stack, payment.id).await["create_time"].as_u64().unwrap();
    assert_eq!(item["expires_time"], created + 1_000_000);
    assert!(given["expires_time"].as_str().is_some_and(|text| text.ends_with('Z')), "{given}");
    calm(&stack, payment, 1).await;
    let problem =
        checkout(&stack, payment, &request(payment, CheckoutMethod::StripeCheckout)).await;
    let problem = problem.problem("payment-not-payable");
    assert!(problem["detail"].as_str().unwrap().contains("too little"), "{problem}");
}

/// By direct invoke there is no owner check.
#[tokio::test]
async fn a_direct_caller_starts_and_closes_for_everybody() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let mut asked = request(payment, CheckoutMethod::StripeIntent);
    asked["operation"] = json!("checkout");
    let given = stack.invoke("create", &asked).await.unwrap();
    assert_eq!(given["action"]["type"], "client");
    let events = table::events(&stack, payment.id).await;
    assert!(events.iter().any(|event| event["sk"] == "event#operator#checkout.1"), "{events:?}");
    let closed = json!({"operation": "close", "id": payment.id});
    let closed = stack.invoke("create", &closed).await.unwrap();
    assert_eq!((&closed["status"], &closed["id"]), (&json!(3), &json!(payment.id)));
    for missing in ["provider", "method", "id"] {
        let mut asked = asked.clone();
        asked[missing] = Value::Null;
        assert!(stack.invoke("create", &asked).await.is_err(), "{missing}");
    }
    payctl::ok(&stack, &["audit"]).await;
}
