//! `POST /v2/process-instances/{key}/cancellation`.

use super::start::operation_reference;
use crate::{
    inbound::{
        answer::Answer,
        audit::Record,
        idempotency::once,
        problem::Problem,
        reading::{self, Fields},
        scopes::{Missing, Right, Scopes},
        shared::{Call, Shared},
    },
    ports::{ClusterRest, GatewayErrorKind, ProcessGateway},
};

/// Cancels an instance.
pub(crate) async fn cancel<G: ProcessGateway, R: ClusterRest>(
    shared: &Shared<G, R>,
    call: &Call<'_>,
    record: &mut Record,
) -> Result<Answer, Problem> {
    call.part.clone_into(&mut record.target);
    let instance = reading::key(call.part)
        .ok_or_else(|| Problem::invalid("the process instance key has digits only"))?;
    let mut fields = Fields::read_or_empty(&call.body, shared.config.limits.json_depth)?;
    let reference = operation_reference(&mut fields)?;
    fields.finish()?;
    if !call.caller.allow.has(Right::Cancel) {
        return Err(Missing("cancel".to_owned()).into());
    }
    let key = call.key(&shared.config, "cancel")?;
    record.key = key.as_ref().map(|key| key.text.clone());
    let answer = once(&shared.memory, key.as_ref(), call.digest(), async |repeated| {
        allow(shared, &call.caller.allow, instance).await?;
        send(shared, instance, reference, repeated).await.map(|()| Answer::empty())
    });
    answer.await
}

/// Demands the right to cancel this instance.
async fn allow<G: ProcessGateway, R: ClusterRest>(
    shared: &Shared<G, R>,
    scopes: &Scopes,
    instance: i64,
) -> Result<(), Problem> {
    if scopes.has_all(Right::Cancel) {
        return Ok(());
    }
    let process = process_of(shared, instance).await?;
    scopes.demand_for(Right::Cancel, &process).map_err(Problem::from)
}

/// The process of an instance, which only the REST API can tell.
pub(crate) async fn process_of<G, R: ClusterRest>(
    shared: &Shared<G, R>,
    instance: i64,
) -> Result<String, Problem> {
    let Some(rest) = &shared.rest else {
        return Err(Problem::not_offered(
            "only instances of some processes may be cancelled, and without zeebe.rest_address \
             nothing tells which process an instance belongs to",
        ));
    };
    let process = rest.process_id_of(instance).await.map_err(|error| {
        // Nothing was cancelled yet, whatever became of the question.
        Problem { outcome_unknown: false, ..Problem::of_the_cluster(error) }
    })?;
    process.ok_or_else(|| {
        Problem::not_found(format!("process instance {instance} is not known to the cluster"))
    })
}

/// Sends the command. An instance that is gone counts as cancelled by a request that was
/// sent before.
pub(crate) async fn send<G: ProcessGateway, R>(
    shared: &Shared<G, R>,
    instance: i64,
    reference: Option<u64>,
    repeated: bool,
) -> Result<(), Problem> {
    match shared.gateway.cancel_instance(instance, reference).await {
        Ok(()) => Ok(()),
        Err(error) if error.kind == GatewayErrorKind::NotFound && repeated => Ok(()),
        Err(error) => Err(Problem::of_the_engine(&error, "cancellation of a process instance")),
    }
}
