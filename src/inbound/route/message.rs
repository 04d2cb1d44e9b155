//! Routes that publish a message. It starts an instance where a start event waits for it,
//! goes to the instance with its correlation key where a catch event does, and waits where
//! neither does yet.

use super::{Action, Done, Request};
use crate::{
    inbound::{
        audit::Record,
        problem::Problem,
        publishing::{Published, fresh_id, publish},
        shared::Shared,
    },
    ports::{ClusterRest, Message, ProcessGateway},
};

/// Publishes the route's message.
pub(super) async fn run<G: ProcessGateway, R: ClusterRest>(
    shared: &Shared<G, R>,
    request: &Request<'_>,
    record: &mut Record,
) -> Result<Done, Problem> {
    let Action::Message { name, correlation_key } = &request.route.action else {
        return Err(Problem::not_found("this route publishes nothing"));
    };
    let correlation_key = match correlation_key {
        None => String::new(),
        Some(picker) => request.text(picker, "correlation_key")?.ok_or_else(|| {
            let empty = format!("correlation_key is empty: {} has no value", picker.text());
            Problem::invalid(empty).aside(picker.why_nothing(&request.scope))
        })?,
    };
    let message = Message {
        name: name.clone(),
        correlation_key,
        time_to_live: request.time_to_live,
        message_id: request.key.as_ref().map_or_else(fresh_id, |key| key.identity.clone()),
        variables: request.variables()?,
        tenant_id: request.route.tenant.clone(),
        business_id: None,
    };
    let published = publish(&shared.gateway, &message).await?;
    record.result = Some(published.key());
    Ok(match published {
        Published::Accepted(accepted) => {
            Done::new("published", [("messageKey", accepted.key.to_string().into())])
        }
        Published::Duplicate => Done::new("published", []).duplicate(),
    })
}
