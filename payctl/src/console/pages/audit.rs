//! The invariants of the whole table: run by a person, in the background.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::super::app::App;
use super::super::audit_job::AuditState;
use super::super::form::{Nothing, TokenForm};
use super::super::page::{Page, Shown, respond};
use super::super::view::{column, count, shown, table, time};
use crate::audit::{Audit, Violation, payment_of};

/// Its own path.
pub(in crate::console) const PATH: &str = "/audit";

/// The most violations of one page: the command lists them all.
const NAMED: usize = 200;

pub(in crate::console) async fn show(State(app): State<Arc<App>>) -> Response {
    respond(&app, PATH, async {
        let state = app.audit.state();
        let refresh = matches!(state, AuditState::Running { .. });
        let body = html! {
            (of_state(&state))
            (start(&app, refresh))
        };
        Ok(Shown::Page(Page { title: "Audit".to_owned(), body, refresh }))
    })
    .await
}

/// Starts one.
pub(in crate::console) async fn run(
    State(app): State<Arc<App>>,
    _form: TokenForm<Nothing>,
) -> Response {
    app.audit.start(app.table.clone());
    respond(&app, PATH, async { Ok(Shown::Go(PATH.to_owned())) }).await
}

fn start(app: &App, is_running: bool) -> Markup {
    html! {
        @if !is_running && !app.is_read_only {
            form action=(PATH) method="post" {
                input type="hidden" name="token" value=(app.access.token(PATH));
                button.main { "Run an audit" }
            }
        }
        p.soft {
            "An audit reads every item of the table once and checks what must hold of it. It changes nothing. It costs \
             one read unit for each 4 KB of the table, and runs on if you leave this page."
        }
    }
}

fn of_state(state: &AuditState) -> Markup {
    html! {
        @match state {
            AuditState::Never => { p.empty { "No audit was run since this console was started." } }
            AuditState::Running { since, so_far } => {
                p.note role="status" {
                    "Reads since " (time(*since)) ": " (count(so_far.items(), "item")) " read, "
                    (count(so_far.violations.len(), "violation")) " so far. This page reloads by itself."
                }
            }
            AuditState::Failed { at, why } => {
                p.fault { "The audit that ended at " (time(*at)) " failed: " (shown(why)) }
            }
            AuditState::Done { at, found } => { (of_audit(*at, found)) }
        }
    }
}

fn of_audit(at: u64, found: &Audit) -> Markup {
    let numbers = [
        ("Payments", found.payments),
        ("Orders", found.orders),
        ("Events", found.events),
        ("Checkouts", found.checkouts),
        ("Refunds", found.refunds),
        ("In quarantine", found.quarantined),
        ("Due, or waiting for their time", found.due),
    ];
    html! {
        @if found.violations.is_empty() {
            p.done { "Ended at " (time(at)) ": no violation." }
        } @else {
            p.fault { "Ended at " (time(at)) ": " (count(found.violations.len(), "violation")) "." }
            (table(
                [column("Invariant"), column("Item"), column("Violation")],
                found.violations.iter().take(NAMED).map(cells),
            ))
            @if found.violations.len() > NAMED {
                p { "These are the first " (NAMED) ": " code { "payctl audit" } " lists them all." }
            }
        }
        dl.facts { @for (name, number) in numbers { dt { (name) } dd.number { (number) } } }
    }
}

fn cells(violation: &Violation) -> [Markup; 3] {
    let pk = violation.item.split(' ').next().unwrap_or_default();
    let item = html! {
        @match payment_of(pk) {
            Some(id) => a href={ "/payment/" (id) } { (shown(&violation.item)) },
            None => (shown(&violation.item)),
        }
    };
    [html! { (violation.invariant) }, item, html! { (shown(&violation.what)) }]
}
