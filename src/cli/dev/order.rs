//! What a developer may ask of a running `dev`: at its prompt, or as a second command.

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    devengine::{
        DevEngine,
        record::{Incident, Message, NewInstance, ProcessRef, Refusal, Variables},
        runtime::InstanceView,
    },
    outcome,
};

/// How long a published message waits for somebody to take it.
const TIME_TO_LIVE_MS: i64 = 3_600_000;

/// Longest text of an instance's variables.
const VARIABLES: usize = 1_000;

/// How orders are written at the prompt.
pub(super) const USAGE: &str = "start PROCESS [VARIABLES]   message NAME KEY [VARIABLES]   \
    signal NAME [VARIABLES]\ncomplete INSTANCE ELEMENT [VARIABLES]   instances   incidents   \
    resolve INCIDENT   cancel INSTANCE   quit";

/// One order. Variables are a JSON object.
#[derive(Clone, Debug, PartialEq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Order {
    /// Start an instance of a process.
    Start {
        /// Id of the process.
        process: String,
        /// Its variables.
        #[arg(value_parser = variables)]
        variables: Option<Map<String, Value>>,
    },
    /// Publish a message; it waits an hour for its process.
    Message {
        /// The message's name.
        name: String,
        /// The correlation key; "" for a message start event.
        key: String,
        /// Its variables.
        #[arg(value_parser = variables)]
        variables: Option<Map<String, Value>>,
    },
    /// Broadcast a signal.
    Signal {
        /// The signal's name.
        name: String,
        /// Its variables.
        #[arg(value_parser = variables)]
        variables: Option<Map<String, Value>>,
    },
    /// Complete a user task.
    Complete {
        /// Key of the process instance.
        instance: i64,
        /// Id of the user task.
        element: String,
        /// What the user entered.
        #[arg(value_parser = variables)]
        variables: Option<Map<String, Value>>,
    },
    /// List running process instances.
    Instances,
    /// List open incidents.
    Incidents,
    /// Try again what raised an incident.
    Resolve {
        /// Key of the incident.
        incident: i64,
    },
    /// Cancel a process instance.
    Cancel {
        /// Its key.
        instance: i64,
    },
}

fn variables(text: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err("variables are a JSON object, e.g. {\"amount\": 3}".to_owned()),
        Err(error) => Err(format!("variables are no JSON ({error}), e.g. {{\"amount\": 3}}")),
    }
}

impl Order {
    /// Reads a line of the prompt. What follows the fixed words is the variables.
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let (word, rest) = cut(line);
        match word {
            "start" => {
                let (process, rest) = named(rest, "the process's id")?;
                Ok(Self::Start { process, variables: optional(rest)? })
            }
            "message" => {
                let (name, rest) = named(rest, "the message's name")?;
                let (key, rest) = named(rest, "the correlation key, or \"\"")?;
                let key = if key == "\"\"" { String::new() } else { key };
                Ok(Self::Message { name, key, variables: optional(rest)? })
            }
            "signal" => {
                let (name, rest) = named(rest, "the signal's name")?;
                Ok(Self::Signal { name, variables: optional(rest)? })
            }
            "complete" => {
                let (instance, rest) = keyed(rest, "the process instance's key")?;
                let (element, rest) = named(rest, "the user task's id")?;
                Ok(Self::Complete { instance, element, variables: optional(rest)? })
            }
            "instances" => Ok(Self::Instances),
            "incidents" => Ok(Self::Incidents),
            "resolve" => Ok(Self::Resolve { incident: keyed(rest, "the incident's key")?.0 }),
            "cancel" => Ok(Self::Cancel { instance: keyed(rest, "the instance's key")?.0 }),
            other => Err(format!("'{other}' is no order; orders are:\n{USAGE}")),
        }
    }

    /// Carries the order out; answers what to show.
    pub(super) fn carry_out(self, engine: &DevEngine) -> Result<String, String> {
        let given = Option::<Variables>::unwrap_or_default;
        let words = |refusal: Refusal| refusal.to_string();
        match self {
            Self::Start { process, variables } => {
                let new = NewInstance {
                    process: ProcessRef::Latest(process),
                    variables: given(variables),
                    business_id: None,
                };
                let created = engine.create_instance(new).map_err(words)?;
                Ok(format!("instance {} of '{}'", created.key, created.process_id))
            }
            Self::Message { name, key, variables } => {
                let message = Message {
                    name,
                    correlation_key: key,
                    time_to_live_ms: TIME_TO_LIVE_MS,
                    message_id: String::new(),
                    variables: given(variables),
                };
                Ok(format!("message {}", engine.publish(message).map_err(words)?))
            }
            Self::Signal { name, variables } => {
                Ok(format!("signal {}", engine.broadcast(&name, given(variables))))
            }
            Self::Complete { instance, element, variables } => {
                engine.complete_user_task(instance, &element, given(variables)).map_err(words)?;
                Ok(format!("'{element}' completed"))
            }
            Self::Instances => Ok(instances(engine)),
            Self::Incidents => Ok(list(&engine.incidents(), incident, "no incidents")),
            Self::Resolve { incident } => resolve(engine, incident),
            Self::Cancel { instance } => {
                engine.cancel(instance).map_err(words)?;
                Ok(format!("instance {instance} cancelled"))
            }
        }
    }
}

