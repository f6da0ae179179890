//! Reading; what a signature must be is in `signature`.

mod signature;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Value, json};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{super::rsa::pair::Pair, *};

const API_V3_KEY: &str = "0123456789abcdef0123456789abcdef";
const SERIAL: &str = "PUB_KEY_ID_0114232134912410000000000000";
const NOW: u64 = 1_700_000_000;

fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis(secs.saturating_mul(1000)).unwrap()
}

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

type Pairs = Vec<(String, String)>;

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

fn with(mut headers: Pairs, name: &str, value: &str) -> Pairs {
    for (known, held) in &mut headers {
        if known.eq_ignore_ascii_case(name) {
            value.clone_into(held);
        }
    }
    headers
}

fn judge(headers: &Pairs, body: &[u8], now: u64) -> Result<Reading, WebhookError> {
    our_keys().verify(&Headers::from_pairs(headers), body, at(now))
}

fn seal(key: &str, text: &str) -> String {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_bytes()).unwrap());
    let mut bytes = text.as_bytes().to_vec();
    let nonce = Nonce::assume_unique_for_key(*b"fdasflkja484");
    key.seal_in_place_append_tag(nonce, Aad::from(b"transaction"), &mut bytes).unwrap();
    STANDARD.encode(bytes)
}

fn notification(kind: &str, resource: &Value) -> Value {
    json!({
        "id": "EV-2018022511223320873",
        "create_time": "2026-11-23T16:00:00+08:00",
        "resource_type": "encrypt-resource",
        "event_type": kind,
        "summary": "支付成功",
        "resource": {
            "algorithm": "AEAD_AES_256_GCM",
            "original_type": "transaction",
            "ciphertext": seal(API_V3_KEY, &resource.to_string()),
            "associated_data": "transaction",
            "nonce": "fdasflkja484",
        },
    })
}

fn reading(notification: &Value) -> Reading {
    let body = notification.to_string();
    judge(&headers(body.as_bytes(), NOW), body.as_bytes(), NOW).unwrap()
}

fn message(kind: &str, resource: &Value) -> Message {
    match reading(&notification(kind, resource)) {
        Reading::Message(message) => message,
        Reading::Ignored(why) => panic!("{why}: {kind} {resource}"),
    }
}

fn transaction() -> Value {
    json!({
        "mchid": "1900000001",
        "appid": "wx0000000000000001",
        "out_trade_no": "1217752501201407",
        "transaction_id": "4200000001202611231234567890",
        "trade_state": "SUCCESS",
        // The payer had a coupon: ours is the total.
        "amount": {"total": 100, "payer_total": 90, "currency": "CNY", "payer_currency": "CNY"},
        "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
    })
}

fn refund(part: u64) -> Value {
    json!({
        "mchid": "1900000001",
        "out_trade_no": "1217752501201407",
        "transaction_id": "4200000001202611231234567890",
        "out_refund_no": "r1",
        "refund_id": "50200207182018070300011301001",
        "refund_status": "SUCCESS",
        "amount": {"total": 100, "refund": part, "payer_total": 90, "payer_refund": part},
    })
}

#[test]
fn the_official_vectors_get_their_verdicts() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    let cases: Vec<_> = cases.iter().filter(|case| case["kind"].is_null()).collect();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let keys = keys(&json!({"public_keys": case["keys"]})).unwrap();
        let headers = case["headers"].as_object().unwrap().iter();
        let headers: Pairs = headers
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect();
        let (body, now) = (case["body"].as_str().unwrap(), case["now"].as_u64().unwrap());
        let verdict = keys.verify(&Headers::from_pairs(&headers), body.as_bytes(), at(now));
        assert_eq!(verdict.is_ok(), case["expect"] == "accept", "{} {verdict:?}", case["id"]);
    }
}

#[test]
fn the_official_vectors_of_the_seal_open_or_not() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    let cases: Vec<_> = cases.iter().filter(|case| case["kind"] == "aes_gcm").collect();
    assert_eq!(cases.len(), 2);
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let resource = json!({
            "algorithm": "AEAD_AES_256_GCM", "nonce": text("nonce"),
            "associated_data": text("associated_data"), "ciphertext": text("ciphertext"),
        });
        let resource = Object::parse(resource.to_string().as_bytes()).unwrap();
        let key = ApiV3Key::new(text("key"));
        let opened = seal::Sealed::read(&resource).and_then(|sealed| key.open(&sealed));
        let want = (case["expect"] == "accept").then(|| text("plaintext").as_bytes().to_vec());
        assert_eq!(opened, want, "{}", text("id"));
    }
}

#[test]
fn a_payment_that_was_made_is_paid() {
    let want = Message {
        event_id: Some("EV-2018022511223320873".to_owned()),
        payment: PaymentId::parse("1217752501201407").ok(),
        txn: Some(ProviderTxn::new("4200000001202611231234567890").unwrap()),
        amount_minor: Some(100),
        currency: Some("CNY".to_owned()),
        report: Report::Outcome(Outcome::Paid),
        foreign: false,
    };
    assert_eq!(message("TRANSACTION.SUCCESS", &transaction()), want);
    for (state, report) in [
        // Paid, and then something went back, which its own message reports.
        (json!("REFUND"), Report::Outcome(Outcome::Paid)),
        (json!("PAYERROR"), Report::Outcome(Outcome::Failed)),
        (json!("CLOSED"), Report::Outcome(Outcome::Closed)),
        (json!("REVOKED"), Report::Outcome(Outcome::Closed)),
        (json!("NOTPAY"), Report::Nothing),
        (json!("USERPAYING"), Report::Nothing),
        (json!("ACCEPT"), Report::Nothing),
        (json!("success"), Report::Nothing),
        (Value::Null, Report::Nothing),
    ] {
        let mut transaction = transaction();
        transaction["trade_state"] = state.clone();
        assert_eq!(message("TRANSACTION.SUCCESS", &transaction).report, report, "{state}");
    }
}

