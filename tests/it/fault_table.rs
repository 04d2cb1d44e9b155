//! `docs/fault-table.md` is complete, and names tests that are there.

use std::{fs, path::Path};

const PAGE: &str = include_str!("../../docs/fault-table.md");

/// A row's cells; of the header row and the ruler too.
fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    let rows = PAGE.lines().filter(|line| line.starts_with('|'));
    rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
}

/// What stands in backticks and names a test, as `file::name`.
fn tests(cell: &str) -> Vec<(&str, &str)> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.filter_map(|text| text.split_once("::")).collect()
}

fn is_there((file, name): (&str, &str)) -> bool {
    let text = fs::read_to_string(root().join(file)).unwrap_or_default();
    let Some(at) = text.find(&format!("fn {name}(")) else { return false };
    if file.starts_with("tests/sim/") {
        // That suite is its own harness and keeps a list.
        return text.contains(&format!("\"{name}\""));
    }
    let before: Vec<_> = text[..at].lines().rev().take(4).collect();
    before.iter().any(|line| line.contains("#[test]") || line.contains("#[tokio::test"))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_fault_has_its_row_and_every_row_a_proof_or_a_reason() {
    let numbered: Vec<_> = rows().filter(|row| row[0].parse::<u32>().is_ok()).collect();
    let numbers: Vec<u32> = numbered.iter().map(|row| row[0].parse().unwrap()).collect();
    assert_eq!(numbers, (1..=44).collect::<Vec<_>>());
    for row in numbered {
        let [number, fault, promise, proof] = row[..] else { panic!("four cells: {row:?}") };
        assert!(!fault.is_empty() && !promise.is_empty(), "{number}");
        let is_proved = !tests(proof).is_empty();
        assert!(is_proved || proof.contains("no test: "), "row {number} has neither: {proof}");
    }
}

#[test]
fn every_attack_on_others_is_tried_or_has_a_reason() {
    let attacks: Vec<_> = rows().filter(|row| row.len() == 3).skip(2).collect();
    assert!(attacks.len() >= 18, "{}", attacks.len());
    for row in attacks {
        let is_tried = !tests(row[2]).is_empty();
        assert!(is_tried || row[2].contains("no test: "), "{row:?}");
    }
}

#[test]
fn every_test_that_the_page_names_is_there() {
    let named: Vec<_> = rows().flat_map(|row| tests(row.last().unwrap())).collect();
    let missing: Vec<_> = named.iter().filter(|test| !is_there(**test)).collect();
    assert!(named.len() > 80 && missing.is_empty(), "{missing:#?} of {}", named.len());
}
