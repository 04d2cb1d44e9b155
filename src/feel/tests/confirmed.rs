//! Cases that Camunda's engine has confirmed, read where the file is at hand: beside the
//! project, or where `FEEL_CASES` points.

use std::path::PathBuf;

use super::{NOW, judged, lines};
use crate::connector::functions;

/// What passes at least: all of them.
const FLOOR: usize = 893;

#[test]
fn confirmed_cases_hold() {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/feel-cases.jsonl");
    let path = option_env!("FEEL_CASES").map_or(beside, PathBuf::from);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("no confirmed cases at {}", path.display());
        return;
    };
    let environment = functions::environment(NOW.parse().unwrap());
    let judged: Vec<_> = lines(&text).map(|case| judged(&case, environment)).collect();
    let passed = judged.iter().filter(|judged| judged.is_ok()).count();
    for error in judged.iter().filter_map(|judged| judged.as_ref().err()) {
        println!("{error}");
    }
    println!("{passed} of {} confirmed cases hold", judged.len());
    assert!(passed >= FLOOR, "{passed} of {} confirmed cases hold, not {FLOOR}", judged.len());
}
