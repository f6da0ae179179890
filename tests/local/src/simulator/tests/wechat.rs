//! WeChat Pay's API.

use pay_core::domain::Provider;
use serde_json::{Value, json};

use super::caller::{Response, Served, send, sign, verifies};
use crate::clock;
use crate::faults::Fault;
use crate::simulator::ledger::TradeRefund;
use pay_core::domain::RefundState;

/// What a call is signed with, and about what.
#[derive(Clone)]
struct Signing {
    mchid: String,
    serial: String,
    private_key: String,
    timestamp_secs: u64,
    nonce: &'static str,
    /// Signed in place of the path, if it is given.
    path: Option<&'static str>,
}

impl Signing {
    fn new() -> Self {
        let secrets = crate::defaults::provider_secrets().unwrap();
        let text = |name: &str| secrets["wechat"][name].as_str().unwrap().to_owned();
        Self {
            mchid: text("mchid"),
            serial: text("serial"),
            private_key: text("private_key"),
            timestamp_secs: clock::now_secs(),
            nonce: "593BEC0C930BF1AFEB40B4A08C8FB242",
            path: None,
        }
    }

    fn authorization(&self, path: &str) -> String {
        let Self { mchid, serial, timestamp_secs, nonce, .. } = self;
        let path = self.path.unwrap_or(path);
        let message = format!("GET\n{path}\n{timestamp_secs}\n{nonce}\n\n");
        let signature = sign(&self.private_key, message.as_bytes());
        format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{mchid}\",nonce_str=\"{nonce}\",\
             timestamp=\"{timestamp_secs}\",serial_no=\"{serial}\",signature=\"{signature}\""
        )
    }
}

fn request(served: &Served, path: &str, authorization: &str) -> reqwest::RequestBuilder {
    let request = served.http.get(format!("{}{path}", served.url));
    let request = request.header("authorization", authorization).header("user-agent", "test");
    request.header("accept", "application/json")
}

async fn get(served: &Served, path: &str) -> Response {
    let authorization = Signing::new().authorization(path);
    send(request(served, path, &authorization)).await.unwrap()
}

/// Whether the response is signed with the key of WeChat Pay.
fn is_signed(response: &Response) -> bool {
    let secrets = crate::defaults::provider_secrets().unwrap();
    let [timestamp, nonce, signature, serial] = ["timestamp", "nonce", "signature", "serial"]
        .map(|name| response.header(&format!("wechatpay-{name}")));
    if [timestamp, nonce, signature, serial].contains(&"") {
        return false;
    }
    let key = secrets["wechat"]["public_keys"][serial].as_str().unwrap();
    assert!(timestamp.parse::<u64>().unwrap().abs_diff(clock::now_secs()) < 60);
    let message = format!("{timestamp}\n{nonce}\n{}\n", response.text);
    verifies(key, message.as_bytes(), signature)
}

const PATH: &str = "/v3/pay/transactions/out-trade-no/100042?mchid=1900000001";

#[tokio::test]
async fn a_call_is_accepted_only_with_the_merchants_signature_over_all_of_it() {
    let served = Served::start(Provider::WeChat).await;
    served.account.open(100_042, 100).unwrap();
    assert_eq!(get(&served, PATH).await.status, 200);
    let good = Signing::new();
    let now = good.timestamp_secs;
    let near = Signing { timestamp_secs: now - 290, ..good.clone() };
    assert_eq!(send(request(&served, PATH, &near.authorization(PATH))).await.unwrap().status, 200);

    let another = "/v3/pay/transactions/out-trade-no/100043?mchid=1900000001";
    let platform = super::super::wechat::SIMULATOR.key.unwrap().get().unwrap().private_pem();
    for (name, bad) in [
        ("late", Signing { timestamp_secs: now - 360, ..good.clone() }),
        ("early", Signing { timestamp_secs: now + 360, ..good.clone() }),
        ("merchant", Signing { mchid: "1900000002".to_owned(), ..good.clone() }),
        ("serial", Signing { serial: "AA".to_owned(), ..good.clone() }),
        ("key", Signing { private_key: platform.to_owned(), ..good.clone() }),
        ("path", Signing { path: Some(another), ..good.clone() }),
        ("nonce", Signing { nonce: "", ..good.clone() }),
    ] {
        let response = send(request(&served, PATH, &bad.authorization(PATH))).await.unwrap();
        assert_eq!(
            (response.status, &response.json()["code"]),
            (401, &json!("SIGN_ERROR")),
            "{name}"
        );
        assert!(!is_signed(&response), "{name}");
    }
    // One byte of the signed text, of the signature, and of the body.
    let header = good.authorization(PATH);
    for bad in [
        header.replace("593BEC0C", "593BEC0D"),
        header.replace("signature=\"", "signature=\"A"),
        header.replace("WECHATPAY2-SHA256-RSA2048 ", "WECHATPAY2-SM2-WITH-SM3 "),
        String::from("x"),
    ] {
        assert_eq!(send(request(&served, PATH, &bad)).await.unwrap().status, 401, "{bad}");
    }
    let with_body = request(&served, PATH, &header).body("x");
    assert_eq!(send(with_body).await.unwrap().status, 401);
}

