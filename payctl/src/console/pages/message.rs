//! One message: what it reports, what it did, and what came, byte for byte.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use maud::{Markup, html};
use pay_service::http::sha256;
use serde::Deserialize;

use super::super::app::App;
use super::super::body::{BodyView, ShownBody};
use super::super::fault::Fault;
use super::super::page::{Page, Shown, respond};
use super::super::view::{
    brief, cell, compared, count, id as copied, money_of, optional, payment, provider_of, sender,
    time_of, with_filter, with_query, word,
};
use crate::Row;
use crate::audit::payment_of;
use crate::event::{EventEntry, plain, status};
use crate::limits::{CONSOLE_TABLE_BYTES, CONSOLE_VIEW_BYTES};
use crate::name::Name;

/// Which message, and which part of its body.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct MessageQuery {
    name: Option<String>,
    /// One way to show the body, as long as a page: `exact`, `laid-out` or `base64`.
    body: Option<String>,
    /// How many characters of it were shown before.
    from: Option<usize>,
}

pub(in crate::console) async fn show(
    State(app): State<Arc<App>>,
    Query(query): Query<MessageQuery>,
) -> Response {
    respond(&app, "/message", Box::pin(work(&app, &query))).await
}

async fn work(app: &App, query: &MessageQuery) -> Result<Shown, Fault> {
    let text = query.name.as_deref().unwrap_or_default();
    let Some(name) = Name::parse(text) else {
        let what = if text.is_empty() {
            "No message is named.".to_owned()
        } else {
            format!("{text} is no message's name.")
        };
        return Err(Fault::unusable(
            what,
            "A message is named 7/stripe/evt_1: payment, sender, and the sender's id.",
        ));
    };
    let (pk, sk) = &name.0;
    let Some(row) = app.table.item(pk, sk).await? else {
        return Err(Fault::not_found(
            format!("There is no message {name} in this table."),
            "A payment's timeline links to each of its messages.",
        ));
    };
    let event = EventEntry(&row);
    let wrong = event.unreadable();
    let kept = row.bytes("body");
    let body = html! {
        @if !wrong.is_empty() { p.fault { "It is unreadable: " (brief(&wrong.join("; "))) } }
        @if row.text("queue") == "review" {
            p.note {
                "It waits for a person. " a href=(with_query("/decide", "name", text)) { "Decide" }
            }
        }
        @if query.body.is_none() { (facts(&row)) }
        section {
            h2 { "Body" }
            @if kept.is_some() { p { a href=(with_query("/doctor", "name", text)) { "Check its signature in Doctor" } } }
            @match &kept {
                Some(kept) => { (digests(&row, kept)) (bodies(text, query, kept)) },
                None if row.has("body") => p.fault { "It is not bytes." },
                None => p.empty { "This item has none." },
            }
        }
    };
    Ok(Page { title: "Message".to_owned(), body, refresh: false }.into())
}

/// Attributes that are shown by others or in another place.
const ELSEWHERE: [&str; 27] = [
    "pk",
    "sk",
    "at",
    "sender",
    "verdict",
    "decision",
    "decided_by",
    "decided_time",
    "decision_event",
    "by",
    "about",
    "outcome",
    "amount",
    "currency",
    "source",
    "provider_txn",
    "status_before",
    "status_after",
    "mismatch",
    "expected",
    "received",
    "body",
    "len",
    "sha256",
    "queue",
    "due",
    "version",
];

fn facts(row: &Row) -> Markup {
    let of_us = what_it_is(row).into_iter().chain(what_it_did(row)).chain(what_it_says(row));
    let rest = row.0.iter().filter(|(name, _)| !ELSEWHERE.contains(&name.as_str()));
    html! {
        section {
            h2 { "What it says and did" }
            dl.facts {
                @for (name, value) in of_us {
                    @if !value.0.is_empty() { dt { (name) } dd { (value) } }
                }
                @for (name, value) in rest.take(MORE) {
                    dt { code { (brief(name)) } } dd { (brief(&plain(value))) }
                }
            }
        }
    }
}

