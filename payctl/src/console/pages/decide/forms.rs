//! The decisions that a message allows: each says what it will do, and needs a note.

use maud::{Markup, html};
use pay_core::domain::{Outcome, PaymentId};
use pay_core::limits::NOTE_MAX_CHARS;

use super::super::super::app::App;
use super::super::super::view::{provider_name, shown};
use super::{ACCEPT, DISMISS, REFUND, amount};
use crate::Row;
use crate::event::{EventEntry, status};
use crate::operation::FunctionRole;

/// One form.
struct Choice {
    path: &'static str,
    title: &'static str,
    /// What it will do.
    what: Markup,
    /// Fields beside the note.
    fields: Markup,
    button: &'static str,
}

/// The forms; of an unreadable item it can only be dismissed.
pub(super) fn forms(
    app: &App,
    name: &str,
    row: &Row,
    record: Option<&Row>,
    id: Option<PaymentId>,
) -> Markup {
    if app.is_read_only {
        return html! { p.note { "This console is read only. Start payctl console without --read-only to decide." } };
    }
    let wrong = EventEntry(row).unreadable();
    let choices = if wrong.is_empty() {
        [accept(row, record, id), refund(app, row, record, id), Some(dismiss(record))]
    } else {
        [None, None, Some(dismiss(record))]
    };
    html! {
        section {
            h2 { "Decide" }
            @if !wrong.is_empty() {
                p.note { "It is unreadable, and can only be dismissed: " (shown(&wrong.join("; "))) "." }
            }
            div.choices {
                @for choice in choices.into_iter().flatten() { (form(app, name, &choice)) }
            }
        }
    }
}

fn form(app: &App, name: &str, Choice { path, title, what, fields, button }: &Choice) -> Markup {
    let field = format!("note-{}", path.rsplit('/').next().unwrap_or_default());
    html! {
        div.choice {
            h3 { (title) }
            p { (what) }
            form method="post" action=(path) {
                input type="hidden" name="token" value=(app.access.token(path));
                input type="hidden" name="name" value=(name);
                (fields)
                p {
                    label for=(field) { "Note: why" }
                    textarea id=(field) name="note" rows="2" required maxlength=(NOTE_MAX_CHARS) {}
                }
                button { (button) }
            }
        }
    }
}

fn outcome(row: &Row) -> Option<Outcome> {
    Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == row.text("outcome"))
}

fn accept(row: &Row, record: Option<&Row>, id: Option<PaymentId>) -> Option<Choice> {
    let outcome = outcome(row)?;
    let becomes = match outcome {
        Outcome::Paid => "becomes paid",
        Outcome::Failed => "becomes failed",
        Outcome::Closed => "becomes closed",
        Outcome::Refunded => "counts what went back, and becomes refunded if that is all of it",
    };
    let money = html! {
        @if outcome == Outcome::Paid && record.is_some_and(|record| record.number("amount") != row.number("amount")) {
            @if let Some(record) = record { ", with its own amount of " (amount(record)) ", although the message reports " (amount(row)) }
        }
        "."
    };
    let notified = html! {
        @if outcome.moves_money() { " The sweep then notifies the order service, within minutes." }
    };
    let (title, what, fields) = match id {
        Some(id) => {
            ("Accept", html! { "Payment " (id) " " (becomes) (money) (notified) }, html! {})
        }
        None => (
            "Accept onto a payment",
            html! { "The payment that you name " (becomes) ": amount and currency must be its own." (notified) },
            html! {
                p {
                    label for="payment" { "Payment" }
                    input #payment name="payment" inputmode="numeric" required pattern="[0-9]+" autocomplete="off";
                }
            },
        ),
    };
    Some(Choice { path: ACCEPT, title, what, fields, button: title })
}

fn refund(app: &App, row: &Row, record: Option<&Row>, id: Option<PaymentId>) -> Option<Choice> {
    let id = id?;
    let provider = row.provider()?;
    let txn = row.get_text("provider_txn")?;
    let is_own = record.is_some_and(|record| record.text("provider_txn") == txn);
    if outcome(row) != Some(Outcome::Paid) || is_own {
        return None;
    }
    let is_asked = app.functions.of(FunctionRole::Callback).is_some();
    let when = if is_asked { "at once" } else { "with the next sweep" };
    let what = html! {
        (amount(row)) " goes back to the payer at " (provider_name(provider)) ", from the transaction "
        code { (shown(txn)) } ", " (when) ". Payment " (id) " stays as it is" (of_status(record)) "."
    };
    let title = "Give the money back";
    Some(Choice { path: REFUND, title, what, fields: html! {}, button: title })
}

fn dismiss(record: Option<&Row>) -> Choice {
    let what = html! {
        "The message has no effect"
        @if record.is_some() { "; its payment stays as it is" (of_status(record)) }
        ". What it reports as paid stays where it is."
    };
    Choice { path: DISMISS, title: "Dismiss", what, fields: html! {}, button: "Dismiss" }
}

/// The status of a record, after a comma.
fn of_status(record: Option<&Row>) -> String {
    let code = record.and_then(|record| record.number("status"));
    code.map(|code| format!(", {}", status(code))).unwrap_or_default()
}
