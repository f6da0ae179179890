//! Money in quarantine that a person had given back.

use bytes::Bytes;

use super::*;
use crate::simulator::checkouts::TradeCheckout;
use crate::torture::world::{GiveBackResult, GivenBack};

const ID: &str = "8_00000000000000ee";

/// The item of its refund.
const ITEM: usize = 11;

/// Its trade at Alipay.
const OTHER: usize = 1;

/// Alipay collected 70 for payment 8, too, which a person had given back.
fn given_back() -> Sound {
    let mut stage = sound();
    stage.items.push(json!({
        "pk": "pay#8", "sk": format!("refund#{ID}"), "amount": 70, "source": 1,
        "provider_txn": "2008", "state": "succeeded", "key": "x",
        "quarantined": "8/alipay/query.paid.2008",
    }));
    let mut event = event(8, "query.paid.2008", "quarantined", (1, 1), 5);
    event["sk"] = json!("event#alipay#query.paid.2008");
    for (name, value) in [("provider_txn", json!("2008")), ("amount", json!(70))] {
        event[name] = value;
    }
    stage.items.push(event);
    let refund = TradeRefund {
        id: "al_1".to_owned(),
        reference: Some(ID.to_owned()),
        amount: 70,
        state: RefundState::Succeeded,
        is_stranded: false,
        time_secs: 1,
    };
    let trade = Trade::new(8, "2008".to_owned(), 70, 1);
    let (method, parameters) = ("page", Bytes::new());
    let checkout =
        TradeCheckout { number: 1, method, parameters, expires_secs: None, is_begun: true };
    let checkout = Some(checkout);
    let trade = Trade { checkout, state: TradeState::Paid, refunds: vec![refund], ..trade };
    stage.facts.trades.push((Provider::Alipay, trade));
    stage.facts.given_back = vec![kept(ID), kept(ID)];
    stage
}

fn kept(id: &str) -> GivenBack {
    let notification = "8/alipay/query.paid.2008".to_owned();
    GivenBack { payment: 8, notification, result: GiveBackResult::Kept(id.to_owned()) }
}

/// What is said of the refund and of its money.
fn said(damage: impl FnOnce(&mut Sound)) -> Vec<String> {
    let mut found = found(|stage| {
        *stage = given_back();
        damage(stage);
    });
    let about = [format!("refund {ID}: "), "payment 8: ".to_owned(), "payment 8 at ".to_owned()];
    found.retain(|found| {
        let item = found.split_once(' ').unwrap().1;
        about.iter().any(|begin| item.starts_with(begin))
    });
    found
}

#[test]
fn what_went_back_beside_the_payment_is_sound() {
    assert_eq!(said(|_| {}), [""; 0]);
    // The provider refused it, and the money is still there.
    let refused = said(|stage| {
        stage.items[ITEM]["state"] = json!("failed");
        stage.facts.trades[OTHER].1.refunds.clear();
    });
    assert_eq!(refused, [""; 0]);
}

#[test]
fn money_in_quarantine_goes_back_once_and_as_it_is() {
    let again = |stage: &mut Sound| {
        let mut item = stage.items[ITEM].clone();
        item["sk"] = json!("refund#8_00000000000000ef");
        stage.items.push(item);
    };
    let table: [(&str, Damage); 7] = [
        (": 8/alipay/query.paid.2008 was given back by it, and it is not kept", |stage| {
            drop(stage.items[ITEM].as_object_mut().unwrap().remove("quarantined"));
        }),
        (": gives back 70, and 71 were paid by 2008", |stage| {
            stage.facts.trades[OTHER].1.amount = 71;
        }),
        (": gives back 2008, which no provider holds as paid", |stage| {
            stage.facts.trades[OTHER].1.state = TradeState::Closed;
        }),
        (": gives back 2008, which pays the payment", |stage| {
            stage.items[PAID]["source"] = json!(1);
            stage.items[PAID]["provider_txn"] = json!("2008");
        }),
        (": the order service has counted it 1 times", |stage| {
            stage.facts.refund_calls.push(order_refunded(70, ID, true));
        }),
        (": made 2 times at alipay", |stage| {
            let refund = stage.facts.trades[OTHER].1.refunds[0].clone();
            stage.facts.trades[OTHER].1.refunds.push(refund);
        }),
        (": succeeded here, and not there", |stage| {
            stage.facts.trades[OTHER].1.refunds.clear();
        }),
    ];
    for (what, damage) in table {
        let found = said(damage);
        let is_it = |found: &String| found.contains(&format!("refund {ID}{what}"));
        assert!(found.iter().any(is_it), "{what}: {found:?}");
    }
    let twice = said(again);
    assert!(twice.contains(&"I22 payment 8: 2008 was given back 2 times".to_owned()), "{twice:?}");
}
