//! `demo` and `dev`, as a newcomer types them.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStdin, Stdio},
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use super::{config_file, program, text};

/// How long a line may take to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running `dev`.
struct Dev {
    child: Child,
    prompt: ChildStdin,
    lines: Receiver<String>,
}

impl Dev {
    /// Starts it on free ports.
    fn start(bpmn: &Path) -> Self {
        Self::with(&["--bpmn".as_ref(), bpmn.as_os_str()])
    }

    /// Starts it on free ports with these arguments.
    fn with(arguments: &[&OsStr]) -> Self {
        let mut child = program()
            .args(["dev", "--listen", "127.0.0.1:0", "--sandbox", "127.0.0.1:0"])
            .args(["--inbound", "127.0.0.1:0", "--control", "127.0.0.1:0"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (said, lines) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).all(|line| said.send(line).is_ok())
        });
        Self { prompt: child.stdin.take().unwrap(), child, lines }
    }

    /// The next line that holds `part`.
    fn line_with(&self, part: &str) -> String {
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => seen.push(line),
                Err(error) => panic!("{error}: no line with {part:?} after {seen:#?}"),
            }
        }
    }

    /// The lines up to one that holds `part`.
    fn lines_until(&self, part: &str) -> Vec<String> {
        let mut seen = Vec::new();
        while !seen.last().is_some_and(|line: &String| line.contains(part)) {
            seen.push(self.lines.recv_timeout(PATIENCE).unwrap());
        }
        seen
    }

    fn order(&mut self, order: &str) {
        writeln!(self.prompt, "{order}").unwrap();
    }

    /// Where it takes orders.
    fn control(&self) -> String {
        self.line_with("orders ").rsplit_once(' ').unwrap().1.to_owned()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn example(name: &str) -> String {
    let path = format!("{}/examples/{name}.bpmn", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_demo_tells_its_story_and_ends_with_a_table() {
    let output = program().arg("demo").output().unwrap();
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}{}", text(&output.stderr));
    for part in [
        "nothing is kept; production is Camunda",
        "fault     the sandbox will insert the record and then cut the connection",
        "no answer: the connection to",
        r#""outcome":"adopted""#,
        "threw BPMN error SN_RECORD_NOT_FOUND",
        "by business rule 'change approved': 200",
        "by business rule 'catalog task closed': 200",
        "All as announced",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let examples = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap();
    for file in examples.map(|entry| entry.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "bpmn") {
            let process = file.file_stem().unwrap().to_str().unwrap().to_owned();
            assert!(said.contains(&format!(". {process}: ")), "{process} is not shown");
        }
    }
}

#[test]
fn a_gateway_that_does_not_answer_is_named_with_exit_code_69() {
    let output = program().args(["demo", "--gateway", "http://127.0.0.1:1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(69));
    let said = text(&output.stderr);
    assert!(said.starts_with("--gateway http://127.0.0.1:1: no gateway answers"), "{said}");
}

#[test]
fn dev_runs_a_process_by_its_prompt_and_by_a_second_command() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.bpmn"), example("create-incident")).unwrap();
    let mut dev = Dev::start(folder.path());
    let control = dev.control();
    dev.order(r#"start create-incident {"subject": "Typed at the prompt"}"#);
    assert!(dev.line_with("completed with").contains("outcome"));
    let second = program()
        .args(["dev", "start", "create-incident", "{}", "--control", &control])
        .output()
        .unwrap();
    assert!(second.status.success(), "{}", text(&second.stderr));
    assert!(text(&second.stdout).contains("of 'create-incident'"));
    dev.line_with("Created by a process");
    let unknown = program().args(["dev", "start", "nothing", "--control", &control]).output();
    let unknown = unknown.unwrap();
    assert_eq!(unknown.status.code(), Some(64));
    assert!(text(&unknown.stderr).contains("nothing"), "{}", text(&unknown.stderr));
    dev.order("quit");
    assert!(dev.child.wait().unwrap().success());
}

#[test]
fn dev_deploys_a_changed_file_and_keeps_the_old_version_of_a_broken_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.bpmn");
    let bpmn = example("create-incident");
    std::fs::write(&file, &bpmn).unwrap();
    let mut dev = Dev::start(folder.path());
    dev.line_with("deployed 'create-incident' version 1");
    std::fs::write(&file, bpmn.replace("serviceTask", "complexGateway")).unwrap();
    let refused = dev.line_with("not deployed");
    assert!(refused.contains("'create' (complexGateway)"), "{refused}");
    dev.order("start create-incident");
    dev.line_with("'create-incident' version 1 started");
    std::fs::write(&file, bpmn.replace("Create incident", "Open incident")).unwrap();
    dev.line_with("deployed 'create-incident' version 2");
}

#[test]
fn dev_shows_an_incident_that_can_be_resolved() {
    let folder = tempfile::tempdir().unwrap();
    let broken = example("create-incident").replace("source=\"incident\"", "source=\"=table\"");
    std::fs::write(folder.path().join("a.bpmn"), broken).unwrap();
    let mut dev = Dev::start(folder.path());
    dev.order("start create-incident {\"table\": \"../sys_user\"}");
    let incident = dev.line_with("incident  ");
    assert!(incident.contains("JOB_NO_RETRIES at 'create'"), "{incident}");
    let key = incident.split_whitespace().nth(1).unwrap().to_owned();
    dev.order("incidents");
    assert!(dev.line_with(&key).contains("table"));
    dev.order(&format!("resolve {key}"));
    dev.line_with("resolved");
    // The table is still wrong.
    dev.line_with("incident  ");
}

#[test]
fn bad_input_is_one_clear_line_with_exit_code_64() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.bpmn");
    let dev = |arguments: &[&str]| {
        let output = program().arg("dev").args(arguments).output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    let path = file.to_str().unwrap();
    let free = ["--listen", "127.0.0.1:0", "--bpmn", path];
    let (code, said) = dev(&free);
    assert_eq!((code, said.contains("no such file")), (Some(64), true), "{said}");
    let empty = folder.path().to_str().unwrap();
    let (code, said) = dev(&["--listen", "127.0.0.1:0", "--bpmn", empty]);
    let text_of_empty = format!("--bpmn {empty}: there is no .bpmn file in it");
    assert_eq!((code, said.contains(&text_of_empty)), (Some(64), true), "{said}");
    std::fs::write(&file, "hello").unwrap();
    let (code, said) = dev(&free);
    assert_eq!((code, said.contains("line 1: not XML")), (Some(64), true), "{said}");
    let unknown = example("create-incident").replace("serviceTask", "businessRuleTask");
    std::fs::write(&file, unknown.replace("zeebe:taskDefinition", "zeebe:calledDecision")).unwrap();
    let (code, said) = dev(&free);
    assert_eq!((code, said.contains("'create' (businessRuleTask)")), (Some(64), true), "{said}");
    let everywhere =
        ["--listen", "127.0.0.1:0", "--sandbox", "127.0.0.1:0", "--inbound", "0.0.0.0:0"];
    let (code, said) = dev(&everywhere);
    assert_eq!(
        (code, said.contains("--inbound 0.0.0.0:0: write a loopback")),
        (Some(64), true),
        "{said}"
    );
    let (code, said) = dev(&["start", "x", "--control", "127.0.0.1:1"]);
    assert_eq!((code, said.contains("no running")), (Some(69), true), "{said}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, said) = dev(&["--listen", &address]);
    assert_eq!((code, said.contains("--listen: cannot listen")), (Some(69), true), "{said}");
}

/// The example with something else in its place.
fn changed(from: &str, to: &str) -> String {
    let bpmn = example("create-incident");
    assert!(bpmn.contains(from), "{from}");
    bpmn.replace(from, to)
}

#[test]
fn dev_tells_of_all_bad_files_runs_the_good_ones_and_goes_on_to_watch() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.bpmn"), "hello").unwrap();
    std::fs::write(folder.path().join("b.bpmn"), example("create-incident")).unwrap();
    std::fs::write(folder.path().join("c.bpmn"), changed("serviceTask", "complexGateway")).unwrap();
    let mut dev = Dev::start(folder.path());
    dev.line_with("deployed 'create-incident' version 1");
    let refused = ["a.bpmn", "c.bpmn"].map(|name| (name, dev.line_with("not deployed")));
    assert!(refused.iter().all(|(name, line)| line.contains(name)), "{refused:?}");
    assert!(refused[0].1.contains("line 1: not XML"), "{refused:?}");
    dev.line_with("gateway ");
    dev.order("start create-incident");
    dev.line_with("'create-incident' version 1 started");
    let other = changed("create-incident", "mended");
    std::fs::write(folder.path().join("a.bpmn"), other).unwrap();
    dev.line_with("deployed 'mended' version 1");
}

#[test]
fn dev_without_files_says_that_nothing_is_deployed() {
    let dev = Dev::with(&[]);
    dev.line_with("Nothing is deployed: name your files with --bpmn");
}

#[test]
fn dev_shows_warnings_queries_and_running_instances() {
    let folder = tempfile::tempdir().unwrap();
    let variable = "key=\"resultVariable\" value=\"serviceNow\"";
    let mapped = changed(variable, "key=\"resultExpression\" value=\"={n: numer}\"");
    std::fs::write(folder.path().join("a.bpmn"), mapped).unwrap();
    let find = r#"<zeebe:input source="find" target="operation" />
        <zeebe:input source="active=true" target="query" />"#;
    let found = changed("<zeebe:input source=\"create\" target=\"operation\" />", find);
    let found = found.replace("create-incident", "find-incidents");
    std::fs::write(folder.path().join("b.bpmn"), found).unwrap();
    let other = changed("servicenow:record:1", "servicenow:rekord:1");
    let other = other.replace("create-incident", "misspelt");
    std::fs::write(folder.path().join("c.bpmn"), other).unwrap();
    let mut dev = Dev::start(folder.path());
    let control = dev.control();
    dev.order("start create-incident {\"subject\": \"mapped\"}");
    let warning = dev.line_with("warning   ");
    assert!(warning.contains("'create'") && warning.contains("'numer'"), "{warning}");
    dev.order("start find-incidents");
    let get = dev.line_with("GET ");
    assert!(get.contains("/api/now/table/incident?") && get.contains("sysparm_query="), "{get}");
    dev.line_with("completed with");
    dev.order("start misspelt {\"subject\": \"waits\"}");
    let nobody = dev.line_with("no worker here takes jobs of type 'servicenow:rekord:1'");
    assert!(nobody.contains("servicenow:record:1, servicenow:flow:1"), "{nobody}");
    let list = program().args(["dev", "instances", "--control", &control]).output().unwrap();
    let list = text(&list.stdout);
    assert!(
        list.contains("'misspelt' version 1 at 'create' with {\"subject\":\"waits\"}"),
        "{list}"
    );
    dev.order("start misspelt");
    dev.order("signal nothing");
    let said = dev.lines_until("signal ");
    assert!(!said.iter().any(|line| line.contains("no worker here")), "once is enough: {said:?}");
}

#[test]
fn dev_shows_what_its_inbound_endpoint_is_asked_for() {
    let dev = Dev::with(&[]);
    let line = dev.line_with("inbound http://");
    let address = line.split("inbound http://").nth(1).unwrap().split(' ').next().unwrap();
    let body = r#"{"name": "paid", "correlationKey": "k"}"#;
    post(address, "/v2/messages/publication", body);
    let call = dev.line_with("inbound   ");
    assert_eq!(call, "   inbound   publish \"paid\": 200");
    post(address, "/inbound/nothing", "{}");
    let refused = dev.line_with("inbound   ");
    assert!(refused.ends_with("404 NOT_FOUND: \"there is no route 'nothing'\""), "{refused}");
}

/// Posts JSON to a server of ours and reads the first bytes of its answer.
fn post(address: &str, path: &str, body: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_routes_of_the_page_on_the_dev_engine_start_their_process() {
    let page = include_str!("../../../docs/dev-engine.md");
    let block = |language: &str| {
        let block = page.split(&format!("```{language}\n")).nth(1).unwrap();
        block.split("```").next().unwrap()
    };
    let dev = Dev::with(&["--bpmn".as_ref(), "examples/create-incident.bpmn".as_ref()]);
    assert!(block("sh").contains("--bpmn examples/create-incident.bpmn"));
    let gateway = dev.line_with("gateway ").split_whitespace().nth(1).unwrap().to_owned();
    let routes = block("toml").replace("http://127.0.0.1:26500", &gateway);
    let file = config_file(&routes.replace("127.0.0.1:8090", "127.0.0.1:0"));
    let mut run = program();
    run.args(["run", "--only", "inbound", "--config"]).arg(file.path()).stderr(Stdio::piped());
    let mut run = run.spawn().unwrap();
    let log = BufReader::new(run.stderr.take().unwrap()).lines().map_while(Result::ok);
    let line = log.into_iter().find(|line| line.contains("inbound listens")).unwrap();
    let address = line.split("address=").nth(1).unwrap().split(' ').next().unwrap();
    let body = block("sh").split("-d '").nth(1).unwrap().split('\'').next().unwrap();
    let answer = post(address, "/inbound/incident", body);
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(dev.line_with("POST ").contains("\"short_description\":\"Hello\""));
}
