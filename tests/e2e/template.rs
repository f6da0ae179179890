//! What the template grants, throttles, alarms on and shows is what exists.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use local::template::Template;
use local::{binaries, defaults};
use pay_core::domain::{MismatchField, Sender};
use pay_service::metrics::{ALL, NAMESPACE};
use serde_json::{Value, json};

use crate::{openapi, operations};

mod permissions;
mod urls;

/// Namespace and name of the metric of requests that a throttle of the API rejected.
const LIMITED: (&str, &str) = ("Pay/Api", "RequestsLimited");

/// The template as plain values: of `!Ref`, `!Sub` and the like only their argument.
fn template() -> Value {
    let text = file("template.yaml");
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(&text, options).unwrap()
}

fn file(name: &str) -> String {
    fs::read_to_string(binaries::workspace().unwrap().join(name)).unwrap()
}

/// The event that the schedule invokes callback with.
pub(crate) fn schedule_input() -> Value {
    let template = template();
    let schedule = &template["Resources"]["CallbackFunction"]["Properties"]["Events"]["Sweep"];
    serde_json::from_str(text(&schedule["Properties"]["Input"])).unwrap()
}

/// The properties of every resource of a type, by name.
fn resources(kind: &str) -> Vec<(String, Value)> {
    let template = template();
    let resources = template["Resources"].as_object().unwrap().iter();
    resources
        .filter(|(_, resource)| resource["Type"] == kind)
        .map(|(id, resource)| (id.clone(), resource["Properties"].clone()))
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// A list, or a single value in place of one.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// Every metric that an alarm watches.
fn metrics(alarm: &Value) -> Vec<&Value> {
    match alarm["Metrics"].as_array() {
        None => vec![alarm],
        Some(all) => {
            let parts = all.iter().map(|one| &one["MetricStat"]["Metric"]);
            parts.filter(|metric| metric.is_object()).collect()
        }
    }
}

fn dimension<'a>(metric: &'a Value, name: &str) -> Option<&'a Value> {
    let mut dimensions = metric["Dimensions"].as_array()?.iter();
    Some(&dimensions.find(|dimension| dimension["Name"] == name)?["Value"])
}

/// What an alarm is called behind the stack's name.
fn name(alarm: &Value) -> String {
    text(&alarm["AlarmName"]).strip_prefix("${AWS::StackName}-").unwrap().to_owned()
}

/// The routes of the API, with the parameters of their throttle.
fn throttles() -> BTreeMap<&'static str, &'static str> {
    let routes = operations::all().into_iter();
    let routes = routes.filter_map(|operation| Some((operation.route?, operation.function)));
    routes
        .map(|(route, function)| (route, if function == "callback" { "Callback" } else { "Payer" }))
        .collect()
}

/// A flood of payers takes nothing of what providers need, and the other way round.
#[test]
fn every_route_has_its_throttle_that_of_callbacks_apart_from_that_of_payers() {
    let [(_, api)] = &resources("AWS::Serverless::HttpApi")[..] else { panic!() };
    let settings = throttles().into_iter().map(|(route, who)| {
        let limits = json!({"ThrottlingRateLimit": format!("{who}RateLimit"),
            "ThrottlingBurstLimit": format!("{who}BurstLimit")});
        (route.to_owned(), limits)
    });
    assert_eq!(api["RouteSettings"], Value::Object(settings.collect()));
}

