use serde_json::{Value, json};

use crate::doctor::tests::{WECHAT, case_line, hint, no_hint, received, response, text};

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
fn a_probe_is_rightly_rejected() {
    let line = case_line(WECHAT, "wx-go-015");
    assert_eq!(response(&line)["verdict"], "reject");
    assert!(hint(&line).ends_with("rejecting it is right"));
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
fn an_algorithm_that_is_not_accepted_is_named() {
    let other = with_header("wechatpay-signature-type", "OTHER");
    assert!(hint(&other).starts_with("`wechatpay-signature-type` is `OTHER`, and only `WECHAT"));
    assert!(hint(&with_header("wechatpay-signature-type", &"x".repeat(1000))).len() < 200);
}

#[test]
fn a_key_under_another_keys_serial_is_explained() {
    let other = case_line(WECHAT, "wx-doc-001");
    let (other, own) = (&other["keys"]["public_keys"], &line()["keys"]["public_keys"][SERIAL]);
    let other = other.as_object().unwrap().values().next().unwrap();
    let mut line = line();
    line["keys"]["public_keys"] = json!({SERIAL: other, "B": own});
    assert!(hint(&line).starts_with("the signature fits with the key of serial `B`, "));
}

#[test]
fn a_body_of_wechat_pay_that_was_written_again_is_explained() {
    let line = line();
    let case = crate::doctor::tests::case(&line, 0);
    let body = String::from_utf8(case.body).unwrap();
    let spaced = body.replace("\":", "\": ");
    assert!(hint(&received(&line, spaced.as_bytes())).contains("without white space between"));
    let escaped = body.replace('签', "\\u7b7e").replace('/', "\\/");
    let hint = hint(&received(&line, escaped.as_bytes()));
    assert!(hint.contains("no letter as `\\u…`, `/` as it is"), "{hint}");
    assert!(text(&line["body_base64"]).len() > 100);
}

/// Messages with an encrypted payment.
mod encrypted {
    use pay_core::domain::{Outcome, Provider};
    use serde_json::{Value, json};

    use crate::doctor::tests::{self, NOW, hint, response};
    use local::defaults::webhook_secrets;
    use local::messages::Message;
    use local::simulator::wechat::API_V3_KEY;

    fn line() -> Value {
        let message = Message::new(42, 5, Outcome::Paid);
        let message = Message { id: "e1".to_owned(), now_secs: NOW, ..message };
        let signed = message.from(Provider::WeChat).unwrap();
        let keys = &webhook_secrets().unwrap()["wechat"];
        tests::line("wechat", &signed.headers, &signed.body, keys)
    }

    fn with_key(key: &str) -> Value {
        let mut line = line();
        line["keys"]["api_v3_key"] = key.into();
        line
    }

    #[test]
    fn a_decrypted_message_says_what_it_is_about() {
        let response = response(&line());
        assert_eq!(
            response["notification"],
            json!({"event_id": "e1", "payment_id": 42, "provider_txn": format!("4200{:024}", 42),
                   "amount": 5, "currency": "CNY", "outcome": "paid", "wrong_account": false})
        );
        assert_eq!((response.get("hint"), response.get("ignored")), (None, None));
    }

    #[test]
    fn a_key_that_does_not_decrypt_it_is_a_fault_of_the_configuration() {
        for (key, says) in [
            ("short".to_owned(), "`api_v3_key` is 5 bytes long, and one of 32 is needed"),
            ("x".repeat(32), "`api_v3_key` is not the key that the message was encrypted with"),
        ] {
            let line = with_key(&key);
            assert_eq!(response(&line)["verdict"], "config_error");
            assert!(hint(&line).contains(says), "{}", hint(&line));
            assert!(!response(&line).to_string().contains(&key));
        }
        // White space around it is no part of it.
        assert_eq!(response(&with_key(&format!("{API_V3_KEY}\n")))["verdict"], "accept");
        let mut line = with_key("short");
        line["now"] = (NOW + 1000).into();
        assert!(hint(&line).starts_with("the signature is right; the message is 1000 s old"));
    }

    #[test]
    fn a_message_of_another_merchant_says_so() {
        let quarantined = "it would be quarantined, as one of another account or mode than \
            configured: ";
        let mchid = "expected `mchid=other`, received `mchid=1900000001`";
        let appid = "expected `appid=other`, received `appid=wx0000000000000001`";
        for (members, why) in [
            (vec!["mchid"], mchid.to_owned()),
            (vec!["appid"], appid.to_owned()),
            (vec!["mchid", "appid"], format!("{mchid}; {appid}")),
        ] {
            let mut line = line();
            for member in members {
                line["keys"][member] = "other".into();
            }
            let response = response(&line);
            assert_eq!(response["verdict"], "accept");
            assert_eq!(response["notification"]["wrong_account"], true);
            assert_eq!(response["hint"], format!("{quarantined}{why}"));
        }
        let mut line = line();
        line["keys"]["appid"] = json!(["other", "more"]);
        let why = appid.replace("=other`", "=other or more`");
        assert_eq!(response(&line)["hint"], format!("{quarantined}{why}"));
        line["keys"]["appid"] = json!(["other", "wx0000000000000001"]);
        assert_eq!(response(&line).get("hint"), None);
    }
}
