//! What a list shows, as a file: CSV for a spreadsheet, JSON Lines for a program.

use std::sync::Arc;

use axum::http::Uri;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::app::App;
use super::fault::Fault;
use super::page::fault;
use super::view::with_filter;
use crate::event::plain;
use crate::print::{escaped_cell, escaped_json};

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileForm {
    /// RFC 4180, with a head.
    Csv,
    /// An object of JSON a line.
    JsonLines,
}

impl FileForm {
    /// The form that a path ends with.
    fn of_path(path: &str) -> Self {
        match path.rsplit_once('.') {
            Some((_, "csv")) => Self::Csv,
            Some(_) | None => Self::JsonLines,
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }
}

/// The file of a list, in the form that the path of the request ends with; or the page that says why there is none,
/// which is one of the list.
pub(super) async fn saved<const N: usize>(
    app: &Arc<App>,
    list: &str,
    uri: &Uri,
    file: impl Future<Output = Result<FileRows<N>, Fault>>,
) -> Response {
    match file.await {
        Ok(file) => file.response(FileForm::of_path(uri.path())),
        Err(why) => fault(app, list, &why),
    }
}

/// The links to the files of a list; `query` is that of the list, without where a page begins.
pub(super) fn links(path: &str, query: &[(&str, &str)]) -> Markup {
    let to = |extension: &str| with_filter(&format!("{path}.{extension}"), query);
    html! {
        p.files {
            "All that the filter shows: " a href=(to("csv")) download { "CSV" } ", "
            a href=(to("jsonl")) download { "JSON Lines" }
        }
    }
}

/// A list as a file has it.
#[derive(Debug)]
pub(super) struct FileRows<const N: usize> {
    /// The name of the file, without what its form adds: letters, digits and `-`.
    pub(super) name: String,
    pub(super) columns: [&'static str; N],
    /// `null` where there is none.
    pub(super) rows: Vec<[Value; N]>,
}

impl<const N: usize> FileRows<N> {
    /// The file, which a browser saves.
    fn response(&self, form: FileForm) -> Response {
        let (content_type, text) = match form {
            FileForm::Csv => ("text/csv; charset=utf-8; header=present", self.csv()),
            FileForm::JsonLines => ("application/x-ndjson", self.json_lines()),
        };
        let file = format!("attachment; filename=\"{}.{}\"", self.name, form.extension());
        let headers = [(CONTENT_TYPE, content_type.to_owned()), (CONTENT_DISPOSITION, file)];
        (headers, text).into_response()
    }

    fn csv(&self) -> String {
        let line = |cells: Vec<String>| format!("{}\r\n", cells.join(","));
        let head = line(self.columns.iter().map(|name| quoted(name)).collect());
        let rows = self.rows.iter().map(|row| {
            line(
                row.iter()
                    .map(|value| if value.is_null() { String::new() } else { csv_cell(value) })
                    .collect(),
            )
        });
        std::iter::once(head).chain(rows).collect()
    }

    fn json_lines(&self) -> String {
        let rows = self.rows.iter().map(|row| {
            let members = self
                .columns
                .iter()
                .zip(row)
                .map(|(name, value)| ((*name).to_owned(), value.clone()));
            let object = Value::Object(members.collect::<Map<_, _>>());
            format!("{}\n", escaped_json(&object.to_string()))
        });
        rows.collect()
    }
}

/// A cell. A number is one; a text that a spreadsheet would run is made one that it does not.
///
/// Sources: RFC 4180, section 2; OWASP, "CSV Injection".
fn csv_cell(value: &Value) -> String {
    if value.is_number() {
        return value.to_string();
    }
    let text = plain(value);
    let runs = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let safe = if runs { "'" } else { "" };
    quoted(&format!("{safe}{}", escaped_cell(&text)))
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(rows: Vec<[Value; 2]>) -> FileRows<2> {
        FileRows { name: "some".to_owned(), columns: ["one", "two"], rows }
    }

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_runs_nothing() {
        for (value, cell) in [
            (json!("a"), "a"),
            (json!(-1), "-1"),
            (json!(true), "true"),
            (json!("a,b"), "\"a,b\""),
            (json!("a\"b"), "\"a\"\"b\""),
            (json!("=1+1"), "'=1+1"),
            (json!("+1"), "'+1"),
            (json!("-1"), "'-1"),
            (json!("@SUM(A1)"), "'@SUM(A1)"),
            (json!("\t=1"), "'\\t=1"),
            (json!("\r=1"), "'\\r=1"),
            (json!("\n=1"), "'\\n=1"),
            (json!("＝1"), "'＝1"),
            (json!("=\"a\",b"), "\"'=\"\"a\"\",b\""),
            (json!("a\r\nb\u{202e}\u{1b}"), "a\\r\\nb\\u{202e}\\u{1b}"),
        ] {
            assert_eq!(csv_cell(&value), cell, "{value}");
        }
    }

    #[test]
    fn both_forms_hold_the_same() {
        let file = file(vec![[json!(1), json!("a,\u{202e}")], [Value::Null, json!("=")]]);
        assert_eq!(file.csv(), "one,two\r\n1,\"a,\\u{202e}\"\r\n,'=\r\n");
        let lines = "{\"one\":1,\"two\":\"a,\\u202e\"}\n{\"one\":null,\"two\":\"=\"}\n";
        assert_eq!(file.json_lines(), lines);
        assert_eq!(FileForm::of_path("/due.jsonl"), FileForm::JsonLines);
        let response = file.response(FileForm::of_path("/due.csv"));
        assert_eq!(response.headers()[CONTENT_DISPOSITION], "attachment; filename=\"some.csv\"");
    }
}
