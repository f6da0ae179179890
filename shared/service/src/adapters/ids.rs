//! Randomness from the operating system: for ids of payments, tokens of writes and jitter.

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use pay_core::{
    domain::{PaymentId, Timestamp},
    ports::PaymentIds,
};
use ring::rand::{SecureRandom, SystemRandom};

/// Ids whose low bits are random.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl PaymentIds for RandomIds {
    fn next(&self, now: Timestamp) -> PaymentId {
        PaymentId::generate(now, random_u64())
    }
}

/// A number nobody can guess.
///
/// Should the operating system refuse, it is one that merely does not repeat: what it is used for
/// needs no more, since every write is conditional.
pub(crate) fn random_u64() -> u64 {
    let mut bytes = [0; 8];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => u64::from_ne_bytes(bytes),
        Err(_unspecified) => unrepeated_u64(),
    }
}

/// Mixes a counter with the seed that the standard library took for its hash maps.
fn unrepeated_u64() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    RandomState::new().hash_one(COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn numbers_do_not_repeat_with_and_without_the_operating_system() {
        for source in [random_u64, unrepeated_u64] {
            let drawn: BTreeSet<u64> = (0..1000).map(|_| source()).collect();
            assert_eq!(drawn.len(), 1000);
        }
    }

    #[test]
    fn ids_of_one_moment_differ_in_their_low_bits_only() {
        let now = Timestamp::from_millis(1_800_000_000_000).unwrap();
        let ids: BTreeSet<u64> = (0..100).map(|_| RandomIds.next(now).get()).collect();
        assert!(ids.len() > 50, "{ids:?}");
        assert!(ids.iter().all(|id| id >> 12 == PaymentId::generate(now, 0).get() >> 12));
    }
}
