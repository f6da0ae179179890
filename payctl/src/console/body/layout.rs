//! A body laid out for reading: JSON, a form, XML. What is none of them, whole, stays as it is.

use form_urlencoded::parse;

use super::secret::Secret;
use crate::doctor::{indented, pieces};

/// What stands for a secret.
pub(super) const NOT_SHOWN: &str = "not shown";

/// The deepest document that is laid out: deeper ones would be white space for the most part.
const DEPTH: usize = 24;

/// A body of a known kind with each part on a line of its own, and the name of the kind.
pub(super) fn laid_out(body: &[u8], secrets: &[Secret]) -> Option<(&'static str, String)> {
    let text = masked(std::str::from_utf8(body).ok()?, secrets)?;
    let trimmed = text.trim();
    if trimmed.starts_with(['{', '[']) {
        let depths = pieces(&text)?.into_iter().scan(0_usize, |depth, piece| {
            *depth = match piece {
                "{" | "[" => depth.saturating_add(1),
                "}" | "]" => depth.saturating_sub(1),
                _ => *depth,
            };
            Some(*depth)
        });
        return if depths.max()? <= DEPTH { Some(("JSON", indented(&text)?)) } else { None };
    }
    if trimmed.starts_with('<') {
        return Some(("XML", of_xml(trimmed)?));
    }
    Some(("form", of_form(trimmed)?))
}

/// The text without its secrets.
fn masked(text: &str, secrets: &[Secret]) -> Option<String> {
    let mut masked = String::new();
    let mut at = 0;
    for Secret { range, is_value } in secrets {
        masked.push_str(text.get(at..range.start)?);
        if *is_value {
            masked.extend(["\"", NOT_SHOWN, "\""]);
        } else {
            masked.push_str(NOT_SHOWN);
        }
        at = range.end;
    }
    masked.push_str(text.get(at..)?);
    Some(masked)
}

/// The fields of a form, decoded; each may have lines of its own.
fn of_form(text: &str) -> Option<String> {
    let is_form = text.contains('=') && text.split('&').all(|field| field.find('=') > Some(0));
    let is_encoded =
        !text.contains(|letter: char| letter.is_control() || matches!(letter, '<' | '{' | '"'));
    if !is_form || !is_encoded {
        return None;
    }
    let fields = parse(text.as_bytes()).map(|(name, value)| format!("{name} = {value}\n"));
    Some(fields.collect())
}

/// Elements, each on a line of its own, indented by how deep they stand. Whether names are well formed is not
/// looked at: only that what begins ends.
fn of_xml(text: &str) -> Option<String> {
    let mut laid_out = String::new();
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    // Whether an element began just before: its text stays on its line.
    let mut began = false;
    while !rest.is_empty() {
        let Some(tag) = rest.strip_prefix('<') else {
            let (words, after) = rest.split_at_checked(rest.find('<')?)?;
            if !words.trim().is_empty() {
                laid_out.push_str(words.trim());
            }
            rest = after;
            continue;
        };
        if let Some(words) = tag.strip_prefix("![CDATA[") {
            let (words, after) = words.split_once("]]>")?;
            laid_out.extend(["<![CDATA[", words, "]]>"]);
            rest = after;
            continue;
        }
        let (inner, after) = tag.split_once('>')?;
        let name = inner.split([' ', '\t', '\r', '\n', '/']).next()?;
        if let Some(name) = inner.strip_prefix('/') {
            if open.pop()? != name.trim_end() {
                return None;
            }
            if !began {
                new_line(&mut laid_out, open.len());
            }
            began = false;
        } else {
            new_line(&mut laid_out, open.len());
            began = !inner.ends_with('/') && !inner.starts_with(['?', '!']);
            if began {
                open.push(name);
            }
        }
        if open.len() > DEPTH {
            return None;
        }
        laid_out.extend(["<", inner, ">"]);
        rest = after;
    }
    open.is_empty().then(|| laid_out.trim_start().to_owned())
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::super::secret::secrets;
    use super::*;

    fn of(body: &str) -> Option<(&'static str, String)> {
        laid_out(body.as_bytes(), &secrets(body.as_bytes()))
    }

    #[test]
    fn a_body_of_a_known_kind_is_laid_out() {
        for (body, kind, text) in [
            (
                r#" {"b":1.50,"a":[],"token":[1]}"#,
                "JSON",
                "{\n  \"b\": 1.50,\n  \"a\": [],\n  \"token\": \"not shown\"\n}",
            ),
            ("a=1%2B2&b=%E6%94%AF&token=x", "form", "a = 1+2\nb = 支\ntoken = not shown\n"),
            (
                "<?xml?><a><b c=\"1\">x</b><d/><token><![CDATA[y]]></token></a>",
                "XML",
                "<?xml?>\n<a>\n  <b c=\"1\">x</b>\n  <d/>\n  <token><![CDATA[not shown]]></token>\n</a>",
            ),
        ] {
            assert_eq!(of(body), Some((kind, text.to_owned())), "{body}");
        }
    }

    #[test]
    fn what_is_cut_off_or_of_no_known_kind_is_not() {
        let deep = format!("{}{}", "[".repeat(25), "]".repeat(25));
        for body in ["", "text", r#"{"a":1"#, "<a><b></a>", "<a>", "a=1&b", &deep, "{\"a\"=1}"] {
            assert_eq!(of(body), None, "{body}");
        }
        assert_eq!(laid_out(b"a=\xff", &[]), None);
    }
}
