//! Checking a changed message again, which is how a hint is proven.

use std::fmt;

use pay::domain::Timestamp;
use pay::webhooks::WebhookError;

use super::case::Case;
use super::check::{HeaderList, Keys};

/// A message and the keys to check it with, changed or not.
#[derive(Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub(super) case: &'a Case,
    pub(super) keys: &'a Keys,
}

/// That a signature fits. Prints what else a reader must know, as the end of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    Fresh,
    /// So many seconds too old.
    Old(u64),
    /// So many seconds ahead.
    Ahead(u64),
}

impl<'a> Attempt<'a> {
    pub(super) const fn new(case: &'a Case, keys: &'a Keys) -> Self {
        Self { case, keys }
    }

    /// Whether the signature fits this message, whenever it was sent.
    pub(super) fn fits(&self, headers: &HeaderList, body: &[u8]) -> Option<Fit> {
        let verify = |now: Timestamp| self.keys.verify(headers, body, now);
        // A message that cannot be decrypted has passed its check.
        let passes = |result| matches!(result, Ok(_) | Err(WebhookError::Undecryptable));
        let millis = self.case.now.millis();
        let (fit, then) = match verify(self.case.now) {
            Err(WebhookError::Stale { by_secs, .. }) => {
                (Fit::Old(by_secs), millis.saturating_sub(by_secs.saturating_mul(1000)))
            }
            Err(WebhookError::Early { by_secs, .. }) => {
                (Fit::Ahead(by_secs), millis.saturating_add(by_secs.saturating_mul(1000)))
            }
            result => return passes(result).then_some(Fit::Fresh),
        };
        let then = Timestamp::from_millis(then).ok()?;
        passes(verify(then)).then_some(fit)
    }

    /// The same with another body.
    pub(super) fn fits_body(&self, body: &[u8]) -> Option<Fit> {
        self.fits(&self.case.headers, body)
    }

    /// The same with other headers.
    pub(super) fn fits_headers(&self, headers: &HeaderList) -> Option<Fit> {
        self.fits(headers, &self.case.body)
    }

    /// What can be proven about a message that failed.
    pub(super) fn hint(&self, error: WebhookError) -> Option<String> {
        let _ = (self, error);
        None
    }
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
