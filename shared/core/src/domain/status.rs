//! The status of a payment: a chain that only rises, and the one function that moves along it.

use super::OutOfRange;

/// Where a payment stands. The order of the variants is the order of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Made, nothing heard of it.
    Pending,
    /// An attempt failed; the next may succeed.
    Failed,
    /// Given up. A new payment of the order may replace it.
    Closed,
    /// The money is there.
    Paid,
    /// The money went back, in full.
    Refunded,
}

/// What a message says became of the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// An attempt failed.
    Failed,
    /// It will not be paid any more.
    Closed,
    /// It was paid.
    Paid,
    /// It was paid back in full.
    Refunded,
}

/// What a message does to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The record moves.
    Move(Status),
    /// The record moves if the order's guard still names this payment; else quarantine.
    MoveIfLive(Status),
    /// The record says so already.
    Repeat,
    /// The record is past it.
    Stale,
    /// A genuine message about other money: a person must look.
    Quarantine,
}

impl Status {
    /// Every status, in the order of the chain.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Failed, Self::Closed, Self::Paid, Self::Refunded];

    /// Reads the number of the API and of the record.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] above 4.
    pub fn new(code: u64) -> Result<Self, OutOfRange> {
        match code {
            0 => Ok(Self::Pending),
            1 => Ok(Self::Paid),
            2 => Ok(Self::Failed),
            3 => Ok(Self::Closed),
            4 => Ok(Self::Refunded),
            _ => Err(OutOfRange::new("status")),
        }
    }

