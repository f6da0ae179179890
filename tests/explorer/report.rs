//! The tests, and what they print.

use std::{
    collections::BTreeSet,
    fmt::Write,
    sync::atomic::{AtomicUsize, Ordering},
    sync::Mutex,
    thread,
    time::Instant,
};

use super::{
    explore::{Explorer, Found},
    scenario::Scenario,
    scenarios, schedule,
    world::Fault,
};

/// A setting of this test run.
#[expect(clippy::disallowed_methods, reason = "a test that is run by hand is told so by whoever runs it")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A scenario's line of the table, or what is wrong.
fn explore(scenario: &Scenario, faults: usize) -> Result<String, String> {
    let start = Instant::now();
    let found = match Explorer::new(scenario, faults).explore() {
        Ok(found) => found,
        Err((broken, path)) => {
            let text = schedule::text(&path);
            return Err(format!("{broken}\nEXPLORER_REPLAY='{}:{text}'", scenario.name));
        }
    };
    let millis = start.elapsed().as_millis();
    check(scenario, &found)?;
    Ok(format!(
        "| {} | {} | {} | {} | {} | {}.{} |",
        scenario.name,
        scenario.actors.len(),
        faults,
        found.schedules,
        found.states,
        millis / 1000,
        millis % 1000 / 100,
    ))
}

fn check(scenario: &Scenario, found: &Found) -> Result<(), String> {
    let mut wrong = String::new();
    for call in &found.calls {
        for fault in Fault::of(*call) {
            if !found.fired.contains(&(*call, *fault)) {
                write!(wrong, "\n{call:?} never met {}", fault.word()).unwrap();
            }
        }
    }
    let seen: BTreeSet<&str> = found.answers.iter().map(String::as_str).collect();
    if seen != scenario.answers.iter().copied().collect() {
        write!(wrong, "\nanswers seen: {seen:?}").unwrap();
    }
    let seen: BTreeSet<&str> = found.ends.keys().map(String::as_str).collect();
    if seen != scenario.ends.iter().copied().collect() {
        write!(wrong, "\nends seen: {seen:?}").unwrap();
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("{}:{wrong}", scenario.name)) }
}

/// Explores all of them on as many threads as there are cores.
fn explore_all(scenarios: &[Scenario]) -> Vec<Result<String, String>> {
    let faults = setting("EXPLORER_FAULTS").map(|faults| faults.parse().unwrap());
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let work = || {
        while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
            let line = explore(scenario, faults.unwrap_or(scenario.faults));
            println!("{}", line.as_ref().unwrap_or_else(|wrong| wrong));
            done.lock().unwrap().push((scenario.name, line));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().unwrap().get() {
            thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, work).unwrap();
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(name, _)| scenarios.iter().position(|scenario| scenario.name == *name));
    done.into_iter().map(|(_, line)| line).collect()
}

#[test]
fn every_promise_holds_in_every_schedule() {
    let mut scenarios = scenarios::all();
    if let Some(part) = setting("EXPLORER_ONLY") {
        scenarios.retain(|scenario| scenario.name.contains(&part));
    }
    let lines = explore_all(&scenarios);
    println!("\n| scenario | actors | faults | schedules | states | seconds |");
    println!("|---|---|---|---|---|---|");
    for line in lines.iter().flatten() {
        println!("{line}");
    }
    let wrong: Vec<_> = lines.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
