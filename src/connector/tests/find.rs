//! find: pages, orders, limits.

use serde_json::{Value, json};

use crate::{
    connector::{
        Config,
        testing::{Run, answer_with, config, job_with, run, run_with, secrets},
    },
    servicenow::Reply,
};

fn find(more: Value, replies: impl IntoIterator<Item = Reply>) -> Run {
    let mut variables = json!({"operation": "find", "table": "incident"});
    variables.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    run(job_with(variables, json!({"resultVariable": "r"})), replies)
}

/// A page of records `from..to`, with or without the announcement of another.
fn page(from: usize, to: usize, next: bool) -> Reply {
    let rows: Vec<Value> = (from..to).map(|n| json!({"sys_id": id(n)})).collect();
    let link =
        "<https://dev1.service-now.com/api/now/table/incident?sysparm_offset=2>;rel=\"next\"";
    let headers: &[(&str, &str)] = if next { &[("Link", link)] } else { &[] };
    answer_with(200, headers, json!({"result": rows}))
}

fn id(n: usize) -> String {
    format!("{n:032x}")
}

fn queries(run: &Run) -> Vec<String> {
    let parameter = |request: &crate::servicenow::Request, name: &str| {
        request.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    };
    run.requests
        .iter()
        .map(|request| {
            let part = |name| parameter(request, name).unwrap_or_default();
            let (query, limit) = (part("sysparm_query"), part("sysparm_limit"));
            format!("{query}|{limit}|{}", part("sysparm_offset"))
        })
        .collect()
}

#[test]
fn pages_that_are_too_much_together_end_the_search_with_what_to_do() {
    let one = page(0, 100, true).unwrap().body.len();
    let search = |max_search_bytes| {
        let config = Config { max_search_bytes, ..config() };
        let variables = json!({"operation": "find", "table": "incident", "limit": 200});
        let pages = [page(0, 100, true), page(100, 200, false)];
        run_with(config, secrets(), job_with(variables, json!({"resultVariable": "r"})), pages)
    };
    let run = search(2 * one - 1);
    assert!(run.incident().starts_with("SN_RESPONSE_TOO_LARGE: find incident: "));
    assert!(run.incident().contains("select fewer fields"), "{}", run.incident());
    assert_eq!(search(2 * one).completed()["r"]["count"], 200);
}

#[test]
fn pages_follow_the_last_sys_id_up_to_the_limit() {
    let run = find(
        json!({"query": "active=true", "limit": 250}),
        [page(0, 100, true), page(100, 200, true), page(200, 250, true)],
    );
    assert_eq!(
        queries(&run),
        [
            "active=true^ORDERBYsys_id|100|".to_owned(),
            format!("active=true^sys_id>{}^ORDERBYsys_id|100|", id(99)),
            format!("active=true^sys_id>{}^ORDERBYsys_id|50|", id(199)),
        ]
    );
    let result = &run.completed()["r"];
    assert_eq!(result["outcome"], "found");
    assert_eq!(result["count"], 250);
    assert_eq!(result["records"].as_array().unwrap().len(), 250);
    assert_eq!(result["warnings"], json!([]));
}

#[test]
fn a_short_page_with_a_next_one_is_not_the_end() {
    let run = find(json!({}), [page(0, 3, true), page(0, 0, true), page(7, 9, false)]);
    assert_eq!(
        queries(&run),
        [
            "ORDERBYsys_id|100|".to_owned(),
            format!("sys_id>{}^ORDERBYsys_id|97|", id(2)),
            format!("sys_id>{}^ORDERBYsys_id|97|97", id(2)),
        ]
    );
    assert_eq!(run.completed()["r"]["count"], 5);
    assert_eq!(run.completed()["r"]["total"], 5);
}

#[test]
fn a_short_page_without_a_next_one_costs_no_further_call() {
    let run = find(json!({"select": "number, state"}), [page(0, 2, false)]);
    assert_eq!(queries(&run), ["ORDERBYsys_id|100|"]);
    assert!(run.targets()[0].contains("sysparm_fields=number%2Cstate%2Csys_id"));
}

#[test]
fn an_order_of_the_authors_is_paged_by_offset_with_a_tie_break() {
    let run = find(
        json!({"orderBy": "priority, sys_created_on desc", "limit": 150}),
        [page(0, 100, true), page(100, 130, false)],
    );
    let order = "ORDERBYpriority^ORDERBYDESCsys_created_on^ORDERBYsys_id";
    assert_eq!(queries(&run), [format!("{order}|100|"), format!("{order}|50|100")]);
}

#[test]
fn blocks_joined_by_or_are_paged_by_offset() {
    let run = find(
        json!({"query": "a=1^NQb=2", "limit": 101}),
        [page(0, 100, true), page(100, 101, false)],
    );
    let query = "a=1^NQb=2^ORDERBYsys_id";
    assert_eq!(queries(&run), [format!("{query}|100|"), format!("{query}|1|100")]);
}

#[test]
fn nothing_found_is_no_error() {
    let run = find(json!({"query": {"number": "INC1"}}), [page(0, 0, false)]);
    assert_eq!(
        run.completed()["r"],
        json!({"outcome": "found", "table": "incident", "records": [], "count": 0, "total": 0,
            "warnings": []})
    );
}

#[test]
fn a_limit_that_nobody_set_is_said_when_it_cuts() {
    let run = find(json!({}), [page(0, 100, true)]);
    let warnings = &run.completed()["r"]["warnings"];
    assert!(warnings[0].as_str().unwrap().contains("set limit"), "{warnings}");
    assert_eq!(run.completed()["r"].get("total"), None);
}

