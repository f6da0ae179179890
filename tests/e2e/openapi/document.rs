//! `docs/openapi.yaml`, and whether a request and a response match it.

use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;

use jsonschema::Validator;
use local::binaries;
use serde_json::{Map, Value, json};

/// The document.
pub(super) struct Document {
    pub(super) root: Value,
    operations: BTreeMap<String, DescribedOperation>,
}

/// The requests and responses of a route.
struct DescribedOperation {
    /// By content type.
    requests: BTreeMap<String, Validator>,
    /// By status.
    responses: BTreeMap<u16, DescribedResponse>,
}

struct DescribedResponse {
    /// By name, lower-case.
    headers: BTreeMap<String, Validator>,
    /// By content type. No response has a member that is not described.
    contents: BTreeMap<String, Validator>,
    /// Every problem that it can be.
    problems: Vec<Value>,
}

/// A response that was received.
pub(crate) struct ReceivedResponse<'a> {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: &'a [(String, String)],
    pub(crate) body: &'a [u8],
}

/// The content type of problems.
const PROBLEM: &str = "application/problem+json";

/// The headers that API Gateway and the server add to every response.
const NOT_OURS: [&str; 4] = ["apigw-requestid", "content-length", "content-type", "date"];

/// The document, read once.
pub(super) fn document() -> &'static Document {
    static DOCUMENT: OnceLock<Document> = OnceLock::new();
    DOCUMENT.get_or_init(Document::read)
}

impl Document {
    fn read() -> Self {
        let path = binaries::workspace().unwrap().join("docs/openapi.yaml");
        let text = fs::read_to_string(path).unwrap();
        let options = serde_saphyr::options! { strict_booleans: true };
        let root = serde_saphyr::from_str_with_options(&text, options).unwrap();
        let bare = Self { root, operations: BTreeMap::new() };
        let posts = bare.posts().into_iter();
        let operations = posts.map(|(path, post)| (path, bare.operation(post))).collect();
        Self { operations, ..bare }
    }

    /// Every operation, by its path. All are POSTs.
    pub(super) fn posts(&self) -> Vec<(String, &Value)> {
        let mut posts = Vec::new();
        for (path, item) in members(&self.root["paths"]) {
            for (method, operation) in members(item) {
                assert_eq!(method, "post", "{path}");
                posts.push((path.clone(), operation));
            }
        }
        posts
    }

    /// What a reference stands for; anything else as it is.
    pub(super) fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let Some(target) = value["$ref"].as_str() else { return value };
        let pointer = target.strip_prefix('#').unwrap();
        self.root.pointer(pointer).unwrap_or_else(|| panic!("{target} does not exist"))
    }

    /// A schema of the document, ready to check with.
    pub(super) fn validator(&self, schema: &Value) -> Validator {
        self.compile(schema, &json!({}))
    }

    /// The schema that `components` has by this name, ready to check with.
    pub(super) fn component(&self, name: &str) -> Validator {
        self.validator(&json!({"$ref": format!("#/components/schemas/{name}")}))
    }

    fn compile(&self, schema: &Value, more: &Value) -> Validator {
        let mut whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [schema],
            "components": {"schemas": self.root["components"]["schemas"]},
        });
        whole.as_object_mut().unwrap().extend(members(more).clone());
        let options = jsonschema::options().should_validate_formats(true);
        options.build(&whole).unwrap_or_else(|error| panic!("{error} in {schema}"))
    }

    fn operation(&self, operation: &Value) -> DescribedOperation {
        let content = |holder: &Value, more: &Value| {
            members(&holder["content"])
                .iter()
                .map(|(kind, media)| (kind.clone(), self.compile(&media["schema"], more)))
                .collect()
        };
        let examples = |media: &Value| -> Vec<Value> {
            let examples = media["examples"].as_object().into_iter().flatten();
            examples.map(|(_, example)| self.resolve(example)["value"].clone()).collect()
        };
        let response = |response: &Value| {
            let response = self.resolve(response);
            let headers = response.get("headers").map(members).into_iter().flatten();
            let header = |(name, header): (&String, &Value)| {
                (name.to_lowercase(), self.validator(&self.resolve(header)["schema"]))
            };
            DescribedResponse {
                headers: headers.map(header).collect(),
                contents: content(response, &json!({"unevaluatedProperties": false})),
                problems: examples(&response["content"][PROBLEM]),
            }
        };
        DescribedOperation {
            requests: content(&operation["requestBody"], &json!({})),
            responses: members(&operation["responses"])
                .iter()
                .map(|(status, one)| (status.parse().unwrap(), response(one)))
                .collect(),
        }
    }

    /// Checks a response against the description of its route.
    pub(super) fn judge(&self, path: &str, response: &ReceivedResponse<'_>) -> Result<(), String> {
        let status = response.status;
        let operation = self.operations.get(path).ok_or("the path is not described")?;
        let described = operation
            .responses
            .get(&status)
            .ok_or_else(|| format!("the status {status} is not described"))?;
        let kind = response.header("content-type").ok_or("there is no content type")?;
        let schema = described
            .contents
            .get(kind)
            .ok_or_else(|| format!("{kind} with {status} is not described"))?;
        let body = read(kind, response.body)?;
        check(schema, &body)?;
        if kind == PROBLEM && !described.problems.iter().any(|problem| is(&body, problem)) {
            return Err(format!("{status} is none of the problems that are described"));
        }
        for (name, value) in response.headers {
            if NOT_OURS.contains(&name.as_str()) {
                continue;
            }
            let schema = described
                .headers
                .get(name)
                .ok_or_else(|| format!("the header {name} with {status} is not described"))?;
            let text = json!(value);
            let number = value.parse::<u64>().map(|number| json!(number));
            if !schema.is_valid(&text) && !number.is_ok_and(|number| schema.is_valid(&number)) {
                return Err(format!("the header {name}: {value} is not described"));
            }
        }
        Ok(())
    }

    /// Checks the body of a request against the description of its route.
    pub(super) fn judge_request(&self, path: &str, body: &[u8]) -> Result<(), String> {
        let operation = self.operations.get(path).ok_or("the path is not described")?;
        let schema = operation.requests.get("application/json").ok_or("no JSON is described")?;
        check(schema, &read("application/json", body)?)
    }
}

impl ReceivedResponse<'_> {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Whether a problem is this example: the same in all but the words for a person and the ids, and with no
/// member that the example does not have.
fn is(problem: &Value, example: &Value) -> bool {
    let same =
        ["type", "title", "status", "code"].iter().all(|name| problem[name] == example[name]);
    same && members(problem).keys().all(|name| example.get(name).is_some())
}

fn read(kind: &str, body: &[u8]) -> Result<Value, String> {
    if kind.ends_with("json") {
        serde_json::from_slice(body).map_err(|error| format!("{kind}: {error}"))
    } else {
        Ok(json!(String::from_utf8_lossy(body)))
    }
}

fn check(schema: &Validator, value: &Value) -> Result<(), String> {
    let errors: Vec<_> = schema.iter_errors(value).map(|error| error.to_string()).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
}

/// The members of what must be an object.
pub(super) fn members(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}"))
}
