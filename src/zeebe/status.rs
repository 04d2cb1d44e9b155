//! What the gateway's refusals mean.
//!
//! Two traps: a request over the size limit comes back as `RESOURCE_EXHAUSTED`, like
//! back-pressure, and variables over the broker's batch limit as `UNKNOWN`. Neither gets
//! better by sending again.

use tonic::{Code, Status};

use crate::ports::{GatewayError, GatewayErrorKind};

/// Reads a refusal.
pub(super) fn error(status: &Status) -> GatewayError {
    let message = if status.message().is_empty() {
        status.code().description().to_owned()
    } else {
        status.message().to_owned()
    };
    GatewayError { kind: kind(status), message: crate::outcome::cut(&message, 500) }
}

fn kind(status: &Status) -> GatewayErrorKind {
    let says = |text: &str| status.message().contains(text);
    match status.code() {
        Code::ResourceExhausted if says("exceeds maximum size") => GatewayErrorKind::Invalid,
        Code::ResourceExhausted => GatewayErrorKind::Busy,
        _ if says("EXCEEDED_BATCH_RECORD_SIZE") => GatewayErrorKind::Invalid,
        Code::DeadlineExceeded => GatewayErrorKind::TimedOut,
        Code::NotFound => GatewayErrorKind::NotFound,
        Code::FailedPrecondition => GatewayErrorKind::Superseded,
        Code::AlreadyExists => GatewayErrorKind::AlreadyExists,
        Code::InvalidArgument | Code::OutOfRange | Code::Unimplemented => GatewayErrorKind::Invalid,
        Code::PermissionDenied => GatewayErrorKind::Denied,
        Code::Unauthenticated => GatewayErrorKind::Unauthenticated,
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::Aborted
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => GatewayErrorKind::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_one_meaning() {
        use GatewayErrorKind::{
            AlreadyExists, Busy, Denied, Invalid, NotFound, Superseded, TimedOut, Unauthenticated,
            Unavailable,
        };
        let too_large = "gRPC message exceeds maximum size 4194304: 5000000";
        let table = [
            (Code::ResourceExhausted, "Reached maximum capacity of requests handled", Busy),
            (Code::ResourceExhausted, too_large, Invalid),
            (Code::Unknown, "Unexpected error: EXCEEDED_BATCH_RECORD_SIZE", Invalid),
            (Code::Unavailable, "partition leader mismatch", Unavailable),
            (Code::DeadlineExceeded, "", TimedOut),
            (Code::NotFound, "no such job was found", NotFound),
            (Code::FailedPrecondition, "it is in state FAILED", Superseded),
            (Code::InvalidArgument, "variables", Invalid),
            (Code::AlreadyExists, "message id", AlreadyExists),
            (Code::PermissionDenied, "tenant", Denied),
            (Code::Unauthenticated, "token", Unauthenticated),
            (Code::Internal, "oops", Unavailable),
            (Code::Unknown, "oops", Unavailable),
            (Code::Cancelled, "", Unavailable),
            (Code::Aborted, "", Unavailable),
            (Code::DataLoss, "", Unavailable),
        ];
        for (code, message, kind) in table {
            assert_eq!(error(&Status::new(code, message)).kind, kind, "{code:?} {message}");
        }
    }
}
