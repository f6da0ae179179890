use serde_json::{Value, json};

use super::super::tests::{WECHAT, answer, case_line, hint, no_hint, received, text};

const SERIAL: &str = "D7CE59D1F522D701";

fn line() -> Value {
    case_line(WECHAT, "wx-go-001")
}

fn with_header(name: &str, value: &str) -> Value {
    let mut line = line();
    line["headers"][name] = value.into();
    line
}

#[test]
fn a_probe_is_to_be_refused() {
    let line = case_line(WECHAT, "wx-go-015");
    assert_eq!(answer(&line)["verdict"], "reject");
    assert!(hint(&line).ends_with("refusing it is right"));
}

#[test]
fn a_serial_that_is_not_configured_is_named() {
    assert_eq!(
        hint(&with_header("Wechatpay-Serial", "AB")),
        format!(
            "the signature fits with the key of serial `{SERIAL}`, and the message names `AB`: \
                 is a key under a wrong serial?"
        )
    );
    let mut line = with_header("Wechatpay-Serial", "AB");
    line["headers"]["Wechatpay-Nonce"] = "other".into();
    assert_eq!(
        hint(&line),
        format!("the message is signed with the key of serial `AB`; configured is `{SERIAL}`")
    );
    let long = "A".repeat(10_000);
    line["headers"]["Wechatpay-Serial"] = long.into();
    assert!(hint(&line).len() < 300);
    no_hint(&with_header("Wechatpay-Nonce", "other"));
}

#[test]
fn a_key_under_another_keys_serial_is_told() {
    let other = case_line(WECHAT, "wx-doc-001");
    let (other, own) = (&other["keys"]["public_keys"], &line()["keys"]["public_keys"][SERIAL]);
    let other = other.as_object().unwrap().values().next().unwrap();
    let mut line = line();
    line["keys"]["public_keys"] = json!({SERIAL: other, "B": own});
    assert!(hint(&line).starts_with("the signature fits with the key of serial `B`, "));
}

#[test]
fn a_body_of_wechat_pay_that_was_written_again_is_told() {
    let line = line();
    let case = super::super::case::Case::read(line.to_string().as_bytes(), 0).unwrap();
    let body = String::from_utf8(case.body).unwrap();
    let spaced = body.replace("\":", "\": ");
    assert!(hint(&received(&line, spaced.as_bytes())).contains("without white space between"));
    let escaped = body.replace('签', "\\u7b7e").replace('/', "\\/");
    let hint = hint(&received(&line, escaped.as_bytes()));
    assert!(hint.contains("no letter as `\\u…`, `/` as it is"), "{hint}");
    assert!(text(&line["body_base64"]).len() > 100);
}

/// A message that is sealed, with a key pair made for it.
mod sealed {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;
    use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    use serde_json::{Value, json};

    use super::super::super::tests::{NOW, Pair, answer, hint};

    const API_V3_KEY: &str = "0123456789abcdef0123456789abcdef";

    fn line() -> Value {
        let mut sealed = json!({"out_trade_no": "42", "transaction_id": "t1", "mchid": "m1",
            "appid": "a1", "trade_state": "SUCCESS", "amount": {"total": 5, "currency": "CNY"}})
        .to_string()
        .into_bytes();
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, API_V3_KEY.as_bytes()).unwrap());
        let nonce = Nonce::assume_unique_for_key(*b"0123456789ab");
        key.seal_in_place_append_tag(nonce, Aad::from(b"transaction"), &mut sealed).unwrap();
        let body = json!({"id": "e1", "event_type": "TRANSACTION.SUCCESS", "resource": {
            "algorithm": "AEAD_AES_256_GCM", "nonce": "0123456789ab",
            "associated_data": "transaction", "ciphertext": BASE64.encode(sealed)}})
        .to_string();
        let pair = Pair::one();
        let signature = pair.sign(format!("{NOW}\nn\n{body}\n").as_bytes());
        json!({"provider": "wechat", "now": NOW, "body": body,
            "headers": {"wechatpay-timestamp": NOW.to_string(), "wechatpay-nonce": "n",
                        "wechatpay-serial": "S", "wechatpay-signature": signature},
            "keys": {"public_keys": {"S": pair.public_pem()}, "api_v3_key": API_V3_KEY,
                     "mchid": "m1", "appid": "a1"}})
    }

    fn with_key(key: &str) -> Value {
        let mut line = line();
        line["keys"]["api_v3_key"] = key.into();
        line
    }

    #[test]
    fn an_open_message_says_what_it_is_about() {
        let answer = answer(&line());
        assert_eq!(
            answer["says"],
            json!({"event_id": "e1", "payment_id": 42, "provider_txn": "t1", "amount": 5,
                   "currency": "CNY", "outcome": "paid", "foreign": false})
        );
        assert_eq!((answer.get("hint"), answer.get("ignored")), (None, None));
    }

    #[test]
    fn a_key_that_does_not_open_it_is_a_fault_of_the_configuration() {
        for (key, says) in [
            ("short".to_owned(), "`api_v3_key` is 5 bytes long, and one of 32 is needed"),
            ("x".repeat(32), "`api_v3_key` is not the key that the message was sealed with"),
            (format!("{API_V3_KEY}\n"), "`api_v3_key` has white space around it"),
        ] {
            let line = with_key(&key);
            assert_eq!(answer(&line)["verdict"], "config_error");
            assert!(hint(&line).contains(says), "{}", hint(&line));
            assert!(!answer(&line).to_string().contains(&key));
        }
        let mut line = with_key("short");
        line["now"] = (NOW + 1000).into();
        assert!(hint(&line).starts_with("the signature is right; the message is 1000 s old"));
    }

    #[test]
    fn a_message_of_another_merchant_says_so() {
        let quarantined = "it would be quarantined as another merchant's: it is not of the \
            configured";
        for (members, why) in [
            (vec!["mchid"], "`mchid`"),
            (vec!["appid"], "`appid`"),
            (vec!["mchid", "appid"], "`mchid` and `appid`"),
        ] {
            let mut line = line();
            for member in members {
                line["keys"][member] = "other".into();
            }
            let answer = answer(&line);
            assert_eq!(answer["verdict"], "accept");
            assert_eq!(answer["says"]["foreign"], true);
            assert_eq!(answer["hint"], format!("{quarantined} {why}"));
        }
    }
}
