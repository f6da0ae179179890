//! What a million payments cost, and what it costs to keep servers for them.

use serde::Serialize;

use super::prices::{
    API_REQUEST, Architecture, DOLLAR, HOURS_A_MONTH, LAMBDA_REQUEST, READ_UNIT, SECRET_CALL,
    SECRET_MONTH, WRITE_UNIT, picodollars, times,
};
use super::sizes::{Row, billed_ms};
use super::stats::decimal;
use super::table::table;

/// A payment is one of each of these calls.
pub(super) const CALLS: [&str; 3] = ["create", "detail", "callback"];

/// The memory size of the template.
pub const MEMORY_MB: u64 = 256;

const MILLION: u64 = 1_000_000;

/// One call in so many finds no instance waiting.
const CALLS_A_START: u64 = 100;

/// Reads of secrets by one start of each function: one secret for create and for detail, two for
/// callback, each in two generations.
const SECRET_READS: u64 = 2 + 2 + 4;

/// Secrets of a deployment.
const SECRETS: u64 = 2;

/// Units of the table and its indexes for a payment, as the end-to-end tests count them: create writes
/// 6, callback 7 with a message below a KB.
const WRITE_UNITS: u64 = 6 + 7;

/// In tenths: create's hint 0.5, a consistent record each for detail and callback.
const READ_UNIT_TENTHS: u64 = 5 + 10 + 10;

/// A line of the receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What is paid for.
    pub what: String,
    /// How that comes about.
    pub how: String,
    /// For a million payments, in picodollars.
    pub picodollars: u64,
}

/// What a million payments cost.
#[derive(Debug, Clone, Serialize)]
pub struct Receipt {
    /// On arm64.
    pub lines: Vec<Line>,
    /// Their sum.
    pub picodollars: u64,
    /// The sum with functions on x86-64.
    pub x86_picodollars: u64,
    /// What servers cost in a month, by what they are.
    pub servers: Vec<Line>,
    /// Their sum.
    pub servers_picodollars: u64,
}

impl Receipt {
    /// From the durations that were measured at the template's memory size; nothing without them.
    #[must_use]
    pub fn of(rows: &[Row]) -> Option<Self> {
        let lines = lines(rows, Architecture::Arm64)?;
        let servers = servers();
        let sum = |lines: &[Line]| lines.iter().map(|line| line.picodollars).sum();
        Some(Self {
            picodollars: sum(&lines),
            x86_picodollars: sum(&self::lines(rows, Architecture::X86)?),
            servers_picodollars: sum(&servers),
            lines,
            servers,
        })
    }

    /// How many payments a month cost what the servers do.
    #[must_use]
    pub fn break_even(&self) -> u64 {
        let payments = u128::from(self.servers_picodollars).saturating_mul(u128::from(MILLION));
        let payments = payments.checked_div(u128::from(self.picodollars)).unwrap_or_default();
        u64::try_from(payments).unwrap_or(u64::MAX)
    }

    /// Both bills as tables, in dollars.
    #[must_use]
    pub fn text(&self) -> String {
        let rows = |lines: &[Line], sum: &str, total: u64| {
            let row =
                |line: &Line| vec![line.what.clone(), line.how.clone(), dollars(line.picodollars)];
            let mut rows: Vec<_> = lines.iter().map(row).collect();
            rows.push(vec![sum.to_owned(), String::new(), dollars(total)]);
            rows
        };
        let ours = rows(&self.lines, "A million payments, arm64", self.picodollars);
        let ours = table(&["", "how", "$"], &ours);
        let servers = rows(&self.servers, "A month of servers", self.servers_picodollars);
        let servers = table(&["", "how", "$"], &servers);
        format!(
            "{ours}\nWith functions on x86-64: ${}.\n\n{servers}\nThe servers' month pays for {} payments.\n",
            dollars(self.x86_picodollars),
            self.break_even()
        )
    }
}

fn dollars(picodollars: u64) -> String {
    decimal(picodollars / (DOLLAR / 1000), 3)
}

fn line(what: &str, how: String, picodollars: u64) -> Line {
    Line { what: what.to_owned(), how, picodollars }
}

