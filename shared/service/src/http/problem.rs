//! Problems: what the caller gets, and beside it what only the log gets.

use pay_core::{
    domain::PaymentId,
    ports::{Cause, NoKeys, StoreError},
    usecases::{
        Failure, apply::ApplyError, checkout::CheckoutError, close::CloseError,
        create::CreateError, detail::DetailError, refund::RefundError,
    },
};
use serde::Serialize;

use super::Code;

/// What passes requests on to a function.
const HTTP_API: &str = "an HTTP API of API Gateway in payload format 2.0";

/// Why a request did not succeed.
#[derive(Debug)]
pub struct Problem {
    /// What the caller can act on.
    pub code: Code,
    /// What is wrong with the request, where the caller can fix it.
    detail: Option<String>,
    /// The payment that exists already, for its owner.
    payment: Option<PaymentId>,
    /// The code by which the provider refused.
    provider_code: Option<String>,
    /// For the log only.
    pub(super) cause: Option<Cause>,
    /// Writes the title as a provider's own JSON, for a provider that does not read problems.
    pub(super) own_form: Option<fn(&str) -> String>,
}

/// The body: an RFC 9457 problem. Nothing of the cause.
#[derive(Serialize)]
struct ProblemBody<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_code: Option<&'a str>,
    request_id: &'a str,
}

impl Problem {
    /// A request that cannot be read; `detail` says what to fix.
    #[must_use]
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::from(Code::InvalidRequest) }
    }

    /// A field that is missing, of the wrong kind or out of range.
    #[must_use]
    pub fn bad_field(name: &'static str) -> Self {
        Self::invalid(format!("`{name}` is missing, of another type, or out of range"))
    }

    /// A request that came by another way than the API of the template: whoever runs it must change
    /// what passes requests on, so it says what is expected.
    #[must_use]
    pub fn other_event() -> Self {
        Self::invalid(format!("expected a request through {HTTP_API}"))
    }

    /// As [`Self::other_event`], where the API is right and its route is not one of these.
    #[must_use]
    pub fn other_route(routes: impl Iterator<Item = &'static str>) -> Self {
        let routes: Vec<_> = routes.map(|route| format!("`{route}`")).collect();
        let routes = routes.join(" or ");
        Self::invalid(format!("expected a request through {HTTP_API}, by the route {routes}"))
    }

    /// A dependency that is down.
    #[must_use]
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self { cause: Some(cause.into()), ..Self::from(Code::Unavailable) }
    }

    /// A fault of ours.
    #[must_use]
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self { cause: Some(cause.into()), ..Self::from(Code::Internal) }
    }

    /// Has the API respond with the JSON that `form` writes of the title, instead of with a problem.
    #[must_use]
    pub fn in_form(self, form: fn(&str) -> String) -> Self {
        Self { own_form: Some(form), ..self }
    }

    /// The problem as JSON.
    pub(super) fn problem(&self, request_id: &str) -> String {
        let problem = ProblemBody {
            r#type: format!("urn:problem:pay:{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            code: self.code.number(),
            detail: self.detail.as_deref(),
            payment_id: self.payment.map(PaymentId::get),
            provider_code: self.provider_code.as_deref(),
            request_id,
        };
        // A struct of texts and numbers always serializes.
        serde_json::to_string(&problem).unwrap_or_default()
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self { code, detail: None, payment: None, provider_code: None, cause: None, own_form: None }
    }
}

impl From<NoKeys> for Problem {
    fn from(error: NoKeys) -> Self {
        Self::unavailable(error)
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable(cause) => Self::unavailable(cause),
            Failure::Fault(cause) => Self::internal(cause),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Failure::from(error).into()
    }
}

impl From<CreateError> for Problem {
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
            CreateError::Failed(failure) => failure.into(),
        }
    }
}

impl From<DetailError> for Problem {
    fn from(error: DetailError) -> Self {
        match error {
            DetailError::NotFound => Code::PaymentNotFound.into(),
            DetailError::Failed(failure) => failure.into(),
        }
    }
}

impl From<RefundError> for Problem {
    fn from(error: RefundError) -> Self {
        match error {
            RefundError::PaymentNotFound => Code::PaymentNotFound.into(),
            RefundError::KeyReused => Code::KeyReused.into(),
            RefundError::NotRefundable(why) => {
                Self { detail: Some(why.to_owned()), ..Self::from(Code::PaymentNotPayable) }
            }
            RefundError::ExceedsPayment => Code::RefundExceedsPayment.into(),
            RefundError::Refused(code) => {
                Self { provider_code: Some(code), ..Self::from(Code::ProviderRefused) }
            }
            RefundError::Failed(failure) => failure.into(),
        }
    }
}

impl From<CheckoutError> for Problem {
    fn from(error: CheckoutError) -> Self {
        match error {
            CheckoutError::PaymentNotFound => Code::PaymentNotFound.into(),
            CheckoutError::NotPayable(why) => {
                Self { detail: Some(why.to_owned()), ..Self::from(Code::PaymentNotPayable) }
            }
            CheckoutError::Refused(code) => {
                Self { provider_code: Some(code), ..Self::from(Code::ProviderRefused) }
            }
            CheckoutError::Failed(failure) => failure.into(),
        }
    }
}

impl From<CloseError> for Problem {
    fn from(error: CloseError) -> Self {
        match error {
            CloseError::PaymentNotFound => Code::PaymentNotFound.into(),
            CloseError::Failed(failure) => failure.into(),
        }
    }
}

impl From<ApplyError> for Problem {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Mismatch(mismatch) => Code::from(mismatch.field).into(),
            ApplyError::NotOurs => Code::PaymentNotFound.into(),
            ApplyError::Failed(failure) => failure.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_to_do_and_nothing_of_the_cause() {
        let problem = Problem::internal("SELECT * FROM pay");
        assert_eq!(
            problem.problem("req-1"),
            r#"{"type":"urn:problem:pay:internal","title":"Internal error","status":500,"code":500,"request_id":"req-1"}"#
        );
    }

    #[test]
    fn the_owner_of_a_payment_that_exists_gets_its_id() {
        let id = PaymentId::new(42).unwrap();
        let problem = Problem::from(CreateError::PaymentExists(Some(id))).problem("r");
        assert!(problem.contains(r#""title":"Payment order created","status":409,"code":100"#));
        assert!(problem.contains(r#""payment_id":42"#), "{problem}");
        let problem = Problem::from(CreateError::PaymentExists(None)).problem("r");
        assert!(!problem.contains("payment_id"), "{problem}");
    }
}
