//! Every operation of the three functions, from their own enums: tests take their lists of
//! operations, routes and limits from here.

/// An operation of a function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    /// The function that has it.
    pub(crate) function: &'static str,
    /// The `operation` member of a direct event, if it can be invoked directly.
    pub(crate) name: Option<&'static str>,
    /// The key of its route, `POST /path`, if it has one.
    pub(crate) route: Option<&'static str>,
    /// The longest request, in bytes.
    pub(crate) body_max: usize,
}

impl Operation {
    /// The path of its route.
    pub(crate) fn path(self) -> Option<&'static str> {
        Some(self.route?.split_once(' ').unwrap().1)
    }
}

/// Every operation, function by function.
pub(crate) fn all() -> Vec<Operation> {
    macro_rules! of {
        ($($function:ident),+) => {
            [$($function::Operation::ALL
                .iter()
                .map(|operation| Operation {
                    function: stringify!($function),
                    name: operation.name(),
                    route: operation.route(),
                    body_max: $function::BODY_MAX,
                })
                .collect::<Vec<_>>()),+]
            .concat()
        };
    }
    of!(create, detail, callback)
}

/// The functions, by name.
pub(crate) fn functions() -> Vec<&'static str> {
    let mut functions: Vec<_> = all().iter().map(|one| one.function).collect();
    functions.dedup();
    functions
}

/// The names of the operations that have a route and take our own JSON: what both entry points accept.
pub(crate) fn on_both_entry_points() -> Vec<&'static str> {
    all().iter().filter(|one| one.route.is_some()).filter_map(|one| one.name).collect()
}

/// Those of them that payers call: all but the callback and a refund.
pub(crate) fn of_payers() -> Vec<&'static str> {
    let mut names = on_both_entry_points();
    names.retain(|name| !["callback", "refund"].contains(name));
    names
}

/// The operation with this name.
pub(crate) fn named(name: &str) -> Operation {
    let found = all().into_iter().find(|one| one.name == Some(name));
    found.unwrap_or_else(|| panic!("no operation is named {name}"))
}

/// The route of an operation ends with its name, as [`crate::api::post`] takes for granted.
#[test]
fn a_route_ends_with_the_name_of_its_operation() {
    assert_eq!(on_both_entry_points().len(), 7);
    for name in on_both_entry_points() {
        assert_eq!(named(name).route, Some(format!("POST /api/pay/{name}").as_str()));
    }
}
