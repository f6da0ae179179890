//! Why a genuine message is ignored.

/// Why a genuine message is ignored: it reports no money, or another message reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// Of a kind that changes no payment.
    OtherKind,
    /// About something that is not paid yet.
    Unpaid,
    /// About something that needed no payment, and that names no payment of ours.
    Free,
    /// It names no payment, and other products use the account, too.
    NotOurs,
    /// A dispute, which no status stands for.
    Dispute,
    /// Encrypted, and there is no key; only without a complete configuration.
    NoKey,
}

impl Ignored {
    /// Every reason.
    pub const ALL: [Self; 6] =
        [Self::OtherKind, Self::Unpaid, Self::Free, Self::NotOurs, Self::Dispute, Self::NoKey];

    /// The word in the metric's dimension.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OtherKind => "other-kind",
            Self::Unpaid => "unpaid",
            Self::Free => "free",
            Self::NotOurs => "not-ours",
            Self::Dispute => "dispute",
            Self::NoKey => "no-key",
        }
    }

    /// The sentence in log lines and diagnoses.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::OtherKind => "of a kind that changes no payment",
            Self::Unpaid => "not paid yet: another message reports the end",
            Self::Free => "it needed no payment, and names none of ours",
            Self::NotOurs => "it names no payment, and the account is shared",
            Self::Dispute => "a dispute, which no status stands for",
            Self::NoKey => "no api_v3_key to decrypt it with",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ignored;

    #[test]
    fn the_words_of_the_metric_stay() {
        let words = Ignored::ALL.map(Ignored::as_str);
        assert_eq!(words.join(" "), "other-kind unpaid free not-ours dispute no-key");
        assert!(Ignored::ALL.iter().all(|reason| !reason.text().is_empty()));
    }
}
