//! Why a message is or is not authentic: the diagnosis of the command, of a message that somebody pastes or of one
//! in the log.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use maud::{Markup, html};
use pay_service::start::clock;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::app::App;
use super::super::fault::Fault;
use super::super::form::TokenForm;
use super::super::page::{Page, Shown, respond};
use super::super::view::{count, lines, money, sender, shown, with_query};
use crate::doctor::{Diagnosis, diagnose};
use crate::event::plain;
use crate::name::Name;
use crate::{Row, Scheme};

/// Its own path.
pub(in crate::console) const PATH: &str = "/doctor";

/// Which message of the log, if any.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct DoctorQuery {
    name: Option<String>,
}

/// A message, and what to check it with.
#[derive(Debug, Default, Deserialize)]
pub(in crate::console) struct DoctorForm {
    provider: String,
    headers: String,
    /// The body, unless it is that of the message `name`.
    body: Option<String>,
    is_base64: Option<String>,
    /// The sender's entry of the webhook secret, as JSON.
    keys: String,
    /// Whether to read that entry from the secret of the callback function.
    use_secret: Option<String>,
    /// When it came, in Unix seconds.
    now: String,
    /// A message of the log.
    name: Option<String>,
}

/// The body of a message in the log.
struct Logged {
    name: String,
    sender: String,
    body: Vec<u8>,
    secs: Option<u64>,
}

pub(in crate::console) async fn show(
    State(app): State<Arc<App>>,
    Query(query): Query<DoctorQuery>,
) -> Response {
    let work = async {
        let logged = logged(&app, query.name.as_deref()).await?;
        let filled = DoctorForm {
            provider: logged.as_ref().map(|logged| logged.sender.clone()).unwrap_or_default(),
            now: logged
                .as_ref()
                .and_then(|logged| logged.secs)
                .map_or_else(String::new, |secs| secs.to_string()),
            ..DoctorForm::default()
        };
        Ok(page(&app, logged.as_ref(), &filled, &html! {}))
    };
    respond(&app, PATH, Box::pin(work)).await
}

pub(in crate::console) async fn run(
    State(app): State<Arc<App>>,
    TokenForm(form): TokenForm<DoctorForm>,
) -> Response {
    let work = async {
        let logged = logged(&app, form.name.as_deref()).await?;
        let body = match &logged {
            Some(logged) => logged.body.clone(),
            None => body(form.body.as_deref().unwrap_or_default(), form.is_base64.is_some())?,
        };
        let mut line = json!({
            "provider": form.provider,
            "headers": headers(&form.headers)?,
            "body_base64": BASE64.encode(body),
            "keys": keys(&app, &form).await?,
        });
        if let (Some(line), Some(now)) = (line.as_object_mut(), seconds(&form.now)?) {
            line.insert("now".to_owned(), now.into());
        }
        let diagnosis = diagnose(line.to_string().as_bytes(), clock().secs());
        Ok(page(&app, logged.as_ref(), &form, &verdict(&diagnosis)))
    };
    respond(&app, PATH, Box::pin(work)).await
}

/// A message of the log, whose whole body was kept.
async fn logged(app: &App, name: Option<&str>) -> Result<Option<Logged>, Fault> {
    let Some(text) = name.filter(|name| !name.is_empty()) else { return Ok(None) };
    let next = "The timeline of a payment leads to each of its messages.";
    let name = Name::parse(text);
    let name =
        name.ok_or_else(|| Fault::unusable(format!("{text} is no message's name."), next))?;
    let (pk, sk) = &name.0;
    let row = app.table.item(pk, sk).await?;
    let row = row.ok_or_else(|| {
        Fault::not_found(format!("There is no message {text} in this table."), next)
    })?;
    whole(&row).map(|body| {
        let secs = row.number("at").and_then(|millis| millis.checked_div(1000));
        let sender = match row.text("sender") {
            "native" => Scheme::Standard.as_str(),
            sender => sender,
        };
        Some(Logged { name: text.to_owned(), sender: sender.to_owned(), body, secs })
    })
}

fn whole(row: &Row) -> Result<Vec<u8>, Fault> {
    let kept = row.bytes("body").unwrap_or_default();
    let is_whole = row.number("len").is_none_or(|len| u64::try_from(kept.len()) == Ok(len));
    if is_whole && !kept.is_empty() {
        return Ok(kept);
    }
    let what = "The log does not have the whole body of this message, which its signature is over.";
    Err(Fault::conflict(what, "Paste the message as its sender's own log has it.")
        .with_link(PATH.to_owned(), "Paste a message"))
}