#[test]
fn a_server_that_repeats_a_page_does_not_loop() {
    let run = find(json!({"limit": 200}), [page(0, 100, true), page(0, 100, true)]);
    assert!(run.incident().starts_with("SN_UNEXPECTED_RESPONSE"), "{}", run.incident());
}

#[test]
fn a_server_that_always_announces_more_comes_to_an_end() {
    let run = find(json!({}), (0..500).map(|_| page(0, 0, true)));
    assert!(run.incident().contains("more than 500 requests"), "{}", run.incident());
}

/// A page of these records.
fn rows(rows: Value) -> Reply {
    answer_with(200, &[], json!({ "result": rows }))
}

fn warnings(run: &Run) -> Vec<String> {
    serde_json::from_value(run.completed()["r"]["warnings"].clone()).unwrap()
}

#[test]
fn a_query_that_became_null_is_no_search_for_everything() {
    for operation in ["find", "count"] {
        let variables = json!({"operation": operation, "table": "incident", "query": null});
        let run = run(job_with(variables, json!({})), []);
        assert!(run.incident().starts_with("SN_INVALID_INPUT: query is null"), "{operation}");
        assert!(run.incident().contains("leave query out"), "{}", run.incident());
    }
    for everything in [json!(""), json!(" "), json!({}), json!([])] {
        let run = find(json!({ "query": everything }), [page(0, 1, false)]);
        assert_eq!(queries(&run), ["ORDERBYsys_id|100|"]);
    }
}

#[test]
fn a_condition_that_became_null_finds_no_other_records() {
    let incident = |query: Value| find(json!({ "query": query }), []).incident().to_owned();
    let context = incident(json!({"active": true, "assigned_to": null}));
    assert!(context.contains("'assigned_to' is null"), "{context}");
    assert!(context.contains(r#"op: "is empty""#), "{context}");
    assert!(incident(json!([{"field": "a", "value": null}])).contains("'a' is null"));
    assert!(incident(json!([{"field": "a"}])).contains("'a' is null"));
    assert!(incident(json!({"state": [1, null]})).contains("'state' has a null in its list"));
    let run = find(
        json!({"query": [{"field": "assigned_to", "op": "is empty", "value": null}]}),
        [page(0, 0, false)],
    );
    assert_eq!(queries(&run), ["assigned_toISEMPTY^ORDERBYsys_id|100|"]);
}

#[test]
fn a_condition_that_servicenow_dropped_is_said() {
    let found = [json!({"sys_id": id(1), "active": "true", "number": "INC1"})];
    for query in [json!({"activ": true}), json!([{"field": "activ", "op": ">", "value": 1}])] {
        let run = find(json!({ "query": query }), [rows(json!(found))]);
        let warnings = warnings(&run);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("'activ'"), "{warnings:?}");
        assert!(warnings[0].contains("table 'incident' has no such field"), "{warnings:?}");
    }
    let run =
        find(json!({"query": {"active": false, "number": ["INC1", "INC2"]}}), [rows(json!(found))]);
    let warnings = warnings(&run);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("'active'") && warnings[0].contains("asked for 'false'"));
    assert!(warnings[0].contains("answers 'true'"), "{warnings:?}");
}

#[test]
fn what_conditions_are_on_is_asked_for_and_not_shown() {
    let row = json!({"sys_id": id(1), "number": "INC1", "priority": "4", "caller_id.name": "Ann"});
    let run = find(
        json!({"select": "number", "query": {"priority": 1, "caller_id.name": "ann"}}),
        [rows(json!([row]))],
    );
    assert!(
        run.targets()[0].contains("sysparm_fields=number%2Csys_id%2Cpriority%2Ccaller_id.name")
    );
    assert_eq!(run.completed()["r"]["records"], json!([{"sys_id": id(1), "number": "INC1"}]));
    assert_eq!(warnings(&run).len(), 1);
    assert!(warnings(&run)[0].contains("'priority'"));
}

#[test]
fn only_the_first_page_is_asked_for_what_conditions_are_on() {
    let query = json!([{"field": "description", "op": "contains", "value": "VPN"}]);
    let run = find(
        json!({"select": "number", "limit": 1000, "query": query}),
        [page(0, 500, true), page(500, 700, false)],
    );
    assert_eq!(run.completed()["r"]["count"], 700);
    let fields = "sysparm_fields=number%2Csys_id";
    assert!(run.targets()[0].contains(&format!("{fields}%2Cdescription")));
    assert!(run.targets()[1].contains(fields) && !run.targets()[1].contains("%2Cdescription"));
}

#[test]
fn conditions_that_cannot_be_compared_are_no_warning() {
    let row =
        json!({"sys_id": id(1), "priority": "1 - Critical", "opened_at": "2026-01-01 09:00:00"});
    // Labels are not values, a moment is read in the user's own zone, and whole records show
    // no fields of others.
    for more in [
        json!({"query": {"priority": 1}, "displayValue": "true"}),
        json!({"query": [{"field": "priority", "op": "in", "value": "2,1 - Critical"}]}),
        json!({"query": {"opened_at": "2026-01-01T10:00:00Z"}}),
        json!({"query": {"caller_id.name": "Ann"}}),
        json!({"query": "activ=true"}),
    ] {
        assert_eq!(warnings(&find(more, [rows(json!([row]))])), [""; 0]);
    }
}

#[test]
fn a_selected_field_that_is_not_there_is_said() {
    let found = json!([{"sys_id": id(1), "state": "1"}, {"sys_id": id(2), "state": "1"}]);
    let run = find(json!({"select": "numbr, state"}), [rows(found)]);
    assert_eq!(
        warnings(&run),
        ["field 'numbr' was selected and is not in the answer: table 'incident' has no such \
          field, or the worker's user may not read it"]
    );
}
