//! Closes a checkout: the signed request, and what the response to it proves.
//!
//! Sources: wechatpay-go `services/payments`; pay.weixin.qq.com/doc/v3 "close an order", "error codes".

use pay_core::{
    domain::{Checkout, Timestamp},
    json::Object,
    ports::QueryError,
};
use serde_json::json;

use super::{
    checkout_call::ENDED_CODES,
    querier::{WeChatQuerier, failure, unavailable},
};
use crate::{
    asked::of_our_account,
    query::{RawRequest, RawResponse},
};

/// The codes of errors that say that there is no such order. Both spellings occur.
pub(super) const ABSENT_CODES: [&str; 2] = ["ORDERNOTEXIST", "ORDER_NOT_EXIST"];

impl WeChatQuerier {
    /// The request that closes a checkout.
    pub(super) fn order_close(
        &self,
        checkout: &Checkout,
        nonce: &str,
        now: Timestamp,
    ) -> Result<RawRequest, QueryError> {
        of_our_account(&checkout.account, &self.mchid)?;
        let reference = checkout.reference;
        let target = format!("/v3/pay/transactions/out-trade-no/{reference}/close");
        let content = json!({"mchid": self.mchid.as_str()}).to_string();
        let mut request = self.signed("POST", target, content, (nonce, now))?;
        request.headers.push(("content-type", "application/json".to_owned()));
        Ok(request)
    }

    /// What the response to it proves: that WeChat Pay got the request, and no more. It closes also what it does
    /// not have.
    pub(super) fn closed(
        &self,
        response: &RawResponse<'_>,
        now: Timestamp,
    ) -> Result<(), QueryError> {
        let RawResponse { status, headers, body } = *response;
        match status {
            204 => self.authenticate(headers, body, now),
            202 | 429 | 500..=599 => Err(unavailable(status)),
            _ => {
                let error = Object::parse_message(body).unwrap_or_default();
                match (status, error.text("code")) {
                    (400 | 403, Some(code)) if ENDED_CODES.contains(&code) => Ok(()),
                    (404, Some(code)) if ABSENT_CODES.contains(&code) => Ok(()),
                    (_, code) => Err(failure(status, code)),
                }
            }
        }
    }
}
