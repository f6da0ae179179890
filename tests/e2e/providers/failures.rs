//! What goes wrong with webhooks in the field, one test for each way; the numbers are those of the
//! table in `docs/webhooks.md`.

use futures_util::future::join_all;
use local::messages::Outcome;
use local::{Fault, ShopRoute, clock, defaults, signing};
use pay_providers::PaymentProvider;
use pay_service::http::Code;
use serde_json::{Value, json};

use super::{assert_refused, assert_thanked, deliver, event, message, request, send_as_event};
use crate::api::{Request, send_event};
use crate::echo::eventually;
use crate::stage::{Payment, own, payment, pids, recycle, shared, shown};
use crate::table;

/// 1: a gateway or a framework hands on other bytes than were signed.
#[tokio::test]
async fn bytes_count_as_they_were_sent_whatever_they_were_wrapped_in() {
    let stack = shared();
    for provider in PaymentProvider::ALL {
        let payment = payment(stack).await;
        let signed = message(payment, Outcome::Paid).from(provider).unwrap();
        let good = request(stack, provider, &signed);
        let text = String::from_utf8(signed.body.clone()).unwrap();
        let rewritten = match provider {
            // The members sorted and packed, as by a parser and a writer.
            PaymentProvider::Stripe => serde_json::from_str::<Value>(&text).unwrap().to_string(),
            PaymentProvider::WeChat => {
                format!("{:#}", serde_json::from_str::<Value>(&text).unwrap())
            }
            PaymentProvider::Alipay => text.replace("%2B", "+"),
        };
        for body in [rewritten, format!("{text}\n"), format!("\u{feff}{text}"), String::new()] {
            assert_ne!(body, text);
            let reply = good.clone().bytes(body).send().await;
            assert_refused(provider, reply, Code::BadSignature);
        }
        assert_eq!(shown(stack, payment).await["status"], 0, "{provider:?}");

        // As text and as base64, which is the gateway's choice.
        let mut plain = event(provider, &good);
        plain["body"] = json!(text);
        plain["isBase64Encoded"] = json!(false);
        assert_thanked(provider, send_event(stack, "callback", &plain).await);
        assert_eq!(shown(stack, payment).await["status"], 1, "{provider:?}");
        assert_thanked(provider, send_as_event(stack, provider, &good).await);
        // Base64 that nobody said to be any.
        plain["body"] = event(provider, &good)["body"].clone();
        let reply = send_event(stack, "callback", &plain).await;
        assert_refused(provider, reply, Code::BadSignature);
    }
}

/// 2: header names in another case, and doubled headers.
#[tokio::test]
async fn a_header_counts_in_any_case_and_once() {
    let stack = shared();
    for provider in [PaymentProvider::Stripe, PaymentProvider::WeChat] {
        let signed = message(payment(stack).await, Outcome::Paid).from(provider).unwrap();
        let title = |name: &str| {
            let words = name
                .split('-')
                .map(|word| word.split_at(1))
                .map(|(first, rest)| first.to_uppercase() + rest);
            words.collect::<Vec<_>>().join("-")
        };
        for spell in [str::to_lowercase, str::to_uppercase, title] {
            let mut event = event(provider, &request(stack, provider, &signed));
            let headers = signed.headers.iter();
            event["headers"] = headers.map(|(name, value)| (spell(name), json!(value))).collect();
            assert_thanked(provider, send_event(stack, "callback", &event).await);
        }
        for (name, value) in signed.headers.iter().filter(|(name, _)| *name != "content-type") {
            // The gateway joins them with a comma.
            let doubled = request(stack, provider, &signed).header(name, value);
            assert_refused(provider, doubled.send().await, Code::BadSignature);
        }
    }
}

/// 3: copies of one message at the same time.
#[tokio::test]
async fn copies_at_the_same_time_have_one_effect() {
    let stack = shared();
    for provider in PaymentProvider::ALL {
        let payment = payment(stack).await;
        let paid = message(payment, Outcome::Paid);
        join_all((0..12).map(|_| deliver(stack, provider, &paid))).await;
        assert_eq!(stack.shop().times_paid(payment.oid), 1, "{provider:?}");
        assert_eq!(shown(stack, payment).await["status"], 1);
        // Only the ones that were too late to be repeats have entries of their own.
        let applied = table::events(stack, payment.id).await;
        let applied = applied.iter().filter(|event| event["verdict"] == "applied");
        assert_eq!(applied.count(), 1, "{provider:?}");
    }
}

