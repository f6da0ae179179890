//! What is not reserved, since no call could give it back.

use super::*;
use crate::domain::Currency;
use Provider::WeChat;

#[test]
fn what_cannot_be_refunded_is_not_sent() {
    let (world, id) = World::with_payment();
    world.give_keys(&[Stripe]);
    let gone = ask(&world, &request(PaymentId::new(1).unwrap(), None, 1));
    assert!(matches!(gone, Err(RefundError::PaymentNotFound)));
    assert!(matches!(ask(&world, &request(id, None, 1)), Err(RefundError::NotRefundable(_))));

    let (world, id) = paid();
    for minor in [0, 101] {
        let refused = ask(&world, &request(id, Some(minor), 1));
        assert!(matches!(refused, Err(RefundError::ExceedsPayment)), "{minor}");
    }
    world.give_keys(&[]);
    assert!(matches!(ask(&world, &request(id, None, 1)), Err(RefundError::NotRefundable(_))));
    world.give_keys(&[Stripe]);
    ask(&world, &request(id, None, 1)).unwrap();
    assert!(matches!(ask(&world, &request(id, None, 2)), Err(RefundError::ExceedsPayment)));
    assert_eq!(world.passed(Call::MakeRefund), 1);
}

/// However often the request is sent, its provider has no such transaction, currency or amount.
#[test]
fn what_its_provider_can_never_give_back_is_rejected_and_leaves_nothing() {
    let of_kind = Some(
        "its provider refunds no transaction of this kind: give it back in the provider's console",
    );
    let of_currency = Some("its provider does not collect its currency");
    let of_steps = Some("its provider gives this currency back in larger steps: round the amount");
    for (provider, txn, (paid, currency), minor, why) in [
        (Stripe, "pi_1", (100, "CNY"), Some(33), None),
        (Stripe, "ch_1", (100, "CNY"), Some(33), of_kind),
        (Stripe, "txn", (100, "CNY"), None, of_kind),
        (WeChat, "4200001", (100, "CNY"), Some(33), None),
        (WeChat, "4200-1", (100, "CNY"), Some(33), of_kind),
        (WeChat, "4200001", (100, "EUR"), Some(33), of_currency),
        (Alipay, "2014_1", (100, "CNY"), Some(33), None),
        (Alipay, "2014_1", (100, "EUR"), None, of_currency),
        (Stripe, "pi_1", (5120, "KWD"), Some(1230), None),
        (Stripe, "pi_1", (5120, "KWD"), Some(1234), of_steps),
        (Stripe, "pi_1", (5125, "KWD"), None, of_steps),
        (Stripe, "pi_1", (1000, "MGA"), Some(500), None),
        (Stripe, "pi_1", (1000, "MGA"), Some(550), of_steps),
    ] {
        let (world, id) = World::with_payment();
        world.give_keys(Provider::ALL);
        let amount = Amount::new(paid, Currency::new(currency).unwrap()).unwrap();
        world.store.edit(|table| {
            let payment = table.payments.get_mut(&id).unwrap();
            (payment.status, payment.amount) = (Status::Paid, amount);
            (payment.paid_time, payment.reference) = (Some(now()), a_reference(provider, txn));
        });
        let before = world.payment(id);
        let asked = ask(&world, &request(id, minor, 1));
        let calls = world.passed(Call::MakeRefund);
        match why {
            None => assert_eq!((asked.is_ok(), calls), (true, 1), "{txn} {currency}"),
            Some(why) => {
                let Err(RefundError::NotRefundable(found)) = asked else { panic!("{asked:?}") };
                assert_eq!((found, calls), (why, 0), "{txn} {currency}");
                assert_eq!((world.payment(id), world.store.table().refunds.len()), (before, 0));
            }
        }
    }
}
