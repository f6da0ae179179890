//! What is common to the secrets: how one is said to be unusable.

/// Why a secret's text makes no keys. Never holds any of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret is unusable: {0}")]
pub struct BadSecret(pub &'static str);
