//! Causes that lie in the keys.

mod other;

pub(super) use other::by_the_other_scheme;

use pay_core::json::Json;
use pay_providers::PaymentProvider;
use serde_json::Value;

use super::attempt::Attempt;
use super::check::Scheme;
use super::edit;

/// What happens to a text between two files, and how it is undone.
type Altered = (&'static str, fn(&str) -> String);

const ALTERED: [Altered; 5] = [
    ("white space around it", |text| text.trim().to_owned()),
    ("quotes around it", unquoted),
    ("`\\n` as two characters in place of each line break", unescaped),
    ("spaces or nothing in place of its line breaks", wrapped),
    ("white space, quotes or line breaks that are not its own", |text| {
        wrapped(&unescaped(&unquoted(text)))
    }),
];

/// How a text begins that is something else than a key to check with, and what it is.
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

/// Keys that check the message once a text of theirs is as it was meant.
pub(super) fn altered(attempt: &Attempt<'_>) -> Option<String> {
    ALTERED.into_iter().find_map(|(what, undo)| {
        let fit = attempt.fits_entry(&edit::with_texts(&attempt.case.keys, undo)?)?;
        Some(format!("a key has {what}: mended, the signature fits{fit}"))
    })
}

/// What is wrong with keys that could never work.
pub(super) fn unusable(attempt: &Attempt<'_>) -> Option<String> {
    let case = attempt.case;
    let usable = |entry: Json| case.scheme.keys(&entry).is_ok();
    altered(attempt)
        .or_else(|| by_the_other_scheme(attempt))
        .or_else(|| no_key(attempt))
        .or_else(|| {
            let name = case.scheme.as_str();
            case.keys.as_object()?.get(name).cloned().filter(|entry| usable(entry.clone()))?;
            Some(format!(
                "`keys` is the whole webhook secret: only what is under `{name}` is meant"
            ))
        })
        .or_else(|| {
            let mends = |undo| edit::with_texts(&case.keys, undo).is_some_and(usable);
            let (what, _) = ALTERED.into_iter().find(|(_, undo)| mends(*undo))?;
            Some(format!("a key has {what}: mended, it is one"))
        })
}

/// A text that is known to be something else than a key to check with.
pub(super) fn no_key(attempt: &Attempt<'_>) -> Option<String> {
    let texts = edit::texts(&attempt.case.keys);
    let is = |prefix: &str| texts.iter().any(|text| text.trim().starts_with(prefix));
    NO_KEYS.into_iter().find(|(prefix, _)| is(prefix)).map(|(_, says)| says.to_owned())
}

/// Which key of the list made the signature, if it is not the newest.
pub(super) fn previous(attempt: &Attempt<'_>) -> Option<String> {
    let count = list(attempt.case.scheme, &mut edit::value(&attempt.case.keys))?.len();
    let fits = |at: &usize| {
        let mut entry = edit::value(&attempt.case.keys);
        let only = list(attempt.case.scheme, &mut entry)?;
        *only = vec![only.get(*at)?.clone()];
        attempt.fits_entry(&edit::entry(&entry)?)
    };
    let number = (0..count).find(|at| fits(at).is_some())?.saturating_add(1);
    (number > 1).then(|| {
        format!(
            "it was signed with key number {number} of {count}: the sender has not changed to the \
             newest yet"
        )
    })
}

/// The list of keys in an entry; WeChat Pay's are under names.
fn list(scheme: Scheme, entry: &mut Value) -> Option<&mut Vec<Value>> {
    let list = match scheme {
        Scheme::Standard => entry,
        Scheme::Provider(PaymentProvider::Stripe) => entry.get_mut("secrets")?,
        Scheme::Provider(PaymentProvider::Alipay) => entry.get_mut("public_keys")?,
        Scheme::Provider(PaymentProvider::WeChat) => return None,
    };
    list.as_array_mut()
}

fn unquoted(text: &str) -> String {
    text.trim().trim_matches(['"', '\'']).to_owned()
}

fn unescaped(text: &str) -> String {
    text.replace("\\r\\n", "\n").replace("\\n", "\n")
}

/// PEM that came on one line, in lines again.
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
