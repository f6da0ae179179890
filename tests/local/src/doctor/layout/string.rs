//! The ways to write one JSON string.

/// How letters that may be written as `\uXXXX` are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unicode {
    /// As they came.
    Kept,
    /// As themselves.
    Raw,
    /// As themselves if they are ASCII, else in lower-case hex: PHP, Python, Ruby.
    Lower,
    /// The same in upper-case hex.
    Upper,
    /// As themselves but for what HTML would read, in lower-case hex: Go.
    Html,
}

/// How `/` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slash {
    Kept,
    Plain,
    Escaped,
}

/// A way to write strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) unicode: Unicode,
    pub(super) slash: Slash,
}

/// How long the string is that the text starts with, quotes included.
pub(super) fn length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at.checked_add(1),
            _ => {}
        }
    }
    None
}

/// A piece of JSON in this style: only a string changes.
pub(super) fn written(piece: &str, style: Style) -> String {
    let keeps = style == Style { unicode: Unicode::Kept, slash: Slash::Kept };
    if keeps || !piece.starts_with('"') {
        return piece.to_owned();
    }
    let mut text = String::with_capacity(piece.len());
    let mut rest = piece;
    while let Some((letter, source, after)) = next(rest) {
        write(&mut text, letter, source, style);
        rest = after;
    }
    text
}

/// The next letter if it has several ways to be written, how it is written, and what follows.
fn next(text: &str) -> Option<(Option<char>, &str, &str)> {
    let first = text.chars().next()?;
    let (letter, length) = match (first, text.get(1..2)) {
        ('\\', Some("u")) => match escape(text) {
            Some((letter, length)) => (Some(letter), length),
            None => (None, 2),
        },
        ('\\', Some("/")) => (Some('/'), 2),
        ('\\', Some(_)) => (None, 2),
        _ => (Some(first), first.len_utf8()),
    };
    let (source, after) = text.split_at_checked(length)?;
    // What JSON itself needs escaped has no other way.
    let fixed = letter.is_some_and(|letter| letter < ' ' || matches!(letter, '"' | '\\'));
    Some((letter.filter(|_| !fixed), source, after))
}

/// The letter of the one or two `\uXXXX` that the text starts with.
fn escape(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let hex = text.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        let digits = hex.bytes().all(|digit| digit.is_ascii_hexdigit());
        digits.then(|| u16::from_str_radix(hex, 16).ok()).flatten()
    };
    let first = unit(0)?;
    let mut letters = char::decode_utf16([first, unit(6).unwrap_or_default()]);
    let letter = letters.next()?.ok()?;
    Some((letter, letter.len_utf16().saturating_mul(6)))
}

fn write(text: &mut String, letter: Option<char>, source: &str, style: Style) {
    let Some(letter) = letter else {
        text.push_str(source);
        return;
    };
    if letter == '/' {
        text.push_str(match style.slash {
            Slash::Kept => source,
            Slash::Plain => "/",
            Slash::Escaped => "\\/",
        });
        return;
    }
    let html = matches!(letter, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
    match style.unicode {
        Unicode::Kept => text.push_str(source),
        Unicode::Lower if !letter.is_ascii() => escaped(text, letter, false),
        Unicode::Upper if !letter.is_ascii() => escaped(text, letter, true),
        Unicode::Html if html => escaped(text, letter, false),
        Unicode::Raw | Unicode::Lower | Unicode::Upper | Unicode::Html => text.push(letter),
    }
}

fn escaped(text: &mut String, letter: char, upper: bool) {
    for unit in letter.encode_utf16(&mut [0; 2]) {
        let hex = if upper { format!("{unit:04X}") } else { format!("{unit:04x}") };
        text.push_str("\\u");
        text.push_str(&hex);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_written(piece: &str, unicode: Unicode, slash: Slash) -> String {
        written(piece, Style { unicode, slash })
    }

    #[test]
    fn a_string_ends_where_it_ends() {
        for (text, wanted) in [
            (r#""a","#, Some(3)),
            (r#""""#, Some(2)),
            (r#""\"" "#, Some(4)),
            (r#""\\"x"#, Some(4)),
            (r#""é""#, Some(4)),
            (r#"""#, None),
            (r#""\""#, None),
            ("", None),
        ] {
            assert_eq!(length(text), wanted, "{text}");
        }
    }

    #[test]
    fn letters_have_several_ways_and_what_json_escapes_has_one() {
        let text = r#""é\u00E9\ud83d\ude00😀<\u003c\n\"\\\u0022\u001f/\/\u002f""#;
        for (unicode, wanted) in [
            (Unicode::Kept, text),
            (Unicode::Raw, r#""éé😀😀<<\n\"\\\u0022\u001f/\/\u002f""#),
            (
                Unicode::Lower,
                r#""\u00e9\u00e9\ud83d\ude00\ud83d\ude00<<\n\"\\\u0022\u001f/\/\u002f""#,
            ),
            (
                Unicode::Upper,
                r#""\u00E9\u00E9\uD83D\uDE00\uD83D\uDE00<<\n\"\\\u0022\u001f/\/\u002f""#,
            ),
            (Unicode::Html, r#""éé😀😀\u003c\u003c\n\"\\\u0022\u001f/\/\u002f""#),
        ] {
            assert_eq!(as_written(text, unicode, Slash::Kept), wanted, "{unicode:?}");
        }
        assert_eq!(as_written(r#""/\/\u002f""#, Unicode::Kept, Slash::Plain), r#""///""#);
        assert_eq!(as_written(r#""/\/""#, Unicode::Kept, Slash::Escaped), r#""\/\/""#);
    }

    #[test]
    fn what_is_no_string_or_no_letter_is_kept() {
        for text in
            ["1e3", "true", r#""\ud83d""#, r#""\udc00x""#, r#""\u+123""#, r#""\u12""#, "\"\\"]
        {
            assert_eq!(as_written(text, Unicode::Raw, Slash::Plain), text);
        }
    }
}
