//! What the local stack takes from `template.yaml`, so that what runs here is what is deployed:
//! the functions with their limits and variables, the routes, and the table with its indexes.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The part of a SAM template that the local stack acts on.
#[derive(Debug, Clone)]
pub struct Template {
    /// Every `AWS::Serverless::Function`, by name.
    pub functions: Vec<Function>,
    /// Every route of the HTTP API.
    pub routes: Vec<Route>,
    /// What the HTTP API allows to pages of other origins, if it can allow any.
    pub cors: Option<CorsRules>,
    /// The `CreateTable` request of the one table, without its name.
    pub table: Map<String, Value>,
}

/// One function and its limits.
#[derive(Debug, Clone)]
pub struct Function {
    /// Name of its package and binary: `create`.
    pub name: String,
    /// The longest time of an invocation.
    pub timeout: Duration,
    /// The memory that the environment names, in MB; nothing enforces it here.
    pub memory_mb: u64,
    /// The variables that the template declares for it; it gets no other settings.
    pub variables: BTreeSet<String>,
}

/// One route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `POST`, or `ANY`.
    pub method: String,
    /// With parameters in braces: `/api/pay/callback/{provider}`.
    pub path: String,
    /// The function behind it.
    pub function: String,
}

/// What pages of an allowed origin may send and read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CorsRules {
    /// The methods.
    pub allow_methods: Vec<String>,
    /// The headers of a request.
    pub allow_headers: Vec<String>,
    /// The headers of a response.
    pub expose_headers: Vec<String>,
    /// How long a browser may remember that, in seconds.
    pub max_age: u64,
}

impl Template {
    /// Reads the template at `path`.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the template {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in the template {}", path.display()))
    }

    /// Reads a template's text. Of `!Ref`, `!Sub` and other tags only the value is kept.
    pub fn parse(text: &str) -> Result<Self> {
        // A key of type `N` is a number to CloudFormation, and `false` to the letter of YAML 1.1.
        let options = serde_saphyr::options! { strict_booleans: true };
        let template: Value =
            serde_saphyr::from_str_with_options(text, options).context("not a template")?;
        let (mut functions, mut routes, mut tables) = (Vec::new(), Vec::new(), Vec::new());
        let mut cors = None;
        for (id, resource) in members(&template, "/Resources") {
            match text_at(resource, "/Type") {
                Some("AWS::Serverless::Function") => {
                    // `sam build` takes the name of the binary from there too.
                    let name = match text_at(resource, "/Metadata/BuildProperties/Binary") {
                        Some(binary) => binary.to_owned(),
                        None => id.strip_suffix("Function").unwrap_or(id).to_lowercase(),
                    };
                    for (event, source) in members(resource, "/Properties/Events") {
                        let route = route(source, &name).with_context(|| format!("{id}: {event}"));
                        routes.extend(route?);
                    }
                    functions.push(function(name, resource, &template));
                }
                Some("AWS::Serverless::HttpApi") => {
                    let rules = resource.pointer("/Properties/CorsConfiguration");
                    // With a condition, it is the second argument of `!If`.
                    let rules = rules.map(|rules| rules.get(1).unwrap_or(rules));
                    let read = |rules: &Value| serde_json::from_value(rules.clone());
                    cors = rules.map(read).transpose().with_context(|| id.clone())?;
                }
                Some("AWS::DynamoDB::Table") => {
                    tables.push(table(resource).with_context(|| id.clone())?);
                }
                _ => {}
            }
        }
        ensure!(!functions.is_empty(), "it has no function");
        ensure!(tables.len() < 2, "more than one table");
        Ok(Self { functions, routes, cors, table: tables.pop().context("it has no table")? })
    }
}

fn text_at<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

/// The members of an object; empty if there is no object.
fn members<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.pointer(pointer).and_then(Value::as_object).into_iter().flatten()
}

fn function(name: String, resource: &Value, template: &Value) -> Function {
    // A number, or the name of the parameter that the template refers to.
    let whole = |value: &Value| {
        let parameter = value.as_str().and_then(|name| template.get("Parameters")?.get(name));
        parameter.map_or(Some(value), |parameter| parameter.get("Default"))?.as_u64()
    };
    let own = |name: &str| resource.pointer(&format!("/Properties/{name}")).and_then(whole);
    let global =
        |name: &str| template.pointer(&format!("/Globals/Function/{name}")).and_then(whole);
    let number = |name: &str| own(name).or_else(|| global(name));
    let common = members(template, "/Globals/Function/Environment/Variables");
    let variables = common.chain(members(resource, "/Properties/Environment/Variables"));
    Function {
        name,
        // Lambda's own defaults, where the template has none.
        timeout: Duration::from_secs(number("Timeout").unwrap_or(3)),
        memory_mb: number("MemorySize").unwrap_or(128),
        variables: variables.map(|(name, _)| name.clone()).collect(),
    }
}

