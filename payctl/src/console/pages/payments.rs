//! A payer's payments, newest first.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::Response;
use maud::{Markup, html};
use pay_core::domain::{PaymentId, UserId};
use pay_service::start::clock;
use serde::Deserialize;
use serde_json::Value;

use super::super::app::App;
use super::super::export::{FileRows, links, saved};
use super::super::fault::Fault;
use super::super::page::{Page, Shown, respond};
use super::super::view::{
    brief, cell, column, count, fitting, major, money_of, numbers, payment, provider, provider_of,
    table, time_of, with_filter, word,
};
use crate::Row;
use crate::audit::{faults, payment_of};
use crate::event::status;
use crate::limits::{CONSOLE_PAGE_ROWS, CONSOLE_TABLE_BYTES};
use crate::print;

const PATH: &str = "/payments";

/// Whose payments, and which of them.
#[derive(Debug, Default, Deserialize)]
pub(in crate::console) struct PayerQuery {
    uid: Option<String>,
    /// A status by its name; any if it is empty.
    status: Option<String>,
    /// The payment after which the page begins.
    cursor: Option<String>,
}

/// The statuses by their names.
const STATUSES: [&str; 5] = ["pending", "failed", "closed", "paid", "refunded"];

pub(in crate::console) async fn show(
    State(app): State<Arc<App>>,
    Query(query): Query<PayerQuery>,
) -> Response {
    respond(&app, PATH, Box::pin(work(&app, &query))).await
}

/// Every payment of the payer that the filter shows.
pub(in crate::console) async fn export(
    State(app): State<Arc<App>>,
    uri: Uri,
    Query(query): Query<PayerQuery>,
) -> Response {
    saved(&app, PATH, &uri, file(&app, &query)).await
}

async fn work(app: &App, query: &PayerQuery) -> Result<Shown, Fault> {
    let title = "A payer’s payments".to_owned();
    let given = query.uid.as_deref().map(str::trim).unwrap_or_default();
    if given.is_empty() {
        let body = html! {
            (filters(query))
            p.empty { "A payer is the user’s id of the shop: give one to see the payments of that user." }
        };
        return Ok(Page { title, body, refresh: false }.into());
    }
    let (uid, of_status) = (payer(query)?, wanted(query)?);
    let before = match query.cursor.as_deref() {
        Some(cursor) => Some(PaymentId::parse(cursor).map_err(|_odd| {
            let what = format!("{cursor} is no place in this list.");
            Fault::unusable(what, "Begin at its first page.")
        })?),
        None => None,
    };
    let (rows, next) = app.table.of_payer(uid, before, CONSOLE_PAGE_ROWS).await?;
    let read = rows.len();
    let rows: Vec<_> = rows.into_iter().filter(|row| fits(row, of_status)).collect();
    let columns =
        COLUMNS.map(|(name, is_number)| if is_number { numbers(name) } else { column(name) });
    let cells = fitting(columns, rows.iter().map(cells), CONSOLE_TABLE_BYTES);
    let next = match rows.get(..cells.len()).and_then(<[Row]>::last) {
        Some(last) if cells.len() < rows.len() => payment_of(last.text("pk")).map(PaymentId::get),
        Some(_) | None => next,
    };
    let uid = uid.get().to_string();
    let of_status = of_status.unwrap_or_default();
    let filter = [("uid", uid.as_str()), ("status", of_status)];
    let more = next.map(|next| {
        let [uid, status] = filter;
        with_filter(PATH, &[uid, status, ("cursor", &next.to_string())])
    });
    let body = html! {
        (filters(query))
        @if rows.is_empty() {
            p.empty {
                @if read > 0 { "None of the " (count(read, "payment")) " that were read is " (of_status) "." }
                @else if before.is_some() { "There are no older ones." }
                @else { "Payer " (uid) " has no payment here. One is listed a moment after it was created." }
            }
        } @else {
            p { (count(cells.len(), "payment")) ", newest first." }
            (table(columns, cells))
        }
        @if let Some(more) = &more { p { a href=(more) { "Older payments" } } }
        (links(PATH, &filter))
    };
    Ok(Page { title, body, refresh: false }.into())
}

fn payer(query: &PayerQuery) -> Result<UserId, Fault> {
    let text = query.uid.as_deref().map(str::trim).unwrap_or_default();
    let uid = text.parse().ok().and_then(|uid| UserId::new(uid).ok());
    uid.ok_or_else(|| {
        Fault::unusable(format!("{text} is no payer’s id."), "It is a whole number from 1 on.")
    })
}

