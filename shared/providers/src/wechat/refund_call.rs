//! Makes a refund: the signed request, and what the response to it proves.
//!
//! Sources: wechatpay-go `services/refunddomestic`; pay.weixin.qq.com/doc/v3 "request a refund", "error
//! codes", "good practice of refunds".

use pay_core::{
    domain::{Provider, Timestamp, WebUrl},
    json::Object,
    ports::{QueryError, QueryResponse, RefundCallError, RefundOrder},
};
use serde_json::json;

use super::querier::{WeChatQuerier, failure, unavailable};
use crate::{
    asked::AskedRefund,
    query::{RawRequest, RawResponse, reason, refused, unusable, written},
};

/// The codes of errors after which no money went back by the request. That the balance is too low is none of
/// them: the same request succeeds once it is not.
const REFUSED_CODES: [&str; 4] =
    ["REFUND_FEE_MISMATCH", "RESOURCE_NOT_EXISTS", "TRADE_OVERDUE", "USER_ACCOUNT_ABNORMAL"];

impl WeChatQuerier {
    /// The request that makes a refund. The same `out_refund_no` never refunds twice.
    pub(super) fn order_refund(
        &self,
        order: &RefundOrder<'_>,
        nonce: &str,
        now: Timestamp,
    ) -> Result<RawRequest, QueryError> {
        if !Provider::WeChat.refunds(order.txn) {
            return Err(unusable("a transaction that WeChat Pay cannot have"));
        }
        let paid = order.paid;
        if !Provider::WeChat.collects(paid.currency()) {
            return Err(unusable("a refund in another currency than WeChat Pay's"));
        }
        let content = json!({
            "amount": {
                "currency": paid.currency().code(),
                "refund": order.refund.amount_minor,
                "total": paid.minor(),
            },
            // Without it, an older kind of message comes, or none.
            "notify_url": order.notify_url.map(WebUrl::as_str),
            "out_refund_no": order.reference.to_string(),
            "reason": reason(order),
            "transaction_id": order.txn.as_str(),
        });
        let target = "/v3/refund/domestic/refunds".to_owned();
        let mut request = self.signed("POST", target, written(content), (nonce, now))?;
        request.headers.push(("content-type", "application/json".to_owned()));
        Ok(request)
    }

    /// What the response to an order proves. WeChat Pay signs successes only; of the errors, the codes that
    /// are listed count, as those of queries do.
    pub(super) fn made_refund(
        &self,
        order: &RefundOrder<'_>,
        response: &RawResponse<'_>,
        now: Timestamp,
    ) -> Result<QueryResponse, RefundCallError> {
        let RawResponse { status, headers, body } = *response;
        match status {
            202 | 429 | 500..=599 => Err(unavailable(status).into()),
            200 => {
                self.authenticate(headers, body, now)?;
                let object = Object::parse_message(body);
                let object = object.ok_or_else(|| unusable("not a JSON object"))?;
                Ok(self.refund(&AskedRefund::from(order), &object, body)?)
            }
            _ => {
                let error = Object::parse_message(body).unwrap_or_default();
                let code = error.text("code");
                let listed = code.filter(|code| REFUSED_CODES.contains(code));
                match listed.filter(|_| matches!(status, 400 | 403 | 404)) {
                    Some(code) => Err(refused(Provider::WeChat, order, code, body)),
                    None => Err(not_refused(status, code).into()),
                }
            }
        }
    }
}

/// What an error proves by which the refund is not refused: nothing.
fn not_refused(status: u16, code: Option<&str>) -> QueryError {
    match (status, code) {
        // Somebody must pay in before it succeeds, with the same number.
        (403, Some(code @ "NOT_ENOUGH")) => {
            QueryError::Unusable(format!("HTTP status {status}: {code}").into())
        }
        _ => failure(status, code),
    }
}
