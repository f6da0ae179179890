//! Where keys land: on ids, on the lists of tellings, on partitions, and in time.

use std::collections::{BTreeMap, BTreeSet};

use pay_core::{
    domain::{PaymentId, Timestamp, Work},
    ports::PaymentIds,
    testing::SeededIds,
};
use pay_service::adapters::dynamodb::work_list;
use ring::digest::{SHA256, digest};

use super::world::START_MS;

/// What the keys of one key of an index, and one partition, take: write units a second.
const PARTITION_WRITES: u64 = 1000;

fn at(ms: u64) -> Timestamp {
    Timestamp::from_millis(ms).unwrap()
}

/// The ids of payments that are made at this rate for so long.
fn ids(rate: u64, secs: u64) -> Vec<PaymentId> {
    let ids = SeededIds::new(rate);
    (0..rate * secs).map(|n| ids.next(at(START_MS + n * 1000 / rate))).collect()
}

/// How often each of these occurs.
fn counted<T: Ord>(all: impl IntoIterator<Item = T>) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_insert(0) += 1;
    }
    counts
}

#[test]
fn ids_that_are_taken_are_as_rare_as_their_random_bits_make_them() {
    println!("payments a second: ids of a million that were taken");
    for (rate, secs, taken_ppm) in
        [(10, 1000, 0), (100, 1000, 0), (1_000, 100, 0), (10_000, 20, 920), (100_000, 3, 12_096)]
    {
        let ids = ids(rate, secs);
        let made = u64::try_from(ids.len()).unwrap();
        let different = u64::try_from(ids.into_iter().collect::<BTreeSet<_>>().len()).unwrap();
        let ppm = (made - different) * 1_000_000 / made;
        println!("{rate}: {ppm}");
        assert_eq!(ppm, taken_ppm, "{rate}");
        // Of n in a millisecond, each meets half of the others, with a chance of one in 4,096.
        let expected = (rate / 1000).saturating_sub(1) * 1_000_000 / 2 / 4096;
        assert!(ppm <= expected + expected / 10 + 1, "{rate}: {ppm} {expected}");
    }
}

#[test]
fn the_lists_of_tellings_share_the_load_and_bound_the_rate() {
    println!("payments a second: write units of the busiest of the lists in its busiest second");
    let mut met = None;
    for rate in [10, 100, 1_000, 2_000, 10_000, 100_000] {
        let ids = ids(rate, 3);
        let second = |n: usize| u64::try_from(n).unwrap() / rate;
        let entries = ids.iter().enumerate().map(|(n, id)| (second(n), work_list(*id)));
        let counts = counted(entries);
        let lists: BTreeSet<&String> = counts.keys().map(|(_, list)| list).collect();
        assert_eq!(lists.len(), 4);
        // Each is written once when it comes on the list, and once when it is taken off.
        let busiest = counts.values().max().unwrap() * 2;
        println!("{rate}: {busiest}");
        if rate >= 1000 {
            let fair = rate * 2 / 4;
            assert!(busiest < fair + fair / 5, "{rate}: {busiest}");
        }
        if busiest > PARTITION_WRITES && met.is_none() {
            met = Some(rate);
        }
    }
    // The first limit of the design that a deployment meets: see docs/scale.md.
    assert_eq!(met, Some(2_000));
}

#[test]
fn payments_made_one_after_another_land_on_partitions_at_random() {
    // DynamoDB's hash is its own; any that is one shows whether keys that differ in a few digits do.
    let partition = |id: &PaymentId| {
        let hash = digest(&SHA256, format!("pay#{id}").as_bytes());
        hash.as_ref()[0] % 64
    };
    let ids = ids(10_000, 10);
    let counts = counted(ids.iter().map(partition));
    let (least, most) = (counts.values().min().unwrap(), counts.values().max().unwrap());
    println!("100,000 payments on 64 partitions: {least} to {most} each");
    assert_eq!(counts.len(), 64);
    let fair = 100_000 / 64;
    assert!(*least > fair - fair / 8 && *most < fair + fair / 8, "{least} {most}");
}

#[test]
fn what_failed_together_is_spread_when_it_is_put_off() {
    println!("tries: due from, to, in seconds; the most of 64,000 in one second");
    for (tries, from_secs, to_secs, most) in [
        (0, 45, 74, 3_000),
        (1, 90, 149, 2_000),
        (2, 180, 298, 1_000),
        (3, 360, 596, 1_000),
        (4, 675, 1_117, 1_000),
        (9, 675, 1_117, 1_000),
    ] {
        // At one moment, as when an order service stops.
        let work = Work { due: at(START_MS), tries };
        let spread = SeededIds::new(1);
        let ids = (0..64_000).map(|n| spread.next(at(START_MS - 64_000 + n)));
        let due = ids.map(|id| work.put_off(id, at(START_MS)).due.secs() - START_MS / 1000);
        let counts = counted(due);
        let (first, last) = (*counts.keys().next().unwrap(), *counts.keys().last().unwrap());
        let busiest = *counts.values().max().unwrap();
        println!("{tries}: {first}, {last}; {busiest}");
        assert_eq!((first, last), (from_secs, to_secs), "{tries}");
        assert!(busiest < most + most / 5, "{tries}: {busiest}");
    }
}
