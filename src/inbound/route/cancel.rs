//! Routes that cancel an instance.

use super::{Action, Done, Request};
use crate::{
    inbound::{
        problem::Problem,
        reading,
        rest::cancel::{process_of, send},
        shared::Shared,
    },
    ports::{ClusterRest, ProcessGateway},
};

/// Cancels the instance that the request names.
pub(super) async fn run<G: ProcessGateway, R: ClusterRest>(
    shared: &Shared<G, R>,
    request: &Request<'_>,
    repeated: bool,
) -> Result<Done, Problem> {
    let Action::Cancel { instance, processes } = &request.route.action else {
        return Err(Problem::not_found("this route cancels nothing"));
    };
    let key = request.text(instance, "instance")?.unwrap_or_default();
    let key = reading::key(&key).ok_or_else(|| {
        Problem::invalid("instance is no process instance key: it has digits only")
    })?;
    if !processes.is_any() {
        let process = process_of(shared, key).await?;
        if !processes.fits(&process) {
            return Err(Problem::new(
                axum::http::StatusCode::FORBIDDEN,
                "FORBIDDEN",
                format!("route '{}' cancels no instances of this process", request.route.name),
            ));
        }
    }
    send(shared, key, None, repeated).await?;
    Ok(Done::new("cancelled", [("processInstanceKey", key.to_string().into())]))
}
