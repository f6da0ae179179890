//! What each operation may cost: which calls it makes, how many of them one after another, and what
//! DynamoDB charges. Counted, through the real functions, on instances that are warm.

mod callback;
mod create;
mod detail;

use local::{Noted, Stack};
use serde_json::{Value, json};

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
        let want = json!({
            "dynamodb_calls": calls_of(&noted, &["dynamodb:"]),
            "shop_calls": calls_of(&noted, &["users:", "orders:"]),
            "secrets_calls": calls_of(&noted, &["secretsmanager:"]),
            "read_halves": reads,
            "write_halves": writes,
        });
        let new = || lines(stack).into_iter().filter(|line| !before.contains(line));
        eventually("the line of the invocation", || new().next().is_some()).await;
        assert_eq!(
            new().map(|line| said(&line)).collect::<Vec<_>>(),
            [want],
            "{name}: what its line says"
        );
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

fn calls_of(noted: &[Noted], services: &[&str]) -> usize {
    let of = |call: &&Noted| services.iter().any(|service| call.point.starts_with(service));
    noted.iter().filter(of).count()
}

/// What a line says was used, with units in halves.
fn said(line: &Value) -> Value {
    let halves = |units: &Value| -> u64 {
        let units = units.to_string();
        let (whole, part) = units.split_once('.').unwrap();
        whole.parse::<u64>().unwrap().saturating_mul(UNIT).saturating_add(u64::from(part == "5"))
    };
    json!({
        "dynamodb_calls": line["dynamodb_calls"],
        "shop_calls": line["shop_calls"],
        "secrets_calls": line["secrets_calls"],
        "read_halves": halves(&line["read_units"]),
        "write_halves": halves(&line["write_units"]),
    })
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
