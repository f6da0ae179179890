//! What a running stack says about itself to programs.

use std::collections::BTreeMap;

use pay_core::domain::Provider;
use serde_json::{Value, json};

use super::Stack;
use crate::defaults;
use crate::keys::SigningKey;
use crate::lambda::Lambda;
use crate::simulator::simulator;

impl Stack {
    /// What `cargo local --json` prints: everything that a program needs to use the stack.
    #[must_use]
    pub fn describe(&self) -> Value {
        // The private keys for the public keys in the default webhook secret.
        let keys = Provider::ALL.iter().filter_map(|provider| {
            let key = simulator(*provider).key?.get().ok();
            Some((provider.as_str(), key.map(SigningKey::private_pem)))
        });
        json!({
            "api": self.api,
            "dynamodb": self.dynamodb,
            "secretsmanager": self.secretsmanager,
            "users": self.users,
            "orders": self.orders,
            "providers": self.providers,
            "ca_file": self.ca_file,
            "table": self.table,
            "environment": self.lambda.environments(),
            "payer_token": self.payer_token(1),
            "service_token": self.service_token(),
            "access_secret": self.access_secret,
            "webhook_secrets": self.webhook_secrets,
            "provider_secrets": self.provider_secrets,
            "signing_keys": keys.collect::<BTreeMap<_, _>>(),
        })
    }
}

/// What `payctl --local` needs to know, and where the shop is.
pub(super) fn services(lambda: &Lambda, dynamodb: &str, shop: &str) -> String {
    let environment = lambda.environments();
    let table = defaults::TABLE;
    json!({"dynamodb": dynamodb, "table": table, "environment": environment, "shop": shop})
        .to_string()
}
