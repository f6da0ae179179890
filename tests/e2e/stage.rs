//! Stacks to test on: a shared one for tests that disturb nothing, and stacks of their own for tests
//! that break things. And the users, orders and payments that a test starts from.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{OnceLock, mpsc};

use local::{Stack, StackOptions, binaries};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::api;
use crate::echo::eventually;
use crate::operations;
use crate::table;

/// The options of a stack with the real functions, which are built once for all tests.
pub(crate) async fn options() -> StackOptions {
    static BINARIES: OnceCell<BTreeMap<String, PathBuf>> = OnceCell::const_new();
    let build = || async { binaries::functions(&operations::functions(), false).await.unwrap() };
    StackOptions {
        binaries: Some(BINARIES.get_or_init(build).await.clone()),
        ..StackOptions::default()
    }
}

/// A stack of the test's own, with one instance of each function, so that it is certain what failed.
pub(crate) async fn own() -> Stack {
    let options = StackOptions { instances: 1, ..options().await };
    Stack::start(options).await.unwrap()
}

/// The same, which cannot query providers.
pub(crate) async fn own_without_provider_keys() -> Stack {
    let provider_secrets = Some(Value::Null);
    Stack::start(StackOptions { instances: 1, provider_secrets, ..options().await }).await.unwrap()
}

/// A stack of the test's own whose functions also have these variables.
pub(crate) async fn own_with(environment: &[(&str, &str)]) -> Stack {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let options = StackOptions {
        instances: 1,
        environment: environment.iter().map(pair).collect(),
        ..options().await
    };
    Stack::start(options).await.unwrap()
}

/// The stack of every test that disturbs nothing. It logs at level trace, so that every test also
/// exercises every log line.
///
/// It runs on a thread of its own until the process ends, which also ends the functions.
pub(crate) fn shared() -> &'static Stack {
    static SHARED: OnceLock<(Stack, Child)> = OnceLock::new();
    let start = || {
        let (started, start) = mpsc::channel();
        let serve = async move {
            let options = StackOptions {
                instances: 4,
                // Messages are delivered about payments that no simulator holds.
                provider_secrets: Some(Value::Null),
                environment: [("LOG_LEVEL".to_owned(), "trace".to_owned())].into(),
                ..options().await
            };
            started.send(Stack::start(options).await.unwrap()).unwrap();
            std::future::pending::<()>().await;
        };
        std::thread::spawn(|| {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.unwrap().block_on(serve);
        });
        let stack = start.recv().unwrap();
        let remover = remover(&stack);
        (stack, remover)
    };
    &SHARED.get_or_init(start).0
}

/// Removes the stack's directory when this process ends, however it ends: its input ends then.
fn remover(stack: &Stack) -> Child {
    let directory = stack.ca_file.parent().unwrap();
    Command::new("/bin/sh")
        .args(["-c", r#"read -r _; rm -rf -- "$0""#])
        .arg(directory)
        .stdin(Stdio::piped())
        // So that Ctrl-C in the terminal does not reach it.
        .process_group(0)
        .spawn()
        .unwrap()
}

/// Makes a payment this old, in hours.
pub(crate) async fn age(stack: &Stack, payment: Payment, hours: u64) {
    let created = table::record(stack, payment.id).await["create_time"].as_u64().unwrap();
    let then = json!({"N": created.saturating_sub(hours.saturating_mul(3_600_000)).to_string()});
    table::set(stack, &format!("pay#{}", payment.id), "record", "create_time", then).await;
}

/// A number that no other test gets: a user's id, or a part of a name.
pub(crate) fn fresh() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1000);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A new user of the shop.
pub(crate) fn user(stack: &Stack) -> u64 {
    let uid = fresh();
    stack.shop().add_user(uid);
    uid
}

/// A new order of a new user that costs 100: the user, the order, and the request for its payment.
pub(crate) fn order(stack: &Stack) -> (u64, u64, Value) {
    let uid = user(stack);
    let oid = stack.shop().add_order(uid, 100);
    (uid, oid, json!({"uid": uid, "oid": oid, "amount": 100}))
}

/// Sends a create with an Idempotency-Key that is the same each time.
pub(crate) async fn create(stack: &Stack, uid: u64, body: &Value) -> api::Reply {
    let request = api::post(stack, "create").payer(uid).json(body);
    request.header("idempotency-key", "the-same").send().await
}

/// A payment that was just created, for an order of a user of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Payment {
    pub(crate) id: u64,
    pub(crate) uid: u64,
    pub(crate) oid: u64,
    pub(crate) amount: u64,
}

