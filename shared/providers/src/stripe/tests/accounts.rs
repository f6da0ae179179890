//! Whose an event is: of which mode, of which account, and of ours where other products use it, too.

use super::*;

/// Whether an event is ignored as not ours where the account is shared. Without that, none is.
fn is_not_ours(event: &Value) -> bool {
    let shared = keys(&json!({"secrets": [SECRET], "livemode": false, "shared": true})).unwrap();
    let alone = keys(&json!({"secrets": [SECRET], "livemode": false, "shared": false})).unwrap();
    let ours = our_keys();
    let body = event.to_string();
    let read = |keys| verify(&sign(SECRET, NOW, &body), &body, keys, NOW).unwrap();
    let unshared = read(&ours);
    assert!(!matches!(unshared, Verified::Ignored(_)), "{event}");
    assert_eq!(read(&alone), unshared, "{event}");
    match read(&shared) {
        Verified::Ignored(reason) => {
            assert_eq!(reason, Ignored::NotOurs, "{event}");
            true
        }
        ours @ (Verified::Notification(_) | Verified::Hint(..)) => {
            assert_eq!(ours, unshared, "{event}");
            false
        }
    }
}

#[test]
fn an_event_without_our_reference_is_ignored_where_the_account_is_shared() {
    for kind in ["payment_intent.succeeded", "payment_intent.canceled", "charge.refunded"] {
        for (metadata, is_other) in [
            (json!({}), true),
            (json!({"their_id": "42"}), true),
            (Value::Null, true),
            (json!({"payment_id": "42"}), false),
            // It is meant for us, and wrong.
            (json!({"payment_id": "042"}), false),
            (json!({"payment_id": ""}), false),
            (json!({"payment_id": null}), false),
            (json!("42"), false),
        ] {
            let mut object = intent();
            object["payment_intent"] = json!("pi_1");
            object["metadata"] = metadata;
            let event = event(kind, &object);
            assert_eq!(is_not_ours(&event), is_other, "{event}");
        }
    }
}

#[test]
fn a_session_is_ours_if_either_member_names_a_payment() {
    for (metadata, client, is_other) in [
        (json!({}), Value::Null, true),
        (json!({}), json!("customer-5"), true),
        (json!({}), json!("42"), false),
        (json!({}), json!(42), false),
        (json!({"payment_id": "42"}), Value::Null, false),
        (json!({"payment_id": "x"}), json!("customer-5"), false),
    ] {
        let session = json!({"id": "cs_1", "amount_total": 100, "currency": "eur",
            "payment_intent": "pi_1", "payment_status": "paid", "metadata": metadata,
            "client_reference_id": client});
        let event = event("checkout.session.completed", &session);
        assert_eq!(is_not_ours(&event), is_other, "{event}");
    }
}

/// Whose they are cannot be seen, and each may be about money of ours.
#[test]
fn what_does_not_say_whose_it_is_is_quarantined() {
    let thin = json!({"id": "evt_1", "object": "v2.core.event", "livemode": false,
        "type": "v1.payment_intent.succeeded"});
    assert!(!is_not_ours(&thin));
    assert!(!is_not_ours(&json!([])));
}

/// A refund has metadata of its own: whose it is, only the table knows, by its transaction.
#[test]
fn a_refund_on_a_shared_account_may_be_of_others_unless_it_names_a_payment() {
    let is_shared = |shared: bool, metadata: Value, kind: &str| {
        let keys = json!({"secrets": [SECRET], "livemode": false, "shared": shared});
        let refund = json!({"id": "re_1", "payment_intent": "pi_1", "amount": 30,
            "currency": "eur", "status": "failed", "metadata": metadata});
        let body = event(kind, &refund).to_string();
        let read = verify(&sign(SECRET, NOW, &body), &body, &super::keys(&keys).unwrap(), NOW);
        match read {
            Ok(Verified::Notification(read) | Verified::Hint(read, _)) => read.is_shared,
            other => panic!("{other:?}"),
        }
    };
    for kind in ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"] {
        assert!(is_shared(true, json!({}), kind), "{kind}");
        assert!(!is_shared(true, json!({"payment_id": "42"}), kind), "{kind}");
        assert!(!is_shared(false, json!({}), kind), "{kind}");
    }
}

#[test]
fn an_event_of_the_other_mode_is_for_a_wrong_account() {
    for (livemode, received) in
        [(json!(true), Some("livemode=true")), (Value::Null, None), (json!("false"), None)]
    {
        let mut event = event("payment_intent.succeeded", &intent());
        event["livemode"] = livemode;
        let want = Mismatch::new(MismatchField::Account, Some("livemode=false"), received);
        let found = notification(&event);
        assert_eq!(found.wrong_account, Some(want), "{event}");
        // The payment and the report are kept for whoever reviews it.
        assert_eq!(found.payment, Some(PaymentId::parse("42").unwrap()));
        assert_eq!(found.report.outcome, Some(Outcome::Paid));
    }
    // Keys without a mode accept both.
    let any = keys(&json!({ "secrets": [SECRET] })).unwrap();
    let body = event("payment_intent.succeeded", &intent()).to_string();
    let Ok(Verified::Notification(found)) = verify(&sign(SECRET, NOW, &body), &body, &any, NOW)
    else {
        panic!("{body}");
    };
    assert_eq!(found.wrong_account, None);
}

/// Whoever owns a connected account writes the metadata of its payments.
#[test]
fn an_event_of_another_connected_account_is_for_a_wrong_account() {
    let one = json!({"secrets": [SECRET], "livemode": false, "account": "acct_1"});
    let (none, one) = (our_keys(), keys(&one).unwrap());
    let ours = Some("account=acct_1");
    for (keys, expected, name, value, received) in [
        (&none, None, "account", json!("acct_1"), Some("account=acct_1")),
        (&none, None, "account", json!(""), Some("account=")),
        (&none, None, "account", json!(5), Some("account=no text")),
        (&none, None, "context", json!("acct_1"), Some("context=acct_1")),
        (&none, None, "context", json!({}), Some("context=no text")),
        (&none, None, "account", Value::Null, None),
        (&none, None, "context", Value::Null, None),
        (&one, ours, "account", json!("acct_2"), Some("account=acct_2")),
        (&one, ours, "account", json!("ACCT_1"), Some("account=ACCT_1")),
        (&one, ours, "account", json!(["acct_1"]), Some("account=no text")),
        (&one, ours, "context", json!("acct_2"), Some("context=acct_2")),
        (&one, ours, "account", json!("acct_1"), None),
        (&one, ours, "context", json!("acct_1"), None),
        (&one, ours, "other", json!("acct_2"), None),
    ] {
        let mut event = event("payment_intent.succeeded", &intent());
        event[name] = value;
        let body = event.to_string();
        let Ok(Verified::Notification(found)) = verify(&sign(SECRET, NOW, &body), &body, keys, NOW)
        else {
            panic!("{body}");
        };
        let want = received
            .map(|received| Mismatch::new(MismatchField::Account, expected, Some(received)));
        assert_eq!(found.wrong_account, want, "{event}");
    }
}
