//! Who gets in: every combination of what a request says of itself, over a socket.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

use super::form::hidden;
use super::{Console, console, started};
use crate::payctl::program;
use crate::stage::own;

/// What every response has, and what none has.
const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; frame-ancestors 'none'; \
         base-uri 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// A response as it came.
struct Raw {
    status: u16,
    head: String,
    body: String,
}

/// Sends these lines and this body over a connection of its own.
async fn ask(console: &Console, lines: &[String], body: &str) -> Raw {
    let address = console.origin.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let head =
        format!("{}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n", lines.join("\r\n"));
    socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut text = Vec::new();
    socket.read_to_end(&mut text).await.unwrap();
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{lines:?}: {text}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Raw { status, head: head.to_lowercase(), body: body.to_owned() }
}

impl Raw {
    fn assert_kept_to_itself(&self, case: &str) {
        for (name, value) in HEADERS {
            let line = format!("\r\n{name}: {value}");
            assert_eq!(self.head.matches(&line).count(), 1, "{case}: {name} in {}", self.head);
        }
        assert!(!self.head.contains("access-control"), "{case}: {}", self.head);
    }
}

/// A header with each value on a line of its own.
fn header(name: &str, values: &[String]) -> Vec<String> {
    values.iter().map(|value| format!("{name}: {value}")).collect()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "every header against every other one")]
async fn a_request_gets_in_only_from_our_own_pages_with_our_session() {
    let stack = own().await;
    let console = console(&stack, &[]).await;
    let origin = console.origin.clone();
    let host = origin.trim_start_matches("http://").to_owned();
    let port = host.split(':').nth(1).unwrap().to_owned();
    let cookie = console.cookie.clone();
    let (name, _) = cookie.split_once('=').unwrap();
    let page = console.get("/audit").await.text;
    let token = hidden(&page, "/audit").remove(0).1;
    let other = "0".repeat(token.len());
    let one = |text: &str| vec![text.to_owned()];
    let hosts = [
        (one(&host), true),
        (one(&format!("localhost:{port}")), false),
        (one("127.0.0.1"), false),
        (one(&format!("evil.example:{port}")), false),
        (vec![host.clone(), host.clone()], false),
        (vec![], false),
    ];
    let origins = [
        (one(&origin), true),
        (one(&format!("http://localhost:{port}")), false),
        (one("null"), false),
        (vec![origin.clone(), origin.clone()], false),
        (vec![], false),
    ];
    let sites = [
        (one("same-origin"), true),
        (vec![], true),
        (one("same-site"), false),
        (one("cross-site"), false),
        (vec!["same-origin".to_owned(), "same-origin".to_owned()], false),
    ];
    let cookies = [
        (one(&cookie), true),
        (one(&format!("a=b; {cookie}")), true),
        (one(&format!("{name}={other}")), false),
        (one(&cookie.replace(name, "payctl-1")), false),
        (vec![], false),
    ];
    let tokens = [
        (format!("token={token}"), true),
        (format!("token={other}"), false),
        ("token=".to_owned(), false),
        (String::new(), false),
        (format!("token={token}&token={token}"), false),
        (format!("token={other}&token={token}"), false),
    ];
    let mut asked = 0_u32;
    for (hosts, host_is_ours) in &hosts {
        for (origins, origin_is_ours) in &origins {
            for (sites, site_is_ours) in &sites {
                for (cookies, has_session) in &cookies {
                    let headers = [
                        header("host", hosts),
                        header("origin", origins),
                        header("sec-fetch-site", sites),
                        header("cookie", cookies),
                        header("content-type", &one("application/x-www-form-urlencoded")),
                    ];
                    let lines = |first: &str| [&[first.to_owned()][..], &headers.concat()].concat();
                    // Nothing is changed by a read, so that it may come from anywhere with a session.
                    let want = match (host_is_ours, has_session) {
                        // What has no host, or several, is no HTTP; the server below may say so itself.
                        (false, _) => 421,
                        (true, false) => 401,
                        (true, true) => 200,
                    };
                    let got = ask(&console, &lines("GET /audit HTTP/1.1"), "").await;
                    let case = format!("GET {headers:?}: {}", got.body);
                    assert_eq!(got.status, want, "{case}");
                    got.assert_kept_to_itself(&case);
                    assert!(want == 200 || !got.body.contains("<form"), "{case}");
                    for (body, is_ours) in &tokens {
                        // The token alone decides last: without the others it is not looked at.
                        let is_let_in = *host_is_ours && *origin_is_ours && *site_is_ours;
                        let want = match (host_is_ours, is_let_in, has_session, is_ours) {
                            (false, ..) => 421,
                            (true, false, ..) | (true, true, true, false) => 403,
                            (true, true, false, _) => 401,
                            (true, true, true, true) => 303,
                        };
                        // One of those that are not let in is enough.
                        if !is_let_in && body != &tokens[0].0 {
                            continue;
                        }
                        let got = ask(&console, &lines("POST /audit HTTP/1.1"), body).await;
                        let case = format!("POST {headers:?} {body}: {}", got.body);
                        assert_eq!(got.status, want, "{case}");
                        got.assert_kept_to_itself(&case);
                        asked = asked.saturating_add(1);
                    }
                }
            }
        }
    }
    assert!(asked > 700, "{asked}");
}

