//! `POST /v2/process-instances`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    inbound::{
        answer::Answer,
        audit::Record,
        config::Unguarded,
        idempotency::{Key, once},
        problem::Problem,
        reading::{self, Fields, MAX_TEXT},
        scopes::{Missing, Right},
        shared::{Call, Shared},
    },
    ports::{
        ClusterRest, CreateInstance, CreatedInstance, GatewayErrorKind, ProcessGateway, ProcessRef,
    },
};

/// Most tags and instructions.
const MAX_ENTRIES: usize = 100;
/// Longest business id.
const MAX_BUSINESS_ID: usize = 256;

/// What was asked for.
struct Asked {
    instance: CreateInstance,
    /// How long to wait for the end.
    wait: Option<Duration>,
    fetch: Vec<String>,
}

/// Starts an instance.
pub(crate) async fn start<G: ProcessGateway, R: ClusterRest>(
    shared: &Shared<G, R>,
    call: &Call<'_>,
    record: &mut Record,
) -> Result<Answer, Problem> {
    let limits = &shared.config.limits;
    let asked = read(&call.body, limits.json_depth, limits.await_completion)?;
    record.target = target(&asked.instance.process);
    allow(call, &asked)?;
    let key = call.key(&shared.config, "start")?;
    record.key = key.as_ref().map(|key| key.text.clone());
    let asked = guarded(shared, asked, key.as_ref())?;
    let answer = once(&shared.memory, key.as_ref(), call.digest(), async |_| {
        let created = create(shared, &asked).await?;
        record.result = Some(created.process_instance_key);
        Ok(Answer::json(body(&created, &asked.instance)))
    });
    answer.await
}

fn allow(call: &Call<'_>, asked: &Asked) -> Result<(), Problem> {
    match &asked.instance.process {
        ProcessRef::Id { id, .. } => call.demand_for(Right::Start, id)?,
        // Nothing tells which process a key belongs to.
        ProcessRef::Key(_) if call.caller.allow.has_all(Right::Start) => {}
        ProcessRef::Key(_) => return Err(Missing("start:*".to_owned()).into()),
    }
    call.demand_tenant(&asked.instance.tenant_id)?;
    if asked.wait.is_some() {
        call.caller.allow.demand(Right::Await)?;
    }
    Ok(())
}

/// A request with a key must not start two instances: either the cluster sees to that, or
/// the configuration says that twice is fine, or it is refused.
fn guarded<G, R>(
    shared: &Shared<G, R>,
    mut asked: Asked,
    key: Option<&Key>,
) -> Result<Asked, Problem> {
    let settings = &shared.config.idempotency;
    let Some(key) = key else { return Ok(asked) };
    if settings.business_id_unique {
        shared.cluster.demand_version((8, 9), "one start for each idempotency key")?;
        asked.instance.business_id.get_or_insert_with(|| key.identity.clone());
        return Ok(asked);
    }
    if settings.at_least_once.contains(&Unguarded::Start) {
        return Ok(asked);
    }
    Err(Problem::not_offered(
        "this request has an idempotency key, but nothing here keeps a second start of it off: \
         use a plain route with once = \"wrapper\", publish a message to a message start event, \
         set inbound.idempotency.business_id_unique where the cluster enforces it, or list \
         \"start\" in inbound.idempotency.at_least_once",
    ))
}

async fn create<G: ProcessGateway, R>(
    shared: &Shared<G, R>,
    asked: &Asked,
) -> Result<CreatedInstance, Problem> {
    let (instance, gateway) = (&asked.instance, &shared.gateway);
    let created = match asked.wait {
        Some(wait) => gateway.create_instance_with_result(instance, wait, &asked.fetch).await,
        None => gateway.create_instance(instance).await,
    };
    created.map_err(|error| match error.kind {
        GatewayErrorKind::TimedOut if asked.wait.is_some() => still_running(&error.message),
        _ => Problem::of_the_engine(&error, "start of a process instance"),
    })
}

/// The wait is over; the instance is not.
fn still_running(said: &str) -> Problem {
    let detail = format!("the instance has not ended in time and goes on: {said}");
    let status = axum::http::StatusCode::GATEWAY_TIMEOUT;
    Problem { outcome_unknown: true, ..Problem::new(status, "DEADLINE_EXCEEDED", detail) }
}

fn target(process: &ProcessRef) -> String {
    match process {
        ProcessRef::Id { id, .. } => id.clone(),
        ProcessRef::Key(key) => key.to_string(),
    }
}

