use pay_core::{
    domain::{Digest, Provider, Timestamp},
    ports::SecretKeys as _,
};
use serde_json::{Value, json};

use super::WebhookKeys;
use crate::{Headers, VerifyError, rsa::pair::Pair, standard, stripe};

const NOW_SECS: u64 = 1_800_000_000;
const GATEWAY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn now() -> Timestamp {
    Timestamp::from_millis(NOW_SECS * 1000).unwrap()
}

/// A secret with an entry for everybody.
fn whole() -> Value {
    let key = Pair::one().public_pem();
    json!({
        "standard": [GATEWAY],
        "stripe": {"secrets": ["whsec_x"], "livemode": true},
        "wechat": {"api_v3_key": "v".repeat(32), "mchid": "1", "appid": "wx",
                   "public_keys": {"S": key}},
        "alipay": {"app_id": "1", "seller_id": "2", "public_keys": [key]},
    })
}

/// The secret with this in place of an entry.
fn with(name: &str, entry: Value) -> WebhookKeys {
    let mut secret = whole();
    secret[name] = entry;
    WebhookKeys::from_secret(&secret.to_string()).unwrap()
}

fn names(keys: &WebhookKeys) -> Vec<&'static str> {
    keys.usable().collect()
}

/// What becomes of a message that is signed with this Stripe secret.
fn of_stripe(keys: &WebhookKeys, secret: &str) -> Result<(), VerifyError> {
    let body = b"{}";
    let tag = ring::hmac::sign(
        &ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes()),
        &[format!("{NOW_SECS}.").as_bytes(), body].concat(),
    );
    let hex = Digest::new(tag.as_ref().try_into().unwrap());
    let pairs = [(stripe::SIGNATURE_HEADER, format!("t={NOW_SECS},v1={hex}"))];
    keys.verify(Provider::Stripe, &Headers::from_pairs(&pairs), body, now()).map(drop)
}

/// What becomes of a message that is signed with this key of a gateway.
fn of_gateway(keys: &WebhookKeys, secret: &str) -> Result<String, VerifyError> {
    let key = standard::StandardKey::parse(secret).unwrap();
    let pairs = [
        (standard::ID_HEADER, "m".to_owned()),
        (standard::TIMESTAMP_HEADER, NOW_SECS.to_string()),
        (standard::SIGNATURE_HEADER, standard::sign(&key, "m", NOW_SECS, b"{}").unwrap()),
    ];
    keys.verify_standard(&Headers::from_pairs(&pairs), b"{}", now())
}

#[test]
fn entries_are_optional_and_an_unknown_entry_is_ignored() {
    let public = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    let secret = json!({"standard": [public, GATEWAY], "no-such-provider": {"secrets": []}});
    let keys = WebhookKeys::from_secret(&secret.to_string()).unwrap();
    assert_eq!(names(&keys), ["standard"]);
    assert_eq!(of_gateway(&keys, GATEWAY), Ok("m".to_owned()));
    let none = WebhookKeys::from_secret("{}").unwrap();
    assert_eq!(names(&none), [""; 0]);
    assert_eq!(none.unusable(), []);
    assert_eq!(of_gateway(&none, GATEWAY), Err(VerifyError::NoKeys));
    for provider in Provider::ALL {
        let verified = none.verify(*provider, &Headers::default(), b"", now());
        assert_eq!(verified, Err(VerifyError::NoKeys), "{provider:?}");
    }
}

#[test]
fn a_provider_is_configured_by_its_own_entry() {
    let stripe = json!({"stripe": whole()["stripe"]}).to_string();
    let keys = WebhookKeys::from_secret(&stripe).unwrap();
    assert_eq!(names(&keys), ["stripe"]);
    assert_eq!(of_stripe(&keys, "whsec_x"), Ok(()));
    assert_eq!(of_stripe(&keys, "whsec_y"), Err(VerifyError::BadSignature));
    assert_eq!(names(&with("none", json!(1))), ["standard", "stripe", "wechat", "alipay"]);
}

