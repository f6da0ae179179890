//! What a million payments cost, and what it costs to keep servers for them, in whole picodollars (a
//! millionth of a millionth of a dollar).
//!
//! US East (N. Virginia), on demand, first tier, without free tiers and discounts, as published in
//! 2025. Sources: the pricing pages of AWS Lambda, Amazon API Gateway, Amazon DynamoDB (on-demand
//! since November 2024), AWS Secrets Manager, AWS Fargate, Amazon RDS for `MySQL`, Amazon `ElastiCache`,
//! Amazon EC2 and Amazon EBS.

use serde::Serialize;

use crate::lives::{Measured, billed_ms};
use crate::operation::{MEMORY_MB, OF_A_PAYMENT};
use crate::stats::{decimal, table};

const DOLLAR: u64 = 1_000_000_000_000;
const MILLION: u64 = 1_000_000;

/// A second of 1024 MB: $0.0000133334, $0.0000166667.
pub(crate) const ARM64: u64 = 13_333_400;
const X86_64: u64 = 16_666_700;

/// What is paid for, how that comes about, the price.
type Line = (String, String, u64);

/// Two bills: of a million payments, with the sum of another architecture, and of a month of servers.
#[derive(Debug, Serialize)]
pub(crate) struct Receipt {
    lines: Vec<Line>,
    x86_64: u64,
    servers: Vec<Line>,
}

/// So much memory for so many microseconds, rounded up.
pub(crate) fn compute(memory_mb: u64, micros: u64, gb_second: u64) -> u64 {
    let factors = [memory_mb, micros, gb_second].map(u128::from).into_iter();
    let price = factors.fold(1, u128::saturating_mul).div_ceil(1024 * 1_000_000);
    u64::try_from(price).unwrap_or(u64::MAX)
}

impl Receipt {
    /// From the durations that were measured at the template's memory size; nothing without them.
    pub(crate) fn of(rows: &[Measured]) -> Option<Self> {
        let [lines, on_x86_64] = [payments(rows, ARM64)?, payments(rows, X86_64)?];
        Some(Self { lines, x86_64: sum(&on_x86_64), servers: servers() })
    }

    pub(crate) fn text(&self) -> String {
        let row = |(what, how, price): &Line| format!("{what}|{how}|{}", dollars(*price));
        let bill = |lines: &[Line], what: &str| {
            let sum = format!("{what}||{}", dollars(sum(lines)));
            table("| how | $", lines.iter().map(row).chain([sum]))
        };
        // How many payments cost what a month of the servers does.
        let servers = u128::from(sum(&self.servers)).saturating_mul(u128::from(MILLION));
        let payments = servers.checked_div(u128::from(sum(&self.lines))).unwrap_or_default();
        format!(
            "{}\nWith functions on x86-64: ${}.\n\n{}\nThe servers' month pays for {payments} payments.\n",
            bill(&self.lines, "A million payments, arm64"),
            dollars(self.x86_64),
            bill(&self.servers, "A month of servers"),
        )
    }
}

fn sum(lines: &[Line]) -> u64 {
    lines.iter().map(|(_, _, price)| price).sum()
}

fn dollars(picodollars: u64) -> String {
    decimal(picodollars / (DOLLAR / 1000), 3)
}

fn line(what: &str, how: &str, factors: &[u64]) -> Line {
    (what.to_owned(), how.to_owned(), factors.iter().product())
}

fn payments(rows: &[Measured], gb_second: u64) -> Option<Vec<Line>> {
    let mut lines = vec![
        // $1.00 a million up to 512 KB; $0.20 a million.
        line("API Gateway", "3 requests of an HTTP API", &[3, 1_000_000, MILLION]),
        line("Lambda, requests", "3 requests", &[3, 200_000, MILLION]),
    ];
    let mut cold_ms: u64 = 0;
    for name in OF_A_PAYMENT {
        let all = &rows.iter().find(|row| row.operation.name == name)?.all;
        let how = format!("{} ms of {MEMORY_MB} MB", decimal(all.billed_us, 1));
        let price = compute(MEMORY_MB, all.billed_us, gb_second);
        lines.push(line(&format!("Lambda, {name}"), &how, &[price, MILLION]));
        cold_ms = cold_ms.saturating_add(billed_ms(all.start_ns.saturating_add(all.first_ns)));
    }
    // One call in a hundred finds no instance waiting.
    let starts = MILLION / 100;
    let how = format!("1 of 100 calls, {cold_ms} ms for all three");
    let price = compute(MEMORY_MB, cold_ms.saturating_mul(1000), gb_second);
    let reads: u64 = [4, starts, 5_000_000].iter().product();
    let secrets = (2 * DOLLAR * 4 / 10).saturating_add(reads);
    lines.extend([
        line("Lambda, cold starts", &how, &[price, starts]),
        // $0.625 a million units, of the table and its indexes, as the end-to-end tests count them:
        // create writes 7, callback 7 with a message below a KB and the provider's transaction.
        line("DynamoDB, writes", "14 units", &[14, 625_000, MILLION]),
        // $0.125 a million units: create's hint 0.5, a consistent record each for detail and callback.
        line("DynamoDB, reads", "2.5 units", &[25, 125_000, MILLION / 10]),
        // $0.40 a month; $0.05 for ten thousand calls: one secret for create and for detail, two for
        // callback.
        line("Secrets Manager", "2 secrets, 4 reads for three cold starts", &[secrets]),
    ]);
    Some(lines)
}

