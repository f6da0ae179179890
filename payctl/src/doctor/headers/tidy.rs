//! Values that were altered in a way that can be undone.

use super::super::check::HeaderList;
use super::super::trial::Trial;

/// An alteration, and how it is undone.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct AlteredHeader {
    what: &'static str,
    undo: fn(&str) -> String,
}

/// What can happen to any value.
const ANY: &[AlteredHeader] = &[
    AlteredHeader { what: "white space around it", undo: |value| value.trim().to_owned() },
    AlteredHeader { what: "quotes around it", undo: |value| unquoted(value).to_owned() },
];

/// What can happen to a signature in hex.
pub(in super::super) const HEX: &[AlteredHeader] = &[
    AlteredHeader {
        what: "white space inside it",
        undo: |value| value.split_whitespace().collect(),
    },
    AlteredHeader { what: "upper-case letters in it", undo: str::to_ascii_lowercase },
];

/// What can happen to a signature in base64.
pub(in super::super) const BASE64: &[AlteredHeader] = &[
    AlteredHeader { what: "spaces in place of `+`", undo: |value| value.trim().replace(' ', "+") },
    OTHER_BASE64,
];

/// The same, of which there may be several with spaces between them.
pub(in super::super) const OTHER_BASE64: AlteredHeader = AlteredHeader {
    what: "another base64 than the standard one with its padding",
    undo: standard_base64,
};

/// A value that was altered on the way, or before it was sent.
pub(in super::super) fn tidied(trial: &Trial<'_>) -> Option<String> {
    let own = trial.sender.headers;
    let of_any = ANY.iter().map(|altered| (altered, own));
    let of_one = own.iter().flat_map(|header| {
        header.altered.iter().map(move |altered| (altered, std::slice::from_ref(header)))
    });
    for (AlteredHeader { what, undo }, of) in of_any.chain(of_one) {
        let mut changed = Vec::new();
        let headers = trial.case.headers.iter().map(|(name, value)| {
            let Some(header) = of.iter().find(|header| name.eq_ignore_ascii_case(header.name))
            else {
                return (name.clone(), value.clone());
            };
            let undone = undo(value);
            if undone != *value {
                changed.push(header.name);
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
