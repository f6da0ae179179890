//! The operator's program `payctl`, and what it is made of: a table as its items are, the audit of it,
//! the diagnosis of a webhook's signature.
//!
//! It reads a table by itself and not through the adapter of the functions, so that the audit finds
//! what the adapter misreads. What changes a record goes through the adapter and the use cases.

mod arguments;
pub mod audit;
mod cli;
mod console;
pub mod doctor;
mod event;
mod history;
mod lambda;
pub mod limits;
mod name;
mod operation;
mod print;
mod row;
mod scheme;
mod table;
mod target;

pub use cli::run;
pub use operation::decide_refund;
pub use row::Row;
pub use scheme::Scheme;
pub use table::Table;
