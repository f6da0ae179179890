//! Why the signature of a webhook, or a token, is or is not valid.
//!
//! The verdict comes from the functions that the callback handler calls. A hint says only what is
//! proven: by verifying a changed message, or with other keys, again, or by a fact in the message.

mod body;
mod case;
mod check;
mod edit;
mod form;
mod headers;
mod keys;
mod layout;
mod notification;
mod senders;
#[cfg(test)]
mod tests;
mod time;
mod token;
mod trial;
mod wrong_account;

use pay_core::ports::BadSecret;
use pay_providers::{Verified, VerifyError};
use serde::Serialize;

pub(crate) use layout::{indented, pieces};

use case::Case;
use check::SchemeKeys;
use notification::Reported;
use token::{Caller, TokenCase};
use trial::Trial;

/// The diagnosis of one line. Serializes as the line that is printed.
#[derive(Debug, Serialize)]
pub struct Diagnosis {
    verdict: Judgement,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notification: Option<Reported>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<Caller>,
    #[serde(skip)]
    readable: bool,
}

/// What the service does with the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
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
    pub const fn verdict(&self) -> Judgement {
        self.verdict
    }

    /// Whether the line could be read.
    #[must_use]
    pub const fn is_readable(&self) -> bool {
        self.readable
    }

    const fn new(verdict: Judgement, reason: String, hint: Option<String>) -> Self {
        Self {
            verdict,
            reason,
            hint,
            ignored: None,
            notification: None,
            caller: None,
            readable: true,
        }
    }
}

/// Explains why the message or the token of one line is or is not authentic.
///
/// The line is a JSON object. A message has `provider`, `headers`, `body_base64` or `body`, and
/// `keys`; a token has `token`, `keys` and what it must say, `scope`, `issuer`, `audience`. Both have
/// `now` for another time than the present. A line that cannot be read gets a diagnosis too, so that
/// it does not stop the lines after it.
#[must_use]
pub fn diagnose(line: &[u8], now_secs: u64) -> Diagnosis {
    let diagnosis = case::object(line).and_then(|object| {
        if object.get("token").is_some() {
            TokenCase::read(&object, now_secs).map(|case| case.judge())
        } else {
            Case::read(&object, now_secs).map(|case| judge(&case))
        }
    });
    diagnosis.unwrap_or_else(|reason| {
        let unread = Diagnosis::new(Judgement::ConfigError, reason, None);
        Diagnosis { readable: false, ..unread }
    })
}

fn judge(case: &Case) -> Diagnosis {
    match case.scheme.keys(&case.keys) {
        Ok(keys) => verified(case, &keys),
        Err(bad) => unusable(case, bad),
    }
}

/// The diagnosis with usable keys.
fn verified(case: &Case, keys: &SchemeKeys) -> Diagnosis {
    let trial = Trial::new(case, keys);
    match keys.verify(&case.headers, &case.body, case.now) {
        Ok(verified) => accepted(&trial, verified.as_ref()),
        Err(error) => {
            let ours = matches!(error, VerifyError::NoKeys | VerifyError::Undecryptable);
            let verdict = if ours { Judgement::ConfigError } else { Judgement::Reject };
            Diagnosis::new(verdict, error.to_string(), hint(&trial, error))
        }
    }
}

/// The diagnosis with unusable keys. A message that fails before any key is used is still rejected
/// for its own reason.
fn unusable(case: &Case, bad: BadSecret) -> Diagnosis {
    let none = (senders::of(case.scheme).no_keys)();
    let trial = Trial::new(case, &none);
    match none.verify(&case.headers, &case.body, case.now) {
        Err(error) if !error.is_of_unknown_key() => {
            Diagnosis::new(Judgement::Reject, error.to_string(), hint(&trial, error))
        }
        Ok(_) | Err(_) => {
            let hint = keys::unusable(&trial);
            Diagnosis::new(Judgement::ConfigError, bad.to_string(), hint)
        }
    }
}

fn accepted(trial: &Trial<'_>, verified: Option<&Verified>) -> Diagnosis {
    let reason = if trial.sender.timestamp.is_some() {
        "the signature fits, and the timestamp is recent"
    } else {
        "the signature fits; nothing in the message ties it to a time"
    };
    let base = Diagnosis::new(Judgement::Accept, reason.to_owned(), keys::previous(trial));
    match verified {
        None => base,
        Some(Verified::Ignored(why)) => Diagnosis { ignored: Some(why.text()), ..base },
        Some(Verified::Notification(notification) | Verified::Hint(notification, _)) => {
            let mismatch = notification.wrong_account.as_ref();
            let quarantined = mismatch.map(|first| wrong_account::quarantined(trial, first));
            let review = notification.review.as_ref();
            let review = review.map(|mismatch| {
                format!("it would be quarantined: {}", shown(&mismatch.to_string()))
            });
            let hints =
                [review, quarantined, base.hint.clone()].into_iter().flatten().collect::<Vec<_>>();
            let hint = (!hints.is_empty()).then(|| hints.join("; "));
            Diagnosis { hint, notification: Some(Reported::of(notification)), ..base }
        }
    }
}

/// The first cause that can be proven for a message that is rejected.
fn hint(trial: &Trial<'_>, error: VerifyError) -> Option<String> {
    let of_sender = || (trial.sender.of_error)(trial, error);
    // A probe is never signed, and a message that is not decrypted has a right signature.
    if matches!(error, VerifyError::Probe | VerifyError::Undecryptable) {
        return of_sender();
    }
    time::clock(trial)
        .or_else(|| headers::renamed(trial))
        .or_else(|| headers::of_another_sender(trial))
        .or_else(|| headers::doubled(trial))
        .or_else(|| headers::tidied(trial))
        .or_else(|| time::not_seconds(trial))
        .or_else(|| body::ends(trial))
        .or_else(|| body::encoded(trial))
        .or_else(|| layout::laid_out(trial))
        .or_else(|| form::changed(trial))
        .or_else(|| keys::altered(trial))
        .or_else(|| (trial.sender.other_use)(trial))
        .or_else(|| keys::no_key(trial))
        .or_else(|| body::gone(trial, error))
        .or_else(of_sender)
        .or_else(|| time::not_alone(trial, error))
}

/// A text of the message, cut to a readable length.
fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    text.chars().take(LONGEST).collect()
}
