//! Checkouts: written with the payment's change, then changed as they were read, until they have come to an
//! end.

use super::fresh::{Fresh, at, create, has, stripe};
use crate::{
    domain::{
        Checkout, CheckoutMethod, CheckoutState, Due, OpenId, PayerIp, Payment, ProviderCheckout,
        Status, WebUrl,
    },
    ports::Updated,
    testing::{Inspect, a_checkout, a_checkout_reference, contract::Store},
};

/// Begins a checkout, and gives the payment as it must be then.
async fn begun(store: &impl Store, fresh: &Fresh, payment: &Payment, of: &Checkout) -> Payment {
    let change = payment.beginning(of, of.create_time);
    let begun = fresh.changed(store, payment, &change).await;
    has(store, &begun).await;
    begun
}

/// Checks that a payment has just these checkouts.
async fn lists(store: &impl Store, payment: &Payment, checkouts: &[&Checkout]) {
    let found = store.checkouts(payment.id).await.unwrap();
    assert_eq!(found.iter().collect::<Vec<_>>(), checkouts);
}

/// Every attribute, of every method; the record counts it and is due for it.
pub async fn a_checkout_is_kept_whole(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let mut payment = fresh.stored(&store).await;
    lists(&store, &payment, &[]).await;
    let mut all = Vec::new();
    for (number, method) in (1..).zip(CheckoutMethod::ALL) {
        let checkout = a_checkout(payment.id, number, *method, at(u64::from(number)));
        payment = begun(&store, &fresh, &payment, &checkout).await;
        all.push(checkout);
        lists(&store, &payment, &all.iter().collect::<Vec<_>>()).await;
    }
    assert_eq!(payment.checkouts, 10);
    assert_eq!(log.listed().await.len(), 1);
    // With everything that one may have.
    let checkout = a_checkout(payment.id, 11, CheckoutMethod::WeChatH5, at(20));
    let mut whole = Checkout {
        state: CheckoutState::Open,
        provider_id: ProviderCheckout::new("cs_test_1-a").ok(),
        absent_time: Some(at(33)),
        called_time: at(31),
        ..checkout
    };
    whole.parameters.return_url = WebUrl::new("https://shop.example/").ok();
    whole.parameters.openid = OpenId::new("o_-1").ok();
    whole.parameters.payer_ip = PayerIp::new("2001:db8::1").ok();
    payment = begun(&store, &fresh, &payment, &whole).await;
    all.push(whole);
    lists(&store, &payment, &all.iter().collect::<Vec<_>>()).await;
    // Another payment has none.
    lists(&store, &fresh.stored(&store).await, &[]).await;
}

/// Nothing is written where a payment has a checkout with that number.
pub async fn a_checkout_is_new_once(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let payment = fresh.stored(&store).await;
    let first = a_checkout(payment.id, 1, CheckoutMethod::WeChatNative, at(1));
    let payment = begun(&store, &fresh, &payment, &first).await;
    let again = a_checkout(payment.id, 1, CheckoutMethod::AlipayPage, at(2));
    let change = payment.beginning(&again, at(2));
    let updated = store.update(&change, &fresh.event(&payment)).await.unwrap();
    assert_eq!(updated, Updated::RecordChanged);
    lists(&store, &payment, &[&first]).await;
    has(&store, &payment).await;
    assert_eq!(log.listed().await.len(), 1);
    // Nor where the record is another one by now.
    let outdated = Payment { version: payment.version - 1, ..payment.clone() };
    let second = a_checkout(payment.id, 2, CheckoutMethod::AlipayPage, at(2));
    let change = outdated.beginning(&second, at(2));
    let updated = store.update(&change, &fresh.event(&payment)).await.unwrap();
    assert_eq!(updated, Updated::RecordChanged);
    lists(&store, &payment, &[&first]).await;
}

