//! What can go wrong between a job and a record, under stable names.
#![deny(clippy::disallowed_types)]

use std::{fmt, time::Duration};

/// The stable name of a failure; `docs/errors.md` has a section for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The job's inputs or headers are wrong; nothing was sent.
    InvalidInput,
    /// The credentials were refused.
    Unauthenticated,
    /// The user may not do this.
    Forbidden,
    /// No such table.
    TableNotFound,
    /// No such record, or not visible to the user.
    RecordNotFound,
    /// A data policy asks for fields that are missing.
    DataPolicy,
    /// A business rule aborted the operation.
    BusinessRule,
    /// The record is there already and does not match.
    Conflict,
    /// Several records match where one was meant.
    Ambiguous,
    /// A rate-limit rule of the instance.
    RateLimited,
    /// The instance has no free worker (429 without rule, 202, 502, 503).
    Busy,
    /// A hibernating or upgrading instance answers with a page.
    Asleep,
    /// No connection to the instance.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// It cannot be told whether ServiceNow acted.
    OutcomeUnknown,
    /// An answer that makes no sense.
    UnexpectedResponse,
    /// An answer larger than the cap.
    ResponseTooLarge,
}

impl Reason {
    /// Every reason, in the order of `docs/errors.md`.
    pub const ALL: [Self; 17] = [
        Self::InvalidInput,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::TableNotFound,
        Self::RecordNotFound,
        Self::DataPolicy,
        Self::BusinessRule,
        Self::Conflict,
        Self::Ambiguous,
        Self::RateLimited,
        Self::Busy,
        Self::Asleep,
        Self::Unreachable,
        Self::Timeout,
        Self::OutcomeUnknown,
        Self::UnexpectedResponse,
        Self::ResponseTooLarge,
    ];

    /// The name that processes and dashboards rely on.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "SN_INVALID_INPUT",
            Self::Unauthenticated => "SN_UNAUTHENTICATED",
            Self::Forbidden => "SN_FORBIDDEN",
            Self::TableNotFound => "SN_TABLE_NOT_FOUND",
            Self::RecordNotFound => "SN_RECORD_NOT_FOUND",
            Self::DataPolicy => "SN_DATA_POLICY",
            Self::BusinessRule => "SN_BUSINESS_RULE",
            Self::Conflict => "SN_CONFLICT",
            Self::Ambiguous => "SN_AMBIGUOUS",
            Self::RateLimited => "SN_RATE_LIMITED",
            Self::Busy => "SN_BUSY",
            Self::Asleep => "SN_ASLEEP",
            Self::Unreachable => "SN_UNREACHABLE",
            Self::Timeout => "SN_TIMEOUT",
            Self::OutcomeUnknown => "SN_OUTCOME_UNKNOWN",
            Self::UnexpectedResponse => "SN_UNEXPECTED_RESPONSE",
            Self::ResponseTooLarge => "SN_RESPONSE_TOO_LARGE",
        }
    }

    /// Whether trying again later can help. Such failures keep the job's retries.
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::RateLimited
                | Self::Busy
                | Self::Asleep
                | Self::Unreachable
                | Self::Timeout
                | Self::OutcomeUnknown
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failure together with what is known of it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The stable name.
    pub reason: Reason,
    /// Text for people: what is wrong and what to do.
    pub message: String,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// How long ServiceNow asked us to wait.
    pub retry_after: Option<Duration>,
    /// How long a job has to stay away, whatever its author wants.
    pub at_least: Option<Duration>,
    /// The answer's headers and body, as `error.variables.response`.
    pub response: Option<Box<serde_json::Value>>,
    /// Whether trying again must be left to people, whatever the reason.
    pub is_final: bool,
}

impl Error {
    /// An error without an answer.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            status: None,
            retry_after: None,
            at_least: None,
            response: None,
            is_final: false,
        }
    }

    /// Whether trying again later can help and may be done unasked.
    pub fn is_transient(&self) -> bool {
        self.reason.is_transient() && !self.is_final
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn every_reason_has_its_section_in_the_order_of_the_page() {
        let page = include_str!("../../docs/errors.md");
        let sections: Vec<&str> =
            page.lines().filter_map(|line| line.strip_prefix("## SN_")).collect();
        let reasons: Vec<&str> =
            Reason::ALL.iter().filter_map(|reason| reason.as_str().strip_prefix("SN_")).collect();
        assert_eq!(sections, reasons);
        for part in page.split("\n## SN_").skip(1) {
            for words in ["**What happened.**", "**What the job did.**", "**What to do.**"] {
                assert!(part.contains(words), "{words} {part}");
            }
        }
    }

    #[test]
    fn the_page_lists_the_transient_reasons() {
        let page = include_str!("../../docs/errors.md");
        let row = page.lines().find(|line| line.starts_with("| transient")).unwrap();
        for reason in Reason::ALL {
            let is_listed = row.contains(&format!("`{reason}`"));
            assert_eq!(is_listed, reason.is_transient(), "{reason}");
        }
    }
}
