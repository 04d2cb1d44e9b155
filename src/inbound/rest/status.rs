//! `GET /v2/topology`, `/v2/license`, `/v2/status`.

use serde_json::{Value, json};

use crate::{
    inbound::{
        answer::Answer,
        problem::Problem,
        scopes::Right,
        shared::{Call, Shared},
    },
    ports::{Broker, ClusterRest, Partition, ProcessGateway},
};

/// The cluster's topology, asked for now.
pub(crate) async fn topology<G: ProcessGateway, R: ClusterRest>(
    shared: &Shared<G, R>,
    call: &Call<'_>,
) -> Result<Answer, Problem> {
    call.caller.allow.demand(Right::Topology)?;
    let cluster = shared.gateway.cluster().await;
    let cluster = cluster.map_err(|error| Problem::of_the_engine(&error, "topology"))?;
    let body = json!({
        "brokers": cluster.brokers.iter().map(broker).collect::<Vec<_>>(),
        "clusterId": Value::Null,
        "clusterSize": cluster.cluster_size,
        "partitionsCount": cluster.partitions_count,
        "replicationFactor": cluster.replication_factor,
        "gatewayVersion": cluster.gateway_version,
        "lastCompletedChangeId": "-1",
    });
    shared.cluster.learn(cluster);
    Ok(Answer::json(body))
}

/// `brokerId` and `state` are fields of 8.10, the rest is older.
fn broker(broker: &Broker) -> Value {
    json!({
        "nodeId": broker.node_id,
        "brokerId": broker.node_id.to_string(),
        "host": broker.host,
        "port": broker.port,
        "version": broker.version,
        "partitions": broker.partitions.iter().map(partition).collect::<Vec<_>>(),
    })
}

fn partition(partition: &Partition) -> Value {
    json!({
        "partitionId": partition.id,
        "role": partition.role,
        "health": partition.health,
        "state": "active",
    })
}

/// We know nothing of the cluster's licence, and say so.
pub(crate) fn license() -> Answer {
    Answer::json(json!({
        "validLicense": false,
        "licenseType": "unknown",
        "isCommercial": false,
        "expiresAt": Value::Null,
    }))
}

/// Whether the cluster works, as far as is known without asking it.
pub(crate) fn status<G, R>(shared: &Shared<G, R>) -> Result<Answer, Problem> {
    if shared.cluster.is_up() {
        Ok(Answer::empty())
    } else {
        Err(Problem::unavailable("no partition with a healthy leader is known"))
    }
}
