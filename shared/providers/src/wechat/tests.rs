//! Keys and decryption, and what the tests share.

mod query;
mod read;
mod refunds;
mod signature;
mod texts;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use pay_core::{
    json::{Json, Object},
    ports::BadSecret,
};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Value, json};

use super::{
    SIGNATURE_HEADER, SIGNATURE_TYPE, VECTORS, WeChatKeys,
    decrypt::{ApiV3Key, Encrypted},
    verify::signed,
};
use crate::{
    Headers, Ignored, Verified, Verifier, VerifyError,
    rsa::pair::Pair,
    samples::{at, cases, queries::Pairs},
};

const API_V3_KEY: &str = "0123456789abcdef0123456789abcdef";
const SERIAL: &str = "PUB_KEY_ID_0114232134912410000000000000";
const NOW: u64 = 1_700_000_000;

fn keys(entry: &Value) -> Result<WeChatKeys, BadSecret> {
    WeChatKeys::from_json(&Json::parse(entry.to_string().as_bytes()).unwrap())
}

fn entry() -> Value {
    json!({
        "public_keys": {SERIAL: Pair::one().public_pem()},
        "api_v3_key": API_V3_KEY,
        "mchid": "1900000001",
        "appid": "wx0000000000000001",
    })
}

fn our_keys() -> WeChatKeys {
    keys(&entry()).unwrap()
}

fn headers(body: &[u8], secs: u64) -> Pairs {
    let signature = Pair::one().sign(&signed(&secs.to_string(), "nonce", body));
    [
        ("Wechatpay-Timestamp", secs.to_string()),
        ("Wechatpay-Nonce", "nonce".to_owned()),
        ("Wechatpay-Signature", signature),
        ("Wechatpay-Serial", SERIAL.to_owned()),
        ("Wechatpay-Signature-Type", SIGNATURE_TYPE.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// The headers with another value under a name.
fn with(mut headers: Pairs, name: &str, value: &str) -> Pairs {
    for (known, held) in &mut headers {
        if known.eq_ignore_ascii_case(name) {
            value.clone_into(held);
        }
    }
    headers
}

fn verify(headers: &Pairs, body: &[u8], now: u64) -> Result<Verified, VerifyError> {
    our_keys().verify(&Headers::from_pairs(headers), body, at(now))
}

fn encrypt(key: &str, text: &str) -> String {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_bytes()).unwrap());
    let mut bytes = text.as_bytes().to_vec();
    let nonce = Nonce::assume_unique_for_key(*b"fdasflkja484");
    key.seal_in_place_append_tag(nonce, Aad::from(b"transaction"), &mut bytes).unwrap();
    STANDARD.encode(bytes)
}

fn envelope(kind: &str, resource: &Value) -> Value {
    json!({
        "id": "EV-2018022511223320873",
        "create_time": "2026-11-23T16:00:00+08:00",
        "resource_type": "encrypt-resource",
        "event_type": kind,
        "summary": "支付成功",
        "resource": {
            "algorithm": "AEAD_AES_256_GCM",
            "original_type": "transaction",
            "ciphertext": encrypt(API_V3_KEY, &resource.to_string()),
            "associated_data": "transaction",
            "nonce": "fdasflkja484",
        },
    })
}

/// The result for a body that is signed with WeChat Pay's key.
fn verified(body: &[u8]) -> Result<Verified, VerifyError> {
    verify(&headers(body, NOW), body, NOW)
}

fn transaction() -> Value {
    json!({
        "mchid": "1900000001",
        "appid": "wx0000000000000001",
        "out_trade_no": "1217752501201407",
        "transaction_id": "4200000001202611231234567890",
        "trade_state": "SUCCESS",
        // The payer used a coupon: the payment's amount is the total.
        "amount": {"total": 100, "payer_total": 90, "currency": "CNY", "payer_currency": "CNY"},
        "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
    })
}

#[test]
fn the_official_vectors_are_accepted_and_rejected_as_published() {
    let cases = cases(VECTORS, None);
    assert_eq!(cases.len(), 5);
    for case in cases {
        let keys = keys(&json!({"public_keys": case["keys"]})).unwrap();
        let headers = case["headers"].as_object().unwrap().iter();
        let headers: Pairs = headers
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect();
        let (body, now) = (case["body"].as_str().unwrap(), case["now"].as_u64().unwrap());
        let result = keys.verify(&Headers::from_pairs(&headers), body.as_bytes(), at(now));
        assert_eq!(result.is_ok(), case["expect"] == "accept", "{} {result:?}", case["id"]);
    }
}

#[test]
fn the_official_vectors_of_encryption_decrypt_or_fail_as_published() {
    let cases = cases(VECTORS, Some("aes_gcm"));
    assert_eq!(cases.len(), 2);
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let resource = json!({
            "algorithm": "AEAD_AES_256_GCM", "nonce": text("nonce"),
            "associated_data": text("associated_data"), "ciphertext": text("ciphertext"),
        });
        let resource = Object::parse(resource.to_string().as_bytes()).unwrap();
        let key = ApiV3Key::new(text("key"));
        let decrypted = Encrypted::read(&resource).and_then(|encrypted| key.decrypt(&encrypted));
        let want = (case["expect"] == "accept").then(|| text("plaintext").as_bytes().to_vec());
        assert_eq!(decrypted, want, "{}", text("id"));
    }
}

