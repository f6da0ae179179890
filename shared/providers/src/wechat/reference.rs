//! Our reference at WeChat Pay, `out_trade_no`: the payment's id, in six characters or more.

use pay_core::domain::PaymentId;

/// How many characters a reference has at least.
///
/// Source: pay.weixin.qq.com/doc/v3 "native payment, order", `out_trade_no`.
const CHARACTERS_MIN: usize = 6;

/// The reference of a payment: its id, with zeros before it where it is too short.
pub(super) fn of(payment: PaymentId) -> String {
    format!("{:0>CHARACTERS_MIN$}", payment.get())
}

/// The payment that a reference names: [`of`] it, or its bare id.
pub(super) fn payment(reference: &str) -> Option<PaymentId> {
    if let Ok(id) = PaymentId::parse(reference) {
        return Some(id);
    }
    let id = PaymentId::parse(reference.trim_start_matches('0')).ok()?;
    (of(id) == reference).then_some(id)
}

#[cfg(test)]
mod tests {
    use pay_core::domain::PaymentId;

    use super::{of, payment};

    #[test]
    fn a_short_id_is_padded_and_read_with_and_without_its_zeros() {
        for (id, reference) in [
            (7, "000007"),
            (99_999, "099999"),
            (100_000, "100000"),
            (1_000_000, "1000000"),
            (PaymentId::MAX, "9007199254740991"),
        ] {
            let id = PaymentId::new(id).unwrap();
            assert_eq!(of(id), reference);
            assert_eq!(payment(reference), Some(id));
            assert_eq!(payment(&id.to_string()), Some(id));
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
            "000007_1",
            "9007199254740992",
        ] {
            assert_eq!(payment(other), None, "{other}");
        }
    }
}
