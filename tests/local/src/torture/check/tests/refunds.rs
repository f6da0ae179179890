//! Refunds that the service was asked for: at the provider, in the table and at the order service.

use super::*;
use crate::torture::world::{AskedRefund, RefundResponse};

const ID: &str = "8_0123456789abcdef";

/// A refund of 20 of payment 8, whose order service knows of it.
fn refunded() -> Sound {
    let mut stage = sound();
    stage.items.push(json!({
        "pk": "pay#8", "sk": format!("refund#{ID}"), "amount": 20, "source": 3,
        "provider_txn": "pi_8", "provider_refund": "re_2", "state": "succeeded", "key": "x",
    }));
    stage.facts.trades[0].1.refunds[1].reference = Some(ID.to_owned());
    stage.items[PAID]["refunded"] = json!(50);
    stage.facts.refunds = vec![asked("succeeded"), asked("requested")];
    stage.facts.refund_calls =
        vec![order_refunded(30, "stripe.re_1", true), order_refunded(20, ID, true)];
    stage.facts.refund_calls.push(order_refunded(20, ID, false));
    stage
}

fn asked(status: &str) -> AskedRefund {
    let (id, status) = (ID.to_owned(), status.to_owned());
    let response = RefundResponse::Kept { id, amount: 20, status };
    AskedRefund { payment: 8, amount: Some(20), key: "a".to_owned(), response }
}

/// What is said of refunds, and of payment 8 at its provider.
fn said(damage: impl FnOnce(&mut Sound)) -> Vec<String> {
    let mut found = found(|stage| {
        *stage = refunded();
        damage(stage);
    });
    let begins = ["refund ", "payment 8: ", "payment 8 at "];
    found.retain(|found| {
        let item = found.split_once(' ').unwrap().1;
        begins.iter().any(|begin| item.starts_with(begin))
    });
    found
}

/// The items of the refund and of the one that was adopted.
const ITEM: usize = 11;
const ADOPTED: usize = 9;

#[test]
fn what_is_so_everywhere_is_sound() {
    assert_eq!(said(|_| {}), [""; 0]);
    // It failed everywhere, and was never made.
    let failed = said(|stage| {
        stage.items[ITEM]["state"] = json!("failed");
        stage.items[PAID]["refunded"] = json!(30);
        stage.facts.trades[0].1.refunds.pop();
        stage.facts.refunds = vec![asked("failed")];
        stage.facts.refund_calls.truncate(1);
    });
    assert_eq!(failed, [""; 0]);
}

#[test]
fn a_refund_is_made_once_and_as_it_is_kept() {
    type Damage = fn(&mut Sound);
    let table: [(&str, Damage); 11] = [
        ("I22 payment 8: 20 are still reserved, and 0 wait for a person", |stage| {
            stage.items[PAID]["refund_pending"] = json!(20);
        }),
        ("I22 payment 8: more went back at stripe than was paid", |stage| {
            stage.facts.trades[0].1.amount = 49;
        }),
        ("I22 refund 8_0123456789abcdef: made 2 times at stripe", |stage| {
            let again = stage.facts.trades[0].1.refunds[1].clone();
            stage.facts.trades[0].1.refunds.push(again);
        }),
        ("I25 refund 8_0: stripe has it, and there is no item of it", |stage| {
            stage.facts.trades[0].1.refunds[0].reference = Some("8_0".to_owned());
        }),
        (
            "I22 refund 8_0123456789abcdef: (3, \"pi_8\", 19, \"succeeded\") there, (3, \"pi_8\", 20",
            |stage| {
                stage.facts.trades[0].1.refunds[1].amount = 19;
            },
        ),
        ("I22 refund 8_0123456789abcdef: (3, \"pi_8\", 20, \"succeeded\") there, (2, ", |stage| {
            stage.items[ITEM]["source"] = json!(2);
        }),
        ("I22 refund 8_0123456789abcdef: (3, \"pi_8\", 20, \"succeeded\") there", |stage| {
            stage.items[ITEM]["provider_txn"] = json!("pi_9");
        }),
        ("I22 refund 8_0123456789abcdef: (3, \"pi_8\", 20, \"succeeded\") there", |stage| {
            stage.items[ITEM]["state"] = json!("failed");
        }),
        ("I22 refund 8_0123456789abcdef: succeeded here, and not there", |stage| {
            drop(stage.facts.trades[0].1.refunds.pop());
        }),
        ("I9 refund 8_0123456789abcdef: requested, and nothing is wrong any more", |stage| {
            stage.items[ITEM]["state"] = json!("requested");
        }),
        ("I9 refund 8_0123456789abcdef: pending, and nothing is wrong any more", |stage| {
            stage.items[ITEM]["state"] = json!("pending");
        }),
    ];
    for (name, damage) in table {
        let found = said(damage);
        assert!(found.iter().any(|found| found.starts_with(name)), "{name}: {found:?}");
    }
    // Too little is left there, which its provider does not say.
    let stuck = |amount: u64| {
        said(|stage| {
            stage.items[PAID]["refund_pending"] = json!(20);
            stage.items[ITEM]["state"] = json!("requested");
            stage.items[PAID]["refunded"] = json!(30);
            stage.facts.refunds.clear();
            stage.facts.refund_calls.truncate(1);
            let refund = &mut stage.facts.trades[0].1.refunds[1];
            (refund.reference, refund.amount) = (None, amount);
        })
    };
    assert_eq!(stuck(51), [""; 0]);
    assert_eq!(stuck(50).len(), 2, "{:?}", stuck(50));
    // One that failed was tried again under its number.
    let again = said(|stage| {
        let failed = stage.facts.trades[0].1.refunds[1].clone();
        let failed = TradeRefund { state: RefundState::Failed, ..failed };
        stage.facts.trades[0].1.refunds.insert(1, failed);
    });
    assert_eq!(again, [""; 0]);
}

