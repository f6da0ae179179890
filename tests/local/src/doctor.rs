//! Why the signature of a webhook is or is not valid.
//!
//! The verdict comes from the functions that the callback handler calls. A hint says only what is
//! proven: by verifying a changed message, or with other keys, again, or by a fact in the message.

mod alipay;
mod attempt;
mod body;
mod case;
mod check;
mod edit;
mod headers;
mod keys;
mod kind;
mod layout;
mod notification;
#[cfg(test)]
mod tests;
mod time;
mod wechat;
mod wrong_account;

use pay_core::ports::BadSecret;
use pay_providers::{Verified, VerifyError};
use serde::Serialize;

use attempt::Attempt;
use case::Case;
use check::Keys;
use notification::Reported;

/// The diagnosis of one line. Serializes as the line that is printed.
#[derive(Debug, Serialize)]
pub struct Diagnosis {
    verdict: Verdict,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notification: Option<Reported>,
    #[serde(skip)]
    readable: bool,
}

/// What the service does with the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Authentic and recent, whether or not it has an effect.
    Accept,
    /// Not authentic, or not recent.
    Reject,
    /// The keys could never work, or the line could not be read.
    ConfigError,
}

impl Diagnosis {
    /// What the service does with the message.
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
        Self { verdict, reason, hint, ignored: None, notification: None, readable: true }
    }
}

/// Explains why the message of one line is or is not authentic.
///
/// The line is a JSON object of `provider`, `headers`, `body_base64` or `body`, `keys` and, for
/// another time than the present, `now`. A line that cannot be read gets a diagnosis too, so that
/// it does not stop the lines after it.
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

/// The diagnosis with usable keys.
fn verified(case: &Case, keys: &Keys) -> Diagnosis {
    let attempt = Attempt::new(case, keys);
    match keys.verify(&case.headers, &case.body, case.now) {
        Ok(verified) => accepted(&attempt, verified.as_ref()),
        Err(error) => {
            let ours = matches!(error, VerifyError::NoKeys | VerifyError::Undecryptable);
            let verdict = if ours { Verdict::ConfigError } else { Verdict::Reject };
            Diagnosis::new(verdict, error.to_string(), hint(&attempt, error))
        }
    }
}

/// The diagnosis with unusable keys. A message that fails before any key is used is still rejected
/// for its own reason.
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

fn accepted(attempt: &Attempt<'_>, verified: Option<&Verified>) -> Diagnosis {
    let reason = if attempt.case.scheme.is_timed() {
        "the signature fits, and the timestamp is recent"
    } else {
        "the signature fits; nothing in the message ties it to a time"
    };
    let base = Diagnosis::new(Verdict::Accept, reason.to_owned(), keys::previous(attempt));
    match verified {
        None => base,
        Some(Verified::Ignored(why)) => Diagnosis { ignored: Some(why), ..base },
        Some(Verified::Notification(notification)) => {
            let mismatch = notification.wrong_account.as_ref();
            let quarantined = mismatch.map(|first| wrong_account::quarantined(attempt, first));
            let hints = [quarantined, base.hint.clone()].into_iter().flatten().collect::<Vec<_>>();
            let hint = (!hints.is_empty()).then(|| hints.join("; "));
            Diagnosis { hint, notification: Some(Reported::of(notification)), ..base }
        }
    }
}

/// The first cause that can be proven for a message that is rejected.
fn hint(attempt: &Attempt<'_>, error: VerifyError) -> Option<String> {
    if error == VerifyError::Probe {
        let probe =
            "WeChat Pay tests with it whether signatures are checked: rejecting it is right";
        return Some(probe.to_owned());
    }
    if error == VerifyError::Undecryptable {
        return wechat::undecryptable(attempt);
    }
    time::clock(attempt)
        .or_else(|| headers::renamed(attempt))
        .or_else(|| headers::of_another_sender(attempt))
        .or_else(|| headers::doubled(attempt))
        .or_else(|| headers::tidied(attempt))
        .or_else(|| time::not_seconds(attempt))
        .or_else(|| body::ends(attempt))
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

/// A text of the message, cut to a readable length.
fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    text.chars().take(LONGEST).collect()
}
