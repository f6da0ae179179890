//! When the previous version is read, and when its keys are accepted.

use super::*;

const UNREAD: &str = "the previous version of the secret cannot be read";

fn rotated() -> (Rotation<TextKeys>, Script) {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 2", 0).put("previous", "key 1", 0);
    assert_eq!(current(&rotation, &script, 0).as_deref(), Some("key 2"));
    (rotation, script)
}

#[test]
fn the_previous_version_is_read_when_it_is_needed_and_then_cached() {
    let (rotation, script) = rotated();
    for ms in [SECRET_REFRESH_MS, 2 * SECRET_REFRESH_MS] {
        assert_eq!(current(&rotation, &script, ms).as_deref(), Some("key 2"));
    }
    rotation.reread(&script, at(1)).now_or_never().unwrap().unwrap();
    // Neither a start, nor a refresh, nor an unknown signature reads it.
    assert_eq!((script.reads(), script.previous_reads()), (4, 0));
    let first = 2 * SECRET_REFRESH_MS;
    for ms in [first, first + SECRET_REFRESH_MS - 1] {
        assert_eq!(previous(&rotation, &script, ms), Ok(Some("key 1".to_owned())));
    }
    assert_eq!((script.reads(), script.previous_reads()), (0, 1));
    // As long as a revoked current key: somebody may have taken the stage from that version.
    script.remove("previous");
    assert_eq!(previous(&rotation, &script, first + SECRET_REFRESH_MS), Ok(None));
    assert_eq!(script.previous_reads(), 1);
}

#[test]
fn forged_signatures_make_it_be_read_once_a_refresh() {
    for stored in [Some("key 1"), Some("placeholder"), None] {
        let (rotation, script) = (rotation(), Script::default());
        script.put("current", "key 2", 0);
        stored.map(|text| script.put("previous", text, 0));
        for ms in (0..SECRET_REFRESH_MS).step_by(500) {
            current(&rotation, &script, ms).unwrap();
            previous(&rotation, &script, ms).unwrap();
            // A version that is read again and is the same changes nothing.
            reread(&rotation, &script, ms);
        }
        assert_eq!(script.previous_reads(), 1, "{stored:?}");
        previous(&rotation, &script, SECRET_REFRESH_MS).unwrap();
        assert_eq!(script.previous_reads(), 1, "{stored:?}");
    }
}

#[test]
fn it_is_not_read_after_its_overlap() {
    let (rotation, script) = rotated();
    assert_eq!(previous(&rotation, &script, 0), Ok(Some("key 1".to_owned())));
    script.reads();
    for ms in (SECRET_REFRESH_MS..DAY).step_by(60_000) {
        current(&rotation, &script, ms).unwrap();
    }
    assert_eq!(previous(&rotation, &script, DAY - 1), Ok(Some("key 1".to_owned())));
    script.previous_reads();
    assert_eq!(previous(&rotation, &script, DAY), Ok(None));
    let cold = self::rotation();
    current(&cold, &script, DAY).unwrap();
    assert_eq!(previous(&cold, &script, DAY), Ok(None));
    assert_eq!(script.previous_reads(), 0);
    // Nor before there is a current version.
    assert_eq!(previous(&self::rotation(), &script, 0), Ok(None));
    assert_eq!(script.previous_reads(), 0);
}

#[test]
fn a_rotation_has_it_read_anew() {
    let (rotation, script) = rotated();
    assert_eq!(previous(&rotation, &script, 0), Ok(Some("key 1".to_owned())));
    script.put("current", "key 3", 10).put("previous", "key 2", 0);
    script.previous_reads();
    rotation.reread(&script, at(10)).now_or_never().unwrap().unwrap();
    assert_eq!(script.previous_reads(), 0);
    assert_eq!(previous(&rotation, &script, 10), Ok(Some("key 2".to_owned())));
    assert_eq!(script.previous_reads(), 1);
}

#[test]
fn what_cannot_be_read_is_not_absent() {
    let (rotation, script) = rotated();
    script.down(&["previous"]);
    for ms in [0, SECRET_RETRY_MS - 1] {
        assert_eq!(previous(&rotation, &script, ms), Err(UNREAD.to_owned()));
    }
    // A failed read is repeated soon, and not for each forged signature.
    assert_eq!(script.previous_reads(), 1);
    assert_eq!(previous(&rotation, &script, SECRET_RETRY_MS), Err(UNREAD.to_owned()));
    assert_eq!(script.previous_reads(), 1);
    script.down(&[]);
    assert_eq!(previous(&rotation, &script, 2 * SECRET_RETRY_MS), Ok(Some("key 1".to_owned())));
    // That there is none stays known for an hour as well.
    for stored in [Ok(Some("key 1".to_owned())), Ok(None)] {
        let (rotation, script) = rotated();
        if stored == Ok(None) {
            script.remove("previous");
        }
        assert_eq!(previous(&rotation, &script, 0), stored);
        script.down(&["previous"]);
        for ms in [SECRET_REFRESH_MS, SECRET_AGE_MAX_MS - 1] {
            current(&rotation, &script, ms).unwrap();
            assert_eq!(previous(&rotation, &script, ms), stored, "{ms}");
        }
        let late = SECRET_AGE_MAX_MS + SECRET_RETRY_MS;
        assert_eq!(previous(&rotation, &script, late), Err(UNREAD.to_owned()));
    }
}

