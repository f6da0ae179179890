//! Checkouts at the providers, and a table that says something else.

use bytes::Bytes;
use pay_core::domain::CheckoutMethod;

use super::*;
use crate::simulator::checkouts::TradeCheckout;
use crate::torture::world::{AskedClose, HandedOut};

/// The last moment of the checkout, in Unix milliseconds.
const EXPIRES_MS: u64 = 1_800_000_000_000;

/// The item of a checkout of payment 8 at Alipay.
fn item(state: &str) -> Value {
    json!({
        "pk": "pay#8", "sk": "checkout#1", "provider": "alipay", "method": "page", "state": state,
        "expires_time": EXPIRES_MS,
    })
}

/// The same checkout there.
fn there(state: TradeState, is_begun: bool) -> Trade {
    let checkout = TradeCheckout {
        number: 1,
        method: "page",
        parameters: Bytes::new(),
        expires_secs: Some(EXPIRES_MS / 1000),
        is_begun,
    };
    let trade = Trade::new(8, "2008".to_owned(), 100, 1);
    Trade { checkout: Some(checkout), state, ..trade }
}

/// What is said of the checkout of payment 8, which has this status.
fn said(status: u64, item: Option<Value>, trade: Option<Trade>) -> Vec<String> {
    let mut found = found(|stage| {
        stage.items[PAID]["status"] = json!(status);
        stage.items[PAID]["checkouts"] = json!(2);
        stage.items.extend(item);
        stage.facts.trades.extend(trade.map(|trade| (Provider::Alipay, trade)));
    });
    found.retain(|found| found.contains(" checkout 1 of payment 8: "));
    found.into_iter().map(|found| found.replace(" checkout 1 of payment 8", "")).collect()
}

#[test]
fn a_checkout_comes_to_its_end_on_both_sides() {
    use TradeState::{Closed, Open, Paid, Processing};
    let payable = "I24: its payment is closed, and it can be paid there: alipay";
    let ended = "I24: it has come to an end, and can be paid there: alipay";
    let left = "I24: it can be paid there, though its payment was closed or is paid: alipay";
    let closed = "I24: closed there, and not at its end: alipay";
    let paid = "I24: paid there, and not at its end: alipay";
    for (status, state, trade, want) in [
        (3, "ended", there(Closed, true), None),
        (1, "ended", there(Closed, true), None),
        (1, "ended", there(Paid, true), None),
        // Nobody has opened the page, and it may still be opened.
        (1, "open", there(Open, false), None),
        (0, "requested", there(Open, false), None),
        (3, "ended", there(Open, true), Some(payable)),
        (3, "ended", there(Processing, true), Some(payable)),
        (3, "ended", there(Open, false), Some(payable)),
        (1, "ended", there(Open, false), Some(ended)),
        (1, "refused", there(Open, true), Some(ended)),
        (1, "open", there(Open, true), Some(left)),
        (0, "requested", there(Processing, true), Some(left)),
        (1, "open", there(Closed, true), Some(closed)),
        (1, "open", there(Paid, true), Some(paid)),
    ] {
        let found = said(status, Some(item(state)), Some(trade.clone()));
        assert_eq!(found, want.into_iter().collect::<Vec<_>>(), "{status} {state} {trade:?}");
    }
    // The only one, by which it is paid.
    let only = found(|stage| {
        stage.items[PAID]["checkouts"] = json!(1);
        stage.items.push(item("open"));
        stage.facts.trades.push((Provider::Alipay, there(Paid, true)));
    });
    assert!(!only.iter().any(|found| found.contains("checkout 1 of")), "{only:?}");
}

#[test]
fn a_checkout_is_written_before_it_is_made_and_made_once() {
    let none = "I25: alipay has it, and there is no item of it";
    let open = || Some(there(TradeState::Closed, true));
    assert_eq!(said(1, None, open()), [none]);
    let mut other = item("ended");
    other["provider"] = json!("wechat");
    assert_eq!(said(1, Some(other), open()), [none]);
    assert_named(&[("I25 checkout 1 of payment 8: 2 objects of the providers have", |stage| {
        stage.items.push(item("ended"));
        let first = there(TradeState::Closed, true);
        let second = Trade { transaction: "2009".to_owned(), ..first.clone() };
        stage.facts.trades.extend([first, second].map(|trade| (Provider::Alipay, trade)));
    })]);
    // What was never made may be absent until it expires. Stripe's is made to be closed.
    assert_eq!(said(0, Some(item("requested")), None), [""; 0]);
    let mut of_stripe = item("requested");
    of_stripe["provider"] = json!("stripe");
    let want = "I24: it may be paid, and sending it again would have named it";
    assert_eq!(said(0, Some(of_stripe), None), [want]);
}

#[test]
fn a_response_about_a_checkout_or_a_close_is_so() {
    let handed = |damage: fn(&mut Value)| {
        let mut found = found(|stage| {
            let mut item = item("ended");
            damage(&mut item);
            stage.items.push(item);
            stage.facts.checkouts.push(HandedOut {
                payment: 8,
                method: CheckoutMethod::AlipayPage,
                expires_ms: EXPIRES_MS,
            });
        });
        found.retain(|found| found.contains("was handed out, and is not kept"));
        found.len()
    };
    assert_eq!(handed(|_| {}), 0);
    assert_eq!(handed(|item| item["state"] = json!("open")), 0);
    let damages: [fn(&mut Value); 6] = [
        |item| item["state"] = json!("requested"),
        |item| item["state"] = json!("refused"),
        |item| item["method"] = json!("wap"),
        |item| item["provider"] = json!("wechat"),
        |item| item["expires_time"] = json!(EXPIRES_MS + 1),
        |item| item["pk"] = json!("pay#7"),
    ];
    assert_eq!(damages.map(handed), [1; 6]);

    let closed = |status: u64| {
        let found = found(|stage| stage.facts.closes.push(AskedClose { payment: 8, status }));
        found.iter().any(|found| found.starts_with("I4 payment 8: shown as"))
    };
    assert_eq!([0, 2, 3, 1, 4].map(closed), [false, false, false, false, true]);
}
