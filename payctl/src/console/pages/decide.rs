//! One quarantined notification beside its payment, and what can be decided on it.

mod forms;
mod sides;

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use maud::{Markup, html};
use pay_core::domain::{Decision, EventKey, Note, PaymentId};
use pay_service::start::clock;
use serde::Deserialize;

use self::forms::forms;
pub(super) use self::sides::amount;
use self::sides::beside;
use super::super::app::App;
use super::super::fault::Fault;
use super::super::form::TokenForm;
use super::super::page::{Page, Shown, respond};
use super::super::view::{
    capital, id, lines, meaning, mismatch, payment, sender, shown, time, time_or_none, with_query,
};
use crate::Row;
use crate::audit::{Audited as _, payment_of, primary};
use crate::event::{EventEntry, status};
use crate::name::Name;
use crate::operation::{
    FunctionRole, NotDecided, WantedDecision, decide, find, give_back, named, refund_of,
};
use crate::print;

pub(super) const PATH: &str = "/decide";
pub(super) const ACCEPT: &str = "/decide/accept";
pub(super) const REFUND: &str = "/decide/refund";
pub(super) const DISMISS: &str = "/decide/dismiss";

/// Which notification.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct DecideQuery {
    name: Option<String>,
}

/// A notification and what belongs to it.
struct Found {
    name: Name,
    row: Row,
    /// The payment that it names, or that it was accepted onto.
    id: Option<PaymentId>,
    record: Option<Row>,
    /// The event of the decision.
    decision: Option<Row>,
    /// The refund that gives its money back.
    refund: Option<Row>,
}

pub(in crate::console) async fn show(
    State(app): State<Arc<App>>,
    Query(query): Query<DecideQuery>,
) -> Response {
    Box::pin(respond(&app, PATH, async {
        let found = look(&app, query.name.as_deref().unwrap_or_default()).await?;
        Ok(page(&app, &found).into())
    }))
    .await
}

/// Reads the item, and by its keys what belongs to it.
async fn look(app: &App, name: &str) -> Result<Found, Fault> {
    let name = parsed(name)?;
    let (pk, sk) = &name.0;
    let row = app.table.item(pk, sk).await?.ok_or_else(|| {
        let what = format!("There is no message {name} in this table.");
        Fault::not_found(what, "Quarantine lists what waits.")
    })?;
    let decision = EventKey::parse(row.text("decision_event")).ok();
    let onto = decision.as_ref().and_then(|event| event.payment);
    let id = payment_of(pk).or(onto);
    let record_key = id.map(|id| (format!("pay#{id}"), "record".to_owned()));
    let decision_key = decision.as_ref().map(primary);
    let is_refund = row.text("decision") == Decision::Refund.as_str();
    let refund = refund_of(&name, &row).ok().filter(|_| is_refund);
    let refund_key = refund.map(|(_, id)| (pk.clone(), format!("refund#{}", id.as_str())));
    let keys: Vec<_> =
        [&record_key, &decision_key, &refund_key].into_iter().flatten().cloned().collect();
    let mut rows = app.table.batch(&keys).await?;
    let mut take = |key: Option<(String, String)>| {
        let key = key?;
        let at =
            rows.iter().position(|row| (row.text("pk"), row.text("sk")) == (&*key.0, &*key.1))?;
        Some(rows.swap_remove(at))
    };
    let (record, decision, refund) = (take(record_key), take(decision_key), take(refund_key));
    Ok(Found { name, row, id, record, decision, refund })
}

fn parsed(name: &str) -> Result<Name, Fault> {
    named(name).map_err(|_no_name| {
        let what = format!("{name} is no name of a message.");
        Fault::unusable(what, "Quarantine lists what waits.")
    })
}

fn page(app: &App, found: &Found) -> Page {
    let Found { name, row, id: of, record, .. } = found;
    let name = name.to_string();
    let waits = row.has("queue");
    let body = html! {
        @if waits {
            p { "It is genuine, and does not fit: " strong { (mismatch(row)) } ". " (meaning(&EventEntry(row).reason())) }
        } @else {
            (decided(found))
        }
        dl.facts {
            dt { "Message" } dd { (id(&name)) " " a href=(with_query("/message", "name", &name)) { "raw message" } }
            dt { "Payment" }
            dd { @match of { Some(of) => { (payment(of)) } None => { "It names none of ours." } } }
            dt { "Received" } dd { (time(row.number("at").unwrap_or_default())) }
            dt { "Sender" } dd { (sender(row.text("sender"))) }
            @if !waits && row.has("mismatch") {
                dt { "Why it waited" } dd { (mismatch(row)) }
            }
        }
        section {
            h2 { "Message and record" }
            (beside(row, record.as_ref()))
        }
        @if waits { (forms(app, &name, row, record.as_ref(), *of)) }
    };
    let title = if waits { "Decide on a message" } else { "Message" };
    Page { title: title.to_owned(), body, refresh: false }
}