fn body(created: &CreatedInstance, asked: &CreateInstance) -> Value {
    json!({
        "processDefinitionId": created.bpmn_process_id,
        "processDefinitionVersion": created.version,
        "processDefinitionKey": created.process_definition_key.to_string(),
        "processInstanceKey": created.process_instance_key.to_string(),
        "tenantId": created.tenant_id,
        "variables": created.variables,
        "tags": asked.tags,
        "businessId": asked.business_id,
    })
}

fn read(body: &[u8], max_depth: usize, max_wait: Duration) -> Result<Asked, Problem> {
    let mut fields = Fields::read(body, max_depth)?;
    let wait = wait(&mut fields, max_wait)?;
    let asked = Asked {
        wait,
        fetch: fields.texts("fetchVariables", MAX_ENTRIES)?,
        instance: CreateInstance {
            process: process(&mut fields)?,
            variables: fields.variables()?,
            tenant_id: fields.tenant()?,
            operation_reference: operation_reference(&mut fields)?,
            start_at: start_instructions(&mut fields)?,
            terminate_after: runtime_instructions(&mut fields)?,
            tags: tags(&mut fields)?,
            business_id: fields.text("businessId", MAX_BUSINESS_ID)?,
        },
    };
    fields.finish()?;
    Ok(asked)
}

fn process(fields: &mut Fields) -> Result<ProcessRef, Problem> {
    let id = fields.text("processDefinitionId", MAX_TEXT)?;
    let key = fields.text("processDefinitionKey", 25)?;
    let version = fields.number("processDefinitionVersion", -1)?;
    if fields.text("processDefinitionVersionTag", MAX_TEXT)?.is_some() {
        return Err(Problem::invalid(
            "processDefinitionVersionTag cannot be used here: name the version by number",
        ));
    }
    match (id, key) {
        (Some(_), Some(_)) => Err(Problem::invalid(
            "only one of [processDefinitionId, processDefinitionKey] is allowed",
        )),
        (None, None) => Err(Problem::invalid(
            "at least one of [processDefinitionId, processDefinitionKey] is required",
        )),
        (Some(id), None) => {
            let version = version.filter(|version| *version > 0);
            let version = version.map(i32::try_from).transpose();
            let version =
                version.map_err(|_| Problem::invalid("processDefinitionVersion is too large"))?;
            Ok(ProcessRef::Id { id, version })
        }
        (None, Some(key)) => reading::key(&key)
            .map(ProcessRef::Key)
            .ok_or_else(|| Problem::invalid("processDefinitionKey has digits only")),
    }
}

/// Waits only when asked to, and never longer than the limit.
fn wait(fields: &mut Fields, max: Duration) -> Result<Option<Duration>, Problem> {
    let is_wanted = fields.boolean("awaitCompletion")?;
    let millis = fields.number("requestTimeout", 0)?.unwrap_or_default();
    let asked = Duration::from_millis(millis.unsigned_abs());
    let wait = if asked.is_zero() { max } else { asked.min(max) };
    Ok(is_wanted.then_some(wait))
}

/// A number that the engine keeps with its records.
pub(super) fn operation_reference(fields: &mut Fields) -> Result<Option<u64>, Problem> {
    Ok(fields.number("operationReference", 1)?.map(i64::unsigned_abs))
}

fn start_instructions(fields: &mut Fields) -> Result<Vec<String>, Problem> {
    let entries = fields.objects("startInstructions", MAX_ENTRIES)?;
    let element = |mut entry: Fields| {
        let id = entry.required("elementId", MAX_TEXT)?;
        entry.finish().map(|()| id)
    };
    entries.into_iter().map(element).collect()
}

fn runtime_instructions(fields: &mut Fields) -> Result<Vec<String>, Problem> {
    let entries = fields.objects("runtimeInstructions", MAX_ENTRIES)?;
    let element = |mut entry: Fields| {
        let kind = entry.text("type", 80)?.unwrap_or_default();
        if !kind.is_empty() && kind != "TERMINATE_PROCESS_INSTANCE" {
            return Err(Problem::invalid(
                "runtimeInstructions: the type is TERMINATE_PROCESS_INSTANCE",
            ));
        }
        let id = entry.required("afterElementId", MAX_TEXT)?;
        entry.finish().map(|()| id)
    };
    entries.into_iter().map(element).collect()
}

fn tags(fields: &mut Fields) -> Result<Vec<String>, Problem> {
    let tags = fields.texts("tags", 10)?;
    let fits = |tag: &String| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-:.".contains(&b);
        tag.len() <= 100
            && tag.starts_with(|c: char| c.is_ascii_alphabetic())
            && tag.bytes().all(plain)
    };
    if tags.iter().all(fits) {
        return Ok(tags);
    }
    Err(Problem::invalid(
        "tags start with a letter and have up to 100 letters, digits, '_', '-', ':' and '.'",
    ))
}