/// The route of an event of the HTTP API; other events have none.
fn route(event: &Value, function: &str) -> Result<Option<Route>> {
    if text_at(event, "/Type") != Some("HttpApi") {
        return Ok(None);
    }
    Ok(Some(Route {
        method: text_at(event, "/Properties/Method").context("no Method")?.to_uppercase(),
        path: text_at(event, "/Properties/Path").context("no Path")?.to_owned(),
        function: function.to_owned(),
    }))
}

/// The parts of a table that an emulator supports: no backups, tags or KMS keys.
fn table(resource: &Value) -> Result<Map<String, Value>> {
    let part = |of: &Value, name: &str| {
        let part = of.get(name).with_context(|| format!("no {name}"))?;
        Ok((name.to_owned(), part.clone()))
    };
    let parts = |of: &Value, names: &[&str]| names.iter().map(|name| part(of, name)).collect();
    let properties = resource.get("Properties").context("no Properties")?;
    let mut request: Map<String, Value> =
        parts(properties, &["AttributeDefinitions", "KeySchema"])?;
    request.insert("BillingMode".to_owned(), json!("PAY_PER_REQUEST"));
    let indexes = properties.get("GlobalSecondaryIndexes").and_then(Value::as_array);
    if let Some(indexes) = indexes {
        let index = |index: &Value| parts(index, &["IndexName", "KeySchema", "Projection"]);
        let indexes: Result<Vec<Map<String, Value>>> = indexes.iter().map(index).collect();
        request.insert("GlobalSecondaryIndexes".to_owned(), json!(indexes?));
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::{Route, Template};
    use std::time::Duration;

    const TEMPLATE: &str = "
Parameters:
  Memory: {Type: Number, Default: 256}
Globals:
  Function:
    Timeout: 10
    Environment: {Variables: {TABLE_NAME: !Ref PaymentsTable, CURRENCY: !Ref Currency}}
Resources:
  PaymentsTable:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: !If [OnDemand, PAY_PER_REQUEST, PROVISIONED]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: N}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      SSESpecification: {SSEEnabled: true, KMSMasterKeyId: !GetAtt Key.Arn}
  CallbackFunction:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: callback}}
    Properties:
      FunctionName: !Sub '${AWS::StackName}-callback'
      MemorySize: !Ref Memory
      Environment: {Variables: {WEBHOOK_SECRET_ID: !Ref WebhookSecret}}
      Events:
        Provider:
          Type: HttpApi
          Properties: {ApiId: !Ref HttpApi, Path: '/api/pay/callback/{provider}', Method: post}
        Sweep: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute)}}
  HttpApi:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: !If
        - HasCorsOrigins
        - {AllowOrigins: !Ref CorsOrigins, AllowMethods: [POST], AllowHeaders: [a],
           ExposeHeaders: [b, c], MaxAge: 5}
        - !Ref AWS::NoValue
";

    #[test]
    fn functions_routes_and_the_table_come_out_of_a_template_with_tags() {
        let template = Template::parse(TEMPLATE).unwrap();
        let [function] = template.functions.as_slice() else { panic!("{template:?}") };
        assert_eq!(function.name, "callback");
        assert_eq!(function.timeout, Duration::from_secs(10));
        assert_eq!(function.memory_mb, 256);
        let variables: Vec<&str> = function.variables.iter().map(String::as_str).collect();
        assert_eq!(variables, ["CURRENCY", "TABLE_NAME", "WEBHOOK_SECRET_ID"]);
        let route = Route {
            method: "POST".to_owned(),
            path: "/api/pay/callback/{provider}".to_owned(),
            function: "callback".to_owned(),
        };
        assert_eq!(template.routes, [route]);
        let cors = template.cors.unwrap();
        assert_eq!(
            (cors.allow_methods, cors.allow_headers),
            (vec!["POST".into()], vec!["a".into()])
        );
        assert_eq!((cors.expose_headers, cors.max_age), (vec!["b".into(), "c".into()], 5));
        assert_eq!(template.table["KeySchema"][0]["AttributeName"], "pk");
        assert_eq!(template.table["AttributeDefinitions"][0]["AttributeType"], "N");
        assert!(template.table.get("SSESpecification").is_none());
    }

    #[test]
    fn a_template_without_what_the_stack_needs_is_rejected() {
        let without_path = TEMPLATE.replace("Path: '/api/pay/callback/{provider}', ", "");
        let without_age = TEMPLATE.replace(", MaxAge: 5", "");
        for text in ["", "Resources: {}", ": : :", &without_path, &without_age] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
