//! The tests, and what they print.

use std::{
    collections::BTreeSet,
    fmt::Write,
    sync::Mutex,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Instant,
};

use pay_core::testing::Call;

use super::{
    actor::Role,
    explore::{Explorer, Found},
    promises::hold,
    scenario::Scenario,
    scenarios,
    schedule::{self, Step},
    world::Fault,
};

/// A setting of this test run.
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What a scenario led to: its line of the table, and what is wrong.
#[derive(Default)]
struct Outcome {
    line: String,
    wrong: String,
}

fn explore(scenario: &Scenario, faults: usize) -> Outcome {
    let start = Instant::now();
    let found = match Explorer::new(scenario, faults).explore() {
        Ok(found) => found,
        Err((broken, path)) => {
            let wrong = format!("{broken}\n{}\n", to_replay(scenario, &path));
            return Outcome { wrong, ..Outcome::default() };
        }
    };
    let millis = start.elapsed().as_millis();
    let (seconds, tenths) = (millis / 1000, millis % 1000 / 100);
    let (actors, states) = (scenario.actors.len(), found.states);
    let schedules = found.schedules;
    let name = scenario.name;
    let line =
        format!("| {name} | {actors} | {faults} | {schedules} | {states} | {seconds}.{tenths} |");
    Outcome { line, wrong: check(scenario, &found, faults) }
}

/// What to say so that a schedule is followed again.
fn to_replay(scenario: &Scenario, path: &[Step]) -> String {
    format!("EXPLORER_REPLAY='{}:{}'", scenario.name, schedule::text(path))
}

/// What was not seen of all there is to see, or seen beside it.
fn check(scenario: &Scenario, found: &Found, faults: usize) -> String {
    let mut wrong = String::new();
    if faults < scenario.faults {
        return wrong;
    }
    for call in &found.calls {
        for fault in Fault::of(*call) {
            if !found.fired.contains(&(*call, *fault)) {
                writeln!(wrong, "{}: {call:?} never met {}", scenario.name, fault.word()).unwrap();
            }
        }
    }
    let writes = found.calls.iter().any(|call| Fault::of(*call).contains(&Fault::Late));
    let creates = scenario.actors.iter().filter(|actor| matches!(actor.role, Role::Create(_)));
    for (word, expected) in [
        ("land", writes),
        ("tell", found.calls.contains(&Call::TellPaid)),
        ("index", creates.count() > 1),
    ] {
        if expected && !found.arrivals.contains(word) {
            writeln!(wrong, "{}: no {word}", scenario.name).unwrap();
        }
    }
    for (end, path) in &found.ends {
        if !scenario.ends.contains(end.as_str()) {
            let broken = hold(false, "I6", || format!("it ends as {end}")).unwrap_err();
            writeln!(wrong, "{broken}\n{}", to_replay(scenario, path)).unwrap();
        }
    }
    let answers = found.answers.iter().map(String::as_str).collect();
    let ends = found.ends.keys().map(String::as_str).collect();
    let all: [(_, &BTreeSet<&str>, BTreeSet<&str>); 2] =
        [("answers", &scenario.answers, answers), ("ends", &scenario.ends, ends)];
    for (what, expected, seen) in all {
        // More faults than the scenario counts on may lead to more.
        let as_expected =
            *expected == seen || (faults > scenario.faults && expected.is_subset(&seen));
        if !as_expected {
            let seen: Vec<_> = seen.into_iter().collect();
            writeln!(wrong, "{}: {what} {}", scenario.name, seen.join(" | ")).unwrap();
        }
    }
    wrong
}

/// How many faults a schedule may have, unless the environment says so. A scenario that would take
/// too long counts on fewer, and always on so many fewer.
pub(crate) const USUAL_FAULTS: usize = 2;

/// Explores all of them on as many threads as there are cores.
fn explore_all(scenarios: &[Scenario], allowed: usize) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let work = || {
        while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
            let faults = scenario.faults.saturating_add(allowed).saturating_sub(USUAL_FAULTS);
            let outcome = explore(scenario, faults);
            println!("{}{}", outcome.line, outcome.wrong);
            done.lock().unwrap().push((scenario.name, outcome));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().unwrap().get() {
            thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, work).unwrap();
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(name, _)| scenarios.iter().position(|scenario| scenario.name == *name));
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

#[test]
fn every_promise_holds_in_every_schedule() {
    let allowed = setting("EXPLORER_FAULTS").map_or(USUAL_FAULTS, |set| set.parse().unwrap());
    let mut scenarios = scenarios::all();
    if allowed > USUAL_FAULTS {
        scenarios.extend(scenarios::longer());
    }
    if let Some(part) = setting("EXPLORER_ONLY") {
        scenarios.retain(|scenario| scenario.name.contains(&part));
    }
    let outcomes = explore_all(&scenarios, allowed);
    println!("\n| scenario | actors | faults | schedules | states | seconds |");
    println!("|---|---|---|---|---|---|");
    for outcome in &outcomes {
        println!("{}", outcome.line);
    }
    let wrong: String = outcomes.into_iter().map(|outcome| outcome.wrong).collect();
    assert!(wrong.is_empty(), "{wrong}");
}

/// Goes through the schedule that the environment names, or through one of the store's worst days.
#[test]
fn replay() {
    let given = setting("EXPLORER_REPLAY");
    let text = given.as_deref().unwrap_or(
        "replace, create, paid late:0:UserExists 1:UserExists 0:FindOrder 0:NewestOfOrder 0:Guard \
         0:Payment@10 0:Create:late 0:Guard 1:FindOrder 1:NewestOfOrder:before 1:Create land:0",
    );
    let (name, steps) = text.split_once(':').expect("<scenario>:<schedule>");
    let mut scenarios = scenarios::all();
    scenarios.extend(scenarios::longer());
    let scenario = scenarios.iter().find(|scenario| scenario.name == name).expect("a scenario");
    let mut said = 0;
    let mut say = |line| {
        println!("{line}");
        said += 1;
    };
    let steps = schedule::parse(steps);
    let kept = Explorer::new(scenario, steps.len()).follow(&steps, &mut say);
    assert!(kept.is_ok(), "{}", kept.unwrap_err());
    assert!(said >= steps.len());
}
