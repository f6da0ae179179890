//! Finding payments by the provider's transaction.

use super::fresh::{Fresh, at, create, has, stripe};
use crate::{
    domain::{Payment, PaymentId, Provider, ProviderRef, ProviderTxn, Source, Status},
    testing::{Inspect, contract::Store},
};

/// A payment that was paid under this reference.
async fn paid(store: &impl Store, fresh: &Fresh, reference: &ProviderRef) -> Payment {
    let pending = fresh.stored(store).await;
    let change = pending.change_to(Status::Paid, reference, false, at(10));
    fresh.changed(store, &pending, &change).await
}

async fn found(store: &impl Store, reference: &ProviderRef) -> Vec<PaymentId> {
    let mut found = store.of_transaction(reference).await.unwrap();
    found.sort();
    found
}

fn of(source: Source, txn: &str) -> ProviderRef {
    ProviderRef { source, txn: ProviderTxn::new(txn).ok() }
}

/// Of this provider alone, whatever kind of provider it is.
pub async fn finds_the_payment_of_one(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let gateway = of(Source::new(77).unwrap(), "pi_1");
    let wechat = of(Provider::WeChat.source(), "pi_1");
    for reference in [stripe("pi_1"), wechat, gateway, stripe("pi_1#2")] {
        assert_eq!(found(&store, &reference).await, []);
        let payment = paid(&store, &fresh, &reference).await;
        assert_eq!(found(&store, &reference).await, [payment.id]);
    }
    for other in [stripe("pi_2"), stripe("pi_"), of(Provider::Alipay.source(), "pi_1")] {
        assert_eq!(found(&store, &other).await, []);
    }
}

/// Who asks sees that neither is certain.
pub async fn finds_two_of_one(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let one = paid(&store, &fresh, &stripe("pi_1")).await;
    let other = paid(&store, &fresh, &stripe("pi_1")).await;
    paid(&store, &fresh, &stripe("pi_2")).await;
    assert_eq!(found(&store, &stripe("pi_1")).await, [one.id, other.id]);
}

/// Whichever part came first.
pub async fn finds_one_that_was_completed(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    for (first, txn) in [(stripe(""), "pi_1"), (of(Source::UNKNOWN, "pi_2"), "pi_2")] {
        let payment = paid(&store, &fresh, &first).await;
        assert_eq!(found(&store, &stripe(txn)).await, []);
        let completion = payment.completion(&stripe(txn), at(20)).unwrap();
        let completed = fresh.changed(&store, &payment, &completion).await;
        has(&store, &completed).await;
        assert_eq!(found(&store, &stripe(txn)).await, [payment.id]);
    }
}

/// Neither payments that were never paid, nor those of which only a part is known.
pub async fn finds_nothing_without_both(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    create(&store, &fresh.payment(), None).await;
    for part in [ProviderRef::NONE, stripe(""), of(Source::UNKNOWN, "pi_1")] {
        paid(&store, &fresh, &part).await;
        assert_eq!(found(&store, &part).await, []);
    }
}
