//! What an operator does: decides on a notification, has a function act. The command line and the console
//! do it by this code, and each shows in its own way what came of it.

mod call;
mod decide;
mod give_back;
mod intention;
mod quarantined;
mod unreadable;

pub(crate) use self::call::{FunctionCall, FunctionRole, SWEEP_LIMIT_DEFAULT, SWEEP_LIMIT_MOST};
pub(crate) use self::decide::{MadeDecision, NotDecided, WantedDecision, decide};
pub use self::give_back::decide_refund;
pub(crate) use self::give_back::{give_back, refund_of};
pub(crate) use self::intention::{Intention, intend, is_key};
pub(crate) use self::quarantined::{find, named, payment};
