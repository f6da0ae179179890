//! Our reference of a refund at its provider.

use std::fmt;

use crate::domain::{Digest, OutOfRange, PaymentId};

/// How many hexadecimal digits follow the payment's id.
const DIGITS: usize = 16;

/// Our reference of a refund at its provider: `<payment id>_<16 lower-case hexadecimal digits>`.
///
/// It has at most 33 characters of `[0-9a-f_]`, which every provider takes: WeChat Pay as
/// `out_refund_no`, Alipay as `out_request_no`, Stripe as `metadata[refund_id]`. A [`RefundId`] need not be
/// one: refunds that were made at the provider have one, too.
///
/// [`RefundId`]: super::RefundId
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RefundReference {
    payment: PaymentId,
    key: u64,
}

impl RefundReference {
    /// The reference of the refund that is made under a key with this digest: always the same one.
    #[must_use]
    pub fn new(payment: PaymentId, key: Digest) -> Self {
        let bytes = key.bytes();
        let begin = bytes.iter().take(DIGITS / 2);
        Self { payment, key: begin.fold(0, |key, byte| (key << 8) | u64::from(*byte)) }
    }

    /// Reads what [`fmt::Display`] prints.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for any other text: one refund has one reference.
    pub fn parse(text: &str) -> Result<Self, OutOfRange> {
        let bad = OutOfRange::new("refund reference");
        let (payment, digits) = text.split_once('_').ok_or(bad)?;
        let payment = PaymentId::parse(payment).map_err(|_no_payment| bad)?;
        let key = u64::from_str_radix(digits, 16).map_err(|_no_digits| bad)?;
        let read = Self { payment, key };
        if read.to_string() == text { Ok(read) } else { Err(bad) }
    }

    /// The payment that it gives back.
    #[must_use]
    pub const fn payment(self) -> PaymentId {
        self.payment
    }
}

impl fmt::Display for RefundReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{:0DIGITS$x}", self.payment, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::RefundReference;
    use crate::domain::{Digest, PaymentId, ProviderRefund, RefundId};

    fn payment(id: u64) -> PaymentId {
        PaymentId::new(id).unwrap()
    }

    #[test]
    fn a_reference_is_the_payment_and_what_a_digest_begins_with() {
        let mut digest = [0xff; 32];
        digest[..8].copy_from_slice(&[0x00, 0x1a, 0x2b, 0x3c, 0x4d, 0x5e, 0x6f, 0x70]);
        let key = Digest::new(digest);
        let reference = RefundReference::new(payment(42), key);
        assert_eq!(reference.to_string(), "42_001a2b3c4d5e6f70");
        assert!(key.to_string().starts_with("001a2b3c4d5e6f70"));
        assert_eq!(reference.payment(), payment(42));
        assert_eq!(RefundReference::parse("42_001a2b3c4d5e6f70"), Ok(reference));
    }

    /// WeChat Pay takes 64 characters of letters, digits and some signs, and both ids are part of keys.
    #[test]
    fn the_longest_reference_fits_everywhere() {
        let longest = RefundReference::new(payment(PaymentId::MAX), Digest::new([0xff; 32]));
        let text = longest.to_string();
        assert_eq!(text, "9007199254740991_ffffffffffffffff");
        assert!(text.len() <= 64);
        assert!(RefundId::new(&text).is_ok() && ProviderRefund::new(&text).is_ok());
        assert_eq!(RefundReference::parse(&text), Ok(longest));
    }

    #[test]
    fn a_reference_has_one_text() {
        for bad in [
            "",
            "_",
            "42",
            "42_",
            "_0123456789abcdef",
            "0_0123456789abcdef",
            "042_0123456789abcdef",
            "42_0123456789abcde",
            "42_00123456789abcdef",
            "42_0123456789abcdef0",
            "42_0123456789ABCDEF",
            "42_0123456789abcdeg",
            "42_+123456789abcdef",
            "42_0123456789abcdef ",
            " 42_0123456789abcdef",
            "42-0123456789abcdef",
            "42_1_123456789abcdef",
            "9007199254740992_0123456789abcdef",
            "stripe.re_1",
            "total-50",
        ] {
            assert!(RefundReference::parse(bad).is_err(), "{bad}");
        }
    }
}
