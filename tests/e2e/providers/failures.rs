//! What goes wrong with webhooks in practice, one test for each case. The numbers are those of the
//! table in `docs/providers.md`.

use futures_util::future::join_all;
use local::messages::{Outcome, Signed};
use local::simulator::simulator;
use local::{Fault, ShopRoute, clock, defaults};
use pay_core::domain::Provider;
use pay_service::http::Code;
use serde_json::{Value, json};

use super::{
    assert_acknowledged, assert_rejected, deliver, deliver_bytes, event, message, request,
    send_as_event,
};
use crate::api::{self, Request, send_event};
use crate::stage::{Payment, own, payment, recycle, shared, shown};
use crate::table;

/// 1: a gateway or a framework passes on other bytes than were signed.
#[tokio::test]
async fn bytes_count_as_they_were_sent_whatever_they_were_wrapped_in() {
    let stack = shared();
    for &provider in Provider::ALL {
        let payment = payment(stack).await;
        let signed = message(payment, Outcome::Paid).from(provider).unwrap();
        let good = request(stack, provider, &signed);
        let text = String::from_utf8(signed.body.clone()).unwrap();
        // As by a parser and a writer, or by a framework that decodes a form.
        let rewritten = serde_json::from_str::<Value>(&text).map_or_else(
            |_form| text.replace("%2B", "+"),
            |json| {
                let packed = json.to_string();
                if packed == text { format!("{json:#}") } else { packed }
            },
        );
        let mut marked = format!("\u{feff}{text}");
        if provider == Provider::Alipay {
            // It signs fields, of which a byte order mark before the form is none: only the first counts.
            marked.insert(0, '\u{feff}');
        }
        for body in [rewritten, format!("{text}\n"), marked, String::new()] {
            assert_ne!(body, text);
            let reply = good.clone().bytes(body).send().await;
            assert_rejected(provider, reply, Code::BadSignature);
        }
        assert_eq!(shown(stack, payment).await["status"], 0, "{provider:?}");

        // As text and as base64, as API Gateway chooses.
        let mut plain = event(provider, &good);
        plain["body"] = json!(text);
        plain["isBase64Encoded"] = json!(false);
        assert_acknowledged(provider, send_event(stack, "callback", &plain).await);
        assert_eq!(shown(stack, payment).await["status"], 1, "{provider:?}");
        assert_acknowledged(provider, send_as_event(stack, provider, &good).await);
        // Base64 that is not declared to be base64.
        plain["body"] = event(provider, &good)["body"].clone();
        let reply = send_event(stack, "callback", &plain).await;
        assert_rejected(provider, reply, Code::BadSignature);
    }
}

/// A text that was cut in the middle of a character, where nobody reads, and a byte order mark.
#[tokio::test]
async fn a_broken_text_that_nobody_reads_stops_no_payment() {
    let stack = shared();
    for &provider in Provider::ALL {
        let payment = payment(stack).await;
        let paid = message(payment, Outcome::Paid);
        let body = String::from_utf8(paid.from(provider).unwrap().body).unwrap();
        let broken = match provider {
            Provider::Stripe | Provider::WeChat => {
                body.replacen('{', r#"{"note":"\ud800","#, 1).replacen('{', "\u{feff}{", 1)
            }
            Provider::Alipay => format!("\u{feff}{body}"),
        };
        if provider == Provider::Alipay {
            let signed = Signed { body: broken.into_bytes(), ..paid.from(provider).unwrap() };
            assert_acknowledged(provider, request(stack, provider, &signed).send().await);
        } else {
            deliver_bytes(stack, provider, broken.as_bytes()).await;
        }
        assert_eq!(shown(stack, payment).await["status"], 1, "{provider:?}");
    }
}

/// 2: header names in another case, and doubled headers.
#[tokio::test]
async fn a_header_counts_in_any_case_and_once() {
    let stack = shared();
    for &provider in Provider::ALL {
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
            assert_acknowledged(provider, send_event(stack, "callback", &event).await);
        }
        for (name, value) in signed.headers.iter().filter(|(name, _)| *name != "content-type") {
            // API Gateway joins them with a comma.
            let doubled = request(stack, provider, &signed).header(name, value);
            assert_rejected(provider, doubled.send().await, Code::BadSignature);
        }
    }
}

/// 3: copies of one message at the same time.
#[tokio::test]
async fn copies_at_the_same_time_have_one_effect() {
    let stack = shared();
    for &provider in Provider::ALL {
        let payment = payment(stack).await;
        let paid = message(payment, Outcome::Paid);
        join_all((0..12).map(|_| deliver(stack, provider, &paid))).await;
        assert_eq!(stack.shop().times_paid(payment.oid), 1, "{provider:?}");
        assert_eq!(shown(stack, payment).await["status"], 1);
        // Further events, if any, are duplicates.
        let applied = table::events(stack, payment.id).await;
        let applied = applied.iter().filter(|event| event["verdict"] == "applied");
        assert_eq!(applied.count(), 1, "{provider:?}");
    }
}

