//! One record per job, with the sandbox at the other end of a real connection.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use servicenow_worker::{
    clock::SystemClock,
    connector::{self, AuthenticationTemplate, Connection, Connector, OnMismatch},
    devengine::{
        record::{Incident, NewInstance, ProcessRef},
        runtime::Reach,
    },
    metrics::Metrics,
    sandbox::{self, CutPoint, Fault, Match, Sandbox},
    servicenow::{Instance, http},
    worker::{Config, Parts, Worker},
    zeebe::Gateway,
};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    logs::Log,
    rig::{NoSecrets, create},
};
use crate::support::{
    bpmn, eventually,
    gateway::{Call, ScriptedGateway, Settings},
};

/// A worker between a scripted gateway and a sandbox.
struct Stage {
    gateway: ScriptedGateway,
    sandbox: Sandbox,
    metrics: Arc<Metrics>,
    seeded: usize,
    _running: DropGuard,
}

impl Stage {
    async fn start(on_mismatch: OnMismatch) -> Self {
        let gateway = ScriptedGateway::start(Settings::default()).await.unwrap();
        let sandbox = Sandbox::new(sandbox::Config::demo().unwrap()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let (served, stopped) = (sandbox.clone(), stop.clone());
        tokio::spawn(async move { served.run(listener, stopped).await.unwrap() });
        let metrics = Arc::new(Metrics::default());
        let parts = Parts {
            gateway: Gateway::new(&gateway.client()).unwrap(),
            transport: http::Client::new(&http::Config::default()).unwrap(),
            secrets: NoSecrets,
            clock: SystemClock,
            connector: Connector::new(config(&base, on_mismatch)),
            metrics: Arc::clone(&metrics),
        };
        let worker = Worker::new(Config { max_jobs_active: 8, ..Config::default() }, parts);
        tokio::spawn(worker.run(stop.clone()));
        let seeded = sandbox.records("incident").len();
        Self { gateway, sandbox, metrics, seeded, _running: stop.drop_guard() }
    }

    fn effects(&self, kind: &str) -> usize {
        let name = format!("snc_effects_total{{kind=\"{kind}\"}} ");
        let text = self.metrics.encode().unwrap();
        text.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |n| n.parse().unwrap())
    }

    /// Runs a job to its end.
    async fn run_one(&self) {
        self.gateway.offer(create());
        eventually("the job is done", || self.gateway.open_jobs() == 0).await;
    }

    /// The incidents beyond those of the seed.
    fn made(&self) -> Vec<Map<String, Value>> {
        self.sandbox.records("incident").split_off(self.seeded)
    }

    /// The methods of the calls to ServiceNow since the last look.
    fn methods(&self, seen: &mut usize) -> Vec<String> {
        let all = self.sandbox.requests();
        let new = all[*seen..].iter().map(|request| request.method.clone()).collect();
        *seen = all.len();
        new
    }
}

fn config(base: &str, on_mismatch: OnMismatch) -> connector::Config {
    let authentication = AuthenticationTemplate::Basic {
        username: "admin".to_owned(),
        password: "admin".to_owned(),
    };
    let connection = Connection {
        on_mismatch,
        ..Connection::new(Instance::parse(base, false).unwrap(), authentication)
    };
    connector::Config {
        connections: [("default".to_owned(), connection)].into(),
        ..connector::Config::default()
    }
}

fn every(matches: Match) -> Match {
    Match { times: 0, ..matches }
}

#[tokio::test]
async fn row_14_an_instance_that_chooses_ids_gets_one_record_per_job_answers_lost_or_not() {
    let log = Log::open();
    let stage = Stage::start(OnMismatch::Fail).await;
    let faults = stage.sandbox.faults();
    faults.push(every(Match::on("POST", "incident")), Fault::IdNotHonoured);
    let mut seen = 0;
    stage.run_one().await;
    assert_eq!(stage.methods(&mut seen), ["POST"], "the happy path costs nothing");
    stage.run_one().await;
    assert_eq!(stage.methods(&mut seen), ["GET", "POST"]);
    faults.push(Match::on("POST", "incident"), Fault::Cut(CutPoint::AfterCommit));
    stage.run_one().await;
    assert_eq!(stage.methods(&mut seen), ["GET", "POST", "GET"]);
    assert_eq!(stage.made().len(), 3);
    eventually("all are counted", || stage.effects("id_not_honoured") == 3).await;
    assert_eq!((stage.effects("created"), stage.effects("adopted")), (2, 1));
    let told = log.warnings("this instance gives records of the table other sys_ids");
    assert_eq!(told.len(), 1, "once per table");
    assert_eq!(told[0]["table"], "incident");
}

