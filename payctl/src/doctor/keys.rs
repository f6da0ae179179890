//! Causes in the keys.

use pay_core::json::Json;
use serde_json::Value;

use super::edit;
use super::senders::{self, NoKey};
use super::trial::Trial;

/// What happens to a text that is copied, and how it is undone.
type AlteredKey = (&'static str, fn(&str) -> String);

/// White space around a key is no part of it, and not listed.
const ALTERED: [AlteredKey; 4] = [
    ("quotes around it", unquoted),
    ("`\\n` as two characters in place of each line break", unescaped),
    ("spaces or nothing in place of its line breaks", wrapped),
    ("white space, quotes or line breaks that are not its own", |text| {
        wrapped(&unescaped(&unquoted(text)))
    }),
];

/// What is taken for a key of any sender.
const NO_KEYS: &[NoKey] = &[
    (
        &["-----BEGIN PRIVATE KEY", "-----BEGIN RSA PRIVATE KEY"],
        "a private key is configured, and not the provider's public key",
    ),
    (
        &["-----BEGIN RSA PUBLIC KEY"],
        "a key is in the form `BEGIN RSA PUBLIC KEY`: write it as `BEGIN PUBLIC KEY`",
    ),
];

/// Keys that fit once an alteration of their texts is undone.
pub(super) fn altered(trial: &Trial<'_>) -> Option<String> {
    ALTERED.into_iter().find_map(|(what, undo)| {
        let fit = trial.fits_entry(&edit::with_texts(&trial.case.keys, undo)?)?;
        Some(format!("a key has {what}: without, the signature fits{fit}"))
    })
}

/// What is wrong with keys that could never work.
pub(super) fn unusable(trial: &Trial<'_>) -> Option<String> {
    let case = trial.case;
    let usable = |entry: Json| case.scheme.keys(&entry).is_ok();
    altered(trial)
        .or_else(|| (trial.sender.other_use)(trial))
        .or_else(|| no_key(trial))
        .or_else(|| {
            let name = case.scheme.as_str();
            case.keys.as_object()?.get(name).cloned().filter(|entry| usable(entry.clone()))?;
            Some(format!(
                "`keys` is the whole webhook secret: only what is under `{name}` is meant"
            ))
        })
        .or_else(|| {
            let fixes = |undo| edit::with_texts(&case.keys, undo).is_some_and(usable);
            let (what, _) = ALTERED.into_iter().find(|(_, undo)| fixes(*undo))?;
            Some(format!("a key has {what}: without, it is usable"))
        })
}

/// A text that is known to be something else than a key.
pub(super) fn no_key(trial: &Trial<'_>) -> Option<String> {
    let texts = edit::texts(&trial.case.keys);
    let is = |prefix: &&str| texts.iter().any(|text| text.trim().starts_with(*prefix));
    let mut known = senders::all().flat_map(|sender| sender.no_key_texts).chain(NO_KEYS);
    known.find(|(prefixes, _)| prefixes.iter().any(is)).map(|(_, says)| (*says).to_owned())
}

/// Which key of the list made the signature, if it is not the newest.
pub(super) fn previous(trial: &Trial<'_>) -> Option<String> {
    let count = list(&mut edit::value(&trial.case.keys))?.len();
    let fits = |at: &usize| {
        let mut entry = edit::value(&trial.case.keys);
        let only = list(&mut entry)?;
        *only = vec![only.get(*at)?.clone()];
        trial.fits_entry(&edit::entry(&entry)?)
    };
    let number = (0..count).find(|at| fits(at).is_some())?.saturating_add(1);
    (number > 1).then(|| {
        format!(
            "it was signed with key number {number} of {count}: the sender has not changed to the \
             newest yet"
        )
    })
}

/// The list of keys in an entry: the entry itself, or the member of it that is a list.
fn list(entry: &mut Value) -> Option<&mut Vec<Value>> {
    match entry {
        Value::Array(list) => Some(list),
        Value::Object(members) => members.values_mut().find_map(Value::as_array_mut),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn unquoted(text: &str) -> String {
    text.trim().trim_matches(['"', '\'']).to_owned()
}

fn unescaped(text: &str) -> String {
    text.replace("\\r\\n", "\n").replace("\\n", "\n")
}

/// PEM that was joined into one line, in lines again.
fn wrapped(text: &str) -> String {
    let parts = text.trim().strip_prefix("-----BEGIN ").and_then(|text| {
        let (label, text) = text.split_once("-----")?;
        Some((label, text.split_once("-----END")?.0))
    });
    let Some((label, inner)) = parts else {
        return text.to_owned();
    };
    let inner: String = inner.split_whitespace().collect();
    format!("-----BEGIN {label}-----\n{inner}\n-----END {label}-----\n")
}

#[cfg(test)]
mod tests;
