//! What every page works on.

use anyhow::{Context as _, Result};
use pay_core::domain::Operator;

use super::access::Access;
use super::audit_job::AuditJob;
use super::functions::Functions;
use crate::Table;

/// A console: one table, one session.
#[derive(Debug)]
pub(crate) struct App {
    /// The table.
    pub(crate) table: Table,
    /// Where it is.
    pub(crate) place: Place,
    /// Who gets in.
    pub(crate) access: Access,
    /// Who decides.
    pub(crate) by: Operator,
    /// Whether nothing may be done.
    pub(crate) is_read_only: bool,
    /// The functions that act on its payments.
    pub(crate) functions: Functions,
    /// The audit that it runs.
    pub(crate) audit: AuditJob,
}

/// Where a table is, as every page says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The AWS account; what an emulator has in its place is of no use.
    pub(crate) account: String,
    /// The AWS region.
    pub(crate) region: String,
    /// The table's name.
    pub(crate) table: String,
    /// The endpoint, where it is not AWS.
    pub(crate) endpoint: Option<String>,
}

impl Place {
    /// Reads it from the table's ARN, `arn:<partition>:dynamodb:<region>:<account>:table/<name>`.
    ///
    /// # Errors
    ///
    /// It is another text.
    ///
    /// Source: Service Authorization Reference, "Resource types defined by Amazon DynamoDB".
    pub(crate) fn of_arn(arn: &str, endpoint: Option<String>) -> Result<Self> {
        let parts: Vec<_> = arn.splitn(6, ':').collect();
        let [_, _, "dynamodb", region, account, resource] = parts[..] else {
            return Err(anyhow::anyhow!("{arn} is not the ARN of a table"));
        };
        let table = resource.strip_prefix("table/").context("it is not the ARN of a table")?;
        Ok(Self {
            account: account.to_owned(),
            region: region.to_owned(),
            table: table.to_owned(),
            endpoint,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_tables_arn_says_where_it_is() {
        let place = Place::of_arn("arn:aws:dynamodb:eu-central-1:123456789012:table/pay", None);
        let place = place.unwrap();
        assert_eq!(
            (place.account.as_str(), place.region.as_str(), place.table.as_str()),
            ("123456789012", "eu-central-1", "pay")
        );
        for wrong in ["", "arn:aws:s3:::pay", "arn:aws:dynamodb:eu-central-1:1:stream/pay"] {
            assert!(Place::of_arn(wrong, None).is_err(), "{wrong}");
        }
    }
}
