//! Verifies a changed message again, which proves a hint.

use std::fmt;

use pay_core::domain::Timestamp;
use pay_core::json::Json;
use pay_providers::VerifyError;

use super::case::Case;
use super::check::{HeaderList, SchemeKeys};
use super::senders::{self, SenderFacts};

/// A message, the keys to verify it with, and what is known about its sender.
#[derive(Clone, Copy)]
pub(super) struct Trial<'a> {
    pub(super) case: &'a Case,
    pub(super) keys: &'a SchemeKeys,
    pub(super) sender: &'static SenderFacts,
}

/// A signature that fits. Prints what is wrong with the time, as the end of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// The time is right as well.
    Fresh,
    /// The message is this many seconds old, which is too old.
    Old(u64),
    /// The message is this many seconds ahead, which is too far.
    Ahead(u64),
}

impl<'a> Trial<'a> {
    pub(super) const fn new(case: &'a Case, keys: &'a SchemeKeys) -> Self {
        Self { case, keys, sender: senders::of(case.scheme) }
    }

    /// Whether the signature fits the message as it was received, whenever it was sent.
    pub(super) fn fits_as_it_is(&self) -> Option<Fit> {
        self.fits_keys(self.keys)
    }

    /// The same with another body.
    pub(super) fn fits_body(&self, body: &[u8]) -> Option<Fit> {
        fits(self.keys, &self.case.headers, body, self.case.now)
    }

    /// The same with other headers.
    pub(super) fn fits_headers(&self, headers: &HeaderList) -> Option<Fit> {
        fits(self.keys, headers, &self.case.body, self.case.now)
    }

    /// The same with another entry of keys.
    pub(super) fn fits_entry(&self, entry: &Json) -> Option<Fit> {
        self.fits_keys(&self.case.scheme.keys(entry).ok()?)
    }

    /// The same with other keys.
    pub(super) fn fits_keys(&self, keys: &SchemeKeys) -> Option<Fit> {
        fits(keys, &self.case.headers, &self.case.body, self.case.now)
    }
}

fn fits(keys: &SchemeKeys, headers: &HeaderList, body: &[u8], now: Timestamp) -> Option<Fit> {
    // The signature of a message that cannot be decrypted is valid.
    let passes = |result| matches!(result, Ok(_) | Err(VerifyError::Undecryptable));
    let result = keys.verify(headers, body, now);
    let Some((fit, then)) = result.as_ref().err().and_then(|error| own_time(*error, now)) else {
        return passes(result).then_some(Fit::Fresh);
    };
    passes(keys.verify(headers, body, then)).then_some(fit)
}

/// When a message was sent that is rejected because of its time.
pub(super) fn own_time(error: VerifyError, now: Timestamp) -> Option<(Fit, Timestamp)> {
    let millis = |secs: u64| secs.saturating_mul(1000);
    let (fit, then) = if let VerifyError::Stale { by_secs, .. } = error {
        (Fit::Old(by_secs), now.millis().saturating_sub(millis(by_secs)))
    } else if let VerifyError::Early { by_secs, .. } = error {
        (Fit::Ahead(by_secs), now.millis().saturating_add(millis(by_secs)))
    } else {
        return None;
    };
    Some((fit, Timestamp::from_millis(then).ok()?))
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fresh => Ok(()),
            Self::Old(secs) => write!(f, "; besides, the message is {secs} s old"),
            Self::Ahead(secs) => write!(f, "; besides, the message is {secs} s ahead"),
        }
    }
}
