//! The stack as a whole: its options, its start, its end.

mod backing;
mod describe;
mod functions;
mod upstreams;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::Signal;
use pay_core::domain::Provider;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;

use self::backing::Backing;
use self::describe::services;
use self::upstreams::Upstreams;
use crate::dynamodb::{self, DynamoDb};
use crate::faults::server::Server;
use crate::faults::{Faults, Plan};
use crate::gateway::{self, Cors, Gateway};
use crate::lambda::{FunctionError, Instance, Lambda, Supervisors};
use crate::secrets::Secrets;
use crate::shop::Shop;
use crate::simulator::Account;
use crate::task::Task;
use crate::template::Template;
use crate::{binaries, clock, defaults, tokens};

/// How to start a stack.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// The address of this machine on which everything listens that callers or functions reach. It
    /// is part of URLs, so it must not be unspecified.
    pub host: IpAddr,
    /// The API's port; 0 for any free one.
    pub port: u16,
    /// How many processes each function has.
    pub instances: usize,
    /// Keeps the table and the shop in this directory, which one stack at a time can use; `None` for
    /// those that end with the stack.
    pub data: Option<PathBuf>,
    /// Uses the DynamoDB and the Secrets Manager at this URL instead of starting them.
    pub aws_endpoint: Option<String>,
    /// Builds the functions as they ship.
    pub release: bool,
    /// Runs these executables, by function name, instead of building the functions.
    pub binaries: Option<BTreeMap<String, PathBuf>>,
    /// The template; `None` for that of the workspace.
    pub template: Option<PathBuf>,
    /// Sends the functions' output to standard error instead of keeping it for [`Stack::logs`].
    pub inherit_logs: bool,
    /// The secret with which the shop's user service signs its tokens.
    pub access_secret: String,
    /// The webhook secret's JSON; `None` for [`defaults::webhook_secrets`].
    pub webhook_secrets: Option<Value>,
    /// The provider secret's JSON; `None` for [`defaults::provider_secrets`], `null` for a deployment
    /// that has none and calls no provider.
    pub provider_secrets: Option<Value>,
    /// Variables for the functions, which replace those of the stack.
    pub environment: BTreeMap<String, String>,
    /// The origins whose pages may call the API: the template's `CorsOrigins`.
    pub cors_origins: Vec<String>,
    /// The faults, from the first call on.
    pub faults: Plan,
}

impl Default for StackOptions {
    fn default() -> Self {
        Self {
            host: defaults::HOST,
            port: 0,
            instances: 2,
            data: None,
            aws_endpoint: None,
            release: false,
            binaries: None,
            template: None,
            inherit_logs: false,
            access_secret: defaults::ACCESS_SECRET.to_owned(),
            webhook_secrets: None,
            provider_secrets: None,
            environment: BTreeMap::new(),
            cors_origins: Vec::new(),
            faults: Plan::default(),
        }
    }
}

/// A running stack. Dropping it stops everything, processes included.
#[derive(Debug)]
pub struct Stack {
    /// The URL of the HTTP API and of the Invoke API.
    pub api: String,
    /// The URL of DynamoDB.
    pub dynamodb: String,
    /// The URL of Secrets Manager.
    pub secretsmanager: String,
    /// The URL of the user service.
    pub users: String,
    /// The URL of the order service.
    pub orders: String,
    /// The certificate authority of the user and order services, PEM.
    pub ca_file: PathBuf,
    /// The table's name.
    pub table: String,
    /// The secret that signs tokens.
    pub access_secret: String,
    /// The webhook secret's JSON.
    pub webhook_secrets: Value,
    /// The provider secret's JSON.
    pub provider_secrets: Value,
    /// The URL of each provider, by the name of the setting that has it.
    pub providers: BTreeMap<&'static str, String>,
    shop: Shop,
    accounts: Vec<Account>,
    control: DynamoDb,
    secrets: Secrets,
    faults: Faults,
    lambda: Arc<Lambda>,
    supervisors: Supervisors,
    files: TempDir,
    _services: Services,
}

/// The services around the functions, which end with the stack.
#[derive(Debug)]
struct Services {
    _gateway: Task,
    _upstreams: Vec<Server>,
    _backing: Option<(dynamodb::Engine, Server)>,
}

