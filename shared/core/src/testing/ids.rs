//! Ids that come out the same in every run.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use fastrand::Rng;

use super::lock;
use crate::{
    domain::{PaymentId, Timestamp},
    ports::PaymentIds,
};

/// Ids from a seed. Clones are handles on one sequence.
#[derive(Clone, Debug)]
pub struct SeededIds {
    state: Arc<Mutex<(Rng, VecDeque<PaymentId>)>>,
}

impl SeededIds {
    /// The sequence of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: Arc::new(Mutex::new((Rng::with_seed(seed), VecDeque::new()))) }
    }

    /// Gives these ids before it goes on with the sequence.
    pub fn first(&self, ids: impl IntoIterator<Item = PaymentId>) {
        lock(&self.state).1.extend(ids);
    }
}

impl PaymentIds for SeededIds {
    fn next(&self, now: Timestamp) -> PaymentId {
        let (random, first) = &mut *lock(&self.state);
        first.pop_front().unwrap_or_else(|| PaymentId::generate(now, random.u64(..)))
    }
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
        assert_ne!(draw(&SeededIds::new(8)), first);
        ids.first([first[0]]);
        assert_eq!(ids.next(now), first[0]);
        assert_ne!(ids.next(now), first[0]);
    }
}
