//! `cargo local` as a person or a script uses it.

use std::path::Path;
use std::process::{Output, Stdio};

use local::{clock, defaults, signing, tokens};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pay_core::domain::Provider;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Runs the program. Whether it succeeded, and what it printed on standard output and standard error.
pub(crate) async fn run(arguments: &[&str], input: &str) -> (bool, String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_local"));
    output(program.args(arguments), input).await
}

/// Runs the program in a directory, below which is then all that cargo builds.
pub(crate) async fn run_in(
    directory: &Path,
    arguments: &[&str],
    input: &str,
) -> (bool, String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_local"));
    program.args(arguments).current_dir(directory);
    output(program.env("CARGO_TARGET_DIR", directory.join("target")), input).await
}

async fn output(program: &mut Command, input: &str) -> (bool, String, String) {
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

/// The program, serving a stack.
pub(crate) struct Served {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Its one line on standard output.
    pub(crate) printed: Value,
}

impl Served {
    /// Starts it on any free port.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_local"))
            .args(["--port", "0", "--json"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).await.unwrap();
        Self { child, stdout, printed: serde_json::from_str(&line).unwrap() }
    }

    /// Ends it as a shell does, and returns what it printed on standard error.
    pub(crate) async fn end(mut self) -> String {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
        let Output { status, stderr, .. } = self.child.wait_with_output().await.unwrap();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).await.unwrap();
        assert!(status.success() && rest.is_empty(), "{status}: {rest}");
        String::from_utf8(stderr).unwrap()
    }
}

/// The program, which goes on, and the lines that it prints for a person.
pub(crate) struct Printed {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Printed {
    /// Starts it.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_local"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { _child: child, lines }
    }

    /// The rest of the next line that begins so.
    pub(crate) async fn after(&mut self, start: &str) -> String {
        loop {
            let line = self.lines.next_line().await.unwrap().unwrap();
            if let Some(rest) = line.trim().strip_prefix(start) {
                return rest.to_owned();
            }
        }
    }
}

#[tokio::test]
async fn token_prints_a_token_and_nothing_else() {
    let (_, token, _) = run(&["token", "--uid", "7", "--scope", "pay:callback"], "").await;
    let now = clock::now_secs();
    let claims = tokens::verify(defaults::ACCESS_SECRET, token.trim_end(), now).unwrap();
    assert_eq!((&claims["uid"], &claims["scope"]), (&7.into(), &"pay:callback".into()));
}

#[tokio::test]
async fn sign_prints_the_headers_that_sign_the_exact_bytes() {
    let sign = ["sign", "--provider", "standard", "--id", "m", "--timestamp", "1000"];
    let body = "{\"a\": 1}\n";
    let (_, headers, _) = run(&sign, body).await;
    let wanted = signing::standard(defaults::WEBHOOK_SECRET, "m", 1000, body.as_bytes()).unwrap();
    let wanted = wanted.map(|(name, value)| format!("{name}: {value}\n")).concat();
    assert_eq!(headers, wanted);
    let (good, _, error) = run(&["sign", "--provider", "standard", "--secret", "x"], "").await;
    assert!(!good);
    assert_eq!(error, "error: the secret does not start with whsec_\n");
    let (good, _, error) = run(&["sign", "--provider", "alipay", "--secret", "x"], "").await;
    assert!(!good);
    assert_eq!(error, "error: Alipay signs with a private key: there is no secret to give\n");
}

#[tokio::test]
async fn a_secret_that_no_function_can_use_is_rejected_before_anything_starts() {
    let (short, no_key) = ("--access-secret", "--webhook-secret");
    let few = "`access_secret` has fewer than 32 bytes";
    for (arguments, why) in [
        (&["--port", "0", short, "short"][..], few),
        (&["demo", short, "short"], few),
        (&["token", short, "short"], few),
        (&["event", "-", short, "short"], few),
        (&["--port", "0", no_key, "whsec_c2hvcnQ="], "24 to 64 bytes"),
        (&["demo", no_key, "secret"], "whsec_"),
        (&["event", "-", no_key, ""], "whsec_"),
    ] {
        let (good, output, error) = run(arguments, "{}").await;
        assert!(!good && output.is_empty(), "{arguments:?}");
        let named = arguments.iter().find(|argument| argument.contains("secret")).unwrap();
        assert!(error.contains(named) && error.contains(why), "{arguments:?}: {error}");
    }
}

