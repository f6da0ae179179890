//! The rows of checkouts: their attributes, what they do to those of the record, and malformed ones.

use aws_sdk_dynamodb::types::AttributeValue::{self, Bool, N};
use pay_core::{
    domain::{Checkout, CheckoutMethod, CheckoutState, PayerIp, ProviderCheckout, WebUrl},
    limits::SWEEP_QUEUES,
    ports::{Payments as _, StoreError},
    testing::{a_checkout, contract::fresh::at},
};
use serde_json::{Value, json};

use super::{
    dynamo::{Item, on_dynamo},
    rows::{item, n, row, s},
    stub::{Scripted, on_stub},
};
use pay_core::testing::contract::fresh::Fresh;

#[test]
fn a_checkout_has_the_documented_layout() {
    on_dynamo(|store, fresh| async move {
        let payment = fresh.stored(&store.payments).await;
        let pk = format!("pay#{}", payment.id);
        let mut checkout = a_checkout(payment.id, 1, CheckoutMethod::WeChatH5, at(7));
        checkout.parameters.return_url = WebUrl::new("https://shop.example/paid").ok();
        checkout.parameters.payer_ip = PayerIp::new("2001:DB8::1").ok();
        let change = payment.beginning(&checkout, at(7));
        let begun = fresh.changed(&store.payments, &payment, &change).await;
        let record = row(&store, &pk, "record").await;
        for (name, value) in [
            ("version", n(2)),
            ("checkouts", n(1)),
            ("queue", s(format!("sweep#{}", payment.id.get() % SWEEP_QUEUES))),
            ("due", n(1_800_000_300_007)),
            ("attempts", n(0)),
        ] {
            assert_eq!(record[name], value, "{name}");
        }
        assert!(!record.contains_key("closing") && !record.contains_key("paid_time"));

        let mut want = item([
            ("pk", s(pk.clone())),
            ("sk", s("checkout#1")),
            ("provider", s("wechat")),
            ("method", s("h5")),
            ("account", s(checkout.account.as_str())),
            ("reference", s(checkout.reference.to_string())),
            ("description", s(checkout.parameters.description.as_str())),
            ("return_url", s("https://shop.example/paid")),
            ("payer_ip", s("2001:db8::1")),
            ("expires_time", n(checkout.expires_time.millis())),
            ("state", s("requested")),
            ("called_time", n(1_800_000_000_007)),
            ("create_time", n(1_800_000_000_007)),
            ("update_time", n(1_800_000_000_007)),
        ]);
        if let Some(url) = &checkout.parameters.notify_url {
            want.insert("notify_url".to_owned(), s(url.as_str()));
        }
        assert_eq!(row(&store, &pk, "checkout#1").await, want);

        let open = Checkout {
            state: CheckoutState::Open,
            provider_id: ProviderCheckout::new("cs_1").ok(),
            called_time: at(8),
            absent_time: Some(at(9)),
            update_time: at(10),
            ..checkout.clone()
        };
        assert!(store.payments.change_checkout(&checkout, &open).await.unwrap());
        want.extend(item([
            ("state", s("open")),
            ("provider_id", s("cs_1")),
            ("called_time", n(1_800_000_000_008)),
            ("absent_time", n(1_800_000_000_009)),
            ("update_time", n(1_800_000_000_010)),
        ]));
        assert_eq!(row(&store, &pk, "checkout#1").await, want);
        store.payments.end_checkout(open.reference, CheckoutState::Ended, at(11)).await.unwrap();
        want.extend(item([("state", s("ended")), ("update_time", n(1_800_000_000_011))]));
        assert_eq!(row(&store, &pk, "checkout#1").await, want);

        let closing = begun.begin_closing(at(12));
        fresh.changed(&store.payments, &begun, &closing).await;
        assert_eq!(row(&store, &pk, "record").await["closing"], Bool(true));
    });
}

#[test]
fn checkouts_are_listed_by_their_number() {
    on_dynamo(|store, fresh| async move {
        let mut payment = fresh.stored(&store.payments).await;
        for number in 1..=20 {
            let checkout = a_checkout(payment.id, number, CheckoutMethod::AlipayQr, at(1));
            let change = payment.beginning(&checkout, at(1));
            payment = fresh.changed(&store.payments, &payment, &change).await;
        }
        let found = store.payments.checkouts(payment.id).await.unwrap();
        let numbers: Vec<_> = found.iter().map(|found| found.reference.number.get()).collect();
        assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
    });
}

