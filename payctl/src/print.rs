//! What the commands print.

use std::io::{Write as _, stdout};

use anyhow::Result;
use comfy_table::{Cell, Table as Grid, TableStyle};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Writes to standard output.
pub(crate) fn print(text: &str) -> Result<()> {
    Ok(stdout().write_all(text.as_bytes())?)
}

/// Writes a value as a line of JSON.
pub(crate) fn print_json(value: &Value) -> Result<()> {
    print(&format!("{value}\n"))
}

/// A table: each column as wide as its widest cell, two spaces between columns and none at the end.
pub(crate) fn columns<const N: usize>(
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let mut grid = Grid::new();
    grid.load_style(TableStyle::new()).set_header(head);
    // Text of a sender must not control the terminal.
    let tame = |cell: String| Cell::new(cell.replace(char::is_control, " "));
    for row in rows {
        grid.add_row(row.map(tame));
    }
    for column in grid.column_iter_mut() {
        column.set_padding((0, 2));
    }
    format!("{}\n", grid.trim_fmt())
}

/// Unix milliseconds as RFC 3339, in UTC.
pub(crate) fn time(millis: u64) -> String {
    let nanos = i128::from(millis).saturating_mul(1_000_000);
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok();
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| millis.to_string())
}

#[cfg(test)]
mod tests {
    use super::{columns, time};

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["1".to_owned(), "支付".to_owned()], ["333".to_owned(), "\u{1b}\n".to_owned()]];
        assert_eq!(columns(["a", "b"], rows.into_iter()), "a    b\n1    支付\n333\n");
        assert_eq!(time(1_795_437_467_020), "2026-11-23T12:37:47.02Z");
        assert_eq!(time(u64::MAX), u64::MAX.to_string());
    }
}
