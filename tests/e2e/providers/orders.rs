//! 5: messages about one payment's money, in every order of delivery, end in the same state.

use std::collections::BTreeSet;

use local::messages::{Message, Outcome};
use pay_providers::PaymentProvider;

use super::{deliver, message};
use crate::stage::{payment, shared, shown};
use crate::table;

/// Every order of these.
fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for index in 0..items.len() {
        let mut rest = items.to_vec();
        let first = rest.remove(index);
        for mut tail in permutations(&rest) {
            tail.insert(0, first.clone());
            all.push(tail);
        }
    }
    all
}

/// What a provider may report of one payment; each of them comes twice.
fn outcomes(provider: PaymentProvider) -> Vec<Vec<Outcome>> {
    let all = match provider {
        PaymentProvider::Stripe => vec![Outcome::Failed, Outcome::Closed, Outcome::Paid],
        PaymentProvider::WeChat => vec![Outcome::Paid],
        PaymentProvider::Alipay => vec![Outcome::Closed, Outcome::Paid],
    };
    let with = |more: &[Outcome]| [&all[..], more].concat();
    vec![all.clone(), with(&[Outcome::Refunded]), with(&[Outcome::PartlyRefunded])]
}

#[tokio::test]
async fn the_end_does_not_depend_on_the_order_of_delivery() {
    let stack = shared();
    for provider in PaymentProvider::ALL {
        for outcomes in outcomes(provider) {
            let mut ends = BTreeSet::new();
            let orders = permutations(&outcomes);
            for order in &orders {
                let payment = payment(stack).await;
                let messages: Vec<Message> =
                    order.iter().map(|outcome| message(payment, *outcome)).collect();
                // A duplicate follows at once, and all of them come again in the end.
                for sent in messages.iter().flat_map(|one| [one, one]).chain(&messages) {
                    deliver(stack, provider, sent).await;
                }
                let record = table::record(stack, payment.id).await;
                let times = stack.shop().times_paid(payment.oid);
                let told = times == 1 || (times == 0 && outcomes.contains(&Outcome::Refunded));
                assert!(told, "{provider:?} {order:?}: told {times} times");
                assert!(!table::is_to_be_told(stack, payment.id).await, "{provider:?} {order:?}");
                assert_eq!(
                    table::quarantined(stack, payment.id).await,
                    0,
                    "{provider:?} {order:?}"
                );
                let shown = shown(stack, payment).await;
                let (source, txn) = (&record["source"], &record["provider_txn"]);
                let txn = txn.as_str().unwrap().replace(&payment.id.to_string(), "ID");
                ends.insert(format!("{} {source} {txn}", shown["status"]));
            }
            assert_eq!(ends.len(), 1, "{provider:?} {outcomes:?}: {ends:?}");
            let refunded = outcomes.contains(&Outcome::Refunded);
            let end = ends.first().unwrap();
            assert!(end.starts_with(if refunded { "4 " } else { "1 " }), "{end}");
        }
    }
}

/// 12: refunds in part are kept, and change no status; told again they are told apart.
#[tokio::test]
async fn refunds_in_part_are_noted() {
    let stack = shared();
    for provider in PaymentProvider::ALL {
        let payment = payment(stack).await;
        deliver(stack, provider, &message(payment, Outcome::Paid)).await;
        for _ in 0..2 {
            let part = message(payment, Outcome::PartlyRefunded);
            deliver(stack, provider, &part).await;
            deliver(stack, provider, &part).await;
        }
        let now = shown(stack, payment).await;
        assert_eq!(now["status"], 1, "{provider:?}");
        let events = table::events(stack, payment.id).await;
        let noted = events.iter().filter(|event| event["verdict"] == "noted").count();
        assert_eq!((noted, events.len()), (2, 3), "{provider:?}");
        assert_eq!(stack.shop().times_paid(payment.oid), 1);
    }
}