#[tokio::test]
async fn every_response_keeps_the_console_to_itself() {
    let stack = own().await;
    let console = console(&stack, &[]).await;
    let host = console.origin.trim_start_matches("http://");
    let page = console.get("/audit").await.text;
    let token = hidden(&page, "/audit").remove(0).1;
    let ask = async |first: &str, kind: &str, body: &str| {
        let lines = [
            first.to_owned(),
            format!("host: {host}"),
            format!("cookie: {}", console.cookie),
            format!("origin: {}", console.origin),
            format!("content-type: {kind}"),
        ];
        ask(&console, &lines, body).await
    };
    let form = "application/x-www-form-urlencoded";
    let good = format!("token={token}");
    let large = format!("{good}&a={}", "a".repeat(70_000));
    for (first, kind, body, status) in [
        ("GET / HTTP/1.1", form, "", 200),
        ("HEAD / HTTP/1.1", form, "", 200),
        ("GET /style.css HTTP/1.1", form, "", 200),
        ("GET /script.js HTTP/1.1", form, "", 200),
        ("GET /nowhere HTTP/1.1", form, "", 404),
        ("GET /payment/x HTTP/1.1", form, "", 404),
        ("GET /decide?name=x HTTP/1.1", form, "", 400),
        ("GET /decide?name=7/stripe/x HTTP/1.1", form, "", 404),
        ("GET /act/pay?id=7 HTTP/1.1", form, "", 404),
        ("GET /act/close?id=7 HTTP/1.1", form, "", 404),
        ("GET /acted?name=7/operator/x HTTP/1.1", form, "", 404),
        ("GET /quarantine?from=x HTTP/1.1", form, "", 400),
        // The code is used.
        ("GET /enter?code=00 HTTP/1.1", form, "", 303),
        ("GET http://evil.example/ HTTP/1.1", form, "", 421),
        ("PUT / HTTP/1.1", form, "", 405),
        ("OPTIONS / HTTP/1.1", form, "", 405),
        ("POST / HTTP/1.1", form, &good, 405),
        ("POST /nowhere HTTP/1.1", form, &good, 404),
        ("POST /audit HTTP/1.1", form, &good, 303),
        ("POST /audit HTTP/1.1", "application/x-www-form-urlencoded; charset=utf-8", &good, 303),
        ("POST /audit HTTP/1.1", "text/plain", &good, 400),
        ("POST /audit HTTP/1.1", "multipart/form-data; boundary=a", &good, 400),
        ("POST /audit HTTP/1.1", form, &large, 400),
        // The token of another form.
        ("POST /decide/dismiss HTTP/1.1", form, &good, 403),
    ] {
        let got = ask(first, kind, body).await;
        assert_eq!(got.status, status, "{first} {kind}: {} {}", got.head, got.body);
        got.assert_kept_to_itself(first);
    }
}

#[tokio::test]
async fn a_console_that_only_reads_does_nothing_and_shows_no_form() {
    let stack = own().await;
    let (payment, name) = super::decide::short(&stack).await;
    let writes = console(&stack, &[]).await;
    let reads = console(&stack, &["--read-only"]).await;
    let decide = format!("/decide?name={}", super::encoded(&name));
    let act = format!("/act/query?id={}", payment.id);
    for path in ["/", "/audit", "/quarantine", &decide, &act, &format!("/payment/{}", payment.id)] {
        let page = reads.page(path).await;
        assert!(!page.contains("method=\"post\""), "{path}: {page}");
        assert!(page.contains("read only"), "{path}");
    }
    assert!(reads.page(&decide).await.contains("Start payctl console without --read-only"));
    assert!(writes.page(&decide).await.contains("method=\"post\""));
    for path in
        ["/audit", "/decide/accept", "/decide/refund", "/decide/dismiss", "/act/query", "/x"]
    {
        let got = reads.post(path, "name=x&note=x".to_owned()).await;
        assert_eq!(got.status, 403, "{path}: {}", got.text);
        assert!(got.text.contains("started with --read-only, so nothing was done"), "{path}");
    }
}

/// A container names no user.
#[tokio::test]
async fn on_a_local_stack_nobody_has_to_say_who_they_are() {
    let stack = own().await;
    let console = started(&[&format!("--local={}", stack.api)], &[]).await;
    let page = console.page("/").await;
    assert!(page.contains("Signed in as local<"), "{page}");
    let console = started(&[&format!("--local={}", stack.api)], &[("USER", "ada")]).await;
    let page = console.page("/").await;
    assert!(page.contains("Signed in as ada<"), "{page}");
    let mut elsewhere = Command::new(program().await);
    let elsewhere = elsewhere.args(["console", "--endpoint", &stack.dynamodb]).env_clear();
    let output = elsewhere.output().await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && error.contains("say who decides with --by NAME"),
        "{error}"
    );
}