/// 6: a notification before its payment, or about no payment of ours.
#[tokio::test]
async fn a_notification_about_no_payment_of_ours_is_quarantined_and_acknowledged() {
    let stack = own().await;
    for &provider in Provider::ALL {
        let payment = payment(&stack).await;
        let absent = Payment { id: payment.id + 1, ..payment };
        let lost = message(absent, Outcome::Paid).from(provider).unwrap();
        for _ in 0..2 {
            assert_acknowledged(provider, request(&stack, provider, &lost).send().await);
        }
        let unmatched = table::unmatched(&stack, provider.as_str()).await;
        assert_eq!(unmatched.len(), 1, "{provider:?} {unmatched:?}");
        assert_eq!(
            (&unmatched[0]["queue"], &unmatched[0]["mismatch"]),
            (&json!("review"), &json!("payment"))
        );
        assert_eq!(table::events(&stack, payment.id).await.len(), 0);
    }
}

/// 7: a provider does not wait for an order service that is slow or down.
#[tokio::test]
async fn a_provider_does_not_wait_for_the_order_service() {
    let stack = own().await;
    for &provider in Provider::ALL {
        for fault in [Fault::Status(500), Fault::Hang] {
            let payment = payment(&stack).await;
            stack.shop().set_fault(ShopRoute::OrderPaid, fault, None);
            let paid = message(payment, Outcome::Paid);
            deliver(&stack, provider, &paid).await;
            assert_eq!(shown(&stack, payment).await["status"], 1);
            assert!(table::is_due(&stack, payment.id).await, "{provider:?} {fault:?}");
            stack.shop().clear_faults();
            deliver(&stack, provider, &paid).await;
            assert!(!table::is_due(&stack, payment.id).await);
            assert_eq!(stack.shop().times_paid(payment.oid), 1);
        }
    }
}

/// 7: while our own store is down, the provider must deliver again.
#[tokio::test]
async fn a_store_that_is_down_makes_the_provider_retry() {
    let stack = own().await;
    for &provider in Provider::ALL {
        let payment = payment(&stack).await;
        let paid = message(payment, Outcome::Paid);
        for operation in ["GetItem", "TransactWriteItems"] {
            stack.dynamodb_control().set_fault(operation, Fault::Status(500), None);
            let signed = paid.from(provider).unwrap();
            let reply = request(&stack, provider, &signed).send().await;
            assert_rejected(provider, reply, Code::Unavailable);
            stack.dynamodb_control().clear_faults();
        }
        deliver(&stack, provider, &paid).await;
        assert_eq!(shown(&stack, payment).await["status"], 1, "{provider:?}");
    }
}

/// 8: keys change while messages are in transit.
#[tokio::test]
async fn a_changed_key_rejects_nobody_and_a_removed_one_does() {
    let stack = own().await;
    let ours = defaults::webhook_secrets().unwrap();
    for &provider in Provider::ALL {
        let payment = payment(&stack).await;
        let name = provider.as_str();
        let mut rotated = ours.clone();
        add_next_key(&mut rotated[name], &ours);
        stack.secrets().put(defaults::WEBHOOK_SECRET_ID, rotated.to_string());
        recycle(&stack, "callback").await;
        deliver(&stack, provider, &message(payment, Outcome::Paid)).await;

        // Twice, so that the previous generation does not have it either.
        let mut removed = rotated.clone();
        removed.as_object_mut().unwrap().remove(name);
        stack.secrets().put(defaults::WEBHOOK_SECRET_ID, removed.to_string());
        stack.secrets().put(defaults::WEBHOOK_SECRET_ID, removed.to_string());
        recycle(&stack, "callback").await;
        let signed = message(payment, Outcome::Refunded).from(provider).unwrap();
        let reply = request(&stack, provider, &signed).send().await;
        assert_rejected(provider, reply, Code::BadSignature);
        assert_eq!(shown(&stack, payment).await["status"], 1, "{provider:?}");
    }
}

