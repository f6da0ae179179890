//! Checkouts, for tests.

#![expect(clippy::missing_panics_doc, clippy::unwrap_used, reason = "a wrong value fails a test")]

use crate::domain::{
    Checkout, CheckoutMethod, CheckoutNumber, CheckoutParameters, CheckoutReference, CheckoutState,
    Description, MerchantAccount, OpenId, PayerIp, PaymentId, Timestamp, WebUrl,
};

/// What names a checkout of a payment.
#[must_use]
pub fn a_checkout_reference(payment: PaymentId, number: u32) -> CheckoutReference {
    CheckoutReference { payment, number: CheckoutNumber::new(number).unwrap() }
}

/// A checkout that is requested at this time, with just the parameters that its method needs.
#[must_use]
pub fn a_checkout(
    payment: PaymentId,
    number: u32,
    method: CheckoutMethod,
    now: Timestamp,
) -> Checkout {
    let (_, lifetime_ms) = method.lifetime_ms();
    let url = |url| WebUrl::new(url).unwrap();
    Checkout {
        reference: a_checkout_reference(payment, number),
        parameters: CheckoutParameters {
            method,
            description: Description::new("Order 1").unwrap(),
            return_url: method.needs_return_url().then(|| url("https://shop.example/paid")),
            openid: method.needs_openid().then(|| OpenId::new("oUpF8uMuAJO").unwrap()),
            payer_ip: method.needs_payer_ip().then(|| PayerIp::new("192.0.2.1").unwrap()),
            notify_url: method
                .needs_notify_url()
                .then(|| url("https://pay.example/api/pay/callback/x")),
        },
        account: MerchantAccount::new("merchant_1").unwrap(),
        expires_time: now.plus_millis(lifetime_ms),
        provider_id: None,
        state: CheckoutState::Requested,
        called_time: now,
        absent_time: None,
        create_time: now,
        update_time: now,
    }
}
