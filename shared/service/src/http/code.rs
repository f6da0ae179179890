//! What a client can act on: the problem codes of the API. Add, never rename.

use http::StatusCode;
use pay_core::domain::MismatchField;

/// The kind of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The body is longer than the route allows.
    BodyTooLarge,
    /// Not JSON in UTF-8, or encoded.
    UnsupportedMediaType,
    /// The request cannot be read, or a value is out of range.
    InvalidRequest,
    /// No payment provider of this name.
    ProviderNotFound,
    /// No valid token.
    Unauthenticated,
    /// No valid signature.
    BadSignature,
    /// An authentic caller who may not do this.
    Forbidden,
    /// No such user.
    UserNotFound,
    /// No such order, or another user's.
    OrderNotFound,
    /// The order has a live payment.
    PaymentExists,
    /// Another request with the same key created the order's payment.
    KeyReused,
    /// The order takes no payment.
    OrderPaid,
    /// No such payment, or another user's.
    PaymentNotFound,
    /// The payment is in no state in which this can be done, or its provider has no keys.
    PaymentNotPayable,
    /// More is to be refunded than is left.
    RefundExceedsPayment,
    /// The provider refused.
    ProviderRefused,
    /// Another amount than the order's or the record's.
    AmountMismatch,
    /// Another user, order or currency than the record's.
    RecordMismatch,
    /// An authentic notification that the record's status or provider reference does not allow.
    StatusConflict,
    /// A dependency is down, or the outcome of a write is unknown. Repeating the request is safe.
    Unavailable,
    /// Our fault. Repeating does not help until it is fixed.
    Internal,
}

impl Code {
    /// Every code, in the order of the table in docs/api.md.
    pub const ALL: [Self; 21] = [
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::InvalidRequest,
        Self::ProviderNotFound,
        Self::Unauthenticated,
        Self::BadSignature,
        Self::Forbidden,
        Self::UserNotFound,
        Self::OrderNotFound,
        Self::PaymentExists,
        Self::KeyReused,
        Self::OrderPaid,
        Self::PaymentNotFound,
        Self::PaymentNotPayable,
        Self::RefundExceedsPayment,
        Self::ProviderRefused,
        Self::AmountMismatch,
        Self::RecordMismatch,
        Self::StatusConflict,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The slug: the end of the problem's `type`, and a direct caller's `errorType`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "body-too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::InvalidRequest => "invalid-request",
            Self::ProviderNotFound => "provider-not-found",
            Self::Unauthenticated => "unauthenticated",
            Self::BadSignature => "bad-signature",
            Self::Forbidden => "forbidden",
            Self::UserNotFound => "user-not-found",
            Self::OrderNotFound => "order-not-found",
            Self::PaymentExists => "payment-exists",
            Self::KeyReused => "key-reused",
            Self::OrderPaid => "order-paid",
            Self::PaymentNotFound => "payment-not-found",
            Self::PaymentNotPayable => "payment-not-payable",
            Self::RefundExceedsPayment => "refund-exceeds-payment",
            Self::ProviderRefused => "provider-refused",
            Self::AmountMismatch => "amount-mismatch",
            Self::RecordMismatch => "record-mismatch",
            Self::StatusConflict => "status-conflict",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// The problem's `title`. Where the replaced service had a text for it, that text.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "The request body is too large",
            Self::UnsupportedMediaType => "The request body must be application/json in UTF-8",
            Self::InvalidRequest => "The request is not valid",
            Self::ProviderNotFound => "Payment provider does not exist",
            Self::Unauthenticated => "A valid token is required",
            Self::BadSignature => "A valid and recent signature is required",
            Self::Forbidden => "This caller may not do this",
            Self::UserNotFound => "User does not exist",
            Self::OrderNotFound => "Order does not exist",
            Self::PaymentExists => "Payment order created",
            Self::KeyReused => "The Idempotency-Key was used for another request",
            Self::OrderPaid => "Order is already paid",
            Self::PaymentNotFound => "Payment does not exist",
            Self::PaymentNotPayable => "The payment does not allow this now",
            Self::RefundExceedsPayment => "More than is left of the payment",
            Self::ProviderRefused => "The payment provider refused",
            Self::AmountMismatch => "The payment amount is inconsistent with the order amount",
            Self::RecordMismatch => "The message does not match the payment",
            Self::StatusConflict => "The payment does not allow this; it is kept for a person",
            Self::Unavailable => "Temporarily unavailable; repeating the request is safe",
            Self::Internal => "Internal error",
        }
    }

    /// The HTTP status. Never 410: senders of webhooks disable an endpoint on it.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::Unauthenticated | Self::BadSignature => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::ProviderNotFound
            | Self::UserNotFound
            | Self::OrderNotFound
            | Self::PaymentNotFound => StatusCode::NOT_FOUND,
            Self::PaymentExists
            | Self::OrderPaid
            | Self::PaymentNotPayable
            | Self::StatusConflict => StatusCode::CONFLICT,
            Self::KeyReused
            | Self::RefundExceedsPayment
            | Self::ProviderRefused
            | Self::AmountMismatch
            | Self::RecordMismatch => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The number clients of the replaced service know: 100 rejected by a rule, 500 our fault, else
    /// the HTTP status.
    #[must_use]
    pub fn number(self) -> u16 {
        match self {
            Self::BodyTooLarge
            | Self::UnsupportedMediaType
            | Self::InvalidRequest
            | Self::ProviderNotFound
            | Self::Unauthenticated
            | Self::BadSignature
            | Self::Forbidden => self.status().as_u16(),
            Self::UserNotFound
            | Self::OrderNotFound
            | Self::PaymentExists
            | Self::KeyReused
            | Self::OrderPaid
            | Self::PaymentNotFound
            | Self::PaymentNotPayable
            | Self::RefundExceedsPayment
            | Self::ProviderRefused
            | Self::AmountMismatch
            | Self::RecordMismatch
            | Self::StatusConflict => 100,
            Self::Unavailable | Self::Internal => 500,
        }
    }
}

impl From<MismatchField> for Code {
    fn from(field: MismatchField) -> Self {
        match field {
            MismatchField::User => Self::UserNotFound,
            MismatchField::Order => Self::OrderNotFound,
            MismatchField::Payment => Self::PaymentNotFound,
            MismatchField::Amount | MismatchField::Refunded => Self::AmountMismatch,
            MismatchField::Account
            | MismatchField::Uid
            | MismatchField::Oid
            | MismatchField::Currency => Self::RecordMismatch,
            MismatchField::Outcome | MismatchField::Reference | MismatchField::LivePayment => {
                Self::StatusConflict
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mismatch_has_the_problem_of_the_contract() {
        let problems = MismatchField::ALL.map(|field| Code::from(field).as_str());
        let contract = [
            "user-not-found",
            "order-not-found",
            "payment-not-found",
            "status-conflict",
            "amount-mismatch",
            "record-mismatch",
            "record-mismatch",
            "record-mismatch",
            "record-mismatch",
            "amount-mismatch",
            "status-conflict",
            "status-conflict",
        ];
        assert_eq!(problems, contract);
    }
}
