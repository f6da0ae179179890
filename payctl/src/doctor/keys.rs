//! Causes in the keys.

mod other;

pub(super) use other::by_the_other_scheme;

use pay_core::domain::Provider;
use pay_core::json::Json;
use serde_json::Value;

use super::edit;
use super::trial::Trial;
use crate::Scheme;

/// What happens to a text that is copied, and how it is undone.
type AlteredKey = (&'static str, fn(&str) -> String);

const ALTERED: [AlteredKey; 5] = [
    ("white space around it", |text| text.trim().to_owned()),
    ("quotes around it", unquoted),
    ("`\\n` as two characters in place of each line break", unescaped),
    ("spaces or nothing in place of its line breaks", wrapped),
    ("white space, quotes or line breaks that are not its own", |text| {
        wrapped(&unescaped(&unquoted(text)))
    }),
];

/// How texts begin that cannot verify a signature, and what they are.
const NO_KEYS: [(&str, &str); 11] = [
    ("sk_live_", A_STRIPE_API_KEY),
    ("sk_test_", A_STRIPE_API_KEY),
    ("rk_live_", A_STRIPE_API_KEY),
    ("rk_test_", A_STRIPE_API_KEY),
    ("pk_live_", A_STRIPE_API_KEY),
    ("pk_test_", A_STRIPE_API_KEY),
    ("we_", "the id of a Stripe endpoint is configured, and not its signing secret"),
    ("whsk_", "the private half of an ed25519 key is configured, and not the `whpk_` half"),
    ("-----BEGIN PRIVATE KEY", A_PRIVATE_KEY),
    ("-----BEGIN RSA PRIVATE KEY", A_PRIVATE_KEY),
    (
        "-----BEGIN RSA PUBLIC KEY",
        "a key is in the form `BEGIN RSA PUBLIC KEY`: write it as `BEGIN PUBLIC KEY`",
    ),
];
const A_STRIPE_API_KEY: &str =
    "a Stripe API key is configured, and not the signing secret of the endpoint";
const A_PRIVATE_KEY: &str = "a private key is configured, and not the provider's public key";

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
        .or_else(|| by_the_other_scheme(trial))
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
    let is = |prefix: &str| texts.iter().any(|text| text.trim().starts_with(prefix));
    NO_KEYS.into_iter().find(|(prefix, _)| is(prefix)).map(|(_, says)| says.to_owned())
}

/// Which key of the list made the signature, if it is not the newest.
pub(super) fn previous(trial: &Trial<'_>) -> Option<String> {
    let count = list(trial.case.scheme, &mut edit::value(&trial.case.keys))?.len();
    let fits = |at: &usize| {
        let mut entry = edit::value(&trial.case.keys);
        let only = list(trial.case.scheme, &mut entry)?;
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

/// The list of keys in an entry. WeChat Pay's are an object.
fn list(scheme: Scheme, entry: &mut Value) -> Option<&mut Vec<Value>> {
    let list = match scheme {
        Scheme::Standard => entry,
        Scheme::Provider(Provider::Stripe) => entry.get_mut("secrets")?,
        Scheme::Provider(Provider::Alipay) => entry.get_mut("public_keys")?,
        Scheme::Provider(Provider::WeChat) => return None,
    };
    list.as_array_mut()
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
