//! Queries of payments, checkouts and refunds: the signed requests, and what responses prove.
//!
//! Sources: wechatpay-go `core/auth/credentials`, `core/auth/validators`, `core/client.go`;
//! pay.weixin.qq.com/doc/v3 "query an order", "query a refund", "error codes".

use std::fmt;

use pay_core::{
    domain::{Checkout, MerchantAccount, Provider, Report, Timestamp},
    json::{Json, Object},
    ports::{
        BadSecret, CheckoutCallError, CheckoutOrder, ProviderState, Query, QueryError,
        QueryResponse, RefundCallError, RefundOrder, StartedCheckout,
    },
};

use super::{
    SERIAL_HEADER, SIGNATURE_TYPE, WeChatKeys, close_call::ABSENT_CODES, decrypt::ApiV3Key,
};
use crate::{
    Headers,
    adapter::Message,
    asked::{Asked, AskedPayment, AskedRefund},
    keys::optional_text,
    out_trade_no,
    query::{
        CheckoutStep, Querier, RawRequest, RawResponse, USER_AGENT, respond, respond_no_refund,
        unusable,
    },
    rsa::SigningKey,
};

/// The prefix of the serial of WeChat Pay's public key. Other serials are those of its certificates.
const PUBLIC_KEY: &str = "PUB_KEY_ID_";

/// What WeChat Pay is queried with. Never printed.
pub(super) struct WeChatQuerier {
    /// What responses are verified and read with.
    pub(super) keys: WeChatKeys,
    pub(super) mchid: MerchantAccount,
    /// Of our own certificate, whose key this is.
    serial: String,
    pub(super) private_key: SigningKey,
}

impl WeChatQuerier {
    /// Reads the entry: `{"mchid": "…", "serial": "<of the merchant's certificate>", "private_key":
    /// "<PEM>", "public_keys": {"<serial>": "<certificate or public key>"}, "appid": "…" or ["…"],
    /// "api_v3_key": "…"}`. Queries need the first four. Without `appid` it is not compared, and no checkout
    /// is made; of several, the first makes them.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: one of the four is absent, or a member could never work.
    pub(super) fn from_json(entry: &Json) -> Result<Self, BadSecret> {
        let keys = WeChatKeys::from_json(entry)?;
        let entry = entry.as_object().ok_or(BadSecret("`wechat` is not an object"))?;
        if keys.api_v3_key.as_ref().is_some_and(|key| !ApiV3Key::is_usable(key)) {
            return Err(BadSecret("`api_v3_key` of `wechat` has other than 32 bytes"));
        }
        let text = |name, bad| {
            let text = optional_text(entry, name, bad)?.filter(|text| is_plain(text));
            text.ok_or(bad)
        };
        let private_key =
            entry.text("private_key").ok_or(BadSecret("`wechat` has no text `private_key`"))?;
        let no_mchid = BadSecret("`wechat` has no `mchid` of letters and digits");
        let mchid = MerchantAccount::new(&text("mchid", no_mchid)?);
        Ok(Self {
            mchid: mchid.map_err(|_out_of_range| no_mchid)?,
            serial: text("serial", BadSecret("`wechat` has no `serial` of letters and digits"))?,
            private_key: SigningKey::parse(private_key)?,
            keys,
        })
    }

    /// Path and query of a request.
    fn target(&self, asked: &Asked<'_>) -> Result<String, QueryError> {
        let order = match asked {
            // Its merchant is the one that signs.
            Asked::Refund(AskedRefund { refund, .. }) => {
                return Ok(format!("/v3/refund/domestic/refunds/{refund}"));
            }
            Asked::Payment(asked @ AskedPayment { payment, txn: None, .. }) => {
                let reference = asked.checkout().map(|reference| reference.to_string());
                let reference = reference.unwrap_or_else(|| out_trade_no::of(*payment));
                format!("out-trade-no/{reference}")
            }
            Asked::Payment(AskedPayment { txn: Some(txn), .. }) if is_plain(txn.as_str()) => {
                format!("id/{}", txn.as_str())
            }
            Asked::Payment(AskedPayment { txn: Some(_), .. }) => {
                return Err(unusable("a transaction that WeChat Pay cannot have"));
            }
        };
        Ok(format!("/v3/pay/transactions/{order}?mchid={}", self.mchid.as_str()))
    }

