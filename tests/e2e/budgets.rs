//! What each operation may cost: which calls it makes, how many of them one after another, and what
//! DynamoDB charges. Counted, through the real functions, on instances that are warm.

mod callback;
mod create;
mod detail;

use local::{Noted, Stack};
use serde_json::Value;

use crate::echo::eventually;
use crate::stage::own;

/// An operation and what it costs. What is not listed here costs nothing: no call to Secrets Manager
/// and no second look at anything.
struct Cost {
    operation: &'static str,
    /// Its calls hop by hop, in the order of their names. `!` marks a consistent read.
    calls: &'static [&'static [&'static str]],
    /// Write units with those of the indexes, in halves.
    writes: u64,
    /// Read units, in halves.
    reads: u64,
}

/// The most that an operation may cost, whatever it does.
#[derive(Clone, Copy)]
struct Budget {
    hops: usize,
    /// Units, in halves.
    writes: u64,
}

/// A write unit is two halves.
const UNIT: u64 = 2;

impl Cost {
    /// Runs the operation and holds it to what it may cost.
    async fn is_of(&self, stack: &Stack, budget: Budget, operation: impl Future<Output = ()>) {
        let Self { operation: name, calls, writes, reads } = self;
        let journal = stack.faults().journal();
        let before = lines(stack);
        journal.start(calls.iter().map(|hop| hop.len()));
        operation.await;
        let noted = journal.stop();
        assert_eq!(hops(&noted), **calls, "{name}: its calls, hop by hop");
        let halves = |of: fn(&Noted) -> bool| -> u64 {
            noted.iter().filter(|call| of(call)).map(|call| call.halves).sum()
        };
        let found = (halves(writing), halves(|call| !writing(call)));
        assert_eq!(found, (*writes, *reads), "{name}: halves of write and read units");
        let at =
            |service: &str| noted.iter().filter(|call| call.point.starts_with(service)).count();
        let shop = at("users:") + at("orders:");
        let want = [at("dynamodb:"), shop, at("secretsmanager:")].map(|calls| calls.to_string());
        let units = [*reads, *writes].map(|halves| format!("{}.{}", halves / 2, halves % 2 * 5));
        let want = want.into_iter().chain(units).collect::<Vec<_>>().join(" ");
        let new = || lines(stack).into_iter().filter(|line| !before.contains(line));
        eventually("the line of the invocation", || new().next().is_some()).await;
        assert_eq!(new().map(said).collect::<Vec<_>>(), [want], "{name}: what its line says");
        assert!(calls.len() <= budget.hops, "{name}: {} hops", calls.len());
        assert!(*writes <= budget.writes, "{name}: {writes} halves of write units");
    }
}

/// The lines of invocations.
fn lines(stack: &Stack) -> Vec<Value> {
    let logs = stack.logs();
    let lines = logs.lines().filter(|line| line.contains("duration_ms"));
    lines.filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What a line says was used: calls of DynamoDB, of the shop, of Secrets Manager; read units, write
/// units.
fn said(line: Value) -> String {
    let names = ["dynamodb_calls", "shop_calls", "secrets_calls", "read_units", "write_units"];
    names.map(|name| line[name].to_string()).join(" ")
}

fn writing(call: &Noted) -> bool {
    ["PutItem", "TransactWriteItems", "UpdateItem"].iter().any(|name| call.point.ends_with(name))
}

/// The names of calls, hop by hop.
fn hops(noted: &[Noted]) -> Vec<Vec<String>> {
    let hops = noted.chunk_by(|one, other| one.hop == other.hop);
    let name = |call: &Noted| {
        let point = call.point.strip_prefix("dynamodb:").unwrap_or(&call.point);
        format!("{point}{}", if call.consistent { "!" } else { "" })
    };
    hops.map(|hop| hop.iter().map(name).collect()).collect()
}

/// A stack whose functions have done all of their work once: every connection is open that work side
/// by side needs, and the keys are read.
async fn warm() -> Stack {
    let stack = own().await;
    for _ in 0..2 {
        let payment = crate::stage::payment_in(&stack, 1).await;
        crate::stage::shown(&stack, payment).await;
    }
    stack
}
