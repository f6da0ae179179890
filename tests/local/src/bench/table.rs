//! Tables that a person reads on a terminal and in Markdown alike.

use std::fmt::Write as _;

/// A Markdown table with columns of even width, numbers to the right.
///
/// The first column is text. A row that is too short is filled with nothing.
#[must_use]
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let cell = |row: &[String], at: usize| row.get(at).cloned().unwrap_or_default();
    let widths: Vec<usize> = head
        .iter()
        .enumerate()
        .map(|(at, title)| {
            let cells = rows.iter().map(|row| cell(row, at).chars().count());
            cells.chain([title.chars().count(), 3]).max().unwrap_or_default()
        })
        .collect();
    let line = |cells: &[String]| {
        let padded = widths.iter().enumerate().map(|(at, width)| match at {
            0 => format!(" {:<width$} ", cell(cells, at)),
            _ => format!(" {:>width$} ", cell(cells, at)),
        });
        format!("|{}|\n", padded.collect::<Vec<_>>().join("|"))
    };
    let titles: Vec<String> = head.iter().map(|title| (*title).to_owned()).collect();
    let mut text = line(&titles);
    let rules = widths.iter().enumerate().map(|(at, width)| {
        let dashes = "-".repeat(width.saturating_add(1));
        if at == 0 { format!("{dashes}-") } else { format!("{dashes}:") }
    });
    // A string takes everything.
    match writeln!(text, "|{}|", rules.collect::<Vec<_>>().join("|")) {
        Ok(()) | Err(_) => {}
    }
    text.extend(rows.iter().map(|row| line(row)));
    text
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_even_and_numbers_stand_to_the_right() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows =
            [row(["bare", "0.083", "ja"]), row(["ünicode", "12.3", ""]), vec!["x".to_owned()]];
        assert_eq!(
            table(&["variant", "ms", "met"], &rows),
            "| variant |    ms | met |\n\
             |---------|------:|----:|\n\
             | bare    | 0.083 |  ja |\n\
             | ünicode |  12.3 |     |\n\
             | x       |       |     |\n"
        );
    }
}
