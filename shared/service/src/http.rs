//! The edge that the three functions share: events in, answers out, whoever calls.
//!
//! One handler has two doors, told apart by the event's shape: API Gateway, where every outcome is
//! an answer, and direct invoke, where a refusal is a function error. No payment rule lives here.

mod answer;
mod api;
mod code;
mod fields;
mod gate;
mod payment;
mod refusal;
mod serve;
mod sha;

pub use answer::{Answer, FunctionError, Reply};
pub use api::ApiRequest;
pub use code::Code;
pub use fields::Fields;
pub use payment::payment_body;
pub use refusal::Refusal;
pub use serve::{Door, Invocation, serve};
pub use sha::sha256;
