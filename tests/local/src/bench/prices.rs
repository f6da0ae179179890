//! What AWS asks, as whole numbers of picodollars (a millionth of a millionth of a dollar).
//!
//! US East (N. Virginia), on demand, first tier, without free tiers and discounts, as published in
//! 2025. Sources: the pricing pages of AWS Lambda, Amazon API Gateway, Amazon DynamoDB (on-demand
//! since November 2024), AWS Secrets Manager, AWS Fargate, Amazon RDS for `MySQL`, Amazon `ElastiCache`,
//! Amazon EC2 and Amazon EBS.

/// Picodollars in a dollar.
pub(super) const DOLLAR: u64 = 1_000_000_000_000;

/// A request of Lambda's: $0.20 a million.
pub(super) const LAMBDA_REQUEST: u64 = 200_000;

/// A request of an HTTP API's, up to 512 KB: $1.00 a million.
pub(super) const API_REQUEST: u64 = 1_000_000;

/// A write request unit: $0.625 a million.
pub(super) const WRITE_UNIT: u64 = 625_000;

/// A read request unit: $0.125 a million.
pub(super) const READ_UNIT: u64 = 125_000;

/// A secret for a month: $0.40.
pub(super) const SECRET_MONTH: u64 = 400_000_000_000;

/// A call of Secrets Manager's: $0.05 for ten thousand.
pub(super) const SECRET_CALL: u64 = 5_000_000;

/// Hours in a month, as AWS's own calculator counts them.
pub(super) const HOURS_A_MONTH: u64 = 730;

/// Instruction set of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Architecture {
    /// Graviton.
    Arm64,
    /// Intel and AMD.
    X86,
}

impl Architecture {
    /// A second of 1024 MB: $0.0000133334, $0.0000166667.
    const fn gb_second(self) -> u64 {
        match self {
            Self::Arm64 => 13_333_400,
            Self::X86 => 16_666_700,
        }
    }
}

/// A price so many times, and so many times again: the product of all factors.
pub(super) fn times(price: u64, factors: &[u64]) -> u64 {
    factors.iter().fold(price, |product, factor| product.saturating_mul(*factor))
}

/// What so much memory costs for so many microseconds, in picodollars, rounded up.
pub(super) fn picodollars(memory_mb: u64, micros: u64, architecture: Architecture) -> u64 {
    let mb_micros = u128::from(memory_mb).saturating_mul(u128::from(micros));
    let price = mb_micros.saturating_mul(u128::from(architecture.gb_second()));
    u64::try_from(price.div_ceil(1024 * 1_000_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Architecture, DOLLAR, picodollars};

    #[test]
    fn memory_times_duration_is_priced_as_lambda_does() {
        // A second of 1024 MB, to the digit of the price page.
        assert_eq!(picodollars(1024, 1_000_000, Architecture::Arm64), 13_333_400);
        assert_eq!(picodollars(1024, 1_000_000, Architecture::X86), 16_666_700);
        // 75 000 seconds of 1024 MB are a dollar and a little.
        let dollar = picodollars(1024, 75_000 * 1_000_000, Architecture::Arm64);
        assert_eq!(dollar, DOLLAR + 5_000_000);
        assert_eq!(picodollars(128, 1, Architecture::Arm64), 2);
        assert_eq!(picodollars(u64::MAX, u64::MAX, Architecture::X86), u64::MAX);
    }
}
