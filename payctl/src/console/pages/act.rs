//! What a person has the functions do about one payment. Who, what and why is in the payment's log before a function
//! is called.

mod ask;
mod kind;
mod minor;

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};
use pay_core::domain::{EventKey, PaymentId, RefundId, RefundReason, RefundReference};
use pay_service::http::idempotency_digest;
use pay_service::start::clock;
use serde::Deserialize;

use self::ask::{left, question};
use self::kind::ActionKind;
pub(in crate::console) use self::kind::actions;
use self::minor::minor_of;
use super::super::app::App;
use super::super::fault::Fault;
use super::super::form::TokenForm;
use super::super::functions::unknown;
use super::super::page::{Page, Shown, respond};
use super::super::view::{id as copied, lines, money, payment, shown, time, with_query, word};
use super::decide::{amount, read_note};
use crate::Row;
use crate::audit::{Audited as _, faults, primary};
use crate::event::{EventEntry, status};
use crate::operation::{FunctionCall, Intention, intend, is_key};

/// The path of what came of an action.
pub(super) const ACTED: &str = "/acted";

/// Which payment.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct ActQuery {
    id: Option<String>,
}

/// What the form of an action sends.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct ActForm {
    id: String,
    key: String,
    note: String,
    amount: Option<String>,
    reason: Option<String>,
}

/// Says what an action will do, with its form.
pub(in crate::console) async fn show(
    State(app): State<Arc<App>>,
    Path(what): Path<String>,
    Query(query): Query<ActQuery>,
) -> Response {
    Box::pin(respond(&app, "/act", async {
        let kind = kind(&what)?;
        let id = payment_id(query.id.as_deref().unwrap_or_default())?;
        let record = app.table.item(&format!("pay#{id}"), "record").await?;
        let record = readable(id, record)?;
        Ok(question(&app, kind, id, &record)?.into())
    }))
    .await
}

/// Does it.
pub(in crate::console) async fn act(
    State(app): State<Arc<App>>,
    Path(what): Path<String>,
    TokenForm(form): TokenForm<ActForm>,
) -> Response {
    Box::pin(respond(&app, "/act", work(&app, &what, &form))).await
}

async fn work(app: &App, what: &str, form: &ActForm) -> Result<Shown, Fault> {
    let kind = kind(what)?;
    let id = payment_id(&form.id)?;
    let note = read_note(&form.note)?;
    if !is_key(&form.key) {
        return Err(Fault::unusable("The form has no key.", "Go back, and reload the page."));
    }
    if app.functions.of(kind.role()).is_none() {
        return Err(Fault::conflict(unknown(kind.role()), ""));
    }
    let name = kind.event(id, &form.key);
    let record_key = (format!("pay#{id}"), "record".to_owned());
    let rows = app.table.batch(&[record_key, primary(&name)]).await?;
    let (records, events): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.text("sk") == "record");
    let record = readable(id, records.into_iter().next())?;
    let reason = reason(form)?;
    let wanted = wanted_amount(form, &record)?;
    // A form that is sent again goes on with what it began, whatever became of the payment since.
    let begun = events.first().and_then(|event| Intention::parse(event.text("about")));
    let intention = match begun {
        Some(begun) => begun,
        None => intended(kind, id, form, &record, wanted)?,
    };
    let event = intend(&app.table, (id, &record), (&intention, &form.key), (&app.by, &note)).await;
    let event = event?.ok_or_else(|| {
        let what = "This form was sent before, with another note.";
        let next = "Nothing was done now. To do it again, open the action from the payment's page.";
        Fault::conflict(what, next).with_link(page_of(id), "The payment")
    })?;
    let call = match kind {
        ActionKind::Query => FunctionCall::Query(id),
        ActionKind::Close => FunctionCall::Close(id),
        ActionKind::Sweep => FunctionCall::SweepOne(id),
        ActionKind::Refund => FunctionCall::Refund {
            id,
            // As it was written down, also where it was "the rest": that may be another amount by now.
            amount_minor: intention.refunded_minor(),
            reason,
            key: idempotency_key(&form.key),
        },
    };
    let result = with_query(ACTED, "name", &event.to_string());
    let failed = |what: String| {
        let next = "What was to be done is in the payment's log. Nothing is done twice: go back and send the form again, \
                    or leave it to the sweep.";
        Fault::from(anyhow::anyhow!(what))
            .saying(next)
            .with_link(result.clone(), "What came of it so far")
    };
    let response = app.functions.call(&call).await.map_err(|error| failed(format!("{error:#}")))?;
    let is_well = call.is_well(&response)?;
    // What no item says: that a provider did not respond, or that the table failed.
    if !is_well && matches!(kind, ActionKind::Query | ActionKind::Sweep) {
        return Err(failed(call.text(&response)?));
    }
    Ok(Shown::Go(result))
}