/// What a throttle rejects is counted by the access log's status, under the routes that have one.
#[test]
fn requests_that_a_throttle_rejects_are_counted_and_watched_by_route() {
    let [(_, filter)] = &resources("AWS::Logs::MetricFilter")[..] else { panic!() };
    assert_eq!(filter["LogGroupName"], "ApiLogGroup");
    assert_eq!(filter["FilterPattern"], r#"{ $.status = "429" }"#);
    let [counted] = list(&filter["MetricTransformations"]) else { panic!("{filter}") };
    assert_eq!(
        (&counted["MetricNamespace"], &counted["MetricValue"]),
        (&json!(LIMITED.0), &json!("1"))
    );
    assert_eq!(counted["MetricName"], LIMITED.1);
    // With dimensions there is no default, which CloudFormation says only when it deploys.
    assert_eq!(counted["DefaultValue"], Value::Null);
    let line = access_log();
    assert_eq!(line["status"], "$context.status");
    for (dimension, field, variable) in
        [("Api", "$.api", "$context.apiId"), ("Route", "$.route", "$context.routeKey")]
    {
        let mut all = list(&counted["Dimensions"]).iter();
        assert!(all.any(|one| one["Key"] == dimension && one["Value"] == field), "{dimension}");
        assert_eq!(line[field.trim_start_matches("$.")], variable);
    }
    for (name, who) in [("payers-limited", "Payer"), ("callbacks-limited", "Callback")] {
        let alarms = resources("AWS::CloudWatch::Alarm");
        let (_, alarm) = alarms.iter().find(|(_, alarm)| self::name(alarm) == name).unwrap();
        let watched = metrics(alarm).into_iter().map(|one| text(dimension(one, "Route").unwrap()));
        let routes = throttles().into_iter().filter(|(_, throttle)| *throttle == who);
        let routes: BTreeSet<&str> = routes.map(|(route, _)| route).collect();
        assert_eq!(watched.collect::<BTreeSet<_>>(), routes, "{name}");
    }
}

/// The routes of the API are those of the functions' operations, each behind its function.
#[test]
fn every_operation_has_its_route_and_no_other_is_there() {
    let template = Template::read(&binaries::workspace().unwrap().join("template.yaml")).unwrap();
    let declared: BTreeSet<(String, String)> = template
        .routes
        .iter()
        .map(|route| (format!("{} {}", route.method, route.path), route.function.clone()))
        .collect();
    let operations = operations::all().into_iter();
    let wanted =
        operations.filter_map(|one| Some((one.route?.to_owned(), one.function.to_owned())));
    assert_eq!(declared, wanted.collect());
}

#[test]
fn every_alarm_has_its_section_and_every_section_its_alarm() {
    let page = file("docs/operations.md");
    let section = page.split("\n## ").find(|part| part.starts_with("Alarms\n")).unwrap();
    let described: BTreeSet<&str> = section
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .flat_map(|names| names.split(", "))
        .collect();
    let alarms = resources("AWS::CloudWatch::Alarm");
    let there: BTreeSet<String> = alarms.iter().map(|(_, alarm)| name(alarm)).collect();
    assert_eq!(described, there.iter().map(String::as_str).collect());
    assert_eq!(there.len(), alarms.len());
    for (id, alarm) in &alarms {
        let see = format!(r#"See docs/operations.md, "{}"."#, name(alarm));
        assert!(text(&alarm["AlarmDescription"]).ends_with(&see), "{id}");
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm[actions][0], "Notify", "{id}");
        }
    }
}

/// An alarm on a metric that nobody writes, or on dimensions that it does not have, never fires.
#[test]
fn an_alarm_watches_what_is_counted() {
    for (id, alarm) in resources("AWS::CloudWatch::Alarm") {
        let metrics = metrics(&alarm);
        assert!((1..=9).contains(&metrics.len()), "{id}: an expression takes ten at most");
        for metric in metrics {
            let (space, called) = (text(&metric["Namespace"]), text(&metric["MetricName"]));
            match space {
                NAMESPACE => {
                    assert!(ALL.iter().any(|one| one.name == called), "{id}: {called}");
                    let function = text(dimension(metric, "FunctionName").unwrap());
                    // A value that is never written would keep the alarm silent.
                    if let Some(field) = dimension(metric, "Mismatch") {
                        let mut fields = MismatchField::ALL.into_iter().map(MismatchField::as_str);
                        assert!(fields.any(|word| word == text(field)), "{id}: {field}");
                    }
                    if let Some(sender) = dimension(metric, "Sender") {
                        assert!(Sender::new(text(sender)).is_ok(), "{id}: {sender}");
                    }
                    // The table of docs/operations.md says who counts what.
                    let row = file("docs/operations.md");
                    let row = row.lines().find(|row| row.starts_with(&format!("| `{called}` |")));
                    let from = row.unwrap().split('|').nth(3).unwrap().trim();
                    let who = function.strip_suffix("Function").unwrap().to_lowercase();
                    assert!(from == "all" || from.contains(&who), "{id}: {from}, not {who}");
                }
                space if space == LIMITED.0 => {
                    assert_eq!(called, LIMITED.1, "{id}");
                    assert_eq!(text(dimension(metric, "Api").unwrap()), "HttpApi", "{id}");
                }
                "AWS/Lambda" => assert!(dimension(metric, "FunctionName").is_some(), "{id}"),
                "AWS/ApiGateway" => {
                    assert_eq!(text(dimension(metric, "ApiId").unwrap()), "HttpApi");
                }
                "AWS/DynamoDB" => assert!(dimension(metric, "Operation").is_some(), "{id}"),
                other => panic!("{id}: {other}"),
            }
        }
    }
}

