//! Values that were altered in a way that can be undone.

use pay_providers::{standard, stripe, wechat};

use super::super::check::HeaderList;
use super::super::trial::Trial;
use super::names;

/// An alteration, how it is undone, and the headers in which it can be.
struct AlteredHeader {
    what: &'static str,
    undo: fn(&str) -> String,
    of: &'static [&'static str],
}

const ANY: &[&str] = &[];
const HEX: &[&str] = &[stripe::SIGNATURE_HEADER];
const BASE64: &[&str] = &[standard::SIGNATURE_HEADER, wechat::SIGNATURE_HEADER];

const ALTERED: [AlteredHeader; 6] = [
    AlteredHeader { what: "white space around it", undo: |value| value.trim().to_owned(), of: ANY },
    AlteredHeader { what: "quotes around it", undo: |value| unquoted(value).to_owned(), of: ANY },
    AlteredHeader { what: "white space inside it", undo: without_spaces, of: HEX },
    AlteredHeader { what: "upper-case letters in it", undo: str::to_ascii_lowercase, of: HEX },
    AlteredHeader {
        what: "spaces in place of `+`",
        undo: |value| value.trim().replace(' ', "+"),
        of: &[wechat::SIGNATURE_HEADER],
    },
    AlteredHeader {
        what: "another base64 than the standard one with its padding",
        undo: standard_base64,
        of: BASE64,
    },
];

/// A value that was altered on the way, or before it was sent.
pub(in super::super) fn tidied(trial: &Trial<'_>) -> Option<String> {
    let own = names(trial.case.scheme);
    for AlteredHeader { what, undo, of } in ALTERED {
        let mut changed = Vec::new();
        let headers = trial.case.headers.iter().map(|(name, value)| {
            let lower = name.to_ascii_lowercase();
            let is_read = own.contains(&lower.as_str());
            if !is_read || !(of.is_empty() || of.contains(&lower.as_str())) {
                return (name.clone(), value.clone());
            }
            let undone = undo(value);
            if undone != *value {
                changed.push(lower);
            }
            (name.clone(), undone)
        });
        let headers: HeaderList = headers.collect();
        if changed.is_empty() {
            continue;
        }
        if let Some(fit) = trial.fits_headers(&headers) {
            let names = changed.join("`, `");
            return Some(format!("`{names}` has {what}: without, the signature fits{fit}"));
        }
    }
    None
}

fn unquoted(value: &str) -> &str {
    let quotes = ['"', '\''];
    let inner = quotes.iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    inner.unwrap_or(value)
}

fn without_spaces(value: &str) -> String {
    value.split_whitespace().collect()
}

/// Each signature, `version,base64` or the base64 alone, in the standard alphabet with its padding.
fn standard_base64(value: &str) -> String {
    let entries = value.split(' ').map(|entry| {
        let entry = entry.replace('-', "+").replace('_', "/");
        let (version, encoded) = match entry.split_once(',') {
            Some((version, encoded)) => (format!("{version},"), encoded),
            None => (String::new(), entry.as_str()),
        };
        let encoded = encoded.trim_end_matches('=');
        let missing = encoded.len().next_multiple_of(4).saturating_sub(encoded.len());
        format!("{version}{encoded}{}", "=".repeat(missing))
    });
    entries.collect::<Vec<_>>().join(" ")
}
