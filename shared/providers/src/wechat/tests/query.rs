//! Queries: the bytes of the requests, and what responses prove.

mod checkout;
mod checkout_calls;
mod refund;
mod refund_calls;
mod response;

use pay_core::{
    domain::{Provider, ProviderTxn},
    ports::{Query, QueryError},
};
use serde_json::{Value, json};

use super::{super::querier::WeChatQuerier, API_V3_KEY, Json, NOW, Pair, SERIAL, at};
use crate::{
    Querier,
    query::RawRequest,
    samples::{
        queries::{self, NONCE, PAYMENT, REFUND, assert_needed, payment},
        signature_of, signing_vector,
    },
};

/// Of our own certificate.
const OUR_SERIAL: &str = "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C";
const TRANSACTION: &str = "4200000001202611231234567890";

fn entry() -> Value {
    json!({
        "mchid": " 1900000001\n",
        "serial": format!("{OUR_SERIAL} "),
        "private_key": signing_vector("private_key"),
        "public_keys": {SERIAL: Pair::one().public_pem()},
    })
}

fn querier(entry: &Value) -> Option<WeChatQuerier> {
    WeChatQuerier::from_json(&Json::parse(entry.to_string().as_bytes()).unwrap()).ok()
}

fn ours() -> WeChatQuerier {
    querier(&entry()).unwrap()
}

fn request(querier: &WeChatQuerier, query: &Query) -> RawRequest {
    querier.request(query, NONCE, at(NOW)).unwrap()
}

#[test]
fn a_request_is_signed_byte_for_byte() {
    let order = |order: &str| format!("/v3/pay/transactions/{order}?mchid=1900000001");
    for (query, target, case) in [
        (payment(PAYMENT, None), order("out-trade-no/1217752501201407"), "wechat-by-reference"),
        // A reference has six characters or more.
        (payment(7, None), order("out-trade-no/000007"), "wechat-by-short-reference"),
        (
            payment(PAYMENT, Some(TRANSACTION)),
            order("id/4200000001202611231234567890"),
            "wechat-by-transaction",
        ),
        (
            queries::refund(REFUND, TRANSACTION),
            "/v3/refund/domestic/refunds/1217752501201407_0123456789abcdef".to_owned(),
            "wechat-refund",
        ),
    ] {
        let authorization = format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"1900000001\",\
             nonce_str=\"593bec0c930bf1afeb40b4a08c8fb242\",timestamp=\"1700000000\",\
             serial_no=\"1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C\",signature=\"{}\"",
            signature_of(case)
        );
        let want = RawRequest {
            method: "GET",
            target,
            headers: vec![
                ("authorization", authorization),
                ("accept", "application/json".to_owned()),
                ("user-agent", "pay/0.1.0".to_owned()),
                ("wechatpay-serial", SERIAL.to_owned()),
            ],
            body: Vec::new(),
        };
        let found = request(&ours(), &query);
        assert_eq!(found.headers, want.headers, "{case}");
        assert!(found == want, "{case}: {}", found.target);
    }
}

/// The header chooses what the response is signed with; certificates are chosen by WeChat Pay.
#[test]
fn a_public_key_is_asked_for_where_one_is_configured() {
    let pem = Pair::one().public_pem();
    for (keys, asked) in [
        (json!({"7CE59D1F522D701": pem}), None),
        (json!({"7CE59D1F522D701": pem, SERIAL: pem}), Some(SERIAL)),
        (json!({SERIAL: pem, "PUB_KEY_ID_2": pem}), Some(SERIAL)),
    ] {
        let mut entry = entry();
        entry["public_keys"] = keys;
        let found = request(&querier(&entry).unwrap(), &payment(7, None));
        let serial = found.headers.iter().find(|(name, _)| *name == "wechatpay-serial");
        assert_eq!(serial.map(|(_, value)| &**value), asked, "{entry}");
    }
}

#[test]
fn a_query_of_another_kind_is_not_taken() {
    let txn = ProviderTxn::new(TRANSACTION).unwrap();
    let odd = |txn| payment(7, Some(txn));
    for query in [
        Query::Refunds { payment: None, txn: txn.clone() },
        Query::Object(txn),
        // Nothing that could lead the request elsewhere.
        odd(".."),
        odd("1/../2"),
        odd("1?mchid=2"),
        odd("1%2F2"),
        odd("pi_1"),
    ] {
        let found = ours().request(&query, NONCE, at(NOW)).err();
        assert!(matches!(found, Some(QueryError::Unusable(_))), "{query:?} {found:?}");
    }
}

#[test]
fn an_entry_without_what_queries_need_is_rejected() {
    let needed = ["mchid", "serial", "private_key", "public_keys"];
    assert_needed(&needed, &entry(), |entry| querier(entry).is_some());
    for (name, bad) in [
        ("mchid", "1900000001\"".to_owned()),
        ("mchid", "1900000001\n1".to_owned()),
        ("mchid", "1900000001&x=1".to_owned()),
        ("serial", format!("{OUR_SERIAL}\",signature=\"")),
        ("serial", "1D:DE".to_owned()),
        ("private_key", signing_vector("public_key")),
        ("private_key", signing_vector("private_key_1024")),
        ("api_v3_key", "short".to_owned()),
        ("api_v3_key", String::new()),
        ("appid", String::new()),
    ] {
        let mut entry = entry();
        entry[name] = json!(bad);
        assert!(querier(&entry).is_none(), "{name} {bad}");
    }
    let mut whole = entry();
    whole["api_v3_key"] = json!(API_V3_KEY);
    whole["appid"] = json!("wx0000000000000001");
    assert!(querier(&whole).is_some());
}

#[test]
fn no_secret_is_printed() {
    let mut entry = entry();
    entry["api_v3_key"] = json!(API_V3_KEY);
    let ours = querier(&entry).unwrap();
    let request = request(&ours, &payment(7, None));
    let keys = queries::printed_keys(Provider::WeChat, &entry);
    let printed = format!("{ours:?} {request:?} {keys}");
    let private_key = signing_vector("private_key");
    let line = private_key.lines().nth(1).unwrap();
    for canary in [line, API_V3_KEY, "1900000001", OUR_SERIAL, "signature", "mchid"] {
        assert!(!printed.contains(canary), "{canary}: {printed}");
    }
}
