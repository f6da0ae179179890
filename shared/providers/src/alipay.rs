//! Alipay: a form whose fields are signed with RSA, the signature one of them.
//!
//! Sources: alipay-sdk-nodejs-all `src/alipay.ts`; smartwalle/alipay `alipay.go`, `notify.go`,
//! `notify_type.go`, `trade_type.go`; opendocs.alipay.com "asynchronous notifications".

use std::{borrow::Cow, fmt};

use pay_core::{
    domain::{Outcome, PaymentId, ProviderTxn, Report, Timestamp},
    json::Json,
    ports::BadSecret,
};

use super::{
    Headers, Message, Reading, RsaKey, Verifier, WebhookError, base64,
    decimal::minor_units,
    keys::{one_or_more, optional_text},
};

/// The field that holds the signature, in base64.
pub const SIGNATURE_FIELD: &str = "sign";
/// The field that names the algorithm.
pub const SIGNATURE_TYPE_FIELD: &str = "sign_type";
/// The one algorithm: RSA over SHA-256. `RSA` would be SHA-1.
pub const SIGNATURE_TYPE: &str = "RSA2";

/// The kind of message that reports what became of a payment.
const TRADE: &str = "trade_status_sync";

/// A yuan is 100 fen.
const DECIMALS: usize = 2;

/// What a message is checked with.
#[derive(Clone, Default)]
pub struct AlipayKeys {
    public_keys: Vec<RsaKey>,
    app_id: Option<String>,
    seller_id: Option<String>,
}

impl AlipayKeys {
    /// Reads the secret's entry: `{"public_keys": ["<certificate or public key>"], "app_id": "…",
    /// "seller_id": "…"}`, newest first. They are Alipay's keys, not the application's own.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: no public key, one that could never check a signature, a text that is none.
    pub fn from_json(entry: &Json) -> Result<Self, BadSecret> {
        let entry = entry.as_object().ok_or(BadSecret("`alipay` is not an object"))?;
        let bad = BadSecret("`alipay` has no list `public_keys` of one or more");
        let keys = one_or_more(entry.get("public_keys"), bad)?;
        let keys = keys.iter().map(|key| RsaKey::parse(key.as_text().unwrap_or_default()));
        let bad = BadSecret("`app_id` or `seller_id` of `alipay` is empty or no text");
        Ok(Self {
            public_keys: keys.collect::<Result<_, _>>()?,
            app_id: optional_text(entry, "app_id", bad)?,
            seller_id: optional_text(entry, "seller_id", bad)?,
        })
    }
}

impl fmt::Debug for AlipayKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlipayKeys({} keys, ..)", self.public_keys.len())
    }
}

impl Verifier for AlipayKeys {
    /// Nothing ties a message to a time: a repeat is told by its `notify_id` and by what the
    /// record says.
    ///
    /// Messages of Alipay's platform that are about no trade are signed with `sign_type` among the
    /// fields. They are told apart and ignored; a trade's message never passes by their rule.
    ///
    /// Errors, in the order they are checked:
    /// - [`WebhookError::DoubledField`], [`WebhookError::MissingField`].
    /// - [`WebhookError::BadAlgorithm`], [`WebhookError::BadCharset`].
    /// - [`WebhookError::NoKeys`], [`WebhookError::NoSignature`], [`WebhookError::BadSignature`].
    fn verify(
        &self,
        _headers: &Headers<'_>,
        body: &[u8],
        _now: Timestamp,
    ) -> Result<Reading, WebhookError> {
        let form = Form::parse(body)?;
        let signature =
            form.get(SIGNATURE_FIELD).ok_or(WebhookError::MissingField(SIGNATURE_FIELD))?;
        if form.get(SIGNATURE_TYPE_FIELD).is_some_and(|kind| kind != SIGNATURE_TYPE) {
            return Err(WebhookError::BadAlgorithm);
        }
        if form.get("charset").is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8")) {
            return Err(WebhookError::BadCharset);
        }
        if self.public_keys.is_empty() {
            return Err(WebhookError::NoKeys);
        }
        let signature = base64(signature).ok_or(WebhookError::NoSignature)?;
        let fits = |signed: String| {
            self.public_keys.iter().any(|key| key.verifies(signed.as_bytes(), &signature))
        };
        if fits(form.signed(None)) {
            return Ok(self.read(&form));
        }
        if form.get("notify_type").is_some_and(|kind| kind != TRADE)
            && fits(form.signed(Some((SIGNATURE_TYPE_FIELD, SIGNATURE_TYPE))))
        {
            return Ok(Reading::Ignored("a message of the platform, about no trade"));
        }
        Err(WebhookError::BadSignature)
    }

    fn complete(&self) -> Result<(), BadSecret> {
        if self.app_id.is_none() || self.seller_id.is_none() {
            return Err(BadSecret("`alipay` has no `app_id` or no `seller_id`"));
        }
        Ok(())
    }
}