/// What was decided, as the table has it now.
fn decided(Found { row, id: of, record, decision, refund, .. }: &Found) -> Markup {
    let Some(word) = row.get_text("decision") else {
        return html! { p.note { "It does not wait for a decision." } };
    };
    let code = record.as_ref().and_then(|record| record.number("status"));
    let note = decision.as_ref().and_then(|event| EventEntry(event).body().ok());
    let notified = record.as_ref().and_then(|record| record.number("notified_time"));
    let due = record.as_ref().and_then(|record| record.number("due"));
    html! {
        p.done {
            (shown(&capital(word))) " by " (shown(row.text("decided_by"))) " at " (time_or_none(row.number("decided_time")))
            @if let (Some(of), Some(code)) = (of, code) { "; payment " (payment(of)) " is " (status(code)) }
            "."
        }
        @if let Some(refund) = refund {
            p { "Refund " (id(refund.text("sk").trim_start_matches("refund#"))) " of " (amount(refund)) ": " (shown(refund.text("state"))) "." }
        }
        @if word == Decision::Accept.as_str() {
            @match (notified, due) {
                (Some(at), _) => { p { "The order service was notified at " (time(at)) "." } }
                (None, Some(at)) if at <= clock().millis() => {
                    p { "The next sweep looks at the payment, and notifies the order service if that is to be done." }
                }
                (None, Some(at)) => { p { "The sweep looks at the payment at " (time(at)) ", and notifies the order service if that is to be done." } }
                (None, None) => {}
            }
        }
        @if let Some(note) = note {
            h2 { "Note" }
            pre { (lines(&note)) }
        }
    }
}

/// What a decision's form sends.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct DecisionForm {
    name: String,
    note: String,
    /// The payment that an unmatched one is about.
    payment: Option<String>,
}

pub(in crate::console) async fn accept(
    State(app): State<Arc<App>>,
    TokenForm(form): TokenForm<DecisionForm>,
) -> Response {
    Box::pin(respond(&app, PATH, made(&app, Decision::Accept, &form))).await
}

pub(in crate::console) async fn refund(
    State(app): State<Arc<App>>,
    TokenForm(form): TokenForm<DecisionForm>,
) -> Response {
    Box::pin(respond(&app, PATH, made(&app, Decision::Refund, &form))).await
}

pub(in crate::console) async fn dismiss(
    State(app): State<Arc<App>>,
    TokenForm(form): TokenForm<DecisionForm>,
) -> Response {
    Box::pin(respond(&app, PATH, made(&app, Decision::Dismiss, &form))).await
}

/// Decides, and has the browser read what came of it from the table.
async fn made(app: &App, decision: Decision, form: &DecisionForm) -> Result<Shown, Fault> {
    let DecisionForm { name: notification, note, payment } = form;
    let name = parsed(notification)?;
    let note = read_note(note)?;
    let onto = payment.as_deref().map(|text| PaymentId::parse(text.trim())).transpose();
    let onto = onto.map_err(|_no_id| {
        let what = "The payment to accept it onto needs an id.";
        Fault::unusable(what, "Go back and fill it in: a number such as 184467440737.")
    })?;
    let by = app.by.clone();
    let wanted = WantedDecision { notification, name: &name, decision, onto, by, note: &note };
    let link = with_query(PATH, "name", notification);
    let made = decide(&app.table, &wanted).await.map_err(|not| of(not, link.clone()))?;
    if decision == Decision::Refund
        && let Some(function) = app.functions.of(FunctionRole::Callback)
    {
        let row = find(&app.table, &name).await?;
        let given = give_back(&app.table, (&name, &row), Some(function)).await?;
        if let Some(failure) = &given.failure {
            let what = format!("{}. {}: {failure:#}", made.text(), given.line());
            return Err(
                Fault::conflict(what, given.next()).with_link(link, "What became of the message")
            );
        }
    }
    Ok(Shown::Go(link))
}

/// Why nothing was decided. Who comes second learns what the first decided.
fn of(not: NotDecided, link: String) -> Fault {
    let words = "What became of the message";
    match not {
        NotDecided::Already(decided, note) => {
            let (by, at) = (&decided.by, print::time(decided.at.millis()));
            let what = format!("{} by {by} at {at}: {note}", capital(decided.decision.as_str()));
            Fault::conflict(what, "Somebody else decided first, so your decision was not made.")
                .with_link(link, words)
        }
        NotDecided::Rule(why) => {
            Fault::conflict(format!("Nothing was decided: {why:#}."), "").with_link(link, words)
        }
        NotDecided::Failed(error) => error.into(),
    }
}

/// The note of a form.
///
/// # Errors
///
/// It is blank or too long.
pub(super) fn read_note(text: &str) -> Result<Note, Fault> {
    Note::new(text).map_err(|_blank_or_long| {
        let what =
            format!("A note has 1 to 1024 characters, and this one has {}.", text.chars().count());
        Fault::unusable(what, "Go back and say why: the note is kept in the payment's log.")
    })
}
