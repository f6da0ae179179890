//! Alipay.

use pay_providers::VerifyError;
use pay_providers::alipay::{AlipayKeys, SIGNATURE_FIELD, SIGNATURE_TYPE, SIGNATURE_TYPE_FIELD};

use super::{SenderFacts, only};
use crate::doctor::form::{self, FormFacts};
use crate::doctor::{check::SchemeKeys, shown, trial::Trial};

pub(super) const FACTS: SenderFacts = SenderFacts {
    form: Some(FormFacts { signature: SIGNATURE_FIELD, signature_type: SIGNATURE_TYPE_FIELD }),
    of_error,
    ..SenderFacts::new("Alipay", SchemeKeys::none::<AlipayKeys>, &[], None)
};

fn of_error(trial: &Trial<'_>, error: VerifyError) -> Option<String> {
    let (fields, _) = form::fields(&trial.case.body);
    let value =
        |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| shown(value));
    if error == VerifyError::BadAlgorithm {
        Some(only(SIGNATURE_TYPE_FIELD, &value(SIGNATURE_TYPE_FIELD)?, SIGNATURE_TYPE))
    } else if error == VerifyError::BadCharset {
        let charset = value("charset")?;
        Some(format!("`charset` is `{charset}`: it is chosen where the payment is made"))
    } else if error == VerifyError::DoubledField {
        let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let [name, _] = names.array_windows().find(|[one, other]| one == other)?;
        Some(format!("the field that is there twice is `{}`", shown(name)))
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
