//! How values are shown. Everything that somebody sent goes through [`shown`]: markup is escaped by the templates,
//! and what would reorder the text around it or be invisible is written out.

mod fact;
mod reason;
mod table;

pub(super) use self::fact::{
    brief, cell, compared, fact, mismatch, money_of, optional, provider, provider_name,
    provider_of, sender, side, time_of,
};
pub(super) use self::reason::meaning;
pub(super) use self::table::{Column, column, fitting, numbers, table};

use maud::{Markup, html};
use pay_core::domain::Currency;

use crate::print;

/// A text on one line.
pub(super) fn shown(text: &str) -> String {
    print::escaped_cell(text)
}

/// A text that may have lines of its own.
pub(super) fn lines(text: &str) -> String {
    print::escaped(text)
}

/// A time in Unix milliseconds: in UTC, and for the script as it came.
pub(super) fn time(millis: u64) -> Markup {
    let text = print::time(millis);
    let (day, clock) = text.split_once('T').unwrap_or((&text, ""));
    let clock = clock.trim_end_matches('Z');
    html! { time datetime=(text) { (day) " " (clock) } }
}

/// A time that may be absent.
pub(super) fn time_or_none(millis: Option<u64>) -> Markup {
    millis.map_or_else(|| html! {}, time)
}

/// An amount of minor units, as people write it: the minor units are what the pointer shows.
pub(super) fn money(minor: u64, currency: &str) -> Markup {
    let title = format!("{minor} minor units");
    html! { span.money title=(title) { (major(minor, currency)) " " (shown(currency)) } }
}

/// 10050 in EUR is `100.50`, in JPY `10050`.
pub(super) fn major(minor: u64, currency: &str) -> String {
    let decimals = Currency::new(currency).ok().and_then(Currency::decimals).unwrap_or(0);
    let Some(unit) = 10_u64.checked_pow(decimals).filter(|unit| *unit > 1) else {
        return minor.to_string();
    };
    let (whole, part) = (minor.checked_div(unit), minor.checked_rem(unit));
    let width = usize::try_from(decimals).unwrap_or(0);
    format!("{}.{:0width$}", whole.unwrap_or(0), part.unwrap_or(0))
}

/// A word for a state: its colour repeats what the word says.
pub(super) fn word(text: &str) -> Markup {
    let (class, text) = (class_of(text), shown(text));
    // Longer than any state of ours: it may be broken anywhere.
    let width = if text.len() > 24 { " long" } else { "" };
    html! { span class={ "word " (class) (width) } { (text) } }
}

/// Whether a state is well, needs a person, or is neither.
fn class_of(text: &str) -> &'static str {
    match text {
        "paid" | "applied" | "succeeded" | "accept" | "notified" | "the same" => "well",
        "quarantined" | "failed" | "refused" | "unreadable" | "late" | "differs" => "ill",
        "pending" | "requested" | "open" | "due" | "closing" => "waits",
        _ => "neutral",
    }
}

/// An id that can be copied, unless something in it is written out.
pub(super) fn id(text: &str) -> Markup {
    let as_shown = shown(text);
    html! { code.id data-copy=[(as_shown == text).then_some(text)] { (as_shown) } }
}

/// A link to a payment.
pub(super) fn payment(id: impl std::fmt::Display) -> Markup {
    html! { a href={ "/payment/" (id) } { (id) } }
}

/// A path with one parameter.
pub(super) fn with_query(path: &str, name: &str, value: &str) -> String {
    with_filter(path, &[(name, value)])
}

/// A path with those of these parameters that say something.
pub(super) fn with_filter(path: &str, filter: &[(&str, &str)]) -> String {
    let given = filter.iter().filter(|(_, value)| !value.is_empty());
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// With a capital letter at its beginning.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase()).into_iter();
    first.chain(letters).collect()
}

/// So many of something: `1 payment`, `2 payments`.
pub(super) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// How long ago something was due, in its largest unit.
pub(super) fn ago(millis: u64) -> String {
    let secs = millis.checked_div(1000).unwrap_or(0);
    for (unit, name) in [(86_400, "day"), (3600, "hour"), (60, "minute")] {
        if let Some(number) = secs.checked_div(unit).filter(|number| *number > 0) {
            return count(usize::try_from(number).unwrap_or(usize::MAX), name);
        }
    }
    count(usize::try_from(secs).unwrap_or(usize::MAX), "second")
}

#[cfg(test)]
mod tests {
    use super::{ago, major, shown, with_query};

    #[test]
    fn an_amount_has_the_decimals_of_its_currency() {
        for (minor, currency, text) in [
            (10_050, "EUR", "100.50"),
            (5, "EUR", "0.05"),
            (10_050, "JPY", "10050"),
            (10_050, "KWD", "10.050"),
            (10_050, "odd", "10050"),
        ] {
            assert_eq!(major(minor, currency), text);
        }
    }

    #[test]
    fn what_reorders_text_is_written_out() {
        assert_eq!(shown("a\u{202e}b\u{1b}"), "a\\u{202e}b\\u{1b}");
        assert_eq!(
            with_query("/message", "name", "7/stripe/a&b"),
            "/message?name=7%2Fstripe%2Fa%26b"
        );
        assert_eq!(ago(59_000), "59 seconds");
        assert_eq!(ago(60_000), "1 minute");
        assert_eq!(ago(172_800_000), "2 days");
    }
}
