//! How often unknown signatures make a secret be read again.

use pay_core::domain::Timestamp;

use crate::limits::{SECRET_REREAD_MS, SECRET_REREADS_BURST};

/// A few at once, then one for each interval: anybody can send an unknown signature.
pub(super) struct Rereads {
    left: u32,
    /// Since when the next one is waited for.
    since: Option<Timestamp>,
}

impl Rereads {
    pub(super) const fn new() -> Self {
        Self { left: SECRET_REREADS_BURST, since: None }
    }

    /// Uses one; `false` if none is left.
    pub(super) fn take(&mut self, now: Timestamp) -> bool {
        self.refill(now);
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    fn refill(&mut self, now: Timestamp) {
        // After a clock was set back, the wait begins anew.
        let since = self.since.filter(|since| *since <= now).unwrap_or(now);
        let passed = now.millis().saturating_sub(since.millis());
        let more = passed.checked_div(SECRET_REREAD_MS).unwrap_or_default();
        let left = self.left.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
        let is_full = left >= SECRET_REREADS_BURST;
        self.left = left.min(SECRET_REREADS_BURST);
        let counted = since.plus_millis(more.saturating_mul(SECRET_REREAD_MS));
        self.since = Some(if is_full { now } else { counted });
    }
}