#[test]
fn the_dashboard_shows_every_metric_and_every_alarm() {
    let [(_, dashboard)] = &resources("AWS::CloudWatch::Dashboard")[..] else { panic!() };
    let body = text(&dashboard["DashboardBody"][0]);
    let widgets: Value = serde_json::from_str(body).unwrap();
    let shown = |name: &str| {
        let alone = format!("\"{name}\"");
        let found = widgets["widgets"].as_array().unwrap().iter().any(|widget| {
            let metrics = widget["properties"]["metrics"].to_string();
            metrics.contains(&alone) || metrics.contains(&format!(r#"MetricName=\"{name}\""#))
        });
        assert!(found, "{name}");
    };
    for metric in ALL {
        shown(metric.name);
    }
    shown(LIMITED.1);
    for (id, _) in resources("AWS::CloudWatch::Alarm") {
        assert!(body.contains(&format!("${{{id}.Arn}}")), "{id}");
    }
}

#[test]
fn every_function_logs_to_a_group_of_its_own() {
    let groups = resources("AWS::Logs::LogGroup");
    let functions = resources("AWS::Serverless::Function");
    assert_eq!(groups.len(), functions.len() + 1, "and the API");
    let logged: BTreeSet<&str> = functions
        .iter()
        .map(|(_, function)| text(&function["LoggingConfig"]["LogGroup"]))
        .collect();
    assert_eq!(logged.len(), functions.len());
    for (id, group) in &groups {
        assert!(id == "ApiLogGroup" || logged.contains(id.as_str()), "{id}");
        assert_eq!(group["RetentionInDays"], "LogRetentionDays", "{id}");
        assert_eq!(group["KmsKeyId"], "Key.Arn", "{id}");
    }
}

#[test]
fn secrets_are_generated_and_in_no_file() {
    let template = file("template.yaml");
    for secret in [defaults::ACCESS_SECRET, defaults::WEBHOOK_SECRET] {
        assert!(!template.contains(secret));
    }
    assert!(template.contains("GenerateSecretString"));
}

/// A page can send what a payer's request has, and read what the response has beside its body.
#[test]
fn pages_of_allowed_origins_may_send_and_read_what_payers_do() {
    let [(_, api)] = &resources("AWS::Serverless::HttpApi")[..] else { panic!() };
    let [condition, cors, none] = list(&api["CorsConfiguration"]) else { panic!("{api}") };
    assert_eq!((condition, none), (&json!("HasCorsOrigins"), &json!("AWS::NoValue")));
    assert_eq!(cors["AllowOrigins"], json!([",", "CorsOrigins"]));
    assert_eq!(template()["Parameters"]["CorsOrigins"]["Default"], "");
    let (sent, read) = openapi::headers_of_payers();
    let named = |name: &str| -> BTreeSet<String> {
        list(&cors[name]).iter().map(|one| text(one).to_owned()).collect()
    };
    assert_eq!(named("AllowHeaders"), sent);
    assert_eq!(named("ExposeHeaders"), read);
    assert_eq!(named("AllowMethods"), ["POST".to_owned()].into());
    // A page needs no cookies, so that no page acts for a payer by itself.
    assert_eq!(cors["AllowCredentials"], Value::Null);
}

#[test]
fn origins_are_schemes_and_hosts_with_commas_between_them() {
    let pattern = template()["Parameters"]["CorsOrigins"]["AllowedPattern"].clone();
    let schema = json!({"type": "string", "pattern": pattern});
    let schema = jsonschema::validator_for(&schema).unwrap();
    for origin in [
        "",
        "https://shop.example",
        "http://localhost:5173",
        "https://a-b.c.example:8443",
        "https://a,http://b",
    ] {
        assert!(schema.is_valid(&json!(origin)), "{origin}");
    }
    for other in [
        "*",
        "null",
        "shop.example",
        "https://",
        "https://shop.example/",
        "https://Shop.example",
        "https://a,",
        ",https://a",
        "https://a, https://b",
        "https://u@shop.example",
        "https://shop.example:",
        "ftp://shop.example",
    ] {
        assert!(!schema.is_valid(&json!(other)), "{other}");
    }
}

/// The fields of a line of the access log, and the variables in them.
fn access_log() -> Value {
    let [(_, api)] = &resources("AWS::Serverless::HttpApi")[..] else { panic!() };
    let format = text(&api["AccessLogSettings"]["Format"]);
    // One line, so that queries and filters know its fields.
    assert!(!format.contains('\n'));
    serde_json::from_str(format).unwrap()
}

#[test]
fn the_access_log_is_json_without_headers_and_bodies() {
    let line = access_log();
    for (field, variable) in line.as_object().unwrap() {
        let variable = text(variable).strip_prefix("$context.").unwrap();
        for private in ["authorizer", "userAgent", "header", "body", "path"] {
            assert!(!variable.contains(private), "{field}");
        }
    }
}
