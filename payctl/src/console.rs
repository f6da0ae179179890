//! The console: pages on the operator's own machine, on the code of the commands.
//!
//! It has the operator's credentials and nothing else, so IAM decides what it shows and does. What keeps other
//! programs and pages of the machine out is in `access`.

mod access;
mod app;
mod audit_job;
mod body;
mod export;
mod fault;
mod form;
mod functions;
mod page;
mod pages;
mod serve;
mod view;

pub(crate) use self::access::Access;
pub(crate) use self::app::{App, Place};
pub(crate) use self::audit_job::AuditJob;
pub(crate) use self::functions::Functions;
pub(crate) use self::serve::ConsoleServer;
