//! Where a body holds a secret: a member, a field or an element whose name says so, or a value of a form that only
//! secrets have. A body may be cut off, be no text, or hold one document as a text of another.

use std::ops::Range;

use crate::doctor::pieces;

/// A secret in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Secret {
    /// Its bytes.
    pub(super) range: Range<usize>,
    /// Whether they are a whole value of JSON.
    pub(super) is_value: bool,
}

/// The secrets of a body, in their order.
pub(super) fn secrets(body: &[u8]) -> Vec<Secret> {
    match std::str::from_utf8(body).ok().and_then(pieces) {
        Some(pieces) => of_json(&pieces),
        None => of_bytes(body, 0),
    }
}

/// Those of a document: the value of each member with such a name.
fn of_json(pieces: &[&str]) -> Vec<Secret> {
    let mut found = Vec::new();
    let (mut at, mut depth) = (0_usize, 0_usize);
    // Of the value that is being left out: where it began and how deep it stands.
    let mut value: Option<(usize, usize)> = None;
    let (mut last, mut is_named) = ("", false);
    for piece in pieces {
        let end = at.saturating_add(piece.len());
        if piece.trim().is_empty() {
            at = end;
            continue;
        }
        depth = match *piece {
            "}" | "]" => depth.saturating_sub(1),
            _ => depth,
        };
        match (*piece, value) {
            (":", None) => is_named = is_name(&decoded(last)),
            (_, None) if is_named => {
                is_named = false;
                if matches!(*piece, "{" | "[") {
                    value = Some((at, depth));
                } else {
                    found.push(Secret { range: at..end, is_value: true });
                }
            }
            (_, None) if piece.starts_with('"') => found.extend(of_bytes(piece.as_bytes(), at)),
            ("}" | "]", Some((start, of))) if of == depth => {
                value = None;
                found.push(Secret { range: start..end, is_value: true });
            }
            _ => {}
        }
        if matches!(*piece, "{" | "[") {
            depth = depth.saturating_add(1);
        }
        last = piece;
        at = end;
    }
    found
}

fn decoded(piece: &str) -> String {
    serde_json::from_str(piece).unwrap_or_default()
}

/// Those of a form, of XML, of JSON that is cut off or stands in a string, of any text: `base` is where it begins.
fn of_bytes(bytes: &[u8], base: usize) -> Vec<Secret> {
    let mut found = Vec::new();
    let mut push = |range: Range<usize>| {
        if !range.is_empty() {
            let range = range.start.saturating_add(base)..range.end.saturating_add(base);
            found.push(Secret { range, is_value: false });
        }
    };
    let mut at = 0;
    while at < bytes.len() {
        let end = skipped(bytes, at, is_of_name);
        let name = String::from_utf8_lossy(bytes.get(at..end).unwrap_or_default());
        if name.is_empty() {
            at = end.saturating_add(1);
            continue;
        }
        let is_end_tag = bytes.get(..at).is_some_and(|before| before.ends_with(b"</"));
        if is_value(&name) {
            // The rest of Base64.
            let end = skipped(bytes, end, |byte| is_of_name(byte) || b"+/=".contains(&byte));
            push(at..end);
            at = end;
            continue;
        }
        if is_name(&name)
            && !is_end_tag
            && let Some(start) = value_after(bytes, end)
        {
            let to = end_of(bytes, start);
            push(start..to);
            at = to;
            continue;
        }
        at = end;
    }
    found
}

/// Where what follows a name begins, if something says that it is its value.
fn value_after(bytes: &[u8], name_end: usize) -> Option<usize> {
    let mut at = name_end;
    let mut says_so = false;
    loop {
        let rest = bytes.get(at..)?;
        let (step, says) = match rest {
            [b'%', b'3', b'a' | b'A' | b'd' | b'D', ..] => (3, true),
            [b'%', b'2', b'0' | b'2', ..] | [b'%', b'5', b'c' | b'C', ..] => (3, false),
            _ if rest.starts_with(CDATA) => (CDATA.len(), false),
            [b'=' | b':' | b'>', ..] => (1, true),
            [b' ' | b'\t' | b'\r' | b'\n' | b'\\' | b'"' | b'\'', ..] => (1, false),
            _ => break,
        };
        says_so |= says;
        at = at.saturating_add(step);
    }
    says_so.then_some(at)
}

const CDATA: &[u8] = b"<![CDATA[";

