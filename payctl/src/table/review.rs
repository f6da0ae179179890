//! The quarantine, page by page.

use std::fmt;

use anyhow::Result;
use aws_sdk_dynamodb::types::AttributeValue;

use super::{Table, key, key_of, usage_of};
use crate::Row;
use crate::name::Name;

/// After which entry of the quarantine a page begins: when that was quarantined, and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReviewCursor {
    at: u64,
    name: Name,
}

impl ReviewCursor {
    /// The cursor of the page that begins after an entry; `None` for one whose time is none.
    pub(crate) fn of(row: &Row) -> Option<Self> {
        Some(Self { at: row.number("due")?, name: Name::of(row) })
    }

    /// Reads what [`fmt::Display`] prints.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (at, name) = text.split_once('/')?;
        Some(Self { at: at.parse().ok()?, name: Name::parse(name)? })
    }
}

impl fmt::Display for ReviewCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.at, self.name)
    }
}

impl Table {
    /// A page of what waits for a person, oldest first: of at most `limit` entries that were quarantined at `from` or
    /// later, in Unix milliseconds, and come after `after`; and after which entry there are more. One query and one
    /// read of a batch if `limit` is at most 100.
    pub(crate) async fn review_page(
        &self,
        from: Option<u64>,
        after: Option<&ReviewCursor>,
        limit: i32,
    ) -> Result<(Vec<Row>, Option<ReviewCursor>)> {
        let mut query = self.review_query().limit(limit);
        if let Some(from) = from {
            query = query
                .key_condition_expression("#queue = :queue AND due >= :from")
                .expression_attribute_values(":from", AttributeValue::N(from.to_string()));
        }
        if let Some(ReviewCursor { at, name }) = after {
            let mut start = key(&name.0);
            start.insert("queue".to_owned(), AttributeValue::S("review".to_owned()));
            start.insert("due".to_owned(), AttributeValue::N(at.to_string()));
            query = query.set_exclusive_start_key(Some(start));
        }
        let page = query.send().await.map_err(|error| self.cannot_read(error))?;
        usage_of(page.consumed_capacity());
        let last = page.last_evaluated_key.filter(|key| !key.is_empty()).map(Row::from);
        let next = last.as_ref().and_then(ReviewCursor::of);
        let entries = page.items.unwrap_or_default().into_iter().map(Row::from);
        let keys: Vec<_> = entries.map(|entry| key_of(&entry)).collect();
        Ok((self.waiting_of(&keys).await?, next))
    }
}

#[cfg(test)]
mod tests {
    use super::ReviewCursor;

    #[test]
    fn a_cursor_is_read_as_it_is_printed() {
        for text in ["1795437467020/7/stripe/e1", "0/item/pay%2307/event%23stripe%23e1"] {
            assert_eq!(ReviewCursor::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["", "x/7/stripe/e1", "7", "1/7"] {
            assert_eq!(ReviewCursor::parse(wrong), None, "{wrong}");
        }
    }
}
