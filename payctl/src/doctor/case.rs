//! One line of input.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_core::domain::Timestamp;
use pay_core::json::{Json, Object};
use serde::de::IgnoredAny;

use super::check::HeaderList;
use super::senders;
use crate::Scheme;

/// A message, the keys to verify it with, and the time at which.
pub(super) struct Case {
    pub(super) scheme: Scheme,
    pub(super) headers: HeaderList,
    pub(super) body: Vec<u8>,
    pub(super) keys: Json,
    pub(super) now: Timestamp,
}

impl Case {
    /// Reads a line. The error is a sentence that says what to fix.
    pub(super) fn read(object: &Object, now_secs: u64) -> Result<Self, String> {
        let scheme = scheme(object)?;
        Ok(Self {
            scheme,
            headers: headers(object, scheme)?,
            body: body(object)?,
            keys: object.get("keys").ok_or("`keys` is missing")?.clone(),
            now: now(object, now_secs)?,
        })
    }

    /// The first value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The object on a line. The error is a sentence that says what to fix.
pub(super) fn object(line: &[u8]) -> Result<Object, String> {
    // A byte order mark: shells on Windows write it before the first line.
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    match Json::parse(line) {
        Some(Json::Object(object)) => Ok(object),
        Some(_) => Err("the line is JSON, and not an object".to_owned()),
        None => Err(not_json(line)),
    }
}

fn not_json(line: &[u8]) -> String {
    match serde_json::from_slice::<IgnoredAny>(line) {
        Err(error) if error.is_eof() => {
            format!("the line is not the whole of a JSON object: write it on one line ({error})")
        }
        Err(error) => format!("the line is not JSON: {error}"),
        Ok(IgnoredAny) => "the line is JSON that can be misunderstood: a name is there twice in \
            one object, a string is no Unicode, or it is nested more than 32 deep"
            .to_owned(),
    }
}

fn scheme(object: &Object) -> Result<Scheme, String> {
    let known: Vec<_> = Scheme::all().map(|scheme| format!("`{}`", scheme.as_str())).collect();
    let known = known.join(", ");
    let provider =
        object.get("provider").ok_or_else(|| format!("`provider` is missing: one of {known}"))?;
    let scheme = provider.as_text().and_then(|name| Scheme::new(name).ok());
    scheme.ok_or_else(|| format!("`provider` is not one of {known}"))
}

/// Headers as an object of names and values, or as a list of pairs.
fn headers(object: &Object, scheme: Scheme) -> Result<HeaderList, String> {
    let Some(headers) = object.get("headers") else {
        return if senders::of(scheme).headers.is_empty() {
            Ok(HeaderList::new())
        } else {
            Err("`headers` is missing".to_owned())
        };
    };
    let mut found = HeaderList::new();
    if let Some(headers) = headers.as_object() {
        for (name, values) in headers.iter() {
            let values = values.as_array().unwrap_or(std::slice::from_ref(values));
            for value in values {
                let value = value.as_text().ok_or("a value in `headers` is not a text")?;
                found.push((name.to_owned(), value.to_owned()));
            }
        }
        return Ok(found);
    }
    let wrong = "`headers` is neither an object nor a list of pairs of name and value";
    for pair in headers.as_array().ok_or(wrong)? {
        let Some([name, value]) = pair.as_array() else {
            return Err(wrong.to_owned());
        };
        let (name, value) = name.as_text().zip(value.as_text()).ok_or(wrong)?;
        found.push((name.to_owned(), value.to_owned()));
    }
    Ok(found)
}

fn body(object: &Object) -> Result<Vec<u8>, String> {
    match (object.get("body_base64"), object.get("body")) {
        (Some(_), Some(_)) => Err("both `body_base64` and `body` are there: leave one out".into()),
        (Some(body), None) => {
            let text = body.as_text().ok_or("`body_base64` is not a text")?;
            let wrong = "`body_base64` is not base64 in the standard alphabet with its padding";
            BASE64.decode(text).map_err(|why| format!("{wrong}: {why}"))
        }
        (None, Some(body)) => Ok(body.as_text().ok_or("`body` is not a text")?.as_bytes().to_vec()),
        (None, None) => Err("`body_base64` is missing".to_owned()),
    }
}

pub(super) fn now(object: &Object, now_secs: u64) -> Result<Timestamp, String> {
    let secs = match object.get("now") {
        None => now_secs,
        Some(now) => now.as_integer().ok_or("`now` is not a whole number of Unix seconds")?,
    };
    Timestamp::from_millis(secs.saturating_mul(1000))
        .map_err(|why| format!("`now` is not a time in Unix seconds: {why}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: &Value) -> Result<Case, String> {
        read_line(value.to_string().as_bytes())
    }

    fn read_line(line: &[u8]) -> Result<Case, String> {
        Case::read(&object(line)?, 7)
    }

    fn line() -> Value {
        json!({"provider": "stripe", "headers": {"a": "1"}, "body_base64": "e30=",
               "keys": {"secrets": ["x"]}, "now": 5})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut line = line();
        line[name] = value;
        line
    }

    fn without(name: &str) -> Value {
        let mut line = line();
        line.as_object_mut().unwrap().remove(name);
        line
    }

    #[test]
    fn a_line_is_read() {
        let case = read(&line()).unwrap();
        assert_eq!(case.scheme.as_str(), "stripe");
        assert_eq!(case.headers, [("a".to_owned(), "1".to_owned())]);
        assert_eq!((case.body.as_slice(), case.now.secs()), (&b"{}"[..], 5));
        assert_eq!(read(&without("now")).unwrap().now.secs(), 7);
        assert!(read_line(format!("\u{feff}{}", line()).as_bytes()).is_ok());
        let mut plain = without("body_base64");
        plain["body"] = "é".into();
        assert_eq!(read(&plain).unwrap().body, "é".as_bytes());
    }

    #[test]
    fn doubled_headers_have_two_ways_to_be_written() {
        let pairs = [("a".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())];
        for headers in [json!({"a": ["1", "2"]}), json!([["a", "1"], ["a", "2"]])] {
            assert_eq!(read(&with("headers", headers)).unwrap().headers, pairs);
        }
        assert!(read(&with("headers", json!({"a": []}))).unwrap().headers.is_empty());
    }

    #[test]
    fn alipay_needs_no_headers() {
        let mut line = without("headers");
        assert!(read(&line).is_err());
        line["provider"] = "alipay".into();
        assert!(read(&line).is_ok());
    }

    #[test]
    fn a_line_that_cannot_be_read_gets_the_reason() {
        for (line, says) in [
            (without("provider"), "`provider` is missing: one of `standard`, "),
            (with("provider", json!("Stripe")), "`provider` is not one of `standard`, "),
            (with("provider", json!(null)), "`provider` is not one of "),
            (without("headers"), "`headers` is missing"),
            (with("headers", json!("a: 1")), "`headers` is neither"),
            (with("headers", json!([["a"]])), "`headers` is neither"),
            (with("headers", json!([["a", 1]])), "`headers` is neither"),
            (with("headers", json!({"a": 1})), "a value in `headers` is not a text"),
            (without("body_base64"), "`body_base64` is missing"),
            (with("body_base64", json!("e30")), "`body_base64` is not base64"),
            (with("body_base64", json!(1)), "`body_base64` is not a text"),
            (with("body", json!("{}")), "both `body_base64` and `body` are there"),
            (without("keys"), "`keys` is missing"),
            (with("now", json!(1.5)), "`now` is not a whole number"),
            (with("now", json!("5")), "`now` is not a whole number"),
            (with("now", json!(1_700_000_000_000_u64)), "`now` is not a time in Unix seconds"),
            (json!([]), "the line is JSON, and not an object"),
        ] {
            let error = read(&line).err().unwrap();
            assert!(error.starts_with(says), "{error}");
        }
        for (line, says) in [
            ("", "the line is not the whole"),
            ("{", "the line is not the whole"),
            ("x", "the line is not JSON"),
            ("{} {}", "the line is not JSON"),
            (r#"{"a":1,"a":2}"#, "the line is JSON that can be misunderstood"),
        ] {
            let error = read_line(line.as_bytes()).err().unwrap();
            assert!(error.starts_with(says), "{error}");
        }
        assert!(read_line(b"\"\xff\"").is_err());
    }
}
