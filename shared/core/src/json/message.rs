//! JSON of an authentic message, of which some text may be broken.
//!
//! A message with a valid signature is what its sender said: a name that was cut in the middle of a
//! character, in a member that nobody reads, must not keep a payment from being paid.

use super::{Json, Object};

/// Stands before a broken part while the document is read: a noncharacter, which no text has.
const MARK: char = '\u{ffff}';

/// Before the document, where some writers put it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Object {
    /// Reads an authentic message as [`Object::parse`] does, but skips a byte order mark before it,
    /// and reads a text that is no Unicode as an empty array: a type that no member of a text has, so
    /// it is taken for no text, and not for an absent one. Lone surrogates and bytes that are no UTF-8
    /// make a text so.
    #[must_use]
    pub fn parse_message(message: &[u8]) -> Option<Self> {
        if let Some(object) = Self::parse(message) {
            return Some(object);
        }
        let message = message.strip_prefix(BYTE_ORDER_MARK).unwrap_or(message);
        Self::parse(marked(&decoded(message)).as_bytes()).map(without_marked)
    }
}

/// The text, with the mark and the hexadecimal digits of the bytes in place of what is no UTF-8.
fn decoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(MARK);
            text.extend(chunk.invalid().iter().map(|byte| format!("{byte:02x}")));
        }
    }
    text
}

/// The document, with the mark and the four digits in place of each lone surrogate.
fn marked(document: &str) -> String {
    let mut text = String::with_capacity(document.len());
    let mut rest = document;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        let Some((high, after)) = surrogate(escape) else {
            // The character after a backslash, which may be another one, begins no escape.
            let len = escape.chars().next().map_or(0, char::len_utf8);
            let (escaped, after) = escape.split_at_checked(len).unwrap_or((escape, ""));
            text.extend(["\\", escaped]);
            rest = after;
            continue;
        };
        rest = after;
        let low = after.strip_prefix('\\').and_then(surrogate).filter(|(low, _)| is_low(low));
        match low {
            Some((low, after)) if !is_low(high) => {
                text.extend(["\\u", high, "\\u", low]);
                rest = after;
            }
            Some(_) | None => {
                text.push(MARK);
                text.push_str(high);
            }
        }
    }
    text.push_str(rest);
    text
}

/// The four digits of a surrogate that follows a backslash, and what is after them.
fn surrogate(escape: &str) -> Option<(&str, &str)> {
    let (digits, after) = escape.strip_prefix('u')?.split_at_checked(4)?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let is_surrogate = matches!(u16::from_str_radix(digits, 16), Ok(0xd800..=0xdfff));
    (is_hex && is_surrogate).then_some((digits, after))
}

/// Whether a surrogate is the second of a pair.
fn is_low(digits: &str) -> bool {
    matches!(u16::from_str_radix(digits, 16), Ok(0xdc00..=0xdfff))
}

fn without_marked(object: Object) -> Object {
    Object(object.0.into_iter().map(|(name, value)| (name, without_mark(value))).collect())
}

fn without_mark(value: Json) -> Json {
    match value {
        Json::Text(text) if text.contains(MARK) => Json::Array(Vec::new()),
        Json::Array(items) => Json::Array(items.into_iter().map(without_mark).collect()),
        Json::Object(object) => Json::Object(without_marked(object)),
        whole @ (Json::Other | Json::Bool(_) | Json::Number(_) | Json::Text(_)) => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Json, Object};

    fn object(text: &[u8]) -> Object {
        let shown = String::from_utf8_lossy(text);
        Object::parse_message(text).unwrap_or_else(|| panic!("{shown}"))
    }

    #[test]
    fn a_broken_text_is_no_text_and_no_absent_one() {
        let broken: &[&[u8]] = &[
            br"\ud800",
            br"\udfff",
            br"\uD83D",
            br"before \ud800 after",
            br"\ud800\ud800",
            br"\udc00\ud800",
            br"\ud83d\u0041",
            br"\ud83d\n",
            br"\ud83dudc00",
            br"\ud83d\ud83d\ude00",
            br"\\\ud800",
            b"\xff",
            b"cut \xe4\xb8",
            b"\xed\xa0\x80",
            b"\xc0\x80",
        ];
        for broken in broken {
            let message = [br#"{"id":1,"a":""#.as_slice(), broken, br#"","b":"whole"}"#].concat();
            assert_eq!(Object::parse(&message), None, "{}", String::from_utf8_lossy(&message));
            let object = object(&message);
            assert_eq!(object.get("a"), Some(&Json::Array(Vec::new())));
            assert_eq!((object.integer("id"), object.text("b")), (Some(1), Some("whole")));
        }
    }

    #[test]
    fn the_rest_of_such_a_message_is_read_as_ever() {
        let message = br#"{"n":{"\ud800":[1,"\udc00",{"x":"\ud800"}],"\udc00":true},
            "q":"\"\\ud800\/","e":"\ud83d\ude00 \u00e9 \\"}"#;
        let object = object(message);
        let inner = object.object("n").unwrap();
        let values: Vec<_> = inner.iter().map(|(_, value)| value.clone()).collect();
        let [Json::Array(items), Json::Bool(true)] = &values[..] else { panic!("{values:?}") };
        assert_eq!(items[..2], [Json::Number(1), Json::Array(Vec::new())]);
        // A backslash that is escaped begins no escape.
        assert_eq!(object.text("q"), Some("\"\\ud800/"));
        assert_eq!(object.text("e"), Some("\u{1f600} é \\"));
    }

    #[test]
    fn a_byte_order_mark_before_the_document_is_skipped() {
        let message = [b"\xef\xbb\xbf".as_slice(), br#"{"a":"\ud800","b":"c"}"#].concat();
        assert_eq!(object(&message).text("b"), Some("c"));
        for twice in ["\u{feff}\u{feff}{}", "{\u{feff}}", "{}\u{feff}"] {
            assert_eq!(Object::parse_message(twice.as_bytes()), None, "{twice}");
        }
    }

    #[test]
    fn what_could_be_misunderstood_is_still_not_read() {
        for bad in [
            r#"{"a":1,"a":"\ud800"}"#,
            r#"{"\ud800":1,"\ud800":2}"#,
            r#"{"a":"\ud800}"#,
            r#"{"a":"\u"}"#,
            r#"{"a":"\ud8"}"#,
            r#"{"a":"\u+d80"}"#,
            r#"{"a":\ud800}"#,
            r#"["\ud800"]"#,
            "\\",
            "",
        ] {
            assert_eq!(Object::parse_message(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(Object::parse_message(b"{\xff}"), None);
    }
}