/// The headers, one a line, each with its name and its value.
fn headers(text: &str) -> Result<Vec<[&str; 2]>, Fault> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let pair = |line| {
        str::split_once(line, ':').map(|(name, value)| [name.trim(), value.trim()]).ok_or_else(
            || {
                Fault::unusable(
                    format!("The line {line} of the headers is no header."),
                    "A header is written as in stripe-signature: t=1700000000,v1=35…",
                )
            },
        )
    };
    lines.map(pair).collect()
}

/// The bytes of a body. Browsers send every end of a line as two characters, whatever was pasted.
fn body(text: &str, is_base64: bool) -> Result<Vec<u8>, Fault> {
    if !is_base64 {
        return Ok(text.replace("\r\n", "\n").into_bytes());
    }
    let text: String = text.split_ascii_whitespace().collect();
    BASE64.decode(text).map_err(|why| {
        let what = format!("The body is not base64: {why}.");
        Fault::unusable(what, "It is the standard alphabet, with padding.")
    })
}

fn seconds(text: &str) -> Result<Option<u64>, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_no_number| {
        let what = format!("{text} is no time in Unix seconds.");
        Fault::unusable(what, "Leave it empty for the present.")
    })
}

/// What to check with: nothing of it is shown.
async fn keys(app: &App, form: &DoctorForm) -> Result<Value, Fault> {
    if form.use_secret.is_some() {
        let mut secret = app.functions.webhook_secret().await?;
        let own = secret.get_mut(&form.provider).map(Value::take);
        return own.ok_or_else(|| {
            let what =
                format!("The webhook secret of the deployment has no keys for {}.", form.provider);
            Fault::conflict(what, "payctl check-config says what it has.")
        });
    }
    if form.keys.trim().is_empty() {
        let what = "There are no keys to check the message with.";
        return Err(Fault::unusable(
            what,
            "Go back and give the sender's entry of the webhook secret.",
        ));
    }
    serde_json::from_str(&form.keys).map_err(|why| {
        let (line, column) = (why.line(), why.column());
        Fault::unusable(
            format!("The keys are not JSON: line {line}, column {column}."),
            "They are the sender's entry of the webhook secret, as in {\"secrets\": [\"whsec_…\"]}.",
        )
    })
}

fn verdict(diagnosis: &Diagnosis) -> Markup {
    let of = serde_json::to_value(diagnosis).unwrap_or_default();
    let text = |name: &str| of.get(name).and_then(Value::as_str).map(lines);
    let (class, says) = match of.get("verdict").and_then(Value::as_str) {
        Some("accept") => ("done", "The service accepts it"),
        Some("reject") => ("fault", "The service rejects it"),
        Some(_) | None => ("fault", "It cannot be checked"),
    };
    html! {
        section aria-labelledby="verdict" {
            h2 #verdict { "Verdict" }
            p class=(class) role="status" {
                strong { (says) } ": " (text("reason").unwrap_or_default()) "."
            }
            dl.facts {
                @if let Some(hint) = text("hint") { dt { "Hint" } dd { (hint) } }
                @if let Some(ignored) = text("ignored") { dt { "Ignored" } dd { (ignored) } }
                @for name in ["notification", "caller"] {
                    @if let Some(Value::Object(read)) = of.get(name) {
                        @for (name, value) in read {
                            @if !value.is_null() && *value != Value::Bool(false) { dt { (label(name)) } dd { (read_value(name, value, read)) } }
                        }
                    }
                }
            }
        }
    }
}

/// What a member of the notification is called.
fn label(name: &str) -> String {
    let word = if name == "provider_txn" { "transaction" } else { name };
    shown(&word.replace('_', " "))
}

/// A member of the notification: an amount as people write it, all else as it is.
fn read_value(name: &str, value: &Value, read: &Map<String, Value>) -> Markup {
    let currency = read.get("currency").and_then(Value::as_str);
    let amount = value.as_u64().filter(|_| name.ends_with("amount"));
    let of_money = amount.zip(currency).map(|(minor, currency)| money(minor, currency));
    of_money.unwrap_or_else(|| html! { (shown(&plain(value))) })
}

fn page(app: &App, logged: Option<&Logged>, form: &DoctorForm, verdict: &Markup) -> Shown {
    let body = html! {
        (verdict)
        @if app.is_read_only {
            p.note {
                "This console is read only, and sends nothing: " code { "payctl doctor" }
                " checks the same on the command line."
            }
        } @else {
            p {
                "Is a message authentic, and if it is not, why? It is checked as the callback function would, on this "
                "machine, and kept nowhere."
            }
            (fields(app, logged, form))
        }
    };
    Page { title: "Doctor".to_owned(), body, refresh: false }.into()
}

