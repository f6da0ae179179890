//! The fields that we read, taken from the text that is signed.
//!
//! The text joins decoded `name=value` with `&`, and values may hold `&` and `=`: where a field ends
//! is not signed. Whoever has a genuine notification can post the same text split anew, with the
//! same signature. So the fields are read from the text and never from the form, and what stands at
//! a border more than once is ambiguous.

use super::{SIGNATURE_FIELD, SIGNATURE_TYPE_FIELD};

/// The names that we read, sorted as the text is.
const READ: [&str; 11] = [
    "app_id",
    "charset",
    "gmt_refund",
    "notify_id",
    "notify_type",
    "out_trade_no",
    "refund_fee",
    "seller_id",
    "total_amount",
    "trade_no",
    "trade_status",
];

/// The names whose values the shop or its buyer writes.
const TEXTS: [&str; 3] = ["body", "passback_params", "subject"];

/// The names that are not part of the text.
const UNSIGNED: [&str; 2] = [SIGNATURE_FIELD, SIGNATURE_TYPE_FIELD];

/// What stands at a border of the signed text, which is its start or an `&`, under a name that
/// matters here. In the order of the text; each value ends at the next `&`.
pub(super) struct SignedFields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> SignedFields<'a> {
    /// Splits the text at every border.
    pub(super) fn split(signed: &'a str) -> Self {
        let named = signed.split('&').filter_map(|piece| piece.split_once('='));
        let matters =
            |name: &str| [&READ[..], &TEXTS, &UNSIGNED].iter().any(|names| names.contains(&name));
        Self(named.filter(|(name, _)| matters(name)).collect())
    }

    /// Whether each name that we read occurs once or not at all, where its order in the text allows
    /// it, and no name that is not signed occurs.
    pub(super) fn are_clear(&self) -> bool {
        let names = || self.0.iter().map(|(name, _)| name);
        names().filter(|name| READ.contains(name)).is_sorted_by(|one, next| one < next)
            && !names().any(|name| UNSIGNED.contains(name))
    }

    /// A field's value, where the fields are clear; `None` if the field is absent or empty.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value).filter(|value| !value.is_empty())
    }

    /// Whether the field has this value in one of the ways to read the text.
    pub(super) fn may_have(&self, name: &str, value: &str) -> bool {
        self.0.contains(&(name, value))
    }

    /// Whether what the field has in one of them is no text, and so not known.
    pub(super) fn may_be_broken(&self, name: &str) -> bool {
        let is_broken = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
        self.0.iter().any(|(known, text)| *known == name && is_broken(text))
    }

    /// Whether a field that need not be there may be the end of a text instead.
    pub(super) fn may_end_a_text(&self, name: &str) -> bool {
        self.0
            .array_windows()
            .any(|[(before, _), (known, _)]| *known == name && TEXTS.contains(before))
    }
}
