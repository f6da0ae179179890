//! What the sweep has to look at by now, longest overdue first.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::Response;
use maud::{Markup, html};
use pay_service::start::clock;
use serde::Deserialize;
use serde_json::Value;

use super::super::app::App;
use super::super::export::{FileRows, links, saved};
use super::super::fault::Fault;
use super::super::page::{Page, Shown, respond};
use super::super::view::{
    ago, brief, column, fitting, money, numbers, payment, table, time, with_filter, word,
};
use crate::Row;
use crate::audit::payment_of;
use crate::event::{plain, status};
use crate::limits::{CONSOLE_PAGE_ROWS, CONSOLE_TABLE_BYTES};
use crate::print;
use crate::table::WaitingEntry;

const PATH: &str = "/due";

/// Which of what is due.
#[derive(Debug, Default, Deserialize)]
pub(in crate::console) struct DueQuery {
    /// `payment` or `refund`; both if it is empty.
    kind: Option<String>,
    /// The entry after which the page begins: `<due>/<pk>/<sk>`.
    cursor: Option<String>,
}

const KINDS: [&str; 2] = ["payment", "refund"];

pub(in crate::console) async fn show(
    State(app): State<Arc<App>>,
    Query(query): Query<DueQuery>,
) -> Response {
    respond(&app, PATH, Box::pin(work(&app, &query))).await
}

/// Everything that is due and that the filter shows.
pub(in crate::console) async fn export(
    State(app): State<Arc<App>>,
    uri: Uri,
    Query(query): Query<DueQuery>,
) -> Response {
    saved(&app, PATH, &uri, file(&app, &query)).await
}

async fn work(app: &App, query: &DueQuery) -> Result<Shown, Fault> {
    let (kind, now) = (wanted(query)?, clock().millis());
    let after = query.cursor.as_deref().map(place).transpose()?;
    let waiting = app.table.due(now).await?;
    let mut entries = waiting.entries;
    entries.retain(|entry| fits(entry, kind));
    let all = entries.len();
    entries.retain(|entry| after.as_ref().is_none_or(|after| entry > after));
    let rest = entries.len();
    entries.truncate(usize::try_from(CONSOLE_PAGE_ROWS).unwrap_or(usize::MAX));
    let read = app.table.of_entries(&entries).await?;
    let columns = [
        column("Payment"),
        column("What"),
        column("Due since"),
        column("Late by"),
        column("State"),
        numbers("Amount"),
        numbers("Attempts"),
    ];
    let cells = fitting(
        columns,
        read.iter().map(|(entry, row)| cells(entry, row.as_ref(), now)),
        CONSOLE_TABLE_BYTES,
    );
    let left = rest.saturating_sub(cells.len());
    let next = entries.get(..cells.len()).and_then(<[WaitingEntry]>::last).filter(|_| left > 0);
    let body = html! {
        (filters(kind))
        @if all == 0 {
            p.empty {
                "Nothing is due. The sweep runs each minute and does what becomes due: it asks providers, closes what "
                "nobody paid in time, and notifies the order service."
            }
        } @else if rest == 0 {
            p.empty { "Nothing is due after this place. " a href=(PATH) { "From the beginning" } }
        } @else {
            p { (cells.len()) " of " (all) " that are due, longest overdue first. What stays here for minutes needs a look: is the sweep running?" }
            (table(columns, cells))
        }
        @if waiting.has_more {
            p.note { "More is due than one read of the index gives, so longer overdue ones may be missing here: the files below have all." }
        }
        @if let Some(next) = next {
            @let cursor = format!("{}/{}/{}", next.due, next.pk, next.sk);
            p { a href=(with_filter(PATH, &[("cursor", &cursor), ("kind", kind)])) { "The next of " (left) " more" } }
        }
        (links(PATH, &[("kind", kind)]))
    };
    Ok(Page { title: "Due".to_owned(), body, refresh: false }.into())
}

