//! The form, and the text over its fields that is signed.

use std::borrow::Cow;

use super::{SIGNATURE_FIELD, SIGNATURE_TYPE_FIELD};
use crate::VerifyError;

/// The fields of a form, sorted by name; no name twice.
pub(super) struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Form<'a> {
    /// Splits, then decodes each part once. Bytes that are no UTF-8 become replacement characters,
    /// for which no signature is valid.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, VerifyError> {
        let mut fields: Vec<_> = form_urlencoded::parse(body).collect();
        fields.sort_by(|(one, _), (other, _)| one.as_bytes().cmp(other.as_bytes()));
        if fields.array_windows().any(|[(one, _), (other, _)]| one == other) {
            return Err(VerifyError::DoubledField);
        }
        Ok(Self(fields))
    }

    /// A field's value; `None` if the field is absent or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_ref()).filter(|value| !value.is_empty())
    }

    /// The text that is signed: every field but `sign` and `sign_type`, and one more if it is
    /// given.
    pub(super) fn signed(&self, more: Option<(&str, &str)>) -> String {
        let left_out = [SIGNATURE_FIELD, SIGNATURE_TYPE_FIELD];
        let fields = self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        let mut fields: Vec<_> = fields.filter(|(name, _)| !left_out.contains(name)).collect();
        fields.extend(more);
        fields.sort_unstable();
        let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    }
}
