use serde_json::{Value, json};

use super::*;

const VECTORS: &str = include_str!("../../vectors/stripe.json");
const SECRET: &str = "whsec_test_secret";
const NOW: u64 = 1_700_000_000;

fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis(secs.saturating_mul(1000)).unwrap()
}

fn keys(entry: &Value) -> Result<StripeKeys, BadSecret> {
    StripeKeys::from_json(&Json::parse(entry.to_string().as_bytes()).unwrap())
}

fn our_keys() -> StripeKeys {
    keys(&json!({"secrets": [SECRET], "livemode": false})).unwrap()
}

fn sign(secret: &str, secs: u64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{secs}.{body}").as_bytes());
    let digest = Digest::new(tag.as_ref().try_into().unwrap());
    format!("t={secs},v1={digest}")
}

fn judge(header: &str, body: &str, keys: &StripeKeys, now: u64) -> Result<Reading, WebhookError> {
    let headers = [("Stripe-Signature".to_owned(), header.to_owned())];
    keys.verify(&Headers::from_pairs(&headers), body.as_bytes(), at(now))
}

fn reading(event: &Value) -> Reading {
    let body = event.to_string();
    judge(&sign(SECRET, NOW, &body), &body, &our_keys(), NOW).unwrap()
}

fn message(event: &Value) -> Message {
    match reading(event) {
        Reading::Message(message) => message,
        Reading::Ignored(why) => panic!("{why}: {event}"),
    }
}

fn event(kind: &str, object: &Value) -> Value {
    json!({"id": "evt_1", "object": "event", "type": kind, "livemode": false,
           "data": {"object": object}})
}

fn intent() -> Value {
    json!({"id": "pi_1", "object": "payment_intent", "amount": 100, "amount_received": 90,
           "currency": "eur", "metadata": {"payment_id": "42"}})
}

#[test]
fn the_official_vectors_get_their_verdicts() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let header = case["headers"]["Stripe-Signature"].as_str().unwrap();
        // One case comes with an empty secret, which the suite it is from never looked at.
        let secret = if text("secret").is_empty() { "any" } else { text("secret") };
        let verdict = match keys(&json!({ "secrets": [secret] })) {
            Err(_) => "config_error",
            Ok(keys) => match judge(header, text("body"), &keys, case["now"].as_u64().unwrap()) {
                Ok(_) => "accept",
                Err(_) => "reject",
            },
        };
        assert_eq!(verdict, text("expect"), "{}", text("id"));
    }
}

#[test]
fn a_malformed_header_is_refused() {
    let good = sign(SECRET, NOW, "{}");
    let (_, hex) = good.split_once("v1=").unwrap();
    for bad in [
        "",
        "t",
        ",,",
        "=",
        "t=,v1=",
        "t,v1=,v0",
        &format!("v1={hex}"),
        &format!("t={NOW}"),
        &format!("t={NOW},v0={hex}"),
        &format!("t={NOW},v1={}", hex.to_uppercase()),
        &format!("t={NOW},v1={hex}0"),
        &format!("t=-{NOW},v1={hex}"),
        &format!("t={NOW}000,v1={hex}"),
        &format!("t={NOW},{good}"),
        &format!("{good}, {good}"),
        &format!("{good},{good}"),
        &format!("t={NOW}, v1={hex}"),
    ] {
        assert!(judge(bad, "{}", &our_keys(), NOW).is_err(), "{bad}");
    }
    assert!(judge(&good, "{}", &our_keys(), NOW).is_ok());
    assert!(judge(&good, "{} ", &our_keys(), NOW).is_err());
}

#[test]
fn the_window_is_300_seconds_either_way() {
    let header = sign(SECRET, NOW, "{}");
    for (now, good) in
        [(NOW - 301, false), (NOW - 300, true), (NOW + 300, true), (NOW + 301, false)]
    {
        assert_eq!(judge(&header, "{}", &our_keys(), now).is_ok(), good, "{now}");
    }
}

/// Each one costs a hash of the whole body, and whoever sends them need not be known.
#[test]
fn only_so_many_signatures_are_looked_at() {
    let body = event("payment_intent.succeeded", &intent()).to_string();
    let good = sign(SECRET, NOW, &body);
    let after = |wrong: usize| {
        let wrong = format!("v1={},", "0".repeat(64)).repeat(wrong);
        judge(&good.replace("v1=", &format!("{wrong}v1=")), &body, &our_keys(), NOW)
    };
    assert!(after(SIGNATURES_MAX - 1).is_ok());
    assert_eq!(after(SIGNATURES_MAX), Err(WebhookError::BadSignature));
}

