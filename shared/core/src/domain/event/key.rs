//! Names of entries.

use super::{EventId, Sender};
use crate::domain::{OutOfRange, PaymentId};

/// What names an event: `<payment id>/<sender>/<event id>`, with `unmatched` in place of the payment id
/// where it names no payment of ours, and `#<suffix>` after an event id that was taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey {
    /// The payment it is kept under; `None` for unmatched.
    pub payment: Option<PaymentId>,
    /// Who sent it.
    pub sender: Sender,
    /// The sender's id of it, with its suffix.
    name: String,
}

impl EventKey {
    /// The key of an entry; `suffix` where that of its id alone was taken.
    #[must_use]
    pub fn new(
        payment: Option<PaymentId>,
        sender: Sender,
        id: &EventId,
        suffix: Option<&str>,
    ) -> Self {
        let suffix = suffix.map(|suffix| format!("#{suffix}")).unwrap_or_default();
        Self { payment, sender, name: format!("{}{suffix}", id.as_str()) }
    }

    /// Reads the text of a key.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for any other text.
    pub fn parse(text: &str) -> Result<Self, OutOfRange> {
        let bad = OutOfRange::new("event");
        let mut parts = text.splitn(3, '/');
        let mut part = || parts.next().ok_or(bad);
        let (payment, sender, name) = (part()?, part()?, part()?);
        let payment = match payment {
            "unmatched" => None,
            id => Some(PaymentId::parse(id)?),
        };
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-#".contains(&byte);
        let usable = (1..=256).contains(&name.len()) && name.bytes().all(safe);
        let sender = Sender::new(sender)?;
        if usable { Ok(Self { payment, sender, name: name.to_owned() }) } else { Err(bad) }
    }

    /// The sender's id of it, with its suffix.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl std::fmt::Display for EventKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.payment {
            Some(payment) => write!(f, "{payment}")?,
            None => f.write_str("unmatched")?,
        }
        write!(f, "/{}/{}", self.sender.as_str(), self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Digest;

    #[test]
    fn a_key_has_one_text() {
        let digest = Digest::new([7; 32]);
        for text in ["42/stripe/evt_1", "unmatched/wechat/a-b.c", "42/native/evt_1#3"] {
            assert_eq!(EventKey::parse(text).unwrap().to_string(), text);
        }
        let hex = format!("1/alipay/{digest}#{digest}");
        assert_eq!(EventKey::parse(&hex).unwrap().name().len(), 129);
        for bad in [
            "",
            "42",
            "42/stripe",
            "42/stripe/",
            "0/stripe/a",
            "x/stripe/a",
            "042/stripe/a",
            "+42/stripe/a",
            "42/paypal/a",
            "42/stripe/a b",
        ] {
            assert!(EventKey::parse(bad).is_err(), "{bad}");
        }
    }
}
