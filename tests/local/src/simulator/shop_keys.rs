//! The keys that the shop calls a provider with: it rotates them.

use anyhow::Result;

/// One of the shop's two keys at a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopKey {
    /// The one that every stack begins with.
    First,
    /// The one that it is rotated to.
    Next,
}

/// Which of the shop's keys a provider accepts.
#[derive(Debug, Clone)]
pub struct ShopKeys {
    /// Those that it accepts.
    pub accepted: Vec<ShopKey>,
    /// The one of the last call that was accepted.
    pub used: Option<ShopKey>,
}

impl Default for ShopKeys {
    fn default() -> Self {
        Self { accepted: vec![ShopKey::First], used: None }
    }
}

impl ShopKeys {
    /// Accepts a call that was made with one of the accepted keys, which `is_it` says; `false` if it was made
    /// with none.
    pub(super) fn accept(&mut self, is_it: impl Fn(ShopKey) -> Result<bool>) -> Result<bool> {
        for key in self.accepted.iter().copied() {
            if is_it(key)? {
                self.used = Some(key);
                return Ok(true);
            }
        }
        Ok(false)
    }
}
