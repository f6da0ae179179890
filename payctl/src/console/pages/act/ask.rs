//! What an action will do, and its form.

use anyhow::anyhow;
use maud::{Markup, html};
use pay_core::domain::PaymentId;
use pay_core::limits::NOTE_MAX_CHARS;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::super::super::app::App;
use super::super::super::fault::Fault;
use super::super::super::functions::unknown;
use super::super::super::page::Page;
use super::super::super::view::{money, payment, provider_name, shown, word};
use super::super::decide::amount;
use super::kind::ActionKind;
use super::{idempotency_key, page_of};
use crate::Row;
use crate::event::status;

/// How many minor units can still go back.
pub(super) fn left(record: &Row) -> u64 {
    let number = |name| record.number(name).unwrap_or_default();
    number("amount").saturating_sub(number("refunded")).saturating_sub(number("refund_pending"))
}

pub(super) fn question(
    app: &App,
    kind: ActionKind,
    id: PaymentId,
    record: &Row,
) -> Result<Page, Fault> {
    let not = if app.is_read_only {
        Some(
            "This console is read only: start payctl console without --read-only to act."
                .to_owned(),
        )
    } else if let Some(why) = kind.impossible(record) {
        Some(why.to_owned())
    } else if app.functions.of(kind.role()).is_none() {
        Some(unknown(kind.role()))
    } else {
        None
    };
    let code = record.number("status").unwrap_or_default();
    let body = html! {
        p { "Payment " (payment(id)) " of " (amount(record)) " is " (word(&status(code))) "." }
        p { (what(kind, record)) }
        @match not {
            Some(not) => { p.note { (not) } }
            None => { (form(app, kind, id, record)?) }
        }
        p { a href=(page_of(id)) { "Back to the payment" } }
    };
    Ok(Page { title: kind.title().to_owned(), body, refresh: false })
}

/// What it will do.
fn what(kind: ActionKind, record: &Row) -> Markup {
    let provider = record.provider().map_or("its provider", provider_name);
    match kind {
        ActionKind::Query => html! {
            "Each provider that may have collected it is asked now what became of it, and what they report is applied, \
             as if they had sent it. It moves no money. If it turns out paid, the order service is notified."
        },
        ActionKind::Close => html! {
            "Its checkouts are ended at their providers, so that nobody can pay it any more, and then it becomes closed. \
             If it turns out that it was paid, it becomes paid in place of that. It cannot be undone; the order can \
             get another payment."
        },
        ActionKind::Sweep => html! {
            "What is still to be done about it and its refunds is done now, whether its time has come or not: notify the \
             order service, ask providers, end checkouts. It moves no money that was not asked for before."
        },
        ActionKind::Refund => html! {
            "The payer gets money back at " (provider) ", from the transaction "
            code { (shown(record.text("provider_txn"))) } ". " (money(left(record), record.text("currency")))
            " of it can still go back. It cannot be undone."
        },
    }
}

fn form(app: &App, kind: ActionKind, id: PaymentId, record: &Row) -> Result<Markup, Fault> {
    let (path, key) = (kind.path(), form_key()?);
    Ok(html! {
        form method="post" action=(path) {
            input type="hidden" name="token" value=(app.access.token(&path));
            input type="hidden" name="id" value=(id);
            input type="hidden" name="key" value=(key);
            @if kind == ActionKind::Refund { (of_refund(record, &key)) }
            p {
                label for="note" { "Note: why" }
                textarea #note name="note" rows="2" required maxlength=(NOTE_MAX_CHARS) {}
            }
            button.main { (kind.title()) }
        }
    })
}

fn of_refund(record: &Row, key: &str) -> Markup {
    let currency = record.text("currency");
    html! {
        p {
            label for="amount" { "Amount in " (shown(currency)) "; without one, all that is left" }
            input #amount name="amount" inputmode="decimal" autocomplete="off" aria-describedby="left";
            span #left.soft { " of " (money(left(record), currency)) }
        }
        p {
            label for="reason" { "Reason, which the payer may see; optional" }
            input #reason name="reason" maxlength="80" autocomplete="off";
        }
        p.soft { "Key " code { (idempotency_key(key)) } ": this form is one refund, however often it is sent." }
    }
}

/// What makes a form one action.
fn form_key() -> Result<String, Fault> {
    let mut bytes = [0; 8];
    let random = SystemRandom::new().fill(&mut bytes);
    random.map_err(|_unspecified| anyhow!("the system gives no randomness"))?;
    Ok(hex::encode(bytes))
}