#[tokio::test]
async fn a_call_names_its_program_and_what_it_accepts_and_its_merchant() {
    let served = Served::start(Provider::WeChat).await;
    served.account.open(100_042, 100).unwrap();
    let header = Signing::new().authorization(PATH);
    for missing in ["user-agent", "accept"] {
        let request = request(&served, PATH, &header).build().unwrap();
        let mut request = request;
        request.headers_mut().insert(missing, " ".parse().unwrap());
        let response = served.http.execute(request).await.unwrap();
        assert_eq!(response.status(), 400, "{missing}");
    }
    let other_key = request(&served, PATH, &header).header("wechatpay-serial", "PUB_KEY_ID_1");
    assert_eq!(send(other_key).await.unwrap().status, 400);
    for path in [
        "/v3/pay/transactions/out-trade-no/100042",
        "/v3/pay/transactions/out-trade-no/100042?mchid=1900000002",
    ] {
        assert_eq!(get(&served, path).await.status, 400, "{path}");
    }
}

#[tokio::test]
async fn a_payment_is_shown_as_it_is_and_signed() {
    let served = Served::start(Provider::WeChat).await;
    let account = &served.account;
    let absent = get(&served, PATH).await;
    assert_eq!((absent.status, &absent.json()["code"]), (404, &json!("ORDER_NOT_EXIST")));
    assert!(!is_signed(&absent));

    account.open(100_042, 100).unwrap();
    let open = get(&served, PATH).await;
    assert!(is_signed(&open));
    assert_eq!(open.json()["trade_state"], "NOTPAY");
    assert_eq!(open.json()["transaction_id"], Value::Null);
    let by_id = "/v3/pay/transactions/id/4200000000000000000000100042?mchid=1900000001";
    assert_eq!(get(&served, by_id).await.status, 404, "only paid ones have a transaction");

    account.pay(100_042, 100).await.unwrap();
    for path in [PATH, by_id] {
        let paid = get(&served, path).await;
        assert!(is_signed(&paid), "{path}");
        let paid = paid.json();
        assert_eq!(paid["trade_state"], "SUCCESS");
        assert_eq!(paid["out_trade_no"], "100042");
        assert_eq!(paid["transaction_id"], "4200000000000000000000100042");
        assert_eq!(paid["amount"]["total"], 100);
        assert_eq!(paid["amount"]["currency"], "CNY");
        assert!(paid["success_time"].as_str().unwrap().ends_with("+08:00"));
    }
    account.refund(100_042, 25, "5030001").await.unwrap();
    assert_eq!(get(&served, PATH).await.json()["trade_state"], "REFUND", "part of it is enough");
    account.open(100_043, 1).unwrap();
    account.close(100_043).await.unwrap();
    let closed = get(&served, "/v3/pay/transactions/out-trade-no/100043?mchid=1900000001").await;
    assert_eq!(closed.json()["trade_state"], "CLOSED");
}

#[tokio::test]
async fn a_refund_is_shown_by_the_merchants_number() {
    let served = Served::start(Provider::WeChat).await;
    let account = &served.account;
    account.pay(100_042, 100).await.unwrap();
    let refund = TradeRefund {
        id: "5030001".to_owned(),
        reference: Some("100042_abc".to_owned()),
        amount: 25,
        state: RefundState::Pending,
        is_stranded: false,
        time_secs: clock::now_secs(),
    };
    account.begin_refund(100_042, refund).await.unwrap();
    let path = "/v3/refund/domestic/refunds/100042_abc";
    for (complete, status) in
        [(None, "PROCESSING"), (None, "ABNORMAL"), (Some(true), "SUCCESS"), (Some(false), "CLOSED")]
    {
        match complete {
            None if status == "ABNORMAL" => drop(account.strand_refund("5030001").await.unwrap()),
            None => {}
            Some(true) => drop(account.complete_refund("5030001").await.unwrap()),
            Some(false) => drop(account.fail_refund("5030001").await.unwrap()),
        }
        let response = get(&served, path).await;
        assert!(is_signed(&response));
        let shown = response.json();
        assert_eq!((&shown["status"], &shown["refund_id"]), (&json!(status), &json!("5030001")));
        assert_eq!(
            (&shown["amount"]["refund"], &shown["amount"]["total"]),
            (&json!(25), &json!(100))
        );
        assert_eq!(shown["success_time"].is_string(), status == "SUCCESS");
    }
    let kind = |webhook: &crate::simulator::Webhook| {
        let status = &webhook.content["resource"]["refund_status"];
        (webhook.content["event_type"].clone(), status.clone())
    };
    let kinds: Vec<_> = account.webhooks().iter().skip(1).map(kind).collect();
    let expected = ["ABNORMAL", "SUCCESS", "CLOSED"]
        .map(|status| (json!(format!("REFUND.{status}")), json!(status)));
    assert_eq!(kinds, expected);
    assert!(account.strand_refund("5030002").await.is_err(), "there is none");
    let absent = get(&served, "/v3/refund/domestic/refunds/other").await;
    assert_eq!((absent.status, &absent.json()["code"]), (404, &json!("RESOURCE_NOT_EXISTS")));
    let unknown = get(&served, "/v3/nothing").await;
    assert_eq!((unknown.status, unknown.text.as_str()), (404, ""));
}

#[tokio::test]
async fn a_response_may_lack_its_signature_or_be_about_another_payment_with_a_valid_one() {
    let served = Served::start(Provider::WeChat).await;
    let account = &served.account;
    account.pay(100_042, 100).await.unwrap();
    account.set_fault("wechat:payment", Fault::Unsigned, Some(1)).unwrap();
    let unsigned = get(&served, PATH).await;
    assert_eq!((unsigned.status, is_signed(&unsigned)), (200, false));
    assert_eq!(unsigned.json()["trade_state"], "SUCCESS");
    account.set_fault("wechat:payment", Fault::WrongId, Some(1)).unwrap();
    let another = get(&served, PATH).await;
    assert!(is_signed(&another));
    assert_eq!(another.json()["out_trade_no"], "100043");
    assert_eq!(get(&served, PATH).await.json()["out_trade_no"], "100042");
}
