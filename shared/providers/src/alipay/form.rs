//! The form, and the text over its fields that is signed.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::{SIGNATURE_FIELD, SIGNATURE_TYPE_FIELD};
use crate::VerifyError;

/// Before the form, where some proxies put it. It is no part of a field.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The fields of a form, sorted by name; no name twice. Bytes, as they are signed: a text may have
/// been cut in the middle of a character.
pub(super) struct Form(Vec<(Vec<u8>, Vec<u8>)>);

impl Form {
    /// Splits, then decodes each part once.
    pub(super) fn parse(body: &[u8]) -> Result<Self, VerifyError> {
        let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        let parts = body.split(|byte| *byte == b'&').filter(|part| !part.is_empty());
        let mut fields: Vec<_> = parts.map(field).collect();
        fields.sort_by(|(one, _), (other, _)| one.cmp(other));
        if fields.array_windows().any(|[(one, _), (other, _)]| one == other) {
            return Err(VerifyError::DoubledField);
        }
        Ok(Self(fields))
    }

    /// A field's value, with replacement characters for what is no UTF-8; `None` if the field is
    /// absent or empty.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let found = self.0.iter().find(|(known, _)| known == name.as_bytes());
        let value = found.map(|(_, value)| value).filter(|value| !value.is_empty());
        value.map(|value| String::from_utf8_lossy(value))
    }

    /// The bytes that are signed: every field but `sign` and `sign_type`, and one more if it is
    /// given.
    pub(super) fn signed(&self, more: Option<(&str, &str)>) -> Vec<u8> {
        let left_out = [SIGNATURE_FIELD, SIGNATURE_TYPE_FIELD].map(str::as_bytes);
        let fields = self.0.iter().map(|(name, value)| (&name[..], &value[..]));
        let mut fields: Vec<_> = fields.filter(|(name, _)| !left_out.contains(name)).collect();
        fields.extend(more.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        fields.sort_unstable();
        let pairs: Vec<_> =
            fields.iter().map(|(name, value)| [*name, b"=", *value].concat()).collect();
        pairs.join(&b'&')
    }
}

/// The name and the value of a part of the form.
fn field(part: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut sides = part.splitn(2, |byte| *byte == b'=').map(decoded);
    (sides.next().unwrap_or_default(), sides.next().unwrap_or_default())
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> =
        text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced).collect()
}
