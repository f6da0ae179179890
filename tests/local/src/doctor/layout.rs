//! A body that something has read as JSON and written again.
//!
//! It is laid out anew as text: numbers, names and their order stay as they are, as no parser is
//! asked to keep them.

mod string;

use serde::de::IgnoredAny;
use string::{Slash, Style, Unicode};

use super::attempt::{Attempt, Fit};

/// A larger body is not laid out anew: there are too many ways.
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

/// Tries every layout.
pub(super) fn laid_out(attempt: &Attempt<'_>) -> Option<String> {
    let body = attempt.case.body.as_slice();
    // Alipay signs no JSON.
    if body.len() > LARGEST || !attempt.case.scheme.is_timed() {
        return None;
    }
    let text = std::str::from_utf8(body).ok()?;
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let pieces = pieces(text)?;
    for (style, of_style) in styles(text) {
        let pieces: Vec<String> =
            pieces.iter().map(|piece| string::written(piece, style)).collect();
        for (layout, of_layout) in LAYOUTS {
            let mut changed = written(&pieces, layout);
            for (end, of_end) in [("", ""), ("\n", "with a newline at its end")] {
                changed.push_str(end);
                if let Some(fit) = attempt.fits_body(changed.as_bytes()) {
                    return Some(said(&[of_layout, &of_style, of_end], fit));
                }
            }
        }
    }
    None
}

fn said(how: &[&str], fit: Fit) -> String {
    let how: Vec<&str> = how.iter().filter(|part| !part.is_empty()).copied().collect();
    let how = how.join(", ");
    format!(
        "the signature fits the same JSON written {how}: something has read the body and written \
         it again, and the bytes as they came are what is signed{fit}"
    )
}

/// The ways to write the strings of this text that differ.
fn styles(text: &str) -> Vec<(Style, String)> {
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
    let slash: &[_] = if text.contains('/') {
        &[(Slash::Kept, ""), (Slash::Plain, "`/` as it is"), (Slash::Escaped, "`/` as `\\/`")]
    } else {
        &[(Slash::Kept, "")]
    };
    let mut found = Vec::new();
    for (unicode, of_unicode) in unicode {
        for (slash, of_slash) in slash {
            let how = [*of_unicode, *of_slash];
            let how: Vec<&str> = how.into_iter().filter(|part| !part.is_empty()).collect();
            found.push((Style { unicode: *unicode, slash: *slash }, how.join(", ")));
        }
    }
    found
}

fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r')
}

/// The strings, signs, other values and stretches of white space of a JSON text, in order.
fn pieces(text: &str) -> Option<Vec<&str>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            '"' => string::length(rest)?,
            space if is_space(space) => rest.find(|letter| !is_space(letter)).unwrap_or(rest.len()),
            _ => {
                let ends = |letter: char| is_space(letter) || "{}[],:\"".contains(letter);
                rest.find(ends).unwrap_or(rest.len())
            }
        };
        let (piece, after) = rest.split_at_checked(end)?;
        found.push(piece);
        rest = after;
    }
    Some(found)
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
        // Nothing stands between the two halves of an empty object.
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
