//! The provider reference: who collected a payment, and that provider's transaction.

use super::{Currency, OutOfRange, Provider};

/// Who collected a payment, as the API numbers it.
///
/// 0 unknown, 1 Alipay, 2 WeChat Pay, 3 Stripe, 4 PayPal, 5 Adyen; others are the caller's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source(u8);

impl Source {
    /// Not known, or not yet.
    pub const UNKNOWN: Self = Self(0);

    /// Wraps a number from outside.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] above 255.
    pub fn new(source: u64) -> Result<Self, OutOfRange> {
        u8::try_from(source).map(Self).map_err(|_out_of_u8| OutOfRange::new("source"))
    }

    pub(super) const fn of_number(source: u8) -> Self {
        Self(source)
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    const fn known(self) -> Option<Self> {
        if self.0 == 0 { None } else { Some(self) }
    }
}

/// A provider's id of a transaction: 1 to 128 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProviderTxn(String);

impl ProviderTxn {
    /// Wraps a text from outside.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] when it is empty, longer than 128, or holds anything but visible ASCII.
    pub fn new(txn: &str) -> Result<Self, OutOfRange> {
        let fits =
            (1..=128).contains(&txn.len()) && txn.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(txn.to_owned())) } else { Err(OutOfRange::new("provider_txn")) }
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which money this is: the source that collected it, and the source's own transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProviderRef {
    /// Who collected it; [`Source::UNKNOWN`] where it is not known.
    pub source: Source,
    /// The provider's transaction id, where one was named.
    pub txn: Option<ProviderTxn>,
}

impl ProviderRef {
    /// The reference of a payment that was not paid.
    pub const NONE: Self = Self { source: Source::UNKNOWN, txn: None };

    /// Why its provider takes no request to give so many minor units back, however often it is sent; `None` where
    /// it may, and where it names no transaction of a provider's.
    #[must_use]
    pub fn cannot_be_refunded(
        &self,
        currency: Currency,
        amount_minor: u64,
    ) -> Option<&'static str> {
        let (provider, txn) = Provider::of_source(self.source).zip(self.txn.as_ref())?;
        if !provider.refunds(txn) {
            Some(
                "its provider refunds no transaction of this kind: give it back in the provider's console",
            )
        } else if !provider.collects(currency) {
            Some("its provider does not collect its currency")
        } else if provider.units(currency, amount_minor).is_none() {
            Some("its provider gives this currency back in larger steps: round the amount")
        } else {
            None
        }
    }

    /// Whether both may be the same money: source and transaction agree wherever both are known.
    #[must_use]
    pub fn may_match(&self, other: &Self) -> bool {
        agree(self.source.known(), other.source.known())
            && agree(self.txn.as_ref(), other.txn.as_ref())
    }

    /// Whether both are the same money for certain: source and transaction are known and agree.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.source.known().is_some() && self.txn.is_some() && self == other
    }

    /// What the table finds it by: `<provider>#<transaction>`, with the source's number where it is no
    /// provider of ours; `None` unless both are known.
    #[must_use]
    pub fn transaction(&self) -> Option<String> {
        let (source, txn) = (self.source.known()?, self.txn.as_ref()?);
        let number = || source.get().to_string();
        let name = Provider::of_source(source).map_or_else(number, |of| of.as_str().to_owned());
        Some(format!("{name}#{}", txn.as_str()))
    }

    /// This reference with what only `other` knows filled in; `None` when `other` adds nothing.
    #[must_use]
    pub fn completed_by(&self, other: &Self) -> Option<Self> {
        let completed = Self {
            source: self.source.known().unwrap_or(other.source),
            txn: self.txn.as_ref().or(other.txn.as_ref()).cloned(),
        };
        (completed != *self).then_some(completed)
    }
}

/// As `<source>/<transaction>`, with `?` for what is not known.
impl std::fmt::Display for ProviderRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.source.known() {
            Some(source) => write!(f, "{}", source.get())?,
            None => f.write_str("?")?,
        }
        write!(f, "/{}", self.txn.as_ref().map_or("?", ProviderTxn::as_str))
    }
}

fn agree<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other,
        (None, _) | (_, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(source: u64, txn: &str) -> ProviderRef {
        let txn = (!txn.is_empty()).then(|| ProviderTxn::new(txn).unwrap());
        ProviderRef { source: Source::new(source).unwrap(), txn }
    }

    #[test]
    fn references_are_compared_where_both_sides_are_known() {
        let table = [
            ((0, ""), (0, ""), true),
            ((0, ""), (3, "pi_1"), true),
            ((3, ""), (3, "pi_1"), true),
            ((0, "pi_1"), (3, "pi_1"), true),
            ((3, "pi_1"), (3, "pi_1"), true),
            ((3, ""), (2, ""), false),
            ((3, "pi_1"), (3, "pi_2"), false),
            ((0, "pi_1"), (0, "pi_2"), false),
            ((2, "pi_1"), (3, "pi_1"), false),
        ];
        for ((s1, t1), (s2, t2), same) in table {
            assert_eq!(
                reference(s1, t1).may_match(&reference(s2, t2)),
                same,
                "{s1} {t1} / {s2} {t2}"
            );
            assert_eq!(
                reference(s2, t2).may_match(&reference(s1, t1)),
                same,
                "{s2} {t2} / {s1} {t1}"
            );
        }
    }

    #[test]
    fn a_reference_is_completed_only_where_it_is_unknown() {
        assert_eq!(
            reference(0, "").completed_by(&reference(3, "pi_1")),
            Some(reference(3, "pi_1"))
        );
        assert_eq!(
            reference(3, "").completed_by(&reference(0, "pi_1")),
            Some(reference(3, "pi_1"))
        );
        assert_eq!(reference(3, "pi_1").completed_by(&reference(3, "pi_1")), None);
        assert_eq!(reference(3, "pi_1").completed_by(&reference(0, "")), None);
    }

    #[test]
    fn a_transaction_is_named_where_both_are_known() {
        for (source, txn, name) in [
            (0, "", None),
            (3, "", None),
            (0, "a", None),
            (3, "pi_1", Some("stripe#pi_1")),
            (2, "42", Some("wechat#42")),
            (9, "a", Some("9#a")),
        ] {
            let found = reference(source, txn);
            assert_eq!(found.transaction().as_deref(), name);
            assert_eq!(found.is_same(&found), name.is_some());
        }
        assert!(!reference(3, "a").is_same(&reference(3, "b")));
        assert!(!reference(3, "a").is_same(&reference(2, "a")));
    }

    #[test]
    fn a_reference_prints_what_is_known_of_it() {
        for (source, txn, text) in
            [(0, "", "?/?"), (3, "", "3/?"), (0, "a", "?/a"), (3, "a", "3/a")]
        {
            assert_eq!(reference(source, txn).to_string(), text);
        }
    }

    #[test]
    fn a_provider_transaction_is_1_to_128_visible_ascii_characters() {
        for good in ["x", "pi_3Nabc", &"9".repeat(128)] {
            assert_eq!(ProviderTxn::new(good).unwrap().as_str(), good);
        }
        for bad in ["", " ", "a b", "a\n", "é", &"9".repeat(129)] {
            assert!(ProviderTxn::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_source_is_a_byte() {
        assert_eq!(Source::new(255).unwrap().get(), 255);
        assert!(Source::new(256).is_err());
    }
}
