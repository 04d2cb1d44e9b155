//! Bad input: what it gets, before any call.

use serde_json::{Value, json};

use crate::{
    connector::{
        Connection, job_types,
        testing::{Run, answer, config, flow_job, job, job_with, run, run_with, secrets},
    },
    job::Job,
    servicenow::{Instance, Reason},
};

const ID: &str = "6816f79cc0a8016401c5a33be04be441";

fn refused(variables: Value) -> Run {
    let run = run(job(variables), []);
    assert_eq!(run.finished.summary.result, Err(Reason::InvalidInput));
    assert_eq!(run.finished.summary.calls, 0);
    run
}

fn refused_with_headers(headers: Value) -> Run {
    let variables = json!({"operation": "get", "table": "incident", "sysId": ID});
    run(job_with(variables, headers), [])
}

#[test]
fn other_fields_win_over_fields_and_both_over_a_template_that_may_name_the_job() {
    let variables = json!({
        "operation": "create",
        "table": "incident",
        "fields": {"urgency": null, "impact": "1", "category": "network"},
        "otherFields": {"impact": 2, "u_cost": 7},
        "fieldsTemplate": r#"{"category": "x", "description": "{{note}} ({{job.processInstanceKey}})"}"#,
        "templateData": {"note": null},
    });
    let created = run(job(variables), [answer(201, json!({"result": {"sys_id": ID}}))]);
    let body = created.requests[0].body.clone().unwrap();
    let sent = |name: &str| body[name].as_str().map(str::to_owned);
    assert_eq!(sent("impact").as_deref(), Some("2"));
    assert_eq!(sent("u_cost").as_deref(), Some("7"));
    assert_eq!(sent("category").as_deref(), Some("network"));
    assert_eq!(sent("urgency"), None);
    assert_eq!(sent("description").as_deref(), Some(" (2251799813685249)"));
}

