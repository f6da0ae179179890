//! Stripe's API.

use pay_core::domain::Provider;
use serde_json::{Value, json};

use super::caller::{Response, Served, send};
use crate::faults::Fault;
use crate::simulator::ledger::TradeRefund;
use crate::simulator::stripe::API_KEY;
use pay_core::domain::RefundState;

async fn get(served: &Served, path: &str) -> Response {
    let request = served.http.get(format!("{}{path}", served.url)).bearer_auth(API_KEY);
    send(request.header("stripe-version", "2025-08-27.basil")).await.unwrap()
}

async fn found(served: &Served, path: &str) -> Value {
    let response = get(served, path).await;
    assert_eq!(response.status, 200, "{path}: {}", response.text);
    response.json()
}

#[tokio::test]
async fn a_call_needs_the_key_and_a_version() {
    let served = Served::start(Provider::Stripe).await;
    served.account.open(42, 100).unwrap();
    let request = || served.http.get(format!("{}/v1/payment_intents/pi_42", served.url));
    for (key, version, want) in [
        (Some(API_KEY), "2025-08-27.basil", 200),
        (Some("rk_test_another"), "2025-08-27.basil", 401),
        (None, "2025-08-27.basil", 401),
        (Some(API_KEY), "", 400),
    ] {
        let mut request = request().header("stripe-version", version);
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        let response = send(request).await.unwrap();
        assert_eq!(response.status, want, "{key:?} {version:?}: {}", response.text);
        if want != 200 {
            assert_eq!(response.json()["error"]["type"], "invalid_request_error");
        }
    }
}

#[tokio::test]
async fn a_payment_is_shown_as_it_is_by_its_id_its_session_and_our_id() {
    let served = Served::start(Provider::Stripe).await;
    let account = &served.account;
    let search = "/v1/payment_intents/search?query=metadata%5B%27payment_id%27%5D%3A%2742%27";
    assert_eq!(found(&served, search).await["data"], json!([]));
    for (state, status, session, payment_status) in [
        ("open", "requires_payment_method", "open", "unpaid"),
        ("process", "processing", "complete", "unpaid"),
        ("pay", "succeeded", "complete", "paid"),
    ] {
        match state {
            "open" => account.open(42, 100).unwrap(),
            "process" => account.process(42, 100).unwrap(),
            _ => drop(account.pay(42, 100).await.unwrap()),
        }
        let intent = found(&served, "/v1/payment_intents/pi_42").await;
        assert_eq!((&intent["status"], &intent["amount"]), (&json!(status), &json!(100)));
        assert_eq!(intent["metadata"]["payment_id"], "42");
        assert_eq!(intent["currency"], "cny");
        let listed = found(&served, search).await;
        assert_eq!(listed["data"][0]["id"], "pi_42");
        assert_eq!(listed["data"][0]["status"], status);
        let shown = found(&served, "/v1/checkout/sessions/cs_test_42").await;
        assert_eq!(
            (&shown["status"], &shown["payment_status"]),
            (&json!(session), &json!(payment_status))
        );
        assert_eq!(shown["payment_intent"].is_null(), state == "open");
    }
    let expanded = found(&served, "/v1/payment_intents/pi_42?expand[]=latest_charge").await;
    assert_eq!(expanded["latest_charge"]["object"], "charge");
    let listed =
        found(&served, &format!("{search}&limit=10&expand%5B%5D=data.latest_charge")).await;
    assert_eq!(listed["data"][0]["latest_charge"]["amount_refunded"], 0);
    account.open(43, 5).unwrap();
    account.close(43).await.unwrap();
    assert_eq!(found(&served, "/v1/payment_intents/pi_43").await["status"], "canceled");
    assert_eq!(found(&served, "/v1/checkout/sessions/cs_test_43").await["status"], "expired");
}

