//! Publishing a message, once.

use std::time::Duration;

use super::problem::Problem;
use crate::ports::{Accepted, GatewayErrorKind, Message, ProcessGateway};

/// Pauses before a message that the broker can tell from its copy is sent again.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];

/// What the broker says of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    /// It took the message.
    Accepted(Accepted),
    /// It has had the message already.
    Duplicate,
}

impl Published {
    /// The message's key; `-1` where only the first sender was told.
    pub(crate) fn key(&self) -> i64 {
        match self {
            Self::Accepted(accepted) => accepted.key,
            Self::Duplicate => -1,
        }
    }
}

/// Publishes. A message with an id that outlives the request is sent again while the gateway
/// is briefly away: the broker drops the copy.
pub(crate) async fn publish<G: ProcessGateway>(
    gateway: &G,
    message: &Message,
) -> Result<Published, Problem> {
    let may_repeat =
        !message.message_id.is_empty() && message.time_to_live >= Duration::from_mins(1);
    let mut pauses = PAUSES.iter().filter(|_| may_repeat);
    loop {
        let error = match gateway.publish_message(message).await {
            Ok(accepted) => return Ok(Published::Accepted(accepted)),
            Err(error) if error.kind == GatewayErrorKind::AlreadyExists => {
                return Ok(Published::Duplicate);
            }
            Err(error) => error,
        };
        match pauses.next() {
            Some(pause) if error.kind == GatewayErrorKind::Unavailable => {
                tokio::time::sleep(*pause).await;
            }
            _ => return Err(Problem::of_the_engine(&error, "publication of a message")),
        }
    }
}

/// A message id that no other message has.
pub(crate) fn fresh_id() -> String {
    format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
}