    /// What responses are to be signed with, where it is chosen by the request.
    fn public_key(&self) -> Option<&str> {
        let mut serials = self.keys.public_keys.iter().map(|(serial, _)| &**serial);
        serials.find(|serial| serial.starts_with(PUBLIC_KEY))
    }

    /// A request with a signature over all that it is.
    pub(super) fn signed(
        &self,
        method: &'static str,
        target: String,
        body: String,
        (nonce, now): (&str, Timestamp),
    ) -> Result<RawRequest, QueryError> {
        let timestamp = now.secs();
        let signed = format!("{method}\n{target}\n{timestamp}\n{nonce}\n{body}\n");
        let signature = self.private_key.sign(signed.as_bytes());
        let signature = signature.ok_or_else(|| unusable("there is no randomness to sign with"))?;
        let (mchid, serial) = (self.mchid.as_str(), &self.serial);
        let authorization = format!(
            "{SIGNATURE_TYPE} mchid=\"{mchid}\",nonce_str=\"{nonce}\",timestamp=\"{timestamp}\",\
             serial_no=\"{serial}\",signature=\"{signature}\""
        );
        let mut headers = vec![
            ("authorization", authorization),
            ("accept", "application/json".to_owned()),
            // Without one, some requests are rejected.
            ("user-agent", USER_AGENT.to_owned()),
        ];
        headers.extend(self.public_key().map(|serial| (SERIAL_HEADER, serial.to_owned())));
        Ok(RawRequest { method, target, headers, body: body.into_bytes() })
    }

    pub(super) fn authenticate(
        &self,
        headers: &Headers<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), QueryError> {
        let authentic = self.keys.authenticate(headers, body, now);
        authentic.map_err(|error| QueryError::Unusable(error.into()))
    }

    /// What an authentic response reports.
    fn read(&self, asked: &Asked<'_>, body: &[u8]) -> Result<QueryResponse, QueryError> {
        let object = Object::parse_message(body).ok_or_else(|| unusable("not a JSON object"))?;
        match asked {
            Asked::Payment(asked) => self.transaction(asked, &object, body),
            Asked::Refund(asked) => self.refund(asked, &object, body),
        }
    }

    fn transaction(
        &self,
        asked: &AskedPayment<'_>,
        transaction: &Object,
        body: &[u8],
    ) -> Result<QueryResponse, QueryError> {
        if transaction.text("mchid") != Some(self.mchid.as_str()) {
            return Err(unusable("a response about another merchant"));
        }
        let message = self.keys.transaction(transaction, None);
        let txn = message.report.reference.txn.as_ref();
        let is_asked = match asked.txn {
            // It may be that of a checkout.
            Some(asked) => txn == Some(asked),
            None => message.checkout == asked.checkout,
        };
        if message.payment != Some(asked.payment) || !is_asked {
            return Err(unusable("a response about another payment"));
        }
        let state = match transaction.text("trade_state") {
            // A failed attempt may be followed by another.
            Some("NOTPAY" | "PAYERROR") => ProviderState::Open,
            // The payer enters the password of a code payment, or the money is on its way.
            Some("USERPAYING" | "ACCEPT") => ProviderState::Processing,
            Some("CLOSED" | "REVOKED") => ProviderState::Closed,
            Some("SUCCESS") => ProviderState::Paid,
            // How much went back is reported by each refund; this reports that it was paid.
            Some("REFUND") => ProviderState::Refunded,
            _ => return Err(unusable("an unknown `trade_state`")),
        };
        let is_paid = matches!(state, ProviderState::Paid | ProviderState::Refunded);
        if message.review.is_some() || is_paid && txn.is_none() {
            return Err(unusable("an unknown `transaction_id`"));
        }
        let ended = is_paid || state == ProviderState::Closed;
        let outcome = message.report.outcome.filter(|_| ended);
        let report = Report { outcome, ..message.report };
        Ok(respond(Provider::WeChat, state, Message { report, ..message }, body))
    }
}

impl Querier for WeChatQuerier {
    /// A payment by the transaction where it is known, else by our reference; a checkout and a refund by our
    /// reference.
    /// Refunds are reported one by one, never listed.
    fn request(
        &self,
        query: &Query,
        nonce: &str,
        now: Timestamp,
    ) -> Result<RawRequest, QueryError> {
        let target = self.target(&Asked::of(query, &self.mchid)?)?;
        self.signed("GET", target, String::new(), (nonce, now))
    }

