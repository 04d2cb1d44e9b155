//! `POST /v2/messages/correlation`, for which gRPC has no call.
//!
//! With the cluster's REST API it goes on there. Without, it becomes a message that waits
//! for its taker, so that a callback that comes before its catch event is not lost; the
//! header `X-Correlation-Mode` tells which.

use axum::http::HeaderName;
use serde_json::json;

use crate::{
    inbound::{
        answer::Answer,
        audit::Record,
        config::{Correlation as Mode, Unguarded},
        idempotency::{Key, once},
        problem::Problem,
        publishing::{Published, fresh_id, publish},
        reading::{Fields, MAX_TEXT},
        scopes::Right,
        shared::{Call, Shared},
    },
    ports::{ClusterRest, Correlation, Message, ProcessGateway},
};

/// Tells what became of a correlation.
const MODE: HeaderName = HeaderName::from_static("x-correlation-mode");

/// Correlates a message.
pub(crate) async fn correlate<G: ProcessGateway, R: ClusterRest>(
    shared: &Shared<G, R>,
    call: &Call<'_>,
    record: &mut Record,
) -> Result<Answer, Problem> {
    let correlation = read(&call.body, shared.config.limits.json_depth)?;
    record.target.clone_from(&correlation.name);
    call.demand_for(Right::Correlate, &correlation.name)?;
    call.demand_tenant(&correlation.tenant_id)?;
    let key = call.key(&shared.config, "correlate")?;
    record.key = key.as_ref().map(|key| key.text.clone());
    let answer = once(&shared.memory, key.as_ref(), call.digest(), async |_| {
        match (shared.config.correlation, &shared.rest) {
            (Mode::Forward, Some(rest)) => {
                let unguarded = &shared.config.idempotency.at_least_once;
                if key.is_some() && !unguarded.contains(&Unguarded::Correlate) {
                    return Err(unguarded_key());
                }
                forward(rest, &correlation).await
            }
            (Mode::Publish, _) => buffer(shared, &correlation, key.as_ref(), record).await,
            (Mode::Forward | Mode::Refuse, _) => Err(Problem::not_offered(
                "messages are not correlated here: publish them (POST /v2/messages/publication)",
            )),
        }
    });
    answer.await
}

fn unguarded_key() -> Problem {
    Problem::not_offered(
        "this request has an idempotency key, but the cluster correlates a repetition again: \
         publish the message, set inbound.correlation = \"publish\", or list \"correlate\" in \
         inbound.idempotency.at_least_once",
    )
}

async fn forward<R: ClusterRest>(rest: &R, correlation: &Correlation) -> Result<Answer, Problem> {
    let correlated = rest.correlate(correlation).await.map_err(Problem::of_the_cluster)?;
    let body = json!({
        "tenantId": correlated.tenant_id,
        "messageKey": correlated.message_key,
        "processInstanceKey": correlated.process_instance_key,
    });
    Ok(Answer::json(body).header(MODE, "synchronous"))
}

async fn buffer<G: ProcessGateway, R>(
    shared: &Shared<G, R>,
    correlation: &Correlation,
    key: Option<&Key>,
    record: &mut Record,
) -> Result<Answer, Problem> {
    let message = Message {
        name: correlation.name.clone(),
        correlation_key: correlation.correlation_key.clone(),
        time_to_live: shared.config.idempotency.window,
        message_id: key.map_or_else(fresh_id, |key| key.identity.clone()),
        variables: correlation.variables.clone(),
        tenant_id: correlation.tenant_id.clone(),
        business_id: None,
    };
    let published = publish(&shared.gateway, &message).await?;
    record.result = Some(published.key());
    // Who takes it, and when, nobody can say yet.
    let body = json!({
        "tenantId": correlation.tenant_id,
        "messageKey": published.key().to_string(),
        "processInstanceKey": "-1",
    });
    let answer = Answer::json(body).header(MODE, "buffered");
    Ok(if published == Published::Duplicate { answer.replayed() } else { answer })
}

fn read(body: &[u8], max_depth: usize) -> Result<Correlation, Problem> {
    let mut fields = Fields::read(body, max_depth)?;
    let correlation = Correlation {
        name: fields.required("name", MAX_TEXT)?,
        correlation_key: fields.text("correlationKey", MAX_TEXT)?.unwrap_or_default(),
        variables: fields.variables()?,
        tenant_id: fields.tenant()?,
    };
    fields.finish()?;
    Ok(correlation)
}