/// One that is left out could still be paid.
#[test]
fn a_malformed_checkout_is_a_fault_and_never_a_default() {
    on_dynamo(|store, fresh| async move {
        let payment = fresh.stored(&store.payments).await;
        let pk = format!("pay#{}", payment.id);
        let mut checkout = a_checkout(payment.id, 2, CheckoutMethod::StripeCheckout, at(1));
        checkout.parameters.payer_ip = PayerIp::new("192.0.2.1").ok();
        checkout.parameters.notify_url = WebUrl::new("https://pay.example/").ok();
        let checkout = Checkout {
            provider_id: ProviderCheckout::new("cs_1").ok(),
            absent_time: Some(at(2)),
            ..checkout
        };
        let first = a_checkout(payment.id, 1, CheckoutMethod::AlipayQr, at(1));
        for one in [&first, &checkout] {
            let read = store.payments.payment(payment.id).await.unwrap().unwrap();
            fresh.changed(&store.payments, &read, &read.beginning(one, at(1))).await;
        }
        let good = row(&store, &pk, "checkout#2").await;
        let with = |name: &str, value: AttributeValue| {
            good.clone().into_iter().chain([(name.to_owned(), value)]).collect::<Item>()
        };
        let optional =
            ["return_url", "openid", "payer_ip", "notify_url", "provider_id", "absent_time"];
        let mut bad: Vec<Item> = Vec::new();
        for name in good.keys().filter(|name| !["pk", "sk"].contains(&name.as_str())) {
            let mut without = good.clone();
            without.remove(name);
            if !optional.contains(&name.as_str()) {
                bad.push(without);
            }
            bad.push(with(name, if good[name].is_n() { s("1") } else { n(1) }));
        }
        for (name, value) in [
            ("provider", s("paypal")),
            ("method", s("native")),
            ("account", s("a b")),
            ("reference", s("000007_2")),
            ("description", s("a\nb")),
            ("return_url", s("http://shop.example")),
            ("openid", s("a b")),
            ("payer_ip", s("shop.example")),
            ("notify_url", s("")),
            ("provider_id", s("a#b")),
            ("state", s("paid")),
            ("expires_time", N("1.5".to_owned())),
            ("update_time", n(253_402_300_800_000)),
        ] {
            bad.push(with(name, value));
        }
        for bad in bad {
            store.put(bad.clone()).await;
            let found = store.payments.checkouts(payment.id).await;
            assert!(matches!(found, Err(StoreError::Fault(_))), "{bad:?}: {found:?}");
        }
        store.put(good.clone()).await;
        assert_eq!(store.payments.checkouts(payment.id).await.unwrap(), [first, checkout]);
        // A key that none has.
        for sk in ["checkout#0", "checkout#02", "checkout#21", "checkout#x", "checkout#"] {
            let other = with("sk", s(sk));
            store.put(other).await;
            let found = store.payments.checkouts(payment.id).await;
            assert!(matches!(found, Err(StoreError::Fault(_))), "{sk}: {found:?}");
            let key = item([("pk", s(pk.clone())), ("sk", s(sk))]);
            let delete = store.raw.delete_item().table_name(&store.table).set_key(Some(key));
            delete.send().await.unwrap();
        }
        assert_eq!(store.payments.checkouts(payment.id).await.unwrap().len(), 2);
    });
}

