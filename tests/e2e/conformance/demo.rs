//! `demo` on both engines: told the same, but for keys, ids, ports and times.

use std::process::Output;

use regex::Regex;
use serde_json::Value;
use tokio::process::Command;

use super::play::sorted;
use crate::support::stage::Stage;

#[tokio::test]
async fn the_demo_tells_the_same_on_both_engines() {
    let broker = Stage::on_the_broker().await;
    let own = demo(&[]).await;
    let given = demo(&["--gateway", broker.engine.gateway()]).await;
    let (own, given) = (told(&own), told(&given));
    assert!(own.iter().filter(|line| line.starts_with("job ")).count() >= 10, "{own:#?}");
    for (own, given) in own.iter().zip(&given) {
        assert_eq!(own, given);
    }
    assert_eq!(own.len(), given.len());
}

async fn demo(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_servicenow-worker"));
    command.arg("demo").args(arguments).env_clear().output().await.unwrap()
}

/// The lines without what differs from run to run.
fn told(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let lines = text.lines().filter(|line| !line.starts_with("Camunda "));
    lines.map(normalized).collect()
}

fn normalized(line: &str) -> String {
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut line = with_sorted_variables(&line);
    for (pattern, name) in [
        ("[0-9a-f]*…", "…"),
        ("[0-9a-f]{12,}", "ID"),
        (r"127\.0\.0\.1:\d+", "HOST"),
        (r"\b\d+(\.\d+)? m?s\b", "TIME"),
    ] {
        line = Regex::new(pattern).unwrap().replace_all(&line, name).into_owned();
    }
    line
}

/// Engines hand variables out in any order. Objects that were cut are not compared.
fn with_sorted_variables(line: &str) -> String {
    let Some((before, object)) = line.split_once('{') else { return line.to_owned() };
    match serde_json::from_str::<Value>(&format!("{{{object}")) {
        Ok(object) => format!("{before}{}", sorted(object)),
        Err(_) => format!("{before}…"),
    }
}
