//! The tests, and what they print.

use std::{
    collections::BTreeSet,
    env,
    fmt::Write,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use pay_core::testing::Call;

use super::{
    actor::Role,
    explore::{Explorer, Found},
    invariants::hold,
    scenario::Scenario,
    scenarios,
    schedule::{self, Step},
    world::Fault,
};

/// How many faults a schedule may have, unless the environment says otherwise. A scenario that
/// would take too long has fewer, and always as many fewer.
pub(crate) const USUAL_FAULTS: usize = 2;

/// What came of a scenario: its line of the table, and what is wrong.
struct Explored {
    line: String,
    wrong: String,
}

fn explore(scenario: &Scenario, faults: usize) -> Explored {
    let start = Instant::now();
    let found = match Explorer::new(scenario, faults).explore() {
        Ok(found) => found,
        Err((broken, path)) => {
            let wrong = format!("{broken}\n{}\n", to_replay(scenario, &path));
            return Explored { line: String::new(), wrong };
        }
    };
    let millis = start.elapsed().as_millis();
    let (seconds, tenths) = (millis / 1000, millis % 1000 / 100);
    let Found { schedules, states, .. } = found;
    let (name, actors) = (scenario.name, scenario.actors.len());
    let line =
        format!("| {name} | {actors} | {faults} | {schedules} | {states} | {seconds}.{tenths} |");
    Explored { line, wrong: check(scenario, &found, faults) }
}

/// The setting that replays a schedule.
fn to_replay(scenario: &Scenario, path: &[Step]) -> String {
    format!("EXPLORER_REPLAY='{}:{}'", scenario.name, schedule::text(path))
}

/// What a scenario must lead to and did not, or led to and must not.
fn check(scenario: &Scenario, found: &Found, faults: usize) -> String {
    let mut wrong = String::new();
    // With fewer faults it leads to less.
    if faults < scenario.faults {
        return wrong;
    }
    for call in &found.calls {
        for fault in Fault::of(*call) {
            if !found.faults.contains(&(*call, *fault)) {
                writeln!(wrong, "{}: {call:?} never had {fault:?}", scenario.name).unwrap();
            }
        }
    }
    let writes = found.calls.iter().any(|call| Fault::of(*call).contains(&Fault::Late));
    let creates = scenario.actors.iter().filter(|actor| matches!(actor.role, Role::Create(_)));
    for (kind, expected) in [
        ("late-write", writes),
        ("late-notification", found.calls.contains(&Call::NotifyPaid)),
        ("late-refund", found.calls.contains(&Call::MakeRefund)),
        ("late-checkout", found.calls.contains(&Call::MakeCheckout)),
        ("index", creates.count() > 1 || found.calls.contains(&Call::OfTransaction)),
        ("provider", !scenario.world.to_happen.is_empty()),
    ] {
        if expected && !found.world_steps.contains(kind) {
            writeln!(wrong, "{}: no {kind}", scenario.name).unwrap();
        }
    }
    for (end, path) in &found.ends {
        if !scenario.ends.contains(end.as_str()) {
            let broken = hold(false, "I6", || format!("it ends as {end}")).unwrap_err();
            writeln!(wrong, "{broken}\n{}", to_replay(scenario, path)).unwrap();
        }
    }
    let responses = found.responses.iter().map(String::as_str).collect();
    let ends = found.ends.keys().map(String::as_str).collect();
    let all: [(_, &BTreeSet<&str>, BTreeSet<&str>); 2] =
        [("responses", &scenario.responses, responses), ("ends", &scenario.ends, ends)];
    for (what, expected, seen) in all {
        // More faults than the scenario has usually may lead to more.
        let as_expected =
            *expected == seen || (faults > scenario.faults && expected.is_subset(&seen));
        if !as_expected {
            let seen: Vec<_> = seen.into_iter().collect();
            writeln!(wrong, "{}: {what} {}", scenario.name, seen.join(" | ")).unwrap();
        }
    }
    wrong
}

/// Explores the scenarios on as many threads as there are cores.
fn explore_all(scenarios: &[Scenario], allowed: usize) -> Vec<Explored> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let work = || {
        while let number = next.fetch_add(1, Ordering::Relaxed)
            && let Some(scenario) = scenarios.get(number)
        {
            let faults = scenario.faults.saturating_add(allowed).saturating_sub(USUAL_FAULTS);
            let explored = explore(scenario, faults);
            println!("{}{}", explored.line, explored.wrong);
            done.lock().unwrap().push((number, explored));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().unwrap().get() {
            // The search recurses once for each step of a schedule.
            thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, work).unwrap();
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, explored)| explored).collect()
}

#[test]
fn every_invariant_holds_in_every_schedule() {
    let allowed = env::var("EXPLORER_FAULTS").map_or(USUAL_FAULTS, |set| set.parse().unwrap());
    let mut scenarios = scenarios::all();
    if allowed > USUAL_FAULTS {
        scenarios.extend(scenarios::longer());
    }
    if let Ok(part) = env::var("EXPLORER_ONLY") {
        scenarios.retain(|scenario| scenario.name.contains(&part));
        assert!(!scenarios.is_empty(), "no scenario has {part} in its name");
    }
    let all = explore_all(&scenarios, allowed);
    println!("\n| scenario | actors | faults | schedules | states | seconds |");
    println!("|---|---|---|---|---|---|");
    for explored in &all {
        println!("{}", explored.line);
    }
    let wrong: String = all.into_iter().map(|explored| explored.wrong).collect();
    assert!(wrong.is_empty(), "{wrong}");
}

/// Replays the schedule that the environment names, or one in which a create has a late effect.
#[test]
fn replay() {
    let text = env::var("EXPLORER_REPLAY").unwrap_or_else(|_not_set| {
        "replace, create, paid late:0:UserExists 1:UserExists 0:FindOrder 0:NewestOfOrder 0:Guard \
         0:Payment@10 0:Create:Late 0:Guard 1:FindOrder 1:NewestOfOrder:Before 1:Create \
         late-write:0"
            .into()
    });
    let (name, steps) = text.split_once(':').expect("<scenario>:<schedule>");
    let scenarios = [scenarios::all(), scenarios::longer()].concat();
    let scenario = scenarios.iter().find(|scenario| scenario.name == name).expect("a scenario");
    let count = steps.split_whitespace().count();
    let mut lines = 0;
    let mut say = |line| {
        println!("{line}");
        lines += 1;
    };
    let followed = Explorer::new(scenario, count).follow(steps, &mut say);
    assert!(followed.is_ok(), "{}", followed.unwrap_err());
    assert!(lines >= count);
}
