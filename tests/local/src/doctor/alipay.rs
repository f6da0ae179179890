//! Causes that only Alipay's forms have.

use form_urlencoded::Serializer;
use pay_providers::PaymentProvider;
use pay_providers::alipay::{SIGNATURE_FIELD, SIGNATURE_TYPE_FIELD};
use serde_json::Value;

use super::attempt::{Attempt, Fit};
use super::check::Scheme;
use super::shown;

/// A form of more fields is none of Alipay's.
const MOST_FIELDS: usize = 200;

/// A larger body is none either.
const LARGEST: usize = 256 * 1024;

/// What HTML escapes; `&` last, as it begins the others.
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

type Field = (String, String);

/// The fields of a form, decoded once, and whether there are more than are looked at.
pub(super) fn fields(body: &[u8]) -> (Vec<Field>, bool) {
    let mut fields = form_urlencoded::parse(body.get(..LARGEST).unwrap_or(body)).into_owned();
    let taken = fields.by_ref().take(MOST_FIELDS).collect();
    (taken, body.len() > LARGEST || fields.next().is_some())
}

/// Every cause there is.
pub(super) fn changed_form(attempt: &Attempt<'_>) -> Option<String> {
    if attempt.case.scheme != Scheme::Provider(PaymentProvider::Alipay) {
        return None;
    }
    let (fields, more) = fields(&attempt.case.body);
    if more {
        return None;
    }
    not_a_form(attempt)
        .or_else(|| lost_plus(attempt, &fields))
        .or_else(|| escaped(attempt, &fields))
        .or_else(|| encoded_twice(attempt, &fields))
        .or_else(|| added(attempt, &fields))
}

fn fits(attempt: &Attempt<'_>, fields: &[Field]) -> Option<Fit> {
    let form = Serializer::new(String::new()).extend_pairs(fields).finish();
    attempt.fits_body(form.as_bytes())
}

/// Every value changed.
fn with_values(fields: &[Field], change: impl Fn(&str, &str) -> String) -> Vec<Field> {
    fields.iter().map(|(name, value)| (name.clone(), change(name, value))).collect()
}

fn not_a_form(attempt: &Attempt<'_>) -> Option<String> {
    let object: Value = serde_json::from_slice(&attempt.case.body).ok()?;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fields = object.as_object()?.iter().map(|(name, value)| (name.clone(), text(value)));
    let fit = fits(attempt, &fields.collect::<Vec<_>>())?;
    Some(format!(
        "the signature fits once the JSON is written as a form: Alipay sends a form, and something \
         has made JSON of it{fit}"
    ))
}

fn lost_plus(attempt: &Attempt<'_>, fields: &[Field]) -> Option<String> {
    let mended = with_values(fields, |name, value| {
        if name == SIGNATURE_FIELD { value.replace(' ', "+") } else { value.to_owned() }
    });
    let fit = fits(attempt, &mended)?;
    Some(format!(
        "the signature fits with `+` for each space in `{SIGNATURE_FIELD}`: something has decoded \
         the form and not encoded it again{fit}"
    ))
}

fn escaped(attempt: &Attempt<'_>, fields: &[Field]) -> Option<String> {
    let mended = with_values(fields, |_, value| {
        ESCAPES.iter().fold(value.to_owned(), |text, (from, to)| text.replace(from, to))
    });
    let fit = fits(attempt, &mended)?;
    Some(format!(
        "the signature fits once `&quot;` and its like are the signs that they stand for: something \
         has escaped the values as HTML{fit}"
    ))
}

fn encoded_twice(attempt: &Attempt<'_>, fields: &[Field]) -> Option<String> {
    let values = with_values(fields, |_, value| decoded(value));
    let whole = decoded(std::str::from_utf8(&attempt.case.body).ok()?);
    let fit = fits(attempt, &values).or_else(|| attempt.fits_body(whole.as_bytes()))?;
    Some(format!(
        "the signature fits once the form is decoded twice: something has encoded it again{fit}"
    ))
}

/// A text as the value of a field.
fn decoded(text: &str) -> String {
    let field = format!("={}", text.replace('&', "%26"));
    let value =
        form_urlencoded::parse(field.as_bytes()).next().map(|(_, value)| value.into_owned());
    value.unwrap_or_default()
}

/// A field that Alipay did not send: of the path, of a framework, or the same twice.
fn added(attempt: &Attempt<'_>, fields: &[Field]) -> Option<String> {
    for at in 0..fields.len() {
        let mut fewer = fields.to_vec();
        let (name, _) = fewer.remove(at);
        // It is not signed, so that leaving it out proves nothing.
        if name == SIGNATURE_TYPE_FIELD {
            continue;
        }
        if let Some(fit) = fits(attempt, &fewer) {
            let name = shown(&name);
            return Some(format!(
                "the signature fits without the field `{name}`: something on the way has added it{fit}"
            ));
        }
    }
    let mut filled = fields.to_vec();
    filled.retain(|(_, value)| !value.is_empty());
    let fit = fits(attempt, &filled)?;
    Some(format!(
        "the signature fits without the fields that are empty: something on the way has added them{fit}"
    ))
}

#[cfg(test)]
mod tests;
