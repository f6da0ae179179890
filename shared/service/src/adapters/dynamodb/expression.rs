//! Update and condition expressions.
//!
//! Every name goes through a placeholder: `status`, `source` and others are reserved words of
//! DynamoDB, and the list of those grows.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

/// Condition of a put that must not replace anything.
pub(super) const ABSENT: &str = "attribute_not_exists(pk)";

/// What an update sets and removes, and on which conditions.
#[derive(Debug, Default)]
pub(super) struct Expression {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
    sets: Vec<String>,
    removes: Vec<String>,
    conditions: Vec<String>,
}

impl Expression {
    pub(super) fn set(mut self, name: &str, value: AttributeValue) -> Self {
        self.sets.push(format!("#{name} = :{name}"));
        self.values.insert(format!(":{name}"), value);
        self.named(name)
    }

    pub(super) fn remove(mut self, name: &str) -> Self {
        self.removes.push(format!("#{name}"));
        self.named(name)
    }

    pub(super) fn set_or_remove(self, name: &str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self.remove(name),
        }
    }

    /// On condition that an attribute has this value.
    pub(super) fn when(mut self, name: &str, value: AttributeValue) -> Self {
        self.conditions.push(format!("#{name} = :is_{name}"));
        self.values.insert(format!(":is_{name}"), value);
        self.named(name)
    }

    /// On condition that an attribute has one of these values.
    pub(super) fn when_one_of(
        mut self,
        name: &str,
        values: impl IntoIterator<Item = AttributeValue>,
    ) -> Self {
        let mut placeholders = Vec::new();
        for (number, value) in values.into_iter().enumerate() {
            let placeholder = format!(":is_{name}_{number}");
            self.values.insert(placeholder.clone(), value);
            placeholders.push(placeholder);
        }
        self.conditions.push(format!("#{name} IN ({})", placeholders.join(", ")));
        self.named(name)
    }

    pub(super) fn set_all(
        self,
        attributes: impl IntoIterator<Item = (&'static str, AttributeValue)>,
    ) -> Self {
        attributes.into_iter().fold(self, |all, (name, value)| all.set(name, value))
    }

    /// On condition that each attribute has its value.
    pub(super) fn when_all(
        self,
        attributes: impl IntoIterator<Item = (&'static str, AttributeValue)>,
    ) -> Self {
        attributes.into_iter().fold(self, |all, (name, value)| all.when(name, value))
    }

    /// Takes a payment out of its queue.
    pub(super) fn remove_due(self) -> Self {
        ["queue", "due", "attempts"].into_iter().fold(self, Self::remove)
    }

    /// On condition that an attribute is absent.
    pub(super) fn when_absent(mut self, name: &str) -> Self {
        self.conditions.push(format!("attribute_not_exists(#{name})"));
        self.named(name)
    }

    fn named(mut self, name: &str) -> Self {
        self.names.insert(format!("#{name}"), name.to_owned());
        self
    }

    pub(super) fn update(&self) -> String {
        let clause = |word: &str, parts: &[String]| {
            (!parts.is_empty()).then(|| format!("{word} {}", parts.join(", ")))
        };
        let clauses = [clause("SET", &self.sets), clause("REMOVE", &self.removes)];
        clauses.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    pub(super) fn condition(&self) -> String {
        self.conditions.join(" AND ")
    }

    pub(super) fn names(&self) -> HashMap<String, String> {
        self.names.clone()
    }

    pub(super) fn values(&self) -> HashMap<String, AttributeValue> {
        self.values.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::row::n, *};

    #[test]
    fn an_expression_names_everything_once() {
        let expression = Expression::default()
            .set("status", n(1))
            .set("version", n(2))
            .remove("queue")
            .remove("due")
            .when("version", n(1))
            .when_absent("paid_time");
        assert_eq!(
            expression.update(),
            "SET #status = :status, #version = :version REMOVE #queue, #due"
        );
        assert_eq!(
            expression.condition(),
            "#version = :is_version AND attribute_not_exists(#paid_time)"
        );
        assert_eq!(expression.names().len(), 5);
        assert_eq!(expression.values().len(), 3);
    }

    #[test]
    fn a_condition_can_name_several_values() {
        let expression = Expression::default().when_one_of("state", [n(1), n(2)]);
        assert_eq!(expression.condition(), "#state IN (:is_state_0, :is_state_1)");
        let values = [(":is_state_0".to_owned(), n(1)), (":is_state_1".to_owned(), n(2))];
        assert_eq!(expression.values(), HashMap::from(values));
    }
}
