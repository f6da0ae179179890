//! How long a payment can be paid.

use super::{Due, OutOfRange, Payment, Timestamp};
use crate::limits::TIME_TO_LIVE_SECONDS;

/// How long after its creation a payment can be paid: then it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeToLive {
    seconds: u64,
}

impl TimeToLive {
    /// Wraps a number of seconds.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] beyond [`TIME_TO_LIVE_SECONDS`].
    pub fn new(seconds: u64) -> Result<Self, OutOfRange> {
        let (least, most) = TIME_TO_LIVE_SECONDS;
        let fits = (least..=most).contains(&seconds);
        if fits { Ok(Self { seconds }) } else { Err(OutOfRange::new("time to live")) }
    }

    /// The number of seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.seconds
    }

    /// The last moment to pay a payment that was created at this time.
    #[must_use]
    pub const fn end_of(self, create_time: Timestamp) -> Timestamp {
        create_time.plus_millis(self.seconds.saturating_mul(1000))
    }

    /// Whether a payment's is over.
    #[must_use]
    pub fn is_over(self, payment: &Payment, now: Timestamp) -> bool {
        now >= self.end_of(payment.create_time)
    }

    /// The same time to look at a payment, or the end of its time to live where that comes before.
    #[must_use]
    pub fn bounds(self, create_time: Timestamp, due: Due) -> Due {
        Due { at: due.at.min(self.end_of(create_time)), ..due }
    }
}

#[cfg(test)]
mod tests {
    use super::TimeToLive;

    #[test]
    fn a_time_to_live_is_a_minute_to_thirty_days() {
        assert!(TimeToLive::new(59).is_err() && TimeToLive::new(60).is_ok());
        assert!(TimeToLive::new(2_592_000).is_ok() && TimeToLive::new(2_592_001).is_err());
    }
}