#[test]
fn keys_that_could_never_work_are_rejected() {
    let public = Pair::one().public_pem();
    for bad in [
        json!([]),
        json!({}),
        json!({"public_keys": {}}),
        json!({"public_keys": []}),
        json!({"public_keys": {"": public}}),
        json!({"public_keys": {SERIAL: ""}}),
        json!({"public_keys": {SERIAL: public, "2": "x"}}),
        json!({"public_keys": {SERIAL: public}, "api_v3_key": ""}),
        json!({"public_keys": {SERIAL: public}, "mchid": 1_900_000_001}),
        json!({"public_keys": {SERIAL: public}, "appid": ""}),
        json!({"public_keys": {SERIAL: public}, "appid": []}),
        json!({"public_keys": {SERIAL: public}, "appid": ["wx1", " "]}),
        json!({"public_keys": {SERIAL: public}, "appid": [1]}),
    ] {
        assert!(keys(&bad).is_err(), "{bad}");
    }
    assert!(our_keys().complete().is_ok());
    for (name, value) in [
        ("api_v3_key", Value::Null),
        ("api_v3_key", json!("testMchAPIv3Key0")),
        ("api_v3_key", json!("0123456789abcdef0123456789abcdef0")),
        ("mchid", Value::Null),
        ("appid", Value::Null),
    ] {
        let mut entry = entry();
        if value.is_null() {
            entry.as_object_mut().unwrap().remove(name);
        } else {
            entry[name] = value;
        }
        assert!(keys(&entry).unwrap().complete().is_err(), "{name}");
    }
    let printed = format!("{:?}", our_keys());
    assert!(printed.contains(SERIAL) && !printed.contains(API_V3_KEY), "{printed}");
}

#[test]
fn without_the_api_v3_key_a_notification_is_verified_and_ignored() {
    let keys = keys(&json!({"public_keys": {SERIAL: Pair::one().public_pem()}})).unwrap();
    let body = envelope("TRANSACTION.SUCCESS", &transaction()).to_string();
    let mut headers = headers(body.as_bytes(), NOW);
    let found = keys.verify(&Headers::from_pairs(&headers), body.as_bytes(), at(NOW));
    assert_eq!(found, Ok(Verified::Ignored(Ignored::NoKey)));
    headers = with(headers, SIGNATURE_HEADER, "AAAA");
    let found = keys.verify(&Headers::from_pairs(&headers), body.as_bytes(), at(NOW));
    assert_eq!(found, Err(VerifyError::BadSignature));
}

#[test]
fn one_changed_byte_is_rejected() {
    let body = envelope("TRANSACTION.SUCCESS", &transaction()).to_string().into_bytes();
    let headers = headers(&body, NOW);
    for index in 0..body.len() {
        let mut changed = body.clone();
        changed[index] ^= 1;
        assert_eq!(verify(&headers, &changed, NOW), Err(VerifyError::BadSignature), "{index}");
    }
}
