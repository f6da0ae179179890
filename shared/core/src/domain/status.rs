//! The status of a payment: a chain that only rises, and the one function that moves along it.

use super::OutOfRange;

/// Where a payment stands. The order of the variants is the order of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Created; no notification has changed it yet.
    Pending,
    /// An attempt to pay failed; the next may succeed.
    Failed,
    /// It will not be paid. A new payment of the order may replace it.
    Closed,
    /// Paid.
    Paid,
    /// Refunded in full.
    Refunded,
}

/// What a notification says became of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// An attempt to pay failed.
    Failed,
    /// It will not be paid.
    Closed,
    /// It was paid.
    Paid,
    /// Money of it went back: in full, unless the report says how much.
    Refunded,
}

/// What an outcome does to a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The record moves to this status.
    Move(Status),
    /// The record moves if the order's guard still names this payment; else quarantine.
    MoveIfLive(Status),
    /// The record has this status already.
    Duplicate,
    /// The record has a higher status.
    Stale,
    /// The record was paid under another provider reference: a person decides.
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

    /// What `outcome` does to a payment of this status; [`Outcome::Refunded`] stands for a refund in full.
    /// A refund in part proves that it was paid, and is [`Outcome::Paid`] here.
    ///
    /// `may_match`: whether the provider references of record and notification may match
    /// ([`super::ProviderRef::may_match`]). It counts only for a payment that was paid.
    #[must_use]
    #[expect(clippy::match_same_arms, reason = "row by row, as the table is read")]
    pub const fn transition(self, outcome: Outcome, may_match: bool) -> Transition {
        match (self, outcome) {
            (Self::Pending, Outcome::Failed) => Transition::Move(Self::Failed),
            (Self::Pending, Outcome::Closed) => Transition::Move(Self::Closed),
            (Self::Pending, Outcome::Paid) => Transition::Move(Self::Paid),
            (Self::Pending, Outcome::Refunded) => Transition::Move(Self::Refunded),

            (Self::Failed, Outcome::Failed) => Transition::Duplicate,
            (Self::Failed, Outcome::Closed) => Transition::Move(Self::Closed),
            (Self::Failed, Outcome::Paid) => Transition::Move(Self::Paid),
            (Self::Failed, Outcome::Refunded) => Transition::Move(Self::Refunded),

            (Self::Closed, Outcome::Failed) => Transition::Stale,
            (Self::Closed, Outcome::Closed) => Transition::Duplicate,
            (Self::Closed, Outcome::Paid) => Transition::MoveIfLive(Self::Paid),
            (Self::Closed, Outcome::Refunded) => Transition::MoveIfLive(Self::Refunded),

            (Self::Paid | Self::Refunded, Outcome::Failed | Outcome::Closed) => Transition::Stale,
            (Self::Paid | Self::Refunded, Outcome::Paid | Outcome::Refunded) if !may_match => {
                Transition::Quarantine
            }
            (Self::Paid, Outcome::Paid) => Transition::Duplicate,
            (Self::Paid, Outcome::Refunded) => Transition::Move(Self::Refunded),
            (Self::Refunded, Outcome::Paid) => Transition::Stale,
            (Self::Refunded, Outcome::Refunded) => Transition::Duplicate,
        }
    }
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Failed, Self::Closed, Self::Paid, Self::Refunded];

    /// The word in the event log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Closed => "closed",
            Self::Paid => "paid",
            Self::Refunded => "refunded",
        }
    }

    /// Whether money moved: only then does the notification complete the record's provider reference.
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
        Transition::{self, Duplicate, Move, MoveIfLive, Quarantine, Stale},
    };

    /// Every pair once: the table of docs/design.md, row by row; then with references that do not match.
    #[rustfmt::skip]
    const TABLE: [(Status, Outcome, Transition, Transition); 20] = [
        (Pending, Fails, Move(Failed), Move(Failed)),
        (Pending, Closes, Move(Closed), Move(Closed)),
        (Pending, Pays, Move(Paid), Move(Paid)),
        (Pending, Refunds, Move(Refunded), Move(Refunded)),
        (Failed, Fails, Duplicate, Duplicate),
        (Failed, Closes, Move(Closed), Move(Closed)),
        (Failed, Pays, Move(Paid), Move(Paid)),
        (Failed, Refunds, Move(Refunded), Move(Refunded)),
        (Closed, Fails, Stale, Stale),
        (Closed, Closes, Duplicate, Duplicate),
        (Closed, Pays, MoveIfLive(Paid), MoveIfLive(Paid)),
        (Closed, Refunds, MoveIfLive(Refunded), MoveIfLive(Refunded)),
        (Paid, Fails, Stale, Stale),
        (Paid, Closes, Stale, Stale),
        (Paid, Pays, Duplicate, Quarantine),
        (Paid, Refunds, Move(Refunded), Quarantine),
        (Refunded, Fails, Stale, Stale),
        (Refunded, Closes, Stale, Stale),
        (Refunded, Pays, Stale, Quarantine),
        (Refunded, Refunds, Duplicate, Quarantine),
    ];

    #[test]
    fn every_pair_has_its_transition() {
        assert_eq!(TABLE.len(), Status::ALL.len() * Outcome::ALL.len());
        for (status, outcome, same, other) in TABLE {
            assert_eq!(
                status.transition(outcome, true),
                same,
                "{status:?} + {outcome:?}, matching"
            );
            assert_eq!(
                status.transition(outcome, false),
                other,
                "{status:?} + {outcome:?}, not matching"
            );
        }
    }

    #[test]
    fn a_status_only_rises() {
        for status in Status::ALL {
            for outcome in Outcome::ALL {
                if let Move(to) | MoveIfLive(to) = status.transition(outcome, true) {
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
    fn every_order_of_delivery_ends_in_the_same_status() {
        let end = |deliveries: &[Outcome]| {
            deliveries.iter().fold(Pending, |status, outcome| {
                match status.transition(*outcome, true) {
                    Move(to) | MoveIfLive(to) => to,
                    Duplicate | Stale => status,
                    Quarantine => panic!("{status:?} + {outcome:?} of the matching"),
                }
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
        let words = Outcome::ALL.map(Outcome::as_str);
        assert_eq!(words, ["failed", "closed", "paid", "refunded"]);
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