#[test]
fn what_was_responded_about_a_refund_is_so() {
    let found = |edit: fn(&mut String, &mut u64, &mut String)| {
        said(|stage| {
            if let RefundResponse::Kept { id, amount, status } =
                &mut stage.facts.refunds[0].response
            {
                edit(id, amount, status);
            }
        })
    };
    let first = found(|id, _, _| id.push('0'));
    assert!(first[0].starts_with("I4 refund 8_0123456789abcdef0: responded, and not kept"));
    let key = "I22 refund 8_0123456789abcdef: the key a was 8_0123456789abcdef0 before";
    assert!(first.iter().any(|found| found == key), "{first:?}");
    for found in
        [found(|_, amount, _| *amount = 19), found(|_, _, status| *status = "failed".to_owned())]
    {
        assert!(found[0].starts_with("I4 refund 8_0123456789abcdef: "), "{found:?}");
    }
    // Of another payment, and of another key.
    let missing = said(|stage| stage.facts.refunds[0].payment = 7);
    assert!(missing[0].starts_with("I4 refund 8_0123456789abcdef: responded"), "{missing:?}");
    let other = said(|stage| stage.facts.refunds[0].key = "b".to_owned());
    assert_eq!(other, [""; 0]);
}

#[test]
fn the_order_service_knows_of_what_went_back() {
    let first = |damage: fn(&mut Sound)| said(damage).into_iter().next().unwrap_or_default();
    let is = |text: &str, name: &str| assert!(text.starts_with(name), "{name}: {text}");
    let of_nothing = first(|stage| stage.facts.refund_calls[1].refund_id = Some("8_1".to_owned()));
    is(&of_nothing, "I10 refund 8_1: the order service was notified of Some(20)");
    is(&first(|stage| stage.facts.refund_calls[1].amount = Some(1)), "I10 refund 8_0");
    is(&first(|stage| stage.facts.refund_calls[1].key = None), "I10 refund 8_0");
    is(
        &first(|stage| stage.facts.refund_calls[2].counted = true),
        "I8 refund 8_0123456789abcdef: the order service has counted it 2 times",
    );
    is(
        &first(|stage| stage.facts.refund_calls.truncate(1)),
        "I8 refund 8_0123456789abcdef: the order service has counted it 0",
    );
    is(
        &first(|stage| drop(stage.facts.refund_calls.remove(0))),
        "I8 refund stripe.re_1: the order service has counted it 0",
    );
    is(&first(|stage| stage.items[ADOPTED]["state"] = json!("failed")), "I10 refund stripe.re_1");
    // One that was never notified of the payment needs not to be notified of its refunds.
    let never = said(|stage| {
        stage.items[PAID].as_object_mut().unwrap().remove("notified_time");
        stage.facts.refund_calls.clear();
    });
    assert_eq!(never, [""; 0]);
}