#[test]
fn a_malformed_record_with_checkouts_is_a_fault() {
    on_dynamo(|store, fresh| async move {
        let payment = fresh.stored(&store.payments).await;
        let good = row(&store, &format!("pay#{}", payment.id), "record").await;
        for (name, value) in [
            ("checkouts", n(0)),
            ("checkouts", n(21)),
            ("checkouts", n(1 << 33)),
            ("checkouts", s("1")),
            ("closing", Bool(false)),
            ("closing", n(1)),
            ("closing", s("true")),
        ] {
            let bad: Item = good.clone().into_iter().chain([(name.to_owned(), value)]).collect();
            store.put(bad.clone()).await;
            let found = store.payments.payment(payment.id).await;
            assert!(matches!(found, Err(StoreError::Fault(_))), "{bad:?}: {found:?}");
        }
        for (name, value) in [("checkouts", n(20)), ("closing", Bool(true))] {
            let good: Item = good.clone().into_iter().chain([(name.to_owned(), value)]).collect();
            store.put(good).await;
            assert!(store.payments.payment(payment.id).await.unwrap().is_some(), "{name}");
        }
    });
}

/// DynamoDB's response to a condition that failed, with the item as it is.
fn failed(item: Option<&Item>) -> Scripted {
    let code = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    let mut response = json!({"__type": code, "message": "scripted"});
    if let Some(item) = item {
        let value = |value: &AttributeValue| {
            value
                .as_n()
                .map_or_else(|_text| json!({ "S": value.as_s().unwrap() }), |n| json!({ "N": n }))
        };
        let item = item.iter().map(|(name, of)| (name.clone(), value(of)));
        response["Item"] = Value::Object(item.collect());
    }
    Scripted::Json(400, response)
}

/// The first attempt may have been carried out: then its repeat finds the item as it was to become.
#[test]
fn a_change_whose_response_was_lost_is_known_by_what_it_wrote() {
    let payment = Fresh::default().payment();
    let read = a_checkout(payment.id, 1, CheckoutMethod::AlipayQr, at(1));
    let next = Checkout { called_time: at(5), update_time: at(5), ..read.clone() };
    let (written, other) = (stored(&next), stored(&read));
    on_stub(|store, stub| async move {
        let broken = Scripted::error(500, "InternalServerError");
        for (script, want) in [
            (vec![Scripted::ok()], true),
            (vec![failed(Some(&other))], false),
            (vec![failed(None)], false),
            // Somebody else has written the same.
            (vec![failed(Some(&written))], false),
            (vec![broken.clone(), Scripted::ok()], true),
            (vec![broken.clone(), failed(Some(&written))], true),
            (vec![broken.clone(), failed(Some(&other))], false),
            (vec![broken, failed(None)], false),
        ] {
            let calls = script.len();
            stub.script(script);
            assert_eq!(store.change_checkout(&read, &next).await.unwrap(), want);
            let requests = stub.requests();
            assert_eq!(requests.len(), calls);
            assert_eq!(requests[0].1["ReturnValuesOnConditionCheckFailure"], json!("ALL_OLD"));
        }
        // One page after the other, consistently.
        let page = json!({"Items": [], "LastEvaluatedKey": {"pk": {"S": "x"}, "sk": {"S": "y"}}});
        stub.script([Scripted::Json(200, page), Scripted::Json(200, json!({"Items": []}))]);
        assert_eq!(store.checkouts(payment.id).await.unwrap(), []);
        let requests = stub.requests();
        assert_eq!(requests.len(), 2);
        assert!(requests.iter().all(|(_, input)| input["ConsistentRead"] == json!(true)));
    });
}

/// The row of a checkout as the adapter writes it.
fn stored(checkout: &Checkout) -> Item {
    let mut item = item([
        ("pk", s(format!("pay#{}", checkout.reference.payment))),
        ("sk", s(format!("checkout#{}", checkout.reference.number))),
        ("provider", s(checkout.provider().as_str())),
        ("method", s(checkout.parameters.method.as_str())),
        ("account", s(checkout.account.as_str())),
        ("reference", s(checkout.reference.to_string())),
        ("description", s(checkout.parameters.description.as_str())),
        ("expires_time", n(checkout.expires_time.millis())),
        ("state", s(checkout.state.as_str())),
        ("called_time", n(checkout.called_time.millis())),
        ("create_time", n(checkout.create_time.millis())),
        ("update_time", n(checkout.update_time.millis())),
    ]);
    for (name, url) in [
        ("return_url", &checkout.parameters.return_url),
        ("notify_url", &checkout.parameters.notify_url),
    ] {
        item.extend(url.as_ref().map(|url| (name.to_owned(), s(url.as_str()))));
    }
    item
}
