//! What a shop keeps beside the table: users, orders, which payments paid them, and what went back. Without it the ids of
//! orders would begin anew, and an order would be one whose payment is in the table.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{Order, Shop, State};

/// The file in the directory.
const FILE: &str = "shop.json";

/// The file's content.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    users: BTreeSet<u64>,
    orders: Vec<Order>,
    keys: BTreeMap<u64, BTreeSet<Option<String>>>,
    #[serde(default)]
    refunds: BTreeMap<u64, BTreeMap<String, u64>>,
}

impl Shop {
    /// Takes over what a shop has kept in this directory, and keeps there what this one changes.
    pub(crate) fn keep_in(&self, directory: &Path) -> Result<()> {
        let path = directory.join(FILE);
        let mut state = self.lock();
        match std::fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
            Ok(text) => {
                let kept = serde_json::from_slice(&text);
                let Kept { users, orders, keys, refunds } =
                    kept.with_context(|| format!("{} is not a shop's", path.display()))?;
                state.users = users;
                state.orders = orders.into_iter().map(|order| (order.id, order)).collect();
                state.keys = keys;
                state.refunds = refunds;
            }
        }
        state.file = Some(path);
        Ok(())
    }
}

impl State {
    /// Writes what is kept, if anything is.
    pub(super) fn keep(&self) -> Result<()> {
        let Some(path) = &self.file else { return Ok(()) };
        let kept = Kept {
            users: self.users.clone(),
            orders: self.orders.values().cloned().collect(),
            keys: self.keys.clone(),
            refunds: self.refunds.clone(),
        };
        // In one step, so that a kill leaves the file before or the file after.
        let mut file = NamedTempFile::new_in(path.parent().context("a path without a directory")?)?;
        file.write_all(&serde_json::to_vec(&kept)?)?;
        file.persist(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Order, Shop};
    use super::FILE;
    use crate::faults::Faults;

    #[test]
    fn a_shop_goes_on_where_the_last_one_in_its_directory_ended() {
        let directory = tempfile::tempdir().unwrap();
        let open = || {
            let shop = Shop::new("secret", Faults::default());
            shop.keep_in(directory.path()).map(|()| shop)
        };
        let first = open().unwrap();
        first.add_user(7);
        let order = Order { id: 41, uid: 7, pid: 2, amount: 5, status: 1 };
        first.put_order(order.clone());
        first.lock().keys.entry(41).or_default().insert(Some("key".to_owned()));
        first.lock().refunds.entry(41).or_default().insert("refund".to_owned(), 3);
        first.lock().keep().unwrap();

        let second = open().unwrap();
        assert_eq!((second.order(41), second.times_paid(41)), (Some(order), 1));
        assert_eq!(second.given_back(41), [3]);
        assert!(second.lock().users.contains(&7));
        assert_eq!(second.add_order(7, 5), 42);
        assert_eq!(open().unwrap().order(42), None, "nothing is kept before it is written");
        assert_eq!(directory.path().read_dir().unwrap().count(), 1);

        std::fs::write(directory.path().join(FILE), "x").unwrap();
        let error = format!("{:#}", open().unwrap_err());
        assert!(error.contains("shop.json is not a shop's: expected value"), "{error}");
    }
}
