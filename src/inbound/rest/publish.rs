//! `POST /v2/messages/publication`.

use std::time::Duration;

use serde_json::json;

use crate::{
    inbound::{
        answer::Answer,
        audit::Record,
        idempotency::once,
        problem::Problem,
        publishing::{Published, publish as send},
        reading::{Fields, MAX_TEXT},
        scopes::Right,
        shared::{Call, Shared},
    },
    ports::{ClusterRest, Message, ProcessGateway},
};

/// Publishes a message.
pub(crate) async fn publish<G: ProcessGateway, R: ClusterRest>(
    shared: &Shared<G, R>,
    call: &Call<'_>,
    record: &mut Record,
) -> Result<Answer, Problem> {
    let mut message = read(&call.body, shared.config.limits.json_depth)?;
    record.target.clone_from(&message.name);
    call.demand_for(Right::Publish, &message.name)?;
    call.demand_tenant(&message.tenant_id)?;
    if message.business_id.is_some() {
        shared.cluster.demand_version((8, 10), "a businessId on messages")?;
    }
    let key = call.key(&shared.config, "publish")?;
    record.key = key.as_ref().map(|key| key.text.clone());
    if let Some(key) = &key {
        if message.message_id.is_empty() {
            message.message_id.clone_from(&key.identity);
        }
        // The broker forgets the id with the message.
        message.time_to_live = message.time_to_live.max(shared.config.idempotency.window);
    }
    let answer = once(&shared.memory, key.as_ref(), call.digest(), async |_| {
        let published = send(&shared.gateway, &message).await?;
        record.result = Some(published.key());
        let answer = Answer::json(json!({
            "tenantId": message.tenant_id,
            "messageKey": published.key().to_string(),
        }));
        Ok(if published == Published::Duplicate { answer.replayed() } else { answer })
    });
    answer.await
}

fn read(body: &[u8], max_depth: usize) -> Result<Message, Problem> {
    let mut fields = Fields::read(body, max_depth)?;
    let ttl = fields.number("timeToLive", 0)?.unwrap_or_default();
    let message = Message {
        name: fields.required("name", MAX_TEXT)?,
        correlation_key: fields.text("correlationKey", MAX_TEXT)?.unwrap_or_default(),
        time_to_live: Duration::from_millis(ttl.unsigned_abs()),
        message_id: fields.text("messageId", 256)?.unwrap_or_default(),
        variables: fields.variables()?,
        tenant_id: fields.tenant()?,
        business_id: fields.text("businessId", 256)?,
    };
    fields.finish()?;
    Ok(message)
}
