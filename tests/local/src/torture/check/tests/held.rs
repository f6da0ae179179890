//! What the providers know, and a table that says something else.

use super::*;

const REFUNDED: usize = 8;

#[test]
fn money_that_is_not_here_is_found() {
    assert_named(&[
        ("I23 payment 8 at stripe: paid there, and neither paid nor quarantined", |stage| {
            stage.items[PAID]["status"] = json!(2);
        }),
        // Other money of the same provider, or of another one.
        ("I23 payment 8 at stripe: paid there, and neither", |stage| {
            stage.items[PAID]["provider_txn"] = json!("pi_9");
        }),
        ("I23 payment 8 at stripe: paid there, and neither", |stage| {
            stage.items[PAID]["source"] = json!(2);
        }),
        ("I23 payment 8 at stripe: paid, and another amount is paid there", |stage| {
            stage.facts.trades[0].1.amount = 99;
        }),
        ("I23 payment 8 at stripe: paid, and not paid there", |stage| {
            stage.facts.trades[0].1.state = TradeState::Open;
        }),
        ("I23 payment 7 at stripe: closed there, and not closed", |stage| {
            let trade = Trade { payment: 7, state: TradeState::Closed, ..trade() };
            stage.facts.trades.push((Provider::Stripe, trade));
            stage.items[CLOSED]["status"] = json!(0);
        }),
        ("I23 payment 9: has no record", |stage| stage.facts.trades[0].1.payment = 9),
        ("I23 order 5: 7 is open, and is not asked about", |stage| {
            stage.items[CLOSED]["status"] = json!(0);
        }),
    ]);
}

#[test]
fn money_in_quarantine_is_not_lost() {
    let lost = |damage: fn(&mut Value)| {
        let found = found(|stage| {
            let stripe = &mut stage.facts.trades[0].1;
            (stripe.payment, stripe.transaction, stripe.amount) = (7, "pi_7".to_owned(), 99);
            let mut waiting = event(7, "query.paid.pi_7#amount", "quarantined", (3, 3), 2);
            waiting["provider_txn"] = json!("pi_7");
            waiting["amount"] = json!(99);
            damage(&mut waiting);
            stage.items.push(waiting);
        });
        found.iter().any(|found| found.starts_with("I23 payment 7 at stripe: paid there"))
    };
    assert!(!lost(|_| {}));
    assert!(lost(|waiting| waiting["verdict"] = json!("ignored")));
    assert!(lost(|waiting| waiting["provider_txn"] = json!("pi_9")));
    assert!(lost(|waiting| waiting["amount"] = json!(98)));
}

#[test]
fn what_went_back_is_compared_with_the_provider() {
    assert_named(&[
        ("I21 payment 8: more refunded than its amount", |stage| {
            stage.items[PAID]["refunded"] = json!(101);
        }),
        ("I21 payment 8 at stripe: 51 refunded, of 30 reported and 50 there", |stage| {
            stage.items[PAID]["refunded"] = json!(51);
        }),
        ("I21 payment 8 at stripe: 0 refunded, of 30 reported and 50 there", |stage| {
            stage.items[PAID]["refunded"] = json!(0);
        }),
        // The event has the webhook's id, and that of the version that it reached.
        ("I21 payment 8 at stripe: 30 refunded, of 50 reported and 50 there", |stage| {
            stage.facts.webhooks[2].1.id = "again".to_owned();
        }),
        // Where the payment is not paid, nothing counts.
        ("I21 payment 8 at stripe: 30 refunded", |stage| stage.items[PAID]["status"] = json!(0)),
    ]);
    // Stripe lists them all when it is asked.
    let of_stripe = found(|stage| stage.items[PAID]["refunded"] = json!(50));
    assert!(!of_stripe.iter().any(|found| found.contains("at stripe")), "{of_stripe:?}");
}

/// What is said of the refunds of payment 8 at another provider, where the events of these webhooks are in
/// the log and so much is refunded.
fn at(provider: Provider, logged: &[(&str, &str)], refunded: u64) -> Option<String> {
    let found = found(|stage| {
        stage.facts.trades[0].0 = provider;
        stage.items[PAID]["source"] = json!(provider.source().get());
        stage.items[PAID]["refunded"] = json!(refunded);
        stage.facts.webhooks = Vec::new();
        for (id, refund) in logged {
            let (_, tracked) = webhook(id, Some(refund), true);
            stage.facts.webhooks.push((provider, tracked));
            let mut event = event(8, "any", "applied", (1, 1), 5);
            event["sk"] = json!(format!("event#{}#{id}", provider.as_str()));
            stage.items.push(event);
        }
    });
    let found = found.into_iter().find(|found| found.starts_with("I21 payment 8 at "));
    found.map(|found| found.split(": ").nth(1).unwrap().to_owned())
}

#[test]
fn each_provider_reports_refunds_in_its_own_way() {
    let second = [("two", "re_2")];
    // One by one: what was not reported does not count, whatever it comes to there.
    assert_eq!(at(Provider::WeChat, &second, 20), None);
    assert_eq!(at(Provider::WeChat, &[("two", "re_2"), ("one", "re_1")], 50), None);
    let what = at(Provider::WeChat, &second, 50);
    assert_eq!(what.as_deref(), Some("50 refunded, of 20 reported and 20 there"));
    // In all: the last one that was reported says what came before it.
    assert_eq!(at(Provider::Alipay, &second, 50), None);
    assert_eq!(at(Provider::Alipay, &[("one", "re_1")], 30), None);
    let what = at(Provider::Alipay, &second, 20);
    assert_eq!(what.as_deref(), Some("20 refunded, of 50 reported and 50 there"));
}

#[test]
fn a_webhook_that_was_acknowledged_is_in_the_log() {
    assert_named(&[
        ("I4 payment 8 at stripe: lost was acknowledged, and is not in the log", |stage| {
            stage.facts.webhooks[2].1.acknowledged = true;
        }),
        ("I4 payment 8 at stripe: refunded was acknowledged", |stage| {
            drop(stage.items.remove(REFUNDED));
        }),
        // It is the responses that wait for a person where the webhook said to ask.
        ("I4 payment 8 at stripe: other was acknowledged", |stage| {
            stage.facts.webhooks.push(webhook("other", None, true));
            stage.items.push(event(8, "query.paid.pi_8#amount", "quarantined", (1, 1), 5));
        }),
    ]);
    let followed = found(|stage| {
        stage.facts.webhooks[2].1.acknowledged = true;
        stage.items.push(event(8, "query.paid.pi_8#amount", "quarantined", (1, 1), 5));
    });
    assert!(!followed.iter().any(|found| found.starts_with("I4")), "{followed:?}");
}
