//! A message and its payment's record, side by side.

use maud::{Markup, html};

use super::super::super::view::{
    column, money, money_of, optional, provider_of, shown, table, word,
};
use crate::Row;
use crate::event::{EventEntry, status};

/// One line: what it is, what the message says, what the record has, and whether that differs.
struct Side {
    label: String,
    message: Markup,
    record: Markup,
    differs: bool,
}

/// The amount that a message or a refund names.
pub(in crate::console::pages) fn amount(row: &Row) -> Markup {
    let minor = row.number("amount").map(|minor| money(minor, row.text("currency")));
    minor.unwrap_or_else(|| html! { (shown(&EventEntry(row).cell("amount"))) })
}

/// The lines, the differing ones marked by word and colour.
pub(super) fn beside(row: &Row, record: Option<&Row>) -> Markup {
    let columns = [column("Value"), column("Message"), column("Record"), column("Compared")];
    let sides = sides(row, record).into_iter();
    let filled = sides.filter(|side| !side.message.0.is_empty() || !side.record.0.is_empty());
    let cells = filled.map(|Side { label, message, record, differs }| {
        let marked = |cell: Markup| {
            if differs {
                html! { span.differs { (cell) } }
            } else {
                cell
            }
        };
        let compared = if differs {
            html! { strong { "differs" } }
        } else {
            html! {}
        };
        [html! { (shown(&label)) }, marked(message), marked(record), compared]
    });
    table(columns, cells)
}

fn sides(row: &Row, record: Option<&Row>) -> Vec<Side> {
    let event = EventEntry(row);
    let none = Row::default();
    let of = record.unwrap_or(&none);
    let text = |row: &Row, name: &str| EventEntry(row).cell(name);
    let mismatch = row.text("mismatch");
    // What both have, and differently.
    let differ = |name: &str| {
        let (here, there) = (text(row, name), text(of, name));
        !here.is_empty() && !there.is_empty() && here != there
    };
    let has_source = of.number("source").is_some_and(|source| source > 0);
    let mut sides = vec![
        Side {
            label: "Amount".to_owned(),
            message: amount(row),
            record: amount(of),
            differs: differ("amount") || mismatch == "amount",
        },
        Side {
            label: "Currency".to_owned(),
            message: html! { (shown(&text(row, "currency"))) },
            record: html! { (shown(&text(of, "currency"))) },
            differs: differ("currency") || mismatch == "currency",
        },
        Side {
            label: "Provider".to_owned(),
            message: provider_of(row),
            record: provider_of(of),
            differs: has_source && differ("source"),
        },
        Side {
            label: "Transaction".to_owned(),
            message: html! { (shown(&text(row, "provider_txn"))) },
            record: html! { (shown(&text(of, "provider_txn"))) },
            differs: differ("provider_txn") || mismatch == "reference",
        },
        Side {
            label: "Outcome, status".to_owned(),
            message: optional(&event.cell("outcome"), word),
            record: optional(&of.number("status").map(status).unwrap_or_default(), word),
            differs: mismatch == "outcome",
        },
        Side {
            label: "Refunded".to_owned(),
            message: refunded(row),
            record: money_of(of, "refunded", of.text("currency")),
            differs: mismatch == "refunded",
        },
    ];
    // What the message said of itself is kept as text, where it is no value of the event.
    let known = ["", "amount", "currency", "reference", "outcome", "refunded"];
    if !known.contains(&mismatch) {
        let side = |name| html! { (shown(row.text(name))) };
        let (message, record) = (side("received"), side("expected"));
        sides.push(Side { label: mismatch.replace('_', " "), message, record, differs: true });
    }
    sides
}

/// What a message says went back: one refund, or the total.
fn refunded(row: &Row) -> Markup {
    let of_money = |name| money_of(row, name, row.text("currency"));
    html! { (of_money("refund_amount")) (of_money("refunded")) }
}
