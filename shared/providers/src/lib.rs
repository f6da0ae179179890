//! Webhook signatures: whether a message is authentic and recent.
//!
//! One module a scheme, all of one shape: headers, body bytes, keys and now in, a verdict out; a
//! payment provider's also reads what its message says. Pure. Here is what they share.

pub mod alipay;
mod decimal;
mod headers;
mod keys;
mod provider;
mod reading;
mod rsa;
pub mod standard;
pub mod stripe;
pub mod wechat;

pub use alipay::AlipayKeys;
pub use headers::{Doubled, Headers};
pub use keys::WebhookKeys;
pub use provider::{PaymentProvider, Verifier};
pub use reading::{Message, Reading};
pub use stripe::StripeKeys;
pub use wechat::WeChatKeys;

use base64::{Engine, engine::general_purpose::STANDARD};
use pay_core::domain::Timestamp;

use rsa::RsaKey;

/// How far a message's timestamp may lie from now, either way and inclusive.
const TOLERANCE_SECS: u64 = 300;

/// How many signatures of one kind are looked at: more than a sender ever has secrets. Each costs a
/// hash of the whole body, and a header has room for thousands: seconds, for anybody's asking.
const SIGNATURES_MAX: usize = 16;

/// An authentic message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The sender's name for the message: the same each time it is sent. As the sender wrote it.
    pub id: String,
}

/// Why a message is not taken: for a tool that explains, never for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// A header of the scheme is not there, or empty.
    #[error("the header {0} is missing or empty")]
    MissingHeader(&'static str),
    /// A header of the scheme is there twice, or two of them were joined into one.
    #[error("the header {0} is there more than once")]
    Doubled(&'static str),
    /// A header of the scheme is no visible ASCII.
    #[error("the header {0} holds other than visible ASCII")]
    BadHeader(&'static str),
    /// A field of the scheme is not there, or empty.
    #[error("the field {0} is missing or empty")]
    MissingField(&'static str),
    /// Two fields have one name.
    #[error("two fields of the form have one name")]
    DoubledField,
    /// Another algorithm than the one that is taken.
    #[error("the message names an algorithm that is not taken")]
    BadAlgorithm,
    /// Another character set than UTF-8.
    #[error("the message is not in UTF-8")]
    BadCharset,
    /// The timestamp is not Unix time in seconds, written as a plain decimal number.
    #[error("the timestamp is not Unix seconds in plain decimal")]
    BadTimestamp,
    /// Sent too long ago: replayed, delayed, or a clock is wrong.
    #[error("the timestamp is {by_secs} s old, and at most {most_secs} are allowed")]
    Stale {
        /// Its age.
        by_secs: u64,
        /// The oldest that is taken.
        most_secs: u64,
    },
    /// Sent from the future: a clock is wrong.
    #[error("the timestamp is {by_secs} s ahead, and at most {most_secs} are allowed")]
    Early {
        /// How far ahead it is.
        by_secs: u64,
        /// The farthest that is taken.
        most_secs: u64,
    },
    /// The provider tests whether signatures are checked.
    #[error("a probe of the provider: its signature is wrong on purpose")]
    Probe,
    /// No key of this scheme is configured.
    #[error("no key is configured")]
    NoKeys,
    /// The message names a key that is not configured.
    #[error("no key is configured under the serial that the message names")]
    UnknownSerial,
    /// The message holds no signature of a kind that the keys can check.
    #[error("there is no signature that the configured keys could have made")]
    NoSignature,
    /// No signature fits: another key, or other bytes than were signed.
    #[error("no signature fits any key")]
    BadSignature,
    /// Genuine, but sealed under a key that is not ours: ours is wrong, and repeating the message
    /// helps once it is mended.
    #[error("the signature fits, and the configured key does not decrypt the message")]
    Undecryptable,
}

impl WebhookError {
    /// Whether a key that is not known here could be what is missing.
    #[must_use]
    pub const fn is_of_unknown_key(&self) -> bool {
        match self {
            Self::NoKeys
            | Self::UnknownSerial
            | Self::NoSignature
            | Self::BadSignature
            | Self::Undecryptable => true,
            Self::MissingHeader(_)
            | Self::Doubled(_)
            | Self::BadHeader(_)
            | Self::MissingField(_)
            | Self::DoubledField
            | Self::BadAlgorithm
            | Self::BadCharset
            | Self::BadTimestamp
            | Self::Stale { .. }
            | Self::Early { .. }
            | Self::Probe => false,
        }
    }

    /// What an operator would look at first, in a word: `signature`, `key`, `clock`, `probe` or
    /// `malformed`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NoSignature | Self::BadSignature => "signature",
            Self::NoKeys | Self::UnknownSerial | Self::Undecryptable => "key",
            Self::Stale { .. } | Self::Early { .. } => "clock",
            Self::Probe => "probe",
            Self::MissingHeader(_)
            | Self::Doubled(_)
            | Self::BadHeader(_)
            | Self::MissingField(_)
            | Self::DoubledField
            | Self::BadAlgorithm
            | Self::BadCharset
            | Self::BadTimestamp => "malformed",
        }
    }
}

/// A header that must be there once and not be empty.
fn required<'a>(headers: &'a Headers<'_>, name: &'static str) -> Result<&'a str, WebhookError> {
    match headers.get_one(name) {
        Err(Doubled) => Err(WebhookError::Doubled(name)),
        Ok(None | Some("")) => Err(WebhookError::MissingHeader(name)),
        Ok(Some(value)) => Ok(value),
    }
}

