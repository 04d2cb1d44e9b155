//! Routes that start an instance.

use super::{Action, Done, Guard, Request};
use crate::{
    inbound::{
        audit::Record,
        problem::Problem,
        publishing::{Published, publish},
        shared::Shared,
        wrapper::{self, Start},
    },
    job::Variables,
    ports::{
        ClusterRest, CreateInstance, CreatedInstance, GatewayError, GatewayErrorKind,
        ProcessGateway, ProcessRef,
    },
};

/// Starts an instance, by the way that the route's guard calls for.
pub(super) async fn run<G: ProcessGateway, R: ClusterRest>(
    shared: &Shared<G, R>,
    request: &Request<'_>,
    record: &mut Record,
) -> Result<Done, Problem> {
    let Action::Start { process, version, guard, await_completion } = &request.route.action else {
        return Err(Problem::not_found("this route starts nothing"));
    };
    let variables = request.variables()?;
    if *guard == Guard::Wrapper {
        return by_wrapper(shared, request, process, variables).await;
    }
    let mut instance = CreateInstance {
        process: ProcessRef::Id { id: process.clone(), version: *version },
        tenant_id: request.route.tenant.clone(),
        ..CreateInstance::latest(process, variables)
    };
    if *guard == Guard::BusinessId {
        shared.cluster.demand_version((8, 9), "once = \"business_id\"")?;
        instance.business_id = request.key.as_ref().map(|key| key.identity.clone());
    }
    let created = create(shared, &instance, *await_completion).await;
    match created {
        Ok(created) => {
            record.result = Some(created.process_instance_key);
            Ok(started(created, *await_completion))
        }
        // The instance of the first request runs; its key only that request was told.
        Err(error)
            if error.kind == GatewayErrorKind::AlreadyExists && *guard == Guard::BusinessId =>
        {
            Ok(Done::new("started", []).duplicate())
        }
        Err(error) => Err(Problem::of_the_engine(&error, "start of a process instance")),
    }
}

async fn create<G: ProcessGateway, R>(
    shared: &Shared<G, R>,
    instance: &CreateInstance,
    await_completion: bool,
) -> Result<CreatedInstance, GatewayError> {
    if await_completion {
        let wait = shared.config.limits.await_completion;
        shared.gateway.create_instance_with_result(instance, wait, &[]).await
    } else {
        shared.gateway.create_instance(instance).await
    }
}

fn started(created: CreatedInstance, with_variables: bool) -> Done {
    let key = created.process_instance_key.to_string();
    if with_variables {
        let variables = created.variables.into();
        Done::new("completed", [("processInstanceKey", key.into()), ("variables", variables)])
    } else {
        Done::new("started", [("processInstanceKey", key.into())])
    }
}

async fn by_wrapper<G: ProcessGateway, R>(
    shared: &Shared<G, R>,
    request: &Request<'_>,
    process: &str,
    variables: Variables,
) -> Result<Done, Problem> {
    let Some(key) = &request.key else {
        return Err(Problem::invalid("an idempotency key is missing"));
    };
    let start = Start {
        process,
        route: &request.route.name,
        tenant: &request.route.tenant,
        key,
        time_to_live: request.time_to_live,
    };
    wrapper::demand(shared, &start).await?;
    wrapper::deploy(shared, start.tenant).await?;
    let published = publish(&shared.gateway, &start.message(variables)).await?;
    let done = Done::new("started", []);
    Ok(if published == Published::Duplicate { done.duplicate() } else { done })
}
