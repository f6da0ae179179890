//! Causes in a form whose fields are signed.

use form_urlencoded::Serializer;
use serde_json::Value;

use super::shown;
use super::trial::{Fit, Trial};

/// More fields than any form of a sender has.
pub(super) const MOST_FIELDS: usize = 200;

/// More bytes than any form of a sender has.
pub(super) const LARGEST: usize = 256 * 1024;

/// The fields of a form that are not signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct FormFacts {
    /// The signature, in base64.
    pub(super) signature: &'static str,
    /// The name of its algorithm.
    pub(super) signature_type: &'static str,
}

/// The escapes of HTML; `&` is last, because the others begin with it.
const ESCAPES: [(&str, &str); 8] = [
    ("&quot;", "\""),
    ("&#34;", "\""),
    ("&#39;", "'"),
    ("&#039;", "'"),
    ("&apos;", "'"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&amp;", "&"),
];

pub(super) type Field = (String, String);

/// The fields of a form, decoded once, and whether it is larger than what is read here.
pub(super) fn fields(body: &[u8]) -> (Vec<Field>, bool) {
    let mut fields = form_urlencoded::parse(body.get(..LARGEST).unwrap_or(body)).into_owned();
    let taken = fields.by_ref().take(MOST_FIELDS).collect();
    (taken, body.len() > LARGEST || fields.next().is_some())
}

/// The first cause that can be proven.
pub(super) fn changed(trial: &Trial<'_>) -> Option<String> {
    let form = trial.sender.form?;
    let (fields, more) = fields(&trial.case.body);
    if more {
        return None;
    }
    not_a_form(trial)
        .or_else(|| lost_plus(trial, form, &fields))
        .or_else(|| escaped(trial, &fields))
        .or_else(|| encoded_twice(trial, &fields))
        .or_else(|| added(trial, form, &fields))
}

fn fits(trial: &Trial<'_>, fields: &[Field]) -> Option<Fit> {
    let form = Serializer::new(String::new()).extend_pairs(fields).finish();
    trial.fits_body(form.as_bytes())
}

/// The fields with each value changed.
pub(super) fn with_values(fields: &[Field], change: impl Fn(&str, &str) -> String) -> Vec<Field> {
    fields.iter().map(|(name, value)| (name.clone(), change(name, value))).collect()
}

fn not_a_form(trial: &Trial<'_>) -> Option<String> {
    let object: Value = serde_json::from_slice(&trial.case.body).ok()?;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fields = object.as_object()?.iter().map(|(name, value)| (name.clone(), text(value)));
    let fit = fits(trial, &fields.collect::<Vec<_>>())?;
    Some(format!(
        "the signature fits once the JSON is written as a form: {} sends a form, and something \
         has made JSON of it{fit}",
        trial.sender.name
    ))
}

fn lost_plus(trial: &Trial<'_>, form: FormFacts, fields: &[Field]) -> Option<String> {
    let signature = form.signature;
    let fixed = with_values(fields, |name, value| {
        if name == signature { value.replace(' ', "+") } else { value.to_owned() }
    });
    let fit = fits(trial, &fixed)?;
    Some(format!(
        "the signature fits with `+` for each space in `{signature}`: something has decoded \
         the form and not encoded it again{fit}"
    ))
}

fn escaped(trial: &Trial<'_>, fields: &[Field]) -> Option<String> {
    let fixed = with_values(fields, |_, value| {
        ESCAPES.iter().fold(value.to_owned(), |text, (from, to)| text.replace(from, to))
    });
    let fit = fits(trial, &fixed)?;
    Some(format!(
        "the signature fits once `&quot;` and the like are the characters that they stand for: something \
         has escaped the values as HTML{fit}"
    ))
}

fn encoded_twice(trial: &Trial<'_>, fields: &[Field]) -> Option<String> {
    let values = with_values(fields, |_, value| decoded(value));
    let whole = decoded(std::str::from_utf8(&trial.case.body).ok()?);
    let fit = fits(trial, &values).or_else(|| trial.fits_body(whole.as_bytes()))?;
    Some(format!(
        "the signature fits once the form is decoded twice: something has encoded it again{fit}"
    ))
}

/// A text, decoded as the value of a field.
fn decoded(text: &str) -> String {
    let field = format!("={}", text.replace('&', "%26"));
    let value =
        form_urlencoded::parse(field.as_bytes()).next().map(|(_, value)| value.into_owned());
    value.unwrap_or_default()
}

/// A field that the sender did not send: from the path, from a framework, or a second one of a name.
fn added(trial: &Trial<'_>, form: FormFacts, fields: &[Field]) -> Option<String> {
    for at in 0..fields.len() {
        let mut fewer = fields.to_vec();
        let (name, _) = fewer.remove(at);
        // It is not signed, so leaving it out proves nothing.
        if name == form.signature_type {
            continue;
        }
        if let Some(fit) = fits(trial, &fewer) {
            let name = shown(&name);
            return Some(format!(
                "the signature fits without the field `{name}`: something on the way has added it{fit}"
            ));
        }
    }
    let mut filled = fields.to_vec();
    filled.retain(|(_, value)| !value.is_empty());
    let fit = fits(trial, &filled)?;
    Some(format!(
        "the signature fits without the fields that are empty: something on the way has added them{fit}"
    ))
}
