//! The rows of refunds: their attributes, what they do to those of the record, and malformed ones.

use aws_sdk_dynamodb::types::AttributeValue::{self, N};
use pay_core::{
    domain::{EventKey, Provider, ProviderRefund, RefundState, Status},
    limits::SWEEP_QUEUES,
    ports::{Payments as _, StoreError},
    testing::contract::{
        fresh::{at, refunding},
        refunds::{one, total},
        requested::requested,
    },
};

use super::{
    dynamo::{Item, on_dynamo},
    rows::{item, n, paid_item, row, s},
};

#[test]
fn a_refund_has_the_documented_layout() {
    on_dynamo(|store, fresh| async move {
        let mut payment = fresh.stored_as(&store.payments, Status::Paid).await;
        let pk = format!("pay#{}", payment.id);
        let succeeded = one("re_1", 25, RefundState::Succeeded);
        for (report, after) in [(succeeded, 20), (total(70), 30)] {
            let change = refunding(&store.payments, &payment, &report, at(after)).await;
            payment = fresh.changed(&store.payments, &payment, &change).await;
        }
        let mut want = paid_item(&payment);
        want.extend(item([
            ("version", n(4)),
            ("update_time", n(1_800_000_000_030)),
            ("refunds_sum", n(25)),
            ("refunds_total", n(70)),
            ("refunded", n(70)),
        ]));
        assert_eq!(row(&store, &pk, "record").await, want);

        let mut want = item([
            ("pk", s(pk.clone())),
            ("sk", s("refund#stripe.re_1")),
            ("amount", n(25)),
            ("source", n(3)),
            ("provider_txn", s("pi_1")),
            ("provider_refund", s("re_1")),
            ("reference", s("ours_re_1")),
            ("state", s("succeeded")),
            ("create_time", n(1_800_000_000_020)),
            ("update_time", n(1_800_000_000_020)),
        ]);
        assert_eq!(row(&store, &pk, "refund#stripe.re_1").await, want);
        let reference = item([
            ("pk", s(pk.clone())),
            ("sk", s("refund-ref#stripe#re_1")),
            ("refund", s("stripe.re_1")),
        ]);
        assert_eq!(row(&store, &pk, "refund-ref#stripe#re_1").await, reference);

        for name in ["provider_refund", "reference"] {
            want.remove(name);
        }
        want.extend(item([
            ("sk", s("refund#total-70")),
            ("amount", n(45)),
            ("create_time", n(1_800_000_000_030)),
            ("update_time", n(1_800_000_000_030)),
        ]));
        assert_eq!(row(&store, &pk, "refund#total-70").await, want);
    });
}

#[test]
fn a_requested_refund_has_the_documented_layout() {
    on_dynamo(|store, fresh| async move {
        let paid = fresh.stored_as(&store.payments, Status::Paid).await;
        let refund = requested(&fresh, &paid, 30, 20);
        let change = paid.reserving(&refund, at(20));
        let payment = fresh.changed(&store.payments, &paid, &change).await;
        let pk = format!("pay#{}", paid.id);
        let mut want = paid_item(&payment);
        want.extend(item([
            ("version", n(3)),
            ("update_time", n(1_800_000_000_020)),
            ("refund_pending", n(30)),
        ]));
        assert_eq!(row(&store, &pk, "record").await, want);
        let sk = format!("refund#{}", refund.id.as_str());
        let want = item([
            ("pk", s(pk.clone())),
            ("sk", s(sk.clone())),
            ("amount", n(30)),
            ("source", n(3)),
            ("provider_txn", s("pi_1")),
            ("state", s("requested")),
            ("key", s(refund.request.unwrap().key.to_string())),
            ("reason", s("b. é")),
            ("queue", s(format!("sweep#{}", paid.id.get() % SWEEP_QUEUES))),
            ("due", n(1_800_000_060_020)),
            ("attempts", n(0)),
            ("create_time", n(1_800_000_000_020)),
            ("update_time", n(1_800_000_000_020)),
        ]);
        assert_eq!(row(&store, &pk, &sk).await, want);
    });
}

/// It is the row of any other, and the reservation is in no amount of the record.
#[test]
fn a_refund_of_money_in_quarantine_has_the_documented_layout() {
    on_dynamo(|store, fresh| async move {
        let paid = fresh.stored_as(&store.payments, Status::Paid).await;
        let mut refund = requested(&fresh, &paid, 30, 20);
        let key = EventKey::parse(&format!("{}/alipay/n1#ab", paid.id)).unwrap();
        refund.request.as_mut().unwrap().quarantined = Some(key.clone());
        let change = paid.keeping(refund.clone(), at(20));
        let payment = fresh.changed(&store.payments, &paid, &change).await;
        let pk = format!("pay#{}", paid.id);
        let mut want = paid_item(&payment);
        want.extend(item([("version", n(3)), ("update_time", n(1_800_000_000_020))]));
        assert_eq!(row(&store, &pk, "record").await, want);
        let found = row(&store, &pk, &format!("refund#{}", refund.id.as_str())).await;
        assert_eq!(found["quarantined"], s(key.to_string()));
        assert_eq!((&found["amount"], &found["state"]), (&n(30), &s("requested")));
        let read = store.payments.refund(paid.id, &refund.id).await.unwrap();
        assert_eq!(read, Some(refund));
    });
}

