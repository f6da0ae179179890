//! What each operation may cost: which calls it makes, how many of them in sequence, and what DynamoDB
//! charges. Counted through the real functions, on warm instances.

mod callback;
mod checkout;
mod create;
mod detail;
mod secrets;

use local::{Noted, Stack};
use serde_json::{Value, json};

use crate::echo::eventually;
use crate::stage::{invocations, own};

/// An operation and what it costs. It makes no other call than the listed ones, in particular none to
/// Secrets Manager.
struct Cost {
    operation: &'static str,
    /// Its calls, hop by hop, sorted by name within a hop. `!` marks a consistent read.
    calls: Vec<Vec<&'static str>>,
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

/// Write units of a create, where a provider can be queried: the payment is due from then on.
const CREATE: u64 = 7;

/// Write units of a short notification that pays a payment, with the provider's transaction, and of the
/// order notification that follows.
const PAID: u64 = 7;

const _: () = assert!(CREATE + PAID <= 14, "a payment made, paid and notified");

impl Cost {
    /// Calls hop by hop; halves of write and of read units.
    fn of(operation: &'static str, calls: &[&[&'static str]], (writes, reads): (u64, u64)) -> Self {
        let calls = calls.iter().map(|hop| hop.to_vec()).collect();
        Self { operation, calls, writes, reads }
    }

    /// Runs the operation and checks what it costs.
    async fn is_of(&self, stack: &Stack, budget: Budget, operation: impl Future<Output = ()>) {
        let Self { operation: name, calls, writes, reads } = self;
        let journal = stack.faults().journal();
        let before = invocations(stack);
        journal.start(calls.iter().map(Vec::len));
        operation.await;
        let noted = journal.stop();
        assert_eq!(hops(&noted), *calls, "{name}: its calls, hop by hop");
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
        let new = || invocations(stack).into_iter().filter(|line| !before.contains(line));
        eventually("the log line of the invocation", || new().next().is_some()).await;
        assert_eq!(
            new().map(|line| logged(&line)).collect::<Vec<_>>(),
            [want],
            "{name}: its log line"
        );
        assert!(calls.len() <= budget.hops, "{name}: {} hops", calls.len());
        assert!(*writes <= budget.writes, "{name}: {writes} halves of write units");
    }
}

fn calls_of(noted: &[Noted], services: &[&str]) -> usize {
    let of = |call: &&Noted| services.iter().any(|service| call.point.starts_with(service));
    noted.iter().filter(of).count()
}

/// The usage in a log line, with units in halves.
fn logged(line: &Value) -> Value {
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

/// A stack whose functions have done all of their work once: the keys are read, and as many connections
/// are open as concurrent calls need.
async fn warm() -> Stack {
    let stack = own().await;
    for _ in 0..2 {
        let payment = crate::stage::payment_in(&stack, 1).await;
        crate::stage::shown(&stack, payment).await;
    }
    stack
}