/// A month of the least that runs the service which this one replaces: nothing is redundant.
fn servers() -> Vec<Line> {
    // How many; microdollars of one in an hour, of which AWS's months have 730, and in a month.
    let servers = [
        // A quarter of a vCPU at $0.03238 an hour, half a GB at $0.00356.
        ("Two Go services", "Fargate, arm64, 0.25 vCPU, 0.5 GB each", [2, 9_875, 0]),
        // 20 GB of gp3 at $0.115.
        ("MySQL", "RDS db.t4g.micro, one zone, 20 GB", [1, 16_000, 2_300_000]),
        ("Redis", "ElastiCache cache.t4g.micro", [1, 16_000, 0]),
        // 8 GB of gp3 at $0.08.
        ("etcd", "EC2 t4g.nano, one node, 8 GB", [1, 4_200, 640_000]),
    ];
    let priced = servers.map(|(what, how, [count, hour, month]): (_, _, [u64; 3])| {
        let one = hour.saturating_mul(730).saturating_add(month);
        line(what, how, &[count, one, DOLLAR / 1_000_000])
    });
    priced.into()
}

#[cfg(test)]
mod tests {
    use super::{ARM64, DOLLAR, Measured, Receipt, X86_64, compute, sum};
    use crate::lives::{Summary, billed_ms};
    use crate::operation::OPERATIONS;

    #[test]
    fn memory_times_duration_is_priced_as_lambda_does() {
        assert_eq!([0, 1, 1_000_000, 1_000_001].map(billed_ms), [0, 1, 1, 2]);
        // A second of 1024 MB, to the digit of the price page.
        assert_eq!(compute(1024, 1_000_000, ARM64), 13_333_400);
        assert_eq!(compute(1024, 1_000_000, X86_64), 16_666_700);
        // 75 000 seconds of 1024 MB are a dollar and a little.
        assert_eq!(compute(1024, 75_000 * 1_000_000, ARM64), DOLLAR + 5_000_000);
        assert_eq!(compute(128, 1, ARM64), 2);
        assert_eq!(compute(u64::MAX, u64::MAX, X86_64), u64::MAX);
    }

    #[test]
    fn a_million_payments_are_added_up() {
        let (start_ns, first_ns, billed_us) = (9_500_000, 30_400_000, 12_000);
        let all = Summary { start_ns, first_ns, billed_us, ..Summary::default() };
        let rows =
            [2, 3, 4].map(|at| Measured { all: all.clone(), ..Measured::of(&OPERATIONS[at], &[]) });
        let receipt = Receipt::of(&rows).unwrap();
        let prices: Vec<u64> =
            receipt.lines.iter().map(|(_, _, price)| price / (DOLLAR / 10_000)).collect();
        // Lambda: 12 ms * 0.25 GB * $0.0000133334 = $0.0000000400002; starts: 3 * 40 ms * 0.25 GB *
        // $0.0000133334 * 10 000; secrets: 2 * $0.40 + 4 * 10 000 * $0.000005.
        assert_eq!(prices, [30_000, 6_000, 400, 400, 400, 40, 87_500, 3_125, 10_000]);
        // Two services 14.4175, MySQL 13.98, Redis 11.68, etcd 3.706.
        let sums = [sum(&receipt.lines), sum(&receipt.servers)];
        assert_eq!(sums.map(|sum| sum / (DOLLAR / 1000)), [13_786, 43_783]);
        assert!(receipt.x86_64 > sums[0]);
        assert!(receipt.text().ends_with(" pays for 3175823 payments.\n"));
        assert!(Receipt::of(&rows[..2]).is_none());
    }
}
