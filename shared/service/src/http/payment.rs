//! A payment as the API shows it.

use pay_core::domain::{Payment, Timestamp};
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::Refusal;

#[derive(Debug, Serialize)]
struct PaymentBody {
    id: u64,
    uid: u64,
    oid: u64,
    amount: u64,
    source: u8,
    status: u8,
    currency: &'static str,
    create_time: String,
    update_time: String,
}

/// The JSON form of a payment: the six names of the contract, then what was added to them.
///
/// # Errors
///
/// [`super::Code::Internal`] if a time cannot be printed.
pub fn payment_body(payment: &Payment) -> Result<impl Serialize + use<>, Refusal> {
    Ok(PaymentBody {
        id: payment.id.get(),
        uid: payment.uid.get(),
        oid: payment.oid.get(),
        amount: payment.amount.minor(),
        source: payment.money.source.get(),
        status: payment.status.code(),
        currency: payment.amount.currency().code(),
        create_time: rfc3339(payment.create_time)?,
        update_time: rfc3339(payment.update_time)?,
    })
}

fn rfc3339(at: Timestamp) -> Result<String, Refusal> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.millis()).saturating_mul(1_000_000))
        .map_err(Refusal::internal)?
        .format(&Rfc3339)
        .map_err(Refusal::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pay_core::domain::{Amount, Currency, OrderId, PaymentId, UserId};

    #[test]
    fn a_payment_is_shown_with_the_names_of_the_contract() {
        let payment = Payment::pending(
            PaymentId::new(9).unwrap(),
            UserId::new(1).unwrap(),
            OrderId::new(2).unwrap(),
            Amount::new(100, Currency::new("CNY").unwrap()).unwrap(),
            Timestamp::from_millis(1_782_205_271_123).unwrap(),
        );
        let body = serde_json::to_string(&payment_body(&payment).unwrap()).unwrap();
        assert_eq!(
            body,
            r#"{"id":9,"uid":1,"oid":2,"amount":100,"source":0,"status":0,"currency":"CNY","create_time":"2026-06-23T09:01:11.123Z","update_time":"2026-06-23T09:01:11.123Z"}"#
        );
    }

    #[test]
    fn every_timestamp_prints() {
        for millis in [0, 1, Timestamp::MAX_MILLIS] {
            assert!(rfc3339(Timestamp::from_millis(millis).unwrap()).is_ok());
        }
    }
}
