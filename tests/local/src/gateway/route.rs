//! Which route a request takes.

use axum::http::Method;

use super::event::decode;
use crate::template::Route;

/// A route that fits a request.
#[derive(Debug)]
pub(super) struct Matched<'a> {
    pub(super) route: &'a Route,
    /// The path's parameters, decoded.
    pub(super) parameters: Vec<(String, String)>,
}

/// The route for a request. One without parameters wins over one with.
///
/// The path is compared as it was sent, segment by segment: a trailing or doubled slash is another
/// path, as in the gateway.
pub(super) fn find<'a>(routes: &'a [Route], method: &Method, path: &str) -> Option<Matched<'a>> {
    routes
        .iter()
        .filter(|route| route.method == "ANY" || route.method == method.as_str())
        .filter_map(|route| Some(Matched { route, parameters: parameters(&route.path, path)? }))
        .min_by_key(|matched| matched.parameters.len())
}

fn parameters(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let mut parameters = Vec::new();
    let mut given = path.split('/');
    for wanted in template.split('/') {
        let segment = given.next()?;
        let name = wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        match name {
            Some(name) if !segment.is_empty() => {
                parameters.push((name.to_owned(), decode(segment, false)));
            }
            None if wanted == decode(segment, false) => {}
            _ => return None,
        }
    }
    given.next().is_none().then_some(parameters)
}

#[cfg(test)]
mod tests {
    use super::{Method, Route, find};

    #[test]
    fn a_path_takes_its_own_route_or_none() {
        let route = |method: &str, path: &str| Route {
            method: method.to_owned(),
            path: path.to_owned(),
            function: path.to_owned(),
        };
        let routes = [route("POST", "/a/{p}"), route("POST", "/a/b"), route("ANY", "/c")];
        let table = [
            ("POST", "/a/b", Some("/a/b")),
            ("POST", "/a/x%2Fy", Some("/a/{p}")),
            ("GET", "/a/b", None),
            ("GET", "/c", Some("/c")),
            ("POST", "/a/", None),
            ("POST", "/a", None),
            ("POST", "/a/b/", None),
            ("POST", "//a/b", None),
            ("POST", "/a/b/c", None),
            ("POST", "*", None),
        ];
        for (method, path, want) in table {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let found = find(&routes, &method, path);
            assert_eq!(found.map(|matched| matched.route.path.as_str()), want, "{method} {path}");
        }
        let matched = find(&routes, &Method::POST, "/a/x%2Fy%ff").unwrap();
        assert_eq!(matched.parameters, [("p".to_owned(), "x/y\u{fffd}".to_owned())]);
    }
}
