mod previous;

use std::collections::HashMap;

use futures_util::FutureExt as _;

use super::{text_keys::TextKeys, *};
use crate::limits::{SECRET_REREAD_MS, SECRET_REREADS_BURST};

const MINUTE: u64 = 60 * 1000;
const DAY: u64 = 24 * 60 * MINUTE;

/// A secret that can be changed and broken; counts its reads.
#[derive(Default)]
struct Script(Mutex<ScriptState>);

#[derive(Default)]
struct ScriptState {
    versions: HashMap<&'static str, (String, u64)>,
    down: Vec<&'static str>,
    reads: usize,
    previous_reads: usize,
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

    /// How often the current version was read since the last call of this.
    fn reads(&self) -> usize {
        std::mem::take(&mut self.0.lock().unwrap().reads)
    }

    /// How often the previous version was read since the last call of this.
    fn previous_reads(&self) -> usize {
        std::mem::take(&mut self.0.lock().unwrap().previous_reads)
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
            SecretStage::Previous => {
                stored.previous_reads = stored.previous_reads.saturating_add(1);
                "previous"
            }
        };
        if stored.down.contains(&stage) {
            return Err("down".into());
        }
        Ok(stored.versions.get(stage).map(|(text, created)| SecretVersion {
            id: format!("{text} of {created}"),
            text: text.clone(),
            created: at(*created),
        }))
    }
}

fn at(ms: u64) -> Timestamp {
    Timestamp::from_millis(ms).unwrap()
}

fn rotation() -> Rotation<TextKeys> {
    Rotation::new(Duration::from_hours(24))
}

/// The current key, and the previous one with its end.
type Shown = (String, Option<(String, u64)>);

/// What there is to check with, the previous key included, which is read if need be.
fn show(rotation: &Rotation<TextKeys>, script: &Script, current: &TextKeys, ms: u64) -> Shown {
    let previous = previous(rotation, script, ms).ok().flatten();
    let end = rotation.cache().keys.as_ref().unwrap().previous.end.millis();
    (current.shown(), previous.map(|key| (key, end)))
}

// The script never waits, so neither does anything here.

fn current(rotation: &Rotation<TextKeys>, script: &Script, ms: u64) -> Option<String> {
    let keys = rotation.current(script, at(ms)).now_or_never().unwrap();
    keys.ok().map(|keys| keys.shown())
}

fn previous(
    rotation: &Rotation<TextKeys>,
    script: &Script,
    ms: u64,
) -> Result<Option<String>, String> {
    let keys = rotation.previous(script, at(ms)).now_or_never().unwrap();
    keys.map(|keys| keys.map(|keys| keys.shown())).map_err(|NoKeys(cause)| cause.to_string())
}

fn keys(rotation: &Rotation<TextKeys>, script: &Script, ms: u64) -> Option<Shown> {
    let keys = rotation.current(script, at(ms)).now_or_never().unwrap();
    keys.ok().map(|keys| show(rotation, script, &keys, ms))
}

fn reread(rotation: &Rotation<TextKeys>, script: &Script, ms: u64) -> Option<Shown> {
    let keys = rotation.reread(script, at(ms)).now_or_never().unwrap();
    keys.map(|keys| show(rotation, script, &keys, ms))
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
    let later = 10 + DAY;
    assert_eq!(keys(&rotation, &script, SECRET_REFRESH_MS), Some(both("key 2", "key 1", later)));
    assert_eq!(script.reads(), 1);
}

