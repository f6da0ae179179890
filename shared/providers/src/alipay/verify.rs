//! Verifies the signature over the form's fields.

use pay_core::{
    domain::{Provider, Timestamp},
    ports::BadSecret,
};

use super::{
    AlipayKeys, SIGNATURE_FIELD, SIGNATURE_TYPE, SIGNATURE_TYPE_FIELD, TRADE, form::Form,
    signed::SignedFields,
};
use crate::{Headers, Ignored, Verified, Verifier, VerifyError, adapter::Message, verify::base64};

impl Verifier for AlipayKeys {
    /// No timestamp is checked: a repeated message is recognised by its `notify_id` and by the
    /// record.
    ///
    /// Alipay's platform signs messages that are not about a trade with `sign_type` among the
    /// fields. They are verified by that rule and ignored; the rule never verifies a message about
    /// a trade.
    ///
    /// Errors, in the order they are checked:
    /// - [`VerifyError::DoubledField`], [`VerifyError::MissingField`].
    /// - [`VerifyError::BadAlgorithm`], [`VerifyError::BadCharset`].
    /// - [`VerifyError::NoKeys`], [`VerifyError::NoSignature`], [`VerifyError::BadSignature`].
    fn verify(
        &self,
        _headers: &Headers<'_>,
        body: &[u8],
        _now: Timestamp,
    ) -> Result<Verified, VerifyError> {
        let form = Form::parse(body)?;
        let signature =
            form.get(SIGNATURE_FIELD).ok_or(VerifyError::MissingField(SIGNATURE_FIELD))?;
        if form.get(SIGNATURE_TYPE_FIELD).is_some_and(|kind| kind != SIGNATURE_TYPE) {
            return Err(VerifyError::BadAlgorithm);
        }
        if form.get("charset").is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8")) {
            return Err(VerifyError::BadCharset);
        }
        if self.public_keys.is_empty() {
            return Err(VerifyError::NoKeys);
        }
        let signature = base64(&signature).ok_or(VerifyError::NoSignature)?;
        let is_valid =
            |signed: &[u8]| self.public_keys.iter().any(|key| key.verifies(signed, &signature));
        let signed = form.signed(None);
        if is_valid(&signed) {
            let signed = String::from_utf8_lossy(&signed);
            return Ok(self.read(&SignedFields::split(&signed), body));
        }
        let signed = form.signed(Some((SIGNATURE_TYPE_FIELD, SIGNATURE_TYPE)));
        if form.get("notify_type").is_some_and(|kind| kind != TRADE) && is_valid(&signed) {
            let signed = String::from_utf8_lossy(&signed);
            let fields = SignedFields::split(&signed);
            // Split anew, a trade's notification may name another type.
            if fields.may_have("notify_type", TRADE) || fields.may_be_broken("notify_type") {
                return Ok(Message::ambiguous().into_notification(Provider::Alipay, body));
            }
            return Ok(Verified::Ignored(Ignored::OtherKind));
        }
        Err(VerifyError::BadSignature)
    }

    fn complete(&self) -> Result<(), BadSecret> {
        if self.app_ids.is_empty() {
            return Err(BadSecret("`alipay` has no `app_id`"));
        }
        Ok(())
    }
}