#[test]
fn a_rotation_that_is_seen_while_it_cannot_be_read_rejects_nobody() {
    let (rotation, script) = rotated();
    script.put("current", "key 3", 10).put("previous", "key 2", 0).down(&["previous"]);
    let seen = SECRET_REFRESH_MS;
    assert_eq!(current(&rotation, &script, seen).as_deref(), Some("key 3"));
    // What was in use when the rotation came, for an hour after it was read.
    for ms in [seen, SECRET_AGE_MAX_MS - 1] {
        assert_eq!(previous(&rotation, &script, ms), Ok(Some("key 2".to_owned())), "{ms}");
    }
    current(&rotation, &script, SECRET_AGE_MAX_MS).unwrap();
    let late = SECRET_AGE_MAX_MS - 1 + SECRET_RETRY_MS;
    assert_eq!(previous(&rotation, &script, late), Err(UNREAD.to_owned()));
    // What is read counts, and not what was in use: that may be revoked.
    let (rotation, script) = rotated();
    script.put("current", "key 3", 10).put("previous", "key 3", 9);
    current(&rotation, &script, seen).unwrap();
    assert_eq!(previous(&rotation, &script, seen), Ok(Some("key 3".to_owned())));
}

#[test]
fn a_later_value_takes_no_known_key_away() {
    let (rotation, script) = rotated();
    assert_eq!(previous(&rotation, &script, 0), Ok(Some("key 1".to_owned())));
    // The current version of the cache is the previous one by now, and the new one is unusable.
    script.put("current", "short", 10).put("previous", "key 2", 0);
    script.previous_reads();
    assert_eq!(current(&rotation, &script, SECRET_REFRESH_MS).as_deref(), Some("key 2"));
    assert_eq!(previous(&rotation, &script, SECRET_REFRESH_MS), Ok(Some("key 1".to_owned())));
    assert_eq!(script.previous_reads(), 1);
}

#[test]
fn the_version_before_a_stand_in_is_unknown_until_it_is_current_again() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "short", 1000).put("previous", "key 2", 5);
    assert_eq!(current(&rotation, &script, 1000).as_deref(), Some("key 2"));
    script.previous_reads();
    assert_eq!(previous(&rotation, &script, 1000), Ok(None));
    assert_eq!(script.previous_reads(), 0);
    // Somebody went back.
    script.put("current", "key 2", 5).put("previous", "key 1", 0);
    let later = 1000 + SECRET_RETRY_MS;
    assert_eq!(current(&rotation, &script, later).as_deref(), Some("key 2"));
    assert_eq!(previous(&rotation, &script, later), Ok(Some("key 1".to_owned())));
}

#[test]
fn an_unusable_part_has_it_read_at_once() {
    let (rotation, script) = (rotation(), Script::default());
    script.put("current", "key 2; one bad", 10).put("previous", "key 1; one 1", 0);
    assert_eq!(current(&rotation, &script, 10).as_deref(), Some("key 2; one -"));
    assert_eq!(script.previous_reads(), 1);
    // The part is read again soon, the previous version is not.
    current(&rotation, &script, 10 + SECRET_RETRY_MS).unwrap();
    assert_eq!((script.reads(), script.previous_reads()), (2, 0));
    script.put("current", "key 3; one bad", 20).put("previous", "key 2; one bad", 10);
    let filled = rotation.reread(&script, at(20)).now_or_never().unwrap().unwrap();
    assert_eq!(filled.shown(), "key 3; one 1");
}

#[test]
fn no_part_is_filled_from_keys_whose_overlap_is_over() {
    for (ms, want) in [(MINUTE - 1, "key 3; one 1"), (MINUTE, "key 3; one -")] {
        let rotation = Rotation::<TextKeys>::new(Duration::from_mins(1));
        let script = Script::default();
        script.put("current", "key 2; one bad", 0).put("previous", "key 1; one 1", 0);
        assert_eq!(current(&rotation, &script, 1).as_deref(), Some("key 2; one -"));
        script.put("current", "key 3; one bad", 10).put("previous", "key 2; one bad", 0);
        assert_eq!(current(&rotation, &script, ms).as_deref(), Some(want), "{ms}");
    }
}
