//! What waits for a person, and what is still to be done: the first look of a day.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use pay_service::start::clock;

use super::super::app::App;
use super::super::fault::Fault;
use super::super::page::{Page, Shown, respond};
use super::super::view::{ago, column, meaning, numbers, payment, shown, table, time, with_query};
use crate::Row;
use crate::audit::payment_of;
use crate::event::EventEntry;
use crate::limits::CONSOLE_PAGE_ROWS;
use crate::table::{DueEntries, WaitingEntry};

/// How many of the longest overdue are named.
const NAMED: usize = 10;

pub(in crate::console) async fn show(State(app): State<Arc<App>>) -> Response {
    respond(&app, "/", Box::pin(work(&app))).await
}

async fn work(app: &App) -> Result<Shown, Fault> {
    let now = clock().millis();
    let (review, waiting) =
        futures_util::future::join(app.table.review(CONSOLE_PAGE_ROWS), app.table.waiting()).await;
    let ((review, has_more), waiting) = (review?, waiting?);
    let DueEntries { entries, has_more: has_more_waiting } = &waiting;
    let late: Vec<_> = entries.iter().filter(|entry| entry.due <= now).collect();
    let in_flight: Vec<_> = entries.iter().filter(|entry| entry.is_refund()).collect();
    let body = html! {
        (tiles((&review, has_more), (&late, in_flight.len(), *has_more_waiting), now))
        (quarantine(&review, has_more, now))
        (due(&late, *has_more_waiting, now))
        (refunds(&in_flight))
    };
    Ok(Page { title: "What waits".to_owned(), body, refresh: false }.into())
}

/// How much there is of each, and since when.
fn tiles(
    (review, has_more): (&[Row], bool),
    (late, refunds, has_more_waiting): (&[&WaitingEntry], usize, bool),
    now: u64,
) -> Markup {
    let oldest = review.iter().filter_map(|row| row.number("at")).min();
    let since = |at: u64| ago(now.saturating_sub(at));
    let tile = |number: usize, is_least: bool, (path, name): (&str, &str), says: String| {
        html! {
            li {
                strong { (number) @if is_least { "+" } }
                a href=(path) { (name) }
                span { (says) }
            }
        }
    };
    html! {
        ul.tiles {
            (tile(
                review.len(),
                has_more,
                ("/quarantine", "in quarantine"),
                oldest.map_or("nothing to decide".to_owned(), |at| format!("the oldest waits for {}", since(at))),
            ))
            (tile(
                late.len(),
                has_more_waiting,
                ("/due", "due by now"),
                late.first().map_or("the sweep is on time".to_owned(), |entry| format!("the longest for {}", since(entry.due))),
            ))
            (tile(
                refunds,
                has_more_waiting,
                ("#refunds", "refunds in flight"),
                "at a provider, or the order service is not notified yet".to_owned(),
            ))
        }
    }
}

/// Quarantine by reason, the longest waiting reason first.
fn quarantine(review: &[Row], has_more: bool, now: u64) -> Markup {
    let mut reasons: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for row in review {
        let at = row.number("at").unwrap_or_default();
        reasons.entry(EventEntry(row).reason()).or_default().push(at);
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, times)| times.iter().min().copied());
    html! {
        section {
            h2 { "In quarantine" }
            @if review.is_empty() {
                p.empty { "Nothing is in quarantine. A notification that does not fit its payment would wait here for your decision." }
            } @else {
                (table(
                    [column("Reason"), column("What it means"), numbers("Messages"), column("Oldest"), column("Waits for")],
                    reasons.iter().map(|(reason, times)| {
                        let oldest = times.iter().min().copied().unwrap_or_default();
                        [
                            html! { a href=(with_query("/quarantine", "reason", reason)) { (shown(&reason.replace('_', " "))) } },
                            html! { (meaning(reason)) },
                            html! { (times.len()) },
                            time(oldest),
                            html! { (ago(now.saturating_sub(oldest))) },
                        ]
                    }),
                ))
                @if has_more {
                    p { "These are the oldest " (review.len()) "; " a href="/quarantine" { "all of them" } " are in Quarantine." }
                }
            }
        }
    }
}

/// What is due by now, longest overdue first.
fn due(late: &[&WaitingEntry], has_more: bool, now: u64) -> Markup {
    html! {
        section {
            h2 { "Due" }
            @if late.is_empty() {
                p.empty { "Nothing is due. The sweep runs each minute and does what becomes due." }
            } @else {
                p {
                    a href="/due" { (late.len()) " due by now" } "; the longest for " (late.first().map(|first| ago(now.saturating_sub(first.due))).unwrap_or_default()) "."
                }
                (table(
                    [column("Payment"), column("What"), column("Due since"), column("Late by")],
                    late.iter().take(NAMED).map(|entry| [
                        of_entry(&entry.pk),
                        html! { @if entry.is_refund() { "refund" } @else { "payment" } },
                        time(entry.due),
                        html! { (ago(now.saturating_sub(entry.due))) },
                    ]),
                ))
            }
            @if has_more { p { "More wait than one read shows: " a href="/due" { "Due" } " has those that are due, exactly." } }
        }
    }
}

fn of_entry(pk: &str) -> Markup {
    payment_of(pk).map_or_else(|| html! { (shown(pk)) }, payment)
}

/// Refunds of which the outcome, or the order service, is waited for.
fn refunds(refunds: &[&WaitingEntry]) -> Markup {
    html! {
        section {
            h2 #refunds { "Refunds in flight" }
            @if refunds.is_empty() {
                p.empty { "No refund waits for its provider or for the order service." }
            } @else {
                (table(
                    [column("Payment"), column("Refund"), column("Looked at next")],
                    refunds.iter().map(|entry| [
                        of_entry(&entry.pk),
                        html! { code { (shown(entry.sk.trim_start_matches("refund#"))) } },
                        time(entry.due),
                    ]),
                ))
            }
        }
    }
}
