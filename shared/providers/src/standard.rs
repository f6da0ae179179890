//! Standard Webhooks: three headers, HMAC-SHA256 (`v1`) or ed25519 (`v1a`).
//!
//! Source: Standard Webhooks specification 1.0.0.

mod key;
#[cfg(test)]
mod tests;

pub use key::StandardKey;

use base64::{Engine, engine::general_purpose::STANDARD};
use pay_core::domain::Timestamp;

use crate::{
    Headers, VerifyError,
    limits::{SIGNATURES_MAX, TOLERANCE_SECS},
    verify::{base64, recent, required},
};

/// The sender's id of the message; signed.
pub const ID_HEADER: &str = "webhook-id";

/// Unix seconds of this delivery attempt; signed.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";

/// The signatures: `version,base64`, separated by spaces.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// The names of id, timestamp and signature.
const NAMES: [&str; 3] = [ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER];

/// The names that Svix gives the same three headers.
///
/// Source: Svix documentation, "Verifying webhooks manually".
pub const SVIX_NAMES: [&str; 3] = ["svix-id", "svix-timestamp", "svix-signature"];

/// Whether a request uses this scheme, under either set of names. One header of it is enough: a request
/// that lacks the others must not be authenticated in another way.
#[must_use]
pub fn is_used(headers: &Headers<'_>) -> bool {
    NAMES.iter().chain(&SVIX_NAMES).any(|name| headers.contains(name))
}

/// Verifies that a message is authentic and recent, and returns its id, the same on each delivery.
///
/// Headers of both sets of names are never mixed: where one `webhook-` header is there, the `svix-`
/// headers are ignored.
///
/// `body` is the request's body byte for byte. A key checks signatures of its own version alone, so
/// a public key never becomes the secret of an HMAC. One signature that is valid for one key is
/// enough: that is how either side rotates. Other versions and malformed entries are skipped, and
/// so are all after the first [`SIGNATURES_MAX`] of a version.
///
/// An id may contain a `.`, as in every published library. The border between id and timestamp is
/// then not signed, but moving it puts digits and a `.` before the body, which is then not JSON.
///
/// # Errors
///
/// In the order they are checked; retrying the same bytes never helps.
/// - [`VerifyError::MissingHeader`], [`VerifyError::Doubled`]: also for a comma in the id, and
///   for two commas in one signature: gateways join doubled headers that way.
/// - [`VerifyError::BadTimestamp`], [`VerifyError::Stale`], [`VerifyError::Early`].
/// - [`VerifyError::NoKeys`], [`VerifyError::NoSignature`], [`VerifyError::BadSignature`].
///
/// Source: Standard Webhooks specification, "Signature scheme" and "Verifying signatures".
pub fn verify(
    headers: &Headers<'_>,
    body: &[u8],
    keys: &[StandardKey],
    now: Timestamp,
) -> Result<String, VerifyError> {
    let is_svix = !NAMES.iter().any(|name| headers.contains(name))
        && SVIX_NAMES.iter().any(|name| headers.contains(name));
    let [id_name, timestamp_name, signature_name] = if is_svix { SVIX_NAMES } else { NAMES };
    let id = required(headers, id_name)?;
    let timestamp = required(headers, timestamp_name)?;
    let signatures = signatures(signature_name, required(headers, signature_name)?)?;
    if id.contains(',') {
        return Err(VerifyError::Doubled(id_name));
    }
    recent(timestamp, now, TOLERANCE_SECS)?;
    check(&message(id, timestamp, body), &signatures, keys)?;
    Ok(id.to_owned())
}

/// Signs a message as a sender does, and returns the value of the signature header. `None` for a
/// public key.
#[must_use]
pub fn sign(key: &StandardKey, id: &str, timestamp_secs: u64, body: &[u8]) -> Option<String> {
    let tag = key.sign(&message(id, &timestamp_secs.to_string(), body))?;
    Some(format!("{},{}", key.version(), STANDARD.encode(tag)))
}

fn message(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat()
}

/// The entries of the signature header that have a version and can be decoded.
fn signatures<'a>(
    name: &'static str,
    header: &'a str,
) -> Result<Vec<(&'a str, Vec<u8>)>, VerifyError> {
    let mut found = Vec::new();
    for entry in header.split(' ') {
        let Some((version, encoded)) = entry.split_once(',') else {
            continue;
        };
        if encoded.contains(',') {
            return Err(VerifyError::Doubled(name));
        }
        found.extend(base64(encoded).map(|signature| (version, signature)));
    }
    Ok(found)
}

/// Checks the signatures with each key of their version.
fn check(
    message: &[u8],
    signatures: &[(&str, Vec<u8>)],
    keys: &[StandardKey],
) -> Result<(), VerifyError> {
    let mut reason = if keys.is_empty() { VerifyError::NoKeys } else { VerifyError::NoSignature };
    for key in keys {
        let of_its_version = signatures.iter().filter(|(version, _)| *version == key.version());
        for (_, signature) in of_its_version.take(SIGNATURES_MAX) {
            if key.verifies(message, signature) {
                return Ok(());
            }
            reason = VerifyError::BadSignature;
        }
    }
    Err(reason)
}
