//! Alipay's gateway.

use pay_core::domain::Provider;
use serde_json::{Value, json};

use super::caller::{Served, send, sign, verifies};
use crate::clock;
use crate::faults::Fault;

/// The parameters of a call, without its signature.
fn parameters(method: &str, business: &Value) -> Vec<(String, String)> {
    let timestamp = clock::beijing_time(clock::now_secs()).unwrap();
    let timestamp = timestamp.replace('T', " ").replace("+08:00", "");
    let app_id = crate::defaults::provider_secrets().unwrap()["alipay"]["app_id"].clone();
    let pairs = [
        ("app_id", app_id.as_str().unwrap()),
        ("method", method),
        ("format", "JSON"),
        ("charset", "utf-8"),
        ("sign_type", "RSA2"),
        ("timestamp", &timestamp),
        ("version", "1.0"),
        ("notify_url", ""),
        ("biz_content", &business.to_string()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// The signature of a call.
fn signature(parameters: &[(String, String)]) -> String {
    let secrets = crate::defaults::provider_secrets().unwrap();
    let mut sorted: Vec<_> = parameters.iter().filter(|(_, value)| !value.is_empty()).collect();
    sorted.sort();
    let pairs: Vec<_> = sorted.iter().map(|(name, value)| format!("{name}={value}")).collect();
    sign(secrets["alipay"]["private_key"].as_str().unwrap(), pairs.join("&").as_bytes())
}

/// Sends a call as it is: what is common in the query, the content in the body.
async fn post(served: &Served, parameters: &[(String, String)]) -> String {
    let encode = |in_body: bool| {
        let mut form = form_urlencoded::Serializer::new(String::new());
        let pairs = parameters.iter().filter(|(name, _)| (name == "biz_content") == in_body);
        form.extend_pairs(pairs).finish()
    };
    let request = served.http.post(format!("{}?{}", served.url, encode(false)));
    let content_type = "application/x-www-form-urlencoded;charset=utf-8";
    let response = send(request.header("content-type", content_type).body(encode(true))).await;
    let response = response.unwrap();
    assert_eq!(response.status, 200);
    response.text
}

async fn call(served: &Served, method: &str, business: Value) -> String {
    let mut parameters = parameters(method, &business);
    let signature = signature(&parameters);
    parameters.push(("sign".to_owned(), signature));
    post(served, &parameters).await
}

/// The text of the object in a response, whose signature is verified over exactly these bytes.
fn verified<'a>(text: &'a str, member: &str) -> Option<&'a str> {
    let secrets = crate::defaults::provider_secrets().unwrap();
    let rest = text.strip_prefix(&format!(r#"{{"{member}":"#))?;
    let (object, signature) = rest.strip_suffix(r#""}"#)?.rsplit_once(r#","sign":""#)?;
    let key = secrets["alipay"]["public_keys"][0].as_str().unwrap();
    verifies(key, object.as_bytes(), signature).then_some(object)
}

const QUERY: &str = "alipay.trade.query";
const QUERIED: &str = "alipay_trade_query_response";

async fn queried(served: &Served, business: Value) -> Value {
    let text = call(served, QUERY, business).await;
    serde_json::from_str(verified(&text, QUERIED).expect(&text)).unwrap()
}

#[tokio::test]
async fn a_call_is_accepted_only_with_the_applications_signature_over_all_of_it() {
    let served = Served::start(Provider::Alipay).await;
    served.account.open(42, 10_050).unwrap();
    let business = json!({"out_trade_no": "42"});
    let good = parameters(QUERY, &business);
    let code = |text: &str| {
        let response: Value = serde_json::from_str(text).unwrap();
        assert_eq!(response.get("sign"), None, "errors of the gateway are not signed");
        let code = |name: &str| response["error_response"][name].as_str().unwrap().to_owned();
        (code("code"), code("sub_code"))
    };
    let pair = |code: &str, sub_code: &str| (code.to_owned(), sub_code.to_owned());
    let changed = |name: &str, value: &str| {
        let mut all = good.clone();
        all.iter_mut().find(|(known, _)| known == name).unwrap().1 = value.to_owned();
        all
    };
    // Signed as they are.
    let beijing = |secs| clock::beijing_time(secs).unwrap().replace('T', " ").replace("+08:00", "");
    let utc = beijing(clock::now_secs() - 8 * 3600);
    for (name, value, want) in [
        ("app_id", "2021000000000002", "isv.invalid-app-id"),
        ("sign_type", "RSA", "isv.invalid-signature-type"),
        ("charset", "gbk", "isv.invalid-charset"),
        ("version", "1.1", "isv.invalid-version"),
        ("method", "alipay.trade.cancel", "isv.invalid-method"),
        ("timestamp", utc.as_str(), "isv.invalid-timestamp"),
    ] {
        let mut parameters = changed(name, value);
        let signature = signature(&parameters);
        parameters.push(("sign".to_owned(), signature));
        assert_eq!(code(&post(&served, &parameters).await), pair("40002", want), "{name}");
    }
    // Changed after they were signed, by one byte.
    let signature = signature(&good);
    for (name, value) in [("biz_content", r#"{"out_trade_no":"43"}"#), ("notify_url", "x")] {
        let mut parameters = changed(name, value);
        parameters.push(("sign".to_owned(), signature.clone()));
        let want = pair("40002", "isv.invalid-signature");
        assert_eq!(code(&post(&served, &parameters).await), want, "{name}");
    }
    assert_eq!(code(&post(&served, &good).await), pair("40001", "isv.missing-signature"));
}

#[tokio::test]
async fn all_parameters_may_be_in_the_body() {
    let served = Served::start(Provider::Alipay).await;
    served.account.open(42, 10_050).unwrap();
    let mut parameters = parameters(QUERY, &json!({"out_trade_no": "42"}));
    let signature = signature(&parameters);
    parameters.push(("sign".to_owned(), signature));
    let mut form = form_urlencoded::Serializer::new(String::new());
    let body = form.extend_pairs(parameters).finish();
    let response = send(served.http.post(&served.url).body(body)).await.unwrap();
    assert!(verified(&response.text, QUERIED).is_some(), "{}", response.text);
    for request in [served.http.get(&served.url), served.http.post(&served.url)] {
        assert_eq!(send(request).await.unwrap().status, 404, "no parameters");
    }
}

#[tokio::test]
async fn a_payment_is_shown_as_it_is_and_signed_with_its_escapes() {
    let served = Served::start(Provider::Alipay).await;
    let account = &served.account;
    let by_reference = || json!({"out_trade_no": "42"});
    let absent = queried(&served, by_reference()).await;
    assert_eq!(
        (&absent["code"], &absent["sub_code"]),
        (&json!("40004"), &json!("ACQ.TRADE_NOT_EXIST"))
    );
    let empty = queried(&served, json!({})).await;
    assert_eq!(empty["sub_code"], "ACQ.INVALID_PARAMETER");

    account.open(42, 10_050).unwrap();
    let open = queried(&served, by_reference()).await;
    assert_eq!((&open["code"], &open["trade_status"]), (&json!("10000"), &json!("WAIT_BUYER_PAY")));
    account.process(42, 10_050).unwrap();
    assert_eq!(queried(&served, by_reference()).await["code"], "10003");

    account.pay(42, 10_050).await.unwrap();
    let text = call(&served, QUERY, by_reference()).await;
    let object = verified(&text, QUERIED).unwrap();
    assert!(object.contains(r"https:\/\/"), "{object}");
    // Written anew it has other bytes, and the signature is no longer over them.
    let anew = serde_json::from_str::<Value>(object).unwrap().to_string();
    assert_eq!(verified(&text.replace(object, &anew), QUERIED), None);
    for business in [by_reference(), json!({"trade_no": "2026000000000000000000000042"})] {
        let paid = queried(&served, business).await;
        assert_eq!(
            (&paid["trade_status"], &paid["total_amount"]),
            (&json!("TRADE_SUCCESS"), &json!("100.50"))
        );
        assert_eq!(
            (&paid["out_trade_no"], &paid["trade_no"]),
            (&json!("42"), &json!("2026000000000000000000000042"))
        );
        assert_eq!(paid["send_pay_date"].as_str().map(str::len), Some(19));
    }
    account.refund(42, 50, "a").await.unwrap();
    assert_eq!(queried(&served, by_reference()).await["trade_status"], "TRADE_SUCCESS");
    account.refund(42, 10_000, "b").await.unwrap();
    let refunded = queried(&served, by_reference()).await;
    assert_eq!(refunded["trade_status"], "TRADE_CLOSED");
    assert!(refunded["send_pay_date"].is_string(), "it was paid once");
    account.open(43, 1).unwrap();
    account.close(43).await.unwrap();
    let closed = queried(&served, json!({"out_trade_no": "43"})).await;
    assert_eq!(
        (&closed["trade_status"], &closed["send_pay_date"]),
        (&json!("TRADE_CLOSED"), &Value::Null)
    );
}

#[tokio::test]
async fn a_refund_has_a_status_only_where_it_succeeded() {
    let served = Served::start(Provider::Alipay).await;
    let account = &served.account;
    account.pay(42, 10_050).await.unwrap();
    account.refund(42, 50, "1").await.unwrap();
    let refund = async |payment: &str, number: &str| -> Value {
        let business = json!({"out_trade_no": payment, "out_request_no": number});
        let text = call(&served, "alipay.trade.fastpay.refund.query", business).await;
        let object = verified(&text, "alipay_trade_fastpay_refund_query_response").unwrap();
        serde_json::from_str(object).unwrap()
    };
    let done = refund("42", "r1").await;
    assert_eq!(
        (&done["refund_status"], &done["refund_amount"]),
        (&json!("REFUND_SUCCESS"), &json!("0.50"))
    );
    assert_eq!((&done["total_amount"], &done["out_request_no"]), (&json!("100.50"), &json!("r1")));
    let unknown = refund("42", "r2").await;
    assert_eq!((&unknown["code"], &unknown["refund_status"]), (&json!("10000"), &Value::Null));
    assert_eq!(refund("43", "r1").await["sub_code"], "ACQ.TRADE_NOT_EXIST");
    account.fail_refund("1").await.unwrap();
    assert_eq!(refund("42", "r1").await["refund_status"], Value::Null);
}

#[tokio::test]
async fn a_response_may_lack_its_signature_or_be_about_another_payment_with_a_valid_one() {
    let served = Served::start(Provider::Alipay).await;
    let account = &served.account;
    account.pay(42, 10_050).await.unwrap();
    account.set_fault("alipay:query", Fault::Unsigned, Some(1)).unwrap();
    let unsigned = call(&served, QUERY, json!({"out_trade_no": "42"})).await;
    let unsigned: Value = serde_json::from_str(&unsigned).unwrap();
    assert_eq!(unsigned[QUERIED]["trade_status"], "TRADE_SUCCESS");
    assert_eq!(unsigned.get("sign"), None);
    account.set_fault("alipay:query", Fault::WrongId, Some(1)).unwrap();
    let another = queried(&served, json!({"out_trade_no": "42"})).await;
    assert_eq!(another["out_trade_no"], "43");
    account.set_fault("alipay:query", Fault::ErrorEnvelope, Some(1)).unwrap();
    let down = call(&served, QUERY, json!({"out_trade_no": "42"})).await;
    assert!(down.contains(r#"{"error_response":{"code":"20000""#), "{down}");
}
