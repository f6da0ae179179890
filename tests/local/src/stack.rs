//! The stack as a whole: options in, a running cloud out.

mod backing;
mod functions;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use bench::Authority;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use self::backing::Backing;
use crate::dynamodb::{self, DynamoDb};
use crate::faults::server::Server;
use crate::faults::{Faults, Plan};
use crate::gateway::{self, Gateway};
use crate::keys::SigningKeys;
use crate::lambda::{FunctionError, Instance, Lambda, Supervisors};
use crate::secrets::Secrets;
use crate::shop::Shop;
use crate::task::Task;
use crate::template::Template;
use crate::{binaries, clock, defaults, tokens};

/// How to start a stack.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// The address of this machine that all listens on which callers or functions reach. It is in
    /// URLs, so it must be one that can be called.
    pub host: IpAddr,
    /// The API's port; 0 takes any that is free.
    pub port: u16,
    /// How many processes each function has.
    pub instances: usize,
    /// Keeps the table in this directory; without one it is gone with the stack.
    pub data: Option<PathBuf>,
    /// Uses the DynamoDB and the Secrets Manager at this URL instead of starting them.
    pub aws_endpoint: Option<String>,
    /// Builds the functions as they ship.
    pub release: bool,
    /// Runs these executables, by function name, instead of building the functions.
    pub binaries: Option<BTreeMap<String, PathBuf>>,
    /// The template; without one that of the workspace.
    pub template: Option<PathBuf>,
    /// Sends the functions' output to standard error instead of keeping it for [`Stack::logs`].
    pub inherit_logs: bool,
    /// What the shop's user service signs its tokens with.
    pub access_secret: String,
    /// The webhook secret's JSON; without one [`defaults::webhook_secrets`].
    pub webhook_secrets: Option<Value>,
    /// Variables for the functions, over those of the stack.
    pub environment: BTreeMap<String, String>,
    /// What goes wrong, from the first call on.
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
            environment: BTreeMap::new(),
            faults: Plan::default(),
        }
    }
}

/// A running stack. Dropping it stops everything, processes included.
#[derive(Debug)]
pub struct Stack {
    /// Where the HTTP API is, and the Invoke API with it.
    pub api: String,
    /// Where DynamoDB is.
    pub dynamodb: String,
    /// Where Secrets Manager is.
    pub secretsmanager: String,
    /// Where the user service is.
    pub users: String,
    /// Where the order service is.
    pub orders: String,
    /// The certificate authority of the user and order services, PEM.
    pub ca_file: PathBuf,
    /// The table's name.
    pub table: String,
    /// What tokens are signed with.
    pub access_secret: String,
    /// The webhook secret's JSON.
    pub webhook_secrets: Value,
    shop: Shop,
    control: DynamoDb,
    secrets: Secrets,
    faults: Faults,
    lambda: Arc<Lambda>,
    supervisors: Supervisors,
    files: TempDir,
    _services: Services,
}

/// What runs for the functions, kept only to end with the stack.
#[derive(Debug)]
struct Services {
    _gateway: Task,
    _shop: Server,
    _backing: Option<(dynamodb::Engine, Server)>,
}

impl Stack {
    /// Builds the functions if it must, and starts everything.
    ///
    /// # Errors
    ///
    /// Says in one sentence what is missing or in the way: a taken port, a failed build, a template
    /// that lacks something, a function that ends at its start.
    pub async fn start(options: StackOptions) -> Result<Self> {
        ensure!(options.instances > 0, "at least one instance of each function is needed");
        let template = options.template.clone();
        let template = Template::read(
            &template.unwrap_or_else(|| binaries::workspace().join("template.yaml")),
        )?;
        // Before the build: a taken port should not be found out a minute later.
        let listener = bind(options.host, options.port).await?;
        let executables = functions::executables(&template, &options).await?;
        let files = TempDir::with_prefix("local-stack-").context("no temporary directory")?;
        let faults = Faults::default();
        let backing = Backing::start(&options, &template, &faults).await?;

        let authority = Authority::new(options.host)?;
        let ca_file = files.path().join("ca.pem");
        std::fs::write(&ca_file, &authority.pem)?;
        let shop = Shop::new(&backing.access_secret, faults.clone());
        let shop_server = shop.serve(options.host, authority.server.into()).await?;
        let shop_url = format!("https://{}", shop_server.address);

        let variables = functions::variables(
            &backing.dynamodb,
            &backing.secretsmanager,
            &shop_url,
            &ca_file.display().to_string(),
        );
        let settings = functions::settings(
            template.functions,
            &executables,
            &variables,
            &options,
            files.path(),
        )?;
        faults.follow(options.faults);
        let (lambda, supervisors) = Lambda::start(settings, options.instances)?;
        let api = format!("http://{}", listener.local_addr()?);
        let router =
            gateway::router(Gateway { lambda: Arc::clone(&lambda), routes: template.routes });
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        let gateway = Task::run(async move { axum::serve(listener, router).await });
        let stack = Self {
            api,
            dynamodb: backing.dynamodb,
            secretsmanager: backing.secretsmanager,
            users: shop_url.clone(),
            orders: shop_url,
            ca_file,
            table: defaults::TABLE.to_owned(),
            access_secret: backing.access_secret,
            webhook_secrets: backing.webhook_secrets,
            shop,
            control: backing.control,
            secrets: backing.secrets,
            faults,
            lambda,
            supervisors,
            files,
            _services: Services {
                _gateway: gateway,
                _shop: shop_server,
                _backing: backing.servers,
            },
        };
        stack.lambda.ready(options.instances).await?;
        Ok(stack)
    }