/// What a scheme is called where a sender is chosen.
fn called(scheme: &str) -> String {
    if scheme == Scheme::Standard.as_str() {
        "your gateway, by Standard Webhooks".to_owned()
    } else {
        sender(scheme)
    }
}

fn fields(app: &App, logged: Option<&Logged>, form: &DoctorForm) -> Markup {
    let has_secret = app.functions.has_callback();
    html! {
        form method="post" action=(PATH) {
            input type="hidden" name="token" value=(app.access.token(PATH));
            div.fields {
                div {
                    div.field {
                        label for="provider" { "Sender" }
                        select #provider name="provider" {
                            @for scheme in Scheme::all().map(Scheme::as_str) {
                                option value=(scheme) selected[form.provider == scheme] { (called(scheme)) }
                            }
                        }
                    }
                    div.field {
                        label for="headers" { "Headers" }
                        textarea #headers name="headers" rows="5" spellcheck="false" aria-describedby="headers-hint" { (shown_lines(&form.headers)) }
                        small #headers-hint {
                            "One a line: " code { "name: value" } "."
                            @if logged.is_some() { " The log does not keep headers: take them from the sender." }
                        }
                    }
                    div.field {
                        label for="now" { "Came at" }
                        input #now name="now" inputmode="numeric" autocomplete="off" value=(shown(&form.now)) aria-describedby="now-hint";
                        small #now-hint { "In Unix seconds; empty is now. An old message is rejected by its age." }
                    }
                }
                div {
                    (body_field(logged, form))
                    div.field {
                        label for="keys" { "Keys" }
                        textarea #keys name="keys" rows="3" spellcheck="false" autocomplete="off" aria-describedby="keys-hint" {}
                        small #keys-hint {
                            "The sender’s entry of the webhook secret, JSON such as " code { r#"{"secrets": ["whsec_…"]}"# }
                            ". It is never shown, and has to be given again each time."
                        }
                    }
                    @if has_secret {
                        p {
                            input #use_secret type="checkbox" name="use_secret" value="yes" checked[form.keys.is_empty()];
                            label.beside for="use_secret" { "Use the webhook secret of the deployment" }
                        }
                    } @else {
                        p.soft {
                            "With " code { "--callback NAME" } " the console uses the webhook secret of the deployment, without showing it."
                        }
                    }
                }
            }
            button.main { "Check" }
        }
    }
}

fn body_field(logged: Option<&Logged>, form: &DoctorForm) -> Markup {
    html! {
        @if let Some(Logged { name, body, .. }) = logged {
            div.field {
                input type="hidden" name="name" value=(name);
                strong { "Body" }
                div { (count(body.len(), "byte")) " of " a href=(with_query("/message", "name", name)) { (shown(name)) } ", as they came" }
                small { "It is taken from the log, byte for byte. " a href=(PATH) { "Paste another message" } }
            }
        } @else {
            div.field {
                label for="body" { "Body" }
                textarea #body name="body" rows="8" spellcheck="false" aria-describedby="body-hint" {
                    (shown_lines(form.body.as_deref().unwrap_or_default()))
                }
                small #body-hint { "Byte for byte as it came. A browser makes all ends of lines alike: with base64 every byte stays." }
            }
            p {
                input #is_base64 type="checkbox" name="is_base64" value="yes" checked[form.is_base64.is_some()];
                label.beside for="is_base64" { "The body is base64" }
            }
        }
    }
}

/// What was pasted, for a text area: a browser drops its first line end.
fn shown_lines(text: &str) -> String {
    if text.starts_with(['\r', '\n']) { format!("\n{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_lines() {
        let read = headers("A: 1\r\n\r\n b : x:y \n").unwrap();
        assert_eq!(read, [["A", "1"], ["b", "x:y"]]);
        assert!(headers("A 1").is_err());
        assert_eq!(headers(" \n").unwrap().len(), 0);
    }

    #[test]
    fn a_body_is_its_bytes() {
        assert_eq!(body("{\r\n}", false).unwrap(), b"{\n}");
        assert_eq!(body("ew0K\r\nfQ==", true).unwrap(), b"{\r\n}");
        assert!(body("{}", true).is_err());
        assert_eq!(seconds(" 7 ").unwrap(), Some(7));
        assert_eq!(seconds("").unwrap(), None);
        assert!(seconds("x").is_err());
    }

    #[test]
    fn a_body_that_was_cut_is_not_checked() {
        let row = |len: u64| serde_json::from_value(json!({"body": {"B": "e30="}, "len": len}));
        let of = |len| whole(&Row(row(len).unwrap()));
        assert_eq!(of(2).unwrap(), b"{}");
        assert!(of(3).is_err());
    }
}