impl Stack {
    /// Builds the functions if necessary, and starts everything.
    pub async fn start(options: StackOptions) -> Result<Self> {
        ensure!(options.instances > 0, "at least one instance of each function is needed");
        let template = match &options.template {
            Some(template) => Template::read(template)?,
            None => Template::read(&binaries::workspace()?.join("template.yaml"))?,
        };
        // Before the build, which may take a minute: a taken port is reported at once.
        let listener = bind(options.host, options.port).await?;
        let executables = functions::executables(&template, &options).await?;
        let files = TempDir::with_prefix("local-stack-").context("no temporary directory")?;
        let faults = Faults::default();
        let backing = Backing::start(&options, &template, &faults).await?;

        let api = format!("http://{}", listener.local_addr()?);
        let access_secret = &backing.access_secret;
        let upstreams =
            Upstreams::start(&options, access_secret, &api, files.path(), &faults).await?;
        let variables = functions::variables(&backing, &upstreams);
        let settings = functions::settings(
            template.functions,
            &executables,
            &variables,
            &options,
            files.path(),
        )?;
        faults.follow(options.faults);
        let (lambda, supervisors) = Lambda::start(settings, options.instances)?;
        let gateway = Gateway {
            lambda: Arc::clone(&lambda),
            routes: template.routes,
            cors: Cors::new(template.cors, options.cors_origins),
            services: services(&lambda, &backing.dynamodb, &upstreams.shop_url),
            accounts: upstreams.accounts.clone(),
        };
        let router = gateway::router(gateway).into_make_service_with_connect_info::<SocketAddr>();
        let gateway = Task::run(async move { axum::serve(listener, router).await });
        let stack = Self {
            api,
            dynamodb: backing.dynamodb,
            secretsmanager: backing.secretsmanager,
            users: upstreams.shop_url.clone(),
            orders: upstreams.shop_url,
            ca_file: upstreams.ca_file,
            table: defaults::TABLE.to_owned(),
            access_secret: backing.access_secret,
            webhook_secrets: backing.webhook_secrets,
            provider_secrets: backing.provider_secrets,
            providers: upstreams.provider_urls,
            shop: upstreams.shop,
            accounts: upstreams.accounts,
            control: backing.control,
            secrets: backing.secrets,
            faults,
            lambda,
            supervisors,
            files,
            _services: Services {
                _gateway: gateway,
                _upstreams: upstreams.servers,
                _backing: backing.servers,
            },
        };
        stack.lambda.ready(options.instances).await?;
        Ok(stack)
    }

    /// Stops everything and waits until no process is left.
    pub async fn stop(self) -> Result<()> {
        self.supervisors.stop().await;
        self.files.close().context("cannot remove the temporary directory")
    }

    /// The shop.
    #[must_use]
    pub fn shop(&self) -> &Shop {
        &self.shop
    }

    /// The shop's account at a provider.
    pub fn account(&self, provider: Provider) -> Result<&Account> {
        let account = self.accounts.iter().find(|account| account.provider() == provider);
        account.with_context(|| format!("{} is not played here", provider.as_str()))
    }

    /// The calls to DynamoDB and their faults. It has no effect on another endpoint.
    #[must_use]
    pub fn dynamodb_control(&self) -> &DynamoDb {
        &self.control
    }

    /// The secrets. It has no effect on another endpoint.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The faults of all services.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// A payer's token.
    #[must_use]
    pub fn payer_token(&self, uid: u64) -> String {
        tokens::issue(&self.access_secret, uid, None, clock::now_secs())
    }

    /// The token of a gateway of the shop's own, which may send notifications.
    #[must_use]
    pub fn service_token(&self) -> String {
        tokens::issue(&self.access_secret, 1, Some(tokens::CALLBACK_SCOPE), clock::now_secs())
    }

    /// The token of a service of the shop's, which may ask for refunds.
    #[must_use]
    pub fn refund_token(&self) -> String {
        tokens::issue(&self.access_secret, 1, Some(tokens::REFUND_SCOPE), clock::now_secs())
    }

    /// The first secret for Standard Webhooks.
    pub fn standard_secret(&self) -> Result<&str> {
        let secrets =
            self.webhook_secrets.get("standard").and_then(Value::as_array).into_iter().flatten();
        secrets
            .filter_map(Value::as_str)
            .find(|secret| secret.starts_with("whsec_"))
            .context("the webhook secret has no whsec_ under \"standard\"")
    }

    /// The processes of the functions that run now.
    #[must_use]
    pub fn instances(&self) -> Vec<Instance> {
        self.lambda.instances()
    }

    /// Kills one of [`Stack::instances`] as `kill -9` does.
    pub fn kill(&self, pid: i32) -> Result<()> {
        self.lambda.signal(pid, Signal::SIGKILL)
    }

    /// Freezes one of [`Stack::instances`], as Lambda does between invocations.
    pub fn freeze(&self, pid: i32) -> Result<()> {
        self.lambda.signal(pid, Signal::SIGSTOP)
    }

    /// Continues a frozen one.
    pub fn thaw(&self, pid: i32) -> Result<()> {
        self.lambda.signal(pid, Signal::SIGCONT)
    }

    /// Runs a function directly, as `lambda:InvokeFunction` does.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value, FunctionError> {
        let payload = self.lambda.invoke(function, event.to_string().into()).await?;
        Ok(serde_json::from_slice(&payload).unwrap_or(Value::Null))
    }

    /// The environment of a function, without the variables of Lambda itself.
    #[must_use]
    pub fn environment(&self, function: &str) -> Option<&BTreeMap<String, String>> {
        self.lambda.environments().remove(function)
    }

    /// Everything that the functions have printed, unless it goes to standard error.
    #[must_use]
    pub fn logs(&self) -> String {
        let entries = std::fs::read_dir(self.files.path()).into_iter().flatten().flatten();
        let logs = entries
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "log"));
        // A file that cannot be read is empty so far.
        let texts = logs.filter_map(|path| std::fs::read(path).ok());
        texts.map(|text| String::from_utf8_lossy(&text).into_owned()).collect()
    }
}

async fn bind(host: IpAddr, port: u16) -> Result<TcpListener> {
    ensure!(!host.is_unspecified(), "{host} cannot be called: take one address of this machine");
    match TcpListener::bind((host, port)).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "port {port} is taken: choose another with --port, or stop the program that has it"
        ),
        Err(error) => Err(error).with_context(|| format!("cannot listen on {host}, port {port}")),
    }
}
