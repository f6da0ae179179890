//! Verifies the signature over the timestamp, the nonce and the raw body.

use pay_core::{domain::Timestamp, ports::BadSecret};

use super::{
    NONCE_HEADER, SERIAL_HEADER, SIGNATURE_HEADER, SIGNATURE_TYPE, SIGNATURE_TYPE_HEADER,
    TIMESTAMP_HEADER, WeChatKeys, decrypt::ApiV3Key,
};
use crate::{
    Headers, Verified, Verifier, VerifyError,
    limits::WECHAT_TOLERANCE_SECS,
    rsa::RsaKey,
    verify::{base64, recent, required},
};

/// The prefix of a probe's signature: WeChat Pay sends wrong signatures to test that they are
/// rejected.
const PROBE: &str = "WECHATPAY/SIGNTEST/";

impl Verifier for WeChatKeys {
    /// The signature is verified before anything is decrypted: decrypting proves only that somebody
    /// knows the APIv3 key.
    ///
    /// Errors, in the order they are checked:
    /// - [`VerifyError::MissingHeader`], [`VerifyError::Doubled`] (also for a comma, as gateways
    ///   join doubled headers), [`VerifyError::BadHeader`].
    /// - [`VerifyError::BadAlgorithm`].
    /// - [`VerifyError::BadTimestamp`], [`VerifyError::Stale`], [`VerifyError::Early`].
    /// - [`VerifyError::Probe`].
    /// - [`VerifyError::NoKeys`], [`VerifyError::UnknownSerial`], [`VerifyError::NoSignature`],
    ///   [`VerifyError::BadSignature`].
    /// - [`VerifyError::Undecryptable`]: authentic, and our APIv3 key does not decrypt it.
    fn verify(
        &self,
        headers: &Headers<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Verified, VerifyError> {
        self.authenticate(headers, body, now)?;
        self.read(body)
    }

    fn complete(&self) -> Result<(), BadSecret> {
        if !self.api_v3_key.as_ref().is_some_and(ApiV3Key::is_usable) {
            return Err(BadSecret("`wechat` has no `api_v3_key` of 32 bytes"));
        }
        if self.mchid.is_none() || self.appids.is_empty() {
            return Err(BadSecret("`wechat` has no `mchid` or no `appid`"));
        }
        Ok(())
    }
}

/// The bytes that WeChat Pay signs: three values, each followed by a newline.
pub(super) fn signed(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    [timestamp.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"].concat()
}

/// A header of the signature: visible ASCII without a comma. A newline in it would move the border
/// of a signed line.
fn visible<'a>(headers: &'a Headers<'_>, name: &'static str) -> Result<&'a str, VerifyError> {
    let value = required(headers, name)?;
    if value.contains(',') {
        return Err(VerifyError::Doubled(name));
    }
    if value.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(value)
    } else {
        Err(VerifyError::BadHeader(name))
    }
}

impl WeChatKeys {
    /// Verifies that a notification, or a response to a request of ours, is authentic and recent: both
    /// are signed alike.
    pub(super) fn authenticate(
        &self,
        headers: &Headers<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), VerifyError> {
        let timestamp = visible(headers, TIMESTAMP_HEADER)?;
        let nonce = visible(headers, NONCE_HEADER)?;
        let signature = visible(headers, SIGNATURE_HEADER)?;
        let serial = visible(headers, SERIAL_HEADER)?;
        match headers.get_one(SIGNATURE_TYPE_HEADER) {
            Ok(None | Some(SIGNATURE_TYPE)) => {}
            Ok(Some(_)) => return Err(VerifyError::BadAlgorithm),
            Err(_doubled) => return Err(VerifyError::Doubled(SIGNATURE_TYPE_HEADER)),
        }
        recent(timestamp, now, WECHAT_TOLERANCE_SECS)?;
        if signature.starts_with(PROBE) {
            return Err(VerifyError::Probe);
        }
        let key = self.key(serial)?;
        let signature = base64(signature).ok_or(VerifyError::NoSignature)?;
        if !key.verifies(&signed(timestamp, nonce, body), &signature) {
            return Err(VerifyError::BadSignature);
        }
        Ok(())
    }

    fn key(&self, serial: &str) -> Result<&RsaKey, VerifyError> {
        if self.public_keys.is_empty() {
            return Err(VerifyError::NoKeys);
        }
        let mut keys = self.public_keys.iter();
        keys.find(|(known, _)| known.eq_ignore_ascii_case(serial))
            .map(|(_, key)| key)
            .ok_or(VerifyError::UnknownSerial)
    }
}