impl AlipayKeys {
    /// Reads a message that passed. The answer that a browser brings back is signed alike, and has
    /// no `notify_type`.
    fn read(&self, form: &Form<'_>) -> Reading {
        if form.get("notify_type") != Some(TRADE) {
            return Reading::Ignored("no notification about a trade");
        }
        let Some(report) = report(form) else {
            return Reading::Ignored("a trade that waits for its buyer, or in a state not known");
        };
        let other = |expected: &Option<String>, name: &str| {
            expected.is_some() && expected.as_deref() != form.get(name)
        };
        Reading::Message(Message {
            event_id: form.get("notify_id").map(str::to_owned),
            payment: form.get("out_trade_no").and_then(|id| PaymentId::parse(id).ok()),
            txn: form.get("trade_no").and_then(|txn| ProviderTxn::new(txn).ok()),
            amount_minor: form.get("total_amount").and_then(|yuan| minor_units(yuan, DECIMALS)),
            currency: Some("CNY".to_owned()),
            report,
            foreign: other(&self.app_id, "app_id") || other(&self.seller_id, "seller_id"),
        })
    }
}

/// What became of the trade. A refund in part leaves it in `TRADE_SUCCESS`, one in full closes it.
fn report(form: &Form<'_>) -> Option<Report> {
    // A fee that cannot be read is one.
    let fee = form.get("refund_fee").is_some_and(|fee| minor_units(fee, DECIMALS) != Some(0));
    let refunded = fee || form.get("gmt_refund").is_some();
    Some(match (form.get("trade_status")?, refunded) {
        ("TRADE_SUCCESS", false) | ("TRADE_FINISHED", _) => Report::Outcome(Outcome::Paid),
        ("TRADE_SUCCESS", true) => Report::PartialRefund,
        ("TRADE_CLOSED", false) => Report::Outcome(Outcome::Closed),
        ("TRADE_CLOSED", true) => Report::Outcome(Outcome::Refunded),
        _ => return None,
    })
}

/// The fields of a form, sorted by name; no name twice.
struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Form<'a> {
    /// Splits, then decodes each part once. Bytes that are no UTF-8 become what no signature of
    /// the original fits.
    fn parse(body: &'a [u8]) -> Result<Self, WebhookError> {
        let mut fields: Vec<_> = form_urlencoded::parse(body).collect();
        fields.sort_by(|(one, _), (other, _)| one.as_bytes().cmp(other.as_bytes()));
        if fields.array_windows().any(|[(one, _), (other, _)]| one == other) {
            return Err(WebhookError::DoubledField);
        }
        Ok(Self(fields))
    }

    /// A field's value; an empty one is none.
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_ref()).filter(|value| !value.is_empty())
    }

    /// The text that is signed: every field but the two that are about the signature, and one more
    /// if it is given.
    fn signed(&self, more: Option<(&str, &str)>) -> String {
        let about_it = [SIGNATURE_FIELD, SIGNATURE_TYPE_FIELD];
        let fields = self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        let mut fields: Vec<_> = fields.filter(|(name, _)| !about_it.contains(name)).collect();
        fields.extend(more);
        fields.sort_unstable();
        let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    }
}

#[cfg(test)]
mod tests;