#[test]
fn a_malformed_requested_refund_is_a_fault_and_never_a_default() {
    on_dynamo(|store, fresh| async move {
        let paid = fresh.stored_as(&store.payments, Status::Paid).await;
        let refund = requested(&fresh, &paid, 30, 20);
        let change = paid.reserving(&refund, at(20));
        fresh.changed(&store.payments, &paid, &change).await;
        let (pk, sk) = (format!("pay#{}", paid.id), format!("refund#{}", refund.id.as_str()));
        let good = row(&store, &pk, &sk).await;
        let with = |name: &str, value| {
            good.clone().into_iter().chain([(name.to_owned(), value)]).collect::<Item>()
        };
        let without = |name: &str| {
            let mut item = good.clone();
            assert!(item.remove(name).is_some(), "{name}");
            item
        };
        for bad in [
            // A reason without a key, and an entry of the outbox in part.
            without("key"),
            without("queue"),
            without("due"),
            without("attempts"),
            with("key", s("short")),
            with("key", n(1)),
            with("reason", s("")),
            with("reason", s("a\tb")),
            with("reason", s("x".repeat(81))),
            with("queue", s("review")),
            with("attempts", n(1 << 32)),
            with("due", N("1.5".to_owned())),
            with("state", s("asked")),
            with("quarantined", n(1)),
            with("quarantined", s("")),
            with("quarantined", s("7/stripe")),
            with("quarantined", s("7/nobody/evt_1")),
        ] {
            store.put(bad.clone()).await;
            let found = store.payments.refund(paid.id, &refund.id).await;
            assert!(matches!(found, Err(StoreError::Fault(_))), "{bad:?}: {found:?}");
        }
        store.put(good.clone()).await;
        assert!(store.payments.refund(paid.id, &refund.id).await.unwrap().is_some());

        // The money of a notification, and no key that names the refund.
        let mut bad = with("quarantined", s("7/stripe/evt_1"));
        bad.retain(|name, _| !["key", "reason"].contains(&name.as_str()));
        store.put(bad).await;
        let found = store.payments.refund(paid.id, &refund.id).await;
        assert!(matches!(found, Err(StoreError::Fault(_))), "{found:?}");

        // What the provider's id stands for is read as well.
        let named = ProviderRefund::new("re_1").unwrap();
        let reference = |refund: Option<AttributeValue>| {
            let key = [("pk", s(pk.clone())), ("sk", s("refund-ref#stripe#re_1"))];
            let named = refund.map(|refund| ("refund", refund));
            key.into_iter().chain(named).map(|(name, value)| (name.to_owned(), value)).collect()
        };
        for bad in [None, Some(s("a#b")), Some(s("")), Some(n(1))] {
            store.put(reference(bad.clone())).await;
            let found = store.payments.refund_named(paid.id, Provider::Stripe, &named).await;
            assert!(matches!(found, Err(StoreError::Fault(_))), "{bad:?}: {found:?}");
        }
        store.put(reference(Some(s(refund.id.as_str())))).await;
        let found = store.payments.refund_named(paid.id, Provider::Stripe, &named).await;
        assert_eq!(found.unwrap(), Some(refund.id));
    });
}

#[test]
fn a_malformed_refund_is_a_fault_and_never_a_default() {
    on_dynamo(|store, fresh| async move {
        let paid = fresh.stored_as(&store.payments, Status::Paid).await;
        let report = one("re_1", 25, RefundState::Succeeded);
        let id = report.refund_id().unwrap();
        let change = refunding(&store.payments, &paid, &report, at(20)).await;
        fresh.changed(&store.payments, &paid, &change).await;
        let (pk, sk) = (format!("pay#{}", paid.id), "refund#stripe.re_1");
        let good = row(&store, &pk, sk).await;
        let optional = ["provider_txn", "provider_refund", "reference"];
        let mut bad: Vec<Item> = Vec::new();
        for name in good.keys().filter(|name| !["pk", "sk"].contains(&name.as_str())) {
            let mut without = good.clone();
            without.remove(name);
            if !optional.contains(&name.as_str()) {
                bad.push(without.clone());
            }
            let wrong = if good[name].is_n() { s("1") } else { n(1) };
            without.insert(name.clone(), wrong);
            bad.push(without);
        }
        for (name, value) in [
            ("state", s("done")),
            ("source", n(256)),
            ("provider_txn", s("a b")),
            ("provider_refund", s("a#b")),
            ("amount", N("1.5".to_owned())),
            ("update_time", n(253_402_300_800_000)),
        ] {
            bad.push(good.clone().into_iter().chain([(name.to_owned(), value)]).collect());
        }
        for row in bad {
            store.put(row.clone()).await;
            let found = store.payments.refund(paid.id, &id).await;
            assert!(matches!(found, Err(StoreError::Fault(_))), "{row:?}: {found:?}");
        }
        store.put(good).await;
        assert!(store.payments.refund(paid.id, &id).await.unwrap().is_some());
    });
}
