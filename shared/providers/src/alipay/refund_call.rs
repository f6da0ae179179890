//! Makes a refund: the signed request, and what the response to it proves.
//!
//! Sources: smartwalle/alipay `trade_type.go`, `trade_refund_type.go`; opendocs.alipay.com
//! `alipay.trade.refund`.

use pay_core::{
    domain::{Outcome, Provider, ProviderRef, RefundReport, RefundState, Report, Timestamp},
    json::Object,
    ports::{QueryError, QueryResponse, RefundCallError, RefundOrder},
};
use serde_json::json;

use super::{
    querier::{AlipayQuerier, Method, failure},
    read::DECIMALS,
    response::member,
};
use crate::{
    adapter::Message,
    decimal::{major_units, minor_units},
    query::{
        RawRequest, RawResponse, ordered, reason, refused, respond_about_refund, unusable, written,
    },
};

const REFUND: Method =
    Method { name: "alipay.trade.refund", response: "alipay_trade_refund_response" };

/// The `sub_code`s, without `ACQ.`, of errors after which no money went back by the request.
const REFUSED_CODES: [&str; 10] = [
    // Of our reference with another amount.
    "DISCORDANT_REPEAT_REQUEST",
    "REASON_TRADE_BEEN_FREEZEN",
    "REASON_TRADE_REFUND_FEE_ERR",
    "REFUND_AMT_NOT_EQUAL_TOTAL",
    "REFUND_FEE_ERROR",
    "SELLER_BALANCE_NOT_ENOUGH",
    "TRADE_HAS_FINISHED",
    "TRADE_NOT_ALLOW_REFUND",
    "TRADE_NOT_EXIST",
    "TRADE_STATUS_ERROR",
];

impl AlipayQuerier {
    /// The request that makes a refund. The same `out_request_no` never refunds a trade twice.
    pub(super) fn order_refund(
        &self,
        order: &RefundOrder<'_>,
        now: Timestamp,
    ) -> Result<RawRequest, QueryError> {
        // It is always in yuan.
        if !Provider::Alipay.collects(order.paid.currency()) {
            return Err(unusable("a refund in another currency than Alipay's"));
        }
        let content = json!({
            "out_request_no": order.reference.to_string(),
            "refund_amount": major_units(order.refund.amount_minor, DECIMALS),
            "refund_reason": reason(order),
            "trade_no": order.txn.as_str(),
        });
        self.signed(&REFUND, &written(content), now)
    }

    /// What the response to an order proves.
    pub(super) fn made_refund(
        &self,
        order: &RefundOrder<'_>,
        response: &RawResponse<'_>,
    ) -> Result<QueryResponse, RefundCallError> {
        let body = response.body;
        match response.status {
            200 => self.authentic(&REFUND, body, |response| read(order, response, body)),
            status => Err(failure(status).into()),
        }
    }
}

/// What an authentic response reports about the refund that was ordered. It need not repeat our reference:
/// the trade says that it is about it.
fn read(
    order: &RefundOrder<'_>,
    response: &Object,
    body: &[u8],
) -> Result<QueryResponse, RefundCallError> {
    let text = |name| member(response, name);
    let (number, trade) = (text("out_request_no")?, text("trade_no")?);
    let is = |found: Option<&str>, expected: &str| found.is_none_or(|found| found == expected);
    if !is(number, &order.reference.to_string()) || !is(trade, order.txn.as_str()) {
        return Err(unusable("a response about another refund").into());
    }
    let (code, sub_code) = (text("code")?, text("sub_code")?);
    let listed = sub_code.and_then(|code| code.strip_prefix("ACQ."));
    let state = match (code, listed.filter(|code| REFUSED_CODES.contains(code)), sub_code) {
        (Some("40004"), Some(_), Some(code)) => {
            return Err(refused(Provider::Alipay, order, code, body));
        }
        // Accepted: whether money went back is said by this member alone. Of a repeat it says no.
        (Some("10000"), ..) => match text("fund_change")? {
            Some("Y") => RefundState::Succeeded,
            Some("N") => RefundState::Pending,
            _ => return Err(unusable("an unknown `fund_change`").into()),
        },
        _ => return Err(unusable("an unknown `code`").into()),
    };
    if trade.is_none() {
        return Err(unusable("a response about no trade").into());
    }
    let one = ordered(order, state)?;
    let mut made = respond_about_refund(Provider::Alipay, order.reference, one, body)?;
    // What went back of the trade in all: this refund included, if it changed funds now or before.
    let total = match text("refund_fee")? {
        Some(yuan) => minor_units(yuan, DECIMALS),
        None if state == RefundState::Pending => Some(0),
        None => None,
    };
    let total = total.ok_or_else(|| unusable("an unknown `refund_fee`"))?;
    let is_included = total >= order.refund.amount_minor;
    if state == RefundState::Succeeded && !is_included {
        return Err(unusable("an unknown `refund_fee`").into());
    }
    if is_included {
        let report = Report {
            outcome: Some(Outcome::Refunded),
            refund: Some(RefundReport::Total(total)),
            reference: ProviderRef { txn: Some(order.txn.clone()), ..ProviderRef::NONE },
            // It does not say how much the trade paid: that is of the order, which named the trade.
            amount_minor: Some(order.paid.minor()),
            currency: Some("CNY".to_owned()),
        };
        let payment = Some(order.reference.payment());
        let message = Message { payment, report, ..Message::unreadable(None) };
        let what = total.to_string();
        made.notifications.push(message.into_queried(
            Provider::Alipay,
            "refunded",
            Some(&what),
            body,
        ));
    }
    Ok(made)
}
