//! The page that shows the last figures: each table stands between two marks, and nothing else does.

use anyhow::{Context as _, Result};

use crate::binaries;

/// The page, in the workspace.
pub const PAGE: &str = "docs/performance.md";

/// Replaces what stands in these places.
pub(super) fn write(sections: &[(&'static str, String)]) -> Result<()> {
    let path = binaries::workspace().join(PAGE);
    let mut page = std::fs::read_to_string(&path).with_context(|| format!("cannot read {PAGE}"))?;
    for (name, text) in sections {
        page =
            replaced(&page, name, text).with_context(|| format!("{PAGE} has no place {name}"))?;
    }
    std::fs::write(&path, page).with_context(|| format!("cannot write {PAGE}"))
}

/// The page with another text in a place; nothing if it has no such place.
fn replaced(page: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- bench: {name} -->\n"), "<!-- end -->");
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}\n{text}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn only_the_named_place_changes() {
        let page = "a\n<!-- bench: x -->\nold\n<!-- end -->\nb\n<!-- bench: y -->\n<!-- end -->\n";
        let new = replaced(page, "x", "new\n").unwrap();
        let wanted =
            "a\n<!-- bench: x -->\n\nnew\n\n<!-- end -->\nb\n<!-- bench: y -->\n<!-- end -->\n";
        assert_eq!(new, wanted);
        assert_eq!(replaced(&new, "x", "new\n").unwrap(), wanted);
        assert_eq!(replaced(page, "z", ""), None);
    }
}
