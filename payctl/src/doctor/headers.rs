//! Causes in the headers: doubled, altered, under other names, of another sender.

mod tidy;

pub(super) use tidy::{BASE64, HEX, OTHER_BASE64, tidied};

use super::check::HeaderList;
use super::form::{self, FormFacts};
use super::senders::{self, SenderFacts};
use super::trial::Trial;
use tidy::AlteredHeader;

/// The prefix of a header's name in the environment of a CGI program.
const CGI: &str = "http_";

/// What is known about a header that a sender's verification reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeaderFacts {
    /// In lower case.
    pub(super) name: &'static str,
    /// Whether the sender is recognized by it.
    pub(super) is_signature: bool,
    /// What can happen to its value besides what can happen to any.
    pub(super) altered: &'static [AlteredHeader],
    /// Separates the values that a gateway may have joined into one.
    pub(super) apart: fn(&str) -> Vec<String>,
}

impl HeaderFacts {
    pub(super) const fn plain(name: &'static str) -> Self {
        Self { name, is_signature: false, altered: &[], apart: at_commas }
    }

    /// A header with the signature.
    pub(super) const fn signature(name: &'static str, altered: &'static [AlteredHeader]) -> Self {
        Self { is_signature: true, altered, ..Self::plain(name) }
    }
}

fn at_commas(value: &str) -> Vec<String> {
    value.split(',').map(|value| value.trim().to_owned()).collect()
}

/// Another program's names for the headers of a sender.
#[derive(Clone, Copy, Debug)]
pub(super) struct OtherNames {
    pub(super) sender: &'static str,
    /// How the sender's own names begin.
    pub(super) own: &'static str,
    /// What they begin with instead.
    pub(super) other: &'static str,
}

/// The values of a header, one for each time that it is there.
fn values<'a>(headers: &'a HeaderList, name: &'a str) -> impl Iterator<Item = &'a str> {
    let named = headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.as_str())
}

/// The right headers under the names that they have in a program's environment.
pub(super) fn renamed(trial: &Trial<'_>) -> Option<String> {
    let headers = &trial.case.headers;
    let renamed = headers.iter().map(|(name, value)| {
        let name = name.trim().trim_end_matches(':').to_ascii_lowercase();
        let name = name.strip_prefix(CGI).unwrap_or(&name);
        (name.replace('_', "-"), value.clone())
    });
    let fit = trial.fits_headers(&renamed.collect())?;
    Some(format!(
        "the signature fits once the headers have the names that they are sent with: `http_…`, `_` \
         in place of `-` and a colon are not part of them{fit}"
    ))
}

/// A message without its own signature and with that of another sender.
pub(super) fn of_another_sender(trial: &Trial<'_>) -> Option<String> {
    let (own, case) = (trial.sender, trial.case);
    let (fields, _) = form::fields(&case.body);
    let has_field = |name: &str| fields.iter().any(|(known, _)| known == name);
    if own.headers.iter().any(|header| case.header(header.name).is_some())
        || own.form.is_some_and(|form| has_field(form.signature))
    {
        return None;
    }
    let signatures = || {
        let headers = |sender: &'static SenderFacts| {
            sender.headers.iter().map(move |header| (sender, header))
        };
        senders::all().flat_map(headers).filter(|(_, header)| header.is_signature)
    };
    let named = signatures().map(|(sender, header)| (header.name.to_owned(), sender.name));
    let renamed = signatures().filter_map(|(sender, header)| {
        let OtherNames { sender, own, other } = sender.other_names?;
        Some((header.name.replace(own, other), sender))
    });
    if let Some((name, sender)) = named.chain(renamed).find(|(name, _)| case.header(name).is_some())
    {
        return Some(format!("the header `{name}` is there: this is a message of {sender}"));
    }
    senders::all().find_map(|sender| {
        let FormFacts { signature, signature_type } = sender.form?;
        let is_there = has_field(signature) && has_field(signature_type);
        let form = format!("the body is a form with `{signature}` and `{signature_type}`");
        is_there.then(|| format!("{form}: this is a message of {}", sender.name))
    })
}

/// Which of several values is used.
type Pick = fn(&[String]) -> Option<&String>;

/// A header that is there twice, or was joined from two.
pub(super) fn doubled(trial: &Trial<'_>) -> Option<String> {
    let picks: [(&str, Pick); 2] = [("first", <[String]>::first), ("last", <[String]>::last)];
    picks.into_iter().find_map(|(which, pick)| {
        let (single, doubled) = single(trial, pick);
        let fit = (!doubled.is_empty()).then(|| trial.fits_headers(&single)).flatten()?;
        let names = doubled.join("`, `");
        Some(format!(
            "the signature fits with the {which} value alone of `{names}`: something on the way \
             has doubled it{fit}"
        ))
    })
}

/// The headers with one value each, and the names that had several.
fn single(trial: &Trial<'_>, pick: Pick) -> (HeaderList, Vec<&'static str>) {
    let (mut singled, mut doubled) = (HeaderList::new(), Vec::new());
    for HeaderFacts { name, apart, .. } in trial.sender.headers {
        let values = values(&trial.case.headers, name);
        let parts: Vec<String> = values.flat_map(apart).collect();
        if parts.len() > 1 {
            doubled.push(*name);
        }
        singled.extend(pick(&parts).map(|value| ((*name).to_owned(), value.clone())));
    }
    (singled, doubled)
}

#[cfg(test)]
mod tests;