#[tokio::test]
async fn row_2_a_first_answer_lost_by_an_instance_that_chooses_ids_makes_no_second_record() {
    for doubt in [
        Fault::Cut(CutPoint::AfterCommit),
        Fault::Status { code: 504, headers: vec![], body: Value::Null, after_commit: true },
        Fault::ForbiddenAfterInsert,
    ] {
        let stage = Stage::start(OnMismatch::Fail).await;
        let faults = stage.sandbox.faults();
        faults.push(every(Match::on("POST", "incident")), Fault::IdNotHonoured);
        faults.push(Match::on("POST", "incident"), doubt);
        stage.run_one().await;
        assert_eq!(stage.methods(&mut 0), ["POST", "GET", "GET"]);
        assert_eq!(stage.made().len(), 1);
        eventually("it counts", || stage.effects("adopted") == 1).await;
    }
}

#[tokio::test]
async fn row_15_an_instance_that_ignores_the_search_gets_no_foreign_record_adopted() {
    let stage = Stage::start(OnMismatch::Fail).await;
    let faults = stage.sandbox.faults();
    faults.push(every(Match::on("POST", "incident")), Fault::IdNotHonoured);
    stage.run_one().await;
    let before = stage.sandbox.records("incident");
    faults.push(every(Match::on("GET", "incident")), Fault::QueryIgnored);
    stage.gateway.offer(create());
    eventually("the job fails", || stage.gateway.counters().fails.get() == 1).await;
    let failure = stage.gateway.calls().into_iter().find_map(|seen| match seen.call {
        Call::Fail(failure) => Some(failure),
        _ => None,
    });
    let failure = failure.unwrap();
    assert_eq!(failure.retries, 0);
    assert!(failure.error_message.contains("'correlation_id' cannot be searched"));
    assert_eq!(stage.sandbox.records("incident"), before, "touched or inserted");
}

/// Start, a task that creates an incident and then finds its urgency wrong, end.
fn process() -> String {
    let ends = r#"<bpmn:startEvent id="start"/><bpmn:endEvent id="end"/>"#;
    let task = r#"<bpmn:serviceTask id="task"><bpmn:extensionElements>
         <zeebe:taskDefinition type="servicenow:record:1"/>
         <zeebe:ioMapping>
           <zeebe:input source="=&quot;create&quot;" target="operation"/>
           <zeebe:input source="=&quot;incident&quot;" target="table"/>
         </zeebe:ioMapping>
         <zeebe:taskHeaders>
           <zeebe:header key="resultVariable" value="result"/>
           <zeebe:header key="errorExpression" value="=if record.urgency = &quot;2&quot; then jobError(&quot;not so urgent&quot;) else null"/>
         </zeebe:taskHeaders>
       </bpmn:extensionElements></bpmn:serviceTask>"#;
    let flows = bpmn::flows(&["start", "task", "end"]);
    bpmn::process("ticket", &format!("{ends}{task}{flows}"))
}

impl Stage {
    fn incident(&self, message: &str) -> Option<Incident> {
        let incidents = self.gateway.engine().incidents();
        incidents.into_iter().find(|incident| incident.message.contains(message))
    }

    /// An instance whose job has created an incident of urgency 2 and failed, whose fields
    /// an operator has then set to another urgency and let the job go on.
    async fn edited_and_resolved(&self) -> i64 {
        let engine = self.gateway.engine();
        engine.deploy("ticket.bpmn", process().as_bytes()).unwrap();
        let fields = |urgency: u8| {
            let fields = json!({"fields": {"short_description": "printer", "urgency": urgency}});
            fields.as_object().unwrap().clone()
        };
        let new = NewInstance {
            process: ProcessRef::Latest("ticket".to_owned()),
            variables: fields(2),
            business_id: None,
        };
        let instance = engine.create_instance(new).unwrap().key;
        eventually("the job fails", || self.incident("not so urgent").is_some()).await;
        assert_eq!(self.made().len(), 1);
        engine.set_variables(instance, fields(1), Reach::Outwards).unwrap();
        let incident = self.incident("not so urgent").unwrap();
        engine.update_retries(incident.job.unwrap(), 1).unwrap();
        engine.resolve(incident.key).unwrap();
        instance
    }
}

#[tokio::test]
async fn row_16_fields_edited_before_an_incident_is_resolved_are_a_conflict() {
    let stage = Stage::start(OnMismatch::Fail).await;
    stage.edited_and_resolved().await;
    eventually("a conflict", || stage.incident("SN_CONFLICT").is_some()).await;
    let message = stage.incident("SN_CONFLICT").unwrap().message;
    assert!(message.contains("'urgency' is '2' and is asked to be '1'"), "{message}");
    let made = stage.made();
    assert_eq!((made.len(), &made[0]["urgency"]), (1, &json!("2")));
}

#[tokio::test]
async fn row_16_or_are_written_to_the_record_that_is_there() {
    let stage = Stage::start(OnMismatch::Patch).await;
    let instance = stage.edited_and_resolved().await;
    let is_over = || stage.gateway.engine().instances().iter().all(|one| one.key != instance);
    eventually("the instance ends", is_over).await;
    let made = stage.made();
    assert_eq!((made.len(), &made[0]["urgency"]), (1, &json!("1")));
    assert_eq!(stage.methods(&mut 0), ["POST", "POST", "GET", "PATCH"]);
}
