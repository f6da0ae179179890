//! The refunds of the demo.

use std::time::Duration;

use anyhow::{Context as _, Result};
use local::simulator::simulator;
use pay_core::domain::Provider;
use serde_json::json;
use tokio::time::sleep;

use super::{AMOUNT, Demo, Response, field, json_type};

/// How much of it goes back at first, in minor units.
const PART: u64 = 40;

impl Demo<'_> {
    /// Gives a part back, then the rest. Returns whether all responses were right.
    pub(super) async fn refund(&mut self, provider: Provider, id: u64) -> Result<bool> {
        let name = simulator(provider).name;
        let token = self.stack.refund_token();
        for (what, body, key, amount) in [
            (
                "a part",
                json!({"id": id, "amount": PART, "reason": "one cup broken"}),
                "demo-1",
                PART,
            ),
            ("the rest", json!({"id": id}), "demo-2", AMOUNT.saturating_sub(PART)),
        ] {
            self.announce(&format!("Refund {what} at {name}"))?;
            let headers = [
                ("authorization", format!("Bearer {token}")),
                ("idempotency-key", key.to_owned()),
                json_type(),
            ];
            let by =
                format!("Authorization: Bearer (token with pay:refund); Idempotency-Key: {key}");
            let body = body.to_string();
            let mut refunded = self.post("refund", &by, &headers, &body).await?;
            if field(&refunded.1, "status") == Some(json!("pending")) {
                let accepted = json!({"amount": amount, "status": "pending"});
                if !self.check(&refunded, &accepted)? {
                    return Ok(false);
                }
                self.announce(&format!("{name} reports that it was made: the same request again"))?;
                refunded = self.until_made(&by, &headers, &body).await?;
            }
            if !self.check(&refunded, &json!({"amount": amount, "status": "succeeded"}))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Sends the same request to refund until the refund was made, for five seconds.
    async fn until_made(
        &self,
        by: &str,
        headers: &[(&str, String)],
        body: &str,
    ) -> Result<Response> {
        let mut response = self.send("refund", headers, body).await?;
        for _ in 0..50 {
            if field(&response.1, "status") != Some(json!("pending")) {
                break;
            }
            sleep(Duration::from_millis(100)).await;
            response = self.send("refund", headers, body).await?;
        }
        Self::show_request("refund", by, body)?;
        Ok(response)
    }

    /// Compares what the provider and the shop know with what the payment says.
    pub(super) fn compare(&mut self, provider: Provider, id: u64) -> Result<bool> {
        let name = simulator(provider).name;
        self.announce(&format!("{name} and the shop know of the same money"))?;
        let trade = self.stack.account(provider)?.trade(id).context("the provider lost it")?;
        let refunds: u64 = trade.refunds.iter().map(|refund| refund.amount).sum();
        let heard = self.stack.shop().refund_notifications();
        // It may hear of one twice, and takes it once.
        let heard = heard.iter().filter(|refund| refund.counted);
        let heard: Vec<_> = heard.map(|refund| refund.amount).collect();
        let shown = json!({
            "at": name, "paid": trade.amount, "refunded": refunds, "shop_heard_of": heard,
        });
        let rest = AMOUNT.saturating_sub(PART);
        let want = json!({"paid": AMOUNT, "refunded": AMOUNT, "shop_heard_of": [PART, rest]});
        self.check(&(200, shown.to_string()), &want)
    }
}
