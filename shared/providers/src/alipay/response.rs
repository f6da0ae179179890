//! Reads a response to a query.

use std::collections::BTreeMap;

use pay_core::{
    domain::{Outcome, Provider, ProviderRef, ProviderTxn, Report},
    json::{Json, Object},
    ports::{ProviderState, QueryError, QueryResponse},
};
use serde_json::value::RawValue;

use super::{
    SIGNATURE_FIELD,
    querier::{AlipayQuerier, Method},
    read::DECIMALS,
    refund,
};
use crate::{
    adapter::{Message, UnknownType, optional},
    asked::{Asked, AskedPayment},
    decimal::minor_units,
    out_trade_no,
    query::{respond, unusable},
    verify::base64,
};

/// The member of an error of the gateway itself, which need not be signed.
const ERROR: &str = "error_response";

impl AlipayQuerier {
    /// Reads a response to a query.
    pub(super) fn read(&self, asked: &Asked<'_>, body: &[u8]) -> Result<QueryResponse, QueryError> {
        let read = |response: &Object| match asked {
            Asked::Payment(asked) => trade(asked, response, body),
            Asked::Refund(asked) => refund::read(asked, response, body),
        };
        self.authentic(&Method::of(asked), body, read)
    }

    /// Reads the response of a method: what the gateway rejects or postpones need not be signed, since it
    /// changes nothing; everything else must be.
    pub(super) fn authentic<T, E: From<QueryError>>(
        &self,
        method: &Method,
        body: &[u8],
        read: impl FnOnce(&Object) -> Result<T, E>,
    ) -> Result<T, E> {
        let whole = Object::parse_message(body).ok_or_else(|| unusable("not a JSON object"))?;
        let member = method.response;
        let [response, error] = [member, ERROR].map(|name| whole.object(name));
        if let Some(error) = response.or(error).and_then(failure) {
            return Err(error.into());
        }
        let response = response.ok_or_else(|| unusable("no response of the method"))?;
        let signature = whole.text(SIGNATURE_FIELD).and_then(base64);
        let signature = signature.ok_or_else(|| unusable("no signature"))?;
        let signed = signed(body, member).ok_or_else(|| unusable("not JSON in UTF-8"))?;
        if !self.keys.public_keys.iter().any(|key| key.verifies(signed.as_bytes(), &signature)) {
            return Err(unusable("no signature fits any key").into());
        }
        read(response)
    }
}

/// The exact text of the value that is signed. No name occurs twice in `body`.
fn signed<'a>(body: &'a [u8], member: &str) -> Option<&'a str> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(body).ok()?;
    members.get(member).map(|value| value.get())
}

/// The error that a response reports; `None` where it must be signed to count.
///
/// Source: opendocs.alipay.com "common error codes".
fn failure(response: &Object) -> Option<QueryError> {
    let code = response.text("code")?;
    match (code, response.text("sub_code")) {
        // Our parameters, our signature, or a right that our application lacks.
        ("40001" | "40002" | "40003" | "40006" | "20001", _) => {
            Some(QueryError::Rejected(format!("code {code}").into()))
        }
        ("20000" | "40005", _) | (_, Some("ACQ.SYSTEM_ERROR" | "isp.unknow-error")) => {
            Some(QueryError::Unavailable(format!("code {code}").into()))
        }
        _ => None,
    }
}

/// Our reference of what is asked for, where its trade is not known.
pub(super) fn our_reference(asked: &AskedPayment<'_>) -> String {
    let checkout = asked.checkout().map(|reference| reference.to_string());
    checkout.unwrap_or_else(|| asked.payment.to_string())
}

/// What an authentic response reports about the trade that was asked for.
fn trade(
    asked: &AskedPayment<'_>,
    response: &Object,
    body: &[u8],
) -> Result<QueryResponse, QueryError> {
    let text = |name| member(response, name);
    let (reference, trade_no) = (text("out_trade_no")?, text("trade_no")?);
    let named = reference.and_then(out_trade_no::named);
    let is_ours = |text: &str| match asked.txn {
        // It may be that of a checkout.
        Some(_) => named.is_some_and(|(payment, _)| payment == asked.payment),
        None => text == our_reference(asked),
    };
    let is_asked = |txn: &str| asked.txn.is_none_or(|asked| asked.as_str() == txn);
    if !reference.is_none_or(is_ours) || !trade_no.is_none_or(is_asked) {
        return Err(unusable("a response about another payment"));
    }
    let (code, sub_code) = (text("code")?, text("sub_code")?);
    let is_absent = (code, sub_code) == (Some("40004"), Some("ACQ.TRADE_NOT_EXIST"));
    // Of a trade that does not exist, it may name nothing.
    if !is_absent && (reference.is_none() || asked.txn.is_some() && trade_no.is_none()) {
        return Err(unusable("a response about no payment"));
    }
    let (state, outcome) = match code {
        _ if is_absent => (ProviderState::Absent, None),
        Some("10000") => state(response)?,
        // The payer is asked for a password.
        Some("10003") => (ProviderState::Processing, None),
        _ => return Err(unusable("an unknown `code`")),
    };
    let txn = trade_no.map(ProviderTxn::new).transpose();
    let txn = txn.map_err(|_out_of_range| unusable("an unknown `trade_no`"))?;
    if matches!(state, ProviderState::Paid | ProviderState::Refunded) && txn.is_none() {
        return Err(unusable("money without a `trade_no`"));
    }
    let amount_minor = text("total_amount")?.and_then(|yuan| minor_units(yuan, DECIMALS));
    let report = Report {
        outcome,
        refund: None,
        reference: ProviderRef { txn, ..ProviderRef::NONE },
        amount_minor,
        currency: Some("CNY".to_owned()),
    };
    let (payment, checkout) = (Some(asked.payment), named.map_or(asked.checkout, |(_, of)| of));
    let message = Message { payment, checkout, report, ..Message::unreadable(None) };
    Ok(respond(Provider::Alipay, state, message, body))
}

/// What became of a trade that exists.
fn state(response: &Object) -> Result<(ProviderState, Option<Outcome>), QueryError> {
    Ok(match member(response, "trade_status")? {
        Some("WAIT_BUYER_PAY") => (ProviderState::Open, None),
        // How much went back is reported by each refund.
        Some("TRADE_SUCCESS" | "TRADE_FINISHED") => (ProviderState::Paid, Some(Outcome::Paid)),
        // What was paid is closed by a full refund only.
        Some("TRADE_CLOSED") if member(response, "send_pay_date")?.is_some() => {
            (ProviderState::Refunded, Some(Outcome::Refunded))
        }
        Some("TRADE_CLOSED") => (ProviderState::Closed, Some(Outcome::Closed)),
        _ => return Err(unusable("an unknown `trade_status`")),
    })
}

/// A text member; `None` where it is absent or empty.
pub(super) fn member<'a>(response: &'a Object, name: &str) -> Result<Option<&'a str>, QueryError> {
    match optional(response, name, Json::as_text) {
        Ok(text) => Ok(text.filter(|text| !text.is_empty())),
        Err(UnknownType) => Err(unusable("a member of an unknown type")),
    }
}
