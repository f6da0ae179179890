//! An account that other products use, too.

use super::*;

/// Whether an event is ignored as not ours where the account is shared. Without that, none is.
fn is_not_ours(event: &Value) -> bool {
    let shared = keys(&json!({"secrets": [SECRET], "livemode": false, "shared": true})).unwrap();
    let alone = keys(&json!({"secrets": [SECRET], "livemode": false, "shared": false})).unwrap();
    let ours = our_keys();
    let body = event.to_string();
    let read = |keys| verify(&sign(SECRET, NOW, &body), &body, keys, NOW).unwrap();
    let unshared = read(&ours);
    assert!(matches!(unshared, Verified::Notification(_)), "{event}");
    assert_eq!(read(&alone), unshared, "{event}");
    match read(&shared) {
        Verified::Ignored(reason) => {
            assert_eq!(reason, Ignored::NotOurs, "{event}");
            true
        }
        notification @ Verified::Notification(_) => {
            assert_eq!(notification, unshared, "{event}");
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
    let refund =
        json!({"id": "re_1", "payment_intent": "pi_1", "status": "failed", "metadata": {}});
    assert!(!is_not_ours(&event("refund.failed", &refund)));
    let thin = json!({"id": "evt_1", "object": "v2.core.event", "livemode": false,
        "type": "v1.payment_intent.succeeded"});
    assert!(!is_not_ours(&thin));
    assert!(!is_not_ours(&json!([])));
}
