//! Many clients of the real functions, while instances die and the services around them fail. Then
//! everything recovers, and the invariants are checked over the whole table and the shop.

mod chaos;
pub mod check;
mod client;
mod deliver;
mod heal;
mod money;
mod payer;
mod place;
mod quarantine;
mod report;
mod schedule;
mod world;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use fastrand::Rng;
use futures_util::future::join_all;
use pay_core::domain::Provider;
use payctl::Table;
use tokio::time::Instant;

use self::chaos::{Chaos, Failures};
use self::client::Client;
use self::deliver::EntryPoint;
use self::world::World;
use crate::Stack;

pub use self::report::Report;
pub use self::world::Facts;

/// How many clients act at the same time.
const CLIENTS: u64 = 8;

/// Options of a run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How long the clients act.
    pub time: Duration,
    /// The seed of every choice. The order of concurrent calls is not a choice.
    pub seed: u64,
}

/// Runs on a stack that nobody else uses, lets it recover and checks it.
pub async fn run(stack: &Stack, options: Options) -> Result<Report> {
    let (facts, mut report) = torment(stack, options).await?;
    let rows = Table::open(Some(&stack.dynamodb), &stack.table)?.items().await?;
    report.judge(stack, &rows, &facts);
    Ok(report)
}

/// The run and the recovery without the check. Returns what was noted, and the figures.
pub async fn torment(stack: &Stack, options: Options) -> Result<(Facts, Report)> {
    let world = Mutex::new(World::default());
    let entry_point = EntryPoint::new(stack, &world)?;
    let mut seeded = Rng::with_seed(options.seed);
    let [damaging, failing, sweeping, healing] = [(); 4].map(|()| seeded.fork());
    let end = Instant::now().checked_add(options.time).unwrap_or_else(Instant::now);
    let clients = (0..CLIENTS).map(|_| Client::new(&entry_point, seeded.fork()).run(end));
    let (_, damage, (), ()) = tokio::join!(
        join_all(clients),
        Chaos::new(stack, damaging).run(end),
        Failures::new(stack, failing).run(end),
        schedule::run(&entry_point, sweeping, end)
    );
    Box::pin(heal::heal(&entry_point, healing)).await?;
    for &provider in Provider::ALL {
        let account = stack.account(provider)?;
        entry_point.note_webhooks(account);
        let mut world = entry_point.world();
        world.facts.trades.extend(account.trades().into_iter().map(|trade| (provider, trade)));
        world.facts.webhooks.extend(account.tracked().into_iter().map(|one| (provider, one)));
    }
    entry_point.world().facts.refund_calls = stack.shop().refund_notifications();
    let world = world.into_inner().unwrap_or_else(PoisonError::into_inner);
    let report = Report::new(options, &world, stack.faults(), damage);
    Ok((world.facts, report))
}
