//! The services that the functions call over HTTPS: the shop, and an account at each payment provider.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use bench::Authority;
use pay_core::domain::Provider;
use tokio_rustls::TlsAcceptor;

use super::StackOptions;
use crate::faults::Faults;
use crate::faults::server::Server;
use crate::shop::Shop;
use crate::simulator::Account;

/// All of them, with one certificate.
pub(super) struct Upstreams {
    /// The authority of the certificate, PEM.
    pub(super) ca_file: PathBuf,
    pub(super) shop: Shop,
    pub(super) shop_url: String,
    pub(super) accounts: Vec<Account>,
    /// The URL of each provider, by the name of the setting that has it.
    pub(super) provider_urls: BTreeMap<&'static str, String>,
    pub(super) servers: Vec<Server>,
}

impl Upstreams {
    /// Starts them. The shop trusts this secret; providers send webhooks to the API at this URL.
    pub(super) async fn start(
        options: &StackOptions,
        access_secret: &str,
        api: &str,
        files: &Path,
        faults: &Faults,
    ) -> Result<Self> {
        let authority = Authority::new(options.host)?;
        let ca_file = files.join("ca.pem");
        std::fs::write(&ca_file, &authority.pem)?;
        let tls = TlsAcceptor::from(authority.server);
        let shop = Shop::new(access_secret, faults.clone());
        if let Some(directory) = &options.data {
            shop.keep_in(directory)?;
        }
        let server = shop.serve(options.host, tls.clone()).await?;
        let shop_url = format!("https://{}", server.address);
        let mut servers = vec![server];
        let (mut accounts, mut provider_urls) = (Vec::new(), BTreeMap::new());
        for provider in Provider::ALL {
            let account = Account::new(*provider, faults.clone())?;
            account.send_to(api);
            let server = account.serve(options.host, tls.clone()).await?;
            let (setting, path) = account.simulator().api.url;
            provider_urls.insert(setting, format!("https://{}{path}", server.address));
            accounts.push(account);
            servers.push(server);
        }
        Ok(Self { ca_file, shop, shop_url, accounts, provider_urls, servers })
    }
}
