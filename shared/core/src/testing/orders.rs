//! What is ordered at a provider, for tests.

#![expect(clippy::missing_panics_doc, clippy::unwrap_used, reason = "a wrong value fails a test")]

use crate::{
    domain::{
        Amount, Checkout, CheckoutMethod, Currency, Digest, OrderId, Provider, ProviderRef, Refund,
        RefundId, RefundReference, RefundRequest, RefundState, Timestamp,
    },
    ports::{CheckoutOrder, RefundOrder},
};

/// The methods whose checkouts are made by a call; the others are signed here alone.
pub const CALLED_METHODS: [CheckoutMethod; 7] = [
    CheckoutMethod::StripeCheckout,
    CheckoutMethod::StripeIntent,
    CheckoutMethod::WeChatNative,
    CheckoutMethod::WeChatH5,
    CheckoutMethod::WeChatJsapi,
    CheckoutMethod::WeChatApp,
    CheckoutMethod::AlipayQr,
];

/// A code by which a provider refuses a checkout.
#[must_use]
pub const fn a_code_against_checkouts(provider: Provider) -> &'static str {
    match provider {
        Provider::Stripe => "amount_too_small",
        Provider::WeChat => "TRADE_ERROR",
        Provider::Alipay => "ACQ.TOTAL_FEE_EXCEED",
    }
}

/// A code by which a provider refuses a refund.
#[must_use]
pub const fn a_code_against_refunds(provider: Provider) -> &'static str {
    match provider {
        Provider::Stripe => "charge_disputed",
        Provider::WeChat => "TRADE_OVERDUE",
        Provider::Alipay => "ACQ.TRADE_NOT_ALLOW_REFUND",
    }
}

/// The order of a checkout, for so many fen.
#[must_use]
pub fn a_checkout_order(checkout: &Checkout, minor: u64) -> CheckoutOrder<'_> {
    CheckoutOrder { checkout, oid: OrderId::new(7).unwrap(), amount: fen(minor) }
}

/// A refund that is requested at this time, of what this transaction paid.
#[must_use]
pub fn a_requested_refund(
    reference: RefundReference,
    taken_from: ProviderRef,
    amount_minor: u64,
    now: Timestamp,
) -> Refund {
    Refund {
        payment: reference.payment(),
        id: RefundId::requested(reference),
        taken_from,
        provider_refund: None,
        reference: None,
        amount_minor,
        state: RefundState::Requested,
        request: Some(RefundRequest { key: Digest::new([0; 32]), reason: None, quarantined: None }),
        due: None,
        create_time: now,
        update_time: now,
    }
}

/// The order of a requested refund, of a payment of so many fen.
#[must_use]
pub fn a_refund_order(refund: &Refund, paid_minor: u64) -> RefundOrder<'_> {
    RefundOrder {
        reference: RefundReference::parse(refund.id.as_str()).unwrap(),
        refund,
        txn: refund.taken_from.txn.as_ref().unwrap(),
        paid: fen(paid_minor),
        notify_url: None,
    }
}

fn fen(minor: u64) -> Amount {
    Amount::new(minor, Currency::new("CNY").unwrap()).unwrap()
}
