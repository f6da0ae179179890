//! Causes in the headers: doubled, altered, under other names, of another sender.

mod tidy;

pub(super) use tidy::tidied;

use pay_core::domain::Provider;
use pay_providers::{alipay, standard, stripe, wechat};

use super::check::HeaderList;
use super::trial::Trial;
use crate::Scheme;

/// The prefix of Svix's own names for the headers that Standard Webhooks names `webhook-…`.
const SVIX: &str = "svix-";

/// The prefix of a header's name in the environment of a CGI program.
const CGI: &str = "http_";

/// The header in which each sender writes its signature.
const SENDERS: [(&str, Scheme, &str); 4] = [
    (standard::SIGNATURE_HEADER, Scheme::Standard, "Standard Webhooks"),
    (stripe::SIGNATURE_HEADER, Scheme::Provider(Provider::Stripe), "Stripe"),
    (wechat::SIGNATURE_HEADER, Scheme::Provider(Provider::WeChat), "WeChat Pay"),
    ("svix-signature", Scheme::Standard, "Svix"),
];

/// The headers that a scheme reads.
const fn names(scheme: Scheme) -> &'static [&'static str] {
    match scheme {
        Scheme::Standard => {
            &[standard::ID_HEADER, standard::TIMESTAMP_HEADER, standard::SIGNATURE_HEADER]
        }
        Scheme::Provider(Provider::Stripe) => &[stripe::SIGNATURE_HEADER],
        Scheme::Provider(Provider::WeChat) => &[
            wechat::TIMESTAMP_HEADER,
            wechat::NONCE_HEADER,
            wechat::SIGNATURE_HEADER,
            wechat::SERIAL_HEADER,
            wechat::SIGNATURE_TYPE_HEADER,
        ],
        Scheme::Provider(Provider::Alipay) => &[],
    }
}

/// The values of a header, one for each time that it is there.
pub(super) fn values<'a>(headers: &'a HeaderList, name: &str) -> Vec<&'a str> {
    let named = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.as_str()).collect()
}

fn has(headers: &HeaderList, name: &str) -> bool {
    !values(headers, name).is_empty()
}

/// The right headers under other names: Svix's, or those of a program's environment.
pub(super) fn renamed(trial: &Trial<'_>) -> Option<String> {
    let headers = &trial.case.headers;
    let rename = |prefix: &str, other: &str| -> HeaderList {
        let renamed = headers.iter().map(|(name, value)| {
            let name = name.trim().trim_end_matches(':').to_ascii_lowercase();
            let name = name
                .strip_prefix(prefix)
                .map_or_else(|| name.clone(), |rest| format!("{other}{rest}"));
            (name.replace('_', "-"), value.clone())
        });
        renamed.collect()
    };
    if let Some(fit) = trial.fits_headers(&rename(CGI, "")) {
        return Some(format!(
            "the signature fits once the headers have the names that they are sent with: \
             `http_…`, `_` in place of `-` and a colon are not part of them{fit}"
        ));
    }
    let fit = trial.fits_headers(&rename(SVIX, "webhook-"))?;
    Some(format!(
        "the signature fits once `svix-…` is named `webhook-…`: the sender uses Svix, and has to \
         be set to send the names of Standard Webhooks{fit}"
    ))
}

/// A message without its own signature and with that of another sender.
pub(super) fn of_another_sender(trial: &Trial<'_>) -> Option<String> {
    let (own, headers) = (trial.case.scheme, &trial.case.headers);
    let (fields, _) = super::alipay::fields(&trial.case.body);
    let form = [alipay::SIGNATURE_FIELD, alipay::SIGNATURE_TYPE_FIELD]
        .iter()
        .all(|name| fields.iter().any(|(known, _)| known == name));
    let is_there = match own {
        Scheme::Provider(Provider::Alipay) => {
            fields.iter().any(|(name, _)| name == alipay::SIGNATURE_FIELD)
        }
        Scheme::Standard | Scheme::Provider(Provider::Stripe | Provider::WeChat) => {
            names(own).iter().any(|name| has(headers, name))
        }
    };
    if is_there {
        return None;
    }
    let mut others =
        SENDERS.iter().filter(|(_, scheme, sender)| *scheme != own || *sender == "Svix");
    if let Some((name, _, sender)) = others.find(|(name, ..)| has(headers, name)) {
        return Some(format!("the header `{name}` is there: this is a message of {sender}"));
    }
    form.then(|| {
        "the body is a form with `sign` and `sign_type`: this is a message of Alipay".into()
    })
}

/// Which of several values is used.
#[derive(Clone, Copy)]
enum Pick {
    First,
    Last,
}

/// A header that is there twice, or was joined from two.
pub(super) fn doubled(trial: &Trial<'_>) -> Option<String> {
    for (pick, which) in [(Pick::First, "first"), (Pick::Last, "last")] {
        let (single, doubled) = single(trial, pick);
        if doubled.is_empty() {
            return None;
        }
        if let Some(fit) = trial.fits_headers(&single) {
            let names = doubled.join("`, `");
            return Some(format!(
                "the signature fits with the {which} value alone of `{names}`: something on the \
                 way has doubled it{fit}"
            ));
        }
    }
    None
}

/// The headers with one value each, and the names that had several.
fn single(trial: &Trial<'_>, pick: Pick) -> (HeaderList, Vec<&'static str>) {
    let (scheme, headers) = (trial.case.scheme, &trial.case.headers);
    let (mut singled, mut doubled) = (HeaderList::new(), Vec::new());
    for name in names(scheme) {
        let parts: Vec<String> =
            values(headers, name).into_iter().flat_map(|value| apart(name, value)).collect();
        if parts.len() > 1 {
            doubled.push(*name);
        }
        let chosen = match pick {
            Pick::First => parts.first(),
            Pick::Last => parts.last(),
        };
        singled.extend(chosen.map(|value| ((*name).to_owned(), value.clone())));
    }
    (singled, doubled)
}

/// The values that a gateway may have joined into one.
fn apart(name: &str, value: &str) -> Vec<String> {
    let commas = value.split(',').map(str::trim);
    match name {
        stripe::SIGNATURE_HEADER => {
            let mut found: Vec<String> = Vec::new();
            for entry in commas {
                match found.last_mut() {
                    Some(open) if !entry.starts_with("t=") => {
                        open.push(',');
                        open.push_str(entry);
                    }
                    Some(_) | None => found.push(entry.to_owned()),
                }
            }
            found
        }
        // Several signatures in one value are not a doubled header.
        standard::SIGNATURE_HEADER
            if !value.split(' ').any(|entry| entry.matches(',').count() > 1) =>
        {
            vec![value.to_owned()]
        }
        standard::SIGNATURE_HEADER => {
            let tokens: Vec<&str> =
                value.split([',', ' ']).filter(|token| !token.is_empty()).collect();
            tokens.chunks(2).map(|entry| entry.join(",")).collect()
        }
        _ => commas.map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests;
