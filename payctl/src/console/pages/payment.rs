//! One payment: its record, its checkouts and refunds, and what happened to it.

mod facts;
mod timeline;

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};
use pay_core::domain::{PaymentId, Timestamp};
use pay_service::start::clock;
use serde::Deserialize;

use self::facts::{record, wrong};
use self::timeline::timeline;
use super::super::app::App;
use super::super::fault::Fault;
use super::super::page::{Page, Shown, respond};
use super::super::view::{
    Column, brief, column, count, fact, fitting, id, numbers, optional, sender, table, word,
};
use super::act::actions;
use crate::Row;
use crate::history::{self, Fact, History};
use crate::limits::{CONSOLE_PART_BYTES, CONSOLE_TABLE_BYTES};

/// Which part of a payment's page.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct PaymentQuery {
    /// How it was found.
    found: Option<String>,
    /// The name of an event: what came before it.
    before: Option<String>,
}

pub(in crate::console) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(query): Query<PaymentQuery>,
) -> Response {
    respond(&app, "/payment", Box::pin(work(&app, &id, &query))).await
}

async fn work(app: &App, id: &str, query: &PaymentQuery) -> Result<Shown, Fault> {
    let Ok(id) = PaymentId::parse(id) else {
        let what = format!("{id} is no payment's id.");
        return Err(Fault::not_found(what, "The box above finds a payment by any of its ids."));
    };
    let (rows, has_more) = app.table.last_under(&format!("pay#{id}")).await?;
    if rows.is_empty() {
        return Err(Fault::not_found(
            format!("There is no payment {id} in this table."),
            "Is this the right table? The box above finds a payment by its order or its transaction, too.",
        ));
    }
    let now = clock();
    let history = History::of(rows, now);
    let none = Row::default();
    let of = history.record.as_ref().unwrap_or(&none);
    let currency = of.text("currency");
    let parts = html! {
        @if query.before.is_none() {
            (checkouts(&history.checkouts, now))
            (refunds(&history.refunds, currency, now))
        }
    };
    let left = CONSOLE_TABLE_BYTES.saturating_sub(parts.0.len());
    let timeline = timeline(id, &history.events, query.before.as_deref(), left)?;
    let body = html! {
        @if let Some(found) = &query.found { p.note { "Found by " (brief(found)) "." } }
        (wrong(&history.wrong))
        @if has_more {
            p.note {
                "This payment has more items than a page reads: events that are not below have lower keys. "
                code { "payctl history " (id) } " reads all of them."
            }
        }
        @if history.record.is_some() {
            (record(app, id, of, &history.events, now))
            (actions(app, id, of))
        }
        (parts)
        (timeline)
    };
    Ok(Page { title: format!("Payment {id}"), body, refresh: false }.into())
}

/// The checkouts, oldest first.
fn checkouts(rows: &[Row], now: Timestamp) -> Markup {
    let columns = [
        numbers("Checkout"),
        column("Provider"),
        column("State"),
        column("Provider’s id"),
        column("Made"),
        column("Expires"),
        column("Changed"),
    ];
    let cells = rows.iter().map(|row| {
        let [
            number,
            provider,
            method,
            state,
            id_there,
            expires,
            _,
            absent,
            created,
            updated,
            wrong,
        ] = history::checkout(row, now);
        [
            fact(&number, ""),
            html! { (sender(&provider.printed())) " " (fact(&method, "")) },
            html! {
                (state_of(&state))
                @if let Fact::Time(_) = absent { " absent there " (fact(&absent, "")) }
                (of_wrong(&wrong))
            },
            copied(&id_there),
            fact(&created, ""),
            fact(&expires, ""),
            fact(&updated, ""),
        ]
    });
    let empty =
        "None was made. Each attempt of the payer to pay at a provider would be a row here.";
    part(("Checkouts", "checkout", empty), rows.len(), columns, cells)
}

/// The refunds.
fn refunds(rows: &[Row], currency: &str, now: Timestamp) -> Markup {
    let columns = [
        column("Refund"),
        numbers("Amount"),
        column("State"),
        column("Taken from"),
        column("Reason"),
        column("Made"),
        column("Changed"),
    ];
    let cells =
        rows.iter().map(|row| {
            let [
                refund,
                amount,
                state,
                _,
                txn,
                reference,
                _,
                reason,
                of,
                due,
                created,
                updated,
                wrong,
            ] = history::refund(row, now);
            [
                copied(&refund),
                fact(&amount, currency),
                html! {
                    (state_of(&state))
                    @if let Fact::Time(_) = due { " looked at next " (fact(&due, "")) }
                    (of_wrong(&wrong))
                },
                html! {
                    (copied(&txn))
                    (of_text(&reference, |text| html! { " by reference " code { (text) } }))
                    (of_text(&of, |text| html! { " money of " (text) }))
                },
                fact(&reason, ""),
                fact(&created, ""),
                fact(&updated, ""),
            ]
        });
    let empty =
        "None. A refund that was asked for here, or made at the provider, would be a row here.";
    part(("Refunds", "refund", empty), rows.len(), columns, cells)
}

/// One kind of a payment's items: how many there are, and as many of their rows as fit.
fn part<const N: usize>(
    (title, one, empty): (&str, &str, &str),
    all: usize,
    columns: [Column; N],
    cells: impl Iterator<Item = [Markup; N]>,
) -> Markup {
    let cells = fitting(columns, cells, CONSOLE_PART_BYTES);
    html! {
        section {
            h2 { (title) }
            @if all == 0 {
                p.empty { (empty) }
            } @else {
                @if cells.len() < all {
                    p { (cells.len()) " of " (count(all, one)) " fit on this page; " code { "payctl history" } " shows all of them." }
                }
                (table(columns, cells))
            }
        }
    }
}

fn of_text(fact: &Fact, markup: impl FnOnce(&str) -> Markup) -> Markup {
    optional(&fact.printed(), |text| markup(&brief(text)))
}

fn state_of(state: &Fact) -> Markup {
    optional(&state.printed(), |text| word(&brief(text)))
}

fn copied(fact: &Fact) -> Markup {
    optional(&fact.printed(), |text| {
        if text.len() > 200 {
            html! { (brief(text)) }
        } else {
            id(text)
        }
    })
}

fn of_wrong(wrong: &Fact) -> Markup {
    optional(&wrong.printed(), |text| html! { " " (word("unreadable")) " " (brief(text)) })
}
