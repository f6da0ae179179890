//! End-to-end tests.

// Only here does clippy let a helper unwrap, as a test may.
#![cfg(test)]

mod api;
mod bench;
mod budgets;
mod checkout;
mod checkouts;
mod console;
mod doctor;
mod echo;
mod events;
mod faults;
mod flow;
mod gateway;
#[path = "../fuzz/handlers.rs"]
mod handlers;
mod house;
mod large_ids;
mod line;
mod logs;
mod metrics;
mod migrating;
mod odd_input;
mod openapi;
mod operations;
mod outages;
mod payctl;
mod problems;
mod providers;
mod queries;
mod races;
mod readme;
mod refunds;
mod shop;
mod stack;
mod stage;
mod store;
mod sweep;
mod table;
mod template;
mod tools;
mod torture;
