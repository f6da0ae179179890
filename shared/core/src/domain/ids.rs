//! The three kinds of id, and how ids of payments are made.

use std::fmt;

use super::{OutOfRange, Timestamp};

/// Largest integer that every JSON client reads exactly (RFC 8259, section 6).
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Largest integer of a shop whose ids are signed 64-bit numbers, as those of the mall are.
const MAX_SIGNED_INTEGER: u64 = (1 << 63) - 1;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:expr) => {
        $(#[$doc])*
        ///
        /// Holding one proves `1 <= id <= Self::MAX`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// The largest one.
            pub const MAX: u64 = $max;

            /// Wraps a number from outside.
            ///
            /// # Errors
            ///
            /// [`OutOfRange`] for 0 and for anything above [`Self::MAX`].
            pub const fn new(id: u64) -> Result<Self, OutOfRange> {
                if id == 0 || id > Self::MAX {
                    return Err(OutOfRange::new($what));
                }
                Ok(Self(id))
            }

            /// The number itself.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// Names a payment. Ours: time-ordered, with random low bits.
    PaymentId,
    "id",
    MAX_SAFE_INTEGER
);
id!(
    /// Names a user of the shop, as the user service numbers them.
    UserId,
    "uid",
    MAX_SIGNED_INTEGER
);
id!(
    /// Names an order of the shop, as the order service numbers them.
    OrderId,
    "oid",
    MAX_SIGNED_INTEGER
);

impl PaymentId {
    /// 2026-01-01T00:00:00Z in Unix milliseconds: ids count from here, which lasts until 2095.
    const EPOCH_MS: u64 = 1_767_225_600_000;
    const RANDOM_BITS: u32 = 12;
    const TIME_MASK: u64 = MAX_SAFE_INTEGER >> Self::RANDOM_BITS;
    const RANDOM_MASK: u64 = (1 << Self::RANDOM_BITS) - 1;

    /// Makes an id: 41 bits of milliseconds above 12 bits of `random`.
    ///
    /// Later ids are larger, so the indexes sort by age; ids are neither consecutive nor a count of
    /// payments. Two of one millisecond may collide: the write is conditional and takes another.
    #[must_use]
    pub const fn generate(now: Timestamp, random: u64) -> Self {
        let elapsed_ms = now.millis().saturating_sub(Self::EPOCH_MS) & Self::TIME_MASK;
        let id = (elapsed_ms << Self::RANDOM_BITS) | (random & Self::RANDOM_MASK);
        // Zero is no id; it takes the first millisecond of the epoch and twelve zero bits.
        Self(if id == 0 { 1 } else { id })
    }

    /// The time that [`Self::generate`] made it at, in Unix milliseconds. It holds of an id that is
    /// older than 2095 and was made so.
    #[must_use]
    pub const fn generated_ms(self) -> u64 {
        (self.0 >> Self::RANDOM_BITS).saturating_add(Self::EPOCH_MS)
    }

    /// Reads what [`fmt::Display`] prints.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for any other text, also for the number with a sign or zeros before it: one
    /// payment has one name.
    pub fn parse(text: &str) -> Result<Self, OutOfRange> {
        let bad = OutOfRange::new("id");
        let id = Self::new(text.parse().map_err(|_no_number| bad)?)?;
        if id.to_string() == text { Ok(id) } else { Err(bad) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payments_id_is_between_1_and_the_largest_safe_integer() {
        assert!(PaymentId::new(0).is_err());
        assert!(PaymentId::new(1).is_ok());
        assert!(PaymentId::new(9_007_199_254_740_991).is_ok());
        assert!(PaymentId::new(9_007_199_254_740_992).is_err());
        assert!(PaymentId::new(u64::MAX).is_err());
    }

    #[test]
    fn an_id_of_the_shop_is_between_1_and_the_largest_signed_64_bit_integer() {
        let ids: [fn(u64) -> bool; 2] =
            [|id| UserId::new(id).is_ok(), |id| OrderId::new(id).is_ok()];
        for new in ids {
            assert!(!new(0) && new(1));
            assert!(new(9_007_199_254_740_992) && new(9_223_372_036_854_775_807));
            assert!(!new(9_223_372_036_854_775_808) && !new(u64::MAX));
        }
        assert_eq!(UserId::new(0).unwrap_err().what, "uid");
        assert_eq!(OrderId::new(0).unwrap_err().what, "oid");
    }

    #[test]
    fn a_payments_id_has_one_text() {
        assert_eq!(PaymentId::parse("42").map(PaymentId::get), Ok(42));
        for bad in ["", "0", "042", "+42", " 42", "42 ", "4.2e1", "9007199254740992", "x"] {
            assert!(PaymentId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn generated_ids_sort_by_time_and_stay_in_range() {
        let at = |ms| Timestamp::from_millis(ms).unwrap();
        let early = PaymentId::generate(at(PaymentId::EPOCH_MS + 1), u64::MAX);
        let late = PaymentId::generate(at(PaymentId::EPOCH_MS + 2), 0);
        assert!(early < late);
        for (ms, random) in [(0, 0), (PaymentId::EPOCH_MS, 0), (Timestamp::MAX_MILLIS, u64::MAX)] {
            let id = PaymentId::generate(at(ms), random);
            assert!(PaymentId::new(id.get()).is_ok(), "{ms} {random}");
        }
    }

    #[test]
    fn the_low_bits_are_the_random_ones() {
        let now = Timestamp::from_millis(PaymentId::EPOCH_MS + 5).unwrap();
        let id = PaymentId::generate(now, 0xabc);
        assert_eq!((id.get(), id.generated_ms()), ((5 << 12) | 0xabc, now.millis()));
    }
}
