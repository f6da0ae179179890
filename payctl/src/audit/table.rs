//! Where the audit reads: a table, or items in memory.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::Row;

/// A primary key.
pub type Key = (String, String);

/// A table that can be read page by page, and again where something looks wrong.
pub trait Audited {
    /// A page of all items, and where the next one begins. The items of a partition come together, in the
    /// order of their sort keys, wherever the table keeps them so; nothing depends on it but the time.
    fn page(&self, after: Option<Key>) -> impl Future<Output = Result<(Vec<Row>, Option<Key>)>>;

    /// The items of a partition, read consistently.
    fn partition(&self, pk: &str) -> impl Future<Output = Result<Vec<Row>>>;

    /// Those of these items that exist, read consistently, in any order.
    fn batch(&self, keys: &[Key]) -> impl Future<Output = Result<Vec<Row>>>;
}

/// The primary key of an item.
pub(super) fn key_of(row: &Row) -> Key {
    (row.text("pk").to_owned(), row.text("sk").to_owned())
}

/// Items in memory.
#[derive(Debug)]
pub(super) struct Items<'a>(BTreeMap<Key, &'a Row>);

impl<'a> Items<'a> {
    pub(super) fn new(rows: &'a [Row]) -> Self {
        Self(rows.iter().map(|row| (key_of(row), row)).collect())
    }
}

impl Audited for Items<'_> {
    async fn page(&self, _after: Option<Key>) -> Result<(Vec<Row>, Option<Key>)> {
        Ok((self.0.values().map(|row| (*row).clone()).collect(), None))
    }

    async fn partition(&self, pk: &str) -> Result<Vec<Row>> {
        let own = self.0.iter().filter(|((of, _), _)| of == pk);
        Ok(own.map(|(_, row)| (*row).clone()).collect())
    }

    async fn batch(&self, keys: &[Key]) -> Result<Vec<Row>> {
        Ok(keys.iter().filter_map(|key| self.0.get(key).map(|row| (*row).clone())).collect())
    }
}
