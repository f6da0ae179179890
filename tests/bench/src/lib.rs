//! Runs functions against canned services and measures them.
//!
//! `cargo local bench` decides what is run and makes sense of the figures; here is only what has to
//! be fast for them to be true: the services, the Runtime API, the bare client. A [`plan::Plan`]
//! comes in, one [`plan::Figure`] for each piece of work goes out.

mod authority;
mod client;
mod fetch;
mod http1;
mod instance;
pub mod plan;
mod quota;
mod runtime_api;
mod services;
mod size;
mod spin;
mod work;

pub use authority::Authority;
pub use client::run as client;
pub use size::zipped;
pub use work::{Bench, quota_refused};
