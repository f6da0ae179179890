//! A payment as the API shows it.

use std::num::NonZeroU8;

use pay_core::domain::{Payment, Timestamp};
use serde::Serialize;
use time::{
    OffsetDateTime,
    format_description::well_known::{
        Iso8601,
        iso8601::{Config, EncodedConfig, TimePrecision},
    },
};

use super::Problem;

#[derive(Debug, Serialize)]
struct PaymentBody {
    id: u64,
    uid: u64,
    oid: u64,
    amount: u64,
    source: u8,
    status: u8,
    currency: &'static str,
    refunded: u64,
    create_time: String,
    update_time: String,
}

/// The JSON form of a payment: the six names of the contract, then what was added to them.
///
/// # Errors
///
/// [`super::Code::Internal`] if a time cannot be printed.
pub fn payment_body(payment: &Payment) -> Result<impl Serialize + use<>, Problem> {
    Ok(PaymentBody {
        id: payment.id.get(),
        uid: payment.uid.get(),
        oid: payment.oid.get(),
        amount: payment.amount.minor(),
        source: payment.reference.source.get(),
        status: payment.status.code(),
        currency: payment.amount.currency().code(),
        refunded: payment.refunded(),
        create_time: rfc3339(payment.create_time).map_err(Problem::internal)?,
        update_time: rfc3339(payment.update_time).map_err(Problem::internal)?,
    })
}

/// RFC 3339 in UTC, always with three digits of milliseconds: one length, and the order of the times.
const MILLISECONDS: EncodedConfig = Config::DEFAULT
    .set_time_precision(TimePrecision::Second { decimal_digits: NonZeroU8::new(3) })
    .encode();

/// A time as the API and the operator's program show it: `2026-11-23T12:37:47.020Z`.
///
/// # Errors
///
/// [`time::Error`] for a year above 9999.
pub fn rfc3339(at: Timestamp) -> Result<String, time::Error> {
    let nanos = i128::from(at.millis()).saturating_mul(1_000_000);
    Ok(OffsetDateTime::from_unix_timestamp_nanos(nanos)?.format(&Iso8601::<MILLISECONDS>)?)
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
            r#"{"id":9,"uid":1,"oid":2,"amount":100,"source":0,"status":0,"currency":"CNY","refunded":0,"create_time":"2026-06-23T09:01:11.123Z","update_time":"2026-06-23T09:01:11.123Z"}"#
        );
    }

    #[test]
    fn every_timestamp_prints() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1, "1970-01-01T00:00:00.001Z"),
            (1_782_205_271_720, "2026-06-23T09:01:11.720Z"),
            (1_782_205_271_000, "2026-06-23T09:01:11.000Z"),
        ] {
            assert_eq!(rfc3339(Timestamp::from_millis(millis).unwrap()).unwrap(), text);
        }
        let last = rfc3339(Timestamp::from_millis(Timestamp::MAX_MILLIS).unwrap()).unwrap();
        assert_eq!(last.len(), "1970-01-01T00:00:00.000Z".len(), "{last}");
    }
}
