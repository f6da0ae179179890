//! How the values of items are shown.

use maud::{Markup, html};
use pay_core::domain::{Provider, Source};

use super::{money, shown, time};
use crate::Row;
use crate::event::EventEntry;
use crate::history::Fact;
use crate::limits::CONSOLE_TEXT_CHARS;

/// A text that somebody wrote, cut where it would fill the page.
pub(in crate::console) fn brief(text: &str) -> String {
    let mut letters = text.chars();
    let begin: String = letters.by_ref().take(CONSOLE_TEXT_CHARS).collect();
    match letters.count() {
        0 => shown(&begin),
        more => format!("{}… and {more} characters more", shown(&begin)),
    }
}

/// A value; money in this currency, unless it says one itself.
pub(in crate::console) fn fact(fact: &Fact, currency: &str) -> Markup {
    match fact {
        Fact::Text(text) => html! { (brief(text)) },
        Fact::Time(millis) => time(*millis),
        Fact::Amount(minor, own) => money(*minor, if own.is_empty() { currency } else { own }),
    }
}

/// An attribute as it is; empty where there is none.
pub(in crate::console) fn cell(row: &Row, name: &str) -> Markup {
    html! { (brief(&EventEntry(row).cell(name))) }
}

/// An attribute that is a time; as it is where it is none.
pub(in crate::console) fn time_of(row: &Row, name: &str) -> Markup {
    row.number(name).map_or_else(|| cell(row, name), time)
}

/// An attribute that counts minor units; as it is where it does not.
pub(in crate::console) fn money_of(row: &Row, name: &str, currency: &str) -> Markup {
    row.number(name).map_or_else(|| cell(row, name), |minor| money(minor, currency))
}

/// The provider of a row's money; its source as it is where that is no number.
pub(in crate::console) fn provider_of(row: &Row) -> Markup {
    let source = row.number("source").map(|source| html! { (provider(source)) });
    source.unwrap_or_else(|| cell(row, "source"))
}

/// Markup, if there is something to show.
pub(in crate::console) fn optional(text: &str, markup: impl FnOnce(&str) -> Markup) -> Markup {
    if text.is_empty() {
        html! {}
    } else {
        markup(text)
    }
}

/// The name of the provider whose payments have this source.
///
/// Numbers that are no provider's of ours are those of the API.
pub(in crate::console) fn provider(source: u64) -> String {
    let of = Source::new(source).ok().and_then(Provider::of_source);
    let name = match (of, source) {
        (Some(Provider::Stripe), _) => "Stripe",
        (Some(Provider::WeChat), _) => "WeChat Pay",
        (Some(Provider::Alipay), _) => "Alipay",
        (None, 0) => "none yet",
        (None, 4) => "PayPal",
        (None, 5) => "Adyen",
        (None, number) => return format!("source {number}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(brief("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(brief(&"支".repeat(200)), "支".repeat(200));
        let cut = brief(&"支".repeat(203));
        assert_eq!(cut, format!("{}… and 3 characters more", "支".repeat(200)));
        assert_eq!((provider(2), provider(9)), ("WeChat Pay".to_owned(), "source 9".to_owned()));
    }
}
