//! Payments that are closed while something else becomes of their checkouts.

use pay_core::domain::{CheckoutMethod, Provider};
use serde_json::json;

use super::closes::another;
use super::{begun, calm, checkout, close, deaf, kept, points, reference, request};
use crate::echo::eventually;
use crate::stage::{meanwhile, notify, own, payment, shown};
use crate::sweep::sweep_all;
use crate::{payctl, table};

/// 19: the payer pays between the first query and the close, which the provider refuses then. No webhook comes:
/// the query after the close decides.
#[tokio::test]
async fn a_payment_that_is_paid_before_its_close_arrives_is_paid_once() {
    let stack = own().await;
    for &method in CheckoutMethod::ALL {
        let (provider, point) = (method.provider(), points(method.provider()).1);
        let payment = payment(&stack).await;
        begun(&stack, payment, method).await;
        let account = deaf(&stack, provider);
        let calls = account.calls(point);
        let reference = reference(payment, 1);
        let pays = account.pay_checkout(&reference);
        let (status, paid) = meanwhile(&stack, point, close(&stack, payment), pays).await;
        paid.unwrap();
        assert_eq!(status, 1, "{method:?}");
        assert_eq!(account.calls(point), calls + 1, "{method:?}");
        for _ in 0..2 {
            assert_eq!(stack.shop().times_paid(payment.oid), 1, "{method:?}");
            let record = table::record(&stack, payment.id).await;
            assert_eq!((&record["status"], record.get("closing")), (&json!(1), None), "{method:?}");
            assert_eq!(kept(&stack, payment, 1).await["state"], "ended", "{method:?}");
            sweep_all(&stack).await;
        }
        assert!(!table::is_due(&stack, payment.id).await, "{method:?}");
        assert_eq!(account.checkout(&reference).unwrap().refunds, [], "{method:?}");
        another(&stack, payment).await.problem("payment-exists");
    }
    payctl::ok(&stack, &["audit"]).await;
}

/// 19: the sweep closes it, and the payer is quicker. The provider refuses to close it again, or says once more that it is closed.
#[tokio::test]
async fn a_payment_that_is_closed_before_its_close_arrives_is_closed() {
    let stack = own().await;
    for &method in CheckoutMethod::ALL {
        let point = points(method.provider()).1;
        let payment = payment(&stack).await;
        begun(&stack, payment, method).await;
        let account = deaf(&stack, method.provider());
        notify(&stack, payment, 1, 3).await.ok();
        assert_eq!(table::record(&stack, payment.id).await["closing"], true, "{method:?}");
        let calls = account.calls(point);
        let (swept, status) =
            meanwhile(&stack, point, sweep_all(&stack), close(&stack, payment)).await;
        assert_eq!((status, &swept["failed"]), (json!(3), &json!(0)), "{method:?}: {swept}");
        assert_eq!(account.calls(point), calls + 2, "{method:?}");
        let record = table::record(&stack, payment.id).await;
        let left = (record.get("closing"), record.get("due"));
        assert_eq!((&record["status"], left), (&json!(3), (None, None)), "{method:?}");
        assert!(account.pay_checkout(&reference(payment, 1)).await.is_err(), "{method:?}");
        another(&stack, payment).await.ok();
    }
    payctl::ok(&stack, &["audit"]).await;
}

/// 21: that the provider says so is no proof. The order is not free, and the payer may still pay.
#[tokio::test]
async fn a_close_that_did_nothing_is_repeated_until_a_query_shows_it() {
    let stack = own().await;
    for &method in CheckoutMethod::ALL {
        let (provider, point) = (method.provider(), points(method.provider()).1);
        let account = deaf(&stack, provider);
        account.only_say_closed(true);
        let (left, paid) = (payment(&stack).await, payment(&stack).await);
        for payment in [left, paid] {
            begun(&stack, payment, method).await;
            let calls = account.calls(point);
            assert_eq!(close(&stack, payment).await, 0, "{method:?}");
            assert_eq!(account.calls(point), calls + 1, "{method:?}");
            // Once more by the sweep, and by whoever asks.
            sweep_all(&stack).await;
            assert!(account.calls(point) > calls + 1, "{method:?}");
            assert_eq!(close(&stack, payment).await, 0, "{method:?}");
            let record = table::record(&stack, payment.id).await;
            assert_eq!((&record["status"], &record["closing"]), (&json!(0), &json!(true)));
            assert!(table::is_due(&stack, payment.id).await, "{method:?}");
            assert_eq!(kept(&stack, payment, 1).await["state"], "open", "{method:?}");
            another(&stack, payment).await.problem("payment-exists");
            let guard = table::guard(&stack, payment.oid).await.unwrap();
            assert_eq!(guard["payment"], payment.id, "{method:?}");
        }
        account.pay_checkout(&reference(paid, 1)).await.unwrap();
        account.only_say_closed(false);
        sweep_all(&stack).await;
        assert_eq!(shown(&stack, paid).await["status"], 1, "{method:?}");
        assert_eq!(stack.shop().times_paid(paid.oid), 1, "{method:?}");
        assert_eq!(shown(&stack, left).await["status"], 3, "{method:?}");
        assert_eq!(kept(&stack, left, 1).await["state"], "ended", "{method:?}");
        another(&stack, left).await.ok();
    }
    payctl::ok(&stack, &["audit"]).await;
}

/// A session that nobody pays in time ends by itself, and Stripe says so: its checkout has ended, and another one
/// can be paid.
#[tokio::test]
async fn a_session_that_lapses_ends_its_checkout_by_its_webhook() {
    let stack = own().await;
    let account = stack.account(Provider::Stripe).unwrap();
    let payment = payment(&stack).await;
    begun(&stack, payment, CheckoutMethod::StripeCheckout).await;
    account.set_clock_ahead(32 * 60).await.unwrap();
    assert_eq!(kept(&stack, payment, 1).await["state"], "ended");
    assert_eq!(shown(&stack, payment).await["status"], 0);
    let [webhook] = &account.webhooks()[..] else { panic!("{:?}", account.webhooks()) };
    assert_eq!(webhook.content["type"], "checkout.session.expired");
    account.set_clock_ahead(0).await.unwrap();
    calm(&stack, payment, 1).await;
    let asked = request(payment, CheckoutMethod::StripeCheckout);
    checkout(&stack, payment, &asked).await.ok();
    account.pay_checkout(&reference(payment, 2)).await.unwrap();
    eventually("the webhooks", || stack.faults().late() == 0).await;
    assert_eq!(shown(&stack, payment).await["status"], 1);
    payctl::ok(&stack, &["audit"]).await;
}
