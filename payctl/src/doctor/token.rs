//! Why a token does or does not count: the verdict of the functions' own check, and what to do.

mod hint;
#[cfg(test)]
mod tests;

use pay_core::domain::{Timestamp, UserId};
use pay_core::json::{Json, Object};
use pay_core::ports::BadSecret;
use pay_service::auth::{self, AuthKey, TokenError, TokenFault, TokenRules};
use serde::Serialize;

use super::{Diagnosis, Judgement, case, edit};

/// A token, what it is checked with, and the time at which.
pub(super) struct TokenCase {
    /// The value of the header `Authorization`.
    header: String,
    /// The access secret's value.
    keys: Json,
    /// The scope that is needed; without one it must be a payer's.
    scope: Option<String>,
    rules: TokenRules,
    now: Timestamp,
}

/// Who a token is.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Caller {
    /// A payer, by the user's number.
    Uid(u64),
    /// A service with this scope.
    Scope(String),
}

impl TokenCase {
    /// Reads a line. The error is a sentence that says what to fix.
    pub(super) fn read(line: &Object, now_secs: u64) -> Result<Self, String> {
        let text = |name: &str| match line.get(name).map(Json::as_text) {
            None => Ok(None),
            Some(Some(text)) => Ok(Some(text.to_owned())),
            Some(None) => Err(format!("`{name}` is not a text")),
        };
        Ok(Self {
            header: text("token")?.unwrap_or_default(),
            keys: line.get("keys").ok_or("`keys` is missing")?.clone(),
            scope: text("scope")?,
            rules: TokenRules { issuer: text("issuer")?, audience: text("audience")? },
            now: case::now(line, now_secs)?,
        })
    }

    /// The diagnosis.
    pub(super) fn judge(&self) -> Diagnosis {
        let key = match AuthKey::from_secret(&edit::value(&self.keys).to_string()) {
            Ok(key) => key,
            Err(bad) => return unusable(bad),
        };
        match self.check(&self.header, &key) {
            Ok(caller) => {
                let reason =
                    "its signature fits, and each claim that is needed is right".to_owned();
                let base = Diagnosis::new(Judgement::Accept, reason, None);
                Diagnosis { caller: Some(caller), ..base }
            }
            Err(error) => {
                let fault = error.fault();
                let reason = format!("{}: {fault}", fault.as_str());
                Diagnosis::new(Judgement::Reject, reason, Some(hint::of(self, fault)))
            }
        }
    }

    /// The functions' own check.
    fn check(&self, header: &str, key: &AuthKey) -> Result<Caller, TokenError> {
        let (header, rules) = (Some(header), &self.rules);
        match &self.scope {
            None => auth::payer(header, key, rules, self.now).map(UserId::get).map(Caller::Uid),
            Some(scope) => auth::service(header, key, rules, scope, self.now)
                .map(|()| Caller::Scope(scope.clone())),
        }
    }

    /// What is wrong with another value of the header.
    fn fault_of(&self, header: &str) -> Option<TokenFault> {
        let key = AuthKey::from_secret(&edit::value(&self.keys).to_string()).ok()?;
        self.check(header, &key).err().map(TokenError::fault)
    }
}

fn unusable(bad: BadSecret) -> Diagnosis {
    let hint = "`keys` is the access secret's whole value: {\"access_secret\": \"…\"}, with a key of 32 \
        bytes or more";
    Diagnosis::new(Judgement::ConfigError, bad.to_string(), Some(hint.to_owned()))
}
