//! Secrets of every kind, an instance that gives them all back in every form, and a search
//! through everything that the program writes and sends to anybody else.

mod echo;

use std::{
    collections::BTreeSet,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use servicenow_worker::{devengine::gateway::Call, zeebe::proto::ActivatedJob};
use tempfile::TempDir;

use crate::support::{
    canary::Canary,
    eventually,
    gateway::{ScriptedGateway, Settings},
};

use echo::{ANSWERS, Echo, TOKEN};

/// One for each place where there is a secret.
const PLACES: [&str; 9] =
    ["basic", "bearer", "key", "client", "password", "inline", "header", "gateway", "proxy"];

/// Those that belong to no user.
const ALONE: [&str; 3] = ["bearer", "key", "header"];

/// Letters of which each needs another escape in base64, URLs and forms.
fn secret_of(place: &str) -> String {
    format!("C4n@ry~+/?&= {place} 9f2c7e1d5b8a")
}

fn canaries() -> Vec<Canary> {
    let canary = |place: &str| match secret_of(place) {
        secret if ALONE.contains(&place) => Canary::of(&secret),
        secret => Canary::with_user(&secret, "worker"),
    };
    let mut canaries: Vec<_> = PLACES.map(canary).into();
    canaries.push(Canary::of(TOKEN));
    canaries
}

const CONNECTIONS: [&str; 5] = ["basic", "bearer", "key", "client", "password"];

/// The program, with every credential it can have.
struct Program {
    child: Child,
    folder: TempDir,
}

impl Program {
    fn start(settings: &str, environment: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("worker.toml");
        std::fs::write(&config, settings).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_servicenow-worker"))
            .arg("run")
            .arg("--config")
            .arg(config)
            .env_clear()
            .envs(PLACES.map(|place| (format!("SECRET_{place}"), secret_of(place))))
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child, folder }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    async fn figures(&self) -> String {
        eventually("management listens", || self.log().contains("management listens")).await;
        let log = self.log();
        let line = log.lines().find(|line| line.contains("management listens")).unwrap();
        let line: Value = serde_json::from_str(line).unwrap();
        let url = format!("http://{}/metrics", line["address"].as_str().unwrap());
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(servicenow_worker::tls::client_config(None).unwrap())
            .no_proxy()
            .build()
            .unwrap();
        client.get(url).send().await.unwrap().text().await.unwrap()
    }

    fn stop(&mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _waited = self.child.wait();
    }
}

fn settings(gateway: &str, instance: &str) -> String {
    let connection = |name: &str, auth: &str| {
        let mut sections = String::new();
        for name in names(name) {
            let line = format!("[connections.{name}]\ninstance = \"{instance}\"\n");
            sections.extend([line, format!("auth = {{ {auth} }}\n")]);
        }
        sections
    };
    let client = "clientId = \"worker\", clientSecret = \"{{secrets.client}}\"";
    [
        "allowed_hosts = [\"127.0.0.1\"]\n".to_owned(),
        format!("[zeebe]\ngrpc_address = \"{gateway}\"\n"),
        format!(
            "[zeebe.auth]\nmethod = \"basic\"\nusername = \"worker\"\npassword = \"{}\"\n",
            secret_of("gateway")
        ),
        "[management]\nlisten = \"127.0.0.1:0\"\n".to_owned(),
        "[log]\nformat = \"json\"\nfilter = \"trace\"\n".to_owned(),
        // For nobody: all hosts are left out. Its password is read all the same.
        "[http]\nproxy = \"http://worker:C4n%40ry%7E%2B%2F%3F%26%3D%20proxy%209f2c7e1d5b8a@127.0.0.1:1\"\n\
         no_proxy = [\"127.0.0.1\"]\ncall_timeout = \"5s\"\n"
            .to_owned(),
        connection("basic", "type = \"basic\", username = \"worker\", password = \"{{secrets.basic}}\""),
        connection("bearer", "type = \"bearer\", token = \"{{secrets.bearer}}\""),
        connection("key", "type = \"apiKey\", key = \"{{secrets.key}}\""),
        connection("client", &format!("type = \"oauthClientCredentials\", {client}")),
        connection(
            "password",
            &format!(
                "type = \"oauthPassword\", {client}, username = \"worker\", \
                 password = \"{{{{secrets.password}}}}\""
            ),
        ),
    ]
    .concat()
}

/// A connection for each thing done with these credentials: what an instance in trouble is not
/// asked again would give nothing away.
fn names(credentials: &str) -> impl Iterator<Item = String> {
    ANSWERS
        .into_iter()
        .flat_map(move |answer| OPERATIONS.map(|operation| [answer, operation]))
        .map(move |[answer, operation]| format!("{credentials}-{answer}-{operation}"))
}

/// How authors look at all that came back.
fn curious() -> Vec<Value> {
    vec![
        json!({"resultVariable": "all", "resultExpression": "={seen: response}"}),
        json!({
            "resultVariable": "all",
            "errorExpression": "=bpmnError(\"CAUGHT\", error.message, {seen: error})",
        }),
        json!({"bpmnErrors": "*"}),
    ]
}

const OPERATIONS: [&str; 8] =
    ["get", "find", "create", "update", "upsert", "delete", "count", "start"];

/// Every operation, against every connection and every way to answer.
fn jobs(others: &[Echo]) -> Vec<ActivatedJob> {
    let password = "{{secrets.inline}}";
    let inline = |echo: &Echo| {
        json!({
            "instance": echo.address,
            "authentication": {"type": "basic", "username": "worker", "password": password},
        })
    };
    let mut others = others.iter();
    let mut turns = curious().into_iter().cycle();
    let mut jobs = Vec::new();
    for answer in ANSWERS {
        for operation in OPERATIONS {
            let named = |name| json!({"connection": format!("{name}-{answer}-{operation}")});
            for goal in CONNECTIONS.into_iter().map(named).chain(others.next().map(inline)) {
                jobs.push(job(operation, answer, &goal, &turns.next().unwrap()));
            }
        }
        // Another operation for each of them with the next answer.
        turns.next();
    }
    jobs
}

fn job(operation: &str, answer: &str, goal: &Value, headers: &Value) -> ActivatedJob {
    let (job_type, mut variables) = if operation == "start" {
        let headers = json!({"X-Own": "{{secrets.header}}"});
        let path = format!("/api/x/table/{answer}");
        ("servicenow:flow:1", json!({"path": path, "headers": headers}))
    } else {
        let variables = json!({
            "operation": operation, "table": answer, "sysId": "6816f79cc0a8016401c5a33be04be441",
            "fields": {"short_description": "x"}, "matchOn": "short_description",
        });
        ("servicenow:record:1", variables)
    };
    variables.as_object_mut().unwrap().extend(goal.as_object().unwrap().clone());
    ActivatedJob {
        r#type: job_type.to_owned(),
        variables: variables.to_string(),
        custom_headers: headers.to_string(),
        retries: 1,
        ..ActivatedJob::default()
    }
}

/// The keys of jobs about which a command came.
fn reported(gateway: &ScriptedGateway) -> BTreeSet<i64> {
    let key = |call: Call| match call {
        Call::Complete(command) => Some(command.job_key),
        Call::Fail(command) => Some(command.job_key),
        Call::Throw(command) => Some(command.job_key),
        _ => None,
    };
    gateway.calls().into_iter().filter_map(|seen| key(seen.call)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_anything_that_is_written_or_sent_to_others() {
    let echo = Echo::start(canaries()).await;
    let gateway = ScriptedGateway::start(Settings::default()).await.unwrap();
    let mut program = Program::start(&settings(&gateway.address(), &echo.address), &[]);
    // For jobs that bring an instance of their own: one each, as above.
    let others = ANSWERS.iter().flat_map(|_| OPERATIONS).map(|_| Echo::start(canaries()));
    let others = futures_util::future::join_all(others).await;
    let jobs: BTreeSet<i64> = jobs(&others).into_iter().map(|job| gateway.offer(job)).collect();
    tokio::time::timeout(Duration::from_mins(2), async {
        let mut looks = tokio::time::interval(Duration::from_millis(50));
        while !reported(&gateway).is_superset(&jobs) {
            looks.tick().await;
        }
    })
    .await
    .expect("every job ends");

    let id = program.child.id();
    let arguments = std::fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let figures = program.figures().await;
    program.stop();
    let calls = gateway.calls();
    let sent: Vec<_> = calls.iter().map(|seen| format!("{:?}", seen.call)).collect();
    let sent = sent.join("\n");
    let log = program.log();
    for canary in canaries() {
        canary.is_nowhere_in("the arguments", &arguments);
        canary.is_nowhere_in("the metrics", &figures);
        canary.is_nowhere_in("what the engine was told", &sent);
        canary.is_nowhere_in("the log", &log);
    }
    for line in log.lines() {
        let read: Result<Value, _> = serde_json::from_str(line);
        assert!(read.is_ok(), "a line of the log is no JSON: {line}");
    }

    // That there was something to find, and that it came through otherwise.
    let given_away = echo.given_away() + others.iter().map(Echo::given_away).sum::<usize>();
    assert!(given_away > jobs.len(), "{given_away} of {}", jobs.len());
    assert!(sent.matches("***").count() > 400, "{}", sent.matches("***").count());
    let scrubs = figures.lines().find_map(|line| line.strip_prefix("snc_secret_scrubs_total "));
    assert!(scrubs.unwrap().parse::<u64>().unwrap() > 400, "{scrubs:?}");
    for kind in ["Complete(", "Fail(", "Throw("] {
        assert!(sent.contains(kind), "no {kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cve_2025_62718_proxies_of_the_environment_are_not_used() {
    let (echo, proxy) = (Echo::start(Vec::new()).await, Echo::start(Vec::new()).await);
    let gateway = ScriptedGateway::start(Settings::default()).await.unwrap();
    let settings = settings(&gateway.address(), &echo.address);
    let without_proxy: Vec<_> = settings.lines().filter(|line| !line.contains("proxy")).collect();
    let names =
        ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let environment = names.map(|name| (name, proxy.address.clone()));
    let _program = Program::start(&without_proxy.join("\n"), &environment);
    for connection in CONNECTIONS {
        let goal = json!({"connection": format!("{connection}-record-get")});
        gateway.offer(job("get", "record", &goal, &json!({})));
    }
    eventually("every job ends", || reported(&gateway).len() == CONNECTIONS.len()).await;
    assert_eq!((echo.given_away(), proxy.given_away()), (CONNECTIONS.len(), 0));
}
