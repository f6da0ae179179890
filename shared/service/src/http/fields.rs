//! The fields of a request's body, each present and in range, or rejected.

use std::collections::BTreeMap;

use pay_core::{
    domain::OutOfRange,
    json::{Json, Object},
};
use serde_json::value::RawValue;

use super::Problem;

/// The members of a request's JSON object. One that is `null` counts as absent.
#[derive(Clone, Debug)]
pub struct Fields {
    object: Object,
    nulls: Vec<String>,
}

impl Fields {
    /// Reads a request's body.
    ///
    /// # Errors
    ///
    /// [`super::Code::InvalidRequest`] for anything but one object.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        let object = Object::parse(body)
            .ok_or_else(|| Problem::invalid("the body must be one JSON object"))?;
        Ok(Self { object, nulls: nulls(body) })
    }

    /// The value of a member, whatever it is but `null`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        let value = self.object.get(name)?;
        (!self.nulls.iter().any(|null| null == name)).then_some(value)
    }

    /// A whole number that `wrap` accepts, if the name is there.
    ///
    /// # Errors
    ///
    /// [`super::Code::InvalidRequest`] for another kind of value, or one out of range.
    pub fn optional_number<T>(
        &self,
        name: &'static str,
        wrap: impl FnOnce(u64) -> Result<T, OutOfRange>,
    ) -> Result<Option<T>, Problem> {
        self.get(name).map(|value| wrapped(name, value.as_integer(), wrap)).transpose()
    }

    /// A whole number that `wrap` accepts.
    ///
    /// # Errors
    ///
    /// As [`Self::optional_number`], and for a missing name.
    pub fn required_number<T>(
        &self,
        name: &'static str,
        wrap: impl FnOnce(u64) -> Result<T, OutOfRange>,
    ) -> Result<T, Problem> {
        wrapped(name, self.get(name).and_then(Json::as_integer), wrap)
    }

    /// A text that `wrap` accepts, if the name is there.
    ///
    /// # Errors
    ///
    /// [`super::Code::InvalidRequest`] for another kind of value, or one out of range.
    pub fn optional_text<T>(
        &self,
        name: &'static str,
        wrap: impl FnOnce(&str) -> Result<T, OutOfRange>,
    ) -> Result<Option<T>, Problem> {
        self.get(name).map(|value| wrapped(name, value.as_text(), wrap)).transpose()
    }

    /// A text that `wrap` accepts.
    ///
    /// # Errors
    ///
    /// As [`Self::optional_text`], and for a missing name.
    pub fn required_text<T>(
        &self,
        name: &'static str,
        wrap: impl FnOnce(&str) -> Result<T, OutOfRange>,
    ) -> Result<T, Problem> {
        wrapped(name, self.get(name).and_then(Json::as_text), wrap)
    }
}

/// The names whose value is `null`, which [`Json`] does not tell from a number that is not whole.
fn nulls(object: &[u8]) -> Vec<String> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(object).unwrap_or_default();
    let nulls = members.into_iter().filter(|(_, value)| value.get() == "null");
    nulls.map(|(name, _)| name).collect()
}

fn wrapped<V, T>(
    name: &'static str,
    value: Option<V>,
    wrap: impl FnOnce(V) -> Result<T, OutOfRange>,
) -> Result<T, Problem> {
    value.and_then(|value| wrap(value).ok()).ok_or_else(|| Problem::bad_field(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pay_core::domain::{Currency, OrderId};

    #[test]
    fn a_field_is_there_and_valid_or_is_rejected() {
        let fields = Fields::parse(
            br#"{"oid":7,"zero":0,"text":"CNY","none":null,"spaced" : null ,"none\u00e9":null,"half":0.5}"#,
        ).unwrap();
        assert_eq!(fields.required_number("oid", OrderId::new).unwrap().get(), 7);
        assert!(fields.optional_number("absent", OrderId::new).unwrap().is_none());
        for name in ["zero", "text", "none", "absent", "OID"] {
            assert!(fields.required_number(name, OrderId::new).is_err(), "{name}");
        }
        for name in ["zero", "text", "half"] {
            assert!(fields.optional_number(name, OrderId::new).is_err(), "{name}");
        }
        for name in ["none", "spaced", "none\u{e9}"] {
            assert!(fields.get(name).is_none(), "{name}");
            assert!(fields.optional_number(name, OrderId::new).unwrap().is_none(), "{name}");
            assert!(fields.optional_text(name, Currency::new).unwrap().is_none(), "{name}");
        }
        assert!(fields.optional_text("absent", Currency::new).unwrap().is_none());
        assert!(fields.optional_text("text", Currency::new).unwrap().is_some());
        assert!(fields.required_text("text", Currency::new).is_ok());
        for name in ["absent", "none", "oid"] {
            assert!(fields.required_text(name, Currency::new).is_err(), "{name}");
        }
        for name in ["oid", "half"] {
            assert!(fields.optional_text(name, Currency::new).is_err(), "{name}");
        }
        assert!(Fields::parse(b"[]").is_err());
    }
}
