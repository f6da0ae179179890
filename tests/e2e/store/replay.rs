//! A lost response of a real engine: what the adapter retries has happened once.

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
    ports::{Created, Payments as _, Updated},
    testing::{
        Inspect as _,
        contract::fresh::{at, has, stripe},
    },
};
use pay_service::adapters::dynamodb::DynamoDbPayments;
use tokio::net::TcpListener;

use super::dynamo::{Dynamo, PATIENT, client, on_dynamo};

#[test]
fn a_transaction_whose_response_was_lost_happens_once() {
    on_dynamo(|store, fresh| async move {
        let (lost, payment) = (Arc::new(AtomicBool::new(false)), fresh.payment());
        let writes = async |payments: DynamoDbPayments| {
            let guard = Guard::of(&payment, None);
            let created = payments.create(&payment, &guard, None).await.unwrap();
            assert_eq!(created, Created::Done);
            assert!(lost.swap(false, Relaxed), "nothing was lost");
            has(&store.payments, &payment).await;

            let change = payment.change_to(Status::Paid, &stripe("pi_1"), false, at(10));
            let event = fresh.event_of(&payment, &change);
            assert_eq!(payments.update(&change, &event).await.unwrap(), Updated::Done);
            assert!(lost.swap(false, Relaxed), "nothing was lost");
            has(&store.payments, &change.applied_to(payment.clone())).await;
            assert_eq!(store.events(Some(payment.id), event.sender).await.len(), 1);
        };
        behind_a_lossy_proxy(&store, Arc::clone(&lost), writes).await;
    });
}

/// Runs `writes` on the adapter in front of a proxy that passes every request to the table, and loses the
/// response of a transaction unless `lost` is set already.
async fn behind_a_lossy_proxy(
    store: &Dynamo,
    lost: Arc<AtomicBool>,
    writes: impl AsyncFnOnce(DynamoDbPayments),
) {
    let (to, http) = (store.endpoint.clone(), http("").unwrap());
    let pass_on = move |headers: HeaderMap, body: Bytes| {
        let swallowed = headers["x-amz-target"].as_bytes().ends_with(b".TransactWriteItems")
            && !lost.swap(true, Relaxed);
        let mut headers = headers;
        headers.remove("host");
        let request = http.post(&to).headers(headers).body(body);
        async move {
            let response = request.send().await.unwrap();
            let status = response.status();
            let body = response.bytes().await.unwrap();
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
        () = writes(payments) => {}
    }
}