/// 8: one provider's entry is spoilt while another's key changes.
#[tokio::test]
async fn a_bad_entry_of_the_secret_touches_only_its_provider() {
    let stack = own().await;
    let ours = defaults::webhook_secrets().unwrap();
    let put = |secret: &Value| stack.secrets().put(defaults::WEBHOOK_SECRET_ID, secret.to_string());
    for &provider in Provider::ALL {
        let mut spoilt = ours.clone();
        spoilt[provider.as_str()] = json!({"secrets": [""], "public_keys": ["x"]});
        // Twice, so that the previous version has no good entry either.
        put(&spoilt);
        put(&spoilt);
        recycle(&stack, "callback").await;
        for &other in Provider::ALL {
            let payment = payment(&stack).await;
            let signed = message(payment, Outcome::Paid).from(other).unwrap();
            let reply = request(&stack, other, &signed).send().await;
            if other == provider {
                assert_rejected(provider, reply, Code::Unavailable);
                assert_eq!(shown(&stack, payment).await["status"], 0, "{provider:?}");
            } else {
                assert_acknowledged(other, reply);
            }
        }
        // The shop's own gateways go on, too.
        let native = payment(&stack).await.native(1, 1);
        api::post(&stack, "callback").json(&native).signed().send().await.ok();
        let logs = stack.logs();
        let line = logs.lines().rfind(|line| line.contains("an entry of a secret is unusable"));
        let named = format!(r#""entry":"{}""#, provider.as_str());
        assert!(line.is_some_and(|line| line.contains(&named)), "{line:?}");

        // A new instance has the good entry of the version before; a running one keeps it, whatever
        // is put; and a message that no known key has signed is not rejected for good.
        put(&ours);
        put(&spoilt);
        recycle(&stack, "callback").await;
        deliver(&stack, provider, &message(payment(&stack).await, Outcome::Paid)).await;
        put(&spoilt);
        let signed = message(payment(&stack).await, Outcome::Paid).from(provider).unwrap();
        let mut altered = signed.clone();
        altered.body.push(b' ');
        let reply = request(&stack, provider, &altered).send().await;
        assert_rejected(provider, reply, Code::Unavailable);
        assert_acknowledged(provider, request(&stack, provider, &signed).send().await);
        // Once it is corrected it is rejected for good again.
        put(&ours);
        let reply = request(&stack, provider, &altered).send().await;
        assert_rejected(provider, reply, Code::BadSignature);
    }
}

/// Adds the key that a provider will sign with next to its entry of the webhook secret: one that is not
/// its own, beside its own.
fn add_next_key(entry: &mut Value, secrets: &Value) {
    if let Some(own) = entry["secrets"].as_array_mut() {
        return own.insert(0, json!("whsec_the_next_one"));
    }
    let keys = |entry: &Value| -> Vec<Value> {
        let listed = entry["public_keys"].as_array().cloned().unwrap_or_default();
        let by_serial = entry["public_keys"].as_object().into_iter().flatten();
        listed.into_iter().chain(by_serial.map(|(_, key)| key.clone())).collect()
    };
    let own = keys(entry);
    let all = secrets.as_object().unwrap().values().filter(|entry| entry.is_object());
    let other = all.flat_map(keys).find(|key| !own.contains(key)).unwrap();
    let own = &mut entry["public_keys"];
    if let Some(listed) = own.as_array_mut() {
        listed.insert(0, other);
    } else {
        own["0A1B2C3D"] = other;
    }
}

/// 9: a message without a signature, with an empty one, with another sender's.
#[tokio::test]
async fn only_the_providers_own_signature_counts() {
    let stack = shared();
    for &provider in Provider::ALL {
        let payment = payment(stack).await;
        let signed = message(payment, Outcome::Paid).from(provider).unwrap();
        let good = request(stack, provider, &signed);
        let names = signed.headers.iter().map(|(name, _)| *name);
        let bare =
            names.filter(|name| *name != "content-type").fold(good.clone(), Request::without);
        // The signature of a form is in its body.
        let text = String::from_utf8(signed.body.clone()).unwrap();
        let bare = bare.bytes(text.split("&sign_type=").next().unwrap().to_owned());
        let mut rejected = vec![bare.clone(), bare.clone().service(), bare.clone().signed()];
        for &other in Provider::ALL.iter().filter(|other| **other != provider) {
            let others = simulator(other).sign(None, "id", clock::now_secs(), &signed.body);
            rejected.push(bare.clone().headers(&others.unwrap().headers));
        }
        for request in rejected {
            assert_rejected(provider, request.send().await, Code::BadSignature);
        }
        for name in
            signed.headers.iter().map(|(name, _)| *name).filter(|name| name.ends_with("signature"))
        {
            let empty = good.clone().without(name).header(name, "");
            assert_rejected(provider, empty.send().await, Code::BadSignature);
        }
        assert_eq!(shown(stack, payment).await["status"], 0, "{provider:?}");
        // One provider's message does not count on another provider's route.
        for &other in Provider::ALL.iter().filter(|other| **other != provider) {
            let reply = request(stack, other, &signed).send().await;
            assert_rejected(other, reply, Code::BadSignature);
        }
        let native = api::post(stack, "callback").headers(&signed.headers).bytes(signed.body);
        native.send().await.problem("unauthenticated");
        assert_eq!(shown(stack, payment).await["status"], 0, "{provider:?}");
        assert_eq!(table::events(stack, payment.id).await.len(), 0, "{provider:?}");
    }
}
