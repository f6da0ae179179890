//! The name by which a person gives an item to a command.

use std::fmt;

use form_urlencoded::{byte_serialize, parse};
use pay_core::domain::{Digest, EventKey};
use pay_service::http::sha256;

use crate::Row;
use crate::audit::{Key, event_key, primary};

/// The primary key of an item of the event log. Its text is `<payment id>/<sender>/<event id>`; that of an
/// item whose key is none of a notification is `item/<pk>/<sk>`, both encoded as in a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name(pub(crate) Key);

impl Name {
    pub(crate) fn of(row: &Row) -> Self {
        Self((row.text("pk").to_owned(), row.text("sk").to_owned()))
    }

    /// Reads what [`fmt::Display`] prints.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Some(item) = text.strip_prefix("item/") else {
            return EventKey::parse(text).ok().map(|key| Self(primary(&key)));
        };
        let (pk, sk) = item.split_once('/')?;
        let decode = |part: &str| parse(part.as_bytes()).next().map(|(text, _)| text.into_owned());
        Some(Self((decode(pk)?, decode(sk)?)))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pk, sk) = &self.0;
        if let Some(key) = event_key(pk, sk) {
            return write!(f, "{key}");
        }
        let encode = |part: &str| byte_serialize(part.as_bytes()).collect::<String>();
        write!(f, "item/{}/{}", encode(pk), encode(sk))
    }
}

/// The key of the refund that gives back the money of a row's transaction: the same one, whichever notification
/// is decided on and whoever asks.
pub(crate) fn refund_key(row: &Row) -> Digest {
    let source = row.number("source").unwrap_or_default().to_string();
    sha256(&[b"quarantine refund ", source.as_bytes(), b"/", row.text("provider_txn").as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn a_name_is_read_as_it_is_printed() {
        for (pk, sk, text) in [
            ("pay#7", "event#stripe#e1", "7/stripe/e1"),
            ("unmatched#alipay", "event#alipay#a#0a", "unmatched/alipay/a#0a"),
            ("pay#7", "record", "item/pay%237/record"),
            ("pay#07", "event#stripe#e1", "item/pay%2307/event%23stripe%23e1"),
            ("a/b =&\u{202e}", "%\n", "item/a%2Fb+%3D%26%E2%80%AE/%25%0A"),
        ] {
            let name = Name((pk.to_owned(), sk.to_owned()));
            assert_eq!(name.to_string(), text);
            assert_eq!(Name::parse(text), Some(name));
        }
        for wrong in ["", "7", "7/stripe", "item/a", "item//b", "evt_7"] {
            assert_eq!(Name::parse(wrong), None, "{wrong}");
        }
    }
}
