//! The headers of a message, whatever brought them.

use std::borrow::Cow;

/// A name that is there more than once, where it must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubled;

/// Headers by name, in any case. Values that are no UTF-8 keep their place with replacement
/// characters in them, which fits no signature.
#[derive(Clone, Default)]
pub struct Headers<'a>(Vec<(&'a str, Cow<'a, str>)>);

impl<'a> Headers<'a> {
    /// A view of pairs of name and value.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = &'a (N, V)>) -> Self
    where
        N: AsRef<str> + 'a,
        V: AsRef<str> + 'a,
    {
        let pairs = pairs.into_iter();
        Self(pairs.map(|(name, value)| (name.as_ref(), Cow::Borrowed(value.as_ref()))).collect())
    }

    /// Headers of a request, by the names and values that came. Values may be decoded lossily: a
    /// replacement character is part of no signature.
    pub fn new(pairs: impl IntoIterator<Item = (&'a str, Cow<'a, str>)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// The value of a name.
    ///
    /// # Errors
    ///
    /// [`Doubled`]: which of them the sender signed cannot be told.
    pub fn get_one(&self, name: &str) -> Result<Option<&str>, Doubled> {
        let mut values = self.0.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
        let first = values.next().map(|(_, value)| value.as_ref());
        match values.next() {
            Some(_) => Err(Doubled),
            None => Ok(first),
        }
    }

    /// Whether a name is there at all.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get_one(name) != Ok(None)
    }
}

/// Names only: values are signatures and worse.
impl std::fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_counts_in_any_case_and_once() {
        let pairs = [("Webhook-Id", "a"), ("x", ""), ("Y", "1"), ("y", "1")];
        let headers = Headers::from_pairs(&pairs);
        for name in ["webhook-id", "WEBHOOK-ID", "Webhook-Id"] {
            assert_eq!(headers.get_one(name), Ok(Some("a")));
        }
        assert_eq!(headers.get_one("x"), Ok(Some("")));
        assert_eq!(headers.get_one("z"), Ok(None));
        assert_eq!(headers.get_one("y"), Err(Doubled));
        assert!(headers.contains("y") && headers.contains("X") && !headers.contains("z"));
    }

    #[test]
    fn what_came_twice_stays_twice() {
        let pairs =
            [("a", "1".into()), ("a", "2".into()), ("b", String::from_utf8_lossy(b"x\xff"))];
        let headers = Headers::new(pairs);
        assert_eq!(headers.get_one("A"), Err(Doubled));
        assert_eq!(headers.get_one("b"), Ok(Some("x\u{fffd}")));
    }

    #[test]
    fn values_are_not_printed() {
        let pairs = [("webhook-signature", "canary")];
        let headers = Headers::from_pairs(&pairs);
        assert_eq!(format!("{headers:?}"), r#"["webhook-signature"]"#);
    }
}
