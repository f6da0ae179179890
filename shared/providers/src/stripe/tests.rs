mod accounts;
mod checkout_calls;
mod queries;
mod refund_calls;
mod refunds;
mod responses;
mod sessions;
mod texts;
mod thin;

use pay_core::{
    domain::{
        Digest, Mismatch, MismatchField, Notification, Outcome, PaymentId, Provider, ProviderRef,
        ProviderTxn, Report,
    },
    json::Json,
    ports::{BadSecret, Query, QueryError},
};
use ring::hmac;
use serde_json::{Value, json};

use super::{SIGNATURE_HEADER, StripeKeys};
use crate::{
    Headers, Ignored, Verified, Verifier, VerifyError,
    limits::SIGNATURES_MAX,
    samples::{self, at, cases, unreadable},
    sha256,
};

const VECTORS: &str = include_str!("../../vectors/stripe.json");
const SECRET: &str = "whsec_test_secret";
const NOW: u64 = 1_700_000_000;

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

fn verify(header: &str, body: &str, keys: &StripeKeys, now: u64) -> Result<Verified, VerifyError> {
    let headers = [("Stripe-Signature".to_owned(), header.to_owned())];
    keys.verify(&Headers::from_pairs(&headers), body.as_bytes(), at(now))
}

/// The result for an event that is signed with our secret.
fn verified(event: &Value) -> Verified {
    let body = event.to_string();
    verify(&sign(SECRET, NOW, &body), &body, &our_keys(), NOW).unwrap()
}

/// The notification that an event is, or that it is where the provider cannot be queried.
fn notification(event: &Value) -> Notification {
    match verified(event) {
        Verified::Notification(notification) | Verified::Hint(notification, _) => *notification,
        Verified::Ignored(reason) => panic!("{reason:?}: {event}"),
    }
}

/// What an event says to look at.
fn hint(event: &Value) -> Option<Query> {
    match verified(event) {
        Verified::Hint(_, query) => Some(query),
        Verified::Notification(_) | Verified::Ignored(_) => None,
    }
}

fn object(id: &str) -> Query {
    Query::Object(ProviderTxn::new(id).unwrap())
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
fn the_official_vectors_are_accepted_and_rejected_as_published() {
    let cases = cases(VECTORS, None);
    assert_eq!(cases.len(), 10);
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let header = case["headers"]["Stripe-Signature"].as_str().unwrap();
        // The suite that one case is from ignores the secret and gives an empty one.
        let secret = if text("secret").is_empty() { "any" } else { text("secret") };
        let result = match keys(&json!({ "secrets": [secret] })) {
            Err(_) => "config_error",
            Ok(keys) => match verify(header, text("body"), &keys, case["now"].as_u64().unwrap()) {
                Ok(_) => "accept",
                Err(_) => "reject",
            },
        };
        // A space behind a secret: it is "trimmed or refused", says the vector. It is trimmed.
        let trimmed = text("secret") != text("secret").trim();
        assert_eq!(result, if trimmed { "accept" } else { text("expect") }, "{}", text("id"));
    }
}

#[test]
fn a_malformed_header_is_rejected() {
    let good = sign(SECRET, NOW, "{}");
    let (_, hex) = good.split_once("v1=").unwrap();
    let doubled = VerifyError::Doubled(SIGNATURE_HEADER);
    for (bad, error) in [
        ("", VerifyError::MissingHeader(SIGNATURE_HEADER)),
        ("t", VerifyError::BadTimestamp),
        (",,", VerifyError::BadTimestamp),
        ("=", VerifyError::BadTimestamp),
        ("t=,v1=", VerifyError::BadTimestamp),
        ("t,v1=,v0", VerifyError::BadTimestamp),
        (&format!("v1={hex}"), VerifyError::BadTimestamp),
        (&format!("t={NOW}"), VerifyError::NoSignature),
        (&format!("t={NOW},v0={hex}"), VerifyError::NoSignature),
        (&format!("t={NOW},v1={}", hex.to_uppercase()), VerifyError::NoSignature),
        (&format!("t={NOW},v1={hex}0"), VerifyError::NoSignature),
        (&format!("t=-{NOW},v1={hex}"), VerifyError::BadTimestamp),
        (
            &format!("t={NOW}000,v1={hex}"),
            VerifyError::Early { by_secs: NOW * 999, most_secs: 300 },
        ),
        (&format!("t={NOW},{good}"), doubled),
        (&format!("{good}, {good}"), doubled),
        (&format!("{good},{good}"), doubled),
        (&format!("t={NOW}, v1={hex}"), VerifyError::NoSignature),
    ] {
        assert_eq!(verify(bad, "{}", &our_keys(), NOW), Err(error), "{bad}");
    }
    assert!(verify(&good, "{}", &our_keys(), NOW).is_ok());
    assert_eq!(verify(&good, "{} ", &our_keys(), NOW), Err(VerifyError::BadSignature));
    assert_eq!(verify(&good, "{}", &StripeKeys::default(), NOW), Err(VerifyError::NoKeys));
}

