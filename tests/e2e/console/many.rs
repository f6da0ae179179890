//! A table as large as that of a busy shop.

use std::time::Instant;

use super::{console, item, pending, quarantined};
use crate::stage::own;
use crate::table;

#[tokio::test]
async fn pages_of_a_large_table_stay_small() {
    let stack = own().await;
    let created = 1_700_000_000_000;
    let payments: Vec<_> = (1..=10_000).map(|id| item(&pending(id, 7, created + id))).collect();
    table::put_all(&stack, &payments).await;
    let body = format!("{{\"data\":\"{}\"}}", "x".repeat(2000));
    let at = |number| created + number;
    let messages: Vec<_> = (1..=500)
        .map(|number| {
            item(&quarantined(number, &format!("evt_{number}"), at(number), body.as_bytes()))
        })
        .collect();
    table::put_all(&stack, &messages).await;

    let console = console(&stack, &[]).await;
    for path in [
        "/",
        "/payments?uid=7",
        "/payments?uid=7&status=paid",
        "/payments?uid=7&cursor=5000",
        "/due",
        "/due?kind=refund",
        "/quarantine",
        "/quarantine?reason=amount&provider=stripe",
        "/payment/7",
        "/message?name=7/stripe/evt_7",
        "/find?q=7",
        "/find?q=pi_evt_7",
    ] {
        let begun = Instant::now();
        let got = console.get(path).await;
        let took = begun.elapsed();
        assert!([200, 303].contains(&got.status), "{path}: {}", got.text);
        if got.status == 200 {
            got.assert_small(path);
        }
        // For who looks: a time is no assertion.
        eprintln!("{path}: {} bytes in {took:?}", got.text.len());
    }
    assert_eq!(console.lines("/payments.jsonl?uid=7").await.len(), 10_000);
    assert_eq!(console.lines("/quarantine.jsonl").await.len(), 500);
    assert_eq!(console.lines("/due.jsonl").await.len(), 10_000);
}