fn wanted(query: &PayerQuery) -> Result<Option<&'static str>, Fault> {
    let text = query.status.as_deref().unwrap_or_default();
    let known = STATUSES.into_iter().find(|status| *status == text);
    if known.is_none() && !text.is_empty() {
        let what = format!("{text} is no status.");
        return Err(Fault::unusable(what, format!("These are: {}.", STATUSES.join(", "))));
    }
    Ok(known)
}

fn fits(row: &Row, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| row.number("status").map(status).as_deref() == Some(wanted))
}

fn filters(query: &PayerQuery) -> Markup {
    let uid = query.uid.as_deref().unwrap_or_default();
    let chosen = query.status.as_deref().unwrap_or_default();
    html! {
        form.filters action=(PATH) method="get" {
            div {
                label for="uid" { "Payer" }
                input #uid name="uid" inputmode="numeric" autocomplete="off" value=(brief(uid));
            }
            div {
                label for="status" { "Status" }
                select #status name="status" {
                    option value="" { "any" }
                    @for status in STATUSES { option value=(status) selected[status == chosen] { (status) } }
                }
            }
            button { "Show" }
        }
    }
}

/// The columns, and whether they are of numbers.
const COLUMNS: [(&str, bool); 8] = [
    ("Payment", false),
    ("Order", false),
    ("Amount", true),
    ("Refunded", true),
    ("Status", false),
    ("Provider", false),
    ("Created", false),
    ("Changed", false),
];

fn cells(row: &Row) -> [Markup; COLUMNS.len()] {
    let of_money = |name: &str| money_of(row, name, row.text("currency"));
    let wrong = faults(row, clock());
    [
        payment_of(row.text("pk")).map_or_else(|| cell(row, "pk"), payment),
        row.number("oid").map_or_else(|| cell(row, "oid"), |oid| html! { code { (oid) } }),
        of_money("amount"),
        of_money("refunded"),
        html! {
            @match row.number("status") { Some(code) => (word(&status(code))), None => (cell(row, "status")) }
            @if !wrong.is_empty() { " " (word("unreadable")) " " (brief(&wrong.join("; "))) }
        },
        provider_of(row),
        time_of(row, "create_time"),
        time_of(row, "update_time"),
    ]
}

/// The columns of the file.
const FILE: [&str; 16] = [
    "payment",
    "order",
    "payer",
    "status",
    "amount",
    "amount_minor",
    "refunded_minor",
    "currency",
    "provider",
    "transaction",
    "create_time",
    "paid_time",
    "notified_time",
    "update_time",
    "due",
    "unreadable",
];

async fn file(app: &App, query: &PayerQuery) -> Result<FileRows<{ FILE.len() }>, Fault> {
    let (uid, of_status) = (payer(query)?, wanted(query)?);
    let mut rows = Vec::new();
    let mut before = None;
    loop {
        let (page, next) = app.table.of_payer(uid, before, CONSOLE_PAGE_ROWS).await?;
        rows.extend(page.iter().filter(|row| fits(row, of_status)).map(values));
        match next.and_then(|next| PaymentId::new(next).ok()) {
            Some(next) => before = Some(next),
            None => break,
        }
    }
    Ok(FileRows { name: format!("payments-of-{uid}"), columns: FILE, rows })
}

fn values(row: &Row) -> [Value; FILE.len()] {
    let of = |name: &str| row.0.get(name).cloned().unwrap_or_default();
    let of_time =
        |name: &str| row.number(name).map_or_else(|| of(name), |at| print::time(at).into());
    let amount = row.number("amount").map(|minor| major(minor, row.text("currency")));
    let wrong = faults(row, clock()).join("; ");
    [
        payment_of(row.text("pk")).map_or_else(|| of("pk"), |id| id.get().into()),
        of("oid"),
        of("uid"),
        row.number("status").map_or_else(|| of("status"), |code| status(code).into()),
        amount.map_or(Value::Null, Value::from),
        of("amount"),
        of("refunded"),
        of("currency"),
        row.number("source").map_or_else(|| of("source"), |source| provider(source).into()),
        of("provider_txn"),
        of_time("create_time"),
        of_time("paid_time"),
        of_time("notified_time"),
        of_time("update_time"),
        of_time("due"),
        if wrong.is_empty() { Value::Null } else { wrong.into() },
    ]
}
