//! The local stack: a whole cloud for the three functions in one process.
//!
//! [`Stack`] builds and runs the real function binaries behind an API Gateway, a Lambda, a
//! DynamoDB, a Secrets Manager, a shop and payment providers, all on 127.0.0.1 unless another address is set. The
//! end-to-end tests start it in-process; `cargo local` serves it to a person. Nothing here ships.

#![expect(clippy::missing_errors_doc, reason = "an error is a sentence for whoever runs it")]

pub mod binaries;
pub mod client;
pub mod clock;
pub mod defaults;
mod dynamodb;
pub mod events;
pub mod faults;
mod gateway;
pub mod keys;
mod lambda;
pub mod messages;
mod secrets;
mod shop;
pub mod signing;
pub mod simulator;
mod stack;
mod task;
pub mod template;
pub mod tokens;
pub mod torture;

pub use dynamodb::{Action, DynamoDb, create_table};
pub use faults::{Fault, Faults, Held, Noted};
pub use gateway::BODY_MAX;
pub use lambda::{FunctionError, Instance, PAYLOAD_MAX};
pub use payctl::Scheme;
pub use secrets::Secrets;
pub use shop::{Order, OrderPaidCall, OrderRefundedCall, Shop, ShopRoute};
pub use simulator::{Account, Delivery};
pub use stack::{Stack, StackOptions};
