//! Idempotency-Keys: kept as digests, never as they came.

use pay_core::domain::Digest;

use super::{Problem, sha256};
use crate::limits::IDEMPOTENCY_KEY_MAX_BYTES;

/// The header that carries an Idempotency-Key.
pub const IDEMPOTENCY_HEADER: &str = "idempotency-key";

/// The member that carries one by direct invoke.
pub const IDEMPOTENCY_FIELD: &str = "idempotency_key";

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Code;

    #[test]
    fn a_digest_is_of_the_key_and_of_what_it_is_for() {
        let digest = |of, key| idempotency_digest(of, key).unwrap();
        let whole = sha256(&[&[0, 0, 0, 0, 0, 0, 0, 7], b"order-7".as_slice()]);
        assert_eq!(digest(7, "order-7"), whole);
        assert_ne!(digest(7, "order-7"), digest(8, "order-7"));
        assert_ne!(digest(7, "order-7"), digest(7, "order-8"));
    }

    #[test]
    fn a_key_is_up_to_255_visible_ascii_characters() {
        for good in ["a", "~!", &"k".repeat(255)] {
            assert!(idempotency_digest(1, good).is_ok(), "{good}");
        }
        for bad in ["", " a", "a b", "a\n", "é", "\u{7f}", &"k".repeat(256)] {
            let problem = idempotency_digest(1, bad).unwrap_err();
            assert_eq!(problem.code, Code::InvalidRequest, "{bad}");
        }
    }
}
