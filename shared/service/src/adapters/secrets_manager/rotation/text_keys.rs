//! Keys for the tests of rotation.

use pay_core::ports::{BadSecret, SecretKeys};

/// Keys of a text like `key 1; one 5; two bad`: the whole is usable if it begins with `key`, a part
/// unless it is `bad`.
#[derive(Clone, Debug)]
pub(crate) struct TextKeys {
    whole: String,
    /// Each part's key, and whether its own text is usable.
    parts: [Option<(Option<String>, bool)>; 2],
}

const PARTS: [&str; 2] = ["one", "two"];

impl SecretKeys for TextKeys {
    fn read(text: &str) -> Result<Self, BadSecret> {
        let (whole, rest) = text.split_once("; ").unwrap_or((text, ""));
        if !whole.starts_with("key") {
            return Err(BadSecret("no key"));
        }
        let parts = PARTS.map(|name| {
            let mut parts = rest.split("; ");
            let text = parts.find_map(|part| part.strip_prefix(name))?.trim();
            Some(if text == "bad" { (None, false) } else { (Some(text.to_owned()), true) })
        });
        Ok(Self { whole: whole.to_owned(), parts })
    }

    fn unusable(&self) -> Vec<(&'static str, BadSecret)> {
        let parts = PARTS.into_iter().zip(&self.parts);
        let bad = parts.filter(|(_, part)| part.as_ref().is_some_and(|(_, usable)| !usable));
        bad.map(|(name, _)| (name, BadSecret("bad"))).collect()
    }

    fn fill_from(&mut self, older: &Self) {
        for (part, older) in self.parts.iter_mut().zip(&older.parts) {
            if let (Some((key @ None, _)), Some((older, _))) = (part, older) {
                key.clone_from(older);
            }
        }
    }
}

impl TextKeys {
    /// The keys that are used; `-` for a part without one.
    pub(crate) fn shown(&self) -> String {
        let parts = PARTS.iter().zip(&self.parts).filter_map(|(name, part)| {
            let (key, _) = part.as_ref()?;
            Some(format!("; {name} {}", key.as_deref().unwrap_or("-")))
        });
        parts.fold(self.whole.clone(), |text, part| text + &part)
    }
}