#[test]
fn each_mistake_names_the_variable_and_the_remedy() {
    let create = |more: Value| {
        let mut all = json!({"operation": "create", "table": "incident", "fields": {"a": 1}});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    for (variables, said) in [
        (json!({}), "operation is missing: use one of create, get, find"),
        (json!({"operation": "destroy"}), "operation 'destroy' is not known: use one of create"),
        (json!({"operation": 7}), "operation is a number: give text"),
        (create(json!({"table": null})), "table is missing: name the table"),
        (create(json!({"table": "  "})), "table is missing"),
        (create(json!({"table": "Incident"})), "table: 'Incident' is no table name"),
        (create(json!({"table": "../sys_user"})), "is no table name"),
        (create(json!({"table": ["incident"]})), "table is a list: give text"),
        (create(json!({"table": "sys_user"})), "table 'sys_user' may not be written"),
        (create(json!({"fields": null})), "fields is missing or empty"),
        (create(json!({"fields": {}})), "fields is missing or empty"),
        (
            create(json!({"fields": {"short_description": null, "impact": null, "state": {}}})),
            "no field has a value (field 'short_description' is null, field 'impact' is null)",
        ),
        (create(json!({"fields": "x"})), "fields is a text: give a context"),
        (create(json!({"fields": {"caller": {"id": 1}}})), "field 'caller' holds a nested context"),
        (create(json!({"fields": {"sys_id": "INC1"}})), "field 'sys_id': 'INC1' is no sys_id"),
        (create(json!({"fieldsTemplate": "{{x}}"})), "fieldsTemplate cannot be rendered"),
        (create(json!({"fieldsTemplate": "[1]"})), "fieldsTemplate renders to a list"),
        (create(json!({"fieldsTemplate": "{}", "templateData": 1})), "templateData is a number"),
        (create(json!({"select": {"a": 1}})), "select is a context"),
        (create(json!({"select": "a b"})), "select: 'a b' is no field name"),
        (create(json!({"displayValue": "yes"})), "displayValue 'yes' is not known"),
        (
            create(json!({"connection": "prod"})),
            "connection 'prod' is not known: use one of default",
        ),
        (create(json!({"connection": 1})), "connection is a number"),
    ] {
        let run = refused(variables);
        assert!(run.incident().starts_with("SN_INVALID_INPUT: "), "{}", run.incident());
        assert!(run.incident().contains(said), "{said}: {}", run.incident());
    }
}

#[test]
fn records_are_named_by_sys_id_or_number_never_both() {
    for operation in ["get", "update", "delete"] {
        let with = |more: Value| {
            let mut all = json!({"operation": operation, "table": "incident", "fields": {"a": 1}});
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            refused(all).incident().to_owned()
        };
        assert!(with(json!({})).contains("sysId and number are both missing"));
        assert!(with(json!({"sysId": ID, "number": "INC1"})).contains("are both given"));
        assert!(with(json!({"sysId": "INC1"})).contains("sysId: 'INC1' is no sys_id"));
        assert!(with(json!({"sysId": 5})).contains("sysId is a number"));
        assert!(with(json!({"number": "INC1^active=true"})).contains("'^'"));
        assert!(with(json!({"number": "javascript:gs.now()"})).contains("javascript:"));
    }
}

#[test]
fn numbers_out_of_range_are_said() {
    let find = |limit: Value| json!({"operation": "find", "table": "incident", "limit": limit});
    for limit in [json!(0), json!(10_001), json!(-1), json!(1.5), json!("ten"), json!("1e9")] {
        let run = refused(find(limit));
        assert!(
            run.incident().contains("use a whole number from 1 to 10000"),
            "{}",
            run.incident()
        );
    }
    assert!(refused(find(json!([1]))).incident().contains("limit is a list"));
    for limit in [json!(5), json!("5"), json!(5.0)] {
        let run = run(job(find(limit)), [answer(200, json!({"result": []}))]);
        assert!(run.targets()[0].contains("sysparm_limit=5"));
    }
}

#[test]
fn orders_are_checked() {
    for order in ["a b", "a desc desc", "a^b", "1a"] {
        let run = refused(json!({"operation": "find", "table": "incident", "orderBy": order}));
        assert!(run.incident().contains("orderBy"), "{}", run.incident());
    }
}

#[test]
fn headers_are_read_before_anything_else() {
    for (headers, said) in [
        (json!({"retryBackoff": "soon"}), "header retryBackoff 'soon' is no duration"),
        (json!({"retryBackoff": "P1Y"}), "retryBackoff"),
        (json!({"jobTimeout": "PT0S"}), "header jobTimeout is less than 5 seconds"),
        (json!({"jobTimeout": "PT4.9S"}), "header jobTimeout is less than 5 seconds"),
        (json!({"jobTimeout": "x"}), "header jobTimeout 'x' is no duration"),
        (json!({"resultPaths": "x"}), "header resultPaths is no JSON"),
        (json!({"resultPaths": "[]"}), "header resultPaths is a list"),
        (json!({"resultPaths": "{\"a\": 1}"}), "has a number for 'a'"),
        (json!({"resultPaths": "{\"a\": \"number\"}"}), "invalid path for 'a'"),
        (json!({"bpmnErrors": "SN_NOPE"}), "header bpmnErrors names 'SN_NOPE'"),
    ] {
        let run = refused_with_headers(headers);
        assert!(run.incident().contains(said), "{said}: {}", run.incident());
    }
}

#[test]
fn an_instance_may_stand_among_the_credentials_where_input_mappings_can_put_it() {
    let inputs = |beside: Value, within: Value| {
        json!({
            "operation": "get", "table": "incident", "sysId": ID, "instance": beside,
            "authentication": {"type": "bearer", "token": "tok-en", "instance": within},
        })
    };
    let nowhere = json!("https://evil.example");
    for (beside, within) in
        [(Value::Null, json!("dev9")), (json!("dev9"), json!(" ")), (nowhere, json!("dev9"))]
    {
        let answer = answer(200, json!({"result": {"sys_id": ID}}));
        let run = run(job(inputs(beside, within)), [answer]);
        assert_eq!(run.finished.summary.connection, "inline");
        assert_eq!(run.requests.len(), 1);
    }
    let wrong = refused(inputs(Value::Null, json!(9)));
    assert!(wrong.incident().contains("authentication.instance is a number"));
}

#[test]
fn instances_must_be_allowed() {
    let inline = |instance: &str| {
        json!({
            "operation": "get", "table": "incident", "sysId": ID, "instance": instance,
            "authentication": {"type": "bearer", "token": "tok-en"},
        })
    };
    for instance in
        ["https://evil.example", "service-now.com.evil.example", "10.0.0.1", "localhost"]
    {
        let run = refused(inline(instance));
        assert!(run.incident().contains("is not allowed"), "{}", run.incident());
    }
    for instance in ["http://dev9.service-now.com", "https://u:p@dev9.service-now.com"] {
        assert!(refused(inline(instance)).incident().contains("instance: "));
    }
    let run = run(job(inline("dev9")), [answer(200, json!({"result": {"sys_id": ID}}))]);
    assert_eq!(run.finished.summary.connection, "inline");
    let mut without = inline("dev9");
    without["authentication"] = Value::Null;
    assert!(refused(without).incident().contains("authentication is no context"));
    let mut wrong = inline("dev9");
    wrong["authentication"] = json!({"type": "bearer"});
    assert!(refused(wrong).incident().contains("authentication.token is missing"));
}

#[test]
fn the_rules_of_a_configured_instance_hold_for_it_by_any_name() {
    let mut config = config();
    let connection = config.connections.get_mut("default").unwrap();
    connection.tables.write = vec!["problem".to_owned()];
    let variables = json!({
        "operation": "delete", "table": "incident", "sysId": ID, "instance": "dev1",
        "authentication": {"type": "bearer", "token": "tok-en"},
    });
    let run = run_with(config, secrets(), job(variables), []);
    assert!(run.incident().contains("table 'incident' may not be written"), "{}", run.incident());
}

#[test]
fn hosts_of_connections_and_loopback_are_allowed_as_configured() {
    let mut config = config();
    let instance = Instance::parse("http://127.0.0.1:8080", false).unwrap();
    let local = Connection { instance, ..config.connections["default"].clone() };
    config.connections.insert("local".to_owned(), local);
    let variables = json!({
        "operation": "get", "table": "incident", "sysId": ID, "instance": "http://127.0.0.1:9999",
        "authentication": {"type": "basic", "username": "admin", "password": "admin"},
    });
    let reply = answer(200, json!({"result": {"sys_id": ID, "sys_created_by": "admin"}}));
    let run = run_with(config, secrets(), job(variables), [reply]);
    assert_eq!(run.finished.summary.result, Ok("read"));
}

#[test]
fn a_flow_needs_no_operation_and_takes_no_other() {
    let run = run(flow_job(json!({"operation": "create"})), []);
    assert!(run.incident().contains("operation 'create' is not known: use one of start"));
    let other = Job { job_type: "servicenow:record:9".to_owned(), ..job(json!({})) };
    let run = crate::connector::testing::run(other, []);
    assert!(run.incident().contains("job type 'servicenow:record:9' is not known"));
}

#[test]
fn the_fetched_variables_are_the_public_names() {
    let types = job_types();
    let names: Vec<Vec<_>> =
        types.iter().map(|kind| kind.variables.iter().copied().collect()).collect();
    assert_eq!(types[0].name, "servicenow:record:1");
    assert_eq!(
        names[0],
        [
            "authentication",
            "connection",
            "displayValue",
            "error",
            "fields",
            "fieldsTemplate",
            "instance",
            "limit",
            "matchOn",
            "number",
            "onMissing",
            "operation",
            "orderBy",
            "otherFields",
            "query",
            "select",
            "serviceNowIntent",
            "serviceNowIntentEnd",
            "sysId",
            "table",
            "templateData"
        ]
    );
    assert_eq!(types[1].name, "servicenow:flow:1");
    assert_eq!(
        names[1],
        [
            "authentication",
            "connection",
            "delivery",
            "error",
            "headers",
            "instance",
            "method",
            "operation",
            "path",
            "payload",
            "payloadTemplate",
            "queryParameters",
            "serviceNowIntent",
            "serviceNowIntentEnd",
            "templateData"
        ]
    );
}
