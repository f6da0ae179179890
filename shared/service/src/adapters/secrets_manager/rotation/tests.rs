use std::{collections::HashMap, pin::pin, task};

use super::*;

const MINUTE: u64 = 60 * 1000;

/// A secret that can be changed and broken; counts its reads.
#[derive(Default)]
struct Script(Mutex<Stored>);

#[derive(Default)]
struct Stored {
    versions: HashMap<&'static str, (String, u64)>,
    down: Vec<&'static str>,
    reads: usize,
}

impl Script {
    fn put(&self, stage: &'static str, text: &str, created_ms: u64) -> &Self {
        let value = (text.to_owned(), created_ms);
        self.0.lock().unwrap().versions.insert(stage, value);
        self
    }

    fn remove(&self, stage: &str) {
        self.0.lock().unwrap().versions.remove(stage);
    }

    fn down(&self, stages: &[&'static str]) {
        self.0.lock().unwrap().down = stages.to_vec();
    }

    /// How often the secret was read since this was last asked.
    fn reads(&self) -> usize {
        std::mem::take(&mut self.0.lock().unwrap().reads)
    }
}

impl Source for Script {
    async fn read(&self, stage: Stage) -> Result<Option<Version>, Cause> {
        let mut stored = self.0.lock().unwrap();
        let stage = match stage {
            Stage::Current => {
                stored.reads = stored.reads.saturating_add(1);
                "current"
            }
            Stage::Previous => "previous",
        };
        if stored.down.contains(&stage) {
            return Err("down".into());
        }
        Ok(stored
            .versions
            .get(stage)
            .map(|(text, created)| Version { text: text.clone(), created: at(*created) }))
    }
}

fn at(ms: u64) -> Timestamp {
    Timestamp::from_millis(ms).unwrap()
}

fn read(text: &str) -> Result<String, BadSecret> {
    if text.starts_with("key") { Ok(text.to_owned()) } else { Err(BadSecret("no key")) }
}

fn rotation() -> Rotation<String> {
    Rotation::new(read, Duration::from_hours(24))
}

/// The scripted source never waits, so neither does anything here.
fn now_or_never<T>(future: impl Future<Output = T>) -> T {
    let mut context = task::Context::from_waker(task::Waker::noop());
    match pin!(future).poll(&mut context) {
        task::Poll::Ready(value) => value,
        task::Poll::Pending => panic!("it waits"),
    }
}

/// The current key, and the previous one with its end.
type Shown = (String, Option<(String, u64)>);

fn show(keys: &Generations<String>) -> Shown {
    let previous = keys.previous.clone();
    (keys.current.clone(), previous.map(|(key, until)| (key, until.millis())))
}

fn keys(rotation: &Rotation<String>, script: &Script, ms: u64) -> Option<Shown> {
    let keys = now_or_never(rotation.keys(script, at(ms)));
    keys.ok().map(|keys| show(&keys))
}

fn reread(rotation: &Rotation<String>, script: &Script, ms: u64) -> Option<Shown> {
    now_or_never(rotation.reread(script, at(ms))).map(|keys| show(&keys))
}

fn only(key: &str) -> Shown {
    (key.to_owned(), None)
}

fn both(current: &str, previous: &str, until: u64) -> Shown {
    (current.to_owned(), Some((previous.to_owned(), until)))
}

#[test]
fn keys_are_remembered_until_they_are_old() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 1", 0);
    assert_eq!(keys(&rotation, &script, 0), Some(only("key 1")));
    assert_eq!(keys(&rotation, &script, REFRESH_AFTER_MS - 1), Some(only("key 1")));
    assert_eq!(script.reads(), 1);
    script.put("current", "key 2", 10).put("previous", "key 1", 0);
    let later = 10 + 24 * 60 * MINUTE;
    assert_eq!(keys(&rotation, &script, REFRESH_AFTER_MS), Some(both("key 2", "key 1", later)));
    assert_eq!(script.reads(), 1);
}

#[test]
fn the_previous_key_lives_from_the_making_of_the_current_one() {
    let script = Script::default();
    script.put("current", "key 2", 1000).put("previous", "key 1", 5);
    let short = Rotation::new(read, Duration::from_mins(1));
    assert_eq!(keys(&short, &script, 2000), Some(both("key 2", "key 1", 61_000)));
    let endless = Rotation::new(read, Duration::MAX);
    let last = Timestamp::MAX_MILLIS;
    assert_eq!(keys(&endless, &script, 2000), Some(both("key 2", "key 1", last)));
}

#[test]
fn a_malformed_previous_version_is_ignored() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 1", 0).put("previous", "placeholder", 0);
    assert_eq!(keys(&rotation, &script, 0), Some(only("key 1")));
    assert_eq!(keys(&rotation, &script, REFRESH_AFTER_MS - 1), Some(only("key 1")));
    assert_eq!(script.reads(), 1);
}

