//! What the commands print.

use std::io::{Write as _, stdout};

use anyhow::Result;
use comfy_table::{Cell, Table as Grid, TableStyle};
use pay_core::domain::Timestamp;
use pay_service::http::rfc3339;
use serde_json::Value;

/// Writes to standard output.
pub(crate) fn print(text: &str) -> Result<()> {
    Ok(stdout().write_all(escaped(text).as_bytes())?)
}

/// Writes a value as a line of JSON.
pub(crate) fn print_json(value: &Value) -> Result<()> {
    Ok(writeln!(stdout(), "{}", escaped_json(&value.to_string()))?)
}

/// Whether a character controls the terminal, ends the line, or changes the order in which the text
/// around it is shown.
///
/// Source: Unicode Standard Annex #9, section 2; C0, DEL and C1 are Unicode's control characters.
fn is_treacherous(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(letter, '\u{2066}'..='\u{2069}')
}

/// A text whose lines are ours, as a terminal may have it: what a sender wrote into it is shown, as
/// `\u{202e}`, and not obeyed.
pub(crate) fn escaped(text: &str) -> String {
    replaced(
        text,
        |letter| is_treacherous(letter) && letter != '\n',
        |letter| letter.escape_default().to_string(),
    )
}

/// A cell of a table: one line.
pub(crate) fn escaped_cell(text: &str) -> String {
    replaced(text, is_treacherous, |letter| letter.escape_default().to_string())
}

/// The text of a JSON value that is the same value. Such characters occur in strings alone.
pub(crate) fn escaped_json(json: &str) -> String {
    replaced(json, is_treacherous, |letter| format!("\\u{:04x}", u32::from(letter)))
}

fn replaced(text: &str, is_it: impl Fn(char) -> bool, by: impl Fn(char) -> String) -> String {
    text.chars().map(|letter| if is_it(letter) { by(letter) } else { letter.to_string() }).collect()
}

/// A table: each column as wide as its widest cell, two spaces between columns and none at the end.
pub(crate) fn columns<const N: usize>(
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let mut grid = Grid::new();
    grid.load_style(TableStyle::new()).set_header(head);
    for row in rows {
        grid.add_row(row.map(|cell| Cell::new(escaped_cell(&cell))));
    }
    for column in grid.column_iter_mut() {
        column.set_padding((0, 2));
    }
    format!("{}\n", grid.trim_fmt())
}

/// Unix milliseconds as the API shows them, in RFC 3339; the number where that has no such time.
pub(crate) fn time(millis: u64) -> String {
    let time = Timestamp::from_millis(millis).ok().and_then(|at| rfc3339(at).ok());
    time.unwrap_or_else(|| millis.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{columns, escaped, escaped_json, time};

    #[test]
    fn what_controls_a_terminal_or_reorders_its_text_is_escaped() {
        let treacherous = [
            ('\u{0}', "\\u{0}"),
            ('\u{7}', "\\u{7}"),
            ('\r', "\\r"),
            ('\t', "\\t"),
            ('\u{1b}', "\\u{1b}"),
            ('\u{7f}', "\\u{7f}"),
            ('\u{80}', "\\u{80}"),
            ('\u{9b}', "\\u{9b}"),
            ('\u{61c}', "\\u{61c}"),
            ('\u{200e}', "\\u{200e}"),
            ('\u{200f}', "\\u{200f}"),
            ('\u{2028}', "\\u{2028}"),
            ('\u{2029}', "\\u{2029}"),
            ('\u{202a}', "\\u{202a}"),
            ('\u{202e}', "\\u{202e}"),
            ('\u{2066}', "\\u{2066}"),
            ('\u{2069}', "\\u{2069}"),
        ];
        for (letter, shown) in treacherous {
            let text = format!("a{letter}b");
            assert_eq!(escaped(&text), format!("a{shown}b"));
            let value = json!({ &text: text });
            let line = escaped_json(&value.to_string());
            assert!(!line.contains(letter) && !line.contains(char::is_control), "{line}");
            assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
        }
        let harmless = "two\nlines, 支付, é, \u{200d}, \u{2065}, \u{206a}, \\";
        assert_eq!(escaped(harmless), harmless);
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["1".to_owned(), "支付".to_owned()], ["333".to_owned(), "\u{1b}\n".to_owned()]];
        assert_eq!(columns(["a", "b"], rows.into_iter()), "a    b\n1    支付\n333  \\u{1b}\\n\n");
        assert_eq!(time(1_795_437_467_020), "2026-11-23T12:37:47.020Z");
        assert_eq!(time(u64::MAX), u64::MAX.to_string());
    }
}
