//! Queries of trades, checkouts and refunds: the signed requests, and what responses prove.
//!
//! Sources: smartwalle/alipay `alipay.go`, `trade_type.go`; alipay-sdk-nodejs-all `src/alipay.ts`;
//! opendocs.alipay.com `alipay.trade.query`, `alipay.trade.fastpay.refund.query`.

use std::fmt;

use pay_core::{
    domain::{Checkout, MerchantAccount, Timestamp},
    json::Json,
    ports::{
        BadSecret, CheckoutCallError, CheckoutOrder, Query, QueryError, QueryResponse,
        RefundCallError, RefundOrder, StartedCheckout,
    },
};
use serde_json::json;

use super::{
    AlipayKeys, SIGNATURE_FIELD, SIGNATURE_TYPE, SIGNATURE_TYPE_FIELD, response::our_reference,
};
use crate::{
    asked::{Asked, AskedPayment, AskedRefund},
    beijing, encoding,
    query::{CheckoutStep, Querier, RawRequest, RawResponse, USER_AGENT, unusable},
    rsa::SigningKey,
};

/// A method of the gateway.
pub(super) struct Method {
    pub(super) name: &'static str,
    /// The member that its responses have.
    pub(super) response: &'static str,
}

const TRADE_QUERY: Method =
    Method { name: "alipay.trade.query", response: "alipay_trade_query_response" };
const REFUND_QUERY: Method = Method {
    name: "alipay.trade.fastpay.refund.query",
    response: "alipay_trade_fastpay_refund_query_response",
};

/// The parameter of what a method is called with.
const CONTENT: &str = "biz_content";

/// What Alipay is queried with. Never printed.
pub(super) struct AlipayQuerier {
    /// What responses are verified with.
    pub(super) keys: AlipayKeys,
    pub(super) app_id: MerchantAccount,
    private_key: SigningKey,
}

impl AlipayQuerier {
    /// Reads the entry: `{"app_id": "…", "private_key": "<PEM or base64, of the application>",
    /// "public_keys": ["<certificate or public key, of Alipay>"]}`.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: one of them is absent, or could never work.
    pub(super) fn from_json(entry: &Json) -> Result<Self, BadSecret> {
        let keys = AlipayKeys::from_json(entry)?;
        let private_key = entry.as_object().and_then(|entry| entry.text("private_key"));
        let private_key = private_key.ok_or(BadSecret("`alipay` has no text `private_key`"))?;
        let [app_id] = &*keys.app_ids else {
            return Err(BadSecret("`alipay` has not one `app_id` to ask with"));
        };
        let bad = BadSecret("`app_id` of `alipay` is not of letters and digits");
        let app_id = MerchantAccount::new(app_id).map_err(|_out_of_range| bad)?;
        Ok(Self { keys, app_id, private_key: SigningKey::parse(private_key)? })
    }
}

impl AlipayQuerier {
    /// A request of a method, signed. Its response is not bound to it by anything but what it is about.
    pub(super) fn signed(
        &self,
        method: &Method,
        content: &str,
        now: Timestamp,
    ) -> Result<RawRequest, QueryError> {
        self.signed_with(method, &[], content, now)
    }

    /// The same with more parameters than the common ones.
    pub(super) fn signed_with(
        &self,
        method: &Method,
        more: &[(&str, &str)],
        content: &str,
        now: Timestamp,
    ) -> Result<RawRequest, QueryError> {
        let is_content = |(name, _): &(&str, String)| *name == CONTENT;
        let parameters = self.parameters(method.name, more, content, now)?;
        let (content, common): (Vec<_>, Vec<_>) = parameters.into_iter().partition(is_content);
        let query = encoded(&common);
        let content_type = "application/x-www-form-urlencoded;charset=utf-8";
        Ok(RawRequest {
            method: "POST",
            target: format!("?{query}"),
            headers: vec![
                ("accept", "application/json".to_owned()),
                ("content-type", content_type.to_owned()),
                ("user-agent", USER_AGENT.to_owned()),
            ],
            body: encoded(&content).into_bytes(),
        })
    }

