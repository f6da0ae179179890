//! Why a message is rejected.

use pay_core::ports::BadSecret;

/// Why a message is rejected: for a tool that explains and for the log, never for a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A header of the scheme is absent or empty.
    #[error("the header {0} is missing or empty")]
    MissingHeader(&'static str),
    /// A header of the scheme occurs twice, or two of them were joined into one.
    #[error("the header {0} is there more than once")]
    Doubled(&'static str),
    /// A header of the scheme has other characters than visible ASCII.
    #[error("the header {0} holds other than visible ASCII")]
    BadHeader(&'static str),
    /// A field of the scheme is absent or empty.
    #[error("the field {0} is missing or empty")]
    MissingField(&'static str),
    /// Two fields have one name.
    #[error("two fields of the form have one name")]
    DoubledField,
    /// Another algorithm than the supported one.
    #[error("the message names an algorithm that is not supported")]
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
        /// The oldest age that is accepted.
        most_secs: u64,
    },
    /// Sent from the future: a clock is wrong.
    #[error("the timestamp is {by_secs} s ahead, and at most {most_secs} are allowed")]
    Early {
        /// How far ahead it is.
        by_secs: u64,
        /// The farthest that is accepted.
        most_secs: u64,
    },
    /// The provider tests whether signatures are checked.
    #[error("a probe of the provider: its signature is wrong on purpose")]
    Probe,
    /// No key of this scheme is configured.
    #[error("no key is configured")]
    NoKeys,
    /// The sender's entry of the secret cannot be used, and no key that was known before fits: our
    /// fault, and a redelivery helps once it is corrected.
    #[error("the configured keys are unusable: {}", .0.0)]
    UnusableKeys(BadSecret),
    /// The message names a key that is not configured.
    #[error("no key is configured under the serial that the message names")]
    UnknownSerial,
    /// The message has no signature of a version that the configured keys verify.
    #[error("there is no signature that the configured keys could have made")]
    NoSignature,
    /// No signature is valid: another key, or other bytes than were signed.
    #[error("no signature fits any key")]
    BadSignature,
    /// Authentic, but encrypted with a key that is not ours: our key is wrong, and a redelivery
    /// helps once it is corrected.
    #[error("the signature fits, and the configured key does not decrypt the message")]
    Undecryptable,
}

impl VerifyError {
    /// Whether a key that is not known here could verify the message: then the secret is worth
    /// reading again.
    #[must_use]
    pub const fn is_of_unknown_key(&self) -> bool {
        match self {
            Self::NoKeys
            | Self::UnusableKeys(_)
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

    /// Whether our own configuration keeps the message from being judged or read: the sender must
    /// deliver it again.
    #[must_use]
    pub const fn is_our_fault(&self) -> bool {
        matches!(self, Self::UnusableKeys(_) | Self::Undecryptable)
    }

    /// What an operator checks first, in a word: `signature`, `key`, `clock`, `probe` or
    /// `malformed`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NoSignature | Self::BadSignature => "signature",
            Self::NoKeys | Self::UnusableKeys(_) | Self::UnknownSerial | Self::Undecryptable => {
                "key"
            }
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

#[cfg(test)]
mod tests {
    use pay_core::ports::BadSecret;

    use super::VerifyError as E;

    /// Only these make the service read the secret again: it may have been rotated.
    #[test]
    fn another_key_helps_only_where_no_key_verified_the_message() {
        let helps = [
            E::NoKeys,
            E::UnusableKeys(BadSecret("x")),
            E::UnknownSerial,
            E::NoSignature,
            E::BadSignature,
            E::Undecryptable,
        ];
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
}
