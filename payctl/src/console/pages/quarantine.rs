//! What waits for a person's decision, by reason, oldest first.

mod file;

pub(in crate::console) use self::file::export;

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use maud::{Markup, html};
use pay_core::domain::{MismatchField, Provider, Sender, Timestamp};
use serde::Deserialize;
use time::{Date, Month};

use super::super::app::App;
use super::super::export::links;
use super::super::fault::Fault;
use super::super::page::{Page, Shown, respond};
use super::super::view::{
    Column, brief, column, count, fitting, meaning, mismatch, payment, sender, side, table, time,
    with_filter, with_query,
};
use super::decide;
use crate::Row;
use crate::audit::payment_of;
use crate::event::{EventEntry, UNREADABLE};
use crate::limits::{CONSOLE_PAGE_ROWS, CONSOLE_TABLE_BYTES};
use crate::table::ReviewCursor;

const PATH: &str = "/quarantine";

/// What of the quarantine is shown, as the URL says it.
#[derive(Debug, Clone, Default, Deserialize)]
pub(in crate::console) struct QuarantineFilter {
    /// The field that does not match, or `unreadable`.
    reason: Option<String>,
    /// The sender.
    provider: Option<String>,
    /// The first day, in UTC: `2026-11-29`.
    from: Option<String>,
    /// After which entry the page begins.
    cursor: Option<String>,
}

impl QuarantineFilter {
    /// A page of rows, and the cursor of the next one. Of 100 entries those are shown that fit.
    ///
    /// # Errors
    ///
    /// A filter can be none, or the table cannot be read.
    pub(in crate::console) async fn rows(
        &self,
        app: &App,
    ) -> Result<(Vec<Row>, Option<String>), Fault> {
        let from = text(self.from.as_ref()).map(day).transpose()?;
        let unusable = || Fault::unusable("The cursor is of no page.", "Open Quarantine again.");
        let cursor =
            text(self.cursor.as_ref()).map(|it| ReviewCursor::parse(it).ok_or_else(unusable));
        let cursor = cursor.transpose()?;
        let (mut rows, next) =
            app.table.review_page(from, cursor.as_ref(), CONSOLE_PAGE_ROWS).await?;
        rows.retain(|row| self.fits(row));
        Ok((rows, next.map(|next| next.to_string())))
    }

    fn fits(&self, row: &Row) -> bool {
        let is = |wanted: Option<&String>, has: &str| text(wanted).is_none_or(|text| text == has);
        is(self.reason.as_ref(), &EventEntry(row).reason())
            && is(self.provider.as_ref(), word_of_sender(row))
    }

    /// The URL of the same filter from another entry on.
    fn link(&self, cursor: &str) -> String {
        let [reason, provider, from] = self.query();
        with_filter(PATH, &[reason, provider, from, ("cursor", cursor)])
    }

    /// What it filters by; empty where it does not.
    fn query(&self) -> [(&'static str, &str); 3] {
        [
            ("reason", text(self.reason.as_ref()).unwrap_or_default()),
            ("provider", text(self.provider.as_ref()).unwrap_or_default()),
            ("from", text(self.from.as_ref()).unwrap_or_default()),
        ]
    }

    fn is_any(&self) -> bool {
        self.query().iter().any(|(_, value)| !value.is_empty())
    }
}

/// A field of a filter; an empty one is none.
fn text(field: Option<&String>) -> Option<&str> {
    field.map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// When a day begins, in Unix milliseconds.
fn day(text: &str) -> Result<u64, Fault> {
    let date = || {
        let (year, rest) = text.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
        let date = Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()?;
        let secs = u64::try_from(date.midnight().assume_utc().unix_timestamp()).ok()?;
        secs.checked_mul(1000).filter(|millis| Timestamp::from_millis(*millis).is_ok())
    };
    let what = format!("{text} is no day.");
    date().ok_or_else(|| Fault::unusable(what, "A day is written as in 2026-11-29."))
}

/// Who sent a notification, by its key: of an unreadable item nothing else can be relied on.
fn word_of_sender(row: &Row) -> &str {
    row.text("sk").split('#').nth(1).unwrap_or_default()
}

pub(in crate::console) async fn show(
    State(app): State<Arc<App>>,
    Query(filter): Query<QuarantineFilter>,
) -> Response {
    respond(&app, PATH, Box::pin(work(&app, &filter))).await
}

async fn work(app: &App, filter: &QuarantineFilter) -> Result<Shown, Fault> {
    let (rows, next) = filter.rows(app).await?;
    let cells = fitting(COLUMNS, rows.iter().map(cells), CONSOLE_TABLE_BYTES);
    let last = rows.get(..cells.len()).and_then(<[Row]>::last);
    let next = match last.and_then(ReviewCursor::of) {
        Some(last) if cells.len() < rows.len() => Some(last.to_string()),
        Some(_) | None => next,
    };
    // In the order of the oldest of each.
    let mut reasons: Vec<(String, Vec<Cells>)> = Vec::new();
    for (row, cells) in rows.iter().zip(cells) {
        let reason = EventEntry(row).reason();
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, of_reason)) => of_reason.push(cells),
            None => reasons.push((reason, vec![cells])),
        }
    }
    let body = html! {
        (filters(filter))
        @if rows.is_empty() { (empty(filter, next.is_some())) }
        @for (reason, of_reason) in reasons { (section(&reason, of_reason)) }
        @if let Some(next) = &next { p { a href=(filter.link(next)) { "Newer ones" } } }
        (links(PATH, &filter.query()))
    };
    Ok(Page { title: "Quarantine".to_owned(), body, refresh: false }.into())
}

