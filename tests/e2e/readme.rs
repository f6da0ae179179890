//! The README says what there is: every problem, every route, every setting.

use std::collections::BTreeSet;
use std::fs;

use local::binaries;
use local::template::Template;
use pay_service::http::Code;

fn workspace_file(name: &str) -> String {
    fs::read_to_string(binaries::workspace().join(name)).unwrap()
}

#[test]
fn every_problem_is_in_its_table() {
    let readme = workspace_file("README.md");
    for code in Code::ALL {
        let (slug, status, number) = (code.as_str(), code.status().as_u16(), code.number());
        let row = format!("| `{slug}` | {status} | {number} | ");
        assert!(readme.contains(&row), "{row}");
    }
}

#[test]
fn every_route_is_in_its_table() {
    let readme = workspace_file("README.md");
    let template = Template::read(&binaries::workspace().join("template.yaml")).unwrap();
    assert_eq!(template.routes.len(), 5);
    for route in template.routes {
        let row = format!("| `{} {}` | ", route.method, route.path);
        assert!(readme.contains(&row), "{row}");
    }
}

#[test]
fn every_setting_is_in_its_table() {
    let readme = workspace_file("README.md");
    let section = readme.split("\n## ").find(|part| part.starts_with("Configuration")).unwrap();
    let rows = || section.lines().filter(|line| line.starts_with("| `"));
    let described: BTreeSet<&str> = rows()
        .filter_map(|row| row.split('|').nth(1))
        .flat_map(|names| names.split('`').filter(|name| !name.trim().is_empty()))
        .collect();

    let config = workspace_file("shared/service/src/config.rs");
    let config = config.split("#[cfg(test)]").next().unwrap();
    let read: BTreeSet<&str> = config
        .split('"')
        .filter(|text| text.len() > 4)
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
        .collect();
    assert_eq!(described, read, "what the functions read");

    let template = Template::read(&binaries::workspace().join("template.yaml")).unwrap();
    let given: BTreeSet<&str> = template
        .functions
        .iter()
        .flat_map(|function| function.variables.iter().map(String::as_str))
        .collect();
    assert_eq!(described, given, "what the template gives them");
}

#[test]
fn every_test_that_the_page_on_webhooks_names_is_there() {
    let page = workspace_file("docs/webhooks.md");
    let section = page.split("\n## ").find(|part| part.starts_with("What goes wrong")).unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| #"));
    let named: Vec<&str> = rows
        .filter_map(|row| row.split('|').nth(4))
        .flat_map(|cell| cell.split('`').filter(|name| name.contains('_')))
        .collect();
    assert!(named.len() > 14, "{named:?}");
    let files = ["failures", "orders", "stripe", "wechat", "alipay"];
    let tests =
        files.map(|file| workspace_file(&format!("tests/e2e/providers/{file}.rs"))).concat();
    for name in named {
        assert!(tests.contains(&format!("async fn {name}()")), "{name}");
    }
}

#[test]
fn the_secrets_that_the_page_on_webhooks_shows_are_whole() {
    let page = workspace_file("docs/webhooks.md");
    let shown = page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let keys = local::defaults::webhook_secrets().unwrap();
    let mut found = BTreeSet::new();
    for text in shown {
        let shown: serde_json::Value = serde_json::from_str(text).unwrap();
        let (provider, entry) = shown.as_object().unwrap().iter().next().unwrap();
        let names = |entry: &serde_json::Value| -> Vec<String> {
            entry.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(names(entry), names(&keys[provider]), "{provider}");
        found.insert(provider.clone());
    }
    assert_eq!(found.len(), pay_providers::PaymentProvider::ALL.len());
}
