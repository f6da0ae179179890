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

/// A table of rows of one cell a column; the first cell is what the row is about.
pub(in crate::console) fn table<const N: usize>(
    columns: [Column; N],
    rows: impl IntoIterator<Item = [Markup; N]>,
) -> Markup {
    html! {
        table.rows {
            thead {
                tr { @for Column { name, is_number } in columns { th.number[is_number] scope="col" { (name) } } }
            }
            tbody {
                @for row in rows {
                    tr {
                        @for (Column { name, is_number }, cell) in columns.iter().zip(row) {
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
