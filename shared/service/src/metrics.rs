//! What is counted while a request is served, and written after it: lines in CloudWatch's embedded
//! metric format, which CloudWatch Logs turns into metrics.
//!
//! Every metric has the dimension `FunctionName`. One that is split by more is counted in all, too,
//! so that an alarm can watch either. Nothing here names a payment, a user or an order.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::OnceLock,
    time::Duration,
};

use metrics::{Label, Unit, counter, histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "Pay";

/// A metric.
#[derive(Clone, Debug)]
pub struct Metric {
    /// What CloudWatch calls it.
    pub name: &'static str,
    unit: Unit,
}

impl Metric {
    const fn new(name: &'static str, unit: Unit) -> Self {
        Self { name, unit }
    }

    /// Counts one more.
    pub fn count(&self) {
        counter!(self.name).increment(1);
    }

    /// Counts one more, in all and under these dimensions.
    pub fn count_by(&self, dimensions: &[(&'static str, &'static str)]) {
        self.count();
        counter!(self.name, labels(dimensions)).increment(1);
    }

    /// Adds a sum under one dimension alone: minor units of two currencies have no common sum.
    pub fn add_under(&self, dimension: &'static str, value: &'static str, sum: u64) {
        counter!(self.name, labels(&[(dimension, value)])).increment(sum);
    }

    /// Notes a value.
    pub fn note(&self, value: u64) {
        histogram!(self.name).record(u32::try_from(value).unwrap_or(u32::MAX));
    }

    /// Notes how long something took, under one dimension alone.
    pub fn time_under(&self, dimension: &'static str, value: &'static str, took: Duration) {
        let millis = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
        histogram!(self.name, labels(&[(dimension, value)])).record(millis);
    }
}

fn labels(dimensions: &[(&'static str, &'static str)]) -> Vec<Label> {
    dimensions.iter().map(|(name, value)| Label::from_static_parts(name, value)).collect()
}

macro_rules! catalogue {
    ($($(#[$doc:meta])+ $constant:ident = $name:literal, $unit:ident;)+) => {
        $($(#[$doc])+ pub const $constant: Metric = Metric::new($name, Unit::$unit);)+

        /// Every metric, in the order of the table in docs/operations.md.
        pub const ALL: &[Metric] = &[$($constant),+];
    };
}

catalogue! {
    /// Payments made by create.
    PAYMENTS_CREATED = "PaymentsCreated", Count;
    /// Creates that were answered with the id of an earlier one, by their Idempotency-Key.
    CREATES_REPLAYED = "CreatesReplayed", Count;
    /// Creates that were refused since the order has a payment, or the key another request.
    DUPLICATES_REFUSED = "DuplicatesRefused", Count;
    /// Payments that moved to paid.
    PAYMENTS_PAID = "PaymentsPaid", Count;
    /// Payments that moved to failed.
    PAYMENTS_FAILED = "PaymentsFailed", Count;
    /// Payments that moved to closed.
    PAYMENTS_CLOSED = "PaymentsClosed", Count;
    /// Payments that moved to refunded.
    PAYMENTS_REFUNDED = "PaymentsRefunded", Count;
    /// Minor units that moved to paid, by `Currency`.
    AMOUNT_PAID = "AmountPaid", Count;
    /// Minor units that moved to refunded, by `Currency`.
    AMOUNT_REFUNDED = "AmountRefunded", Count;
    /// Messages put in quarantine, once a delivery; also by `Reason`.
    MESSAGES_QUARANTINED = "MessagesQuarantined", Count;
    /// Messages whose signature does not count; also by `Provider` and `Reason`.
    SIGNATURES_REFUSED = "SignaturesRefused", Count;
    /// Tellings of an order that failed, by a callback or by reconcile.
    TELLINGS_FAILED = "TellingsFailed", Count;
    /// Orders that a reconcile run met and that are untold after it.
    ORDERS_UNTOLD = "OrdersUntold", Count;
    /// Since when the oldest of them is paid; 0 if there is none. An order is met each quarter of
    /// an hour at least.
    OLDEST_UNTOLD = "OldestUntoldSeconds", Seconds;
    /// How long calls of the shop took, their retry included, by `Service`.
    UPSTREAM_TIME = "UpstreamMilliseconds", Milliseconds;
    /// Calls of the shop without a usable answer; also by `Service`.
    UPSTREAM_FAILURES = "UpstreamFailures", Count;
    /// Reads of a secret that failed.
    SECRET_FAILURES = "SecretFailures", Count;
    /// Requests answered `unavailable`.
    UNAVAILABLE = "Unavailable", Count;
    /// Requests answered `internal`.
    FAULTS = "Faults", Count;
    /// Processes started.
    COLD_STARTS = "ColdStarts", Count;
}

static COLLECTOR: OnceLock<&'static Collector> = OnceLock::new();

/// Begins to count, for this function. What is counted before is lost; a second call does nothing.
pub fn init(function_name: Option<String>) {
    let collector = Builder::new()
        .cloudwatch_namespace(NAMESPACE)
        .with_dimension("FunctionName", function_name.unwrap_or_else(|| "unnamed".to_owned()));
    let Ok(collector) = collector.init() else { return };
    metrics::with_recorder(|recorder| {
        for metric in ALL {
            recorder.describe_counter(metric.name.into(), Some(metric.unit), "".into());
        }
    });
    if COLLECTOR.set(collector).is_ok() {
        COLD_STARTS.count();
    }
}

/// Writes what was counted since the last time, to standard output.
pub fn flush() {
    let Some(collector) = COLLECTOR.get() else { return };
    // Whatever the library does, the answer is there already and must go out.
    let written = catch_unwind(AssertUnwindSafe(|| collector.flush(io::stdout().lock())));
    if !matches!(written, Ok(Ok(()))) {
        tracing::error!("metrics could not be written");
    }
}
