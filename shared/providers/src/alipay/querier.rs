//! Queries of trades and refunds: the signed requests, and what responses prove.
//!
//! Sources: smartwalle/alipay `alipay.go`, `trade_type.go`; alipay-sdk-nodejs-all `src/alipay.ts`;
//! opendocs.alipay.com `alipay.trade.query`, `alipay.trade.fastpay.refund.query`.

use std::fmt;

use pay_core::{
    domain::Timestamp,
    json::Json,
    ports::{BadSecret, Query, QueryError, QueryResponse, RefundCallError, RefundOrder},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use time::{OffsetDateTime, UtcOffset};

use super::{AlipayKeys, SIGNATURE_FIELD, SIGNATURE_TYPE, SIGNATURE_TYPE_FIELD};
use crate::{
    asked::{Asked, AskedPayment, AskedRefund},
    query::{Querier, RawRequest, RawResponse, USER_AGENT, unusable},
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

/// What stands in a query string and in a form as it is (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Hours that the clocks of Beijing are ahead of UTC, all year round.
const BEIJING_HOURS: i8 = 8;

/// What Alipay is queried with. Never printed.
pub(super) struct AlipayQuerier {
    /// What responses are verified with.
    pub(super) keys: AlipayKeys,
    app_id: String,
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
        let app_id = app_id.clone();
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
        let timestamp = beijing(now).ok_or_else(|| unusable("a time without a calendar"))?;
        let common = [
            ("app_id", &*self.app_id),
            ("charset", "utf-8"),
            ("format", "JSON"),
            ("method", method.name),
            (SIGNATURE_TYPE_FIELD, SIGNATURE_TYPE),
            ("timestamp", &timestamp),
            ("version", "1.0"),
        ];
        let biz_content = [("biz_content", content)];
        let signed = signed([&common[..], &biz_content].concat());
        let signature = self.private_key.sign(signed.as_bytes());
        let signature = signature.ok_or_else(|| unusable("there is no randomness to sign with"))?;
        let query = encoded(&[&common[..], &[(SIGNATURE_FIELD, &*signature)]].concat());
        let content_type = "application/x-www-form-urlencoded;charset=utf-8";
        Ok(RawRequest {
            method: "POST",
            target: format!("?{query}"),
            headers: vec![
                ("accept", "application/json".to_owned()),
                ("content-type", content_type.to_owned()),
                ("user-agent", USER_AGENT.to_owned()),
            ],
            body: encoded(&biz_content).into_bytes(),
        })
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
    /// A trade by its number where that is known, else by our reference; a refund by our reference and the
    /// trade. Refunds are reported as totals, never listed. The nonce is not used: what is signed is the
    /// time.
    fn request(&self, query: &Query, _: &str, now: Timestamp) -> Result<RawRequest, QueryError> {
        let asked = Asked::of(query)?;
        let content = match &asked {
            Asked::Payment(AskedPayment { txn: Some(txn), .. }) => {
                json!({"trade_no": txn.as_str()})
            }
            Asked::Payment(AskedPayment { payment, txn: None }) => {
                json!({"out_trade_no": payment.to_string()})
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
        let asked = Asked::of(query)?;
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
}

/// What a response with another status than 200 proves by it: nothing.
pub(super) fn failure(status: u16) -> QueryError {
    let cause = format!("HTTP status {status}").into();
    match status {
        429 | 500..=599 => QueryError::Unavailable(cause),
        _ => QueryError::Unusable(cause),
    }
}

/// The text that is signed: every parameter, sorted, as it is before it is encoded. None is empty.
fn signed(mut parameters: Vec<(&str, &str)>) -> String {
    parameters.sort_unstable();
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

fn encoded(parameters: &[(&str, &str)]) -> String {
    let pair =
        |(name, value): &(&str, &str)| format!("{name}={}", utf8_percent_encode(value, ENCODED));
    parameters.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// The wall clock of Beijing, `yyyy-MM-dd HH:mm:ss`.
fn beijing(now: Timestamp) -> Option<String> {
    let secs = i64::try_from(now.secs()).ok()?;
    let offset = UtcOffset::from_hms(BEIJING_HOURS, 0, 0).ok()?;
    let at = OffsetDateTime::from_unix_timestamp(secs).ok()?.checked_to_offset(offset)?;
    let (date, (hour, minute, second)) = (at.date(), at.to_hms());
    Some(format!("{date} {hour:02}:{minute:02}:{second:02}"))
}

impl fmt::Debug for AlipayQuerier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AlipayQuerier(..)")
    }
}
