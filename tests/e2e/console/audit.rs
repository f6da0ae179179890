//! The audit that runs beside the pages.

use super::{Console, console};
use crate::stage::{age, own, payment};

impl Console {
    /// Runs one, and reads its page at its end.
    pub(super) async fn audit(&self) -> String {
        let page = self.page("/audit").await;
        let mut page = self.sent(&page, "/audit", &[]).await;
        while page.contains("http-equiv=\"refresh\"") {
            page = self.page("/audit").await;
        }
        page
    }
}

#[tokio::test]
async fn a_violation_leads_to_its_payment_and_the_time_to_live_may_be_given() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let knows = console(&stack, &["--ttl-seconds", "3600"]).await;
    let page = knows.audit().await;
    assert!(page.contains("no violation"), "{page}");
    age(&stack, payment, 3).await;
    let page = knows.audit().await;
    let link = format!("<a href=\"/payment/{}\">pay#{} record</a>", payment.id, payment.id);
    assert!(page.contains("its time to live is long over") && page.contains(&link), "{page}");
    let page = console(&stack, &[]).await.audit().await;
    assert!(!page.contains("time to live"), "{page}");
}
