//! `demo` and `dev`, as a newcomer types them.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Stdio},
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use super::{program, text};

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
        let mut child = program()
            .args(["dev", "--listen", "127.0.0.1:0", "--sandbox", "127.0.0.1:0"])
            .args(["--inbound", "127.0.0.1:0", "--control", "127.0.0.1:0", "--bpmn"])
            .arg(bpmn)
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