#[tokio::test]
async fn an_id_that_would_begin_another_header_is_rejected() {
    for id in ["m\r\nx-other: 1", "m\n", "\u{7f}", "\u{85}", "\t"] {
        for provider in ["standard", "stripe"] {
            let (good, output, error) =
                run(&["sign", "--provider", provider, "--id", id], "{}").await;
            assert!(!good && output.is_empty(), "{id:?}");
            assert!(error.contains("it must not have control characters"), "{error}");
        }
    }
}

#[tokio::test]
async fn event_prints_json_or_names_what_is_missing() {
    let text = r#"{"t": "{{token}}", "oid": "{{oid}}"}"#;
    let (_, event, _) = run(&["event", "-", "--set", "oid=5"], text).await;
    assert_eq!(serde_json::from_str::<Value>(&event).unwrap()["oid"], 5);
    let (good, event, error) = run(&["event", "-"], text).await;
    assert!(!good && event.is_empty());
    assert_eq!(error, "error: {{oid}} has no value: give it one with --set oid=VALUE\n");
    let (_, _, error) = run(&["event", "/nowhere"], "").await;
    assert!(error.starts_with("error: cannot read /nowhere: "), "{error}");
}

#[tokio::test]
async fn the_demo_succeeds_on_the_real_functions() {
    let (good, shown, error) = run(&["demo"], "").await;
    assert!(good, "{shown}{error}");
    assert_eq!(shown.matches('✓').count(), 5, "{shown}");
}

/// From a checkout to a refund of the rest: the books of the provider, the shop and the table agree.
#[tokio::test]
async fn the_demo_of_each_provider_ends_with_the_same_money_everywhere() {
    for provider in Provider::ALL {
        for lose_webhook in [false, true] {
            let provider = ["--provider", provider.as_str()];
            let lose = lose_webhook.then_some("--lose-webhook");
            let arguments: Vec<_> = ["demo"].into_iter().chain(provider).chain(lose).collect();
            let (good, shown, error) = run(&arguments, "").await;
            assert!(good, "{shown}{error}");
            let books = r#""paid":100,"refunded":100,"shop_heard_of":[40,60]"#;
            assert!(shown.contains(books) && !shown.contains('✗'), "{shown}");
            let asked = shown.contains(r#""webhook_lost":true"#) && shown.contains(r#""moved":1"#);
            assert_eq!(asked, lose_webhook, "{shown}");
        }
    }
    let (good, shown, error) = run(&["demo", "--lose-webhook"], "").await;
    assert!(!good && shown.is_empty());
    assert!(error.contains("name a provider with --provider"), "{error}");
}

#[tokio::test]
async fn own_secrets_are_those_of_the_printed_lines() {
    let own = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
    let access = "an-access-secret-of-one's-own-of-32-bytes";
    let secrets = ["--webhook-secret", own, "--access-secret", access];
    let mut printed = Printed::start(&[&["--port", "0"], &secrets[..]].concat());
    let token = printed.after("TOKEN=").await;
    let sign = printed.after(r#"printf %s "$BODY" | cargo --quiet local "#).await;
    assert_eq!(sign, format!("sign --provider standard --secret '{own}' |"));
    let doctor = json!({"token": token, "keys": {"access_secret": access}});
    let diagnosis = payctl::doctor::diagnose(doctor.to_string().as_bytes(), clock::now_secs());
    assert_eq!(serde_json::to_value(diagnosis).unwrap()["verdict"], "accept");

    // The line for the doctor has the secret that signed it.
    let own = "whsec_of_an_endpoint";
    let sign = ["sign", "--provider", "stripe", "--payment", "7", "--amount", "5", "--secret", own];
    let (good, line, error) = run(&sign, "").await;
    assert!(good, "{error}");
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["keys"]["secrets"], json!([own]));
    let diagnosis = payctl::doctor::diagnose(line.to_string().as_bytes(), 0);
    assert_eq!(serde_json::to_value(diagnosis).unwrap()["verdict"], "accept");
    let curl = run(&[&sign[..], &["--curl"]].concat(), "").await;
    assert!(curl.0 && curl.1.starts_with("curl "), "{}", curl.2);
}

#[tokio::test]
async fn serving_prints_every_address_on_one_line_and_ends_on_sigterm() {
    let served = Served::start(&[]).await;
    let fields: Vec<&str> =
        served.printed.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        fields.join(" "),
        "access_secret api ca_file dynamodb environment orders payer_token provider_secrets \
         providers secretsmanager service_token signing_keys table users webhook_secrets"
    );
    let ca_file = served.printed["ca_file"].as_str().unwrap().to_owned();
    assert!(std::fs::exists(&ca_file).unwrap());
    served.end().await;
    assert!(!std::fs::exists(ca_file).unwrap(), "nothing is left behind");
}
