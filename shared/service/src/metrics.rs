//! What is counted while a request is served, and written after it: lines in CloudWatch's embedded
//! metric format, which CloudWatch Logs turns into metrics.
//!
//! Every metric has the dimension `FunctionName`. One with more dimensions is also counted without them,
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
    /// Payments created.
    PAYMENTS_CREATED = "PaymentsCreated", Count;
    /// Creates that returned the id of an earlier one, by their Idempotency-Key.
    CREATES_REPLAYED = "CreatesReplayed", Count;
    /// Creates that were rejected because the order has a payment, or the key another request.
    DUPLICATES_REJECTED = "DuplicatesRejected", Count;
    /// Checkouts that were given to a payer, also by `Provider`.
    CHECKOUTS_STARTED = "CheckoutsStarted", Count;
    /// Payments that moved to paid.
    PAYMENTS_PAID = "PaymentsPaid", Count;
    /// Payments that moved to failed.
    PAYMENTS_FAILED = "PaymentsFailed", Count;
    /// Payments that moved to closed.
    PAYMENTS_CLOSED = "PaymentsClosed", Count;
    /// Payments that moved to refunded.
    PAYMENTS_REFUNDED = "PaymentsRefunded", Count;
    /// Minor units of payments that moved to paid, by `Currency`.
    AMOUNT_PAID = "AmountPaid", Count;
    /// Refunds that went back: one, or a higher total.
    REFUNDS_RECORDED = "RefundsRecorded", Count;
    /// Minor units that went back, by `Currency`.
    AMOUNT_REFUNDED = "AmountRefunded", Count;
    /// Calls of providers without a usable response; also by `Provider` and `Reason`.
    QUERIES_FAILED = "QueriesFailed", Count;
    /// Those of them in which the provider rejects our key, our account or our clock.
    QUERIES_REJECTED = "QueriesRejected", Count;
    /// Checkouts and refunds that a provider refuses by a code of its own list; also by `Provider`.
    PROVIDER_REFUSED = "ProviderRefused", Count;
    /// Payments that nobody paid in time, and that are not asked about any more.
    PAYMENTS_ABANDONED = "PaymentsAbandoned", Count;
    /// Notifications quarantined, once a delivery; also by `Mismatch`.
    NOTIFICATIONS_QUARANTINED = "NotificationsQuarantined", Count;
    /// Genuine messages of providers that change no payment; also by `Provider` and `Reason`.
    MESSAGES_IGNORED = "MessagesIgnored", Count;
    /// Notifications without a valid signature; also by `Sender` and `Reason`.
    SIGNATURES_REJECTED = "SignaturesRejected", Count;
    /// Requests without a token that counts, or with one of another kind of caller; also by `Reason`.
    TOKENS_REJECTED = "TokensRejected", Count;
    /// Order notifications that failed, of a callback or of the sweep.
    ORDER_NOTIFICATIONS_FAILED = "OrderNotificationsFailed", Count;
    /// Payments that a sweep looked at and that are still due after it.
    ORDER_NOTIFICATIONS_DUE = "OrderNotificationsDue", Count;
    /// How long ago the oldest of them was paid; 0 if there is none. The sweep looks at each at least
    /// every 19 minutes: the longest backoff and its jitter.
    OLDEST_DUE = "OldestDueSeconds", Seconds;
    /// How long ago the oldest refund was requested of which it is not known what became; 0 if there is none. The
    /// sweep looks at each at least every 75 minutes.
    OLDEST_REFUND = "OldestRefundSeconds", Seconds;
    /// Stored items that cannot be read; each is in the log with its key.
    UNREADABLE_ITEMS = "UnreadableItems", Count;
    /// How long calls to the shop took, their retry included, by `Service`.
    UPSTREAM_TIME = "UpstreamMilliseconds", Milliseconds;
    /// Calls to the shop without a usable response; also by `Service`.
    UPSTREAM_FAILURES = "UpstreamFailures", Count;
    /// Reads of a secret that failed, or that found an unusable value or entry.
    SECRET_FAILURES = "SecretFailures", Count;
    /// Requests with the problem `unavailable`.
    UNAVAILABLE = "Unavailable", Count;
    /// Requests with the problem `internal`.
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
    // Whatever the library does, the response must go out.
    let written = catch_unwind(AssertUnwindSafe(|| collector.flush(io::stdout().lock())));
    if !matches!(written, Ok(Ok(()))) {
        tracing::error!("metrics could not be written");
    }
}
