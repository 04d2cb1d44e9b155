//! `POST /v2/signals/broadcast`.

use serde_json::json;

use crate::{
    inbound::{
        answer::Answer,
        audit::Record,
        config::Unguarded,
        idempotency::once,
        problem::Problem,
        reading::{Fields, MAX_TEXT},
        scopes::Right,
        shared::{Call, Shared},
    },
    ports::{ClusterRest, ProcessGateway, Signal},
};

/// Broadcasts a signal.
pub(crate) async fn broadcast<G: ProcessGateway, R: ClusterRest>(
    shared: &Shared<G, R>,
    call: &Call<'_>,
    record: &mut Record,
) -> Result<Answer, Problem> {
    let signal = read(&call.body, shared.config.limits.json_depth)?;
    record.target.clone_from(&signal.name);
    call.demand_for(Right::Signal, &signal.name)?;
    call.demand_tenant(&signal.tenant_id)?;
    let key = call.key(&shared.config, "signal")?;
    record.key = key.as_ref().map(|key| key.text.clone());
    if key.is_some() && !shared.config.idempotency.at_least_once.contains(&Unguarded::Signal) {
        return Err(Problem::not_offered(
            "this request has an idempotency key, but the engine broadcasts a repeated signal \
             again: publish a message, or list \"signal\" in inbound.idempotency.at_least_once",
        ));
    }
    let answer = once(&shared.memory, key.as_ref(), call.digest(), async |_| {
        let sent = shared.gateway.broadcast_signal(&signal).await;
        let sent = sent.map_err(|error| Problem::of_the_engine(&error, "broadcast of a signal"))?;
        record.result = Some(sent.key);
        let body = json!({"tenantId": signal.tenant_id, "signalKey": sent.key.to_string()});
        Ok(Answer::json(body))
    });
    answer.await
}

fn read(body: &[u8], max_depth: usize) -> Result<Signal, Problem> {
    let mut fields = Fields::read(body, max_depth)?;
    let signal = Signal {
        name: fields.required("signalName", MAX_TEXT)?,
        variables: fields.variables()?,
        tenant_id: fields.tenant()?,
    };
    fields.finish()?;
    Ok(signal)
}
