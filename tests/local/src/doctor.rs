//! Why a webhook's signature does or does not verify.
//!
//! The verdict is that of the very functions that the callback handler calls. A hint says only what
//! was proven: by checking a changed message, or other keys, with those functions again, or by a
//! fact that can be read off the message.

mod alipay;
mod attempt;
mod body;
mod case;
mod check;
mod edit;
mod foreign;
mod headers;
mod keys;
mod kind;
mod layout;
mod says;
#[cfg(test)]
mod tests;
mod time;
mod wechat;

use pay_core::ports::BadSecret;
use pay_providers::{Reading, WebhookError};
use serde::Serialize;

use attempt::Attempt;
use case::Case;
use check::Keys;
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
            let ours = matches!(error, WebhookError::NoKeys | WebhookError::Undecryptable);
            let verdict = if ours { Verdict::ConfigError } else { Verdict::Reject };
            Diagnosis::new(verdict, error.to_string(), hint(&attempt, error))
        }
    }
}

/// With keys that could not: a message that fails before any key is looked at is still the
/// message's own fault.
fn unusable(case: &Case, bad: BadSecret) -> Diagnosis {
    let none = case.scheme.no_keys();
    let attempt = Attempt::new(case, &none);
    match none.verify(&case.headers, &case.body, case.now) {
        Err(error) if !error.is_of_unknown_key() => {
            Diagnosis::new(Verdict::Reject, error.to_string(), hint(&attempt, error))
        }
        Ok(_) | Err(_) => {
            let hint = keys::unusable(&attempt);
            Diagnosis::new(Verdict::ConfigError, bad.to_string(), hint)
        }
    }
}

fn accepted(attempt: &Attempt<'_>, reading: Option<Reading>) -> Diagnosis {
    let reason = if attempt.case.scheme.is_timed() {
        "the signature fits, and the timestamp is fresh"
    } else {
        "the signature fits; nothing in the message ties it to a time"
    };
    let base = Diagnosis::new(Verdict::Accept, reason.to_owned(), keys::previous(attempt));
    match reading {
        None => base,
        Some(Reading::Ignored(why)) => Diagnosis { ignored: Some(why), ..base },
        Some(Reading::Message(message)) => {
            let foreign = message.foreign.then(|| foreign::foreign(attempt));
            let hints = [foreign, base.hint.clone()].into_iter().flatten().collect::<Vec<_>>();
            let hint = (!hints.is_empty()).then(|| hints.join("; "));
            Diagnosis { hint, says: Some(Says::of(&message)), ..base }
        }
    }
}

/// What can be proven about a message that failed: the first cause that is.
fn hint(attempt: &Attempt<'_>, error: WebhookError) -> Option<String> {
    if error == WebhookError::Probe {
        let probe = "WeChat Pay tests with it whether signatures are checked: refusing it is right";
        return Some(probe.to_owned());
    }
    if error == WebhookError::Undecryptable {
        return wechat::undecryptable(attempt);
    }
    time::clock(attempt)
        .or_else(|| headers::renamed(attempt))
        .or_else(|| headers::of_another_sender(attempt))
        .or_else(|| headers::doubled(attempt))
        .or_else(|| headers::tidied(attempt))
        .or_else(|| time::not_seconds(attempt))
        .or_else(|| body::edges(attempt))
        .or_else(|| body::encoded(attempt))
        .or_else(|| layout::laid_out(attempt))
        .or_else(|| alipay::changed_form(attempt))
        .or_else(|| keys::altered(attempt))
        .or_else(|| keys::by_the_other_scheme(attempt))
        .or_else(|| wechat::serial(attempt))
        .or_else(|| keys::no_key(attempt))
        .or_else(|| body::gone(attempt, error))
        .or_else(|| kind::named(attempt, error))
        .or_else(|| time::not_alone(attempt, error))
}

/// A text of the message as a hint shows it: of a length that can be read.
fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    text.chars().take(LONGEST).collect()
}