#[test]
fn a_missing_or_malformed_current_version_gives_no_keys_even_to_who_remembers_some() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("previous", "key 0", 0);
    assert_eq!(keys(&rotation, &script, 0), None);
    script.put("current", "short", 0);
    assert_eq!(keys(&rotation, &script, 1), None);
    script.put("current", "key 1", 0).remove("previous");
    // Without remembered keys every request reads.
    assert_eq!(keys(&rotation, &script, 2), Some(only("key 1")));
    assert_eq!(script.reads(), 3);
    script.put("current", "", 0);
    assert_eq!(keys(&rotation, &script, 2 + REFRESH_AFTER_MS), None);
    script.down(&["current", "previous"]);
    assert_eq!(keys(&rotation, &script, 3 + REFRESH_AFTER_MS), None);
}

#[test]
fn remembered_keys_serve_while_the_secret_cannot_be_read_but_not_for_ever() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 2", 0).put("previous", "key 1", 0);
    let want = Some(both("key 2", "key 1", 24 * 60 * MINUTE));
    assert_eq!(keys(&rotation, &script, 0), want);
    script.down(&["current", "previous"]);
    script.reads();
    for ms in [REFRESH_AFTER_MS, REFRESH_AFTER_MS + RETRY_AFTER_MS - 1] {
        assert_eq!(keys(&rotation, &script, ms), want);
    }
    assert_eq!(script.reads(), 1);
    assert_eq!(keys(&rotation, &script, REFRESH_AFTER_MS + RETRY_AFTER_MS), want);
    assert_eq!(keys(&rotation, &script, MAX_AGE_MS - 1), want);
    assert_eq!(script.reads(), 2);
    assert_eq!(keys(&rotation, &script, MAX_AGE_MS), None);
    assert_eq!(keys(&rotation, &script, MAX_AGE_MS + 1), None);
    assert_eq!(script.reads(), 2);
    script.down(&[]);
    assert_eq!(keys(&rotation, &script, MAX_AGE_MS + 2), want);
}

#[test]
fn a_cold_failure_is_not_remembered() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 1", 0).down(&["current"]);
    assert_eq!(keys(&rotation, &script, 0), None);
    script.down(&[]);
    assert_eq!(keys(&rotation, &script, 0), Some(only("key 1")));
}

#[test]
fn a_previous_version_that_cannot_be_read_keeps_nothing_from_serving() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 2", 0).put("previous", "key 1", 0);
    let want = Some(both("key 2", "key 1", 24 * 60 * MINUTE));
    script.down(&["previous"]);
    assert_eq!(keys(&rotation, &script, 0), Some(only("key 2")));
    script.down(&[]);
    // Read again soon, not after the usual time.
    assert_eq!(keys(&rotation, &script, RETRY_AFTER_MS - 1), Some(only("key 2")));
    assert_eq!(keys(&rotation, &script, RETRY_AFTER_MS), want);
    // Once known it stays, as long as the current version is the same.
    script.down(&["previous"]);
    assert_eq!(keys(&rotation, &script, RETRY_AFTER_MS + REFRESH_AFTER_MS), want);
    script.put("current", "key 3", 1);
    let later = RETRY_AFTER_MS * 2 + REFRESH_AFTER_MS;
    assert_eq!(keys(&rotation, &script, later), Some(only("key 3")));
}

#[test]
fn unknown_signatures_make_it_read_at_most_once_an_interval() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 1", 0);
    assert_eq!(keys(&rotation, &script, 0), Some(only("key 1")));
    script.put("current", "key 2", 1).put("previous", "key 1", 0);
    let want = Some(both("key 2", "key 1", 1 + 24 * 60 * MINUTE));
    // A rotation just after a read is no reason to refuse.
    assert_eq!(reread(&rotation, &script, 1), want);
    assert_eq!(keys(&rotation, &script, 2), want);
    assert_eq!(reread(&rotation, &script, 2), None);
    assert_eq!(reread(&rotation, &script, REREAD_EVERY_MS), None);
    assert_eq!(script.reads(), 2);
    assert_eq!(reread(&rotation, &script, REREAD_EVERY_MS + 1), want);
    script.down(&["current"]);
    assert_eq!(reread(&rotation, &script, 2 * REREAD_EVERY_MS + 1), None);
    assert_eq!(keys(&rotation, &script, 2 * REREAD_EVERY_MS + 2), want);
}

#[test]
fn a_clock_set_back_makes_nothing_old() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 1", 0);
    assert_eq!(keys(&rotation, &script, MAX_AGE_MS), Some(only("key 1")));
    assert_eq!(keys(&rotation, &script, 0), Some(only("key 1")));
    assert_eq!(script.reads(), 1);
}
