//! Where the checkout is. A program that was built is not tied to the folder that it was built in: a
//! checkout can be moved, and several can share a target folder.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// What the root of the workspace has.
const MARKS: [&str; 2] = ["template.yaml", "Cargo.toml"];

/// The root of the workspace that the current directory is in.
pub fn root() -> Result<PathBuf> {
    root_above(
        &std::env::current_dir().context("the current directory is gone: change to another")?,
    )
}

/// The root of the workspace that this directory is in: the nearest folder that has what a root has.
fn root_above(directory: &Path) -> Result<PathBuf> {
    let is_root = |folder: &&Path| MARKS.iter().all(|mark| folder.join(mark).is_file());
    directory.ancestors().find(is_root).map(Path::to_owned).with_context(|| {
        format!(
            "{} is not in a checkout of pay, whose root has template.yaml and Cargo.toml: change to the \
             checkout (cd) and run this again",
            directory.display()
        )
    })
}

/// A file of the workspace.
pub(crate) fn file(path: &str) -> Result<PathBuf> {
    Ok(root()?.join(path))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::root_above;

    #[test]
    fn the_root_is_the_nearest_folder_above_with_template_and_manifest() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("clone");
        let deep = inner.join("functions/create");
        fs::create_dir_all(&deep).unwrap();
        let error = root_above(&deep).unwrap_err().to_string();
        assert!(error.starts_with(deep.to_str().unwrap()) && error.contains("(cd)"), "{error}");
        for folder in [outer.path(), &inner] {
            fs::write(folder.join("template.yaml"), "").unwrap();
            assert!(root_above(folder).is_err() || folder == inner, "a template alone is no root");
            fs::write(folder.join("Cargo.toml"), "").unwrap();
            assert_eq!(root_above(&deep).unwrap(), folder);
        }
        fs::write(deep.join("Cargo.toml"), "").unwrap();
        assert_eq!(root_above(&deep).unwrap(), inner, "a package is no root");
    }
}