    /// Stops everything and waits until no process is left.
    ///
    /// # Errors
    ///
    /// The temporary directory cannot be removed.
    pub async fn stop(self) -> Result<()> {
        self.supervisors.stop().await;
        self.files.close().context("cannot remove the temporary directory")
    }

    /// The shop that is paid.
    #[must_use]
    pub fn shop(&self) -> &Shop {
        &self.shop
    }

    /// The calls to DynamoDB and their faults; those to another endpoint are out of its reach.
    #[must_use]
    pub fn dynamodb_control(&self) -> &DynamoDb {
        &self.control
    }

    /// The secrets; those of another endpoint are out of its reach.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// What goes wrong at all of them.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// A payer's token.
    #[must_use]
    pub fn payer_token(&self, uid: u64) -> String {
        tokens::issue(&self.access_secret, uid, None, clock::now_secs())
    }

    /// The token of a gateway of ours, which may call back.
    #[must_use]
    pub fn service_token(&self) -> String {
        tokens::issue(&self.access_secret, 1, Some(tokens::CALLBACK_SCOPE), clock::now_secs())
    }

    /// The first secret for Standard Webhooks.
    ///
    /// # Errors
    ///
    /// The webhook secret has none.
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
    ///
    /// # Errors
    ///
    /// There is no such instance.
    pub fn kill(&self, pid: i32) -> Result<()> {
        self.lambda.signal(pid, Signal::SIGKILL)
    }

    /// Freezes one of [`Stack::instances`], as Lambda does between invocations.
    ///
    /// # Errors
    ///
    /// There is no such instance.
    pub fn freeze(&self, pid: i32) -> Result<()> {
        self.lambda.signal(pid, Signal::SIGSTOP)
    }

    /// Lets a frozen one run on.
    ///
    /// # Errors
    ///
    /// There is no such instance.
    pub fn thaw(&self, pid: i32) -> Result<()> {
        self.lambda.signal(pid, Signal::SIGCONT)
    }

    /// Runs a function directly, as `lambda:InvokeFunction` does.
    ///
    /// # Errors
    ///
    /// What the function reports, or Lambda for it.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value, FunctionError> {
        let payload = self.lambda.invoke(function, event.to_string().into()).await?;
        Ok(serde_json::from_slice(&payload).unwrap_or(Value::Null))
    }

    /// The variables that a function is started with, but for those of Lambda itself.
    #[must_use]
    pub fn environment(&self, function: &str) -> Option<&BTreeMap<String, String>> {
        self.lambda.environments().remove(function)
    }

    /// Everything the functions have printed, unless it goes to standard error.
    #[must_use]
    pub fn logs(&self) -> String {
        let entries = std::fs::read_dir(self.files.path()).into_iter().flatten().flatten();
        let logs = entries
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "log"));
        // A file that cannot be read has nothing in it yet.
        let texts = logs.filter_map(|path| std::fs::read(path).ok());
        texts.map(|text| String::from_utf8_lossy(&text).into_owned()).collect()
    }

    /// What `cargo local --json` prints: all that a program needs to use the stack.
    #[must_use]
    pub fn describe(&self) -> Value {
        // The private halves of what a stack has in its webhook secret unless told otherwise.
        let keys = SigningKeys::of_the_stack().ok();
        json!({
            "api": self.api,
            "dynamodb": self.dynamodb,
            "secretsmanager": self.secretsmanager,
            "users": self.users,
            "orders": self.orders,
            "ca_file": self.ca_file,
            "table": self.table,
            "environment": self.lambda.environments(),
            "payer_token": self.payer_token(1),
            "service_token": self.service_token(),
            "access_secret": self.access_secret,
            "webhook_secrets": self.webhook_secrets,
            "signing_keys": {
                "wechat": keys.map(|keys| keys.wechat.private_pem()),
                "alipay": keys.map(|keys| keys.alipay.private_pem()),
            },
        })
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
