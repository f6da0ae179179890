//! Amounts that no request to a provider can say.

use super::*;
use crate::domain::{Amount, Currency};
use CheckoutMethod::AlipayWap;

const OF_CURRENCY: &str = "its provider does not collect its currency";
const OF_STEPS: &str = "its provider collects this currency in larger steps: choose another provider, or round \
                        the order's amount";

#[test]
fn what_its_provider_cannot_collect_is_refused_and_leaves_nothing() {
    for (currency, minor, method, why) in [
        ("EUR", 100, WeChatNative, Some(OF_CURRENCY)),
        ("EUR", 100, AlipayWap, Some(OF_CURRENCY)),
        ("EUR", 101, StripeIntent, None),
        ("KWD", 5120, StripeCheckout, None),
        ("KWD", 5123, StripeCheckout, Some(OF_STEPS)),
        ("TND", 1, StripeIntent, Some(OF_STEPS)),
        ("MGA", 500, StripeIntent, None),
        ("MGA", 550, StripeIntent, Some(OF_STEPS)),
        ("ISK", 7, StripeIntent, None),
        ("CNY", 1, WeChatNative, None),
        ("CNY", 1, AlipayQr, None),
    ] {
        let (world, id) = world();
        let amount = Amount::new(minor, Currency::new(currency).unwrap()).unwrap();
        world.store.edit(|table| table.payments.get_mut(&id).unwrap().amount = amount);
        let before = world.payment(id);
        let want = why.map_or(Ok(1), |why| Err(format!("the payment cannot be paid so: {why}")));
        assert_eq!(start(&world, id, method, 0), want, "{amount:?} {method:?}");
        if why.is_some() {
            assert_eq!((world.payment(id), states(&world)), (before, vec![]), "{amount:?}");
            assert_eq!((held(&world), world.passed(Call::MakeCheckout)), (0, 0));
        }
    }
}
