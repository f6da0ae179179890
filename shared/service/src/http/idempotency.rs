//! Idempotency-Keys: kept as digests, never as they came.

use pay_core::domain::Digest;

use super::{Problem, sha256};
use crate::limits::IDEMPOTENCY_KEY_MAX_BYTES;

/// The digest of an Idempotency-Key. What it is for is part of it: for another user or another payment, an
/// equal key is another key.
///
/// # Errors
///
/// [`super::Code::InvalidRequest`] for anything but 1 to 255 visible ASCII characters.
pub fn idempotency_digest(of: u64, key: &str) -> Result<Digest, Problem> {
    let fits = (1..=IDEMPOTENCY_KEY_MAX_BYTES).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        Ok(sha256(&[&of.to_be_bytes(), key.as_bytes()]))
    } else {
        Err(Problem::invalid("an Idempotency-Key is 1 to 255 visible ASCII characters"))
    }
}
