//! A body that was read as JSON and written again.
//!
//! The layout is changed in the text itself, so that numbers, names and their order stay the same.

use serde::de::IgnoredAny;
use serde_json::{Deserializer, Value};

use super::trial::{Fit, Trial};

/// The largest body whose layout is changed: each of many ways costs a verification.
const LARGEST: usize = 256 * 1024;

/// The white space between the parts of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Kept,
    Compact,
    Spaced,
    Indented(&'static str),
}

const LAYOUTS: [(Layout, &str); 6] = [
    (Layout::Compact, "without white space between its parts"),
    (Layout::Spaced, "with a space after each `,` and `:`"),
    (Layout::Indented("  "), "indented by 2 spaces"),
    (Layout::Indented("    "), "indented by 4 spaces"),
    (Layout::Indented("\t"), "indented by tabs"),
    (Layout::Kept, ""),
];

/// How characters are written that may be written as `\uXXXX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unicode {
    /// As they were received.
    Kept,
    /// As themselves.
    Raw,
    /// As themselves if they are ASCII, else in lower-case hex: PHP, Python, Ruby.
    Lower,
    /// The same in upper-case hex.
    Upper,
    /// As themselves, but those with a meaning in HTML in lower-case hex: Go.
    Html,
}

/// A way to write strings.
#[derive(Debug, Clone, Copy)]
struct Style {
    unicode: Unicode,
    /// Whether `/` is written as `\/`.
    escaped: bool,
}

/// Tries every layout.
pub(super) fn laid_out(trial: &Trial<'_>) -> Option<String> {
    let body = trial.case.body.as_slice();
    // The fields of a form are signed in another order: no layout of JSON would fit.
    if body.len() > LARGEST || trial.sender.form.is_some() {
        return None;
    }
    let text = std::str::from_utf8(body).ok()?;
    let pieces = pieces(text)?;
    for (style, of_style) in styles(text) {
        let pieces: Vec<String> = pieces.iter().map(|piece| styled(piece, style)).collect();
        for (layout, of_layout) in LAYOUTS {
            let mut changed = written(&pieces, layout);
            for (end, of_end) in [("", ""), ("\n", "with a newline at its end")] {
                changed.push_str(end);
                if let Some(fit) = trial.fits_body(changed.as_bytes()) {
                    let [of_unicode, of_slash] = of_style;
                    return Some(hint([of_layout, of_unicode, of_slash, of_end], fit));
                }
            }
        }
    }
    None
}

fn hint(how: [&str; 4], fit: Fit) -> String {
    let how: Vec<&str> = how.into_iter().filter(|part| !part.is_empty()).collect();
    let how = how.join(", ");
    format!(
        "the signature fits the same JSON written {how}: something has read the body and written \
         it again, and the bytes as they came are what is signed{fit}"
    )
}

/// The ways to write the strings of this text, without those that make no difference.
fn styles(text: &str) -> Vec<(Style, [&'static str; 2])> {
    let plain = text.is_ascii() && !text.contains("\\u") && !text.contains(['<', '>', '&']);
    let unicode: &[_] = if plain {
        &[(Unicode::Kept, "")]
    } else {
        &[
            (Unicode::Kept, ""),
            (Unicode::Raw, "no letter as `\\u…`"),
            (Unicode::Lower, "other than ASCII as `\\u…`"),
            (Unicode::Upper, "other than ASCII as `\\u…` in upper case"),
            (Unicode::Html, "`<`, `>` and `&` as `\\u…`"),
        ]
    };
    let (escaped, plain) = ((true, "`/` as `\\/`"), (false, "`/` as it is"));
    let slash: &[_] = match (text.contains("\\/"), text.contains('/')) {
        (true, _) => &[(true, ""), plain],
        (false, true) => &[(false, ""), escaped],
        (false, false) => &[(false, "")],
    };
    let of_both = |(unicode, of_unicode): &(Unicode, &'static str)| {
        let (unicode, of_unicode) = (*unicode, *of_unicode);
        slash.iter().map(move |(escaped, of_slash)| {
            (Style { unicode, escaped: *escaped }, [of_unicode, *of_slash])
        })
    };
    unicode.iter().flat_map(of_both).collect()
}

/// A piece of JSON in this style. Only strings change.
fn styled(piece: &str, Style { unicode, escaped }: Style) -> String {
    let text =
        if unicode == Unicode::Kept { None } else { serde_json::from_str::<String>(piece).ok() };
    let plain =
        text.map_or_else(|| piece.replace("\\/", "/"), |text| Value::from(text).to_string());
    let mut styled = String::new();
    for letter in plain.chars() {
        let escape = match unicode {
            Unicode::Kept | Unicode::Raw => false,
            Unicode::Lower | Unicode::Upper => !letter.is_ascii(),
            Unicode::Html => matches!(letter, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
        };
        match letter {
            '/' if escaped => styled.push_str("\\/"),
            letter if escape => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    let unit = unit.to_be_bytes();
                    let upper = unicode == Unicode::Upper;
                    let digits = if upper { hex::encode_upper(unit) } else { hex::encode(unit) };
                    styled.extend(["\\u", &digits]);
                }
            }
            letter => styled.push(letter),
        }
    }
    styled
}

fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r')
}

/// The strings, punctuation, other values and white space of a text that is JSON, in order.
pub(crate) fn pieces(text: &str) -> Option<Vec<&str>> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            space if is_space(space) => rest.find(|letter| !is_space(letter)).unwrap_or(rest.len()),
            _ => {
                let mut values = Deserializer::from_str(rest).into_iter::<IgnoredAny>();
                values.next()?.ok()?;
                values.byte_offset()
            }
        };
        let (piece, after) = rest.split_at_checked(end)?;
        found.push(piece);
        rest = after;
    }
    Some(found)
}

/// JSON with each value on a line of its own.
pub(crate) fn indented(text: &str) -> Option<String> {
    let pieces: Vec<_> = pieces(text)?.into_iter().map(str::to_owned).collect();
    Some(written(&pieces, Layout::Indented("  ")))
}

/// Joins the pieces with the white space of a layout.
fn written(pieces: &[String], layout: Layout) -> String {
    if layout == Layout::Kept {
        return pieces.concat();
    }
    let mut text = String::new();
    let mut depth = 0_usize;
    let mut previous = "";
    for piece in pieces.iter().map(String::as_str).filter(|piece| !piece.starts_with(is_space)) {
        let (opened, closes) = (matches!(previous, "{" | "["), matches!(piece, "}" | "]"));
        if opened {
            depth = depth.saturating_add(1);
        }
        if closes {
            depth = depth.saturating_sub(1);
        }
        // An empty object has nothing between its brackets.
        if opened != closes || previous == "," {
            new_line(&mut text, layout, depth);
        }
        if layout == Layout::Spaced && previous == "," {
            text.push(' ');
        }
        if layout != Layout::Compact && previous == ":" {
            text.push(' ');
        }
        text.push_str(piece);
        previous = piece;
    }
    text
}

fn new_line(text: &mut String, layout: Layout, depth: usize) {
    match layout {
        Layout::Kept | Layout::Compact | Layout::Spaced => {}
        Layout::Indented(step) => {
            text.push('\n');
            text.extend(std::iter::repeat_n(step, depth));
        }
    }
}

#[cfg(test)]
mod tests;