fn filters(filter: &QuarantineFilter) -> Markup {
    let reasons = MismatchField::ALL.map(MismatchField::as_str).into_iter().chain([UNREADABLE]);
    let providers = Provider::ALL.iter().map(|provider| provider.as_str());
    let senders = providers.chain([Sender::Native.as_str()]);
    html! {
        form.filters method="get" action=(PATH) {
            (choice(("reason", "Reason"), text(filter.reason.as_ref()), reasons, |word| word.replace('_', " ")))
            (choice(("provider", "Sender"), text(filter.provider.as_ref()), senders, sender))
            div { label for="from" { "From (UTC)" } input #from name="from" type="date" value=[text(filter.from.as_ref())]; }
            button { "Filter" }
            @if filter.is_any() { a.button href=(PATH) { "All" } }
        }
    }
}

/// A field of the filter that takes one of these words. A word of a link that is none of them stays as it is.
fn choice(
    (name, label): (&str, &str),
    chosen: Option<&str>,
    words: impl Iterator<Item = &'static str>,
    shown: impl Fn(&str) -> String,
) -> Markup {
    let words: Vec<_> = words.collect();
    let other = chosen.filter(|chosen| !words.contains(chosen));
    html! {
        div {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                option value="" { "any" }
                @for word in words { option value=(word) selected[chosen == Some(word)] { (shown(word)) } }
                @if let Some(other) = other { option value=(other) selected { (brief(other)) } }
            }
        }
    }
}

fn empty(filter: &QuarantineFilter, has_more: bool) -> Markup {
    html! {
        p.empty {
            @if has_more { "None of these 100 fits the filter; newer ones may." }
            @else if filter.is_any() { "Nothing in quarantine fits the filter. Widen it, or take it away with All." }
            @else { "Nothing waits. A notification that is genuine and does not fit its payment would wait here until somebody decides." }
        }
    }
}

const COLUMNS: [Column; 6] = [
    column("Message"),
    column("Quarantined"),
    column("Payment"),
    column("Reports"),
    column("Expected"),
    column("Received"),
];

type Cells = [Markup; COLUMNS.len()];

fn cells(row: &Row) -> Cells {
    let event = EventEntry(row);
    let is_unreadable = !event.unreadable().is_empty();
    let link = with_query(decide::PATH, "name", &event.name());
    [
        html! { a href=(link) { (brief(&label(row))) } },
        time(row.number("at").unwrap_or_default()),
        payment_of(row.text("pk")).map_or_else(|| html! { "none of ours" }, payment),
        html! { (brief(&event.cell("outcome"))) " " (decide::amount(row)) },
        if is_unreadable {
            html! { (brief(&event.cell("expected"))) }
        } else {
            side(row, "expected")
        },
        if is_unreadable { mismatch(row) } else { side(row, "received") },
    ]
}

fn section(reason: &str, rows: Vec<Cells>) -> Markup {
    html! {
        section {
            h2 { (brief(&reason.replace('_', " "))) " · " (count(rows.len(), "message")) }
            @if !meaning(reason).is_empty() { p.soft { (meaning(reason)) } }
            (table(COLUMNS, rows))
        }
    }
}

/// Sender and event id.
fn label(row: &Row) -> String {
    let sk = row.text("sk");
    match sk.strip_prefix("event#").and_then(|sk| sk.split_once('#')) {
        Some((word, id)) => format!("{} {id}", sender(word)),
        None => sk.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        assert_eq!(day("2026-11-29").unwrap(), 1_795_910_400_000);
        for wrong in
            ["2026-02-29", "2026-13-01", "29.11.2026", "1969-12-31", "", "2026-11-29T00:00"]
        {
            assert!(day(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_filter_is_kept_from_page_to_page() {
        let filter = QuarantineFilter {
            reason: Some("amount".to_owned()),
            provider: Some(String::new()),
            from: Some("2026-11-29".to_owned()),
            cursor: Some("x".to_owned()),
        };
        let link = filter.link("1/7/stripe/e&1");
        assert_eq!(link, "/quarantine?reason=amount&from=2026-11-29&cursor=1%2F7%2Fstripe%2Fe%261");
        assert!(filter.is_any() && !QuarantineFilter::default().is_any());
    }
}
