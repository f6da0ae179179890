//! Settings, from the variables of the function. Every bad one is reported at once.
//!
//! Secrets are never settings: a setting is a secret's name. An empty variable is one that is not
//! set, so that a template can pass an optional parameter on as it is.

use std::{fmt, time::Duration};

use pay_core::domain::Currency;
use reqwest::Url;
use tracing::level_filters::LevelFilter;

use crate::{auth::TokenRules, limits::SECRET_OVERLAP_SECS};

/// What every function needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `TABLE_NAME`.
    pub table: String,
    /// `CURRENCY`, an ISO 4217 code: what every new payment is in.
    pub currency: Currency,
    /// `AUTH_SECRET_ID`.
    pub auth_secret_id: String,
    /// `SECRET_OVERLAP_SECONDS`, 24 h by default: how long the generation before AWSCURRENT is
    /// accepted after AWSCURRENT was made.
    pub secret_overlap: Duration,
    /// `JWT_ISSUER`, `JWT_AUDIENCE`.
    pub rules: TokenRules,
    /// `LOG_LEVEL`: `error`, `warn`, `info` (the default), `debug` or `trace`.
    pub log_level: LevelFilter,
}

/// What the functions need that call the shop.
#[derive(Clone, Debug)]
pub struct ShopSettings {
    /// `USER_INFO_URL`.
    pub user_info: Url,
    /// `ORDER_DETAIL_URL`.
    pub order_detail: Url,
    /// `ORDER_PAID_URL`.
    pub order_paid: Url,
    /// `UPSTREAM_CA_BUNDLE`: PEM text, or the path of a file of it.
    pub ca_bundle: Option<String>,
}

/// What callback needs beside them.
#[derive(Clone, Debug)]
pub struct CallbackSettings {
    /// `WEBHOOK_SECRET_ID`.
    pub webhook_secret_id: String,
    /// `CALLBACK_TOKENS`, `on` (the default) or `off`: whether a service's token may stand for a
    /// signature on the native route.
    pub tokens: bool,
}

/// Every setting that is missing or wrong, by name. Never their values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct BadSettings(pub Vec<String>);

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad settings: {}", self.0.join("; "))
    }
}

/// Finds a variable by its name.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The settings of create.
///
/// # Errors
///
/// [`BadSettings`], with everything that is missing or wrong.
pub fn create(lookup: Lookup<'_>) -> Result<(Settings, ShopSettings), BadSettings> {
    let mut reader = Reader { lookup, wrong: Vec::new() };
    let (settings, shop) = (reader.settings(), reader.shop());
    reader.finish(settings.zip(shop))
}

/// The settings of detail.
///
/// # Errors
///
/// As [`create`].
pub fn detail(lookup: Lookup<'_>) -> Result<Settings, BadSettings> {
    let mut reader = Reader { lookup, wrong: Vec::new() };
    let settings = reader.settings();
    reader.finish(settings)
}

/// The settings of callback.
///
/// # Errors
///
/// As [`create`].
pub fn callback(
    lookup: Lookup<'_>,
) -> Result<(Settings, ShopSettings, CallbackSettings), BadSettings> {
    let mut reader = Reader { lookup, wrong: Vec::new() };
    let (settings, shop) = (reader.settings(), reader.shop());
    let callback = reader.callback();
    let read = settings.zip(shop).zip(callback);
    reader.finish(read.map(|((settings, shop), callback)| (settings, shop, callback)))
}

/// Reads settings by name, and remembers what is wrong with them.
struct Reader<'a> {
    lookup: Lookup<'a>,
    wrong: Vec<String>,
}

impl Reader<'_> {
    /// What every function needs; `None` if some of it is wrong.
    fn settings(&mut self) -> Option<Settings> {
        let table = self.required("TABLE_NAME", text);
        let currency = self.required("CURRENCY", |code| Currency::new(code).ok());
        let auth_secret_id = self.required("AUTH_SECRET_ID", text);
        let overlap = self.optional("SECRET_OVERLAP_SECONDS", |secs| secs.parse().ok());
        let issuer = self.optional("JWT_ISSUER", text);
        let audience = self.optional("JWT_AUDIENCE", text);
        let level = self.optional("LOG_LEVEL", |level| level.parse().ok());
        Some(Settings {
            table: table?,
            currency: currency?,
            auth_secret_id: auth_secret_id?,
            secret_overlap: Duration::from_secs(overlap.unwrap_or(SECRET_OVERLAP_SECS)),
            rules: TokenRules { issuer, audience },
            log_level: level.unwrap_or(LevelFilter::INFO),
        })
    }

    /// What a function needs that calls the shop; `None` if some of it is wrong.
    fn shop(&mut self) -> Option<ShopSettings> {
        let user_info = self.required("USER_INFO_URL", https);
        let order_detail = self.required("ORDER_DETAIL_URL", https);
        let order_paid = self.required("ORDER_PAID_URL", https);
        let ca_bundle = self.optional("UPSTREAM_CA_BUNDLE", pem);
        Some(ShopSettings {
            user_info: user_info?,
            order_detail: order_detail?,
            order_paid: order_paid?,
            ca_bundle,
        })
    }

    /// What callback needs beside; `None` if some of it is wrong.
    fn callback(&mut self) -> Option<CallbackSettings> {
        let webhook_secret_id = self.required("WEBHOOK_SECRET_ID", text);
        let tokens = self.optional("CALLBACK_TOKENS", on_or_off);
        Some(CallbackSettings {
            webhook_secret_id: webhook_secret_id?,
            tokens: tokens.unwrap_or(true),
        })
    }

    /// What was read, unless something was wrong.
    fn finish<T>(self, read: Option<T>) -> Result<T, BadSettings> {
        match read {
            Some(settings) if self.wrong.is_empty() => Ok(settings),
            Some(_) | None => Err(BadSettings(self.wrong)),
        }
    }

    fn optional<T>(&mut self, name: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let value = (self.lookup)(name).filter(|value| !value.is_empty())?;
        let read = read(&value);
        if read.is_none() {
            self.wrong.push(format!("{name} is not valid"));
        }
        read
    }

    fn required<T>(&mut self, name: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let wrong = self.wrong.len();
        let value = self.optional(name, read);
        if value.is_none() && self.wrong.len() == wrong {
            self.wrong.push(format!("{name} is missing"));
        }
        value
    }
}