impl Payment {
    /// The native notification about it, in the words of the replaced service.
    pub(crate) fn native(self, source: u64, status: u64) -> Value {
        let Self { id, uid, oid, amount } = self;
        json!({"id": id, "uid": uid, "oid": oid, "amount": amount, "source": source, "status": status})
    }

    /// The request that created it.
    pub(crate) fn request(self) -> Value {
        json!({"uid": self.uid, "oid": self.oid, "amount": self.amount})
    }

    /// A valid request of an operation that both entry points accept.
    pub(crate) fn valid(self, operation: &str) -> Value {
        match operation {
            "create" => self.request(),
            "detail" | "close" => json!({"id": self.id}),
            // Signed without a call.
            "checkout" => json!({"id": self.id, "provider": "alipay", "method": "page"}),
            // A direct event names the payer; the API ignores it and takes the token's.
            "list" => json!({"uid": self.uid}),
            "callback" => self.native(1, 2),
            // The API has the key in a header.
            "refund" => json!({"id": self.id, "idempotency_key": format!("key-{}", fresh())}),
            other => panic!("{other} needs a valid request here"),
        }
    }
}

/// Creates a payment of 100 for a new order of a new user.
pub(crate) async fn payment(stack: &Stack) -> Payment {
    let uid = user(stack);
    payment_of(stack, uid, 100).await
}

/// Creates a payment for a new order of this user.
pub(crate) async fn payment_of(stack: &Stack, uid: u64, amount: u64) -> Payment {
    let oid = stack.shop().add_order(uid, amount);
    let body = json!({"uid": uid, "oid": oid, "amount": amount});
    let created = api::post(stack, "create").payer(uid).json(&body).send();
    let id = created.await.ok()["id"].as_u64().unwrap();
    Payment { id, uid, oid, amount }
}

/// Creates a payment and brings it to this status by a signed notification.
pub(crate) async fn payment_in(stack: &Stack, status: u64) -> Payment {
    let payment = payment(stack).await;
    notify(stack, payment, 1, status).await.ok();
    payment
}

/// Sends a signed native notification about a payment.
pub(crate) async fn notify(
    stack: &Stack,
    payment: Payment,
    source: u64,
    status: u64,
) -> api::Reply {
    let body = payment.native(source, status);
    api::post(stack, "callback").json(&body).signed().send().await
}

/// Runs a caller, and something else once the caller's call of this name has arrived, which is carried out only
/// after that. Returns what came of both.
pub(crate) async fn meanwhile<T, U>(
    stack: &Stack,
    point: &str,
    caller: impl Future<Output = T>,
    other: impl Future<Output = U>,
) -> (T, U) {
    let held = stack.faults().hold(point);
    let mut caller = std::pin::pin!(caller);
    tokio::select! {
        biased;
        () = held.arrived() => {}
        _ = &mut caller => panic!("nobody has called {point}"),
    }
    let other = other.await;
    drop(held);
    (caller.await, other)
}

/// What its owner sees of a payment.
pub(crate) async fn shown(stack: &Stack, payment: Payment) -> Value {
    let request = api::post(stack, "detail").payer(payment.uid);
    request.json(&json!({"id": payment.id})).send().await.ok()
}

/// The log lines of invocations.
pub(crate) fn invocations(stack: &Stack) -> Vec<Value> {
    let logs = stack.logs();
    let lines = logs.lines().filter(|line| line.contains("duration_ms"));
    lines.filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The process ids of the functions.
pub(crate) fn pids(stack: &Stack) -> BTreeSet<i32> {
    stack.instances().iter().map(|one| one.pid).collect()
}

/// Kills the one instance of a function, as if its environment had been recycled, and waits for the
/// next one. The function must have served already: an instance that dies while it starts is not
/// replaced before it is needed.
pub(crate) async fn recycle(stack: &Stack, function: &str) {
    let of_function = || -> BTreeSet<i32> {
        let instances = stack.instances();
        let of = instances.iter().filter(|one| one.function == function);
        of.map(|one| one.pid).collect()
    };
    let before = of_function();
    assert_eq!(before.len(), 1);
    for pid in &before {
        stack.kill(*pid).unwrap();
    }
    eventually("a new instance", || {
        let now = of_function();
        now.len() == 1 && now.is_disjoint(&before)
    })
    .await;
}

/// Checks that no function has died since `before`, and that none panicked.
pub(crate) fn assert_unharmed(stack: &Stack, before: &BTreeSet<i32>) {
    assert_eq!(&pids(stack), before, "a function died");
    let logs = stack.logs();
    let panics: Vec<&str> = logs.lines().filter(|line| line.contains("panicked")).collect();
    assert_eq!(panics, [""; 0]);
}