/// What a new form intends, if the record allows it.
fn intended(
    kind: ActionKind,
    id: PaymentId,
    form: &ActForm,
    record: &Row,
    wanted: Option<u64>,
) -> Result<Intention, Fault> {
    if let Some(why) = kind.impossible(record) {
        return Err(Fault::conflict(why, "").with_link(page_of(id), "The payment"));
    }
    Ok(match kind {
        ActionKind::Query => Intention::Query,
        ActionKind::Close => Intention::Close,
        ActionKind::Sweep => Intention::Sweep,
        ActionKind::Refund => {
            let left = left(record);
            let minor = wanted.unwrap_or(left);
            if minor > left {
                let what =
                    format!("{minor} minor units are more than the {left} that can still go back.");
                return Err(Fault::conflict(what, "Go back and ask for less."));
            }
            Intention::Refund(refund_id(id, &form.key)?, minor)
        }
    })
}

fn kind(what: &str) -> Result<ActionKind, Fault> {
    ActionKind::ALL.into_iter().find(|kind| kind.as_str() == what).ok_or_else(|| {
        let what = format!("There is no action {what}.");
        Fault::not_found(what, "The page of a payment has those that there are.")
    })
}

fn payment_id(text: &str) -> Result<PaymentId, Fault> {
    PaymentId::parse(text).map_err(|_no_id| {
        let what = format!("{text} is no payment's id.");
        Fault::unusable(what, "Open the payment, and choose the action there.")
    })
}

/// A record that says what it is.
fn readable(id: PaymentId, record: Option<Row>) -> Result<Row, Fault> {
    let record = record.ok_or_else(|| {
        let what = format!("There is no payment {id} in this table.");
        Fault::not_found(what, "Is this the right table?")
    })?;
    let wrong = faults(&record, clock());
    if wrong.is_empty() {
        return Ok(record);
    }
    let what = format!("The record of payment {id} is unreadable: {}.", wrong.join("; "));
    Err(Fault::conflict(
        what,
        "Nothing can be done about it here: docs/operations.md says how to go on.",
    ))
}

fn reason(form: &ActForm) -> Result<Option<String>, Fault> {
    let text = form.reason.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let reason = text.map(RefundReason::new).transpose();
    let reason = reason.map_err(|_bad| {
        let what = "A reason has at most 80 bytes and no control characters.";
        Fault::unusable(what, "Go back and write it shorter: the payer may see it.")
    })?;
    Ok(reason.map(|reason| reason.as_str().to_owned()))
}

/// The amount that was written; `None` for what is left.
fn wanted_amount(form: &ActForm, record: &Row) -> Result<Option<u64>, Fault> {
    let text = form.amount.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let minor = text.map(|text| minor_of(text, record.text("currency"))).transpose();
    minor.map_err(|why| Fault::unusable(why, "Go back and write the amount again."))
}

/// The key under which the refund of a form is made once.
fn idempotency_key(form_key: &str) -> String {
    format!("console-{form_key}")
}

