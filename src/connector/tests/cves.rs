//! What went wrong in comparable systems, tried on the core. `docs/fault-table.md` lists them.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    connector::{
        Call, Config, Connector, Finished, HostPattern, SecretScope, Step, TableRules,
        testing::{answer, config, job, job_with, run, run_with, secrets},
    },
    job::Job,
    outcome::Outcome,
    servicenow::Reason,
};

const ID: &str = "6816f79cc0a8016401c5a33be04be441";

/// A job's first call, or its end without any.
fn first(job: Job) -> Result<Call, Box<Finished>> {
    let plan = Connector::new(config()).plan(Arc::new(job))?;
    match plan.start(secrets(), jiff::Timestamp::UNIX_EPOCH) {
        (_, Step::Send(call)) => Ok(call),
        (_, Step::Done(finished)) => Err(finished),
    }
}

/// The variables that an expression makes of a job's result, or what its incident says.
fn result_of(expression: &str) -> Result<Value, String> {
    let variables = json!({"operation": "get", "table": "incident", "sysId": ID});
    let job = job_with(variables, json!({"resultExpression": expression}));
    if let Err(finished) = first(job.clone()) {
        return Err(format!("{:?}", finished.outcome));
    }
    let run = run(job, [answer(200, json!({"result": {"sys_id": ID}}))]);
    match run.finished.outcome {
        Outcome::Complete { variables } => Ok(Value::Object(variables)),
        other => Err(format!("{other:?}")),
    }
}

/// Ways out of an expression language that is a programming language underneath.
const ESCAPES: [&str; 16] = [
    "={a: this.constructor.constructor(\"return process\")()}",
    "={a: \"\".constructor.constructor(\"return process.env\")()}",
    "={a: response.constructor.constructor(\"return 1\")()}",
    "={a: response.__proto__.polluted}",
    "={a: [].__proto__}",
    "={a: process.env.SECRET_SN_PASSWORD}",
    "={a: require(\"child_process\").execSync(\"id\")}",
    "={a: globalThis}",
    "={a: eval(\"1\")}",
    "={a: Function(\"return 1\")()}",
    "={a: T(java.lang.Runtime).getRuntime().exec(\"id\")}",
    "={a: new java.lang.ProcessBuilder(\"id\").start()}",
    "={a: #this.getClass().forName(\"java.lang.Runtime\")}",
    "={a: getClass().getClassLoader()}",
    "={a: env(\"HOME\")}",
    "={a: secrets.SN_PASSWORD}",
];

#[test]
fn cve_2025_68613_2026_1470_2026_25049_2026_72765_2026_22738_expressions_reach_no_host() {
    for expression in ESCAPES {
        match result_of(expression) {
            Ok(variables) => {
                let found = variables["a"].to_string().replace("null", "").replace(['[', ']'], "");
                assert!(found.is_empty(), "{expression} gives {variables}");
            }
            Err(said) => assert!(!said.contains("correct horse"), "{expression}: {said}"),
        }
    }
}

#[test]
fn cve_2026_85165_an_expression_changes_nothing_for_the_next() {
    let before = result_of("={a: string(1), b: abs(-2)}").unwrap();
    drop(result_of("={string: function(x) \"stolen\", abs: null, a: string(1)}"));
    assert_eq!(before, json!({"a": "1", "b": 2}));
    assert_eq!(result_of("={a: string(1), b: abs(-2)}").unwrap(), before);
}

#[test]
fn cve_2026_54307_2026_72763_2026_110850_credentials_go_to_nobody_else() {
    let password = "{{secrets.SN_PASSWORD}}";
    let stolen = first(job(json!({
        "operation": "get", "table": "incident", "sysId": ID, "instance": "attacker-pdi",
        "authentication": {"type": "basic", "username": "u", "password": password},
    })));
    let Outcome::Fail { retries: 0, message, .. } = stolen.unwrap_err().outcome else {
        panic!("no incident")
    };
    assert!(message.contains("belongs to connection 'default'"), "{message}");
}

