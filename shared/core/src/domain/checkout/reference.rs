//! Our reference of a checkout at its provider.

use std::fmt;

use crate::{
    domain::{OutOfRange, PaymentId},
    limits::CHECKOUTS_MAX,
};

/// How many digits the payment's id has at least.
///
/// Source: pay.weixin.qq.com/doc/v3 "native payment, order": `out_trade_no` has 6 characters or more.
const DIGITS_MIN: usize = 6;

/// Which of a payment's checkouts it is, counted in the order of their requests: 1 to [`CHECKOUTS_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckoutNumber(u32);

impl CheckoutNumber {
    /// Wraps a number from outside.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for 0 and above [`CHECKOUTS_MAX`].
    pub const fn new(number: u32) -> Result<Self, OutOfRange> {
        if number == 0 || number > CHECKOUTS_MAX {
            return Err(OutOfRange::new("checkout"));
        }
        Ok(Self(number))
    }

    /// Reads what [`fmt::Display`] prints.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for any other text.
    pub fn parse(text: &str) -> Result<Self, OutOfRange> {
        let bad = OutOfRange::new("checkout");
        let number = Self::new(text.parse().map_err(|_no_number| bad)?)?;
        if number.to_string() == text { Ok(number) } else { Err(bad) }
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for CheckoutNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Our reference of a checkout at its provider: `<payment id>_<number>`, the id with zeros before it where it
/// has fewer than six digits.
///
/// It has at most 19 characters of `[0-9_]`, which every provider takes: WeChat Pay and Alipay as
/// `out_trade_no`, Stripe as idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckoutReference {
    /// The payment that it is about.
    pub payment: PaymentId,
    /// Which of the payment's checkouts it is.
    pub number: CheckoutNumber,
}

impl CheckoutReference {
    /// Reads what [`fmt::Display`] prints.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for any other text: one checkout has one reference.
    pub fn parse(text: &str) -> Result<Self, OutOfRange> {
        let bad = OutOfRange::new("checkout reference");
        let (payment, number) = text.split_once('_').ok_or(bad)?;
        let payment = PaymentId::parse(payment.trim_start_matches('0')).map_err(|_no_id| bad)?;
        let number = CheckoutNumber::parse(number).map_err(|_no_number| bad)?;
        let read = Self { payment, number };
        if read.to_string() == text { Ok(read) } else { Err(bad) }
    }
}

impl fmt::Display for CheckoutReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0>DIGITS_MIN$}_{}", self.payment.get(), self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::{CheckoutNumber, CheckoutReference};
    use crate::domain::PaymentId;

    #[test]
    fn a_reference_is_the_padded_payment_and_the_number() {
        for (payment, number, text) in [
            (7, 1, "000007_1"),
            (99_999, 20, "099999_20"),
            (100_000, 3, "100000_3"),
            (PaymentId::MAX, 20, "9007199254740991_20"),
        ] {
            let payment = PaymentId::new(payment).unwrap();
            let number = CheckoutNumber::new(number).unwrap();
            let reference = CheckoutReference { payment, number };
            assert_eq!(reference.to_string(), text);
            assert_eq!(CheckoutReference::parse(text), Ok(reference));
            assert!((6..=32).contains(&text.len()));
        }
    }

    #[test]
    fn a_reference_has_one_text() {
        for bad in [
            "",
            "_",
            "000007",
            "000007_",
            "_1",
            "7_1",
            "00007_1",
            "0000007_1",
            "000007_0",
            "000007_01",
            "000007_21",
            "000007_+1",
            "000007_1_1",
            "000000_1",
            "+00007_1",
            "000007_1 ",
            "000007-1",
            "9007199254740992_1",
            "42_0123456789abcdef",
        ] {
            assert!(CheckoutReference::parse(bad).is_err(), "{bad}");
        }
    }
}
