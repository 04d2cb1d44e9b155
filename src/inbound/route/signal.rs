//! Routes that broadcast a signal.

use super::{Action, Done, Request};
use crate::{
    inbound::{audit::Record, problem::Problem, shared::Shared},
    ports::{ClusterRest, ProcessGateway, Signal},
};

/// Broadcasts the route's signal.
pub(super) async fn run<G: ProcessGateway, R: ClusterRest>(
    shared: &Shared<G, R>,
    request: &Request<'_>,
    record: &mut Record,
) -> Result<Done, Problem> {
    let Action::Signal { name } = &request.route.action else {
        return Err(Problem::not_found("this route broadcasts nothing"));
    };
    let signal = Signal {
        name: name.clone(),
        variables: request.variables()?,
        tenant_id: request.route.tenant.clone(),
    };
    let sent = shared.gateway.broadcast_signal(&signal).await;
    let sent = sent.map_err(|error| Problem::of_the_engine(&error, "broadcast of a signal"))?;
    record.result = Some(sent.key);
    Ok(Done::new("broadcast", [("signalKey", sent.key.to_string().into())]))
}
