//! Closes a checkout: the signed request, and what the response to it proves.
//!
//! Never `alipay.trade.cancel`, which gives back what was paid.
//!
//! Sources: smartwalle/alipay `trade_type.go`; opendocs.alipay.com `alipay.trade.close`.

use pay_core::{
    domain::{Checkout, Timestamp},
    json::Object,
    ports::QueryError,
};
use serde_json::json;

use super::{
    querier::{AlipayQuerier, Method, failure},
    response::member,
};
use crate::{
    asked::of_our_account,
    query::{RawRequest, RawResponse, unusable},
};

const CLOSE: Method =
    Method { name: "alipay.trade.close", response: "alipay_trade_close_response" };

/// The `sub_code`s, without `ACQ.`, of errors after which Alipay is asked what became of the trade: there is
/// none, or it was paid or closed.
const REFUSED_CODES: [&str; 6] = [
    "REASON_ILLEGAL_STATUS",
    "REASON_TRADE_STATUS_INVALID",
    "TRADE_HAS_CLOSE",
    "TRADE_HAS_FINISHED",
    "TRADE_NOT_EXIST",
    "TRADE_STATUS_ERROR",
];

impl AlipayQuerier {
    /// The request that closes a checkout.
    pub(super) fn order_close(
        &self,
        checkout: &Checkout,
        now: Timestamp,
    ) -> Result<RawRequest, QueryError> {
        of_our_account(&checkout.account, &self.app_id)?;
        let content = json!({"out_trade_no": checkout.reference.to_string()}).to_string();
        self.signed(&CLOSE, &content, now)
    }

    /// What the response to it proves: that Alipay got the request, and no more.
    pub(super) fn closed(
        &self,
        checkout: &Checkout,
        response: &RawResponse<'_>,
    ) -> Result<(), QueryError> {
        match response.status {
            200 => self.authentic(&CLOSE, response.body, |response| read(checkout, response)),
            status => Err(failure(status)),
        }
    }
}

/// Whether an authentic response is about this checkout, and closes or refuses it. Where it refuses, it may name
/// nothing.
fn read(checkout: &Checkout, response: &Object) -> Result<(), QueryError> {
    let text = |name| member(response, name);
    let (reference, ours) = (text("out_trade_no")?, checkout.reference.to_string());
    if reference.is_some_and(|reference| reference != ours) {
        return Err(unusable("a response about another checkout"));
    }
    let sub_code = text("sub_code")?.and_then(|code| code.strip_prefix("ACQ."));
    match text("code")? {
        Some("10000") if reference.is_some() => Ok(()),
        Some("40004") if sub_code.is_some_and(|code| REFUSED_CODES.contains(&code)) => Ok(()),
        _ => Err(unusable("an unknown `code`")),
    }
}
