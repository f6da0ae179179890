//! `docs/openapi.yaml` says what there is: every route, every problem, every limit; its examples fit
//! it, and so does every answer that an end-to-end test gets.

mod callers;
mod document;
mod limits;
mod real;

use std::collections::{BTreeMap, BTreeSet};

use local::binaries;
use local::template::Template;
use pay_service::http::Code;
use serde_json::Value;

pub(crate) use self::document::Answer;
use self::document::{document, members};
use crate::events::answers::{API, NO_EVENT};

const PROVIDER_ROUTE: &str = "/api/pay/callback/{provider}";

/// The path, as the API declares it, of `/api/pay/{operation}`.
fn path(operation: &str) -> String {
    if operation.starts_with("callback/") {
        PROVIDER_ROUTE.to_owned()
    } else {
        format!("/api/pay/{operation}")
    }
}

/// That an answer is described, and, if it is a yes, that the request is, too.
#[track_caller]
pub(crate) fn assert_described(operation: &str, request: &[u8], answer: &Answer<'_>) {
    let path = path(operation);
    let told = || String::from_utf8_lossy(answer.body).into_owned();
    if let Err(why) = document().judge(&path, answer) {
        panic!("{path} answered what docs/openapi.yaml does not describe: {why}: {}", told());
    }
    // What a provider sends is the provider's.
    if answer.status == 200
        && path != PROVIDER_ROUTE
        && let Err(why) = document().judge_taken(&path, request)
    {
        let request = String::from_utf8_lossy(request);
        panic!("{path} took what docs/openapi.yaml does not describe: {why}: {request}");
    }
}

#[test]
fn every_route_is_described_and_no_other() {
    let template = Template::read(&binaries::workspace().join("template.yaml")).unwrap();
    let route = |route: &local::template::Route| (route.method.clone(), route.path.clone());
    let routes: BTreeSet<_> = template.routes.iter().map(route).collect();
    let posts = document().posts();
    let described = posts.into_iter().map(|(path, _)| ("POST".to_owned(), path)).collect();
    assert_eq!(routes, described);
}

/// The schemas of problems, by slug.
fn problems() -> BTreeMap<String, &'static Value> {
    let schemas = members(&document().root["components"]["schemas"]);
    let mut problems = BTreeMap::new();
    for (name, schema) in schemas {
        if let Some(slug) = slug(schema) {
            let twice = problems.insert(slug, schema);
            assert_eq!(twice, None, "{name}");
        }
    }
    problems
}

/// The slug of a problem's schema.
fn slug(schema: &Value) -> Option<String> {
    let kind = schema["properties"]["type"]["const"].as_str()?;
    Some(kind.strip_prefix("urn:problem:pay:").unwrap().to_owned())
}

#[test]
fn every_problem_is_described_as_it_is_and_no_other() {
    let problems = problems();
    let described: BTreeSet<&str> = problems.keys().map(String::as_str).collect();
    assert_eq!(described, Code::ALL.map(Code::as_str).into());
    for code in Code::ALL {
        let schema = problems[code.as_str()];
        let said = |name: &str| schema["properties"][name]["const"].clone();
        assert_eq!(said("title"), code.title());
        assert_eq!(said("status"), code.status().as_u16(), "{}", code.as_str());
        assert_eq!(said("code"), code.number(), "{}", code.as_str());
    }
}

/// The slugs in a schema of an answer, references followed.
fn slugs(schema: &Value) -> Vec<String> {
    let schema = document().resolve(schema);
    let each = ["oneOf", "anyOf"].into_iter().filter_map(|name| schema[name].as_array()).flatten();
    each.flat_map(slugs).chain(slug(schema)).collect()
}

#[test]
fn each_route_answers_what_its_function_can_and_with_its_status() {
    let template = Template::read(&binaries::workspace().join("template.yaml")).unwrap();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, operation) in document().posts() {
        let route = template.routes.iter().find(|route| route.path == path).unwrap();
        let of_function = found.entry(route.function.clone()).or_default();
        for (status, response) in members(&operation["responses"]) {
            let response = document().resolve(response);
            for slug in slugs(&response["content"]["application/problem+json"]["schema"]) {
                let code = Code::ALL.into_iter().find(|code| code.as_str() == slug).unwrap();
                assert_eq!(status, code.status().as_str(), "{path} {slug}");
                of_function.insert(slug);
            }
        }
    }
    // There is an event for every refusal of a function but these two.
    for (function, outcomes) in API {
        let outcomes = outcomes.iter().filter(|outcome| !["ok", "replayed"].contains(outcome));
        let everywhere = NO_EVENT.map(Code::as_str);
        let wanted: BTreeSet<&str> = outcomes.copied().chain(everywhere).collect();
        let found = found[function].iter().map(String::as_str).collect();
        assert_eq!(wanted, found, "{function}");
    }
}

#[test]
fn every_example_fits_what_it_is_an_example_of() {
    let mut checked = 0;
    walk(&document().root, "#", &mut |at, value| {
        let fits = |schema: &Value, example: &Value| {
            let validator = document().validator(schema);
            let errors: Vec<_> = validator.iter_errors(example).map(|e| e.to_string()).collect();
            assert_eq!(errors, [""; 0], "{at}: {example}");
        };
        match (&value["schema"], &value["examples"]) {
            // A media type, a parameter, a header.
            (Value::Object(_), Value::Object(examples)) => {
                for example in examples.values() {
                    fits(&value["schema"], &example["value"]);
                    checked += 1;
                }
            }
            // A schema.
            (Value::Null, Value::Array(examples)) => {
                for example in examples {
                    fits(value, example);
                    checked += 1;
                }
            }
            (_, Value::Null) => {}
            (_, other) => panic!("{at}: {other}"),
        }
    });
    assert!(checked > 35, "{checked}");
}

fn walk(value: &Value, at: &str, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            visit(at, value);
            for (name, member) in members {
                // What an example holds is no part of the document.
                if name != "examples" && name != "properties" {
                    walk(member, &format!("{at}/{name}"), visit);
                }
            }
            for (name, schema) in value["properties"].as_object().into_iter().flatten() {
                walk(schema, &format!("{at}/properties/{name}"), visit);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{at}/{index}"), visit);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_problem_and_every_yes_has_an_example() {
    for (slug, schema) in problems() {
        assert!(schema["examples"].is_array(), "{slug}");
    }
    for (path, operation) in document().posts() {
        for holder in [&operation["requestBody"], &operation["responses"]["200"]] {
            for (kind, media) in members(&holder["content"]) {
                assert!(media["examples"].is_object(), "{path} {kind}");
            }
        }
    }
}

#[test]
fn it_is_of_this_version() {
    assert_eq!(document().root["info"]["version"], env!("CARGO_PKG_VERSION"));
}