#[test]
fn one_malformed_key_makes_its_entry_unusable_and_no_other() {
    let mut bad = vec![
        ("stripe", json!({})),
        ("stripe", json!({"secrets": ["whsec_x", "whsec y"], "livemode": true})),
        // Required too: without it events of both modes would be accepted.
        ("stripe", json!({"secrets": ["whsec_x"]})),
        ("wechat", json!({})),
        (
            "wechat",
            json!({"api_v3_key": "short", "mchid": "1", "appid": "wx",
                          "public_keys": whole()["wechat"]["public_keys"]}),
        ),
        ("alipay", json!({})),
        ("alipay", json!({"app_id": "1", "seller_id": "2", "public_keys": ["-----BEGIN"]})),
    ];
    for entry in [
        json!([]),
        json!(null),
        json!({}),
        json!(GATEWAY),
        json!([""]),
        json!([null]),
        json!([GATEWAY, ""]),
    ] {
        bad.push(("standard", entry));
    }
    for (name, entry) in bad {
        let keys = with(name, entry.clone());
        let unusable = keys.unusable();
        let unusable: Vec<_> = unusable.iter().map(|(name, _)| *name).collect();
        assert_eq!(unusable, [name], "{entry}");
        let others = ["standard", "stripe", "wechat", "alipay"].into_iter();
        let others: Vec<_> = others.filter(|other| *other != name).collect();
        assert_eq!(names(&keys), others, "{entry}");
        if name != "stripe" {
            assert_eq!(of_stripe(&keys, "whsec_x"), Ok(()), "{entry}");
        }
        if name != "standard" {
            assert!(of_gateway(&keys, GATEWAY).is_ok(), "{entry}");
        }
    }
}

#[test]
fn a_text_that_is_no_object_makes_the_whole_secret_bad() {
    let twice = format!(r#"{{"standard":["{GATEWAY}"],"standard":["{GATEWAY}"]}}"#);
    for bad in ["", "null", "[]", GATEWAY, &twice] {
        assert!(WebhookKeys::from_secret(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_message_cannot_be_judged_while_its_entry_is_unusable() {
    let mut keys = with("stripe", json!({"secrets": ["whsec_new\u{7f} "], "livemode": 1}));
    let unusable = Err(VerifyError::UnusableKeys(keys.unusable()[0].1));
    assert_eq!(of_stripe(&keys, "whsec_x"), unusable);
    // What no key could change is said as it is.
    let missing = keys.verify(Provider::Alipay, &Headers::default(), b"", now());
    assert!(matches!(missing, Err(VerifyError::MissingField(_))), "{missing:?}");
    // Older keys are good for what they have signed, and for no more.
    keys.fill_from(&with("none", json!(1)));
    assert_eq!(of_stripe(&keys, "whsec_x"), Ok(()));
    assert_eq!(of_stripe(&keys, "whsec_new"), unusable);
    assert_eq!(keys.unusable().len(), 1, "it still is");

    let mut keys = with("standard", json!([]));
    assert!(matches!(of_gateway(&keys, GATEWAY), Err(VerifyError::UnusableKeys(_))));
    keys.fill_from(&with("none", json!(1)));
    assert_eq!(of_gateway(&keys, GATEWAY), Ok("m".to_owned()));
}

#[test]
fn only_an_unusable_entry_is_filled_from_older_keys() {
    let mut secret = whole();
    secret["stripe"]["secrets"] = json!(["whsec_new"]);
    secret.as_object_mut().unwrap().remove("standard");
    let mut keys = WebhookKeys::from_secret(&secret.to_string()).unwrap();
    keys.fill_from(&with("none", json!(1)));
    assert_eq!(of_stripe(&keys, "whsec_x"), Err(VerifyError::BadSignature));
    assert_eq!(of_gateway(&keys, GATEWAY), Err(VerifyError::NoKeys), "it was taken out on purpose");
    let mut keys = with("stripe", json!({}));
    keys.fill_from(&WebhookKeys::default());
    assert!(matches!(of_stripe(&keys, "whsec_x"), Err(VerifyError::UnusableKeys(_))));
}

#[test]
fn white_space_around_keys_is_no_part_of_them() {
    let mut secret = whole();
    let key = secret["alipay"]["public_keys"][0].as_str().unwrap().replace('\n', "\\n");
    secret["standard"] = json!([format!("{GATEWAY}\n")]);
    secret["stripe"]["secrets"] = json!(["\twhsec_x \r\n"]);
    secret["wechat"]["api_v3_key"] = json!(format!(" {}\n", "v".repeat(32)));
    secret["wechat"]["mchid"] = json!("1\n");
    secret["wechat"]["public_keys"] = json!({"S\n": key});
    secret["alipay"]["public_keys"] = json!([format!("\n{key}\n")]);
    let keys = WebhookKeys::from_secret(&secret.to_string()).unwrap();
    assert_eq!(keys.unusable(), []);
    assert_eq!(of_gateway(&keys, GATEWAY), Ok("m".to_owned()));
    assert_eq!(of_stripe(&keys, "whsec_x"), Ok(()));
    for blank in ["", " ", "\n"] {
        secret["wechat"]["appid"] = json!(blank);
        let keys = WebhookKeys::from_secret(&secret.to_string()).unwrap();
        assert_eq!(keys.unusable().len(), 1, "{blank:?}");
    }
}