#[test]
fn a_rolled_secret_refuses_nobody() {
    let both = keys(&json!({"secrets": ["whsec_new", "whsec_old"]})).unwrap();
    for secret in ["whsec_new", "whsec_old"] {
        assert!(judge(&sign(secret, NOW, "{}"), "{}", &both, NOW).is_ok(), "{secret}");
    }
    // A header signed with both, of which we hold one.
    let (old, new) = (sign("whsec_old", NOW, "{}"), sign("whsec_new", NOW, "{}"));
    let two = format!("{old},{}", new.split_once(',').unwrap().1);
    for secret in ["whsec_new", "whsec_old"] {
        let one = keys(&json!({ "secrets": [secret] })).unwrap();
        assert!(judge(&two, "{}", &one, NOW).is_ok(), "{secret}");
    }
}

#[test]
fn keys_that_could_never_work_are_refused() {
    for bad in [
        json!([]),
        json!({}),
        json!({"secrets": []}),
        json!({"secrets": [""]}),
        json!({"secrets": ["whsec_good", ""]}),
        json!({"secrets": [" whsec_x"]}),
        json!({"secrets": ["whsec_x\n"]}),
        json!({"secrets": [5]}),
        json!({"secrets": "whsec_x"}),
        json!({"secrets": ["whsec_x"], "livemode": "true"}),
    ] {
        assert!(keys(&bad).is_err(), "{bad}");
    }
    assert!(!format!("{:?}", our_keys()).contains(SECRET));
    assert!(our_keys().complete().is_ok());
    // Without it both modes would be taken.
    assert!(keys(&json!({"secrets": [SECRET]})).unwrap().complete().is_err());
}

#[test]
fn an_intent_is_paid_failed_or_closed() {
    for (kind, outcome, amount) in [
        // What was received counts, not what was asked for.
        ("payment_intent.succeeded", Outcome::Paid, 90),
        ("payment_intent.payment_failed", Outcome::Failed, 100),
        ("payment_intent.canceled", Outcome::Closed, 100),
    ] {
        let want = Message {
            event_id: Some("evt_1".to_owned()),
            payment: PaymentId::parse("42").ok(),
            txn: Some(ProviderTxn::new("pi_1").unwrap()),
            amount_minor: Some(amount),
            currency: Some("EUR".to_owned()),
            report: Report::Outcome(outcome),
            foreign: false,
        };
        assert_eq!(message(&event(kind, &intent())), want, "{kind}");
    }
}

#[test]
fn only_a_full_refund_is_one() {
    let charge = |refunded: Value, amount: u64| {
        json!({"id": "ch_1", "payment_intent": "pi_1", "amount": 100, "currency": "eur",
               "amount_refunded": amount, "refunded": refunded, "metadata": {"payment_id": "42"}})
    };
    let of = |refunded, amount| message(&event("charge.refunded", &charge(refunded, amount)));
    let full = of(json!(true), 100);
    assert_eq!(full.report, Report::Outcome(Outcome::Refunded));
    assert_eq!(full.txn, Some(ProviderTxn::new("pi_1").unwrap()));
    assert_eq!(full.amount_minor, Some(100));
    for (refunded, amount) in [(json!(false), 30), (json!(false), 50), (Value::Null, 100)] {
        assert_eq!(of(refunded, amount).report, Report::PartialRefund);
    }
}

#[test]
fn what_moves_no_payment_is_ignored() {
    for kind in ["charge.dispute.created", "refund.updated", "customer.created", "", "PAID"] {
        let ignored = reading(&event(kind, &intent()));
        assert!(matches!(ignored, Reading::Ignored(_)), "{kind}");
    }
    let thin =
        json!({"id": "evt_1", "object": "v2.core.event", "type": "payment_intent.succeeded"});
    assert!(matches!(reading(&thin), Reading::Ignored(_)));
    let bare = json!({"id": "evt_1", "object": "event", "type": "payment_intent.succeeded"});
    assert!(matches!(reading(&bare), Reading::Ignored(_)));
}

#[test]
fn what_names_no_payment_of_ours_or_another_mode_is_said_so() {
    for metadata in [json!({}), json!({"payment_id": "x"}), json!({"payment_id": 42}), json!(null)]
    {
        let mut intent = intent();
        intent["metadata"] = metadata;
        assert_eq!(message(&event("payment_intent.succeeded", &intent)).payment, None);
    }
    for livemode in [json!(true), Value::Null, json!("false")] {
        let mut event = event("payment_intent.succeeded", &intent());
        event["livemode"] = livemode;
        assert!(message(&event).foreign);
    }
    let unreadable = judge(&sign(SECRET, NOW, "[]"), "[]", &our_keys(), NOW).unwrap();
    assert_eq!(unreadable, Reading::Message(Message::unreadable(None)));
}

#[test]
fn one_changed_byte_is_refused() {
    let body = event("payment_intent.succeeded", &intent()).to_string();
    let header = sign(SECRET, NOW, &body);
    for index in 0..body.len() {
        let mut changed = body.clone().into_bytes();
        changed[index] ^= 1;
        let headers = [(SIGNATURE_HEADER.to_owned(), header.clone())];
        let verdict = our_keys().verify(&Headers::from_pairs(&headers), &changed, at(NOW));
        assert_eq!(verdict, Err(WebhookError::BadSignature), "{index}");
    }
}
