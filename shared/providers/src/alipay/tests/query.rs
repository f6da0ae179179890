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

use super::{super::querier::AlipayQuerier, Json, Pair, Timestamp, at, now};
use crate::{
    Querier,
    query::RawRequest,
    samples::{
        queries::{self, NONCE, PAYMENT, REFUND, assert_needed, payment},
        signature_of, signing_vector,
    },
};

const TRADE: &str = "2026112322001468450512505578";

fn entry() -> Value {
    json!({
        "app_id": " 2019073166072302\n",
        "private_key": signing_vector("private_key"),
        "public_keys": [Pair::one().public_pem()],
    })
}

fn querier(entry: &Value) -> Option<AlipayQuerier> {
    AlipayQuerier::from_json(&Json::parse(entry.to_string().as_bytes()).unwrap()).ok()
}

fn ours() -> AlipayQuerier {
    querier(&entry()).unwrap()
}

fn request(query: &Query, now: Timestamp) -> RawRequest {
    ours().request(query, NONCE, now).unwrap()
}

#[test]
fn a_request_is_signed_byte_for_byte() {
    for (query, method, content, case) in [
        (
            payment(PAYMENT, None),
            "alipay.trade.query",
            "%7B%22out_trade_no%22%3A%221217752501201407%22%7D",
            "alipay-by-reference",
        ),
        (
            payment(PAYMENT, Some(TRADE)),
            "alipay.trade.query",
            "%7B%22trade_no%22%3A%222026112322001468450512505578%22%7D",
            "alipay-by-transaction",
        ),
        (
            queries::refund(REFUND, TRADE),
            "alipay.trade.fastpay.refund.query",
            "%7B%22out_request_no%22%3A%221217752501201407_0123456789abcdef%22%2C\
             %22trade_no%22%3A%222026112322001468450512505578%22%7D",
            "alipay-refund",
        ),
    ] {
        let signature = signature_of(case);
        let signature = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let want = RawRequest {
            method: "POST",
            target: format!(
                "?app_id=2019073166072302&charset=utf-8&format=JSON&method={method}\
                 &sign_type=RSA2&timestamp=2023-11-15%2006%3A13%3A20&version=1.0&sign={signature}"
            ),
            headers: vec![
                ("accept", "application/json".to_owned()),
                ("content-type", "application/x-www-form-urlencoded;charset=utf-8".to_owned()),
                ("user-agent", "pay/0.1.0".to_owned()),
            ],
            body: format!("biz_content={content}").into_bytes(),
        };
        let found = request(&query, now());
        assert_eq!(found.target, want.target, "{case}");
        assert!(found == want, "{case}: {:?}", String::from_utf8_lossy(&found.body));
    }
}

/// Of UTC it would be eight hours wrong, and rejected.
#[test]
fn the_time_is_that_of_beijing() {
    for (secs, time) in [
        (0, "1970-01-01%2008%3A00%3A00"),
        // Another day, month and year there.
        (1_798_732_799, "2026-12-31%2023%3A59%3A59"),
        (1_798_732_800, "2027-01-01%2000%3A00%3A00"),
        (1_709_136_000, "2024-02-29%2000%3A00%3A00"),
    ] {
        let target = request(&payment(7, None), at(secs)).target;
        assert!(target.contains(&format!("&timestamp={time}&")), "{target}");
    }
    let last = Timestamp::from_millis(Timestamp::MAX_MILLIS).unwrap();
    let found = ours().request(&payment(7, None), NONCE, last).err();
    assert!(matches!(found, Some(QueryError::Unusable(_))), "{found:?}");
}

/// What a native notification reported as the transaction may be anything.
#[test]
fn no_transaction_leaves_its_place_in_the_request() {
    let txn = r#"","out_trade_no":"8"}&method=x#%"#;
    let body = request(&payment(7, Some(txn)), now()).body;
    let form: Vec<_> = form_urlencoded::parse(&body).collect();
    let [(name, content)] = &*form else { panic!("{form:?}") };
    assert_eq!(name, "biz_content");
    let content: Value = serde_json::from_str(content).unwrap();
    assert_eq!(content, json!({"trade_no": txn}));
}

#[test]
fn a_query_of_another_kind_is_not_taken() {
    let txn = ProviderTxn::new(TRADE).unwrap();
    for query in [Query::Refunds { payment: None, txn: txn.clone() }, Query::Object(txn)] {
        let found = ours().request(&query, NONCE, now()).err();
        assert!(matches!(found, Some(QueryError::Unusable(_))), "{query:?} {found:?}");
    }
}

#[test]
fn an_entry_without_what_queries_need_is_rejected() {
    let needed = ["app_id", "private_key", "public_keys"];
    assert_needed(&needed, &entry(), |entry| querier(entry).is_some());
    for (name, bad) in [
        ("app_id", json!(["2019073166072302", "2021000000000002"])),
        ("private_key", json!(signing_vector("public_key"))),
        ("private_key", json!(signing_vector("private_key_1024"))),
        ("public_keys", json!([signing_vector("private_key")])),
    ] {
        let mut entry = entry();
        entry[name] = bad.clone();
        assert!(querier(&entry).is_none(), "{name} {bad}");
    }
    let mut bare = entry();
    let pkcs1 = signing_vector("private_key_pkcs1");
    let lines = pkcs1.lines().filter(|line| !line.starts_with('-'));
    bare["private_key"] = json!(lines.collect::<String>());
    assert!(querier(&bare).is_some());
}

#[test]
fn no_secret_is_printed() {
    let request = request(&payment(7, None), now());
    let keys = queries::printed_keys(Provider::Alipay, &entry());
    let printed = format!("{:?} {request:?} {keys}", ours());
    let private_key = signing_vector("private_key");
    for canary in [private_key.lines().nth(1).unwrap(), "2019073166072302", "sign="] {
        assert!(!printed.contains(canary), "{canary}: {printed}");
    }
}