/// A change of one that is not as it was read changes nothing.
pub async fn a_checkout_is_changed_as_read(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let payment = fresh.stored(&store).await;
    let requested = a_checkout(payment.id, 1, CheckoutMethod::StripeIntent, at(1));
    let payment = begun(&store, &fresh, &payment, &requested).await;
    let leased = Checkout { called_time: at(5), ..requested.clone() };
    assert!(store.change_checkout(&requested, &leased).await.unwrap());
    lists(&store, &payment, &[&leased]).await;
    let open = Checkout {
        state: CheckoutState::Open,
        provider_id: ProviderCheckout::new("pi_1").ok(),
        update_time: at(6),
        ..leased.clone()
    };
    assert!(!store.change_checkout(&requested, &open).await.unwrap());
    assert!(store.change_checkout(&leased, &open).await.unwrap());
    let absent = Checkout { absent_time: Some(at(7)), update_time: at(7), ..open.clone() };
    assert!(!store.change_checkout(&leased, &absent).await.unwrap());
    let other = Checkout { provider_id: None, ..open.clone() };
    assert!(!store.change_checkout(&other, &absent).await.unwrap());
    assert!(store.change_checkout(&open, &absent).await.unwrap());
    assert!(!store.change_checkout(&open, &absent).await.unwrap());
    lists(&store, &payment, &[&absent]).await;
    // One that was never made is none afterwards.
    let missing = Checkout { reference: a_checkout_reference(payment.id, 2), ..absent.clone() };
    assert!(!store.change_checkout(&missing, &missing).await.unwrap());
    lists(&store, &payment, &[&absent]).await;
    has(&store, &payment).await;
}

/// The first end stays.
pub async fn a_checkout_ends_once(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    for (state, end, other) in [
        (CheckoutState::Requested, CheckoutState::Refused, CheckoutState::Ended),
        (CheckoutState::Open, CheckoutState::Ended, CheckoutState::Refused),
    ] {
        let payment = fresh.stored(&store).await;
        let first = a_checkout(payment.id, 1, CheckoutMethod::AlipayQr, at(1));
        let first = Checkout { state, ..first };
        let payment = begun(&store, &fresh, &payment, &first).await;
        store.end_checkout(first.reference, end, at(9)).await.unwrap();
        let ended = Checkout { state: end, update_time: at(9), ..first.clone() };
        lists(&store, &payment, &[&ended]).await;
        store.end_checkout(first.reference, other, at(10)).await.unwrap();
        assert!(!store.change_checkout(&first, &first).await.unwrap());
        lists(&store, &payment, &[&ended]).await;
        let missing = a_checkout_reference(payment.id, 2);
        store.end_checkout(missing, end, at(10)).await.unwrap();
        lists(&store, &payment, &[&ended]).await;
        has(&store, &payment).await;
    }
}

/// It is kept until the payment is closed or paid.
pub async fn closing_is_kept_to_its_end(store: impl Store, log: impl Inspect, fresh: Fresh) {
    for to in [Status::Failed, Status::Closed, Status::Paid, Status::Refunded] {
        let payment = fresh.due_after(500_000);
        create(&store, &payment, None).await;
        let change = payment.begin_closing(at(1));
        let closing = fresh.changed(&store, &payment, &change).await;
        assert!(closing.closing);
        has(&store, &closing).await;
        let moved = fresh.moved(&store, &closing, to).await;
        assert_eq!(
            (moved.closing, moved.paid_time.is_some()),
            (to == Status::Failed, to == Status::Paid)
        );
        has(&store, &moved).await;
    }
    assert_eq!(log.listed().await.len(), 2, "failed and paid");
}

/// Also of a payment whose order service was notified, or that was refunded: its checkouts may be unended.
pub async fn a_payment_with_checkouts_stays_due(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let payment = fresh.stored(&store).await;
    let first = a_checkout(payment.id, 1, CheckoutMethod::AlipayWap, at(1));
    let payment = begun(&store, &fresh, &payment, &first).await;
    let paid = payment.change_to(Status::Paid, &stripe("pi_1"), false, at(2));
    let paid = fresh.changed(&store, &payment, &paid).await;
    let later = Due { at: at(700_000), attempts: 0 };
    store.mark_notified(&paid, at(3), Some(later)).await.unwrap();
    let notified = Payment { notified_time: Some(at(3)), due: Some(later), ..paid };
    has(&store, &notified).await;
    let refunded = fresh.moved(&store, &notified, Status::Refunded).await;
    assert_eq!(refunded.due, Some(later));
    has(&store, &refunded).await;
    assert_eq!(log.listed().await.len(), 1);
    store.clear(&refunded).await.unwrap();
    has(&store, &Payment { due: None, ..refunded }).await;
    assert_eq!(log.listed().await, []);
}
