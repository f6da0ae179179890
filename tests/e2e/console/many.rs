//! A table as large as that of a busy shop.

use std::time::Duration;

use nix::time::ClockId;
use nix::unistd::Pid;

use super::{Console, console, item, pending, quarantined};
use crate::stage::own;
use crate::table;

/// The most processor time of a page's own. It is a few times what the slowest takes unoptimized.
const OWN_MS: u128 = 200;

/// How often a page is read, since one time says little.
const READS: u32 = 3;

/// The processor time that a console has used so far.
fn used(console: &Console) -> Duration {
    let pid = console.program.id().unwrap().try_into().unwrap();
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(pid)).unwrap();
    Duration::from(clock.now().unwrap())
}

#[tokio::test]
async fn pages_of_a_large_table_are_small_and_soon_made() {
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
        let before = used(&console);
        for _ in 0..READS {
            let got = console.get(path).await;
            assert!([200, 303].contains(&got.status), "{path}: {}", got.text);
            if got.status == 200 {
                got.assert_small(path);
            }
        }
        // Of this process alone: not of the store, and not of others that the machine runs meanwhile.
        let own = used(&console).saturating_sub(before).checked_div(READS).unwrap();
        assert!(own.as_millis() < OWN_MS, "{path}: {own:?} of the processor");
    }
    assert_eq!(console.lines("/payments.jsonl?uid=7").await.len(), 10_000);
    assert_eq!(console.lines("/quarantine.jsonl").await.len(), 500);
    assert_eq!(console.lines("/due.jsonl").await.len(), 10_000);
}
