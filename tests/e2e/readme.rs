//! The documents list what exists: every problem, every route, every setting, every limit. What they have
//! commands for works.

mod blocks;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use local::binaries;
use local::template::Template;
use pay_core::domain::Provider;
use pay_service::http::Code;

use crate::house::sources;
use crate::operations;

pub(crate) fn workspace_file(name: &str) -> String {
    fs::read_to_string(binaries::workspace().unwrap().join(name)).unwrap()
}

/// The cells of every row of a page's tables, without the white space around them.
pub(crate) fn rows(page: &str) -> impl Iterator<Item = Vec<&str>> {
    let rows = page.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    rows.map(|row| row.split('|').map(str::trim).collect())
}

/// The section of a page under this heading.
pub(crate) fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let mut sections = page.split("\n## ");
    let found = sections.find(|section| section.lines().next() == Some(heading));
    found.unwrap_or_else(|| panic!("no section {heading}"))
}

/// A cell that is one text in backticks.
fn quoted(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`').filter(|text| !text.contains('`'))
}

#[test]
fn every_problem_is_in_its_table() {
    let api = workspace_file("docs/api.md");
    let described: BTreeSet<(String, String, String)> = rows(section(&api, "Problems"))
        .filter_map(|cells| {
            Some((quoted(cells[0])?.to_owned(), cells[1].to_owned(), cells[2].to_owned()))
        })
        .collect();
    let row = |code: Code| {
        (code.as_str().to_owned(), code.status().as_u16().to_string(), code.number().to_string())
    };
    assert_eq!(described, Code::ALL.map(row).into());
}

#[test]
fn every_route_is_in_its_table() {
    let readme = workspace_file("README.md");
    let described: BTreeSet<&str> =
        rows(section(&readme, "Routes")).filter_map(|cells| quoted(cells[0])).collect();
    let routes = operations::all().into_iter().filter_map(|operation| operation.route);
    assert_eq!(described, routes.collect());
}

#[test]
fn every_operation_of_a_direct_event_is_named() {
    let api = workspace_file("docs/api.md");
    let section = section(&api, "Direct invocation");
    for name in operations::all().into_iter().filter_map(|operation| operation.name) {
        assert!(section.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn every_setting_is_in_its_table() {
    let page = workspace_file("docs/settings.md");
    let described: BTreeSet<&str> = rows(section(&page, "Configuration"))
        .filter(|cells| cells[0].starts_with('`'))
        .flat_map(|cells| cells[0].split('`').filter(|name| !name.trim().is_empty()))
        .collect();

    let config = workspace_file("shared/service/src/config.rs");
    let config = config.split("#[cfg(test)]").next().unwrap();
    let read: BTreeSet<&str> = config
        .split('"')
        .filter(|text| text.len() > 4)
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
        .collect();
    assert_eq!(described, read, "what the functions read");

    let template = Template::read(&binaries::workspace().unwrap().join("template.yaml")).unwrap();
    let given: BTreeSet<&str> = template
        .functions
        .iter()
        .flat_map(|function| function.variables.iter().map(String::as_str))
        .collect();
    assert_eq!(described, given, "what the template sets");
}

/// The constants of a module of limits: name and value, as the code has them.
fn constants(source: &str) -> BTreeMap<String, String> {
    let constants = source.split("\npub const ").skip(1).map(|rest| {
        let (declared, rest) = rest.split_once(" = ").unwrap();
        let (name, _kind) = declared.split_once(": ").unwrap();
        (name.to_owned(), rest.split_once(";\n").unwrap().0.to_owned())
    });
    constants.collect()
}

#[test]
fn every_limit_is_in_its_table_with_its_value() {
    let page = workspace_file("docs/limits.md");
    let mut modules = 0;
    for package in ["shared/core", "shared/providers", "shared/service", "payctl"] {
        let path = format!("{package}/src/limits.rs");
        let mut sections = page.split("\n## ");
        let section = sections.find(|section| section.contains(&format!("\n`{path}`\n")));
        let section = section.unwrap_or_else(|| panic!("{path} has no section"));
        let described: BTreeMap<String, String> = rows(section)
            .filter_map(|cells| Some((quoted(cells[0])?.to_owned(), quoted(cells[1])?.to_owned())))
            .collect();
        let defined = constants(&workspace_file(&path));
        assert!(!defined.is_empty(), "{path}");
        assert_eq!(described, defined, "{path}");
        modules += 1;
    }
    // Nothing that ships has its limits elsewhere.
    let folders = ["shared", "functions", "payctl"].into_iter().flat_map(sources);
    assert_eq!(folders.filter(|(path, _)| path.ends_with("limits.rs")).count(), modules);
    assert_eq!(page.matches("/limits.rs`\n").count(), modules);
}

#[test]
fn every_test_that_a_page_names_exists() {
    let tests: String = sources("tests/e2e").into_iter().map(|(_, source)| source).collect();
    for (page, at_least) in [("docs/providers.md", 14), ("docs/migrating.md", 30)] {
        let text = workspace_file(page);
        let numbered = rows(&text).filter(|cells| cells[0].parse::<u8>().is_ok());
        let numbered: Vec<Vec<&str>> = numbered.collect();
        assert!(numbered.len() >= at_least, "{page}: {}", numbered.len());
        for cells in numbered {
            let names: Vec<&str> = cells[3].split('`').filter(|name| name.contains('_')).collect();
            assert!(!names.is_empty(), "{page}: {cells:?}");
            for name in names {
                assert!(tests.contains(&format!("fn {name}()")), "{page}: {name}");
            }
        }
    }
}

#[test]
fn the_secrets_that_the_page_on_providers_shows_are_whole() {
    let page = workspace_file("docs/providers.md");
    let shown = page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let keys = local::defaults::webhook_secrets().unwrap();
    let acting = local::defaults::provider_secrets().unwrap();
    let mut found = BTreeSet::new();
    for text in shown {
        let shown: serde_json::Value = serde_json::from_str(text).unwrap();
        let entries = shown.as_object().unwrap();
        let (provider, entry) = entries.iter().next().unwrap();
        let names = |entry: &serde_json::Value| -> Vec<String> {
            entry.as_object().unwrap().keys().cloned().collect()
        };
        if entries.len() > 1 {
            // The provider secret, with all of its entries.
            assert_eq!(entries.len(), Provider::ALL.len());
            for (provider, entry) in entries {
                assert_eq!(names(entry), names(&acting[provider]), "{provider}");
            }
            continue;
        }
        assert_eq!(names(entry), names(&keys[provider]), "{provider}");
        found.insert(provider.clone());
    }
    assert_eq!(found, Provider::ALL.iter().map(|one| one.as_str().to_owned()).collect());
}
