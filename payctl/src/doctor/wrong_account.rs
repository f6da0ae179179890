//! Messages of another merchant account, or of another mode, than is configured.

use pay_core::domain::Mismatch;
use pay_providers::Verified;
use serde_json::Value;

use super::trial::Trial;
use super::{edit, shown};

/// What happens to such a message, and every member of the entry that it does not match.
pub(super) fn quarantined(trial: &Trial<'_>, first: &Mismatch) -> String {
    let mut entry = edit::value(&trial.case.keys);
    let mut found = Vec::new();
    let mut mismatch = Some(first.clone());
    // Verification names the first one only: without that member it names the next.
    while let Some(Mismatch { expected, received, .. }) = mismatch {
        let Some(expected) = expected else {
            // An account that no entry allows; unless it was shown beside the one that is configured.
            if !found.iter().any(|text: &String| text.starts_with("expected `account=")) {
                let received = shown(&received.unwrap_or_default());
                found.push(format!("no `account` is configured, received `{received}`"));
            }
            break;
        };
        let received =
            received.map_or_else(|| "nothing".to_owned(), |text| format!("`{}`", shown(&text)));
        found.push(format!("expected `{expected}`, received {received}"));
        let member = expected.split('=').next().unwrap_or_default();
        let removed = entry.as_object_mut().and_then(|members| members.remove(member));
        mismatch = removed.and_then(|_| mismatch_with(trial, &entry));
    }
    let found = found.join("; ");
    format!("it would be quarantined, as one of another account or mode than configured: {found}")
}

fn mismatch_with(trial: &Trial<'_>, entry: &Value) -> Option<Mismatch> {
    let case = trial.case;
    let keys = case.scheme.keys(&edit::entry(entry)?).ok()?;
    match keys.verify(&case.headers, &case.body, case.now).ok()?? {
        Verified::Notification(notification) | Verified::Hint(notification, _) => {
            notification.wrong_account
        }
        Verified::Ignored(_) => None,
    }
}
