//! Whose money it is: the source that collected it and that source's own transaction.

use super::OutOfRange;

/// Through whom a payment was collected.
///
/// 0 none yet, 1 Alipay, 2 WeChat Pay, 3 Stripe, 4 PayPal, 5 Adyen; others are the caller's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source(u8);

impl Source {
    /// Not known, or not yet.
    pub const UNKNOWN: Self = Self(0);
    /// Alipay.
    pub const ALIPAY: Self = Self(1);
    /// WeChat Pay.
    pub const WECHAT: Self = Self(2);
    /// Stripe.
    pub const STRIPE: Self = Self(3);

    /// Wraps a number from outside.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] above 255.
    pub fn new(source: u64) -> Result<Self, OutOfRange> {
        u8::try_from(source).map(Self).map_err(|_out_of_u8| OutOfRange::new("source"))
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

/// A provider's own name for a transaction: 1 to 128 visible ASCII characters.
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

/// What identifies a sum of money once it moved: its source and the source's transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    /// Who collected it; [`Source::UNKNOWN`] where nobody said.
    pub source: Source,
    /// The collector's transaction, where one was named.
    pub txn: Option<ProviderTxn>,
}

impl Money {
    /// Of a payment that nobody has paid yet.
    pub const NONE: Self = Self { source: Source::UNKNOWN, txn: None };

    /// Whether both may be the same sum: each part is compared where both sides know it.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        agree(self.source.known(), other.source.known())
            && agree(self.txn.as_ref(), other.txn.as_ref())
    }

    /// This money with what only `other` knows filled in; `None` when `other` adds nothing.
    #[must_use]
    pub fn taught_by(&self, other: &Self) -> Option<Self> {
        let taught = Self {
            source: self.source.known().unwrap_or(other.source),
            txn: self.txn.as_ref().or(other.txn.as_ref()).cloned(),
        };
        (taught != *self).then_some(taught)
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

    fn money(source: u64, txn: &str) -> Money {
        let txn = (!txn.is_empty()).then(|| ProviderTxn::new(txn).unwrap());
        Money { source: Source::new(source).unwrap(), txn }
    }

    #[test]
    fn money_is_compared_where_both_sides_know_it() {
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
            assert_eq!(money(s1, t1).same_as(&money(s2, t2)), same, "{s1} {t1} / {s2} {t2}");
            assert_eq!(money(s2, t2).same_as(&money(s1, t1)), same, "{s2} {t2} / {s1} {t1}");
        }
    }

    #[test]
    fn money_is_taught_only_what_it_does_not_know() {
        assert_eq!(money(0, "").taught_by(&money(3, "pi_1")), Some(money(3, "pi_1")));
        assert_eq!(money(3, "").taught_by(&money(0, "pi_1")), Some(money(3, "pi_1")));
        assert_eq!(money(3, "pi_1").taught_by(&money(3, "pi_1")), None);
        assert_eq!(money(3, "pi_1").taught_by(&money(0, "")), None);
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