/// A URL that tokens may be sent to.
fn https(url: &str) -> Option<Url> {
    Url::parse(url).ok().filter(|url| url.scheme() == "https")
}

fn on_or_off(word: &str) -> Option<bool> {
    match word {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

/// White space around a name was never meant.
fn text(text: &str) -> Option<String> {
    (text.trim() == text).then(|| text.to_owned())
}

fn pem(text_or_path: &str) -> Option<String> {
    if text_or_path.contains("-----BEGIN") {
        Some(text_or_path.to_owned())
    } else {
        std::fs::read_to_string(text_or_path).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 7] = [
        ("TABLE_NAME", "payments"),
        ("CURRENCY", "CNY"),
        ("AUTH_SECRET_ID", "auth"),
        ("USER_INFO_URL", "https://shop.example/user"),
        ("ORDER_DETAIL_URL", "https://shop.example/order"),
        ("ORDER_PAID_URL", "https://shop.example/paid"),
        ("JWT_ISSUER", ""),
    ];

    fn read(changed: &[(&str, &str)]) -> Result<(Settings, ShopSettings), BadSettings> {
        let lookup = |name: &str| {
            let all = changed.iter().chain(&GOOD);
            all.clone().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        create(&lookup)
    }

    #[test]
    fn good_settings_are_read_and_defaults_filled_in() {
        let (settings, shop) = read(&[]).unwrap();
        assert_eq!((settings.table.as_str(), settings.currency.code()), ("payments", "CNY"));
        assert_eq!(settings.secret_overlap.as_secs(), 86_400);
        assert_eq!(settings.rules, TokenRules::default());
        assert_eq!(settings.log_level, LevelFilter::INFO);
        assert_eq!(shop.order_paid.as_str(), "https://shop.example/paid");
        let only = ["TABLE_NAME", "CURRENCY", "AUTH_SECRET_ID"];
        assert!(detail(&|name| only.contains(&name).then(|| "CNY".to_owned())).is_ok());
    }

    #[test]
    fn tokens_are_accepted_by_callback_unless_they_are_off() {
        let read = |word: Option<&str>| {
            let lookup = |name: &str| match name {
                "CALLBACK_TOKENS" => word.map(str::to_owned),
                "WEBHOOK_SECRET_ID" => Some("webhooks".to_owned()),
                _ => GOOD.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned()),
            };
            callback(&lookup).map(|(_, _, callback)| callback.tokens)
        };
        for (word, tokens) in
            [(None, true), (Some(""), true), (Some("on"), true), (Some("off"), false)]
        {
            assert_eq!(read(word), Ok(tokens), "{word:?}");
        }
        // What was meant to close a way in must not leave it open.
        for wrong in ["OFF", "false", "0", "no", " off"] {
            let bad = BadSettings(vec!["CALLBACK_TOKENS is not valid".to_owned()]);
            assert_eq!(read(Some(wrong)), Err(bad), "{wrong}");
        }
    }

    #[test]
    fn every_bad_setting_is_reported_at_once_and_none_is_shown() {
        let bad = read(&[
            ("TABLE_NAME", ""),
            ("CURRENCY", "cny-canary"),
            ("SECRET_OVERLAP_SECONDS", "1h"),
            ("USER_INFO_URL", "http://shop.example/user"),
            ("UPSTREAM_CA_BUNDLE", "/canary/no/such/file"),
            ("LOG_LEVEL", "loud"),
        ])
        .unwrap_err()
        .to_string();
        for name in [
            "TABLE_NAME is missing",
            "CURRENCY is not valid",
            "SECRET_OVERLAP_SECONDS",
            "USER_INFO_URL",
            "UPSTREAM_CA_BUNDLE",
            "LOG_LEVEL",
        ] {
            assert!(bad.contains(name), "{name}: {bad}");
        }
        assert!(!bad.contains("canary"), "{bad}");
        let callback = callback(&|_| None).unwrap_err().to_string();
        assert!(callback.contains("WEBHOOK_SECRET_ID is missing"), "{callback}");
    }
}