fn refund_id(id: PaymentId, form_key: &str) -> Result<RefundId, Fault> {
    let digest = idempotency_digest(id.get(), &idempotency_key(form_key));
    let digest =
        digest.map_err(|_bad| Fault::unusable("The form has no key.", "Reload the page."))?;
    Ok(RefundId::requested(RefundReference::new(id, digest)))
}

fn page_of(id: PaymentId) -> String {
    format!("/payment/{id}")
}

/// Which intention.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct ActedQuery {
    name: Option<String>,
}

/// What came of an action, as the table has it now.
pub(in crate::console) async fn acted(
    State(app): State<Arc<App>>,
    Query(query): Query<ActedQuery>,
) -> Response {
    Box::pin(respond(&app, ACTED, read_back(&app, query.name.as_deref().unwrap_or_default()))).await
}

async fn read_back(app: &App, name: &str) -> Result<Shown, Fault> {
    let none = || {
        let what = format!("Nothing was done under the name {name}.");
        Fault::not_found(what, "The timeline of a payment has everything that was done.")
    };
    let key = EventKey::parse(name).map_err(|_no_name| none())?;
    let id = key.payment.ok_or_else(none)?;
    let event = app.table.event(&key).await?.ok_or_else(none)?;
    let intention = Intention::parse(event.text("about")).ok_or_else(none)?;
    let pk = format!("pay#{id}");
    let mut keys = vec![(pk.clone(), "record".to_owned())];
    if let Intention::Refund(refund, _) = &intention {
        keys.push((pk, format!("refund#{}", refund.as_str())));
    }
    let rows = app.table.batch(&keys).await?;
    let find = |is_record: bool| rows.iter().find(|row| (row.text("sk") == "record") == is_record);
    let body = html! {
        p.done {
            (wording(&intention)) " by " (shown(event.text("by"))) " at " (time(event.number("at").unwrap_or_default())) "."
        }
        @if let Intention::Refund(refund, minor) = &intention { (of_refund(refund, *minor, find(false), find(true))) }
        @if let Some(record) = find(true) { (of_record(id, record)) }
        h2 { "Note" }
        pre { (lines(&EventEntry(&event).body().unwrap_or_default())) }
    };
    Ok(Page { title: "Done".to_owned(), body, refresh: false }.into())
}

fn wording(intention: &Intention) -> &'static str {
    match intention {
        Intention::Query => "The providers were asked",
        Intention::Sweep => "What was due was done",
        Intention::Close => "A close was asked for",
        Intention::Refund(..) => "A refund was asked for",
    }
}

fn of_refund(refund: &RefundId, minor: u64, row: Option<&Row>, record: Option<&Row>) -> Markup {
    let currency = record.map(|record| record.text("currency")).unwrap_or_default();
    html! {
        p {
            "Refund " (copied(refund.as_str())) " of " (money(minor, currency)) ": "
            @match row {
                Some(row) => { (word(row.text("state"))) }
                None => { "it was not made: the function refused it before anything was written." }
            }
        }
        @match row.map(|row| row.text("state")) {
            Some("requested") => { p { "What the provider made of it is not known yet. The sweep asks, and goes on with it." } }
            Some("pending") => { p { "The provider has accepted it, and reports when it is made. Reload this page to see whether it did." } }
            Some(_) | None => {}
        }
    }
}

fn of_record(id: PaymentId, record: &Row) -> Markup {
    let currency = record.text("currency");
    let code = record.number("status").unwrap_or_default();
    let refunded = record.number("refunded").unwrap_or_default();
    html! {
        p {
            "Payment " (payment(id)) " of " (amount(record)) " is " (word(&status(code)))
            @if record.has("closing") { ", and is being closed: a checkout of it could still be paid" }
            @if refunded > 0 { "; " (money(refunded, currency)) " of it went back" }
            ". Its timeline has what came in meanwhile."
        }
    }
}