/// Reads Unix seconds in canonical decimal, and holds them against now.
///
/// Digits alone and no leading zero: what is signed is the text, so one number has one text.
fn recent(text: &str, now: Timestamp, most_secs: u64) -> Result<u64, WebhookError> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !(canonical && digits) {
        return Err(WebhookError::BadTimestamp);
    }
    let secs: u64 = text.parse().map_err(|_too_large| WebhookError::BadTimestamp)?;
    let (age, lead) = (now.secs().saturating_sub(secs), secs.saturating_sub(now.secs()));
    if age > most_secs {
        Err(WebhookError::Stale { by_secs: age, most_secs })
    } else if lead > most_secs {
        Err(WebhookError::Early { by_secs: lead, most_secs })
    } else {
        Ok(secs)
    }
}

/// Decodes base64 strictly: the standard alphabet, padded, no stray bits.
fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_300_seconds_either_way_and_inclusive() {
        let now = Timestamp::from_millis(1_800_000_000_999).unwrap();
        let of = |secs: u64| recent(&secs.to_string(), now, 300);
        for secs in [1_799_999_700, 1_799_999_701, 1_800_000_000, 1_800_000_299, 1_800_000_300] {
            assert_eq!(of(secs), Ok(secs));
        }
        assert_eq!(of(1_799_999_699), Err(WebhookError::Stale { by_secs: 301, most_secs: 300 }));
        assert_eq!(of(1_800_000_301), Err(WebhookError::Early { by_secs: 301, most_secs: 300 }));
        assert_eq!(of(0), Err(WebhookError::Stale { by_secs: 1_800_000_000, most_secs: 300 }));
        // Milliseconds.
        assert!(matches!(of(1_800_000_000_000), Err(WebhookError::Early { .. })));
        assert!(matches!(of(u64::MAX), Err(WebhookError::Early { .. })));
    }

    #[test]
    fn a_timestamp_is_digits_alone() {
        let now = Timestamp::from_millis(1_800_000_000_000).unwrap();
        for bad in [
            "",
            "-1800000000",
            "+1800000000",
            "01800000000",
            "00",
            " 1800000000",
            "1800000000 ",
            "1800000000.0",
            "18e8",
            "0x6b49d200",
            "1_800_000_000",
            "1800000000,1800000000",
            "٣",
            "18446744073709551616",
            "1000000000000000000000000000000",
        ] {
            assert_eq!(recent(bad, now, 300), Err(WebhookError::BadTimestamp), "{bad}");
        }
    }

    /// Only these are worth a look at the secret: it may have been rotated.
    #[test]
    fn another_key_helps_only_where_a_key_was_missing() {
        use WebhookError as E;
        let helps =
            [E::NoKeys, E::UnknownSerial, E::NoSignature, E::BadSignature, E::Undecryptable];
        assert!(helps.iter().all(E::is_of_unknown_key));
        let late = E::Stale { by_secs: 301, most_secs: 300 };
        let early = E::Early { by_secs: 301, most_secs: 300 };
        let header = "webhook-id";
        for hopeless in [
            E::MissingHeader(header),
            E::Doubled(header),
            E::BadHeader(header),
            E::MissingField(header),
            E::DoubledField,
            E::BadAlgorithm,
            E::BadCharset,
            E::BadTimestamp,
            late,
            early,
            E::Probe,
        ] {
            assert!(!hopeless.is_of_unknown_key(), "{hopeless:?}");
        }
    }

    #[test]
    fn base64_is_read_strictly() {
        assert_eq!(base64("+/8="), Some(vec![0xfb, 0xff]));
        for bad in ["-_8=", "+/8", "+/9=", "+/8==", " +/8=", "+/8=\n", "+/8=,", "+/8= "] {
            assert_eq!(base64(bad), None, "{bad:?}");
        }
    }
}
