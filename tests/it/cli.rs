//! The binary as a user types it.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Output, Stdio},
};

mod check;
mod dev;
mod run;

/// The program with an empty environment.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_servicenow-worker"));
    command.env_clear().stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn config_file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn check(file: &tempfile::NamedTempFile) -> Output {
    program().args(["check", "--config"]).arg(file.path()).output().unwrap()
}

#[test]
fn check_reports_every_mistake_and_exits_64() {
    let file = config_file("[worker]\nmax_jobs_active = 0\n[connections.a]\ncolour = 1\n");
    let output = check(&file);
    assert_eq!(output.status.code(), Some(64));
    let said = text(&output.stderr);
    for part in [
        "worker.max_jobs_active: is a number from 4 to 100000, not 0",
        "connections.a.instance: is missing",
        "connections.a.auth: is missing",
        "connections.a.colour: is no setting; known here: allow_http, instance, auth",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn check_says_what_a_valid_configuration_connects() {
    let file = config_file(
        "[connections.hr]\ninstance = \"dev1\"\nauth = { type = \"bearer\", token = \"x\" }\n",
    );
    let output = check(&file);
    assert!(output.status.success());
    let said = text(&output.stdout);
    assert!(said.contains("gateway http://127.0.0.1:26500, connections hr"), "{said}");
}

#[test]
fn a_missing_file_and_a_wrong_option_are_usage_errors() {
    let missing = program().args(["run", "--config", "/nowhere.toml"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(64));
    assert!(text(&missing.stderr).contains("cannot read /nowhere.toml"));
    let wrong = program().args(["run", "--colour"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(64));
}

#[test]
fn a_taken_port_is_named_with_exit_code_69() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = program().args(["sandbox", "--listen", &address]).output().unwrap();
    assert_eq!(output.status.code(), Some(69));
    assert!(text(&output.stderr).contains(&format!("--listen: cannot listen on {address}")));
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in ["demo", "dev", "templates", "run", "check", "sandbox", "feel"] {
        let output = program().args([command, "--help"]).output().unwrap();
        assert!(output.status.success(), "{command}");
        assert!(text(&output.stdout).contains("Example: servicenow-worker"), "{command}");
    }
}

#[test]
fn the_sandbox_says_where_it_listens_and_who_may_come_in() {
    let mut child = program()
        .args(["sandbox", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.starts_with("sandbox on http://127.0.0.1:"), "{line}");
    assert!(line.contains("admin/admin") && line.contains("sandbox/sandbox"), "{line}");
}

#[test]
fn a_feel_expression_is_evaluated_with_warnings_beside_the_value() {
    let context = config_file(r#"{"response": {"body": {"result": {"sys_id": "abc"}}}}"#);
    let output = program()
        .args(["feel", "={id: response.body.result.sys_id, n: response.body.result.numer}"])
        .arg("--context")
        .arg(context.path())
        .output()
        .unwrap();
    assert!(output.status.success());
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value, serde_json::json!({"id": "abc", "n": null}));
    assert!(text(&output.stderr).contains("no key 'numer'"), "{}", text(&output.stderr));
}

#[test]
fn a_broken_feel_expression_names_its_place() {
    let output = program().args(["feel", "={a: }"]).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output.stderr).contains("line 1, column 6"), "{}", text(&output.stderr));
}

#[test]
fn feel_lines_answer_one_line_each() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_servicenow-worker"))
        .args(["feel", "--lines"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = "{\"expr\": \"1 + a\", \"context\": {\"a\": 2}}\n{\"expr\": \"1 +\"}\nnonsense\n";
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let answers: Vec<serde_json::Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[0], serde_json::json!({"value": 3}));
    assert!(answers[1]["error"].is_string() && answers[2]["error"].is_string());
}
