//! Standard Webhooks: three headers, HMAC-SHA256 (`v1`) or ed25519 (`v1a`).
//!
//! Source: Standard Webhooks specification 1.0.0.

mod key;

pub use key::StandardKey;

use base64::{Engine, engine::general_purpose::STANDARD};
use pay_core::domain::Timestamp;

use super::{
    Headers, SIGNATURES_MAX, TOLERANCE_SECS, Verified, WebhookError, base64, recent, required,
};

/// Names the message; part of what is signed.
pub const ID_HEADER: &str = "webhook-id";

/// Unix seconds of this attempt to deliver it; part of what is signed.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";

/// The signatures: `version,base64`, separated by spaces.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// Whether a request speaks this scheme: one header of it is enough, so that leaving one out does
/// not open another door.
#[must_use]
pub fn is_spoken(headers: &Headers<'_>) -> bool {
    [ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER].iter().any(|name| headers.contains(name))
}

/// Checks that a message is authentic and recent.
///
/// `body` is the request's body byte for byte. A key checks signatures of its own version alone, so
/// a public key never becomes the secret of an HMAC. Any signature that fits any key is enough:
/// that is how either side rotates. Other versions and malformed entries are passed over, and so is
/// what comes after the first sixteen of a kind.
///
/// An id may hold a `.`, as in every published library. Where id ends and timestamp begins is then
/// not signed, but moving that border puts digits and a `.` before the body, which is no JSON.
///
/// # Errors
///
/// In the order they are checked; the same bytes never pass later.
/// - [`WebhookError::MissingHeader`], [`WebhookError::Doubled`]: also for a comma in the id, and
///   for two commas in one signature: gateways join doubled headers that way.
/// - [`WebhookError::BadTimestamp`], [`WebhookError::Stale`], [`WebhookError::Early`].
/// - [`WebhookError::NoKeys`], [`WebhookError::NoSignature`], [`WebhookError::BadSignature`].
///
/// Source: Standard Webhooks specification, "Signature scheme" and "Verifying signatures".
pub fn verify(
    headers: &Headers<'_>,
    body: &[u8],
    keys: &[StandardKey],
    now: Timestamp,
) -> Result<Verified, WebhookError> {
    let id = required(headers, ID_HEADER)?;
    let timestamp = required(headers, TIMESTAMP_HEADER)?;
    let signatures = signatures(required(headers, SIGNATURE_HEADER)?)?;
    if id.contains(',') {
        return Err(WebhookError::Doubled(ID_HEADER));
    }
    recent(timestamp, now, TOLERANCE_SECS)?;
    fits(&message(id, timestamp, body), &signatures, keys)?;
    Ok(Verified { id: id.to_owned() })
}

/// Signs a message as a sender would: the value of the signature header. `None` for a public key.
#[must_use]
pub fn sign(key: &StandardKey, id: &str, timestamp_secs: u64, body: &[u8]) -> Option<String> {
    let tag = key.sign(&message(id, &timestamp_secs.to_string(), body))?;
    Some(format!("{},{}", key.version(), STANDARD.encode(tag)))
}

fn message(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat()
}

/// The entries of the signature header that have a version and can be decoded.
fn signatures(header: &str) -> Result<Vec<(&str, Vec<u8>)>, WebhookError> {
    let mut found = Vec::new();
    for entry in header.split(' ') {
        let Some((version, encoded)) = entry.split_once(',') else {
            continue;
        };
        if encoded.contains(',') {
            return Err(WebhookError::Doubled(SIGNATURE_HEADER));
        }
        found.extend(base64(encoded).map(|signature| (version, signature)));
    }
    Ok(found)
}

fn fits(
    message: &[u8],
    signatures: &[(&str, Vec<u8>)],
    keys: &[StandardKey],
) -> Result<(), WebhookError> {
    let mut verdict =
        if keys.is_empty() { WebhookError::NoKeys } else { WebhookError::NoSignature };
    for key in keys {
        let of_its_kind = signatures.iter().filter(|(version, _)| *version == key.version());
        for (_, signature) in of_its_kind.take(SIGNATURES_MAX) {
            if key.verifies(message, signature) {
                return Ok(());
            }
            verdict = WebhookError::BadSignature;
        }
    }
    Err(verdict)
}

#[cfg(test)]
mod tests;