/// A job that has no retries left gets one first, as an operator would give it.
fn resolve(engine: &DevEngine, key: i64) -> Result<String, String> {
    let open = engine.incidents();
    let incident = open.iter().find(|incident| incident.key == key);
    if let Some(job) = incident.and_then(|incident| incident.job) {
        engine.update_retries(job, 1).map_err(|refusal| refusal.to_string())?;
    }
    engine.resolve(key).map_err(|refusal| refusal.to_string())?;
    Ok(format!("incident {key} resolved"))
}

/// An incident on one line.
pub(super) fn incident(incident: &Incident) -> String {
    format!(
        "{} {} at '{}' of {} ({}): {}",
        incident.key,
        incident.kind,
        incident.element_id,
        incident.process_id,
        incident.instance,
        incident.message
    )
}

fn instances(engine: &DevEngine) -> String {
    list(&engine.instances(), instance, "no instances")
}

/// A running instance on one line.
fn instance(view: &InstanceView) -> String {
    let mut line = format!("{} '{}' version {}", view.key, view.process_id, view.version);
    let mut add = |text: String| line.push_str(&text);
    if let Some(parent) = view.parent {
        add(format!(" called by {parent}"));
    }
    if let Some(id) = &view.business_id {
        add(format!(" with business id '{id}'"));
    }
    for (index, element) in view.elements.iter().enumerate() {
        add(format!("{} '{}'", if index == 0 { " at" } else { "," }, element.id));
        if let Some(incident) = element.incident {
            add(format!(" (incident {incident})"));
        }
    }
    let variables = Value::Object(view.variables.clone()).to_string();
    add(format!(" with {}", outcome::cut(&variables, VARIABLES)));
    line
}

fn list<T>(items: &[T], line: impl Fn(&T) -> String, none: &str) -> String {
    if items.is_empty() {
        return none.to_owned();
    }
    items.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn cut(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once(char::is_whitespace).map_or((text, ""), |(word, rest)| (word, rest.trim()))
}

fn named<'t>(text: &'t str, what: &str) -> Result<(String, &'t str), String> {
    match cut(text) {
        ("", _) => Err(format!("{what} is missing; orders are:\n{USAGE}")),
        (word, rest) => Ok((word.to_owned(), rest)),
    }
}

fn keyed<'t>(text: &'t str, what: &str) -> Result<(i64, &'t str), String> {
    let (word, rest) = named(text, what)?;
    let key = word.parse().map_err(|_| format!("{what} is a number, not '{word}'"))?;
    Ok((key, rest))
}

fn optional(text: &str) -> Result<Option<Map<String, Value>>, String> {
    if text.is_empty() { Ok(None) } else { variables(text).map(Some) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{InstanceView, Order, instance};
    use crate::devengine::runtime::ElementView;

    #[test]
    fn orders_are_read_with_their_variables() {
        let variables = json!({"a b": 1}).as_object().cloned();
        let start = Order::Start { process: "order".to_owned(), variables: variables.clone() };
        assert_eq!(Order::parse(" start  order {\"a b\": 1} "), Ok(start));
        let message = Order::Message { name: "paid".to_owned(), key: String::new(), variables };
        assert_eq!(Order::parse("message paid \"\" {\"a b\": 1}"), Ok(message));
        assert_eq!(Order::parse("resolve 7"), Ok(Order::Resolve { incident: 7 }));
    }

    #[test]
    fn an_instance_is_a_line_with_where_it_is_and_its_variables() {
        let element = |id: &str, incident| ElementView { key: 9, id: id.to_owned(), incident };
        let view = InstanceView {
            key: 7,
            process_id: "order".to_owned(),
            version: 2,
            parent: Some(3),
            business_id: Some("INC1".to_owned()),
            variables: json!({"n": 1}).as_object().cloned().unwrap_or_default(),
            elements: vec![element("pay", Some(11)), element("ship", None)],
        };
        assert_eq!(
            instance(&view),
            "7 'order' version 2 called by 3 with business id 'INC1' at 'pay' (incident 11), \
             'ship' with {\"n\":1}"
        );
    }

    #[test]
    fn a_wrong_order_says_what_is_wrong() {
        for (line, says) in [
            ("go", "'go' is no order"),
            ("start", "the process's id is missing"),
            ("start order [1]", "variables are a JSON object"),
            ("start order {a: 1}", "variables are no JSON"),
            ("resolve x", "is a number, not 'x'"),
        ] {
            let error = Order::parse(line).unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
    }
}
