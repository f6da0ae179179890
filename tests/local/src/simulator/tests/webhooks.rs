//! Webhooks about what happens on an account.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Uri};
use axum::routing::post;
use pay_core::domain::{Outcome, PaymentId, Provider, ProviderTxn, Timestamp};
use pay_providers::{Headers, Verified, WebhookKeys};
use tokio::net::TcpListener;

use crate::faults::{Fault, Faults};
use crate::simulator::ledger::TradeRefund;
use crate::simulator::{Account, Delivery, TrackedRefund, simulator};
use crate::task::Task;
use crate::{clock, defaults};
use pay_core::domain::RefundState;

type Received = Arc<Mutex<Vec<(String, HeaderMap, Vec<u8>)>>>;

/// An account whose webhooks are received.
async fn account(provider: Provider) -> (Account, Received, Task) {
    let received = Received::default();
    let listener = TcpListener::bind((defaults::HOST, 0)).await.unwrap();
    let account = Account::new(provider, Faults::default()).unwrap();
    account.send_to(&format!("http://{}", listener.local_addr().unwrap()));
    let keep = Arc::clone(&received);
    let receive = async move |uri: Uri, headers: HeaderMap, body: axum::body::Bytes| {
        keep.lock().unwrap().push((uri.path().to_owned(), headers, body.to_vec()));
    };
    let router = Router::new().fallback(post(receive));
    let server = Task::run(async move { axum::serve(listener, router).await });
    (account, received, server)
}

/// What the service reads of all that was received: outcomes, after their signatures are verified.
fn read(provider: Provider, received: &Received) -> Vec<Option<Outcome>> {
    let secrets = defaults::webhook_secrets().unwrap().to_string();
    let keys = WebhookKeys::from_secret(&secrets).unwrap();
    let now = Timestamp::from_millis(clock::now_ms()).unwrap();
    let received = std::mem::take(&mut *received.lock().unwrap());
    let read = received.into_iter().map(|(path, headers, body)| {
        assert_eq!(path, format!("/api/pay/callback/{}", provider.as_str()));
        let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let pairs: Vec<(&str, String)> =
            pairs.map(|(name, value)| (name, value.to_owned())).collect();
        match keys.verify(provider, &Headers::from_pairs(&pairs), &body, now).unwrap() {
            Verified::Notification(read) | Verified::Hint(read, _) => {
                // A refund at Stripe names the payment by its transaction alone.
                let transaction = read.report.reference.txn.as_ref().map(ProviderTxn::as_str);
                let named = read.payment == PaymentId::new(42).ok();
                assert_eq!(transaction, Some((simulator(provider).transaction)(42, 0).as_str()));
                assert!(named || read.report.refund.is_some(), "{read:?}");
                read.report.outcome
            }
            // What the service has no use for.
            Verified::Ignored(_) => None,
        }
    });
    read.collect()
}

#[tokio::test]
async fn what_happens_is_reported_and_signed() {
    for provider in Provider::ALL.iter().copied() {
        let (account, received, _server) = account(provider).await;
        account.open(42, 100).unwrap();
        account.process(42, 100).unwrap();
        assert_eq!(read(provider, &received), []);
        assert_eq!(account.pay(42, 100).await.unwrap(), [Delivery::Status(200)]);
        assert_eq!(read(provider, &received), [Some(Outcome::Paid)], "{provider:?}");
        assert!(account.pay(42, 100).await.is_err(), "it is paid");

        let deliveries = account.refund(42, 25, "re_1").await.unwrap();
        assert!(deliveries.iter().all(|one| *one == Delivery::Status(200)), "{deliveries:?}");
        let reported = read(provider, &received);
        assert_eq!(reported.len(), deliveries.len());
        assert!(reported.iter().any(Option::is_some), "{provider:?}: {reported:?}");
        let pending = TradeRefund {
            id: "re_2".to_owned(),
            reference: Some("42_abc".to_owned()),
            amount: 75,
            state: RefundState::Pending,
            is_stranded: false,
            time_secs: clock::now_secs(),
        };
        account.begin_refund(42, pending).await.unwrap();
        drop(read(provider, &received));
        account.complete_refund("re_2").await.unwrap();
        assert!(account.trade(42).unwrap().is_refunded());
        assert_eq!(received.lock().unwrap().len(), 1, "{provider:?}");
        let made: Vec<String> = account.webhooks().into_iter().map(|webhook| webhook.id).collect();
        let mut ids = made.clone();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), made.len(), "{provider:?}");
    }
}