/// 4: a crash between the write and the telling.
#[tokio::test]
async fn a_crash_after_the_write_loses_nothing() {
    let stack = own().await;
    for provider in PaymentProvider::ALL {
        let payment = payment(&stack).await;
        let paid = message(payment, Outcome::Paid);
        stack.shop().set_fault(ShopRoute::OrderPaid, Fault::Hang, None);
        let (before, told_before) = (pids(&stack), stack.shop().calls(ShopRoute::OrderPaid));
        let crash = async {
            let calls = || stack.shop().calls(ShopRoute::OrderPaid);
            eventually("a call that tells the order", || calls() > told_before).await;
            for instance in stack.instances() {
                if instance.function == "callback" {
                    stack.kill(instance.pid).unwrap();
                }
            }
        };
        let signed = paid.from(provider).unwrap();
        let (reply, ()) =
            futures_util::future::join(request(&stack, provider, &signed).send(), crash).await;
        assert_eq!(reply.status, 500, "{provider:?} {}", reply.body);
        assert_ne!(pids(&stack), before);
        stack.shop().clear_faults();
        assert_eq!(stack.shop().times_paid(payment.oid), 0);
        assert!(table::is_to_be_told(&stack, payment.id).await, "{provider:?}");
        deliver(&stack, provider, &paid).await;
        assert_eq!(stack.shop().times_paid(payment.oid), 1, "{provider:?}");
        assert!(!table::is_to_be_told(&stack, payment.id).await);
    }
}

/// 4: the answer of the write is lost, and the payment must be neither lost nor doubled.
#[tokio::test]
async fn a_lost_answer_of_the_store_is_found_out() {
    let stack = own().await;
    for provider in PaymentProvider::ALL {
        let payment = payment(&stack).await;
        let control = stack.dynamodb_control();
        control.set_fault("TransactWriteItems", Fault::LoseAnswer, Some(1));
        deliver(&stack, provider, &message(payment, Outcome::Paid)).await;
        assert_eq!(shown(&stack, payment).await["status"], 1, "{provider:?}");
        assert_eq!(stack.shop().times_paid(payment.oid), 1, "{provider:?}");
    }
}

/// 6: a message before its payment, or about nobody's.
#[tokio::test]
async fn a_message_about_no_payment_of_ours_is_parked_and_thanked_for() {
    let stack = own().await;
    for provider in PaymentProvider::ALL {
        let payment = payment(&stack).await;
        let nobodys = Payment { id: payment.id + 1, ..payment };
        let lost = message(nobodys, Outcome::Paid).from(provider).unwrap();
        for _ in 0..2 {
            assert_thanked(provider, request(&stack, provider, &lost).send().await);
        }
        let strays = table::strays_of(&stack, provider.as_str()).await;
        assert_eq!(strays.len(), 1, "{provider:?} {strays:?}");
        assert_eq!(strays[0]["work"], "quarantine");
        assert_eq!(table::events(&stack, payment.id).await.len(), 0);
    }
}

/// 7: an order service that is slow or down is not the provider's concern.
#[tokio::test]
async fn a_provider_does_not_wait_for_the_order_service() {
    let stack = own().await;
    for provider in PaymentProvider::ALL {
        for fault in [Fault::Status(500), Fault::Hang] {
            let payment = payment(&stack).await;
            stack.shop().set_fault(ShopRoute::OrderPaid, fault, None);
            let paid = message(payment, Outcome::Paid);
            deliver(&stack, provider, &paid).await;
            assert_eq!(shown(&stack, payment).await["status"], 1);
            assert!(table::is_to_be_told(&stack, payment.id).await, "{provider:?} {fault:?}");
            stack.shop().clear_faults();
            deliver(&stack, provider, &paid).await;
            assert!(!table::is_to_be_told(&stack, payment.id).await);
            assert_eq!(stack.shop().times_paid(payment.oid), 1);
        }
    }
}

/// 7: our own store is: it is asked to come again.
#[tokio::test]
async fn a_store_that_is_down_is_told_to_the_provider() {
    let stack = own().await;
    for provider in PaymentProvider::ALL {
        let payment = payment(&stack).await;
        let paid = message(payment, Outcome::Paid);
        for operation in ["GetItem", "TransactWriteItems"] {
            stack.dynamodb_control().set_fault(operation, Fault::Status(500), None);
            let signed = paid.from(provider).unwrap();
            let reply = request(&stack, provider, &signed).send().await;
            assert_refused(provider, reply, Code::Unavailable);
            stack.dynamodb_control().clear_faults();
        }
        deliver(&stack, provider, &paid).await;
        assert_eq!(shown(&stack, payment).await["status"], 1, "{provider:?}");
    }
}

