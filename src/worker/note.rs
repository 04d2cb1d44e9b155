//! Leaves a call's note with the engine before the call goes out.
//!
//! A call that must not be made twice is made only when the engine has confirmed that it
//! knows of it. Setting the same variable again does no harm, so that a try whose answer was
//! lost is simply repeated, for as long as the job is ours.

use super::{Worker, backoff::Backoff, lease::Lease};
use crate::{
    connector::Note,
    ports::{Clock, GatewayError, GatewayErrorKind, JobGateway, SecretProvider, Transport},
    servicenow::{NoAnswer, NoAnswerCause, Reason},
};

/// Why there is no note.
#[derive(Debug)]
pub(super) enum NotLeft {
    /// The job is gone, or no longer ours.
    Lost,
    /// The engine will not have it.
    Refused(GatewayError),
}

/// Leaves the note and makes sure that the job is still ours.
pub(super) async fn leave<G: JobGateway, T: Transport, S: SecretProvider, C: Clock>(
    worker: &Worker<G, T, S, C>,
    note: &Note,
    lease: &mut Lease,
) -> Result<(), NotLeft> {
    let gateway = &worker.parts.gateway;
    let mut backoff = Backoff::gateway();
    loop {
        crash_point!("before_note");
        let variables = note.variables(worker.parts.clock.now());
        let remembering = gateway.remember(note.element_instance_key, &variables);
        let answer = lease.keep_while(gateway, remembering).await;
        crash_point!("note_answered");
        if !lease.secure(gateway).await {
            return Err(NotLeft::Lost);
        }
        match answer {
            Ok(()) => {
                crash_point!("note_left");
                return Ok(());
            }
            Err(error) if error.kind.is_transient() => {
                tracing::debug!(%error, "note not taken; again");
                lease.keep_while(gateway, tokio::time::sleep(backoff.next())).await;
            }
            Err(error)
                if matches!(
                    error.kind,
                    GatewayErrorKind::NotFound | GatewayErrorKind::Superseded
                ) =>
            {
                return Err(NotLeft::Lost);
            }
            Err(error) => return Err(NotLeft::Refused(error)),
        }
    }
}

/// The reply to a call that was not sent for want of its note.
pub(super) fn not_sent(error: &GatewayError) -> NoAnswer {
    NoAnswer {
        cause: NoAnswerCause::HeldBack { reason: Reason::InvalidInput, retry_after: None },
        may_have_acted: false,
        message: format!(
            "nothing was sent, since the engine does not keep the note of what is about to be \
             done: {error}; let the worker's client set variables"
        ),
    }
}
