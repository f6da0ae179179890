//! The order service is down for long, and comes back.

use std::fmt::Write as _;

use pay_core::{
    ports::TraceParent,
    usecases::reconcile::{Reconcile, begins_for_ms, reconcile},
};

use super::world::{Costs, Load, Plan, START_MS, World};

const SECOND_MS: u64 = 1000;
const MINUTE_MS: u64 = 60 * SECOND_MS;

/// A function of 256 MB, an order service that takes its time, an index that is slow to hear.
const COSTS: Costs = Costs { store_ms: 5, shop_ms: 40, cpu_ms: 4, lag_ms: 500 };

/// Of an invocation's 60 seconds, half of one is kept for the answer.
const LEFT_MS: u64 = 59_500;

/// How a schedule runs it.
struct Schedule {
    limit: u64,
    left_ms: u64,
}

const AS_DEPLOYED: Schedule = Schedule { limit: 100_000, left_ms: LEFT_MS };

/// What came of it.
struct Outcome {
    backlog_at_the_end: usize,
    /// From the end of the outage until nothing is left; `None` if the simulation ended before.
    drained_after_secs: Option<u64>,
    left: usize,
    /// Of every second.
    loads: Vec<Load>,
    outage_secs: usize,
    report: String,
}

impl Outcome {
    /// The most tellings of one second during the outage and after it: reconcile's alone, and all.
    fn peaks(&self) -> [(u64, u64); 2] {
        let (during, after) = self.loads.split_at(self.outage_secs);
        [during, after].map(|loads| {
            let reconcile = loads.iter().map(|load| load.reconcile).max().unwrap_or(0);
            let all = loads.iter().map(|load| load.reconcile + load.callback).max().unwrap_or(0);
            (reconcile, all)
        })
    }
}

/// Runs reconcile each minute until nothing is left, or `for_secs` are over.
fn simulate(plan: Plan, schedule: &Schedule, for_secs: u64, seed: u64) -> Outcome {
    let outage_secs = plan.outage_secs.end;
    let world = World::new(plan, seed);
    let trace = TraceParent::start(1, 1);
    let request = Reconcile::new(schedule.limit, false).unwrap();
    let mut report = String::new();
    let (mut backlog_at_the_end, mut drained_after_secs) = (0, None);
    for minute in 1..=for_secs / 60 {
        let start_ms = START_MS + minute * MINUTE_MS;
        world.pass_until(start_ms);
        if minute * 60 == outage_secs {
            backlog_at_the_end = world.backlog();
        }
        let ends_ms = start_ms + begins_for_ms(schedule.left_ms);
        let go_on = || Some(world.now()).filter(|now| now.millis() < ends_ms);
        let now = world.now();
        let run = reconcile(&world, &world, request, now, &go_on, &trace);
        let done = world.run(run).unwrap();
        let left = world.backlog();
        if minute % 30 == 0 || left == 0 {
            let (told, off) = (done.told, done.put_off.len());
            writeln!(report, "minute {minute}: {told} told, {off} put off, {left} left").unwrap();
        }
        if left == 0 && minute * 60 >= outage_secs {
            drained_after_secs = Some(world.now().secs() - START_MS / 1000 - outage_secs);
            break;
        }
    }
    Outcome {
        backlog_at_the_end,
        drained_after_secs,
        left: world.backlog(),
        loads: world.loads(),
        outage_secs: usize::try_from(outage_secs).unwrap(),
        report,
    }
}

/// 1,000 payments a second, and nobody to tell for so long.
fn down_for(secs: u64, costs: Costs) -> Plan {
    Plan { rate: 1000, outage_secs: 0..secs, fails_after_ms: 40, costs }
}

#[test]
fn an_hours_backlog_of_a_thousand_a_second_drains_in_hours_and_gently() {
    let outcome = simulate(down_for(3600, COSTS), &AS_DEPLOYED, 12 * 3600, 1);
    let [during, after] = outcome.peaks();
    println!("{}", outcome.report);
    println!("backlog {}", outcome.backlog_at_the_end);
    println!("drained after {:?} s; peaks {during:?} {after:?}", outcome.drained_after_secs);
    // Nobody waits for ever, and nothing was lost: what was paid is told.
    assert_eq!(outcome.left, 0);
    let told: u64 = outcome.loads.iter().map(|load| load.reconcile).sum();
    let backlog = u64::try_from(outcome.backlog_at_the_end).unwrap();
    // All that could not be told, but for what a callback tried while it was down.
    assert!(told >= backlog && told - backlog < 2_000, "{told} {backlog}");
    // While it is down, reconcile only looks whether it still is.
    assert!(during.0 <= 31, "{during:?}");
    // Afterwards it adds a third at most to what the order service has to bear anyway.
    assert!(after.0 <= 333, "{after:?}");
    assert!(outcome.drained_after_secs.unwrap() < 5 * 3600);
}

#[test]
fn two_hundred_a_minute_are_as_good_as_nothing() {
    let schedule = Schedule { limit: 200, left_ms: 9_500 };
    let outcome = simulate(down_for(600, COSTS), &schedule, 2 * 3600, 1);
    println!("{}", outcome.report);
    assert_eq!(outcome.backlog_at_the_end, 600_000);
    // 111 runs of 200: the rest of it would take two days more.
    assert_eq!(outcome.left, 600_000 - 111 * 200);
}

#[test]
fn what_a_run_does_depends_on_memory_and_on_the_order_service() {
    // Where the processor is slow it bounds a run, whoever answers; where it is not, sixteen at a time
    // over the time that one takes.
    for (cpu_ms, shop_ms, told, peak) in [
        (8, 40, 6_530, 125),
        (4, 40, 12_931, 250),
        (2, 40, 15_039, 292),
        (1, 40, 15_113, 298),
        (4, 200, 3_889, 80),
        (1, 200, 3_889, 80),
        (1, 10, 32_966, 640),
    ] {
        let costs = Costs { shop_ms, cpu_ms, ..COSTS };
        let outcome = simulate(down_for(60, costs), &AS_DEPLOYED, 120, 1);
        let [_, (busiest, _)] = outcome.peaks();
        let run = outcome.backlog_at_the_end - outcome.left;
        println!("{cpu_ms} ms of CPU, {shop_ms} ms: {run} in a run, {busiest} in a second");
        assert_eq!((run, busiest), (told, peak), "{cpu_ms} {shop_ms}");
    }
}

#[test]
fn the_same_seed_is_the_same_simulation() {
    let run = |seed| simulate(down_for(300, COSTS), &AS_DEPLOYED, 3600, seed);
    let (one, other) = (run(7), run(7));
    assert_eq!((&one.report, &one.loads), (&other.report, &other.loads));
    assert_eq!(one.left, 0);
}

#[test]
fn an_order_service_that_hangs_costs_no_more_than_one_that_refuses() {
    let plan = Plan { fails_after_ms: 1500, ..down_for(600, COSTS) };
    let outcome = simulate(plan, &AS_DEPLOYED, 7200, 1);
    let [during, _] = outcome.peaks();
    assert!(during.0 <= 31, "{during:?}");
    assert_eq!(outcome.left, 0);
}
