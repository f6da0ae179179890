//! What happened to a payment: each event a row.

use maud::{Markup, html};
use pay_core::domain::PaymentId;

use super::super::super::fault::Fault;
use super::super::super::view::{
    brief, column, fact, fitting, mismatch, money, optional, sender, table, with_query, word,
};
use crate::Row;
use crate::event::{EventEntry, plain, status};
use crate::history::{self, Fact};
use crate::limits::CONSOLE_EVENTS;

/// The newest events of those before the one that is named, oldest first, as many as fit.
pub(super) fn timeline(
    id: PaymentId,
    events: &[Row],
    before: Option<&str>,
    budget: usize,
) -> Result<Markup, Fault> {
    let events = match before {
        None => events,
        Some(before) => {
            let at = events.iter().position(|row| EventEntry(row).name() == before);
            let older = at.and_then(|at| events.get(..at));
            older.ok_or_else(|| {
                let what = format!("The payment has no event {before}.");
                Fault::not_found(what, format!("/payment/{id} has the newest ones."))
            })?
        }
    };
    let columns = [
        column("Time"),
        column("Sender"),
        column("Event"),
        column("Reported"),
        column("Status"),
        column("Verdict"),
        column("Mismatch"),
        column("Note"),
    ];
    let newest = events.iter().rev().take(CONSOLE_EVENTS).map(|row| cells(id, row));
    let mut cells = fitting(columns, newest, budget);
    let shown = cells.len();
    cells.reverse();
    let rest = events.len().saturating_sub(shown);
    let oldest = events.get(rest).filter(|_| rest > 0).map(|row| EventEntry(row).name());
    Ok(html! {
        section {
            h2 { "Timeline" }
            @if events.is_empty() {
                p.empty { "No event. Each notification about this payment, and each decision, would be a row here." }
            } @else {
                @if before.is_some() || oldest.is_some() {
                    p {
                        (shown) " of " (events.len()) " events, oldest first. "
                        @if let Some(oldest) = &oldest {
                            a href=(with_query(&format!("/payment/{id}"), "before", oldest)) { "The older " (rest) }
                            " "
                        }
                        @if before.is_some() { a href={ "/payment/" (id) } { "The newest" } }
                    }
                }
                (table(columns, cells))
            }
        }
    })
}

fn cells(id: PaymentId, row: &Row) -> [Markup; 8] {
    let event = EventEntry(row);
    let [at, name, outcome, amount, _, txn, _, _, verdict, _, by, note] = history::event(row);
    let name = name.printed();
    let word_of_sender = row.text("sender");
    let short = name.strip_prefix(&format!("{id}/{word_of_sender}/")).unwrap_or(&name);
    [
        fact(&at, ""),
        html! { span.whole { (sender(word_of_sender)) } },
        html! { a href=(with_query("/message", "name", &name)) { code { (brief(short)) } } },
        reported(row, [&outcome, &amount, &txn]),
        moved(row),
        html! {
            (optional(&verdict.printed(), |verdict| word(&brief(verdict))))
            @if row.text("queue") == "review" {
                " " a href=(with_query("/decide", "name", &name)) { "decide" }
            }
        },
        html! {
            @if !event.unreadable().is_empty() { (word("unreadable")) " " }
            (mismatch(row))
        },
        html! {
            (optional(&by.printed(), |by| html! { "by " (brief(by)) }))
            (optional(&note.printed(), |note| html! { " " (brief(note)) }))
        },
    ]
}

/// The status before and after, where it moved.
fn moved(row: &Row) -> Markup {
    let code = |name: &str| row.number(name);
    match (code("status_before"), code("status_after")) {
        (Some(before), Some(after)) if before != after => {
            html! { span.whole { (status(before)) " → " (word(&status(after))) } }
        }
        _ => html! {},
    }
}

/// What the sender says.
fn reported(row: &Row, [outcome, amount, txn]: [&Fact; 3]) -> Markup {
    let currency = row.0.get("currency").map(plain).unwrap_or_default();
    let of_money =
        |name: &str| row.number(name).map_or_else(|| html! {}, |minor| money(minor, &currency));
    let words = [outcome.printed(), amount.printed(), txn.printed()].concat();
    html! {
        @if !words.is_empty() {
            (fact(outcome, "")) " " (fact(amount, ""))
            (optional(&txn.printed(), |txn| html! { " " code { (brief(txn)) } }))
        }
        @if row.has("refund") {
            " refund " code { (brief(row.text("refund"))) } " " (of_money("refund_amount"))
            " " (brief(row.text("refund_state")))
        }
        @if row.has("refunded") { " refunded in all " (of_money("refunded")) }
    }
}
