//! What the handlers of the three functions share: events in, responses out, whoever calls.
//!
//! There are two entry points, recognised by the event's shape: API Gateway, where every outcome is an
//! HTTP response, and direct invoke, where a problem is a function error. No payment rule lives here.

mod api;
mod code;
mod fields;
mod gate;
mod idempotency;
mod operation;
mod payment;
mod problem;
mod response;
mod serve;

pub use api::ApiRequest;
pub use code::Code;
pub use fields::Fields;
pub use idempotency::{IDEMPOTENCY_FIELD, IDEMPOTENCY_HEADER, idempotency_digest};
pub use pay_providers::sha256;
pub use payment::{payment_body, rfc3339};
pub use problem::Problem;
pub use response::{FunctionError, OtherResponse, Reply, Response};
pub use serve::{EntryPoint, Invocation, serve};
