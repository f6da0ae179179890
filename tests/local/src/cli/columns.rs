//! Tables on a terminal.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Lines with each column as wide as its widest cell; two spaces between, none at the end.
pub(super) fn columns<const N: usize>(
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    // What a sender wrote must not steer the terminal.
    let tame = |cell: String| cell.replace(char::is_control, " ");
    let mut lines = vec![head.map(str::to_owned)];
    lines.extend(rows.map(|row| row.map(tame)));
    let widths: Vec<usize> = (0..N)
        .map(|column| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        })
        .collect();
    let mut text = String::new();
    for line in &lines {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Unix milliseconds as a person reads them, in UTC.
pub(super) fn time(millis: u64) -> String {
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
