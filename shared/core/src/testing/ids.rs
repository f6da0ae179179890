//! Ids that come out the same in every run.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use super::lock;
use crate::{
    domain::{PaymentId, Timestamp},
    ports::PaymentIds,
};

/// Ids from a seed. Clones are handles on one sequence.
#[derive(Clone, Debug)]
pub struct SeededIds {
    state: Arc<Mutex<(u64, VecDeque<PaymentId>)>>,
}

impl SeededIds {
    /// The sequence of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: Arc::new(Mutex::new((seed, VecDeque::new()))) }
    }

    /// Gives these ids before it goes on with the sequence.
    pub fn first(&self, ids: impl IntoIterator<Item = PaymentId>) {
        lock(&self.state).1.extend(ids);
    }

    /// Where the sequence is: hand it to [`Self::new`] to go on from there.
    #[must_use]
    pub fn position(&self) -> u64 {
        lock(&self.state).0
    }
}

impl PaymentIds for SeededIds {
    fn next(&self, now: Timestamp) -> PaymentId {
        let mut state = lock(&self.state);
        if let Some(id) = state.1.pop_front() {
            return id;
        }
        state.0 = state.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        PaymentId::generate(now, mix(state.0))
    }
}

/// The output function of `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom number
/// generators", 2014).
const fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_ids_again() {
        let now = Timestamp::from_millis(1_800_000_000_000).unwrap();
        let draw = |ids: &SeededIds| [ids.next(now), ids.next(now), ids.next(now)];
        let ids = SeededIds::new(7);
        let first = draw(&ids);
        assert_eq!(draw(&SeededIds::new(7)), first);
        let again = SeededIds::new(ids.position());
        assert_eq!(draw(&ids), draw(&again));
        ids.first([first[0]]);
        assert_eq!(ids.next(now), first[0]);
        assert_ne!(ids.next(now), first[0]);
    }
}