fn wanted(query: &DueQuery) -> Result<&'static str, Fault> {
    let text = query.kind.as_deref().unwrap_or_default();
    match KINDS.into_iter().find(|kind| *kind == text) {
        Some(kind) => Ok(kind),
        None if text.is_empty() => Ok(""),
        None => {
            let what = format!("{text} is nothing that can be due.");
            Err(Fault::unusable(what, "A payment or a refund can be."))
        }
    }
}

fn place(cursor: &str) -> Result<WaitingEntry, Fault> {
    let mut parts = cursor.splitn(3, '/');
    let mut entry = || {
        let due = parts.next()?.parse().ok()?;
        Some(WaitingEntry { due, pk: parts.next()?.to_owned(), sk: parts.next()?.to_owned() })
    };
    entry().ok_or_else(|| {
        Fault::unusable(format!("{cursor} is no place in this list."), "Begin at its first page.")
    })
}

fn fits(entry: &WaitingEntry, kind: &str) -> bool {
    kind.is_empty() || kind_of(entry) == kind
}

fn kind_of(entry: &WaitingEntry) -> &'static str {
    if entry.is_refund() { "refund" } else { "payment" }
}

fn filters(chosen: &str) -> Markup {
    html! {
        form.filters action=(PATH) method="get" {
            div {
                label for="kind" { "What" }
                select #kind name="kind" {
                    option value="" { "payments and refunds" }
                    @for kind in KINDS { option value=(kind) selected[kind == chosen] { (kind) "s" } }
                }
            }
            button { "Show" }
        }
    }
}

/// The word for where an item stands.
fn state(row: Option<&Row>) -> String {
    let Some(row) = row else { return "gone".to_owned() };
    match row.number("status") {
        Some(code) => status(code),
        None => row.0.get("state").map(plain).unwrap_or_default(),
    }
}

fn cells(entry: &WaitingEntry, row: Option<&Row>, now: u64) -> [Markup; 7] {
    let currency = row.map_or("", |row| row.text("currency"));
    [
        payment_of(&entry.pk).map_or_else(|| html! { (brief(&entry.pk)) }, payment),
        html! {
            (kind_of(entry))
            @if entry.is_refund() { " " code { (brief(entry.sk.trim_start_matches("refund#"))) } }
        },
        time(entry.due),
        html! { (ago(now.saturating_sub(entry.due))) },
        word(&brief(&state(row))),
        row.and_then(|row| row.number("amount"))
            .map_or_else(|| html! {}, |minor| money(minor, currency)),
        html! { @if let Some(number) = row.and_then(|row| row.number("attempts")) { (number) } },
    ]
}

/// The columns of the file.
const FILE: [&str; 7] = ["payment", "what", "refund", "due", "state", "amount_minor", "attempts"];

async fn file(app: &App, query: &DueQuery) -> Result<FileRows<{ FILE.len() }>, Fault> {
    let kind = wanted(query)?;
    let mut entries = app.table.all_due(clock().millis()).await?;
    entries.retain(|entry| fits(entry, kind));
    let read = app.table.of_entries(&entries).await?;
    let rows = read.iter().map(|(entry, row)| values(entry, row.as_ref())).collect();
    Ok(FileRows { name: "due".to_owned(), columns: FILE, rows })
}

fn values(entry: &WaitingEntry, row: Option<&Row>) -> [Value; FILE.len()] {
    let of = |name: &str| row.and_then(|row| row.0.get(name)).cloned().unwrap_or_default();
    let refund = entry.sk.strip_prefix("refund#");
    [
        payment_of(&entry.pk).map_or_else(|| entry.pk.clone().into(), |id| id.get().into()),
        kind_of(entry).into(),
        refund.map_or(Value::Null, Value::from),
        print::time(entry.due).into(),
        state(row).into(),
        of("amount"),
        of("attempts"),
    ]
}