    /// WeChat Pay signs successes only. Of the errors, those that are listed here count: they came from
    /// the host that TLS has verified.
    fn response(
        &self,
        query: &Query,
        response: &RawResponse<'_>,
        now: Timestamp,
    ) -> Result<QueryResponse, QueryError> {
        let asked = Asked::of(query, &self.mchid)?;
        let RawResponse { status, headers, body } = *response;
        match status {
            202 | 429 | 500..=599 => Err(unavailable(status)),
            200..=299 => {
                self.authenticate(headers, body, now)?;
                self.read(&asked, body)
            }
            _ => unsigned(&asked, status, body),
        }
    }

    fn refund_request(
        &self,
        order: &RefundOrder<'_>,
        nonce: &str,
        now: Timestamp,
    ) -> Result<RawRequest, QueryError> {
        self.order_refund(order, nonce, now)
    }

    fn refund_response(
        &self,
        order: &RefundOrder<'_>,
        response: &RawResponse<'_>,
        now: Timestamp,
    ) -> Result<QueryResponse, RefundCallError> {
        self.made_refund(order, response, now)
    }

    fn account(&self) -> Option<MerchantAccount> {
        let has_app = !self.keys.appids.is_empty();
        has_app.then(|| self.mchid.clone())
    }

    fn checkout_request(
        &self,
        order: &CheckoutOrder<'_>,
        nonce: &str,
        now: Timestamp,
    ) -> Result<CheckoutStep, QueryError> {
        self.order_checkout(order, nonce, now).map(CheckoutStep::Send)
    }

    fn checkout_response(
        &self,
        order: &CheckoutOrder<'_>,
        response: &RawResponse<'_>,
        nonce: &str,
        now: Timestamp,
    ) -> Result<StartedCheckout, CheckoutCallError> {
        self.made_checkout(order, response, (nonce, now))
    }

    fn close_request(
        &self,
        checkout: &Checkout,
        nonce: &str,
        now: Timestamp,
    ) -> Result<RawRequest, QueryError> {
        self.order_close(checkout, nonce, now)
    }

    fn close_response(
        &self,
        _checkout: &Checkout,
        response: &RawResponse<'_>,
        now: Timestamp,
    ) -> Result<(), QueryError> {
        self.closed(response, now)
    }
}

/// The error of a response that says to come again later.
pub(super) fn unavailable(status: u16) -> QueryError {
    QueryError::Unavailable(format!("HTTP status {status}").into())
}

/// What an error without a signature proves, whatever was requested.
pub(super) fn failure(status: u16, code: Option<&str>) -> QueryError {
    match (status, code) {
        (400, Some(code @ ("PARAM_ERROR" | "MCH_NOT_EXISTS" | "APPID_MCHID_NOT_MATCH")))
        | (401, Some(code @ "SIGN_ERROR"))
        | (403, Some(code @ "NO_AUTH")) => {
            QueryError::Rejected(format!("HTTP status {status}: {code}").into())
        }
        _ => QueryError::Unusable(format!("HTTP status {status}, which is not signed").into()),
    }
}

/// What an error without a signature proves about what was asked.
fn unsigned(asked: &Asked<'_>, status: u16, body: &[u8]) -> Result<QueryResponse, QueryError> {
    let error = Object::parse_message(body).unwrap_or_default();
    match (status, error.text("code"), asked) {
        (404, Some(code), Asked::Payment(asked)) if ABSENT_CODES.contains(&code) => {
            let (payment, checkout) = (Some(asked.payment), asked.checkout);
            let absent = Message { payment, checkout, ..Message::unreadable(None) };
            Ok(respond(Provider::WeChat, ProviderState::Absent, absent, body))
        }
        (404, Some("RESOURCE_NOT_EXISTS"), Asked::Refund(asked)) => {
            Ok(respond_no_refund(Provider::WeChat, asked.refund, body))
        }
        (status, code, _) => Err(failure(status, code)),
    }
}

/// Whether a text can stand in a URL and between the quotes of a header as it is.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl fmt::Debug for WeChatQuerier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeChatQuerier(..)")
    }
}
