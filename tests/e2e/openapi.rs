//! `docs/openapi.yaml` describes every route, every problem and every limit as it is; its examples match it,
//! and so does every response that an end-to-end test gets.

mod callers;
mod document;
mod limits;
mod real;

use std::collections::{BTreeMap, BTreeSet};

use pay_service::http::Code;
use serde_json::Value;

pub(crate) use self::document::ReceivedResponse;
use self::document::{document, members};
use crate::events::responses::{NO_EVENT, OUTCOMES};
use crate::operations;

/// The path of the providers' route, as the API declares it.
fn provider_path() -> &'static str {
    let mut all = operations::all().into_iter();
    let found = all.find(|one| one.route == callback::Operation::ProviderCallback.route());
    found.unwrap().path().unwrap()
}

/// The path, as the API declares it, of a request to `/api/pay/{operation}`.
fn path(operation: &str) -> String {
    if operation.starts_with("callback/") {
        provider_path().to_owned()
    } else {
        format!("/api/pay/{operation}")
    }
}

/// Checks that a response is described, and after a success that the request is described as well.
#[track_caller]
pub(crate) fn assert_described(operation: &str, request: &[u8], response: &ReceivedResponse<'_>) {
    let path = path(operation);
    if let Err(why) = document().judge(&path, response) {
        let body = String::from_utf8_lossy(response.body);
        panic!("docs/openapi.yaml does not describe this response of {path}: {why}: {body}");
    }
    // A provider's own message is not described.
    if response.status == 200
        && path != provider_path()
        && let Err(why) = document().judge_request(&path, request)
    {
        let request = String::from_utf8_lossy(request);
        panic!("docs/openapi.yaml does not describe this request to {path}: {why}: {request}");
    }
}

/// The headers that a payer's client sends, and those that it reads.
pub(crate) fn headers_of_payers() -> (BTreeSet<String>, BTreeSet<String>) {
    // Every request of theirs has a token and JSON.
    let mut sent: BTreeSet<_> = ["Authorization", "Content-Type"].map(str::to_owned).into();
    let mut read = BTreeSet::new();
    for operation in operations::of_payers() {
        let post = &document().root["paths"][path(operation)]["post"];
        for parameter in post["parameters"].as_array().into_iter().flatten() {
            let parameter = document().resolve(parameter);
            assert_eq!(parameter["in"], "header", "{operation}");
            sent.insert(parameter["name"].as_str().unwrap().to_owned());
        }
        for response in members(&post["responses"]).values() {
            let headers = document().resolve(response).get("headers").map(members);
            read.extend(headers.into_iter().flat_map(|headers| headers.keys().cloned()));
        }
    }
    (sent, read)
}

#[test]
fn every_route_is_described_and_no_other() {
    let all = operations::all().into_iter();
    let routes: BTreeSet<_> = all.filter_map(|one| one.route.map(str::to_owned)).collect();
    let described = document().posts().into_iter().map(|(path, _)| format!("POST {path}"));
    assert_eq!(routes, described.collect());
}

/// The problems, by slug: each is an example, with what to do as its summary.
fn problems() -> BTreeMap<&'static str, &'static Value> {
    let examples = members(&document().root["components"]["examples"]);
    let problems = examples.iter().map(|(slug, example)| {
        assert!(!example["summary"].as_str().unwrap().is_empty(), "{slug}");
        (slug.as_str(), &example["value"])
    });
    problems.collect()
}

#[test]
fn every_problem_is_described_as_it_is_and_no_other() {
    let problems = problems();
    let described: BTreeSet<&str> = problems.keys().copied().collect();
    assert_eq!(described, Code::ALL.map(Code::as_str).into());
    for code in Code::ALL {
        let described = |name: &str| problems[code.as_str()][name].clone();
        assert_eq!(described("type"), format!("urn:problem:pay:{}", code.as_str()));
        assert_eq!(described("title"), code.title());
        assert_eq!(described("status"), code.status().as_u16(), "{}", code.as_str());
        assert_eq!(described("code"), code.number(), "{}", code.as_str());
    }
    let schema = &document().root["components"]["schemas"]["Problem"];
    let types = schema["properties"]["type"]["enum"].as_array().unwrap().iter();
    let types: BTreeSet<&str> = types.map(|kind| kind.as_str().unwrap()).collect();
    assert_eq!(types, problems.values().map(|problem| problem["type"].as_str().unwrap()).collect());
}

/// The slugs of the problems that a content of a response can be.
fn slugs(media: &Value) -> Vec<String> {
    let reference = media["schema"]["$ref"].as_str().unwrap_or_default();
    if !reference.ends_with("/Problem") {
        return Vec::new();
    }
    let slugs = members(&media["examples"]).iter().map(|(slug, example)| {
        assert_eq!(example["$ref"], format!("#/components/examples/{slug}"));
        slug.clone()
    });
    slugs.collect()
}

#[test]
fn each_route_has_the_problems_of_its_function_with_their_statuses() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, operation) in document().posts() {
        let mut all = operations::all().into_iter();
        let declared = all.find(|one| one.path() == Some(path.as_str())).unwrap();
        let of_function = found.entry(declared.function.to_owned()).or_default();
        for (status, response) in members(&operation["responses"]) {
            let response = document().resolve(response);
            for slug in slugs(&response["content"]["application/problem+json"]) {
                let code = Code::ALL.into_iter().find(|code| code.as_str() == slug).unwrap();
                assert_eq!(status, code.status().as_str(), "{path} {slug}");
                of_function.insert(slug);
            }
        }
    }
    // There is an event for every problem of a function but these two.
    for (function, outcomes) in OUTCOMES {
        let outcomes = outcomes.split(' ').filter(|outcome| !["ok", "replayed"].contains(outcome));
        let everywhere = NO_EVENT.map(Code::as_str);
        let wanted: BTreeSet<&str> = outcomes.chain(everywhere).collect();
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
                    fits(&value["schema"], &document().resolve(example)["value"]);
                    checked += 1;
                }
            }
            // The components: their examples are those of the problems, and a response refers to each.
            (Value::Null, Value::Object(_)) if at == "#/components" => {}
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
    assert!(checked > 45, "{checked}");
}

fn walk(value: &Value, at: &str, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            visit(at, value);
            for (name, member) in members {
                // The content of an example is no part of the document.
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
fn every_success_has_an_example() {
    for (path, operation) in document().posts() {
        for holder in [&operation["requestBody"], &operation["responses"]["200"]] {
            for (kind, media) in members(&holder["content"]) {
                assert!(media["examples"].is_object(), "{path} {kind}");
            }
        }
    }
}

/// What generators of clients need: without a type they make no value of an `enum` or `const`, and
/// without a format they read an integer in 32 bits.
#[test]
fn every_value_has_a_type_and_every_integer_a_size() {
    let mut checked = 0;
    walk(&document().root, "#", &mut |at, value| {
        if value.get("enum").is_some() || value.get("const").is_some() {
            assert!(value["type"].is_string(), "{at} has no type");
            checked += 1;
        }
        if value["type"] == "integer" {
            let large = value["maximum"].as_u64().is_some_and(|most| i32::try_from(most).is_err());
            let want = if large { "int64" } else { "int32" };
            assert_eq!(value["format"], want, "{at}");
            checked += 1;
        }
    });
    assert!(checked > 15, "{checked}");
}

#[test]
fn it_is_of_this_version() {
    assert_eq!(document().root["info"]["version"], env!("CARGO_PKG_VERSION"));
}
