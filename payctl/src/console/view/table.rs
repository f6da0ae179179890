//! Tables: rows on a wide screen, cards on a narrow one.

use maud::{Markup, html};

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::console) struct Column {
    name: &'static str,
    is_number: bool,
}

/// A column of words.
pub(in crate::console) const fn column(name: &'static str) -> Column {
    Column { name, is_number: false }
}

/// A column of numbers, which end below each other.
pub(in crate::console) const fn numbers(name: &'static str) -> Column {
    Column { name, is_number: true }
}

/// As many columns as a table has that is no wider than it must be.
const FEW: usize = 4;

/// A table of rows of one cell a column; the first cell is what the row is about. A column that no row fills is left
/// out.
pub(in crate::console) fn table<const N: usize>(
    columns: [Column; N],
    rows: impl IntoIterator<Item = [Markup; N]>,
) -> Markup {
    let rows: Vec<_> = rows.into_iter().map(|row| columns.into_iter().zip(row).collect()).collect();
    let is_filled = |at: usize| {
        let mut cells = rows.iter().filter_map(|row: &Vec<(Column, Markup)>| row.get(at));
        cells.any(|(_, cell)| !cell.0.is_empty())
    };
    let filled: Vec<_> = (0..N).map(|at| rows.is_empty() || is_filled(at)).collect();
    let number = filled.iter().filter(|filled| **filled).count();
    html! {
        table.rows.few[number <= FEW] {
            thead {
                tr {
                    @for (Column { name, is_number }, _) in columns.iter().zip(&filled).filter(|(_, filled)| **filled) {
                        th.number[*is_number] scope="col" { (name) }
                    }
                }
            }
            tbody {
                @for row in &rows {
                    tr {
                        @for ((Column { name, is_number }, cell), _) in row.iter().zip(&filled).filter(|(_, filled)| **filled) {
                            // An empty cell is left out where a row is a card.
                            @if cell.0.is_empty() { td.number[*is_number] {} }
                            @else { td.number[*is_number] data-label=(name) { (cell) } }
                        }
                    }
                }
            }
        }
    }
}

/// The first rows, as many as take at most `budget` bytes of a page, and at least one.
pub(in crate::console) fn fitting<const N: usize>(
    columns: [Column; N],
    rows: impl IntoIterator<Item = [Markup; N]>,
    budget: usize,
) -> Vec<[Markup; N]> {
    // What a row and a cell have around what they hold.
    let labels = columns.iter().map(|column| column.name.len().saturating_add(40)).sum::<usize>();
    let (mut used, mut is_first) = (0_usize, true);
    let size = |row: &[Markup; N]| row.iter().map(|cell| cell.0.len()).sum::<usize>();
    rows.into_iter()
        .take_while(|row| {
            used = used.saturating_add(labels).saturating_add(size(row));
            std::mem::take(&mut is_first) || used <= budget
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_no_row_fills_is_left_out() {
        let columns = [column("One"), column("Two"), numbers("Three")];
        let row = |second: &str| [html! { "1" }, html! { (second) }, html! {}];
        let made = |rows: Vec<[Markup; 3]>| table(columns, rows).into_string();
        let without = made(vec![row(""), row("")]);
        assert!(without.contains("One") && !without.contains("Two"), "{without}");
        let with = made(vec![row(""), row("2")]);
        assert!(with.contains("Two") && !with.contains("Three"), "{with}");
        // One cell of the column is empty, and the row has it all the same.
        assert_eq!(with.matches("<td").count(), 4, "{with}");
        assert!(made(vec![]).contains("Three"));
    }

    #[test]
    fn rows_fit_by_the_bytes_that_they_take() {
        let columns = [column("One"), numbers("Two")];
        let row = |text: &str| [html! { (text) }, html! { (text) }];
        let rows = |number: usize| std::iter::repeat_with(|| row(&"x".repeat(100))).take(number);
        for (number, budget, fits) in [(9, 1000, 3), (2, 1000, 2), (9, 1, 1), (0, 1000, 0)] {
            let fitted = fitting(columns, rows(number), budget);
            assert_eq!(fitted.len(), fits, "{number} in {budget}");
            let size = table(columns, fitted.iter().cloned()).0.len();
            let head = table(columns, []).0.len();
            assert!(fits < 2 || size.saturating_sub(head) <= budget, "{size}");
        }
    }
}