/// Where the value that begins here ends: by what stands before it.
fn end_of(bytes: &[u8], start: usize) -> usize {
    let before = bytes.get(..start).unwrap_or_default();
    let rest = bytes.get(start..).unwrap_or_default();
    let until = |end: &[u8]| {
        let at = rest.windows(end.len()).position(|window| window == end);
        start.saturating_add(at.unwrap_or(rest.len()))
    };
    match before {
        [.., b'\\', b'"'] => until(br#"\""#),
        [.., b'"'] => quoted(rest, b'"').saturating_add(start),
        [.., b'\''] => quoted(rest, b'\'').saturating_add(start),
        [.., b'%', b'2', b'2'] => until(b"%22"),
        [.., b'>'] => until(b"<"),
        _ if before.ends_with(CDATA) => until(b"]]>"),
        // A list or an object, whose end is not looked for: what is left out may be too much, never too little.
        _ if rest.starts_with(b"[") || rest.starts_with(b"{") => bytes.len(),
        // As in a header, whose value has words.
        _ if before.trim_ascii_end().ends_with(b":") => {
            skipped(bytes, start, |byte| !b"\r\n&\"'<,;}]".contains(&byte))
        }
        _ => skipped(bytes, start, |byte| !b" \t\r\n&\"'<,;}]".contains(&byte)),
    }
}

/// Where a quoted text ends.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut is_escaped = false;
    let end = rest.iter().position(|byte| {
        let ends = *byte == quote && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    });
    end.unwrap_or(rest.len())
}

fn skipped(bytes: &[u8], at: usize, is_it: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let end = rest.iter().position(|byte| !is_it(*byte)).unwrap_or(rest.len());
    at.saturating_add(end)
}

const fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Whether a name is one of a secret.
fn is_name(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let name: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    let parts =
        ["secret", "password", "passwd", "privatekey", "apikey", "accesskey", "authorization"];
    parts.iter().any(|part| name.contains(part))
        || ["token", "tokens", "credential", "credentials"].iter().any(|end| name.ends_with(end))
}

/// Whether a value has a form that only secrets have: keys of Stripe's and of Standard Webhooks, secrets of
/// Stripe's objects, JWTs.
///
/// Sources: docs.stripe.com/keys; Standard Webhooks specification 1.0.0; RFC 7519, section 3.1.
fn is_value(text: &str) -> bool {
    ["sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"]
        .iter()
        .any(|key| text.starts_with(key))
        || text.contains("_secret_")
        || (text.starts_with("eyJ") && text.matches('.').count() == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body with its secrets as `*`.
    fn masked(body: &str) -> String {
        let mut bytes = body.as_bytes().to_vec();
        for secret in secrets(body.as_bytes()) {
            bytes[secret.range].fill(b'*');
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_value_whose_name_says_that_it_is_secret_is_found() {
        for (body, want) in [
            // JSON, whole.
            (r#"{"client_secret":"a b","id":"c"}"#, r#"{"client_secret":*****,"id":"c"}"#),
            (r#"{ "Access-Token" : 7 , "a": 1 }"#, r#"{ "Access-Token" : * , "a": 1 }"#),
            (r#"{"tokens":["a",{"b":[1]}],"c":2}"#, r#"{"tokens":***************,"c":2}"#),
            (r#"[{"a":{"password":{}}},3]"#, r#"[{"a":{"password":**}},3]"#),
            (r#"{"client\u005fsecret":"a"}"#, r#"{"client\u005fsecret":***}"#),
            // A name of a name is none, and neither is a value that is called so.
            (
                r#"{"type":"client_secret","n":"tokenization"}"#,
                r#"{"type":"client_secret","n":"tokenization"}"#,
            ),
            (r#"{"tokenization_method":"x"}"#, r#"{"tokenization_method":"x"}"#),
            // A document in a string.
            (
                r#"{"b":"{\"client_secret\":\"ab\",\"c\":1}"}"#,
                r#"{"b":"{\"client_secret\":\"**\",\"c\":1}"}"#,
            ),
            // JSON that is cut off.
            (r#"{"a":1,"token":"x, \"y"#, r#"{"a":1,"token":"******"#),
            (r#"{"token":"x","a":"b"#, r#"{"token":"*","a":"b"#),
            (r#"{"tokens":["x","y"#, r#"{"tokens":*******"#),
            // Forms and XML.
            ("a=1&access_token=x%2By&b=2", "a=1&access_token=*****&b=2"),
            (
                "a=%7B%22client_secret%22%3A%22x%22%7D&b=2",
                "a=%7B%22client_secret%22%3A%22*%22%7D&b=2",
            ),
            ("<a><token>x y</token>z<b>1</b></a>", "<a><token>***</token>z<b>1</b></a>"),
            ("<token><![CDATA[x y]]></token>", "<token><![CDATA[***]]></token>"),
            ("Authorization: Bearer abc\nx: y", "Authorization: **********\nx: y"),
            // By what they are.
            (r#"{"x":"pi_1_secret_2"}"#, r#"{"x":"*************"}"#),
            ("whsec_YW+j/w== and sk_test_1", "************** and *********"),
            (r#"["eyJhbGciOi.eyJzdWIi.c2ln"]"#, r#"["************************"]"#),
            ("", ""),
        ] {
            assert_eq!(masked(body), want);
        }
    }
}