#[test]
fn only_a_full_refund_is_one() {
    assert_eq!(message("REFUND.SUCCESS", &refund(100)).report, Report::Outcome(Outcome::Refunded));
    for part in [0, 30, 99, 101] {
        assert_eq!(message("REFUND.SUCCESS", &refund(part)).report, Report::PartialRefund);
    }
    for (amount, status, report) in [
        (json!({"total": 100}), json!("SUCCESS"), Report::PartialRefund),
        (json!({}), json!("SUCCESS"), Report::PartialRefund),
        (json!({"total": 100, "refund": 100}), json!("PROCESSING"), Report::Nothing),
        (json!({"total": 100, "refund": 100}), Value::Null, Report::Nothing),
    ] {
        let mut refund = refund(100);
        refund["amount"] = amount;
        refund["refund_status"] = status;
        assert_eq!(message("REFUND.SUCCESS", &refund).report, report, "{refund}");
    }
    let whole = message("REFUND.SUCCESS", &refund(100));
    assert_eq!((whole.amount_minor, whole.foreign), (Some(100), false));
    assert_eq!(whole.currency.as_deref(), Some("CNY"));
}

#[test]
fn what_moves_no_payment_is_ignored_unopened() {
    for kind in
        ["REFUND.ABNORMAL", "REFUND.CLOSED", "PAYSCORE.USER_PAID", "", "transaction.success"]
    {
        let mut notification = notification(kind, &transaction());
        notification["resource"]["ciphertext"] = json!("AAAA");
        assert!(matches!(reading(&notification), Reading::Ignored(_)), "{kind}");
    }
    assert!(matches!(reading(&json!({})), Reading::Ignored(_)));
}

#[test]
fn another_merchants_money_is_foreign() {
    for (name, value) in [
        ("mchid", json!("1900000002")),
        ("mchid", Value::Null),
        ("mchid", json!(1_900_000_001)),
        ("appid", json!("wx0000000000000002")),
        ("appid", Value::Null),
    ] {
        let mut transaction = transaction();
        transaction[name] = value.clone();
        assert!(message("TRANSACTION.SUCCESS", &transaction).foreign, "{name} {value}");
    }
    let mut refund = refund(100);
    refund["mchid"] = json!("1900000002");
    assert!(message("REFUND.SUCCESS", &refund).foreign);
}

#[test]
fn what_cannot_be_read_is_for_a_person() {
    for (name, value) in [
        ("algorithm", json!("AEAD_SM4_GCM")),
        ("algorithm", Value::Null),
        ("nonce", json!("thirteenbytes")),
        ("nonce", Value::Null),
        ("ciphertext", json!("%")),
        ("ciphertext", Value::Null),
    ] {
        let mut notification = notification("TRANSACTION.SUCCESS", &transaction());
        notification["resource"][name] = value.clone();
        let want = Message::unreadable(Some("EV-2018022511223320873"));
        assert_eq!(reading(&notification), Reading::Message(want), "{name} {value}");
    }
    for body in ["", "null", "[]", "{", "\u{feff}{}", r#"{"a":1,"a":2}"#] {
        let read = judge(&headers(body.as_bytes(), NOW), body.as_bytes(), NOW).unwrap();
        assert_eq!(read, Reading::Message(Message::unreadable(None)), "{body}");
    }
    let unread = message("TRANSACTION.SUCCESS", &json!([]));
    assert_eq!((unread.payment, unread.amount_minor), (None, None));
}

#[test]
fn a_seal_of_another_key_is_not_the_senders_fault() {
    for (name, value) in [
        ("ciphertext", json!(seal("ffffffffffffffffffffffffffffffff", "{}"))),
        ("ciphertext", json!("AAAA")),
        ("ciphertext", json!("")),
        ("associated_data", json!("refund")),
        ("associated_data", Value::Null),
        ("nonce", json!("fdasflkja485")),
    ] {
        let mut notification = notification("TRANSACTION.SUCCESS", &transaction());
        notification["resource"][name] = value.clone();
        let body = notification.to_string();
        let verdict = judge(&headers(body.as_bytes(), NOW), body.as_bytes(), NOW);
        assert_eq!(verdict, Err(WebhookError::Undecryptable), "{name} {value}");
    }
}

#[test]
fn keys_that_could_never_work_are_refused() {
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
fn without_the_api_v3_key_only_the_signature_is_judged() {
    let keys = keys(&json!({"public_keys": {SERIAL: Pair::one().public_pem()}})).unwrap();
    let body = notification("TRANSACTION.SUCCESS", &transaction()).to_string();
    let headers = headers(body.as_bytes(), NOW);
    let read = keys.verify(&Headers::from_pairs(&headers), body.as_bytes(), at(NOW));
    assert!(matches!(read, Ok(Reading::Ignored(_))));
}

#[test]
fn one_changed_byte_is_refused() {
    let body = notification("TRANSACTION.SUCCESS", &transaction()).to_string().into_bytes();
    let headers = headers(&body, NOW);
    for index in 0..body.len() {
        let mut changed = body.clone();
        changed[index] ^= 1;
        assert_eq!(judge(&headers, &changed, NOW), Err(WebhookError::BadSignature), "{index}");
    }
}
