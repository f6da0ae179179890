use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use pay_core::ports::BadSecret;

use super::*;

/// The keys of a secret: the current one, and the previous one if it can be read.
type Known = (&'static str, Result<Option<&'static str>, &'static str>);

/// Keys known at first and, where they may be read again, after that; notes what is asked for.
struct Script {
    now: Mutex<Known>,
    later: Option<Known>,
    asked: Mutex<Vec<&'static str>>,
}

impl Script {
    fn note(&self, what: &'static str) {
        self.asked.lock().unwrap().push(what);
    }

    fn known(&self) -> Known {
        *self.now.lock().unwrap()
    }
}

impl Keys<&'static str> for Script {
    async fn current(&self, _now: Timestamp) -> Result<Arc<&'static str>, NoKeys> {
        self.note("current");
        Ok(Arc::new(self.known().0))
    }

    async fn previous(&self, _now: Timestamp) -> Result<Option<Arc<&'static str>>, NoKeys> {
        self.note("previous");
        self.known().1.map(|key| key.map(Arc::new)).map_err(|cause| NoKeys(cause.into()))
    }

    async fn reread(&self, _now: Timestamp) -> Option<Arc<&'static str>> {
        self.note("reread");
        let later = self.later?;
        *self.now.lock().unwrap() = later;
        Some(Arc::new(later.0))
    }
}

/// Checks something that was signed with this key: what the check says and what it asked for.
fn check(signed: &str, now: Known, later: Option<Known>) -> (Result<String, String>, String) {
    let script = Script { now: Mutex::new(now), later, asked: Mutex::default() };
    let check = |key: &&'static str| {
        if *key == signed { Ok((*key).to_owned()) } else { Err(TokenError::UnknownSignature) }
    };
    let checked = with_keys(&script, Timestamp::EPOCH, check).now_or_never().unwrap();
    let shown = match checked {
        Ok(checked) => checked.map_err(|error| error.to_string()),
        Err(NoKeys(cause)) => Err(cause.to_string()),
    };
    let asked = script.asked.into_inner().unwrap().join(" ");
    (shown, asked)
}

#[test]
fn older_and_newer_keys_are_asked_for_in_this_order_and_only_if_they_are_needed() {
    let (before, after) = (("2", Ok(Some("1"))), Some(("3", Ok(Some("2")))));
    for (signed, asked) in [
        ("2", "current"),
        ("1", "current previous"),
        ("3", "current previous reread"),
        ("4", "current previous reread previous"),
    ] {
        let (checked, asked_for) = check(signed, before, after);
        assert_eq!(asked_for, asked, "{signed}");
        assert_eq!(checked.is_ok(), signed != "4", "{signed}");
    }
    // A version that is not known here yet may have been the current one in between.
    let skipped = Some(("4", Ok(Some("3"))));
    assert_eq!(check("3", before, skipped).0, Ok("3".to_owned()));
    let forged = Err(TokenError::UnknownSignature.to_string());
    assert_eq!(check("9", before, None), (forged.clone(), "current previous reread".to_owned()));
    assert_eq!(check("9", ("2", Ok(None)), None).0, forged);
}

#[test]
fn what_keys_that_cannot_be_read_may_have_signed_is_neither_accepted_nor_rejected() {
    let unread = ("2", Err("down"));
    let down = Err("down".to_owned());
    // A new key may have signed it all the same.
    assert_eq!(check("3", unread, Some(("3", Err("down")))).0, Ok("3".to_owned()));
    assert_eq!(check("1", unread, None), (down.clone(), "current previous reread".to_owned()));
    assert_eq!(check("1", unread, Some(unread)).0, down);
    assert_eq!(check("1", unread, Some(("2", Ok(Some("1"))))).0, Ok("1".to_owned()));
    // The current key needs no other.
    assert_eq!(check("2", unread, None), (Ok("2".to_owned()), "current".to_owned()));
}

#[test]
fn what_no_key_can_help_asks_for_none() {
    let late = VerifyError::Stale { by_secs: 301, most_secs: 300 };
    let expired = TokenError::Unauthenticated(TokenFault::Expired);
    let script = || Script {
        now: Mutex::new(("2", Ok(Some("1")))),
        later: Some(("3", Ok(None))),
        asked: Mutex::default(),
    };
    let (webhooks, tokens) = (script(), script());
    let check = |_: &&'static str| Err::<(), _>(late);
    let checked = with_keys(&webhooks, Timestamp::EPOCH, check).now_or_never().unwrap();
    assert_eq!(checked.unwrap(), Err(late));
    let check = |_: &&'static str| Err::<(), _>(expired);
    let checked = with_keys(&tokens, Timestamp::EPOCH, check).now_or_never().unwrap();
    assert_eq!(checked.unwrap(), Err(expired));
    for script in [webhooks, tokens] {
        assert_eq!(*script.asked.lock().unwrap(), ["current"]);
    }
}

#[test]
fn the_keys_that_say_more_say_why_a_message_is_rejected() {
    use VerifyError as E;
    let bad = BadSecret("x");
    let stale = E::Stale { by_secs: 301, most_secs: 300 };
    for (current, previous, want) in [
        (E::BadSignature, stale, stale),
        (E::BadSignature, E::Undecryptable, E::Undecryptable),
        (E::UnknownSerial, E::BadSignature, E::BadSignature),
        (E::NoKeys, E::BadSignature, E::BadSignature),
        (E::BadSignature, E::NoKeys, E::BadSignature),
        (E::BadSignature, E::UnusableKeys(bad), E::BadSignature),
        (E::Undecryptable, E::BadSignature, E::Undecryptable),
        (E::Undecryptable, E::NoKeys, E::Undecryptable),
        (E::UnusableKeys(bad), E::BadSignature, E::UnusableKeys(bad)),
        (E::UnusableKeys(bad), E::NoKeys, E::UnusableKeys(bad)),
    ] {
        assert_eq!(current.and_previous(previous), want, "{current:?} {previous:?}");
    }
    // Whichever they are.
    let script =
        Script { now: Mutex::new(("2", Ok(Some("1")))), later: None, asked: Mutex::default() };
    let check = |key: &&'static str| {
        Err::<(), _>(if *key == "2" { E::Undecryptable } else { E::BadSignature })
    };
    let checked = with_keys(&script, Timestamp::EPOCH, check).now_or_never().unwrap();
    assert_eq!(checked.unwrap(), Err(E::Undecryptable));
    let scope = TokenError::Forbidden(TokenFault::Scope);
    assert_eq!(TokenError::UnknownSignature.and_previous(scope), scope);
}
