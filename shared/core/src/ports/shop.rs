//! The shop's own services: its users and its orders.

use std::fmt;

use super::Cause;
use crate::domain::{OrderId, Payment, Refund, UserId};

/// An order, as far as a payment needs to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    /// The user who placed it.
    pub uid: UserId,
    /// Its price in minor units of the deployment's currency. Any number: it is the shop's own.
    pub amount_minor: u64,
    /// Whether it is paid, or in another status in which it takes no payment.
    pub paid: bool,
}

/// Why a call to the shop gave no usable response.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// The order of a notification does not exist there.
    #[error("the order does not exist in the order service")]
    Absent,
    /// Down, too slow, rejected our call, or sent an unusable response.
    #[error("the shop sent no usable response")]
    Unavailable(#[source] Cause),
}

/// The shop's users.
pub trait Users {
    /// Whether a user exists.
    ///
    /// # Errors
    ///
    /// [`ShopError::Unavailable`]; never [`ShopError::Absent`].
    fn exists(
        &self,
        uid: UserId,
        trace: &TraceParent,
    ) -> impl Future<Output = Result<bool, ShopError>> + Send;
}

/// The shop's orders. Every call is on behalf of `payer`.
pub trait Orders {
    /// Finds an order; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`ShopError::Unavailable`]; never [`ShopError::Absent`].
    fn find(
        &self,
        oid: OrderId,
        payer: UserId,
        trace: &TraceParent,
    ) -> impl Future<Output = Result<Option<Order>, ShopError>> + Send;

    /// Notifies the order service that the payment's order is paid. Repeating it is no error.
    ///
    /// # Errors
    ///
    /// [`ShopError::Absent`] if the order is gone, [`ShopError::Unavailable`] otherwise; the
    /// notification may have arrived in either case.
    fn notify_paid(
        &self,
        payment: &Payment,
        trace: &TraceParent,
    ) -> impl Future<Output = Result<(), ShopError>> + Send;

    /// Whether it is notified of refunds.
    fn hears_of_refunds(&self) -> bool;

    /// Notifies the order service that this refund of the payment succeeded. Repeating it is no error.
    ///
    /// # Errors
    ///
    /// As [`Self::notify_paid`].
    fn notify_refunded(
        &self,
        payment: &Payment,
        refund: &Refund,
        trace: &TraceParent,
    ) -> impl Future<Output = Result<(), ShopError>> + Send;
}

/// The W3C `traceparent` of an invocation, passed on with every call it makes.
///
/// Source: W3C Trace Context, section 3.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent(String);

impl TraceParent {
    /// Takes over a caller's header; `None` for one that is not of version 00.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let well_formed = parts.next().is_none()
            && version == "00"
            && [(trace, 32), (span, 16), (flags, 2)].iter().all(|(hex, len)| {
                hex.len() == *len && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            })
            && [trace, span].iter().all(|id| id.bytes().any(|digit| digit != b'0'));
        well_formed.then(|| Self(header.to_owned()))
    }

    /// Starts a trace. An id of all zeros is invalid; it becomes 1.
    #[must_use]
    pub fn start(trace: u128, span: u64) -> Self {
        Self(format!("00-{:032x}-{:016x}-00", trace.max(1), span.max(1)))
    }

    /// The trace id: 32 hexadecimal digits, the same in all calls of a trace.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        self.0.split('-').nth(1).unwrap_or_default()
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..<_>::default() })]

        #[test]
        fn every_trace_that_is_started_is_read(trace in any::<u128>(), span in any::<u64>()) {
            let started = TraceParent::start(trace, span);
            assert_eq!(TraceParent::parse(&started.to_string()), Some(started));
        }

        #[test]
        fn a_trace_that_is_read_prints_the_same_and_is_a_header(
            text in prop_oneof![
                ".{0,60}",
                "0[01]-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-g]{2}(-|-00)?",
                "00-[0-9a-fA]{31,33}-[0-9a-f]{15,17}-[0-9a-f]{2}",
            ],
        ) {
            if let Some(trace) = TraceParent::parse(&text) {
                assert_eq!(trace.to_string(), text);
                assert!(text.bytes().all(|byte| byte.is_ascii_graphic()) && text.len() == 55);
            }
        }
    }

    #[test]
    fn only_a_well_formed_traceparent_is_taken_over() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceParent::parse(good).unwrap().to_string(), good);
        let started = TraceParent::start(0, 7).to_string();
        assert_eq!(TraceParent::parse(&started).unwrap().to_string(), started);
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nx: y",
        ] {
            assert!(TraceParent::parse(bad).is_none(), "{bad}");
        }
    }
}
