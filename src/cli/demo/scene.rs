//! The demo's scenes: a bundled process each, what happens around it, and how it must end.

use serde_json::{Value, json};

use crate::{
    job::Variables,
    sandbox::{CutPoint, Fault, Match, Sandbox},
};

/// How long a message waits for its process.
const TIME_TO_LIVE_MS: u64 = 60_000;

/// One process, run once.
pub(super) struct Scene {
    /// Id of the process, name of its file.
    pub(super) process: &'static str,
    /// The BPMN file.
    pub(super) bpmn: &'static str,
    /// What it shows.
    pub(super) title: &'static str,
    /// What the instance starts with.
    pub(super) variables: Value,
    /// What goes wrong, in words and for the sandbox.
    pub(super) fault: Option<(&'static str, Match, Fault)>,
    /// What ServiceNow sends to the waiting process.
    pub(super) callback: Option<Callback>,
    /// Looks at the variables at the end and at the sandbox: what came of it, or what differs.
    pub(super) verdict: fn(&Variables, &Sandbox) -> Result<String, String>,
}

/// What brings a waiting process on.
pub(super) struct Callback {
    /// The element whose job precedes it.
    pub(super) after: &'static str,
    /// What happens, in words.
    pub(super) story: &'static str,
    /// What happens.
    pub(super) event: Event,
}

/// Something that happens outside the process.
pub(super) enum Event {
    /// Somebody changes the record that the process has made; a business rule of its table
    /// tells the process.
    Changed {
        /// The table.
        table: &'static str,
        /// The fields that change.
        fields: Value,
        /// The rule, but for the address it calls.
        rule: Value,
    },
    /// A flow, or another system, sends this message itself.
    Sent(Value),
}

/// A business rule that publishes a message when a field gets a value, whoever did it but the
/// worker.
fn rule(
    name: &str,
    table: &str,
    (field, value): (&str, &str),
    message: &str,
    tells: &str,
) -> Value {
    json!({
        "name": name, "table": table, "when": ["update"], "changes": [field],
        "condition": format!("{field}={value}"), "unlessUser": "admin",
        "body": {
            "name": message, "correlationKey": "${sys_id}", "messageId": "${event.key}",
            "timeToLive": TIME_TO_LIVE_MS, "variables": {tells: format!("${{{tells}}}")},
        },
        "retry": {"tries": 3, "delaysMs": [100, 500]},
    })
}

macro_rules! bundled {
    ($name:literal) => {
        include_str!(concat!("../../../examples/", $name, ".bpmn"))
    };
}

/// All scenes, in the order they are told.
pub(super) fn all() -> [Scene; 8] {
    [plain(), lost_answer(), manage(), on_error(), flow(), change(), catalog_task(), mirror()]
}

fn plain() -> Scene {
    Scene {
        process: "create-incident",
        bpmn: bundled!("create-incident"),
        title: "a service task creates an incident",
        variables: json!({"subject": "Disk full on db01"}),
        fault: None,
        callback: None,
        verdict: |variables, sandbox| {
            same("outcome", text(variables, "/serviceNow/outcome"), "created")?;
            one_record(variables, sandbox, "incident", "Disk full on db01")
        },
    }
}

fn lost_answer() -> Scene {
    let insert = Match::on("POST", "incident");
    let lost = Fault::Cut(CutPoint::AfterCommit);
    Scene {
        title: "the same, but ServiceNow's answer is lost after the insert",
        variables: json!({"subject": "Mail queue is stuck"}),
        fault: Some((
            "the sandbox will insert the record and then cut the connection",
            insert,
            lost,
        )),
        verdict: |variables, sandbox| {
            same("outcome", text(variables, "/serviceNow/outcome"), "adopted")?;
            one_record(variables, sandbox, "incident", "Mail queue is stuck")
        },
        ..plain()
    }
}

fn manage() -> Scene {
    Scene {
        process: "manage-records",
        bpmn: bundled!("manage-records"),
        title: "create, read, update, find and delete in any table",
        variables: json!({"wanted": {
            "table": "problem",
            "fields": {"short_description": "Printers lose their queues", "urgency": 2},
            "changes": {"work_notes": "Seen on three floors"},
        }}),
        fault: None,
        callback: None,
        verdict: |variables, sandbox| {
            same("updated", text(variables, "/updated"), "updated")?;
            same("deleted", text(variables, "/deleted"), "deleted")?;
            same("found", &variables["found"].to_string(), "1")?;
            let left =
                having(sandbox, "problem", "short_description", "Printers lose their queues");
            same("records left", &left.to_string(), "0")?;
            Ok(format!("{} came and went", text(variables, "/ticket")))
        },
    }
}

fn on_error() -> Scene {
    Scene {
        process: "incident-on-error",
        bpmn: bundled!("incident-on-error"),
        title: "a failed step becomes a BPMN error, and that an incident record",
        variables: json!({"server": "00000000000000000000000000000000"}),
        fault: None,
        callback: None,
        verdict: |variables, sandbox| {
            let subject = "Process step failed: SN_RECORD_NOT_FOUND";
            one_record(variables, sandbox, "incident", subject)
        },
    }
}

fn flow() -> Scene {
    Scene {
        process: "flow-with-callback",
        bpmn: bundled!("flow-with-callback"),
        title: "start a flow, wait for its callback",
        variables: json!({"user": "abel.tuter", "request": "REQ-4711"}),
        fault: None,
        callback: Some(Callback {
            after: "flow",
            story: "the flow has done its work and calls back",
            event: Event::Sent(json!({
                "name": "servicenow.flow.done", "correlationKey": "REQ-4711",
                "timeToLive": TIME_TO_LIVE_MS, "variables": {"granted": true},
            })),
        }),
        verdict: |variables, sandbox| {
            same("granted", &variables["granted"].to_string(), "true")?;
            let execution = text(variables, "/execution");
            let known = sandbox.flows().iter().any(|flow| flow.execution_id == execution);
            if known { Ok(format!("flow {execution}")) } else { Err("no such flow".to_owned()) }
        },
    }
}

fn change() -> Scene {
    Scene {
        process: "change-approval",
        bpmn: bundled!("change-approval"),
        title: "create a change, wait for its approval",
        variables: json!({"summary": "Replace the core switch", "reason": "It is ten years old"}),
        fault: None,
        callback: Some(Callback {
            after: "create",
            story: "the change board approves",
            event: Event::Changed {
                table: "change_request",
                fields: json!({"approval": "approved"}),
                rule: rule(
                    "change approved",
                    "change_request",
                    ("approval", "approved"),
                    "servicenow.change.approval",
                    "approval",
                ),
            },
        }),
        verdict: |variables, sandbox| {
            same("approval", text(variables, "/approval"), "approved")?;
            one_record(variables, sandbox, "change_request", "Replace the core switch")
        },
    }
}

fn catalog_task() -> Scene {
    Scene {
        process: "catalog-task",
        bpmn: bundled!("catalog-task"),
        title: "people do the work, in ServiceNow",
        variables: json!({"person": "Beth Anglin"}),
        fault: None,
        callback: Some(Callback {
            after: "create",
            story: "a technician closes the task",
            event: Event::Changed {
                table: "sc_task",
                fields: json!({"state": "3", "close_notes": "Laptop is at the reception"}),
                rule: rule(
                    "catalog task closed",
                    "sc_task",
                    ("state", "3"),
                    "servicenow.catalog_task.closed",
                    "close_notes",
                ),
            },
        }),
        verdict: |variables, sandbox| {
            same("notes", text(variables, "/notes"), "Laptop is at the reception")?;
            one_record(variables, sandbox, "sc_task", "Prepare a laptop for Beth Anglin")
        },
    }
}

fn mirror() -> Scene {
    let ticket = |state| json!({"id": "T-42", "title": "VPN drops at noon", "state": state, "forwarded": true});
    Scene {
        process: "ticket-mirror",
        bpmn: bundled!("ticket-mirror"),
        title: "mirror a ticket of another system until it is closed",
        variables: json!({"mode": "always", "ticket": ticket(2)}),
        fault: None,
        callback: Some(Callback {
            after: "mirror",
            story: "the other system closes its ticket",
            event: Event::Sent(json!({
                "name": "servicenow.ticket.changed", "correlationKey": "T-42",
                "timeToLive": TIME_TO_LIVE_MS, "variables": {"ticket": ticket(7)},
            })),
        }),
        verdict: |variables, sandbox| {
            same("outcome", text(variables, "/serviceNow/outcome"), "updated")?;
            one_record(variables, sandbox, "incident", "VPN drops at noon")
        },
    }
}

fn text<'v>(variables: &'v Variables, pointer: &str) -> &'v str {
    let mut keys = pointer.split('/').skip(1);
    let first = keys.next().and_then(|key| variables.get(key));
    let found = keys.fold(first, |value, key| value.and_then(|value| value.get(key)));
    found.and_then(Value::as_str).unwrap_or("nothing")
}

fn same(what: &str, is: &str, should: &str) -> Result<(), String> {
    if is == should { Ok(()) } else { Err(format!("{what} is {is} where {should} is due")) }
}

fn having(sandbox: &Sandbox, table: &str, field: &str, value: &str) -> usize {
    let matching = |record: &&serde_json::Map<String, Value>| {
        record.get(field).and_then(Value::as_str) == Some(value)
    };
    sandbox.records(table).iter().filter(matching).count()
}

/// There is exactly one record of that subject, and it is the one that the process knows.
fn one_record(
    variables: &Variables,
    sandbox: &Sandbox,
    table: &str,
    subject: &str,
) -> Result<String, String> {
    let count = having(sandbox, table, "short_description", subject);
    same(&format!("number of {table} records '{subject}'"), &count.to_string(), "1")?;
    let sys_id = text(variables, "/serviceNow/sysId");
    same("sys_id's records", &having(sandbox, table, "sys_id", sys_id).to_string(), "1")?;
    Ok(format!("{} ({sys_id})", text(variables, "/serviceNow/number")))
}
