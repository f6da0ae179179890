//! Who gets in: the browser that opened the printed link, from our own pages.
//!
//! Other pages that the browser shows can send requests to this machine, and other programs of the machine
//! can connect. So `Host` must be ours (a name that an attacker points to 127.0.0.1 is not), a session cookie
//! is needed that only the printed code gives, and whatever changes something needs our `Origin` and the token of
//! its form.

use std::sync::{Mutex, PoisonError};

use anyhow::{Result, anyhow};
use axum::http::header::{COOKIE, HOST, HeaderMap, HeaderName, ORIGIN};
use axum::http::{Method, Uri};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

/// The path that takes the code of the printed link.
pub(crate) const ENTER: &str = "/enter";

/// What a browser says of where a request comes from. Source: Fetch Metadata Request Headers.
static FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The one session of a console.
#[derive(Debug)]
pub(crate) struct Access {
    /// What `Host` must be: address and port.
    host: String,
    port: u16,
    /// Makes the session, the code and the tokens; it ends with the process.
    key: hmac::Key,
    /// Whether the code was used.
    is_used: Mutex<bool>,
}

/// Why a request does not get in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    /// It is for another host than ours.
    OtherHost,
    /// It is neither a read nor a POST.
    Method,
    /// A POST that does not come from a page of ours.
    OtherOrigin,
    /// It has no session.
    NoSession,
    /// The code of the printed link is wrong, or was used.
    Code,
}

impl Access {
    /// A new session at this port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// The machine gives no randomness.
    pub(crate) fn new(port: u16) -> Result<Self> {
        let mut bytes = [0; 32];
        let random = SystemRandom::new().fill(&mut bytes);
        random.map_err(|_unspecified| anyhow!("the system gives no randomness"))?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        Ok(Self { host: format!("127.0.0.1:{port}"), port, key, is_used: Mutex::new(false) })
    }

    /// The link that opens the console, once.
    pub(crate) fn link(&self) -> String {
        format!("{}{ENTER}?code={}", self.origin(), self.made("code"))
    }

    /// Our own origin.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.host)
    }

    /// Checks everything that a request has before its body.
    ///
    /// # Errors
    ///
    /// [`Denied`], in the order of its variants, without the last.
    pub(super) fn check(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), Denied> {
        let named = uri.authority().is_none_or(|authority| authority.as_str() == self.host);
        if !named || only(headers, &HOST) != Some(&self.host) {
            return Err(Denied::OtherHost);
        }
        let is_post = method == Method::POST;
        if !is_post && method != Method::GET && method != Method::HEAD {
            return Err(Denied::Method);
        }
        if is_post {
            let site = only(headers, &FETCH_SITE);
            let is_ours = site == Some("same-origin") || !headers.contains_key(&FETCH_SITE);
            if !is_ours || only(headers, &ORIGIN) != Some(&self.origin()) {
                return Err(Denied::OtherOrigin);
            }
        }
        if uri.path() == ENTER || self.has_session(headers) {
            Ok(())
        } else {
            Err(Denied::NoSession)
        }
    }

    /// Takes the code of the printed link, once: the cookie that is the session.
    ///
    /// # Errors
    ///
    /// [`Denied::Code`].
    pub(super) fn enter(&self, code: &str) -> Result<String, Denied> {
        let mut is_used = self.is_used.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_used || !self.is_made("code", code) {
            return Err(Denied::Code);
        }
        *is_used = true;
        let (name, value) = (self.cookie_name(), self.made("session"));
        Ok(format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/"))
    }

    /// The token of the form that posts to this path.
    pub(super) fn token(&self, path: &str) -> String {
        self.made(&format!("form {path}"))
    }

    /// Whether a token is that of the form that posts to this path.
    pub(super) fn is_token(&self, path: &str, token: &str) -> bool {
        self.is_made(&format!("form {path}"), token)
    }

    /// A cookie belongs to a host, whatever the port: consoles side by side need names of their own.
    fn cookie_name(&self) -> String {
        format!("payctl-{}", self.port)
    }

    pub(super) fn has_session(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|value| value.split(';')).map(str::trim);
        let name = self.cookie_name();
        pairs.any(|pair| {
            pair.split_once('=')
                .is_some_and(|(of, value)| of == name && self.is_made("session", value))
        })
    }

    fn made(&self, what: &str) -> String {
        hex::encode(hmac::sign(&self.key, what.as_bytes()))
    }

    /// In constant time.
    fn is_made(&self, what: &str, text: &str) -> bool {
        let tag = hex::decode(text).unwrap_or_default();
        hmac::verify(&self.key, what.as_bytes(), &tag).is_ok()
    }
}

/// A header that is there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}
