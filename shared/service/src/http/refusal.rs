//! A request refused: what the caller is told, and beside it what only the log is told.

use pay_core::{
    domain::PaymentId,
    ports::{Cause, NoKeys, StoreError},
    usecases::{callback::CallbackError, create::CreateError, detail::DetailError},
};
use serde::Serialize;

use super::Code;

/// Why a request got no answer of its own.
#[derive(Debug)]
pub struct Refusal {
    /// What the caller can act on.
    pub code: Code,
    /// What is wrong with the request, where it is the caller's to mend.
    detail: Option<String>,
    /// The payment that is there already, for its owner.
    payment: Option<PaymentId>,
    /// For the log only.
    pub(super) cause: Option<Cause>,
    /// Says it in a provider's own JSON, where that knows nothing of problems.
    pub(super) own_form: Option<fn(Code) -> String>,
}

/// The body of a refusal: an RFC 9457 problem. Nothing of the cause.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<u64>,
    request_id: &'a str,
}

impl Refusal {
    /// A request that cannot be read; `detail` says what to mend, in words of ours.
    #[must_use]
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::from(Code::InvalidRequest) }
    }

    /// A field that is missing, of the wrong kind or out of range.
    #[must_use]
    pub fn bad_field(name: &'static str) -> Self {
        Self::invalid(format!("`{name}` is missing, of another type, or out of range"))
    }

    /// A dependency that is down.
    #[must_use]
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self { cause: Some(cause.into()), ..Self::from(Code::Unavailable) }
    }

    /// Our own fault.
    #[must_use]
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self { cause: Some(cause.into()), ..Self::from(Code::Internal) }
    }

    /// Says it on the HTTP door in the JSON that `form` writes, instead of as a problem.
    #[must_use]
    pub fn in_form(self, form: fn(Code) -> String) -> Self {
        Self { own_form: Some(form), ..self }
    }

    /// The problem as JSON.
    pub(super) fn problem(&self, request_id: &str) -> String {
        let problem = Problem {
            r#type: format!("urn:problem:pay:{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            code: self.code.number(),
            detail: self.detail.as_deref(),
            payment_id: self.payment.map(PaymentId::get),
            request_id,
        };
        // A struct of texts and numbers always serializes.
        serde_json::to_string(&problem).unwrap_or_default()
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self { code, detail: None, payment: None, cause: None, own_form: None }
    }
}

impl From<NoKeys> for Refusal {
    fn from(error: NoKeys) -> Self {
        Self::unavailable(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) | StoreError::Unknown(cause) => Self::unavailable(cause),
            StoreError::Fault(cause) => Self::internal(cause),
        }
    }
}

impl From<CreateError> for Refusal {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::UserNotFound => Code::UserNotFound.into(),
            CreateError::OrderNotFound => Code::OrderNotFound.into(),
            CreateError::KeyReused => Code::KeyReused.into(),
            CreateError::PaymentExists(payment) => {
                Self { payment, ..Self::from(Code::PaymentExists) }
            }
            CreateError::OrderPaid => Code::OrderPaid.into(),
            CreateError::AmountMismatch => Code::AmountMismatch.into(),
            CreateError::Unavailable(cause) => Self::unavailable(cause),
            CreateError::Fault(cause) => Self::internal(cause),
        }
    }
}

impl From<DetailError> for Refusal {
    fn from(error: DetailError) -> Self {
        match error {
            DetailError::NotFound => Code::PaymentNotFound.into(),
            DetailError::Unavailable(cause) => Self::unavailable(cause),
            DetailError::Fault(cause) => Self::internal(cause),
        }
    }
}

impl From<CallbackError> for Refusal {
    fn from(error: CallbackError) -> Self {
        match error {
            CallbackError::Misfit(misfit) => Code::from(misfit).into(),
            CallbackError::Unavailable(cause) => Self::unavailable(cause),
            CallbackError::Fault(cause) => Self::internal(cause),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_to_do_and_nothing_of_the_cause() {
        let refusal = Refusal::internal("SELECT * FROM pay");
        assert_eq!(
            refusal.problem("req-1"),
            r#"{"type":"urn:problem:pay:internal","title":"Internal error","status":500,"code":500,"request_id":"req-1"}"#
        );
    }

    #[test]
    fn the_owner_of_a_payment_that_exists_is_told_its_id() {
        let id = PaymentId::new(42).unwrap();
        let problem = Refusal::from(CreateError::PaymentExists(Some(id))).problem("r");
        assert!(problem.contains(r#""title":"Payment order created","status":409,"code":100"#));
        assert!(problem.contains(r#""payment_id":42"#), "{problem}");
        let problem = Refusal::from(CreateError::PaymentExists(None)).problem("r");
        assert!(!problem.contains("payment_id"), "{problem}");
    }
}
