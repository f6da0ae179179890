//! End-to-end tests.

// `cfg(test)` tells clippy that a helper here may unwrap as a test may.
#[cfg(test)]
mod api;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod budgets;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod echo;
#[cfg(test)]
mod events;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod gateway;
#[cfg(test)]
#[path = "../fuzz/handlers.rs"]
mod handlers;
#[cfg(test)]
mod house;
#[cfg(test)]
mod line;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod odd_input;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod payctl;
#[cfg(test)]
mod problems;
#[cfg(test)]
mod providers;
#[cfg(test)]
mod races;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod shop;
#[cfg(test)]
mod stack;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod store;
#[cfg(test)]
mod sweep;
#[cfg(test)]
mod table;
#[cfg(test)]
mod template;
#[cfg(test)]
mod tools;
#[cfg(test)]
mod torture;
