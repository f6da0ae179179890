//! What a call of a port returns, as data: a value that can be compared and passed on.

use pay_core::{
    domain::{Checkout, Guard, Notification, Payment, PaymentId, Quarantined, Refund, RefundId},
    ports::{
        Appended, CheckoutCallError, Created, DueItem, Order, QueryError, QueryResponse,
        RefundCallError, Resolved, ShopError, StartedCheckout, StoreError, Updated,
    },
};

/// What a call of a port returns, as data.
pub(crate) type Response = Result<Value, Failed>;

pub(super) fn response<T: Into<Value>, E: Into<Failed>>(result: Result<T, E>) -> Response {
    result.map(Into::into).map_err(Into::into)
}

macro_rules! values {
    ($($kind:ident($type:ty),)+) => {
        /// What a call that succeeds returns; each type has one variant.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) enum Value {
            $($kind($type),)+
        }

        $(impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$kind(value)
            }
        }

        impl TryFrom<Value> for $type {
            type Error = Value;

            fn try_from(value: Value) -> Result<Self, Value> {
                if let Value::$kind(value) = value { Ok(value) } else { Err(value) }
            }
        })+
    };
}

values! {
    Hint(Option<PaymentId>),
    Guard(Option<Guard>),
    Payment(Option<Payment>),
    Created(Created),
    Updated(Updated),
    Appended(Appended),
    Listed(Vec<PaymentId>),
    Due(Vec<DueItem>),
    Refund(Option<Refund>),
    RefundNamed(Option<RefundId>),
    Queried(QueryResponse),
    MadeRefund(MadeRefund),
    Refunds(Vec<Refund>),
    Checkouts(Vec<Checkout>),
    MadeCheckout(MadeCheckout),
    Quarantined(Option<Quarantined>),
    Resolved(Resolved),
    Is(bool),
    Order(Option<Order>),
    Done(()),
}

/// What a provider responds that is asked to make a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MadeRefund {
    Taken(QueryResponse),
    Refused { code: String, report: Box<Notification> },
}

impl MadeRefund {
    /// What the port returned, with what it says of it.
    pub(super) fn of(result: Result<QueryResponse, RefundCallError>) -> Result<Self, QueryError> {
        match result {
            Ok(taken) => Ok(Self::Taken(taken)),
            Err(RefundCallError::Refused { code, report }) => Ok(Self::Refused { code, report }),
            Err(RefundCallError::Unknown(error)) => Err(error),
        }
    }

    pub(super) fn into_result(self) -> Result<QueryResponse, RefundCallError> {
        match self {
            Self::Taken(taken) => Ok(taken),
            Self::Refused { code, report } => Err(RefundCallError::Refused { code, report }),
        }
    }
}

/// What a provider responds that is asked to make a checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MadeCheckout {
    Started(StartedCheckout),
    Refused { code: String, is_absent: bool },
    Ended,
}

impl MadeCheckout {
    /// What the port returned.
    pub(super) fn of(
        result: Result<StartedCheckout, CheckoutCallError>,
    ) -> Result<Self, QueryError> {
        match result {
            Ok(started) => Ok(Self::Started(started)),
            Err(CheckoutCallError::Refused { code, is_absent }) => {
                Ok(Self::Refused { code, is_absent })
            }
            Err(CheckoutCallError::Ended) => Ok(Self::Ended),
            Err(CheckoutCallError::Unknown(error)) => Err(error),
        }
    }

    pub(super) fn into_result(self) -> Result<StartedCheckout, CheckoutCallError> {
        match self {
            Self::Started(started) => Ok(started),
            Self::Refused { code, is_absent } => {
                Err(CheckoutCallError::Refused { code, is_absent })
            }
            Self::Ended => Err(CheckoutCallError::Ended),
        }
    }
}

/// Why a call failed, without the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    Unavailable,
    Unknown,
    Fault,
    Absent,
    Unusable,
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable,
            StoreError::Unknown(_) => Self::Unknown,
            StoreError::Fault(_) => Self::Fault,
        }
    }
}

impl From<ShopError> for Failed {
    fn from(error: ShopError) -> Self {
        match error {
            ShopError::Absent => Self::Absent,
            ShopError::Unavailable(_) => Self::Unavailable,
        }
    }
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Unavailable => Self::Unavailable("explored".into()),
            Failed::Unknown => Self::Unknown("explored".into()),
            Failed::Fault | Failed::Absent | Failed::Unusable => Self::Fault("explored".into()),
        }
    }
}

impl From<Failed> for ShopError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Absent => Self::Absent,
            Failed::Unavailable | Failed::Unknown | Failed::Fault | Failed::Unusable => {
                Self::Unavailable("explored".into())
            }
        }
    }
}

impl From<QueryError> for Failed {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Unavailable(_) => Self::Unavailable,
            QueryError::Unusable(_) | QueryError::Rejected(_) | QueryError::NoKey => Self::Unusable,
        }
    }
}

impl From<Failed> for QueryError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Unusable => Self::Unusable("explored".into()),
            Failed::Unavailable | Failed::Unknown | Failed::Fault | Failed::Absent => {
                Self::Unavailable("explored".into())
            }
        }
    }
}