    /// The number of the API and of the record: 0 pending, 1 paid, 2 failed, 3 closed, 4 refunded.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Paid => 1,
            Self::Failed => 2,
            Self::Closed => 3,
            Self::Refunded => 4,
        }
    }

    /// What `outcome` does to a payment of this status.
    ///
    /// `same_money`: whether the message may be about the money the record names
    /// ([`super::Money::same_as`]); it counts only once there is money.
    #[must_use]
    #[expect(clippy::match_same_arms, reason = "row by row, as the table is read")]
    pub const fn step(self, outcome: Outcome, same_money: bool) -> Step {
        match (self, outcome) {
            (Self::Pending, Outcome::Failed) => Step::Move(Self::Failed),
            (Self::Pending, Outcome::Closed) => Step::Move(Self::Closed),
            (Self::Pending, Outcome::Paid) => Step::Move(Self::Paid),
            (Self::Pending, Outcome::Refunded) => Step::Move(Self::Refunded),

            (Self::Failed, Outcome::Failed) => Step::Repeat,
            (Self::Failed, Outcome::Closed) => Step::Move(Self::Closed),
            (Self::Failed, Outcome::Paid) => Step::Move(Self::Paid),
            (Self::Failed, Outcome::Refunded) => Step::Move(Self::Refunded),

            (Self::Closed, Outcome::Failed) => Step::Stale,
            (Self::Closed, Outcome::Closed) => Step::Repeat,
            (Self::Closed, Outcome::Paid) => Step::MoveIfLive(Self::Paid),
            (Self::Closed, Outcome::Refunded) => Step::MoveIfLive(Self::Refunded),

            (Self::Paid | Self::Refunded, Outcome::Failed | Outcome::Closed) => Step::Stale,
            (Self::Paid | Self::Refunded, Outcome::Paid | Outcome::Refunded) if !same_money => {
                Step::Quarantine
            }
            (Self::Paid, Outcome::Paid) => Step::Repeat,
            (Self::Paid, Outcome::Refunded) => Step::Move(Self::Refunded),
            (Self::Refunded, Outcome::Paid) => Step::Stale,
            (Self::Refunded, Outcome::Refunded) => Step::Repeat,
        }
    }
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Failed, Self::Closed, Self::Paid, Self::Refunded];

    /// The word the event log keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Closed => "closed",
            Self::Paid => "paid",
            Self::Refunded => "refunded",
        }
    }

    /// Whether it says that money moved: only then does it teach the record whose money it was.
    #[must_use]
    pub const fn moves_money(self) -> bool {
        match self {
            Self::Paid | Self::Refunded => true,
            Self::Failed | Self::Closed => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Outcome::{self, Closed as Closes, Failed as Fails, Paid as Pays, Refunded as Refunds},
        Status::{self, Closed, Failed, Paid, Pending, Refunded},
        Step::{self, Move, MoveIfLive, Quarantine, Repeat, Stale},
    };

    /// Every pair once: the table of docs/design.md, row by row; then what other money changes.
    #[rustfmt::skip]
    const TABLE: [(Status, Outcome, Step, Step); 20] = [
        (Pending, Fails, Move(Failed), Move(Failed)),
        (Pending, Closes, Move(Closed), Move(Closed)),
        (Pending, Pays, Move(Paid), Move(Paid)),
        (Pending, Refunds, Move(Refunded), Move(Refunded)),
        (Failed, Fails, Repeat, Repeat),
        (Failed, Closes, Move(Closed), Move(Closed)),
        (Failed, Pays, Move(Paid), Move(Paid)),
        (Failed, Refunds, Move(Refunded), Move(Refunded)),
        (Closed, Fails, Stale, Stale),
        (Closed, Closes, Repeat, Repeat),
        (Closed, Pays, MoveIfLive(Paid), MoveIfLive(Paid)),
        (Closed, Refunds, MoveIfLive(Refunded), MoveIfLive(Refunded)),
        (Paid, Fails, Stale, Stale),
        (Paid, Closes, Stale, Stale),
        (Paid, Pays, Repeat, Quarantine),
        (Paid, Refunds, Move(Refunded), Quarantine),
        (Refunded, Fails, Stale, Stale),
        (Refunded, Closes, Stale, Stale),
        (Refunded, Pays, Stale, Quarantine),
        (Refunded, Refunds, Repeat, Quarantine),
    ];

    #[test]
    fn every_pair_has_its_step() {
        assert_eq!(TABLE.len(), Status::ALL.len() * Outcome::ALL.len());
        for (status, outcome, same, other) in TABLE {
            assert_eq!(status.step(outcome, true), same, "{status:?} + {outcome:?}, same money");
            assert_eq!(status.step(outcome, false), other, "{status:?} + {outcome:?}, other money");
        }
    }

    #[test]
    fn a_status_only_rises() {
        for status in Status::ALL {
            for outcome in Outcome::ALL {
                if let Move(to) | MoveIfLive(to) = status.step(outcome, true) {
                    assert!(to > status, "{status:?} + {outcome:?} went to {to:?}");
                }
            }
        }
    }

    fn permutations(items: &[Outcome]) -> Vec<Vec<Outcome>> {
        if items.is_empty() {
            return vec![Vec::new()];
        }
        let mut all = Vec::new();
        for (index, first) in items.iter().enumerate() {
            let mut rest = items.to_vec();
            rest.remove(index);
            for mut tail in permutations(&rest) {
                tail.insert(0, *first);
                all.push(tail);
            }
        }
        all
    }

    #[test]
    fn every_order_of_delivery_of_one_payments_money_ends_in_the_same_status() {
        let end = |deliveries: &[Outcome]| {
            deliveries.iter().fold(Pending, |status, outcome| match status.step(*outcome, true) {
                Move(to) | MoveIfLive(to) => to,
                Repeat | Stale => status,
                Quarantine => panic!("{status:?} + {outcome:?} of the same money"),
            })
        };
        // Every set of outcomes, and each of them with one delivered twice.
        for mask in 1_u8..16 {
            let set: Vec<_> = Outcome::ALL
                .into_iter()
                .enumerate()
                .filter_map(|(bit, outcome)| (mask & (1 << bit) != 0).then_some(outcome))
                .collect();
            for repeated in 0..=set.len() {
                let mut deliveries = set.clone();
                deliveries.extend(set.get(repeated));
                let want = end(&deliveries);
                for order in permutations(&deliveries) {
                    assert_eq!(end(&order), want, "{order:?}");
                }
            }
        }
    }

    #[test]
    fn the_words_of_the_event_log_stay() {
        assert_eq!(Outcome::ALL.map(Outcome::as_str), ["failed", "closed", "paid", "refunded"]);
    }

    #[test]
    fn the_numbers_are_the_contracts() {
        let codes: Vec<_> = Status::ALL.map(Status::code).to_vec();
        assert_eq!(codes, [0, 2, 3, 1, 4]);
        for status in Status::ALL {
            assert_eq!(Status::new(u64::from(status.code())), Ok(status));
        }
        assert!(Status::new(5).is_err());
    }
}