#[tokio::test]
async fn refund_webhooks_say_how_much_of_which_refund() {
    let content = async |provider: Provider| {
        let (account, ..) = account(provider).await;
        account.pay(42, 100).await.unwrap();
        account.refund(42, 25, "re_1").await.unwrap();
        account.refund(42, 30, "re_2").await.unwrap();
        account.webhooks().into_iter().skip(1).map(|webhook| webhook.content).collect::<Vec<_>>()
    };
    let wechat = content(Provider::WeChat).await;
    let one = |at: usize| {
        let resource = &wechat[at]["resource"];
        (resource["refund_id"].as_str().unwrap(), resource["amount"]["refund"].as_u64().unwrap())
    };
    assert_eq!([one(0), one(1)], [("re_1", 25), ("re_2", 30)], "each on its own");
    let alipay = content(Provider::Alipay).await;
    let total = |at: usize| alipay[at]["refund_fee"].as_str().unwrap();
    assert_eq!([total(0), total(1)], ["0.25", "0.55"], "all so far");
    assert_eq!(alipay[1]["out_biz_no"], "rre_2");
    let stripe = content(Provider::Stripe).await;
    let kinds: Vec<_> = stripe.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["refund.created", "charge.refunded", "refund.created", "charge.refunded"]);
    assert_eq!(stripe[2]["data"]["object"]["amount"], 30);
    assert_eq!(stripe[3]["data"]["object"]["amount_refunded"], 55);
}

#[tokio::test]
async fn webhooks_are_lost_late_or_doubled_and_the_state_stays() {
    let provider = Provider::Stripe;
    let (account, received, _server) = account(provider).await;
    account.lose_webhooks(true);
    assert_eq!(account.pay(42, 100).await.unwrap(), [Delivery::Lost]);
    assert_eq!(read(provider, &received), []);
    assert!(account.trade(42).is_some());
    account.lose_webhooks(false);
    let [lost] = &account.webhooks()[..] else { panic!() };
    assert_eq!(account.send(lost).await.unwrap(), Delivery::Status(200));
    account.set_fault("stripe:webhook", Fault::Twice, Some(1)).unwrap();
    assert_eq!(account.send(lost).await.unwrap(), Delivery::Status(200));
    assert_eq!(read(provider, &received), [Some(Outcome::Paid); 3]);

    let late = Fault::LateEffect(Duration::from_millis(1));
    account.set_fault("stripe:webhook", late, Some(1)).unwrap();
    assert_eq!(account.send(lost).await.unwrap(), Delivery::Later);
    while received.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(read(provider, &received), [Some(Outcome::Paid)]);
}

#[tokio::test]
async fn a_part_of_the_webhooks_is_lost_by_a_seed() {
    let lost = async |seed| {
        let (account, ..) = account(Provider::Alipay).await;
        let rule = serde_json::json!({"at": "alipay:webhook", "fault": "lose", "percent": 33});
        let plan = serde_json::json!({"seed": seed, "rules": [rule]});
        account.faults().follow(serde_json::from_value(plan).unwrap());
        let mut lost = Vec::new();
        for payment in 1..=30 {
            lost.push(account.pay(payment, 1).await.unwrap() == [Delivery::Lost]);
        }
        lost
    };
    let one = lost(1).await;
    assert_eq!(one, lost(1).await);
    assert!(one.contains(&true) && one.contains(&false));
}

#[tokio::test]
async fn what_a_provider_does_not_report_makes_no_webhook() {
    for (provider, failed, closed) in
        [(Provider::Stripe, 1, 1), (Provider::WeChat, 0, 0), (Provider::Alipay, 0, 1)]
    {
        let (account, ..) = account(provider).await;
        assert_eq!(account.fail(42, 100).await.unwrap().len(), failed, "{provider:?}");
        assert_eq!(account.close(42).await.unwrap().len(), closed, "{provider:?}");
        assert!(account.pay(42, 100).await.is_err(), "it is closed");
        assert!(account.close(43).await.is_err(), "it is not there");
        assert_eq!(account.simulator().name, simulator(provider).name);
    }
}

#[tokio::test]
async fn it_is_known_what_became_of_each_webhook() {
    let (account, _received, _server) = account(Provider::WeChat).await;
    account.pay(42, 100).await.unwrap();
    account.lose_webhooks(true);
    account.refund(42, 30, "a").await.unwrap();
    let ids: Vec<String> = account.webhooks().into_iter().map(|webhook| webhook.id).collect();
    let tracked = account.tracked();
    assert_eq!(
        tracked.iter().map(|one| &one.id).collect::<Vec<_>>(),
        ids.iter().collect::<Vec<_>>()
    );
    let refund = TrackedRefund { id: "a".to_owned(), is_back: true, total: 30 };
    let of: Vec<_> = tracked.iter().map(|one| (one.payment, one.refund.clone())).collect();
    assert_eq!(of, [(42, None), (42, Some(refund))]);
    assert_eq!(tracked.iter().map(|one| one.acknowledged).collect::<Vec<_>>(), [true, false]);
    assert_eq!(account.responses(), [Some((200, bytes::Bytes::new()))]);
    assert_eq!(account.trades().iter().map(|trade| trade.payment).collect::<Vec<_>>(), [42]);
    // It goes nowhere.
    account.lose_webhooks(false);
    account.send_to("no URL");
    account.refund(42, 30, "b").await.unwrap();
    assert_eq!(account.responses().last(), Some(&None));
    assert!(!account.tracked()[2].acknowledged);
}