    /// Every parameter of a method, sorted, and the signature over them last.
    pub(super) fn parameters<'a>(
        &self,
        method: &'a str,
        more: &[(&'a str, &str)],
        content: &str,
        now: Timestamp,
    ) -> Result<Vec<(&'a str, String)>, QueryError> {
        let no_calendar = || unusable("a time without a calendar");
        let timestamp = beijing::wall_clock(now).ok_or_else(no_calendar)?;
        let common = [
            ("app_id", self.app_id.as_str()),
            (CONTENT, content),
            ("charset", "utf-8"),
            ("format", "JSON"),
            ("method", method),
            (SIGNATURE_TYPE_FIELD, SIGNATURE_TYPE),
            ("timestamp", &timestamp),
            ("version", "1.0"),
        ];
        let parameters = common.iter().chain(more);
        let mut parameters: Vec<_> =
            parameters.map(|(name, value)| (*name, (*value).to_owned())).collect();
        parameters.sort_unstable();
        let signature = self.private_key.sign(signed(&parameters).as_bytes());
        let signature = signature.ok_or_else(|| unusable("there is no randomness to sign with"))?;
        parameters.push((SIGNATURE_FIELD, signature));
        Ok(parameters)
    }
}

impl Method {
    /// The method that is called with a query.
    pub(super) const fn of(asked: &Asked<'_>) -> Self {
        match asked {
            Asked::Payment(_) => TRADE_QUERY,
            Asked::Refund(_) => REFUND_QUERY,
        }
    }
}

impl Querier for AlipayQuerier {
    /// A trade by its number where that is known, else by our reference, as a checkout; a refund by our
    /// reference and the trade. Refunds are reported as totals, never listed. The nonce is not used: what is signed is the
    /// time.
    fn request(&self, query: &Query, _: &str, now: Timestamp) -> Result<RawRequest, QueryError> {
        let asked = Asked::of(query, &self.app_id)?;
        let content = match &asked {
            Asked::Payment(AskedPayment { txn: Some(txn), .. }) => {
                json!({"trade_no": txn.as_str()})
            }
            Asked::Payment(asked @ AskedPayment { txn: None, .. }) => {
                json!({"out_trade_no": our_reference(asked)})
            }
            Asked::Refund(AskedRefund { refund, txn }) => {
                json!({"out_request_no": refund.to_string(), "trade_no": txn.as_str()})
            }
        };
        self.signed(&Method::of(&asked), &content.to_string(), now)
    }

    /// The signature is over the exact bytes of the value of the method's member, and says nothing of the
    /// request: what it is about is compared with what was asked.
    fn response(
        &self,
        query: &Query,
        response: &RawResponse<'_>,
        _now: Timestamp,
    ) -> Result<QueryResponse, QueryError> {
        let asked = Asked::of(query, &self.app_id)?;
        match response.status {
            200 => self.read(&asked, response.body),
            status => Err(failure(status)),
        }
    }

    fn refund_request(
        &self,
        order: &RefundOrder<'_>,
        _nonce: &str,
        now: Timestamp,
    ) -> Result<RawRequest, QueryError> {
        self.order_refund(order, now)
    }

    fn refund_response(
        &self,
        order: &RefundOrder<'_>,
        response: &RawResponse<'_>,
        _now: Timestamp,
    ) -> Result<QueryResponse, RefundCallError> {
        self.made_refund(order, response)
    }

    fn account(&self) -> Option<MerchantAccount> {
        Some(self.app_id.clone())
    }

    fn checkout_request(
        &self,
        order: &CheckoutOrder<'_>,
        _nonce: &str,
        now: Timestamp,
    ) -> Result<CheckoutStep, QueryError> {
        self.order_checkout(order, now)
    }

    fn checkout_response(
        &self,
        order: &CheckoutOrder<'_>,
        response: &RawResponse<'_>,
        _nonce: &str,
        _now: Timestamp,
    ) -> Result<StartedCheckout, CheckoutCallError> {
        self.made_checkout(order, response)
    }

    fn close_request(
        &self,
        checkout: &Checkout,
        _nonce: &str,
        now: Timestamp,
    ) -> Result<RawRequest, QueryError> {
        self.order_close(checkout, now)
    }

    fn close_response(
        &self,
        checkout: &Checkout,
        response: &RawResponse<'_>,
        _now: Timestamp,
    ) -> Result<(), QueryError> {
        self.closed(checkout, response)
    }
}

/// What a response with another status than 200 proves by it: nothing.
pub(super) fn failure(status: u16) -> QueryError {
    let cause = format!("HTTP status {status}").into();
    match status {
        429 | 500..=599 => QueryError::Unavailable(cause),
        _ => QueryError::Unusable(cause),
    }
}

/// The text that is signed: every parameter, as it is before it is encoded. None is empty.
fn signed(parameters: &[(&str, String)]) -> String {
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

pub(super) fn encoded(parameters: &[(&str, String)]) -> String {
    encoding::form(parameters.iter().map(|(name, value)| (*name, value.as_str())))
}

impl fmt::Debug for AlipayQuerier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AlipayQuerier(..)")
    }
}
