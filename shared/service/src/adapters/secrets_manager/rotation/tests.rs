use std::collections::HashMap;

use futures_util::FutureExt as _;

use super::*;

const MINUTE: u64 = 60 * 1000;

/// A secret that can be changed and broken; counts its reads.
#[derive(Default)]
struct Script(Mutex<ScriptState>);

#[derive(Default)]
struct ScriptState {
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

    /// How often the secret was read since the last call of this.
    fn reads(&self) -> usize {
        std::mem::take(&mut self.0.lock().unwrap().reads)
    }
}

impl SecretVersions for Script {
    async fn read(&self, stage: SecretStage) -> Result<Option<SecretVersion>, Cause> {
        let mut stored = self.0.lock().unwrap();
        let stage = match stage {
            SecretStage::Current => {
                stored.reads = stored.reads.saturating_add(1);
                "current"
            }
            SecretStage::Previous => "previous",
        };
        if stored.down.contains(&stage) {
            return Err("down".into());
        }
        Ok(stored
            .versions
            .get(stage)
            .map(|(text, created)| SecretVersion { text: text.clone(), created: at(*created) }))
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

/// The current key, and the previous one with its end.
type Shown = (String, Option<(String, u64)>);

fn show(keys: &Generations<String>) -> Shown {
    let previous = keys.previous.clone();
    (keys.current.clone(), previous.map(|(key, until)| (key, until.millis())))
}

fn keys(rotation: &Rotation<String>, script: &Script, ms: u64) -> Option<Shown> {
    // The script never waits, so neither does anything here.
    let keys = rotation.keys(script, at(ms)).now_or_never().unwrap();
    keys.ok().map(|keys| show(&keys))
}

fn reread(rotation: &Rotation<String>, script: &Script, ms: u64) -> Option<Shown> {
    rotation.reread(script, at(ms)).now_or_never().unwrap().map(|keys| show(&keys))
}

fn only(key: &str) -> Shown {
    (key.to_owned(), None)
}

fn both(current: &str, previous: &str, until: u64) -> Shown {
    (current.to_owned(), Some((previous.to_owned(), until)))
}

#[test]
fn keys_are_cached_until_they_are_old() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 1", 0);
    assert_eq!(keys(&rotation, &script, 0), Some(only("key 1")));
    assert_eq!(keys(&rotation, &script, SECRET_REFRESH_MS - 1), Some(only("key 1")));
    assert_eq!(script.reads(), 1);
    script.put("current", "key 2", 10).put("previous", "key 1", 0);
    let later = 10 + 24 * 60 * MINUTE;
    assert_eq!(keys(&rotation, &script, SECRET_REFRESH_MS), Some(both("key 2", "key 1", later)));
    assert_eq!(script.reads(), 1);
}

#[test]
fn the_previous_key_is_accepted_for_a_time_after_the_current_one_was_created() {
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
    assert_eq!(keys(&rotation, &script, SECRET_REFRESH_MS - 1), Some(only("key 1")));
    assert_eq!(script.reads(), 1);
}

#[test]
fn a_missing_or_malformed_current_version_gives_no_keys_even_where_some_are_cached() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("previous", "key 0", 0);
    assert_eq!(keys(&rotation, &script, 0), None);
    script.put("current", "short", 0);
    assert_eq!(keys(&rotation, &script, 1), None);
    script.put("current", "key 1", 0).remove("previous");
    // Without cached keys every request reads.
    assert_eq!(keys(&rotation, &script, 2), Some(only("key 1")));
    assert_eq!(script.reads(), 3);
    script.put("current", "", 0);
    assert_eq!(keys(&rotation, &script, 2 + SECRET_REFRESH_MS), None);
    script.down(&["current", "previous"]);
    assert_eq!(keys(&rotation, &script, 3 + SECRET_REFRESH_MS), None);
}

