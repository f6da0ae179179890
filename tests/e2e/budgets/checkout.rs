//! What a checkout and a close cost.

use local::Stack;
use pay_core::domain::CheckoutMethod;

use super::{Budget, Cost, UNIT, warm};
use crate::checkouts::{CALLED, calm, close, started};
use crate::stage::payment;

/// Two hops, the provider, and one more.
const MADE: Budget = Budget { hops: 4, writes: 10 * UNIT };
/// It is asked about, closed, and asked about again; each response is kept.
const CLOSED: Budget = Budget { hops: 13, writes: 16 * UNIT };

/// The record and its checkouts.
const READ: &[&str] = &["GetItem!", "Query!"];

/// A stack whose create has called each provider once: it has read their keys.
async fn warm_providers() -> Stack {
    let stack = warm().await;
    for method in CALLED {
        started(&stack, payment(&stack).await, method).await;
    }
    stack
}

#[tokio::test]
async fn a_new_checkout_and_its_repeat() {
    let stack = warm_providers().await;
    for (method, name, calls) in [
        (CheckoutMethod::StripeIntent, "checkout, at Stripe", &["stripe:make-checkout"][..]),
        (CheckoutMethod::WeChatNative, "checkout, at WeChat Pay", &["wechat:make-checkout"]),
        (CheckoutMethod::AlipayQr, "checkout, at Alipay", &["alipay:make-checkout"]),
        // Signed without a call.
        (CheckoutMethod::AlipayPage, "checkout, a page of Alipay's", &[]),
    ] {
        let payment = payment(&stack).await;
        // The record, the checkout and the event, twice for the transaction, then the checkout again. The payment
        // is due as before.
        let mut hops = vec![READ, &["TransactWriteItems"], calls, &["UpdateItem"]];
        hops.retain(|hop| !hop.is_empty());
        let cost = Cost::of(name, &hops, (7 * UNIT, 4));
        cost.is_of(&stack, MADE, async { drop(started(&stack, payment, method).await) }).await;
        calm(&stack, payment, 1).await;
        let again = if method == CheckoutMethod::StripeIntent {
            &["stripe:payment-intent"][..]
        } else {
            calls
        };
        let mut hops = vec![READ, &["UpdateItem"], again];
        hops.retain(|hop| !hop.is_empty());
        let cost = Cost::of("checkout, again", &hops, (UNIT, 4));
        cost.is_of(&stack, MADE, async { drop(started(&stack, payment, method).await) }).await;
    }
}

#[tokio::test]
async fn a_close() {
    let stack = warm_providers().await;
    let payment = payment(&stack).await;
    started(&stack, payment, CheckoutMethod::WeChatNative).await;
    let cost = Cost::of(
        "close, with a checkout",
        &[
            &["GetItem!"],
            &["TransactWriteItems"],
            &["Query!"],
            &["wechat:payment"],
            // What it says is kept.
            &["GetItem!"],
            &["PutItem"],
            &["wechat:close"],
            &["wechat:payment"],
            &["GetItem!"],
            &["UpdateItem"],
            &["PutItem"],
            &["UpdateItem"],
            &["TransactWriteItems"],
        ],
        (14 * UNIT, 8),
    );
    cost.is_of(&stack, CLOSED, async { assert_eq!(close(&stack, payment).await, 3) }).await;
}
