//! The requests that start checkouts, close payments and give money back, and what their responses promise.

use pay_core::domain::CheckoutMethod;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::deliver::{EntryPoint, Response, json_type};
use super::world::{AskedClose, AskedRefund, HandedOut, RefundResponse};

impl EntryPoint<'_> {
    /// Starts a checkout, and notes what was handed out.
    pub(super) async fn check_out(
        &self,
        uid: u64,
        payment: u64,
        method: CheckoutMethod,
        body: &Value,
    ) {
        let response = self.request("checkout", uid, None, body).await;
        self.must_exist("checkout", payment, &response);
        if response.status != 200 {
            return;
        }
        let text = |name: &str| response.body.get(name).and_then(Value::as_str);
        let provider = method.provider().as_str();
        let is_it = (text("provider"), text("method")) == (Some(provider), Some(method.as_str()));
        let expires_ms = text("expires_time").and_then(millis);
        let Some(expires_ms) = expires_ms.filter(|_| is_it) else {
            // What it is paid with belongs into no log.
            let what = format!("I15: checkout responded with another checkout than {method:?}");
            return self.world().unexpected.push(what);
        };
        let page = self.page(&response.body);
        let mut world = self.world();
        world.pages.extend(page.map(|page| (payment, page)));
        world.facts.checkouts.push(HandedOut { payment, method, expires_ms });
    }

    /// What the payer opens, if that is a page of a provider's: an order string of an app is opened like one.
    fn page(&self, started: &Value) -> Option<String> {
        let action = started.get("action")?;
        if let Some(url) = action.get("url").and_then(Value::as_str) {
            return Some(url.to_owned());
        }
        let order = action.get("parameters")?.get("orderStr")?.as_str()?;
        Some(format!("{}?{order}", self.stack.providers.get("ALIPAY_URL")?))
    }

    /// The payer opens a page. Whether it can be paid is for the provider to say.
    pub(super) async fn open(&self, page: &str) {
        if let Err(error) = self.browser.get(page).send().await {
            let what = format!("a page cannot be opened: {}", error.without_url());
            self.world().unexpected.push(what);
        }
    }

    /// Closes a payment, and notes the status that is shown.
    pub(super) async fn close(&self, uid: u64, payment: u64) -> Response {
        let response = self.request("close", uid, None, &json!({"id": payment})).await;
        self.must_exist("close", payment, &response);
        let mut world = self.world();
        world.closes = world.closes.saturating_add(1);
        if response.status == 200 {
            let status = response.body.get("status").and_then(Value::as_u64).unwrap_or_default();
            world.facts.closes.push(AskedClose { payment, status });
        }
        drop(world);
        response
    }

    /// Gives money back, and notes the response. Returns it, too.
    pub(super) async fn refund(
        &self,
        payment: u64,
        amount: Option<u64>,
        key: &str,
    ) -> (Response, RefundResponse) {
        let token = format!("Bearer {}", self.stack.refund_token());
        let key_header = ("idempotency-key", key.to_owned());
        let headers = vec![json_type(), ("authorization", token), key_header];
        let body = json!({"id": payment, "amount": amount, "reason": "torture"});
        let response = self.post("refund", headers, body.to_string().into_bytes()).await;
        self.must_exist("refund", payment, &response);
        let noted = response.to_refund();
        let key = key.to_owned();
        let asked = AskedRefund { payment, amount, key, response: noted.clone() };
        self.world().facts.refunds.push(asked);
        (response, noted)
    }

    /// I4: a response has named the payment before.
    fn must_exist(&self, route: &str, payment: u64, response: &Response) {
        if response.slug() == Some("payment-not-found") {
            let what = format!("I4: {route} does not find payment {payment}");
            self.world().unexpected.push(what);
        }
    }
}

impl Response {
    fn to_refund(&self) -> RefundResponse {
        let text = |name: &str| self.body.get(name).and_then(Value::as_str).map(str::to_owned);
        let amount = self.body.get("amount").and_then(Value::as_u64);
        match (self.status, self.slug()) {
            (200, _) => match (text("refund_id"), amount, text("status")) {
                (Some(id), Some(amount), Some(status)) => {
                    RefundResponse::Kept { id, amount, status }
                }
                _ => RefundResponse::Rejected("200 without a refund".to_owned()),
            },
            (_, Some("unavailable") | None) => RefundResponse::Unknown,
            (_, Some(slug)) => RefundResponse::Rejected(slug.to_owned()),
        }
    }
}

/// A time of a response, in Unix milliseconds.
fn millis(text: &str) -> Option<u64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(time.unix_timestamp_nanos().checked_div(1_000_000)?).ok()
}

#[cfg(test)]
mod tests {
    use super::millis;

    #[test]
    fn a_time_has_its_milliseconds() {
        assert_eq!(millis("2026-06-23T09:01:11.123Z"), Some(1_782_205_271_123));
        assert_eq!(millis("soon"), None);
    }
}
