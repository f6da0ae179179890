//! Causes in the bytes of the body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_providers::VerifyError;

use super::trial::Trial;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// A body that was changed at its ends, or at the end of each line.
pub(super) fn ends(trial: &Trial<'_>) -> Option<String> {
    let body = trial.case.body.as_slice();
    let candidates = [
        ("a newline at its end: it was cut off", [body, b"\n"].concat()),
        ("CR and LF at its end: they were cut off", [body, b"\r\n"].concat()),
        ("no newline at its end: one was added", without_newline(body).to_vec()),
        ("no white space around it: it was added", body.trim_ascii().to_vec()),
        ("LF for each CR LF: line ends were changed", replaced(body, b"\r\n", b"\n")),
        ("CR LF for each LF: line ends were changed", replaced(body, b"\n", b"\r\n")),
        ("no byte order mark: one was added", body.strip_prefix(BOM).unwrap_or(body).to_vec()),
        ("a byte order mark before it: it was cut off", [BOM, body].concat()),
        (
            "each character as one byte: UTF-8 was read as Latin-1 and written as UTF-8 again",
            as_latin1(body).unwrap_or_default(),
        ),
    ];
    candidates.into_iter().find_map(|(what, changed)| {
        let fit = (changed != body).then(|| trial.fits_body(&changed)).flatten()?;
        Some(format!("the signature fits the body with {what}{fit}"))
    })
}

/// A body that was encoded once more.
pub(super) fn encoded(trial: &Trial<'_>) -> Option<String> {
    let body = &trial.case.body;
    let decoded = BASE64.decode(body.trim_ascii()).ok();
    if let Some(fit) = decoded.and_then(|decoded| trial.fits_body(&decoded)) {
        return Some(format!(
            "the signature fits the body once its base64 is decoded: API Gateway marks such a body with \
             `isBase64Encoded`{fit}"
        ));
    }
    let text: String = serde_json::from_slice(body).ok()?;
    let fit = trial.fits_body(text.as_bytes())?;
    Some(format!(
        "the body is a JSON string, and the signature fits the text in it: the body was written \
         as JSON once more{fit}"
    ))
}

/// A body that was read before, where the signature is what failed.
pub(super) fn gone(trial: &Trial<'_>, error: VerifyError) -> Option<String> {
    if error != VerifyError::BadSignature {
        return None;
    }
    match trial.case.body.trim_ascii() {
        b"" => Some(
            "the body is empty, or white space alone: has something read it before?".to_owned(),
        ),
        b"[object Object]" => {
            Some("the body is `[object Object]`: a parsed body was made a text".to_owned())
        }
        _ => None,
    }
}

fn without_newline(body: &[u8]) -> &[u8] {
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    body.strip_suffix(b"\r").unwrap_or(body)
}

fn replaced(body: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut found = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(from) {
            found.extend_from_slice(to);
            rest = after;
        } else {
            found.push(*first);
            rest = after;
        }
    }
    found
}

fn as_latin1(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hint, no_hint, received, standard_line, stripe_line};
    use super::*;

    #[test]
    fn a_changed_end_is_explained() {
        for (signed, got, says) in [
            ("{}\n", "{}", "a newline at its end: it was cut off"),
            ("{}\r\n", "{}", "CR and LF at its end"),
            ("{}", "{}\n", "no newline at its end"),
            ("{}", "{}\r\n", "no newline at its end"),
            ("{}", " {} ", "no white space around it"),
            ("{}", "\n{}\n\n", "no white space around it"),
            ("{\n}", "{\r\n}", "LF for each CR LF"),
            ("{\r\n}", "{\n}", "CR LF for each LF"),
            ("{}", "\u{feff}{}", "no byte order mark"),
            ("\u{feff}{}", "{}", "a byte order mark"),
            ("x=\u{e9}", "x=\u{c3}\u{a9}", "each character as one byte"),
        ] {
            for line in [standard_line, stripe_line] {
                let line = received(&line(signed.as_bytes()), got.as_bytes());
                let wanted = format!("the signature fits the body with {says}");
                assert!(hint(&line).starts_with(&wanted), "{signed:?} {got:?} {}", hint(&line));
            }
        }
        no_hint(&received(&stripe_line(b"{}"), b"{a}"));
    }

    #[test]
    fn a_body_that_was_encoded_once_more_is_explained() {
        let body = br#"{"a": "b"}"#;
        for line in [standard_line(body), stripe_line(body)] {
            let base64 = BASE64.encode(body);
            assert!(hint(&received(&line, base64.as_bytes())).contains("its base64 is decoded"));
            let text = serde_json::to_vec(std::str::from_utf8(body).unwrap()).unwrap();
            assert!(hint(&received(&line, &text)).starts_with("the body is a JSON string"));
        }
    }

    #[test]
    fn a_body_that_is_gone_is_explained() {
        let line = stripe_line(b"{}");
        assert!(hint(&received(&line, b"")).starts_with("the body is empty"));
        assert!(hint(&received(&line, b"[object Object]")).starts_with("the body is `[object"));
    }

    #[test]
    fn what_is_signed_and_old_is_both() {
        let mut line = received(&stripe_line(b"{}"), b"{}\n");
        line["now"] = (super::super::tests::NOW + 301).into();
        assert!(hint(&line).ends_with("one was added; besides, the message is 301 s old"));
    }
}
