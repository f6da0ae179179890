//! When something is to be done about a payment.

use super::{PaymentId, Timestamp};
use crate::limits::{
    BACKOFF_FIRST_MS, BACKOFF_MAX_MS, NOTIFY_GRACE_MS, QUERY_BACKOFF_FIRST_MS,
    QUERY_BACKOFF_MAX_MS, QUERY_FIRST_MS,
};

/// When the sweep looks at a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Due {
    /// Not before this time.
    pub at: Timestamp,
    /// How many attempts of the sweep have changed nothing.
    pub attempts: u32,
}

impl Due {
    /// When a payment made now is first looked at, where a provider can be queried.
    #[must_use]
    pub const fn first_query(now: Timestamp) -> Self {
        Self { at: now.plus_millis(QUERY_FIRST_MS), attempts: 0 }
    }

    /// When the sweep first looks at what is written now: whoever writes it calls the order service or the
    /// provider itself, and has a minute for that.
    #[must_use]
    pub const fn after_grace(now: Timestamp) -> Self {
        Self { at: now.plus_millis(NOTIFY_GRACE_MS), attempts: 0 }
    }

    /// The next time after one more failed notification of the order service: exponential backoff from 1
    /// to 15 minutes.
    #[must_use]
    pub fn rescheduled(self, id: PaymentId, now: Timestamp) -> Self {
        self.delayed(id, now, BACKOFF_FIRST_MS, BACKOFF_MAX_MS)
    }

    /// The next time after one more query that changed nothing: exponential backoff from 2 minutes to an
    /// hour.
    #[must_use]
    pub fn queried_again(self, id: PaymentId, now: Timestamp) -> Self {
        self.delayed(id, now, QUERY_BACKOFF_FIRST_MS, QUERY_BACKOFF_MAX_MS)
    }

    /// With a jitter of a quarter either way, so that what failed together is not retried together.
    fn delayed(self, id: PaymentId, now: Timestamp, first_ms: u64, most_ms: u64) -> Self {
        let delay_ms = (first_ms << self.attempts.min(5)).min(most_ms);
        // The low bits of an id are random.
        let jitter_ms = delay_ms.saturating_mul(id.get() % 64) / 128;
        let delay_ms = delay_ms.saturating_sub(delay_ms / 4).saturating_add(jitter_ms);
        Self { at: now.plus_millis(delay_ms), attempts: self.attempts.saturating_add(1) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    #[test]
    fn the_backoff_doubles_up_to_a_quarter_of_an_hour() {
        let now = Timestamp::from_millis(NOW).unwrap();
        let id = |id| PaymentId::new(id).unwrap();
        let mut due = Due { at: now, attempts: 0 };
        let mut delays = Vec::new();
        for _ in 0..7 {
            due = due.rescheduled(id(32), now);
            delays.push((due.at.millis() - NOW) / 1000);
        }
        assert_eq!(delays, [60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(due.attempts, 7);
        // Spread by a quarter either way.
        let delay = |of| Due { at: now, attempts: 9 }.rescheduled(id(of), now).at.millis() - NOW;
        assert_eq!(delay(64), 675_000);
        assert!((1_100_000..1_125_000).contains(&delay(63)), "{}", delay(63));
        assert_eq!(Due { at: now, attempts: u32::MAX }.rescheduled(id(32), now).attempts, u32::MAX);
    }

    /// As when an order service stops: see docs/scale.md.
    #[test]
    fn what_failed_together_is_spread_when_it_is_rescheduled() {
        let now = Timestamp::from_millis(NOW).unwrap();
        // Attempts; due from and to, in seconds; the most of 64,000 in one of them.
        for (attempts, from, to, most) in [
            (0, 45, 74, 3000),
            (1, 90, 149, 2000),
            (2, 180, 298, 1000),
            (3, 360, 596, 1000),
            (4, 675, 1117, 1000),
            (9, 675, 1117, 1000),
        ] {
            let mut seconds = BTreeMap::new();
            for id in 1..=64_000 {
                let id = PaymentId::new(id).unwrap();
                let due = Due { at: now, attempts }.rescheduled(id, now).at.secs() - NOW / 1000;
                *seconds.entry(due).or_insert(0) += 1;
            }
            let (first, last) = (seconds.first_key_value(), seconds.last_key_value());
            assert_eq!((*first.unwrap().0, *last.unwrap().0), (from, to), "{attempts}");
            assert_eq!(*seconds.values().max().unwrap(), most, "{attempts}");
        }
    }
}
