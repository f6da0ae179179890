//! The frame around every page, and what a page cost.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::response::{Html, IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};
use pay_service::usage::{self, Usage};

use super::app::{App, Place};
use super::fault::Fault;

/// What is in the frame.
#[derive(Debug)]
pub(super) struct Page {
    /// The heading of the page, and the first words of the title.
    pub(super) title: String,
    pub(super) body: Markup,
    /// Whether the browser reads it again after two seconds: something runs.
    pub(super) refresh: bool,
}

/// The pages that every page links to.
const MENU: [(&str, &str); 5] = [
    ("/", "Home"),
    ("/quarantine", "Quarantine"),
    ("/due", "Due"),
    ("/audit", "Audit"),
    ("/doctor", "Doctor"),
];

/// What a request leads to.
#[derive(Debug)]
pub(super) enum Shown {
    /// A page.
    Page(Page),
    /// Another path of ours, which the browser reads.
    Go(String),
}

impl From<Page> for Shown {
    fn from(page: Page) -> Self {
        Self::Page(page)
    }
}

/// Makes a page, or the page that says why there is none.
pub(super) async fn respond(
    app: &Arc<App>,
    path: &str,
    work: impl Future<Output = Result<Shown, Fault>>,
) -> Response {
    let (made, used) = usage::of(work).await;
    let (status, page) = match made {
        Ok(Shown::Page(page)) => (StatusCode::OK, page),
        Ok(Shown::Go(path)) => return (StatusCode::SEE_OTHER, [(LOCATION, path)]).into_response(),
        Err(fault) => (fault.status, of_fault(&fault)),
    };
    (status, Html(frame(app, path, &page, Some(&used)).into_string())).into_response()
}

/// The page that says why there is none.
pub(super) fn fault(app: &Arc<App>, path: &str, fault: &Fault) -> Response {
    let page = of_fault(fault);
    (fault.status, Html(frame(app, path, &page, None).into_string())).into_response()
}

/// A sentence, for who has no session and sees nothing of the table.
pub(super) fn plain(status: StatusCode, text: &'static str) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{text}\n")).into_response()
}

fn of_fault(fault: &Fault) -> Page {
    let title = match fault.status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::BAD_REQUEST => "Not understood",
        StatusCode::CONFLICT => "Not done",
        _ => "Not available",
    };
    Page {
        title: title.to_owned(),
        body: html! {
            p.fault { (super::view::shown(&fault.what)) }
            @if !fault.details.is_empty() {
                details { summary { "What the call returned" } pre { (super::view::lines(&fault.details)) } }
            }
            @if !fault.next.is_empty() { p { (super::view::shown(&fault.next)) } }
            @if let Some((path, words)) = &fault.link { p { a href=(path) { (words) } } }
        },
        refresh: false,
    }
}

fn frame(
    app: &App,
    path: &str,
    Page { title, body, refresh }: &Page,
    used: Option<&Usage>,
) -> Markup {
    let Place { account, region, table, endpoint } = &app.place;
    let is_aws = endpoint.is_none();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Under the header's `no-referrer` browsers post a form with the origin `null`, which `access`
                // rejects; under this one too no other host learns where its visitor came from.
                // Source: Fetch Standard, "append a request Origin header".
                meta name="referrer" content="same-origin";
                @if *refresh { meta http-equiv="refresh" content="2"; }
                title { (title) " · " (table) " · payctl" }
                link rel="stylesheet" href="/style.css";
                script src="/script.js" defer {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header.bar.aws[is_aws] {
                    div.place {
                        strong { (table) }
                        @if let Some(endpoint) = endpoint {
                            span { "not AWS: " (endpoint) }
                        } @else {
                            span { "AWS " (account) " · " (region) }
                        }
                        @if app.is_read_only { span.word { "read only" } }
                    }
                    form.find action="/find" method="get" role="search" {
                        label.hidden for="q" { "Find a payment, order, payer, transaction, refund or event" }
                        input #q name="q" type="search" placeholder="Any id, or uid:7 for a payer" autocomplete="off" spellcheck="false";
                        button { "Find" }
                    }
                    nav aria-label="Pages" {
                        @for (href, name) in MENU {
                            a href=(href) aria-current=[(href == path).then_some("page")] { (name) }
                        }
                    }
                }
                main #main tabindex="-1" {
                    h1 { (title) }
                    (body)
                }
                footer {
                    @if let Some(used) = used {
                        span { "Store calls: " (used.dynamodb.count) ", read units: " (used.read_units) }
                    }
                    span { "Signed in as " (super::view::shown(app.by.as_str())) }
                    span #zone { "Times in UTC" }
                    span.keys hidden { kbd { "?" } " for the keys" }
                }
            }
        }
    }
}
