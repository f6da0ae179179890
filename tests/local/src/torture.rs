//! Many clients at the real functions, while instances die and everything around them fails; then
//! everything is healed, and what must always hold is checked over the whole table and the shop.

mod chaos;
pub mod check;
mod client;
mod deliver;
mod heal;
mod report;
mod world;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use futures_util::future::join_all;
use tokio::time::Instant;

use self::chaos::{Chaos, Failures};
use self::client::Client;
use self::deliver::Door;
use self::world::World;
use crate::Stack;
use crate::operator::Table;
use crate::seeded::Seeded;

pub use self::report::Report;
pub use self::world::Facts;

/// How many clients there are at a time.
const CLIENTS: u64 = 8;

/// What is done to a stack.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// For how long.
    pub time: Duration,
    /// The seed of every choice. Who is faster is not chosen.
    pub seed: u64,
}

/// Tortures a stack that nobody else uses, heals it and checks it.
///
/// # Errors
///
/// The stack itself fails: its table cannot be read.
pub async fn run(stack: &Stack, options: Options) -> Result<Report> {
    let (facts, mut report) = torment(stack, options).await?;
    let rows = Table::open(Some(&stack.dynamodb), &stack.table)?.items().await?;
    report.judge(stack, &rows, &facts);
    Ok(report)
}

/// The run and the healing, without the check: what was noted on the way, and the figures.
///
/// # Errors
///
/// As [`run`].
pub async fn torment(stack: &Stack, options: Options) -> Result<(Facts, Report)> {
    let world = Mutex::new(World::default());
    let door = Door::new(stack, &world)?;
    let seeded = Seeded::new(options.seed);
    let end = Instant::now().checked_add(options.time).unwrap_or_else(Instant::now);
    let clients = (1..=CLIENTS).map(|number| Client::new(&door, seeded.fork(number)).run(end));
    // Beyond the clients' numbers.
    let [wounding, failing, healing] =
        [1, 2, 3].map(|number| seeded.fork(CLIENTS.saturating_add(number)));
    let (_, wounds, ()) = tokio::join!(
        join_all(clients),
        Chaos::new(stack, wounding).run(end),
        Failures::new(stack, failing).run(end)
    );
    heal::heal(&door, healing).await?;
    let world = world.into_inner().unwrap_or_else(PoisonError::into_inner);
    let report = Report::new(options, &world, stack.faults(), wounds);
    Ok((world.facts, report))
}