#[test]
fn cached_keys_are_used_while_the_secret_cannot_be_read_but_not_for_ever() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 2", 0).put("previous", "key 1", 0);
    let want = Some(both("key 2", "key 1", 24 * 60 * MINUTE));
    assert_eq!(keys(&rotation, &script, 0), want);
    script.down(&["current", "previous"]);
    script.reads();
    for ms in [SECRET_REFRESH_MS, SECRET_REFRESH_MS + SECRET_RETRY_MS - 1] {
        assert_eq!(keys(&rotation, &script, ms), want);
    }
    assert_eq!(script.reads(), 1);
    assert_eq!(keys(&rotation, &script, SECRET_REFRESH_MS + SECRET_RETRY_MS), want);
    assert_eq!(keys(&rotation, &script, SECRET_AGE_MAX_MS - 1), want);
    assert_eq!(script.reads(), 2);
    assert_eq!(keys(&rotation, &script, SECRET_AGE_MAX_MS), None);
    assert_eq!(keys(&rotation, &script, SECRET_AGE_MAX_MS + 1), None);
    assert_eq!(script.reads(), 2);
    script.down(&[]);
    assert_eq!(keys(&rotation, &script, SECRET_AGE_MAX_MS + 2), want);
}

#[test]
fn a_failure_without_cached_keys_is_not_cached() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 1", 0).down(&["current"]);
    assert_eq!(keys(&rotation, &script, 0), None);
    script.down(&[]);
    assert_eq!(keys(&rotation, &script, 0), Some(only("key 1")));
}

#[test]
fn a_previous_version_that_cannot_be_read_does_not_invalidate_the_current_one() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 2", 0).put("previous", "key 1", 0);
    let want = Some(both("key 2", "key 1", 24 * 60 * MINUTE));
    script.down(&["previous"]);
    assert_eq!(keys(&rotation, &script, 0), Some(only("key 2")));
    script.down(&[]);
    // Read again soon, not after the usual time.
    assert_eq!(keys(&rotation, &script, SECRET_RETRY_MS - 1), Some(only("key 2")));
    assert_eq!(keys(&rotation, &script, SECRET_RETRY_MS), want);
    // Once read it stays cached, as long as the current version is the same.
    script.down(&["previous"]);
    assert_eq!(keys(&rotation, &script, SECRET_RETRY_MS + SECRET_REFRESH_MS), want);
    script.put("current", "key 3", 1);
    let later = SECRET_RETRY_MS * 2 + SECRET_REFRESH_MS;
    assert_eq!(keys(&rotation, &script, later), Some(only("key 3")));
}

#[test]
fn unknown_signatures_make_it_be_read_at_most_once_an_interval() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 1", 0);
    assert_eq!(keys(&rotation, &script, 0), Some(only("key 1")));
    script.put("current", "key 2", 1).put("previous", "key 1", 0);
    let want = Some(both("key 2", "key 1", 1 + 24 * 60 * MINUTE));
    // A rotation just after a read is found at once.
    assert_eq!(reread(&rotation, &script, 1), want);
    assert_eq!(keys(&rotation, &script, 2), want);
    assert_eq!(reread(&rotation, &script, 2), None);
    assert_eq!(reread(&rotation, &script, SECRET_REREAD_MS), None);
    assert_eq!(script.reads(), 2);
    assert_eq!(reread(&rotation, &script, SECRET_REREAD_MS + 1), want);
    script.down(&["current"]);
    assert_eq!(reread(&rotation, &script, 2 * SECRET_REREAD_MS + 1), None);
    assert_eq!(keys(&rotation, &script, 2 * SECRET_REREAD_MS + 2), want);
}

#[test]
fn a_clock_that_was_set_back_makes_nothing_old() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 1", 0);
    assert_eq!(keys(&rotation, &script, SECRET_AGE_MAX_MS), Some(only("key 1")));
    assert_eq!(keys(&rotation, &script, 0), Some(only("key 1")));
    assert_eq!(script.reads(), 1);
}