#[tokio::test]
async fn refunds_are_listed_newest_first_in_pages() {
    let served = Served::start(Provider::Stripe).await;
    let account = &served.account;
    account.pay(42, 100).await.unwrap();
    account.refund(42, 25, "re_1").await.unwrap();
    let pending = TradeRefund {
        id: "re_2".to_owned(),
        reference: Some("42_abc".to_owned()),
        amount: 30,
        state: RefundState::Pending,
        is_stranded: false,
        time_secs: 1,
    };
    account.begin_refund(42, pending).await.unwrap();
    let charge = found(&served, "/v1/charges/ch_42").await;
    assert_eq!((&charge["amount_refunded"], &charge["refunded"]), (&json!(55), &json!(false)));
    let all = found(&served, "/v1/refunds?payment_intent=pi_42&limit=100").await;
    let ids = |list: &Value| -> Vec<String> {
        let data = list["data"].as_array().unwrap().iter();
        data.map(|refund| refund["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((ids(&all), &all["has_more"]), (vec!["re_2".into(), "re_1".into()], &json!(false)));
    assert_eq!(all["data"][0]["metadata"], json!({"payment_id": "42", "refund_id": "42_abc"}));
    let expanded = found(&served, "/v1/refunds/re_1?expand%5B%5D=payment_intent").await;
    assert_eq!(expanded["payment_intent"]["metadata"]["payment_id"], "42");
    assert_eq!(found(&served, "/v1/refunds/re_1").await["payment_intent"], "pi_42");
    let first = found(&served, "/v1/refunds?payment_intent=pi_42&limit=1").await;
    assert_eq!((ids(&first), &first["has_more"]), (vec!["re_2".into()], &json!(true)));
    let next = "/v1/refunds?payment_intent=pi_42&limit=1&starting_after=re_2";
    assert_eq!(ids(&found(&served, next).await), ["re_1"]);

    account.fail_refund("re_2").await.unwrap();
    let failed = found(&served, "/v1/refunds/re_2").await;
    assert_eq!(failed["status"], "failed");
    assert!(failed["failure_reason"].is_string());
    assert_eq!(found(&served, "/v1/charges/ch_42").await["amount_refunded"], 25);
    let limit = get(&served, "/v1/refunds?payment_intent=pi_42&limit=101").await;
    assert_eq!(limit.status, 400);
}

#[tokio::test]
async fn what_is_not_there_is_resource_missing() {
    let served = Served::start(Provider::Stripe).await;
    for path in [
        "/v1/payment_intents/pi_1",
        "/v1/checkout/sessions/cs_test_1",
        "/v1/charges/ch_1",
        "/v1/refunds/re_1",
        "/v1/refunds?payment_intent=pi_1",
    ] {
        let response = get(&served, path).await;
        assert_eq!(response.status, 404, "{path}");
        assert_eq!(response.json()["error"]["code"], "resource_missing", "{path}");
    }
    let unknown = get(&served, "/v1/nothing").await;
    assert_eq!((unknown.status, &unknown.json()["error"]["code"]), (404, &Value::Null));
    assert_eq!(get(&served, "/v1/payment_intents/search?query=amount%3E1").await.status, 400);
}

#[tokio::test]
async fn a_search_may_lag_and_a_response_may_be_about_another_payment() {
    let served = Served::start(Provider::Stripe).await;
    let account = &served.account;
    account.pay(42, 100).await.unwrap();
    let search = "/v1/payment_intents/search?query=metadata[%22payment_id%22]:%2242%22";
    account.set_fault("stripe:search", Fault::FindNothing, Some(1)).unwrap();
    assert_eq!(found(&served, search).await["data"], json!([]));
    account.set_fault("stripe:search", Fault::WrongId, Some(1)).unwrap();
    assert_eq!(found(&served, search).await["data"][0]["metadata"]["payment_id"], "43");
    assert_eq!(found(&served, search).await["data"][0]["metadata"]["payment_id"], "42");
    assert!(account.set_fault("stripe:search", Fault::Unsigned, None).is_err(), "it never signs");
}
