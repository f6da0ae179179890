//! Reads a response to the query of a refund.
//!
//! Sources: smartwalle/alipay `trade_type.go`; opendocs.alipay.com `alipay.trade.fastpay.refund.query`.

use pay_core::{
    domain::{Outcome, Provider, ProviderRef, ProviderRefund, RefundReport, RefundState, Report},
    json::Object,
    ports::{QueryError, QueryResponse},
};

use super::{read::DECIMALS, response::member};
use crate::{
    adapter::Message,
    asked::AskedRefund,
    decimal::minor_units,
    query::{respond_about_refund, respond_no_refund, unusable},
};

/// What an authentic response reports about the refund that was asked for.
///
/// It proves this refund and its amount, and not how much of the trade went back in all. Without a refund it
/// names nothing: then none was requested, or it failed, and the same request may be sent again. That the trade
/// does not exist contradicts the record, whose payment it paid, and proves nothing.
pub(super) fn read(
    asked: &AskedRefund<'_>,
    response: &Object,
    body: &[u8],
) -> Result<QueryResponse, QueryError> {
    let text = |name| member(response, name);
    let reference = asked.refund.to_string();
    let (number, trade) = (text("out_request_no")?, text("trade_no")?);
    let is = |found: Option<&str>, expected: &str| found.is_none_or(|found| found == expected);
    if !is(number, &reference) || !is(trade, asked.txn.as_str()) {
        return Err(unusable("a response about another refund"));
    }
    if text("code")? != Some("10000") {
        return Err(unusable("an unknown `code`"));
    }
    let amount = text("refund_amount")?;
    match (text("refund_status")?, amount) {
        (None, None) => return Ok(respond_no_refund(Provider::Alipay, asked.refund, body)),
        // Older responses have no status.
        (Some("REFUND_SUCCESS"), _) | (None, Some(_)) => {}
        (Some(_), _) => return Err(unusable("an unknown `refund_status`")),
    }
    if number.is_none() || trade.is_none() {
        return Err(unusable("a response about no refund"));
    }
    let amount_minor = amount.and_then(|yuan| minor_units(yuan, DECIMALS)).filter(|fen| *fen > 0);
    let amount_minor = amount_minor.ok_or_else(|| unusable("an unknown `refund_amount`"))?;
    // Alipay has no other id of a refund.
    let id =
        ProviderRefund::new(&reference).map_err(|_out_of_range| unusable("a long reference"))?;
    let (state, reference) = (RefundState::Succeeded, Some(id.clone()));
    let report = Report {
        outcome: Some(Outcome::Refunded),
        refund: Some(RefundReport::One { id, reference, amount_minor, state }),
        reference: ProviderRef { txn: Some(asked.txn.clone()), ..ProviderRef::NONE },
        amount_minor: text("total_amount")?.and_then(|yuan| minor_units(yuan, DECIMALS)),
        currency: Some("CNY".to_owned()),
    };
    let message = Message { report, ..Message::unreadable(None) };
    respond_about_refund(Provider::Alipay, asked.refund, message, body)
}
