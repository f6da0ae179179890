//! How the values of items are shown.

use maud::{Markup, html};
use pay_core::domain::{MismatchField, Provider, Sender, Source};

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

/// In what a notification does not match its record, with both sides; of an unreadable item what is wrong with it.
pub(in crate::console) fn mismatch(row: &Row) -> Markup {
    let event = EventEntry(row);
    if event.unreadable().is_empty() {
        compared(row)
    } else {
        html! { (brief(&event.mismatch())) }
    }
}

/// The field that does not match, and both sides, as the item has them.
pub(in crate::console) fn compared(row: &Row) -> Markup {
    optional(&EventEntry(row).cell("mismatch"), |field| {
        html! { (brief(field)) ": expected " (side(row, "expected")) ", received " (side(row, "received")) }
    })
}

/// One side of a mismatch, `expected` or `received`: an amount as people write it, a transaction with its provider, all else
/// as it is.
pub(in crate::console) fn side(row: &Row, name: &str) -> Markup {
    let text = row.get_text(name).unwrap_or("nothing");
    let mismatch = row.text("mismatch");
    let of_money = [MismatchField::Amount, MismatchField::Refunded].map(MismatchField::as_str);
    if of_money.contains(&mismatch)
        && let Ok(minor) = text.parse()
    {
        return money(minor, row.text("currency"));
    }
    // Source and transaction.
    if mismatch == MismatchField::Reference.as_str()
        && let Some((source, txn)) = text.split_once('/')
        && let Ok(source) = source.parse()
    {
        return html! { (provider(source)) " " code { (brief(txn)) } };
    }
    html! { (brief(text)) }
}

/// Who sent a notification, by the word that it is kept under.
pub(in crate::console) fn sender(word: &str) -> String {
    match Sender::new(word) {
        Ok(Sender::Provider(provider)) => provider_name(provider).to_owned(),
        // Its requests, and what its own gateway reports.
        Ok(Sender::Native) => "the shop".to_owned(),
        Ok(Sender::Operator | Sender::Sweep) | Err(_) => brief(word),
    }
}

/// What a provider calls itself.
pub(in crate::console) const fn provider_name(provider: Provider) -> &'static str {
    match provider {
        Provider::Stripe => "Stripe",
        Provider::WeChat => "WeChat Pay",
        Provider::Alipay => "Alipay",
    }
}

/// The name of the provider whose payments have this source.
///
/// Numbers that are no provider's of ours are those of the API.
pub(in crate::console) fn provider(source: u64) -> String {
    let of = Source::new(source).ok().and_then(Provider::of_source);
    let name = match (of, source) {
        (Some(provider), _) => provider_name(provider),
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
