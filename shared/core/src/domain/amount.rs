//! Sums of money: integers in the minor unit of a currency.

use std::fmt;

use super::OutOfRange;

/// An ISO 4217 currency, by its alphabetic code.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Looks a code up in the ISO 4217 table. Case counts: codes are upper-case.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for anything that is not a code of the table.
    pub fn new(code: &str) -> Result<Self, OutOfRange> {
        iso_currency::Currency::from_code(code)
            .filter(|currency| currency.code() == code)
            .map(Self)
            .ok_or(OutOfRange::new("currency"))
    }

    /// The three-letter code, upper-case.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimals its minor unit has by ISO 4217; `None` for a code without one, such as gold.
    #[must_use]
    pub fn decimals(self) -> Option<u32> {
        self.0.exponent().map(u32::from)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A sum to collect, counted in the minor unit of its currency.
///
/// 1050 in EUR is EUR 10.50; 1050 in JPY is JPY 1050. Holding one proves
/// `1 <= minor <= Amount::MINOR_MAX`. There is no float form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Amount {
    minor: u64,
    currency: Currency,
}

impl Amount {
    /// Highest accepted amount, in minor units.
    ///
    /// The range of the column it replaces (`int unsigned`). It also keeps every amount below
    /// 2^53, so JSON clients that parse numbers as doubles read it exactly (RFC 8259, section 6).
    pub const MINOR_MAX: u64 = 4_294_967_295;

    /// Wraps a sum in minor units.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for 0 and for anything above [`Self::MINOR_MAX`].
    pub const fn new(minor: u64, currency: Currency) -> Result<Self, OutOfRange> {
        match Self::check_minor(minor) {
            Ok(minor) => Ok(Self { minor, currency }),
            Err(error) => Err(error),
        }
    }

    /// Passes on a number of minor units that an amount can have, whatever the currency.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub const fn check_minor(minor: u64) -> Result<u64, OutOfRange> {
        if minor == 0 || minor > Self::MINOR_MAX {
            return Err(OutOfRange::new("amount"));
        }
        Ok(minor)
    }

    /// The sum in minor units.
    #[must_use]
    pub const fn minor(self) -> u64 {
        self.minor
    }

    /// Its currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_what_an_unsigned_int_column_holds_but_zero() {
        let cny = Currency::new("CNY").unwrap();
        assert_eq!(format!("{cny:?}"), "CNY");
        assert!(Amount::new(0, cny).is_err());
        assert!(Amount::new(1, cny).is_ok());
        assert!(Amount::new(4_294_967_295, cny).is_ok());
        assert!(Amount::new(4_294_967_296, cny).is_err());
    }

    #[test]
    fn a_currency_is_an_upper_case_code_of_the_table() {
        for code in ["CNY", "EUR", "JPY", "KWD"] {
            assert_eq!(Currency::new(code).unwrap().code(), code);
        }
        for (code, decimals) in
            [("CNY", Some(2)), ("JPY", Some(0)), ("KWD", Some(3)), ("ISK", Some(0)), ("XAU", None)]
        {
            assert_eq!(Currency::new(code).unwrap().decimals(), decimals, "{code}");
        }
        for code in ["cny", "EUX", "", "EURO", "E€"] {
            assert!(Currency::new(code).is_err(), "{code}");
        }
    }
}
