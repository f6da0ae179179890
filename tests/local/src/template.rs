//! What the local stack takes from `template.yaml`, so that what runs here is what is deployed:
//! the functions with their limits and variables, the routes, and the table with its indexes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The part of a SAM template that the local stack acts on.
#[derive(Debug, Clone)]
pub struct Template {
    /// Every `AWS::Serverless::Function`, by name.
    pub functions: Vec<Function>,
    /// Every route of the HTTP API.
    pub routes: Vec<Route>,
    /// The `CreateTable` request of the one table, but for its name.
    pub table: Map<String, Value>,
}

/// One function and its limits.
#[derive(Debug, Clone)]
pub struct Function {
    /// Name of its package and binary: `create`.
    pub name: String,
    /// After this long an invocation is cut off.
    pub timeout: Duration,
    /// What the function is told of its memory, in MB; nothing enforces it here.
    pub memory_mb: u64,
    /// The variables the template gives it: what it does not declare, the function does not get.
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

impl Template {
    /// Reads the template at `path`.
    ///
    /// # Errors
    ///
    /// The file cannot be read or is not YAML, or a function, a route or the table is missing what
    /// the stack needs.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the template {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in the template {}", path.display()))
    }

    /// Reads a template's text. Of `!Ref`, `!Sub` and the like only the text behind them is kept.
    ///
    /// # Errors
    ///
    /// As [`Template::read`].
    pub fn parse(text: &str) -> Result<Self> {
        // A key of type `N` is a number to CloudFormation, and `false` to the letter of YAML 1.1.
        let options = serde_saphyr::options! { strict_booleans: true };
        let Document { parameters, globals, resources } =
            serde_saphyr::from_str_with_options(text, options).context("not a template")?;
        let (mut functions, mut routes, mut table) = (Vec::new(), Vec::new(), None);
        for (id, resource) in resources {
            match resource.kind.as_str() {
                "AWS::Serverless::Function" => {
                    let properties: FunctionProperties =
                        serde_json::from_value(resource.properties).context(id.clone())?;
                    // The binary's name is where `sam build` looks for it too.
                    let name = match resource.metadata.build_properties.binary {
                        Some(binary) => binary,
                        None => id.strip_suffix("Function").unwrap_or(&id).to_lowercase(),
                    };
                    for (event, source) in &properties.events {
                        let route =
                            source.route(&name).with_context(|| format!("{id}: {event}"))?;
                        routes.extend(route);
                    }
                    functions.push(properties.function(name, &globals.function, &parameters));
                }
                "AWS::DynamoDB::Table" if table.is_none() => {
                    let properties: TableProperties =
                        serde_json::from_value(resource.properties).context(id)?;
                    table = Some(properties.create());
                }
                "AWS::DynamoDB::Table" => bail!("more than one table: {id}"),
                _ => {}
            }
        }
        ensure!(!functions.is_empty(), "it has no function");
        Ok(Self { functions, routes, table: table.context("it has no table")? })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    #[serde(default)]
    parameters: BTreeMap<String, Parameter>,
    #[serde(default)]
    globals: Globals,
    resources: BTreeMap<String, Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    #[serde(default)]
    default: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Globals {
    #[serde(default)]
    function: FunctionProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(default)]
    properties: Value,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Metadata {
    build_properties: BuildProperties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct BuildProperties {
    binary: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct FunctionProperties {
    // Numbers, or the name of the parameter that the template refers to.
    timeout: Value,
    memory_size: Value,
    environment: Environment,
    events: BTreeMap<String, Event>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Environment {
    variables: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(default)]
    properties: EventProperties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct EventProperties {
    method: Option<String>,
    path: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TableProperties {
    attribute_definitions: Value,
    key_schema: Value,
    #[serde(default)]
    global_secondary_indexes: Vec<Index>,
}

/// What an emulator understands of an index; DynamoDB itself knows more.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Index {
    #[serde(rename = "IndexName")]
    name: String,
    key_schema: Value,
    projection: Value,
}

impl FunctionProperties {
    fn function(
        self,
        name: String,
        globals: &Self,
        parameters: &BTreeMap<String, Parameter>,
    ) -> Function {
        let whole = |value: &Value| {
            let referred = value.as_str().and_then(|name| parameters.get(name));
            referred.map_or(value, |parameter| &parameter.default).as_u64()
        };
        let number = |own: &Value, global: &Value| whole(own).or_else(|| whole(global));
        let variables = &globals.environment.variables;
        Function {
            name,
            // Lambda's own defaults, where the template has none.
            timeout: Duration::from_secs(number(&self.timeout, &globals.timeout).unwrap_or(3)),
            memory_mb: number(&self.memory_size, &globals.memory_size).unwrap_or(128),
            variables: variables.keys().chain(self.environment.variables.keys()).cloned().collect(),
        }
    }
}

impl Event {
    /// The route of an event of the HTTP API; other events have none.
    fn route(&self, function: &str) -> Result<Option<Route>> {
        if self.kind != "HttpApi" {
            return Ok(None);
        }
        let (method, path) = (&self.properties.method, &self.properties.path);
        Ok(Some(Route {
            method: method.as_ref().context("no Method")?.to_uppercase(),
            path: path.clone().context("no Path")?,
            function: function.to_owned(),
        }))
    }
}

impl TableProperties {
    /// Backups, tags and keys of KMS stay behind.
    fn create(&self) -> Map<String, Value> {
        let mut request = Map::new();
        let mut add = |key: &str, value: Value| request.insert(key.to_owned(), value);
        add("AttributeDefinitions", self.attribute_definitions.clone());
        add("KeySchema", self.key_schema.clone());
        add("BillingMode", json!("PAY_PER_REQUEST"));
        if !self.global_secondary_indexes.is_empty() {
            add("GlobalSecondaryIndexes", json!(self.global_secondary_indexes));
        }
        request
    }
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
        Reconcile: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute)}}
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
        assert_eq!(template.table["KeySchema"][0]["AttributeName"], "pk");
        assert_eq!(template.table["AttributeDefinitions"][0]["AttributeType"], "N");
        assert!(template.table.get("SSESpecification").is_none());
    }

    #[test]
    fn a_template_without_what_the_stack_needs_is_refused() {
        let without_path = TEMPLATE.replace("Path: '/api/pay/callback/{provider}', ", "");
        for text in ["", "Resources: {}", ": : :", without_path.as_str()] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
