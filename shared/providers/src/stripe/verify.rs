//! Verifies the signature over the timestamp and the raw body.

use pay_core::{
    domain::{Digest, Timestamp},
    ports::BadSecret,
};
use ring::hmac;

use super::{SIGNATURE_HEADER, StripeKeys};
use crate::{
    Headers, Verified, Verifier, VerifyError,
    limits::{SIGNATURES_MAX, TOLERANCE_SECS},
    verify::{recent, required},
};

impl Verifier for StripeKeys {
    /// One `v1` that is valid for one secret is enough: that is how a secret is rolled. `v0` is a
    /// decoy of test mode and never checked. A malformed `v1` is skipped, and so are all after the
    /// first [`SIGNATURES_MAX`].
    ///
    /// Errors, in the order they are checked:
    /// - [`VerifyError::MissingHeader`], [`VerifyError::Doubled`]: also for a second `t`, as
    ///   gateways join doubled headers.
    /// - [`VerifyError::BadTimestamp`], [`VerifyError::Stale`], [`VerifyError::Early`].
    /// - [`VerifyError::NoSignature`], [`VerifyError::NoKeys`], [`VerifyError::BadSignature`].
    fn verify(
        &self,
        headers: &Headers<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Verified, VerifyError> {
        let (timestamp, signatures) = parse(required(headers, SIGNATURE_HEADER)?)?;
        recent(timestamp, now, TOLERANCE_SECS)?;
        if signatures.is_empty() {
            return Err(VerifyError::NoSignature);
        }
        if self.secrets.is_empty() {
            return Err(VerifyError::NoKeys);
        }
        let message = [timestamp.as_bytes(), b".", body].concat();
        let is_valid = |key: &hmac::Key| {
            let mut checked = signatures.iter().take(SIGNATURES_MAX);
            checked.any(|tag| hmac::verify(key, &message, &tag.bytes()).is_ok())
        };
        if self.secrets.iter().any(is_valid) {
            Ok(self.read(body))
        } else {
            Err(VerifyError::BadSignature)
        }
    }

    fn complete(&self) -> Result<(), BadSecret> {
        self.livemode.map(drop).ok_or(BadSecret("`stripe` has no `livemode`"))
    }
}

/// The header's timestamp, and its `v1` entries that are 64 lower-case hex digits.
fn parse(header: &str) -> Result<(&str, Vec<Digest>), VerifyError> {
    let mut timestamp = None;
    let mut signatures = Vec::new();
    for entry in header.split(',') {
        match entry.split_once('=') {
            // Also where a gateway joined two headers with a comma and a space.
            Some((name, _)) if name.trim_start() == "t" && timestamp.is_some() => {
                return Err(VerifyError::Doubled(SIGNATURE_HEADER));
            }
            Some(("t", text)) => timestamp = Some(text),
            Some(("v1", hex)) => signatures.extend(Digest::from_hex(hex)),
            Some(_) | None => {}
        }
    }
    Ok((timestamp.ok_or(VerifyError::BadTimestamp)?, signatures))
}
