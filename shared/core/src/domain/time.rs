//! A point in time, as a value: the domain never reads a clock.

use super::OutOfRange;

/// Milliseconds since 1970-01-01T00:00:00Z.
///
/// Holding one proves it lies before the year 10000, so it prints as RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// 9999-12-31T23:59:59.999Z.
    pub const MAX_MILLIS: u64 = 253_402_300_799_999;

    /// Wraps Unix milliseconds.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] above [`Self::MAX_MILLIS`].
    pub const fn from_millis(millis: u64) -> Result<Self, OutOfRange> {
        if millis > Self::MAX_MILLIS {
            return Err(OutOfRange::new("time"));
        }
        Ok(Self(millis))
    }

    /// Unix time in milliseconds.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Unix time in whole seconds.
    #[must_use]
    pub const fn secs(self) -> u64 {
        self.0 / 1000
    }

    /// This many milliseconds later, or the last representable time.
    #[must_use]
    pub const fn plus_millis(self, millis: u64) -> Self {
        let later = self.0.saturating_add(millis);
        Self(if later > Self::MAX_MILLIS { Self::MAX_MILLIS } else { later })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stops_at_the_year_9999() {
        assert!(Timestamp::from_millis(Timestamp::MAX_MILLIS + 1).is_err());
        let last = Timestamp::from_millis(Timestamp::MAX_MILLIS).unwrap();
        assert_eq!(last.plus_millis(1), last);
        assert_eq!(Timestamp::from_millis(1_999).unwrap().secs(), 1);
    }
}
