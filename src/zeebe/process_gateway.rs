//! [`ProcessGateway`] over gRPC: commands about instances, messages and signals.

use std::time::Duration;

use super::{
    convert,
    gateway::{Gateway, POLL_MARGIN},
    proto::{self, partition::PartitionBrokerHealth, partition::PartitionBrokerRole},
};
use crate::ports::{
    Accepted, Broker, Cluster, CreateInstance, CreatedInstance, GatewayError, GatewayErrorKind,
    Message, Partition, ProcessGateway, ProcessRef, Signal,
};

impl ProcessGateway for Gateway {
    async fn create_instance(
        &self,
        instance: &CreateInstance,
    ) -> Result<CreatedInstance, GatewayError> {
        let request = convert::sized(creation(instance))?;
        self.call(self.request_timeout, request, async |mut client, request| {
            client.create_process_instance(request).await.map(|answer| created(answer.into_inner()))
        })
        .await
    }

    async fn create_instance_with_result(
        &self,
        instance: &CreateInstance,
        wait: Duration,
        fetch_variables: &[String],
    ) -> Result<CreatedInstance, GatewayError> {
        let request = convert::sized(proto::CreateProcessInstanceWithResultRequest {
            request: Some(creation(instance)),
            request_timeout: convert::millis(wait),
            fetch_variables: fetch_variables.to_vec(),
        })?;
        let answer = self
            .call(wait + POLL_MARGIN, request, async |mut client, request| {
                client.create_process_instance_with_result(request).await
            })
            .await?;
        finished(answer.into_inner())
    }

    async fn cancel_instance(
        &self,
        process_instance_key: i64,
        operation_reference: Option<u64>,
    ) -> Result<(), GatewayError> {
        let request =
            proto::CancelProcessInstanceRequest { process_instance_key, operation_reference };
        self.call(self.request_timeout, request, async |mut client, request| {
            client.cancel_process_instance(request).await.map(|_| ())
        })
        .await
    }

    async fn publish_message(&self, message: &Message) -> Result<Accepted, GatewayError> {
        let request = convert::sized(proto::PublishMessageRequest {
            name: message.name.clone(),
            correlation_key: message.correlation_key.clone(),
            time_to_live: convert::millis(message.time_to_live),
            message_id: message.message_id.clone(),
            variables: convert::text(&message.variables),
            tenant_id: message.tenant_id.clone(),
            business_id: message.business_id.clone(),
        })?;
        self.call(self.request_timeout, request, async |mut client, request| {
            let answer = client.publish_message(request).await?.into_inner();
            Ok(Accepted { key: answer.key, tenant_id: answer.tenant_id })
        })
        .await
    }

    async fn broadcast_signal(&self, signal: &Signal) -> Result<Accepted, GatewayError> {
        let request = convert::sized(proto::BroadcastSignalRequest {
            signal_name: signal.name.clone(),
            variables: convert::text(&signal.variables),
            tenant_id: signal.tenant_id.clone(),
        })?;
        self.call(self.request_timeout, request, async |mut client, request| {
            let answer = client.broadcast_signal(request).await?.into_inner();
            Ok(Accepted { key: answer.key, tenant_id: answer.tenant_id })
        })
        .await
    }

    async fn cluster(&self) -> Result<Cluster, GatewayError> {
        let request = proto::TopologyRequest {};
        self.call(self.request_timeout, request, async |mut client, request| {
            client.topology(request).await.map(|answer| cluster(answer.into_inner()))
        })
        .await
    }

    async fn deploy_resource(
        &self,
        name: &str,
        content: &[u8],
        tenant_id: &str,
    ) -> Result<(), GatewayError> {
        let resource = proto::Resource { name: name.to_owned(), content: content.to_vec() };
        let request = proto::DeployResourceRequest {
            resources: vec![resource],
            tenant_id: tenant_id.to_owned(),
        };
        let limit = self.request_timeout.max(Duration::from_secs(30));
        self.call(limit, request, async |mut client, request| {
            client.deploy_resource(request).await.map(|_| ())
        })
        .await
    }
}

fn creation(instance: &CreateInstance) -> proto::CreateProcessInstanceRequest {
    let (process_definition_key, bpmn_process_id, version) = match &instance.process {
        ProcessRef::Id { id, version } => (0, id.clone(), version.unwrap_or(-1)),
        ProcessRef::Key(key) => (*key, String::new(), 0),
    };
    let start =
        |id: &String| proto::ProcessInstanceCreationStartInstruction { element_id: id.clone() };
    proto::CreateProcessInstanceRequest {
        process_definition_key,
        bpmn_process_id,
        version,
        variables: convert::text(&instance.variables),
        start_instructions: instance.start_at.iter().map(start).collect(),
        tenant_id: instance.tenant_id.clone(),
        operation_reference: instance.operation_reference,
        runtime_instructions: instance.terminate_after.iter().map(|id| terminate(id)).collect(),
        tags: instance.tags.clone(),
        business_id: instance.business_id.clone(),
    }
}

fn terminate(after: &str) -> proto::ProcessInstanceCreationRuntimeInstruction {
    use proto::process_instance_creation_runtime_instruction::Instruction;
    let terminate =
        proto::TerminateProcessInstanceInstruction { after_element_id: after.to_owned() };
    proto::ProcessInstanceCreationRuntimeInstruction {
        instruction: Some(Instruction::Terminate(terminate)),
    }
}

fn created(wire: proto::CreateProcessInstanceResponse) -> CreatedInstance {
    CreatedInstance {
        process_definition_key: wire.process_definition_key,
        bpmn_process_id: wire.bpmn_process_id,
        version: wire.version,
        process_instance_key: wire.process_instance_key,
        tenant_id: wire.tenant_id,
        variables: serde_json::Map::new(),
    }
}

fn finished(
    wire: proto::CreateProcessInstanceWithResultResponse,
) -> Result<CreatedInstance, GatewayError> {
    let variables = if wire.variables.is_empty() {
        serde_json::Map::new()
    } else {
        serde_json::from_str(&wire.variables).map_err(|error| GatewayError {
            kind: GatewayErrorKind::Unavailable,
            message: format!(
                "instance {} has ended, but its variables cannot be read: {error}",
                wire.process_instance_key
            ),
        })?
    };
    Ok(CreatedInstance {
        process_definition_key: wire.process_definition_key,
        bpmn_process_id: wire.bpmn_process_id,
        version: wire.version,
        process_instance_key: wire.process_instance_key,
        tenant_id: wire.tenant_id,
        variables,
    })
}

fn cluster(wire: proto::TopologyResponse) -> Cluster {
    Cluster {
        brokers: wire.brokers.into_iter().map(broker).collect(),
        cluster_size: wire.cluster_size,
        partitions_count: wire.partitions_count,
        replication_factor: wire.replication_factor,
        gateway_version: wire.gateway_version,
    }
}

fn broker(wire: proto::BrokerInfo) -> Broker {
    Broker {
        node_id: wire.node_id,
        host: wire.host,
        port: wire.port,
        version: wire.version,
        partitions: wire.partitions.iter().map(partition).collect(),
    }
}

fn partition(wire: &proto::Partition) -> Partition {
    Partition {
        id: wire.partition_id,
        role: match wire.role() {
            PartitionBrokerRole::Leader => "leader",
            PartitionBrokerRole::Follower => "follower",
            PartitionBrokerRole::Inactive => "inactive",
        },
        health: match wire.health() {
            PartitionBrokerHealth::Healthy => "healthy",
            PartitionBrokerHealth::Unhealthy => "unhealthy",
            PartitionBrokerHealth::Dead => "dead",
        },
    }
}