/// 8: keys change while messages are on their way.
#[tokio::test]
async fn a_changed_key_refuses_nobody_and_a_removed_one_does() {
    let stack = own().await;
    let ours = defaults::webhook_secrets().unwrap();
    let wechats = &ours["wechat"]["public_keys"][defaults::WECHAT_SERIAL];
    let alipays = &ours["alipay"]["public_keys"][0];
    for provider in PaymentProvider::ALL {
        let payment = payment(&stack).await;
        let name = provider.as_str();
        let mut rotated = ours.clone();
        match provider {
            PaymentProvider::Stripe => {
                let secrets = rotated[name]["secrets"].as_array_mut().unwrap();
                secrets.insert(0, json!("whsec_the_next_one"));
            }
            PaymentProvider::WeChat => rotated[name]["public_keys"]["0A1B2C3D"] = alipays.clone(),
            PaymentProvider::Alipay => {
                rotated[name]["public_keys"].as_array_mut().unwrap().insert(0, wechats.clone());
            }
        }
        stack.secrets().put(defaults::WEBHOOK_SECRET_ID, rotated.to_string());
        recycle(&stack, "callback").await;
        deliver(&stack, provider, &message(payment, Outcome::Paid)).await;

        // Twice, so that the generation before does not have it either.
        let mut removed = rotated.clone();
        removed.as_object_mut().unwrap().remove(name);
        stack.secrets().put(defaults::WEBHOOK_SECRET_ID, removed.to_string());
        stack.secrets().put(defaults::WEBHOOK_SECRET_ID, removed.to_string());
        recycle(&stack, "callback").await;
        let signed = message(payment, Outcome::Refunded).from(provider).unwrap();
        let reply = request(&stack, provider, &signed).send().await;
        assert_refused(provider, reply, Code::BadSignature);
        assert_eq!(shown(&stack, payment).await["status"], 1, "{provider:?}");
    }
}

/// 9: a message without a signature, with an empty one, with somebody else's.
#[tokio::test]
async fn only_the_providers_own_signature_counts() {
    let stack = shared();
    for provider in PaymentProvider::ALL {
        let payment = payment(stack).await;
        let signed = message(payment, Outcome::Paid).from(provider).unwrap();
        let good = request(stack, provider, &signed);
        let names = signed.headers.iter().map(|(name, _)| *name);
        let bare =
            names.filter(|name| *name != "content-type").fold(good.clone(), Request::without);
        let bare = match provider {
            PaymentProvider::Alipay => {
                let text = String::from_utf8(signed.body.clone()).unwrap();
                bare.bytes(text.split("&sign_type=").next().unwrap().to_owned())
            }
            PaymentProvider::Stripe | PaymentProvider::WeChat => bare,
        };
        let stripes = signing::stripe(defaults::STRIPE_SECRET, clock::now_secs(), &signed.body);
        let wechats = signing::wechat(clock::now_secs(), "nonce", &signed.body).unwrap();
        let mut refused = vec![bare.clone(), bare.clone().service(), bare.clone().signed()];
        if provider != PaymentProvider::Stripe {
            refused
                .push(stripes.iter().fold(bare.clone(), |r, (name, value)| r.header(name, value)));
        }
        if provider != PaymentProvider::WeChat {
            refused
                .push(wechats.iter().fold(bare.clone(), |r, (name, value)| r.header(name, value)));
        }
        for request in refused {
            assert_refused(provider, request.send().await, Code::BadSignature);
        }
        for name in
            signed.headers.iter().map(|(name, _)| *name).filter(|name| name.ends_with("signature"))
        {
            let empty = good.clone().without(name).header(name, "");
            assert_refused(provider, empty.send().await, Code::BadSignature);
        }
        assert_eq!(shown(stack, payment).await["status"], 0, "{provider:?}");
        // One provider's message is nothing to another, nor to our own route.
        for other in PaymentProvider::ALL.into_iter().filter(|other| *other != provider) {
            let reply = request(stack, other, &signed).send().await;
            assert_refused(other, reply, Code::BadSignature);
        }
        assert_eq!(shown(stack, payment).await["status"], 0, "{provider:?}");
    }
}
