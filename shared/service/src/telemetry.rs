//! Log lines: one JSON object each, to standard output, where the platform stamps the time.

use std::panic;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::metrics;

/// Our own crates, whose level is a setting.
const OURS: [&str; 6] =
    ["pay_core", "pay_providers", "pay_service", "create", "detail", "callback"];

/// Starts logging at `level`, for our own crates, and counting.
///
/// Every other crate stops at info: the Lambda runtime logs whole events at trace, and HTTP
/// libraries log headers.
pub fn init(level: LevelFilter, lookup: impl Fn(&str) -> Option<String>) {
    metrics::init(lookup("AWS_LAMBDA_FUNCTION_NAME"));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .without_time()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false);
    // A second call keeps the first one's subscriber, which serves as well.
    if tracing_subscriber::registry().with(filter(level)).with(lines).try_init().is_ok() {
        panic::set_hook(Box::new(|panic| {
            // Where, not what: a message may hold what came in.
            let place = panic.location().map(ToString::to_string);
            tracing::error!(place, "panicked");
        }));
    }
}

fn filter(level: LevelFilter) -> Targets {
    Targets::new()
        .with_targets(OURS.map(|ours| (ours, level)))
        // It repeats, as an error, each problem of a direct call; ours is the line of those.
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF)
        // It logs an error at each 5xx of DynamoDB, because our HTTP client keeps its connections itself.
        .with_target("aws_smithy_runtime::client::http::connection_poisoning", LevelFilter::OFF)
        .with_default(level.min(LevelFilter::INFO))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn only_our_own_crates_can_be_louder_than_info() {
        let loud = filter(LevelFilter::TRACE);
        assert!(loud.would_enable("pay_service::http", &Level::TRACE));
        assert!(loud.would_enable("lambda_runtime", &Level::INFO));
        assert!(!loud.would_enable("lambda_runtime", &Level::DEBUG));
        assert!(!loud.would_enable("hyper_util::client", &Level::TRACE));
        let poisoning = "aws_smithy_runtime::client::http::connection_poisoning";
        assert!(!loud.would_enable(poisoning, &Level::ERROR));
        assert!(loud.would_enable("aws_smithy_runtime::client", &Level::ERROR));
        let quiet = filter(LevelFilter::ERROR);
        assert!(!quiet.would_enable("reqwest", &Level::INFO));
        assert!(!quiet.would_enable("create", &Level::WARN));
    }
}