#[test]
fn the_previous_key_is_accepted_for_a_time_after_the_current_one_was_created() {
    let script = Script::default();
    script.put("current", "key 2", 1000).put("previous", "key 1", 5);
    let short = Rotation::<TextKeys>::new(Duration::from_mins(1));
    assert_eq!(keys(&short, &script, 2000), Some(both("key 2", "key 1", 61_000)));
    let endless = Rotation::<TextKeys>::new(Duration::MAX);
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
fn without_a_usable_version_there_are_no_keys() {
    let (rotation, script) = (rotation(), Script::default());
    assert_eq!(keys(&rotation, &script, 0), None);
    script.put("current", "short", 0);
    assert_eq!(keys(&rotation, &script, 1), None);
    script.put("previous", "placeholder", 0);
    assert_eq!(keys(&rotation, &script, 2), None);
    script.put("current", "key 1", 0);
    // Without cached keys every request reads.
    assert_eq!(keys(&rotation, &script, 3), Some(only("key 1")));
    assert_eq!(script.reads(), 4);
}

#[test]
fn known_keys_stay_in_use_for_an_hour_when_a_new_value_is_unusable() {
    for bad in [Some("short"), Some(""), None] {
        let (rotation, script) = (rotation(), Script::default());
        script.put("current", "key 2", 0).put("previous", "key 1", 0);
        let want = Some(both("key 2", "key 1", DAY));
        assert_eq!(keys(&rotation, &script, 0), want);
        match bad {
            Some(text) => _ = script.put("current", text, 10).put("previous", "key 2", 0),
            None => script.remove("current"),
        }
        // An unknown signature takes no keys away, either.
        assert_eq!(reread(&rotation, &script, 20), None, "{bad:?}");
        assert_eq!(keys(&rotation, &script, 20), want, "{bad:?}");
        script.reads();
        for ms in [SECRET_REFRESH_MS, SECRET_REFRESH_MS + SECRET_RETRY_MS - 1] {
            assert_eq!(keys(&rotation, &script, ms), want, "{bad:?}");
        }
        assert_eq!(script.reads(), 1, "{bad:?}");
        assert_eq!(keys(&rotation, &script, SECRET_AGE_MAX_MS - 1), want, "{bad:?}");
        assert_eq!(script.reads(), 1, "{bad:?}");
        // By then they may have been revoked.
        let late = SECRET_AGE_MAX_MS + 10;
        assert_eq!(keys(&rotation, &script, late), None, "{bad:?}");
        script.put("current", "key 3", late);
        let corrected = keys(&rotation, &script, late + 1).unwrap();
        assert_eq!(corrected.0, "key 3", "{bad:?}");
    }
}

#[test]
fn a_start_with_an_unusable_value_uses_the_previous_one_as_long_as_others_would() {
    let fresh = |overlap| Rotation::<TextKeys>::new(overlap);
    let script = Script::default();
    script.put("current", "short", 1000).put("previous", "key 1", 5);
    let day = Duration::from_hours(24);
    let (first, last) = (1000, 1000 + SECRET_AGE_MAX_MS - 1);
    for ms in [first, last] {
        assert_eq!(keys(&fresh(day), &script, ms), Some(only("key 1")), "{ms}");
    }
    assert_eq!(keys(&fresh(day), &script, last + 1), None);
    // Nor longer than a previous version is accepted at all.
    let minute = Duration::from_mins(1);
    assert_eq!(keys(&fresh(minute), &script, 1000 + MINUTE - 1), Some(only("key 1")));
    assert_eq!(keys(&fresh(minute), &script, 1000 + MINUTE), None);
    // It is read again soon, and for no longer used because it was cached.
    let rotation = fresh(day);
    assert_eq!(keys(&rotation, &script, last), Some(only("key 1")));
    assert_eq!(keys(&rotation, &script, last + 1), None);
    let rotation = fresh(day);
    assert_eq!(keys(&rotation, &script, 2000), Some(only("key 1")));
    script.reads();
    assert_eq!(keys(&rotation, &script, 2000 + SECRET_RETRY_MS - 1), Some(only("key 1")));
    assert_eq!(script.reads(), 0);
    script.put("current", "key 3", 3000).put("previous", "short", 1000);
    let want = Some(both("key 3", "key 1", 3000 + DAY));
    assert_eq!(keys(&rotation, &script, 2000 + SECRET_RETRY_MS), want);
    // What cannot be read is no reason to go back.
    script.put("previous", "key 1", 5).down(&["current"]);
    assert_eq!(keys(&fresh(day), &script, 3000), None);
}

#[test]
fn an_unusable_version_between_two_good_ones_ends_no_overlap() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 1", 0);
    assert_eq!(keys(&rotation, &script, 0), Some(only("key 1")));
    script.put("current", "short", 10).put("previous", "key 1", 0);
    assert_eq!(reread(&rotation, &script, 10), None);
    script.put("current", "key 2", 20).put("previous", "short", 10);
    let want = Some(both("key 2", "key 1", 20 + DAY));
    assert_eq!(reread(&rotation, &script, 20), want);
    // Also when it is read again.
    assert_eq!(keys(&rotation, &script, 20 + SECRET_REFRESH_MS), want);
    assert_eq!(keys(&rotation, &script, 20 + 2 * SECRET_REFRESH_MS), want);
    // Twice the same value still revokes.
    script.put("current", "key 2", 30).put("previous", "key 2", 20);
    let revoked = Some(both("key 2", "key 2", 30 + DAY));
    assert_eq!(keys(&rotation, &script, 20 + 3 * SECRET_REFRESH_MS), revoked);
    script.put("current", "key 2", 40).remove("previous");
    assert_eq!(keys(&rotation, &script, 20 + 4 * SECRET_REFRESH_MS), Some(only("key 2")));
}

