//! Why a page is not shown, and what its reader can do.

use axum::http::StatusCode;

/// Why a page is not shown.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    /// What failed.
    pub(super) what: String,
    /// What to do; empty where that is said already.
    pub(super) next: String,
    /// Where to go on: a path of ours and its words.
    pub(super) link: Option<(String, &'static str)>,
}

impl Fault {
    pub(super) fn not_found(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, what: what.into(), next: next.into(), link: None }
    }

    pub(super) fn forbidden(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { status: StatusCode::FORBIDDEN, what: what.into(), next: next.into(), link: None }
    }

    /// Something was to be done, and this console does nothing.
    pub(super) fn read_only() -> Self {
        Self::forbidden(
            "This console was started with --read-only, so nothing was done.",
            "Start payctl console without it to decide.",
        )
    }

    /// Something that was asked for is not done, by a rule or since somebody was first.
    pub(super) fn conflict(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { status: StatusCode::CONFLICT, what: what.into(), next: next.into(), link: None }
    }

    /// The same, with a link to go on by.
    pub(super) fn with_link(self, path: String, words: &'static str) -> Self {
        Self { link: Some((path, words)), ..self }
    }

    /// The same, with what to do, unless an action of IAM is missing.
    pub(super) fn saying(self, next: &str) -> Self {
        if self.status == StatusCode::FORBIDDEN {
            self
        } else {
            Self { next: next.to_owned(), ..self }
        }
    }

    pub(super) fn unusable(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, what: what.into(), next: next.into(), link: None }
    }
}

/// What AWS denies is named: DynamoDB and Lambda say which action is missing.
impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        let what = format!("{error:#}");
        if let Some(action) = denied_action(&what) {
            let next = format!(
                "Your credentials do not allow {action}. docs/console.md has the policies for reading and for \
                 decisions: ask whoever looks after IAM to add the action to yours."
            );
            return Self { status: StatusCode::FORBIDDEN, what, next, link: None };
        }
        let next =
            "Reload the page. If it stays, check region, credentials and the name of the table.";
        Self { status: StatusCode::BAD_GATEWAY, what, next: next.to_owned(), link: None }
    }
}

/// The action in the message of a denied call: `… is not authorized to perform: dynamodb:Query on resource …`.
///
/// Source: IAM User Guide, "Troubleshoot access denied error messages".
fn denied_action(text: &str) -> Option<&str> {
    let (_, after) = text.split_once("not authorized to perform: ")?;
    let action = after.split([' ', '\n']).next()?;
    action.contains(':').then_some(action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denied_call_names_the_action() {
        let text = "cannot read the table pay: AccessDeniedException: User: arn:aws:iam::1:user/ada is not \
                    authorized to perform: dynamodb:Query on resource: arn:aws:dynamodb:eu-central-1:1:table/pay";
        let fault = Fault::from(anyhow::anyhow!(text));
        assert_eq!(fault.status, StatusCode::FORBIDDEN);
        assert!(fault.next.contains("do not allow dynamodb:Query."), "{}", fault.next);
        assert_eq!(Fault::from(anyhow::anyhow!("down")).status, StatusCode::BAD_GATEWAY);
    }
}