#[test]
fn camunda_secret_filter_notice_a_variable_names_no_secret() {
    let create = |text: &str| {
        job(json!({
            "operation": "create", "table": "incident", "fields": {"short_description": text},
        }))
    };
    for text in ["{{secrets.SN_PASSWORD}}", "secrets.SN_PASSWORD", "{{ secrets.SN_PASSWORD }}"] {
        let run = run(create(text), [answer(429, json!({}))]);
        assert_eq!(run.requests[0].body.as_ref().unwrap()["short_description"], text);
    }
    let config = Config { secret_scope: SecretScope::Inputs, ..config() };
    let bare = "secrets.SN_PASSWORD";
    let run = run_with(config, secrets(), create(bare), [answer(429, json!({}))]);
    assert_eq!(run.requests[0].body.as_ref().unwrap()["short_description"], bare);
}

#[test]
fn ghsa_jp9j_jr97_w9pj_the_instance_that_is_checked_is_the_one_that_is_called() {
    let named = |beside: &str, within: &str| {
        first(job(json!({
            "operation": "get", "table": "incident", "sysId": ID, "instance": beside,
            "authentication": {"type": "bearer", "token": "t0ken", "instance": within},
        })))
    };
    let called = named("https://evil.example", "dev9").unwrap();
    assert_eq!(called.endpoint.instance.host(), "dev9.service-now.com");
    assert!(named("dev9", "https://evil.example").is_err());
}

#[test]
fn n8n_issue_28035_only_hosts_of_servicenow_are_reached_unless_configured() {
    assert_eq!(Config::default().allowed_hosts, HostPattern::defaults());
    for instance in ["https://127.0.0.1", "https://10.0.0.1", "https://metadata.google.internal"] {
        let refused = first(job(json!({
            "operation": "get", "table": "incident", "sysId": ID, "instance": instance,
            "authentication": {"type": "bearer", "token": "t0ken"},
        })));
        assert_eq!(refused.unwrap_err().summary.result, Err(Reason::InvalidInput), "{instance}");
    }
}

#[test]
fn cve_2026_38428_a_value_stays_a_value_in_a_query() {
    let find = |value: &str| {
        let query = json!({"short_description": value});
        first(job(json!({"operation": "find", "table": "incident", "query": query})))
    };
    for value in ["x^NQsys_idISNOTEMPTY", "x^ORactive=true", "x\njavascript:gs.eval()"] {
        assert_eq!(find(value).unwrap_err().summary.result, Err(Reason::InvalidInput), "{value}");
    }
    let call = find("' OR 1=1 --").unwrap();
    let query = call.request.query.iter().find(|(name, _)| name == "sysparm_query").unwrap();
    assert!(query.1.starts_with("short_description=' OR 1=1 --"), "{query:?}");
    assert!(!query.1.replace("^ORDERBY", "").contains('^'), "{query:?}");
}

#[test]
fn cve_2025_3648_what_may_not_be_read_is_not_counted_either() {
    let mut config = config();
    let rules = TableRules { read: vec!["incident".to_owned()], ..TableRules::default() };
    config.connections.get_mut("default").unwrap().tables = rules;
    for operation in ["count", "find", "get"] {
        let variables = json!({
            "operation": operation, "table": "sys_user", "sysId": ID,
            "query": "user_passwordSTARTSWITHa",
        });
        let run = run_with(config.clone(), secrets(), job(variables), []);
        let said = "table 'sys_user' may not be read";
        assert!(run.incident().contains(said), "{operation}: {}", run.incident());
    }
}

#[test]
fn cve_2026_74795_a_template_that_nests_without_end_ends_in_an_error() {
    let nested = format!("{}x{}", "{{#if a}}".repeat(5_000), "{{/if}}".repeat(5_000));
    let recursive = "{{#*inline \"a\"}}{{> a}}{{/inline}}{{> a}}";
    for template in [nested.as_str(), "{{> self}}", recursive] {
        let refused = first(job(json!({
            "operation": "create", "table": "incident", "fieldsTemplate": template,
            "templateData": {"a": true},
        })));
        assert_eq!(refused.unwrap_err().summary.result, Err(Reason::InvalidInput));
    }
}