#[test]
fn an_unusable_part_keeps_its_keys_for_an_hour_and_touches_no_other() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 1; one 1; two 1", 0);
    assert_eq!(keys(&rotation, &script, 0), Some(only("key 1; one 1; two 1")));
    script.put("current", "key 2; one bad; two 2", 10).put("previous", "key 1; one 1; two 1", 0);
    let previous = "key 1; one 1; two 1";
    let filled = Some(both("key 2; one 1; two 2", previous, 10 + DAY));
    assert_eq!(reread(&rotation, &script, 10), filled);
    // It is read again soon.
    script.reads();
    assert_eq!(keys(&rotation, &script, 10 + SECRET_RETRY_MS), filled);
    assert_eq!(script.reads(), 1);
    // Another try that is wrong: both versions lack the part now.
    script.put("current", "key 3; one bad; two 3", 20).put("previous", "key 2; one bad; two 2", 10);
    let filled = Some(both("key 3; one 1; two 3", "key 2; one 1; two 2", 20 + DAY));
    assert_eq!(keys(&rotation, &script, SECRET_REFRESH_MS), filled);
    assert_eq!(keys(&rotation, &script, SECRET_AGE_MAX_MS - 1), filled);
    let gone = both("key 3; one -; two 3", "key 2; one 1; two 2", 20 + DAY);
    assert_eq!(keys(&rotation, &script, SECRET_AGE_MAX_MS + SECRET_RETRY_MS), Some(gone));
    // A start has what the previous version has.
    let cold = self::rotation();
    let want = both("key 3; one -; two 3", "key 2; one -; two 2", 20 + DAY);
    assert_eq!(keys(&cold, &script, 30), Some(want));
    script.put("current", "key 4; one 4; two 4", 40);
    let corrected = keys(&cold, &script, 30 + SECRET_RETRY_MS).unwrap();
    assert_eq!(corrected.0, "key 4; one 4; two 4");
}

#[test]
fn an_instance_that_starts_with_an_unusable_part_keeps_what_the_previous_version_has() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 2; one bad", 10).put("previous", "key 1; one 1", 0);
    let want = both("key 2; one -", "key 1; one 1", 10 + DAY);
    assert_eq!(keys(&rotation, &script, 10), Some(want));
    script.put("current", "key 3; one bad", 20).put("previous", "key 2; one bad", 10);
    let want = both("key 3; one 1", "key 2; one 1", 20 + DAY);
    assert_eq!(reread(&rotation, &script, 20), Some(want));
    script.put("current", "key 4; one 4", 30).put("previous", "key 3; one bad", 20);
    let want = both("key 4; one 4", "key 3; one 1", 30 + DAY);
    assert_eq!(reread(&rotation, &script, 30), Some(want));
}

#[test]
fn cached_keys_are_used_while_the_secret_cannot_be_read_but_not_for_ever() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 2", 0).put("previous", "key 1", 0);
    let want = Some(both("key 2", "key 1", DAY));
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
    let want = Some(both("key 2", "key 1", DAY));
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
    let later = SECRET_RETRY_MS + 2 * SECRET_REFRESH_MS;
    assert_eq!(keys(&rotation, &script, later).unwrap().0, "key 3");
}

#[test]
fn unknown_signatures_make_it_be_read_a_few_times_and_then_once_an_interval() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 1", 0);
    assert_eq!(keys(&rotation, &script, 0), Some(only("key 1")));
    // Some forged ones, and a rotation just after a read: it is found at once.
    for ms in 1..u64::from(SECRET_REREADS_BURST) {
        assert_eq!(reread(&rotation, &script, ms), Some(only("key 1")), "{ms}");
    }
    script.put("current", "key 2", 9).put("previous", "key 1", 0);
    let want = Some(both("key 2", "key 1", 9 + DAY));
    assert_eq!(reread(&rotation, &script, 9), want);
    assert_eq!(keys(&rotation, &script, 10), want);
    // A flood reads no more than once an interval, however long it lasts.
    script.reads();
    let flood = 10..10 * SECRET_REREAD_MS;
    let read = flood.step_by(100).filter(|ms| reread(&rotation, &script, *ms).is_some()).count();
    assert_eq!((read, script.reads()), (9, 9));
    // What a flood used up comes back, and no more than that.
    let quiet = 100 * SECRET_REREAD_MS;
    let again = (quiet..quiet + 100).filter(|ms| reread(&rotation, &script, *ms).is_some());
    assert_eq!(again.count(), usize::try_from(SECRET_REREADS_BURST).unwrap());
    // Those that fail count as well, and take no keys away.
    script.down(&["current"]);
    assert_eq!(reread(&rotation, &script, quiet + SECRET_REREAD_MS), None);
    assert_eq!(keys(&rotation, &script, quiet + SECRET_REREAD_MS), want);
}

#[test]
fn a_clock_that_was_set_back_stops_no_rereads() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 1", 0);
    let flood = |from: u64| {
        let times = from..from + 100;
        times.filter(|ms| reread(&rotation, &script, *ms).is_some()).count()
    };
    flood(SECRET_AGE_MAX_MS);
    assert_eq!(flood(0), 0);
    assert_eq!(flood(2 * SECRET_REREAD_MS), 2);
}

#[test]
fn a_clock_that_was_set_back_makes_nothing_old() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 1", 0);
    assert_eq!(keys(&rotation, &script, SECRET_AGE_MAX_MS), Some(only("key 1")));
    assert_eq!(keys(&rotation, &script, 0), Some(only("key 1")));
    assert_eq!(script.reads(), 1);
}