#[test]
fn the_window_is_300_seconds_either_way() {
    let header = sign(SECRET, NOW, "{}");
    for (now, error) in [
        (NOW - 301, Some(VerifyError::Early { by_secs: 301, most_secs: 300 })),
        (NOW - 300, None),
        (NOW + 300, None),
        (NOW + 301, Some(VerifyError::Stale { by_secs: 301, most_secs: 300 })),
    ] {
        assert_eq!(verify(&header, "{}", &our_keys(), now).err(), error, "{now}");
    }
}

/// Each one costs a hash of the whole body, and an unauthenticated sender chooses how many there
/// are.
#[test]
fn only_the_first_sixteen_signatures_are_checked() {
    assert_eq!(SIGNATURES_MAX, 16);
    let body = event("payment_intent.succeeded", &intent()).to_string();
    let good = sign(SECRET, NOW, &body);
    let after = |wrong: usize| {
        let wrong = format!("v1={},", "0".repeat(64)).repeat(wrong);
        verify(&good.replace("v1=", &format!("{wrong}v1=")), &body, &our_keys(), NOW)
    };
    assert!(after(SIGNATURES_MAX - 1).is_ok());
    assert_eq!(after(SIGNATURES_MAX), Err(VerifyError::BadSignature));
}

#[test]
fn both_secrets_are_accepted_while_one_is_rolled() {
    let both = keys(&json!({"secrets": ["whsec_new", "whsec_old"]})).unwrap();
    for secret in ["whsec_new", "whsec_old"] {
        assert!(verify(&sign(secret, NOW, "{}"), "{}", &both, NOW).is_ok(), "{secret}");
    }
    // A header that is signed with both, of which one is configured.
    let (old, new) = (sign("whsec_old", NOW, "{}"), sign("whsec_new", NOW, "{}"));
    let two = format!("{old},{}", new.split_once(',').unwrap().1);
    for secret in ["whsec_new", "whsec_old"] {
        let one = keys(&json!({ "secrets": [secret] })).unwrap();
        assert!(verify(&two, "{}", &one, NOW).is_ok(), "{secret}");
    }
}

#[test]
fn keys_that_could_never_work_are_rejected() {
    for bad in [
        json!([]),
        json!({}),
        json!({"secrets": []}),
        json!({"secrets": [""]}),
        json!({"secrets": ["whsec_good", ""]}),
        json!({"secrets": [" "]}),
        json!({"secrets": ["whsec_ x"]}),
        json!({"secrets": ["whsec_\nx"]}),
        json!({"secrets": [5]}),
        json!({"secrets": "whsec_x"}),
        json!({"secrets": ["whsec_x"], "livemode": "true"}),
        json!({"secrets": ["whsec_x"], "account": ""}),
        json!({"secrets": ["whsec_x"], "account": null}),
        json!({"secrets": ["whsec_x"], "account": ["acct_1"]}),
        json!({"secrets": ["whsec_x"], "shared": "true"}),
        json!({"secrets": ["whsec_x"], "shared": null}),
    ] {
        assert!(keys(&bad).is_err(), "{bad}");
    }
    assert!(!format!("{:?}", our_keys()).contains(SECRET));
    assert!(our_keys().complete().is_ok());
    // Without it events of both modes would be accepted.
    assert!(keys(&json!({"secrets": [SECRET]})).unwrap().complete().is_err());
}

#[test]
fn an_intent_is_paid_failed_or_closed() {
    for (kind, outcome, amount) in [
        // The amount that was received counts, not the amount that was requested.
        ("payment_intent.succeeded", Outcome::Paid, 90),
        ("payment_intent.payment_failed", Outcome::Failed, 100),
        ("payment_intent.canceled", Outcome::Closed, 100),
    ] {
        let event = event(kind, &intent());
        let body = event.to_string();
        let report = samples::report(Provider::Stripe, "pi_1", outcome, (amount, "EUR"));
        let want = samples::notification(Provider::Stripe, "evt_1", "42", report, body.as_bytes());
        assert_eq!(notification(&event), want, "{kind}");
    }
}

/// Stripe counts some currencies in another unit than ISO 4217, in which the record counts.
#[test]
fn an_amount_is_converted_to_minor_units() {
    let fraction = |text| Some(Mismatch::absent(MismatchField::Amount, Some(text)));
    for (currency, received, minor, review) in [
        ("isk", 50_000, Some(500), None),
        ("ugx", 370_000, Some(3700), None),
        ("mga", 500, Some(50_000), None),
        ("kwd", 5120, Some(5120), None),
        ("isk", 50_050, None, fraction("50050, no whole number of minor units of ISK")),
        ("ugx", 1, None, fraction("1, no whole number of minor units of UGX")),
        // Of no record.
        ("usdc", 50_050, Some(50_050), None),
    ] {
        let mut intent = intent();
        intent["currency"] = json!(currency);
        intent["amount_received"] = json!(received);
        let found = notification(&event("payment_intent.succeeded", &intent));
        assert_eq!(found.report.amount_minor, minor, "{currency} {received}");
        assert_eq!(found.review, review, "{currency} {received}");
    }
}