fn lines(rows: &[Row], architecture: Architecture) -> Option<Vec<Line>> {
    let calls = u64::try_from(CALLS.len()).unwrap_or(u64::MAX);
    let mut lines = vec![
        line(
            "API Gateway",
            format!("{calls} requests of an HTTP API"),
            times(API_REQUEST, &[calls, MILLION]),
        ),
        line(
            "Lambda, requests",
            format!("{calls} requests"),
            times(LAMBDA_REQUEST, &[calls, MILLION]),
        ),
    ];
    let mut starts_us: u64 = 0;
    for call in CALLS {
        let row = rows.iter().find(|row| row.name == call && row.size_mb == MEMORY_MB)?;
        let how = format!("{} ms of {MEMORY_MB} MB", decimal(row.billed_us, 1));
        let price = picodollars(MEMORY_MB, row.billed_us, architecture);
        lines.push(line(&format!("Lambda, {call}"), how, times(price, &[MILLION])));
        let start_ms = billed_ms(row.start_ns.saturating_add(row.first_ns));
        starts_us = starts_us.saturating_add(start_ms.saturating_mul(1000));
    }
    let starts = MILLION / CALLS_A_START;
    let how = format!("1 of {CALLS_A_START} calls, {} ms for all three", starts_us / 1000);
    lines.push(line(
        "Lambda, cold starts",
        how,
        times(picodollars(MEMORY_MB, starts_us, architecture), &[starts]),
    ));
    lines.extend([
        line(
            "DynamoDB, writes",
            format!("{WRITE_UNITS} units"),
            times(WRITE_UNIT, &[WRITE_UNITS, MILLION]),
        ),
        line(
            "DynamoDB, reads",
            format!("{} units", decimal(READ_UNIT_TENTHS * 100, 1)),
            times(READ_UNIT, &[READ_UNIT_TENTHS, MILLION / 10]),
        ),
        line(
            "Secrets Manager",
            format!("{SECRETS} secrets, {SECRET_READS} reads for three cold starts"),
            times(SECRET_MONTH, &[SECRETS])
                .saturating_add(times(SECRET_CALL, &[SECRET_READS, starts])),
        ),
    ]);
    Some(lines)
}

/// The least that runs the service which this one replaces: one of everything, nothing redundant.
fn servers() -> Vec<Line> {
    let hourly = |what: &str, how: &str, count: u64, an_hour: u64, a_month: u64| {
        line(what, how.to_owned(), {
            let hours = times(an_hour, &[HOURS_A_MONTH]);
            times(hours.saturating_add(a_month), &[count])
        })
    };
    // Of a dollar.
    let micros = |count| times(DOLLAR / 1_000_000, &[count]);
    let millis = |count| times(DOLLAR / 1_000, &[count]);
    vec![
        // A quarter of a vCPU at $0.03238 an hour, half a GB at $0.00356.
        hourly("Two Go services", "Fargate, arm64, 0.25 vCPU, 0.5 GB each", 2, micros(9_875), 0),
        // 20 GB of gp3 at $0.115.
        hourly("MySQL", "RDS db.t4g.micro, one zone, 20 GB", 1, millis(16), millis(2_300)),
        hourly("Redis", "ElastiCache cache.t4g.micro", 1, millis(16), 0),
        // 8 GB of gp3 at $0.08.
        hourly("etcd", "EC2 t4g.nano, one node, 8 GB", 1, micros(4_200), millis(640)),
    ]
}

#[cfg(test)]
mod tests {
    use super::{CALLS, DOLLAR, MEMORY_MB, Receipt, Row};

    fn rows(billed_us: u64) -> Vec<Row> {
        let row = |name: &str| Row {
            name: name.to_owned(),
            size_mb: MEMORY_MB,
            billed_us,
            start_ns: 9_500_000,
            first_ns: 30_400_000,
            ..Row::default()
        };
        CALLS.map(row).to_vec()
    }

    #[test]
    fn a_million_payments_are_added_up() {
        let receipt = Receipt::of(&rows(12_000)).unwrap();
        let dollars: Vec<(&str, u64)> = receipt
            .lines
            .iter()
            .map(|line| (line.what.as_str(), line.picodollars / (DOLLAR / 10_000)))
            .collect();
        assert_eq!(
            dollars,
            [
                ("API Gateway", 30_000),
                ("Lambda, requests", 6_000),
                // 12 ms * 0.25 GB * $0.0000133334 = $0.0000000400002.
                ("Lambda, create", 400),
                ("Lambda, detail", 400),
                ("Lambda, callback", 400),
                // 3 * 40 ms * 0.25 GB * $0.0000133334 * 10 000.
                ("Lambda, cold starts", 40),
                ("DynamoDB, writes", 81_250),
                ("DynamoDB, reads", 3_125),
                // 2 * $0.40 + 8 * 10 000 * $0.000005.
                ("Secrets Manager", 12_000),
            ]
        );
        assert_eq!(receipt.picodollars / (DOLLAR / 1000), 13_361);
        assert!(receipt.x86_picodollars > receipt.picodollars);
        // Two services 14.4175, MySQL 13.98, Redis 11.68, etcd 3.706.
        assert_eq!(receipt.servers_picodollars / (DOLLAR / 1000), 43_783);
        assert_eq!(receipt.break_even(), 3_276_839);
    }

    #[test]
    fn without_durations_there_is_no_receipt() {
        assert!(Receipt::of(&rows(1)[..2]).is_none());
        let other = rows(1).into_iter().map(|row| Row { size_mb: 512, ..row });
        assert!(Receipt::of(&other.collect::<Vec<_>>()).is_none());
    }
}
