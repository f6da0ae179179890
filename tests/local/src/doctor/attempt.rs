//! Checking a changed message again, which is how a hint is proven.

use std::fmt;

use pay_core::domain::Timestamp;
use pay_core::json::Json;
use pay_providers::WebhookError;

use super::case::Case;
use super::check::{HeaderList, Keys};

/// A message and the keys to check it with.
#[derive(Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub(super) case: &'a Case,
    pub(super) keys: &'a Keys,
}

/// That a signature fits. Prints what else a reader must know, as the end of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// And that is all.
    Fresh,
    /// The message is so many seconds too old.
    Old(u64),
    /// It is so many seconds ahead.
    Ahead(u64),
}

impl<'a> Attempt<'a> {
    pub(super) const fn new(case: &'a Case, keys: &'a Keys) -> Self {
        Self { case, keys }
    }

    /// Whether the signature fits this message, whenever it was sent.
    pub(super) fn fits(&self, headers: &HeaderList, body: &[u8]) -> Option<Fit> {
        fits(self.keys, headers, body, self.case.now)
    }

    /// The same of the message as it came.
    pub(super) fn fits_as_it_is(&self) -> Option<Fit> {
        self.fits(&self.case.headers, &self.case.body)
    }

    /// The same with another body.
    pub(super) fn fits_body(&self, body: &[u8]) -> Option<Fit> {
        self.fits(&self.case.headers, body)
    }

    /// The same with other headers.
    pub(super) fn fits_headers(&self, headers: &HeaderList) -> Option<Fit> {
        self.fits(headers, &self.case.body)
    }

    /// The same with another entry of keys.
    pub(super) fn fits_entry(&self, entry: &Json) -> Option<Fit> {
        let keys = self.case.scheme.keys(entry).ok()?;
        self.fits_keys(&keys)
    }

    /// The same with other keys.
    pub(super) fn fits_keys(&self, keys: &Keys) -> Option<Fit> {
        fits(keys, &self.case.headers, &self.case.body, self.case.now)
    }
}

fn fits(keys: &Keys, headers: &HeaderList, body: &[u8], now: Timestamp) -> Option<Fit> {
    // A message that cannot be decrypted has passed its check.
    let passes = |result| matches!(result, Ok(_) | Err(WebhookError::Undecryptable));
    let result = keys.verify(headers, body, now);
    let Some((fit, then)) = result.as_ref().err().and_then(|error| own_time(*error, now)) else {
        return passes(result).then_some(Fit::Fresh);
    };
    passes(keys.verify(headers, body, then)).then_some(fit)
}

/// When a message was sent that is refused because of its age.
pub(super) fn own_time(error: WebhookError, now: Timestamp) -> Option<(Fit, Timestamp)> {
    let millis = |secs: u64| secs.saturating_mul(1000);
    let (fit, then) = if let WebhookError::Stale { by_secs, .. } = error {
        (Fit::Old(by_secs), now.millis().saturating_sub(millis(by_secs)))
    } else if let WebhookError::Early { by_secs, .. } = error {
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