fn what_it_is(row: &Row) -> [(&'static str, Markup); 4] {
    let of_payment = payment_of(row.text("pk")).map(payment);
    [
        ("Time", time_of(row, "at")),
        ("Sender", html! { (sender(&EventEntry(row).cell("sender"))) }),
        ("Name", copied(&EventEntry(row).name())),
        ("Payment", of_payment.unwrap_or_else(|| html! { "It names no payment of ours" })),
    ]
}

fn what_it_did(row: &Row) -> [(&'static str, Markup); 10] {
    let event = EventEntry(row);
    let words = |name: &str| optional(&event.cell(name), |text| word(&brief(text)));
    let linked = |name: &str| {
        optional(&event.cell(name), |of| {
            html! { a href=(with_query("/message", "name", of)) { (brief(of)) } }
        })
    };
    let decision = html! {
        @if row.has("decision") {
            (words("decision")) " by " (cell(row, "decided_by")) ", " (time_of(row, "decided_time"))
        }
    };
    [
        ("Verdict", words("verdict")),
        ("Mismatch", compared(row)),
        ("Decision", decision),
        ("Decided in", linked("decision_event")),
        ("By", cell(row, "by")),
        ("About", linked("about")),
        ("Status before", state(row, "status_before")),
        ("Status after", state(row, "status_after")),
        ("Version reached", cell(row, "version")),
        ("Waits since", html! { @if row.has("due") { (time_of(row, "due")) } }),
    ]
}

fn what_it_says(row: &Row) -> [(&'static str, Markup); 4] {
    let currency = EventEntry(row).cell("currency");
    let txn = optional(&EventEntry(row).cell("provider_txn"), |txn| copied(&brief(txn)));
    [
        ("Outcome", cell(row, "outcome")),
        ("Amount", money_of(row, "amount", &currency)),
        ("Provider", provider_of(row)),
        ("Transaction", txn),
    ]
}

/// The most attributes beside those that every event has. An item of ours has fewer.
const MORE: usize = 20;

fn state(row: &Row, name: &str) -> Markup {
    html! { @if let Some(code) = row.number(name) { (word(&status(code))) } }
}

/// Length and digest, as they were kept and as the kept bytes have them.
fn digests(row: &Row, kept: &[u8]) -> Markup {
    let computed = sha256(&[kept]).to_string();
    let size = u64::try_from(kept.len()).unwrap_or(u64::MAX);
    let whole = row.number("len");
    let is_part = whole.is_some_and(|whole| whole > size);
    let said = row.text("sha256");
    html! {
        dl.facts {
            dt { "Length" }
            dd {
                @match whole {
                    Some(whole) => { (whole) " bytes as it came, " (size) " kept" },
                    None => { (size) " bytes kept" },
                }
                @if is_part { ": the end is not kept" }
                @else if whole.is_some_and(|whole| whole < size) { " " (word("differs")) }
            }
            dt { "SHA-256 as it came" } dd { code { (brief(said)) } }
            dt { "SHA-256 of what is kept" }
            dd {
                code { (computed) } " "
                @if is_part { "of the part that is kept: the whole cannot be checked" }
                @else if computed == said { (word("the same")) }
                @else { (word("differs")) }
            }
        }
    }
}

fn bodies(name: &str, query: &MessageQuery, kept: &[u8]) -> Markup {
    if kept.is_empty() {
        return html! { p.empty { "It is empty." } };
    }
    let body = ShownBody::of(kept);
    let from = query.from.unwrap_or_default();
    let views = [
        ("laid-out", body.laid_out.as_ref()),
        ("exact", Some(&body.exact)),
        ("base64", body.base64.as_ref()),
    ];
    let chosen = query.body.as_deref().filter(|chosen| views.iter().any(|(key, _)| key == chosen));
    html! {
        @if body.secrets > 0 {
            p.note { (count(body.secrets, "value")) " whose name or form says that it is secret: not shown." }
        }
        @for (key, view) in views {
            @if let Some(view) = view && chosen.is_none_or(|chosen| chosen == key) {
                @match chosen {
                    Some(_) => (part(name, key, view, from, CONSOLE_TABLE_BYTES)),
                    None => (part(name, key, view, 0, CONSOLE_VIEW_BYTES)),
                }
            }
        }
        @if chosen.is_some() { p { a href=(with_query("/message", "name", name)) { "The whole message" } } }
    }
}

fn part(name: &str, key: &str, view: &BodyView, from: usize, budget: usize) -> Markup {
    let (markup, next) = view.part(from, budget);
    let query = |from: usize| {
        with_filter("/message", &[("name", name), ("body", key), ("from", &from.to_string())])
    };
    html! {
        h3 {
            @match key {
                "laid-out" => { "Laid out, " (view.name) },
                "exact" => "As it came: what cannot be seen is marked",
                _ => { (view.name) ", since it is no text" },
            }
        }
        @if from > 0 { p { "After " (from) " characters. " a href=(query(0)) { "From the beginning" } } }
        (markup)
        @if let Some(next) = next { p { a href=(query(next)) { "The rest" } } }
    }
}
