//! What a person decides on a quarantined notification: what, who, when, why.

use super::{EventKey, OutOfRange, Timestamp};
use crate::limits::{NOTE_MAX_CHARS, OPERATOR_MAX_CHARS};

/// What becomes of a quarantined notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// The payment gets the status that the notification reports, with the record's own amount.
    Accept,
    /// It has no effect.
    Dismiss,
    /// The money that it reports goes back.
    Refund,
}

impl Decision {
    /// Every decision.
    pub const ALL: [Self; 3] = [Self::Accept, Self::Dismiss, Self::Refund];

    /// The word in the event log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accepted",
            Self::Dismiss => "dismissed",
            Self::Refund => "refunded",
        }
    }
}

/// Who decides: 1 to [`OPERATOR_MAX_CHARS`] characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Operator(String);

impl Operator {
    /// Wraps a name from outside.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] when it is blank, too long, or holds a control character.
    pub fn new(name: &str) -> Result<Self, OutOfRange> {
        let fits = is_text(name, OPERATOR_MAX_CHARS) && !name.contains(char::is_control);
        if fits { Ok(Self(name.to_owned())) } else { Err(OutOfRange::new("the name")) }
    }

    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why somebody decides so: 1 to [`NOTE_MAX_CHARS`] characters. It is kept whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Note(String);

impl Note {
    /// Wraps a text from outside.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] when it is blank or too long.
    pub fn new(text: &str) -> Result<Self, OutOfRange> {
        let fits = is_text(text, NOTE_MAX_CHARS);
        if fits { Ok(Self(text.to_owned())) } else { Err(OutOfRange::new("the note")) }
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_text(text: &str, most_chars: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= most_chars
}

/// A decision, as the notification keeps it. There is at most one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decided {
    /// What.
    pub decision: Decision,
    /// Who.
    pub by: Operator,
    /// When.
    pub at: Timestamp,
    /// The event of the decision, whose body is the note.
    pub event: EventKey,
}

/// What only the event of a decision has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OperatorDecision {
    /// Who decided.
    pub by: Operator,
    /// The name of the notification that is decided on: the text of its [`EventKey`], or what names an
    /// item whose key is none.
    pub about: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_note_are_whole_or_rejected() {
        for name in ["a", "ada", "arn:aws:iam::1:user/ada", "支付", &"é".repeat(128)] {
            assert_eq!(Operator::new(name).unwrap().as_str(), name);
        }
        for name in ["", " ", "a\nb", "a\u{85}", &"é".repeat(129)] {
            assert!(Operator::new(name).is_err(), "{name}");
        }
        for note in ["x", "two\nlines", &"é".repeat(1024)] {
            assert_eq!(Note::new(note).unwrap().as_str(), note);
        }
        for note in ["", " \n", &"é".repeat(1025)] {
            assert!(Note::new(note).is_err(), "{note}");
        }
    }

    #[test]
    fn the_words_of_the_event_log_stay() {
        assert_eq!(Decision::ALL.map(Decision::as_str), ["accepted", "dismissed", "refunded"]);
    }
}
