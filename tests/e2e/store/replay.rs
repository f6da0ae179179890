//! An answer that is lost behind the engine: what the adapter asks again has happened once.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    response::IntoResponse as _,
};
use local::client::client as http;
use pay_core::{
    domain::{Guard, Status},
    ports::{Applied, Created, PaymentStore as _},
    testing::{
        Inspect as _,
        contract::fresh::{at, has, stripe},
    },
};
use pay_service::adapters::dynamodb::DynamoDbPayments;
use tokio::net::TcpListener;

use super::dynamo::{Dynamo, PATIENT, client, on_dynamo};

#[test]
fn a_transaction_whose_answer_was_lost_happens_once() {
    on_dynamo(|store, fresh| async move {
        let (lost, payment) = (Arc::new(AtomicBool::new(false)), fresh.payment());
        let work = async |payments: DynamoDbPayments| {
            let guard = Guard::of(&payment, None);
            let created = payments.create(&payment, &guard, None).await.unwrap();
            assert_eq!(created, Created::Done);
            assert!(lost.swap(false, Relaxed), "nothing was lost");
            has(&store, &payment).await;

            let change = payment.change_to(Status::Paid, &stripe("pi_1"), false, at(10));
            let event = fresh.event_of(&payment, &change);
            assert_eq!(payments.apply(&change, &event).await.unwrap(), Applied::Done);
            assert!(lost.swap(false, Relaxed), "nothing was lost");
            has(&store, &change.applied_to(payment.clone())).await;
            assert_eq!(store.events(Some(payment.id), event.provider).await.len(), 1);
        };
        behind_a_leak(&store, Arc::clone(&lost), work).await;
    });
}

/// Runs `work` on the adapter in front of something that carries every transaction to the table, and
/// loses the answer where `lost` does not say yet that it did.
async fn behind_a_leak(
    store: &Dynamo,
    lost: Arc<AtomicBool>,
    work: impl AsyncFnOnce(DynamoDbPayments),
) {
    let (to, http) = (store.endpoint.clone(), http("").unwrap());
    let pass_on = move |headers: HeaderMap, body: Bytes| {
        let swallowed = headers["x-amz-target"].as_bytes().ends_with(b".TransactWriteItems")
            && !lost.swap(true, Relaxed);
        let mut headers = headers;
        headers.remove("host");
        let request = http.post(&to).headers(headers).body(body);
        async move {
            let answer = request.send().await.unwrap();
            let status = answer.status();
            let body = answer.bytes().await.unwrap();
            if swallowed {
                StatusCode::BAD_GATEWAY.into_response()
            } else {
                (status, body).into_response()
            }
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let payments = DynamoDbPayments::new(client(&endpoint, PATIENT), &store.table);
    let app = Router::new().fallback(pass_on);
    tokio::select! {
        served = async { axum::serve(listener, app).await } => panic!("{served:?}"),
        () = work(payments) => {}
    }
}
