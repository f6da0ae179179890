//! Our reference at WeChat Pay and Alipay, `out_trade_no`: of a checkout of ours, or the payment's id where the
//! shop orders by itself.

use pay_core::domain::{CheckoutNumber, CheckoutReference, PaymentId};

/// How many characters a reference has at least, at WeChat Pay.
///
/// Source: pay.weixin.qq.com/doc/v3 "native payment, order", `out_trade_no`.
const CHARACTERS_MIN: usize = 6;

/// The reference of a payment at WeChat Pay: its id, with zeros before it where it is too short.
pub(crate) fn of(payment: PaymentId) -> String {
    format!("{:0>CHARACTERS_MIN$}", payment.get())
}

/// The payment that a reference names, and the checkout of it if it is one's.
pub(crate) fn named(reference: &str) -> Option<(PaymentId, Option<CheckoutNumber>)> {
    match CheckoutReference::parse(reference) {
        Ok(CheckoutReference { payment, number }) => Some((payment, Some(number))),
        Err(_another_reference) => payment(reference).map(|payment| (payment, None)),
    }
}

/// The payment of a reference that is [`of`] it, or its bare id.
fn payment(reference: &str) -> Option<PaymentId> {
    if let Ok(id) = PaymentId::parse(reference) {
        return Some(id);
    }
    let id = PaymentId::parse(reference.trim_start_matches('0')).ok()?;
    (of(id) == reference).then_some(id)
}

#[cfg(test)]
mod tests {
    use pay_core::domain::{CheckoutNumber, PaymentId};

    use super::{named, of};

    /// The payment and the checkout.
    fn read(reference: &str) -> Option<(u64, Option<u32>)> {
        named(reference).map(|(payment, number)| (payment.get(), number.map(CheckoutNumber::get)))
    }

    #[test]
    fn a_reference_of_a_checkout_names_it_and_its_payment() {
        assert_eq!(read("000007_1"), Some((7, Some(1))));
        assert_eq!(read("9007199254740991_20"), Some((PaymentId::MAX, Some(20))));
        for other in ["7_1", "00007_1", "000007_0", "000007_21", "000007_01", "000007_", "_1"] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn a_short_id_is_padded_and_read_with_and_without_its_zeros() {
        for (id, reference) in [
            (7, "000007"),
            (99_999, "099999"),
            (100_000, "100000"),
            (1_000_000, "1000000"),
            (PaymentId::MAX, "9007199254740991"),
        ] {
            assert_eq!(of(PaymentId::new(id).unwrap()), reference);
            assert_eq!(read(reference), Some((id, None)));
            assert_eq!(read(&id.to_string()), Some((id, None)));
        }
    }

    /// One payment has no other texts: each would be another order at WeChat Pay.
    #[test]
    fn another_text_names_no_payment() {
        for other in [
            "",
            "0",
            "07",
            "00007",
            "0000007",
            "000000",
            "0100000",
            "00100000",
            "+00007",
            " 00007",
            "00007 ",
            "7 ",
            "-00007",
            "0000a7",
            "00000٧",
            "000007-1",
            "9007199254740992",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