#[test]
fn the_event_id_is_stripes_or_else_the_digest_of_the_body() {
    let mut event = event("payment_intent.succeeded", &intent());
    assert_eq!(notification(&event).event_id.as_str(), "evt_1");
    for id in [Value::Null, json!(""), json!(1), json!("evt#1"), json!("e".repeat(129))] {
        event["id"] = id.clone();
        let found = notification(&event);
        let digest = sha256(&[event.to_string().as_bytes()]);
        assert_eq!(found.event_id.as_str(), digest.to_string(), "{id}");
    }
}

/// A member of another type than it ever has does not count as absent.
#[test]
fn a_member_of_an_unknown_type_is_no_absent_one() {
    let others = [Value::Null, json!(5), json!(-1), json!("x y"), json!([]), json!({})];
    let paid = || event("payment_intent.succeeded", &intent());
    let mut refund = event("charge.refunded", &intent());
    refund["data"]["object"]["refunded"] = json!(true);
    refund["data"]["object"]["payment_intent"] = json!("pi_1");
    let review = |field, text| Some(Mismatch::absent(field, Some(text)));
    for other in others {
        for (event, name, field, text) in [
            (paid(), "id", MismatchField::Reference, "an unknown `id`"),
            (
                refund.clone(),
                "payment_intent",
                MismatchField::Reference,
                "an unknown `payment_intent`",
            ),
            (refund.clone(), "refunded", MismatchField::Outcome, "an unknown `refunded`"),
        ] {
            let mut event = event;
            event["data"]["object"][name] = other.clone();
            let found = notification(&event);
            assert_eq!(found.review, review(field, text), "{event}");
            assert_eq!(found.report.reference.txn.is_none(), name != "refunded", "{event}");
        }
        let mut event = paid();
        event["data"]["object"]["amount_received"] = other.clone();
        event["data"]["object"]["currency"] = other.clone();
        let Report { amount_minor, currency, .. } = notification(&event).report;
        // A number is an amount, and a text a currency that fits no record.
        assert_eq!(amount_minor, other.as_u64(), "{event}");
        assert_eq!(currency, other.as_str().map(str::to_uppercase), "{event}");
        if other.is_string() {
            continue;
        }
        for path in ["/object", "/type", "/data", "/data/object"] {
            let mut event = paid();
            *event.pointer_mut(path).unwrap() = other.clone();
            if other == json!({}) && path == "/data" {
                continue;
            }
            if other == json!({}) && path == "/data/object" {
                assert_eq!(notification(&event).payment, None);
                continue;
            }
            let want = unreadable(Provider::Stripe, Some("evt_1"), event.to_string().as_bytes());
            assert_eq!(verified(&event), want, "{event}");
        }
    }
}

#[test]
fn an_event_that_changes_no_payment_is_ignored() {
    for (kind, reason) in [
        ("charge.dispute.created", Ignored::Dispute),
        ("customer.created", Ignored::OtherKind),
        ("charge.updated", Ignored::OtherKind),
        ("", Ignored::OtherKind),
        ("PAID", Ignored::OtherKind),
        ("v1.payment_intent.succeeded", Ignored::OtherKind),
    ] {
        assert_eq!(verified(&event(kind, &intent())), Verified::Ignored(reason), "{kind}");
    }
}

#[test]
fn an_event_that_names_no_payment_of_ours_is_unmatched() {
    for metadata in [json!({}), json!({"payment_id": "x"}), json!({"payment_id": 42}), json!(null)]
    {
        let mut intent = intent();
        intent["metadata"] = metadata;
        assert_eq!(notification(&event("payment_intent.succeeded", &intent)).payment, None);
    }
}

#[test]
fn a_body_that_is_not_an_object_is_an_unreadable_notification() {
    let found = verify(&sign(SECRET, NOW, "[]"), "[]", &our_keys(), NOW);
    assert_eq!(found, Ok(unreadable(Provider::Stripe, None, b"[]")));
}

#[test]
fn one_changed_byte_is_rejected() {
    let body = event("payment_intent.succeeded", &intent()).to_string();
    let header = sign(SECRET, NOW, &body);
    for index in 0..body.len() {
        let mut changed = body.clone().into_bytes();
        changed[index] ^= 1;
        let headers = [(SIGNATURE_HEADER.to_owned(), header.clone())];
        let result = our_keys().verify(&Headers::from_pairs(&headers), &changed, at(NOW));
        assert_eq!(result, Err(VerifyError::BadSignature), "{index}");
    }
}
