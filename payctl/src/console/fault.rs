//! Why a page is not shown, and what its reader can do.

use axum::http::StatusCode;

use super::view::capital;

/// Why a page is not shown.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    /// What failed.
    pub(super) what: String,
    /// What a call returned, for who looks after the machinery; empty where that adds nothing.
    pub(super) details: String,
    /// What to do; empty where that is said already.
    pub(super) next: String,
    /// Where to go on: a path of ours and its words.
    pub(super) link: Option<(String, &'static str)>,
}

impl Fault {
    const fn new(status: StatusCode, what: String, next: String) -> Self {
        Self { status, what, details: String::new(), next, link: None }
    }

    pub(super) fn not_found(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, what.into(), next.into())
    }

    pub(super) fn forbidden(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, what.into(), next.into())
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
        Self::new(StatusCode::CONFLICT, what.into(), next.into())
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
        Self::new(StatusCode::BAD_REQUEST, what.into(), next.into())
    }
}

/// What AWS denies is named: DynamoDB and Lambda say which action is missing.
impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        let whole = format!("{error:#}");
        let (status, next) = match denied_action(&whole) {
            Some(action) => (
                StatusCode::FORBIDDEN,
                format!(
                    "Your credentials do not allow {action}. docs/console.md has the policies for reading and for \
                     decisions: ask whoever looks after IAM to add the action to yours."
                ),
            ),
            None => (
                StatusCode::BAD_GATEWAY,
                "Reload the page. If it stays, check region, credentials and the name of the table."
                    .to_owned(),
            ),
        };
        // The causes of a call that failed are what its SDK writes for programmers.
        let what = error.to_string();
        let details = if what == whole { String::new() } else { whole };
        Self { details, ..Self::new(status, sentence(&what), next) }
    }
}

/// A sentence, of what begins in the middle of one.
fn sentence(text: &str) -> String {
    let mut sentence = capital(text);
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
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

    #[test]
    fn what_a_call_returned_is_apart_from_the_sentence() {
        let fault = Fault::from(anyhow::anyhow!("a\nb").context("cannot read the table pay"));
        assert_eq!(
            (fault.what.as_str(), fault.details.as_str()),
            ("Cannot read the table pay.", "cannot read the table pay: a\nb")
        );
        assert_eq!(Fault::from(anyhow::anyhow!("down")).details, "");
    }
}
