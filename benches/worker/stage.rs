//! Both ends of a worker: gateway and ServiceNow.

use std::{io::Write, path::Path};

use serde_json::{Value, json};
use servicenow_worker::{
    ports::{DEFAULT_TENANT, ProcessGateway},
    sandbox::{self, Sandbox},
    zeebe::{self, Gateway, proto::ActivatedJob},
};
use tokio::{net::TcpListener, process::Command};
use tokio_util::sync::CancellationToken;

use crate::{
    gateway::{Authority, ScriptedGateway, Settings},
    noop,
    process::WorkerProcess,
};

/// A sandbox on a free port.
pub(crate) struct ServiceNow {
    pub(crate) sandbox: Sandbox,
    pub(crate) address: String,
    /// The authority of its certificate, when it speaks TLS.
    pub(crate) authority: Option<tempfile::NamedTempFile>,
}

impl ServiceNow {
    pub(crate) async fn plain() -> Self {
        Self::start(None).await
    }

    pub(crate) async fn tls() -> Self {
        Self::start(Some(Authority::new().unwrap())).await
    }

    async fn start(authority: Option<Authority>) -> Self {
        let mut config = sandbox::Config::demo().unwrap();
        config.log_capacity = 0;
        let sandbox = Sandbox::new(config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (serving, stop) = (sandbox.clone(), CancellationToken::new());
        let Some(authority) = authority else {
            tokio::spawn(async move { serving.run(listener, stop).await });
            return Self { sandbox, address: format!("http://127.0.0.1:{port}"), authority: None };
        };
        let (certificate, key) = authority.pem_pair("localhost").unwrap();
        let tls = sandbox::tls::config(certificate.as_bytes(), key.as_bytes()).unwrap();
        tokio::spawn(async move { serving.run_tls(listener, tls, stop).await });
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(authority.pem().as_bytes()).unwrap();
        Self { sandbox, address: format!("https://localhost:{port}"), authority: Some(file) }
    }
}

/// A gateway that keeps no record of its calls.
pub(crate) async fn scripted_gateway() -> ScriptedGateway {
    let settings = Settings { recorded_calls: 0, stream_capacity: 64, ..Settings::default() };
    ScriptedGateway::start(settings).await.unwrap()
}

/// The real broker at `ZEEBE_GRPC_ADDRESS` with a client of ours, and the process `record` deployed.
pub(crate) async fn real_broker() -> Option<(String, Gateway)> {
    #[expect(clippy::disallowed_methods, reason = "a benchmark is its own program")]
    let Ok(address) = std::env::var("ZEEBE_GRPC_ADDRESS") else {
        println!("skipped: ZEEBE_GRPC_ADDRESS is not set, see scripts/zeebe start --fast");
        return None;
    };
    let config = zeebe::Config { address: address.clone(), ..zeebe::Config::default() };
    let client = Gateway::new(&config).unwrap();
    let process = include_bytes!("../../tests/e2e/bpmn/record.bpmn");
    client.deploy_resource("record.bpmn", process, DEFAULT_TENANT).await.unwrap();
    Some((address, client))
}

/// The built worker.
pub(crate) fn worker(gateway: &str, servicenow: &ServiceNow, max_jobs: usize) -> WorkerProcess {
    worker_with(gateway, servicenow, max_jobs, "", &[])
}

/// The same, with more settings.
pub(crate) fn worker_with(
    gateway: &str,
    servicenow: &ServiceNow,
    max_jobs: usize,
    settings: &str,
    environment: &[(&str, String)],
) -> WorkerProcess {
    let mut command = Command::new(binary());
    let mut config = tempfile::NamedTempFile::new().unwrap();
    if let Some(authority) = &servicenow.authority {
        writeln!(config, "[http]\nca_file = '{}'", authority.path().display()).unwrap();
    }
    config.write_all(settings.as_bytes()).unwrap();
    let (_, path) = config.keep().unwrap();
    command
        .env_clear()
        .args(["run", "--config"])
        .arg(path)
        .env("ZEEBE_GRPC_ADDRESS", gateway)
        .env("SERVICENOW_INSTANCE", &servicenow.address)
        .env("SERVICENOW_USERNAME", "admin")
        .env("SERVICENOW_PASSWORD", "admin")
        .env("MANAGEMENT_LISTEN", "off")
        .env("CAMUNDA_CLIENT_WORKER_DEFAULTS_MAXJOBSACTIVE", max_jobs.to_string());
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    WorkerProcess::spawn(command)
}

/// The yardstick.
pub(crate) fn noop_worker(gateway: &str) -> WorkerProcess {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env_clear().args([noop::FLAG, gateway]);
    WorkerProcess::spawn(command)
}

/// The worker's binary.
pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_servicenow-worker"))
}

/// A job that creates an incident, as big as a usual one.
pub(crate) fn create_job(number: usize) -> ActivatedJob {
    let variables = json!({
        "operation": "create",
        "table": "incident",
        "fields": {
            "short_description": format!("benchmark {number}"),
            "description": "x".repeat(200),
            "urgency": 2, "impact": 2, "category": "software",
        },
    });
    let headers = json!({"resultExpression": "={sysId: response.body.result.sys_id}"});
    ActivatedJob {
        r#type: "servicenow:record:1".to_owned(),
        process_instance_key: 1,
        bpmn_process_id: "benchmark".to_owned(),
        element_id: "create".to_owned(),
        retries: 3,
        variables: variables.to_string(),
        custom_headers: headers.to_string(),
        ..ActivatedJob::default()
    }
}

/// A job whose variables and answer have about so many bytes each.
pub(crate) fn large_job(number: usize, bytes: usize) -> ActivatedJob {
    let variables = json!({
        "operation": "create",
        "table": "incident",
        "fields": {"short_description": format!("benchmark {number}"), "description": "x".repeat(bytes)},
    });
    ActivatedJob { variables: variables.to_string(), ..create_job(number) }
}

/// The usual job over another connection.
pub(crate) fn job_over(connection: &str, number: usize) -> ActivatedJob {
    let mut job = create_job(number);
    let mut variables: Value = serde_json::from_str(&job.variables).unwrap();
    variables["connection"] = connection.into();
    job.variables = variables.to_string();
    job
}
