//! Why a webhook's signature does or does not verify.
//!
//! The verdict is that of the very functions that the callback handler calls. A hint says only what
//! was proven: by checking a changed message, or other keys, with those functions again, or by a
//! fact that can be read off the message.

mod attempt;
mod case;
mod check;
mod says;
#[cfg(test)]
mod tests;

use pay::secret::BadSecret;
use pay::webhooks::{Reading, WebhookError};
use serde::Serialize;

use attempt::Attempt;
use case::Case;
use check::{Keys, Scheme};
use says::Says;

/// What is said about one line. Serializes as the answer to it.
#[derive(Debug, Serialize)]
pub struct Diagnosis {
    verdict: Verdict,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<Says>,
    #[serde(skip)]
    readable: bool,
}

/// What becomes of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Authentic and fresh, whether or not it is an event that is acted on.
    Accept,
    /// Neither authentic nor fresh, or one of them only.
    Reject,
    /// The keys could never work, or the line could not be read.
    ConfigError,
}

impl Diagnosis {
    /// What becomes of the message.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Whether the line could be read.
    #[must_use]
    pub const fn is_readable(&self) -> bool {
        self.readable
    }

    /// What was proven about the cause.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    const fn new(verdict: Verdict, reason: String, hint: Option<String>) -> Self {
        Self { verdict, reason, hint, ignored: None, says: None, readable: true }
    }
}

/// Says why the message of one line does or does not verify.
///
/// The line is a JSON object of `provider`, `headers`, `body_base64` or `body`, `keys` and, if the
/// present is not meant, `now`. It never holds up the next line: what cannot be read is said so.
#[must_use]
pub fn diagnose(line: &[u8], now_secs: u64) -> Diagnosis {
    match Case::read(line, now_secs) {
        Ok(case) => judge(&case),
        Err(reason) => {
            let unread = Diagnosis::new(Verdict::ConfigError, reason, None);
            Diagnosis { readable: false, ..unread }
        }
    }
}

fn judge(case: &Case) -> Diagnosis {
    match case.scheme.keys(&case.keys) {
        Ok(keys) => verified(case, &keys),
        Err(bad) => unusable(case, bad),
    }
}

/// With keys that could work.
fn verified(case: &Case, keys: &Keys) -> Diagnosis {
    let attempt = Attempt::new(case, keys);
    match keys.verify(&case.headers, &case.body, case.now) {
        Ok(reading) => accepted(&attempt, reading),
        Err(error) => {
            let verdict = match error {
                WebhookError::NoKeys | WebhookError::Undecryptable => Verdict::ConfigError,
                WebhookError::MissingHeader(_)
                | WebhookError::Doubled(_)
                | WebhookError::BadHeader(_)
                | WebhookError::MissingField(_)
                | WebhookError::DoubledField
                | WebhookError::BadAlgorithm
                | WebhookError::BadCharset
                | WebhookError::BadTimestamp
                | WebhookError::Stale { .. }
                | WebhookError::Early { .. }
                | WebhookError::Probe
                | WebhookError::UnknownSerial
                | WebhookError::NoSignature
                | WebhookError::BadSignature => Verdict::Reject,
            };
            Diagnosis::new(verdict, error.to_string(), attempt.hint(error))
        }
    }
}

/// With keys that could not: a message that fails before any key is looked at is still the
/// message's own fault.
fn unusable(case: &Case, bad: BadSecret) -> Diagnosis {
    let none = case.scheme.no_keys();
    match none.verify(&case.headers, &case.body, case.now) {
        Err(error) if !error.is_of_unknown_key() => {
            let hint = Attempt::new(case, &none).hint(error);
            Diagnosis::new(Verdict::Reject, error.to_string(), hint)
        }
        Ok(_) | Err(_) => Diagnosis::new(Verdict::ConfigError, bad.to_string(), None),
    }
}

fn accepted(attempt: &Attempt<'_>, reading: Option<Reading>) -> Diagnosis {
    let reason = match attempt.case.scheme.is_timed() {
        true => "the signature fits, and the timestamp is fresh",
        false => "the signature fits; nothing in the message ties it to a time",
    };
    let base = Diagnosis::new(Verdict::Accept, reason.to_owned(), None);
    match reading {
        None => base,
        Some(Reading::Ignored(why)) => Diagnosis { ignored: Some(why), ..base },
        Some(Reading::Message(message)) => Diagnosis { says: Some(Says::of(&message)), ..base },
    }
}
