//! The fields of a request's body, each present and in range, or rejected.

use pay_core::{
    domain::OutOfRange,
    json::{Json, Object},
};

use super::Problem;

/// The members of a request's JSON object.
#[derive(Clone, Debug)]
pub struct Fields(Object);

impl Fields {
    /// Reads a request's body.
    ///
    /// # Errors
    ///
    /// [`super::Code::InvalidRequest`] for anything but one object.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        let object = Object::parse(body);
        object.map(Self).ok_or_else(|| Problem::invalid("the body must be one JSON object"))
    }

    /// The value of a member, whatever it is.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name)
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
        self.0.get(name).map(|value| wrapped(name, value.as_integer(), wrap)).transpose()
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
        wrapped(name, self.0.integer(name), wrap)
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
        self.0.get(name).map(|value| wrapped(name, value.as_text(), wrap)).transpose()
    }
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
        let fields = Fields::parse(br#"{"oid":7,"zero":0,"text":"CNY","none":null}"#).unwrap();
        assert_eq!(fields.required_number("oid", OrderId::new).unwrap().get(), 7);
        assert!(fields.optional_number("absent", OrderId::new).unwrap().is_none());
        for name in ["zero", "text", "none", "absent", "OID"] {
            assert!(fields.required_number(name, OrderId::new).is_err(), "{name}");
        }
        for name in ["zero", "text", "none"] {
            assert!(fields.optional_number(name, OrderId::new).is_err(), "{name}");
        }
        assert!(fields.optional_text("absent", Currency::new).unwrap().is_none());
        assert!(fields.optional_text("text", Currency::new).unwrap().is_some());
        for name in ["oid", "none"] {
            assert!(fields.optional_text(name, Currency::new).is_err(), "{name}");
        }
        assert!(Fields::parse(b"[]").is_err());
    }
}
