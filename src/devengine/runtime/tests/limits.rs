//! Nothing goes on for ever, and nothing that was waiting is lost by it.

use jiff::Timestamp;

use super::super::{Options, Runtime};
use super::script::{START, deployables};
use crate::devengine::record::{Event, NewInstance, ProcessRef, Variables};

fn now() -> Timestamp {
    START.parse().unwrap()
}

fn runtime(body: &str, step_limit: usize) -> Runtime {
    let options = Options { step_limit, complete_user_tasks_at_once: true };
    let mut runtime = Runtime::new(options);
    runtime.deploy(deployables(body), now()).unwrap();
    runtime
}

fn start(runtime: &mut Runtime) {
    let process = ProcessRef::Latest("p".to_owned());
    let new = NewInstance { process, variables: Variables::new(), business_id: None };
    runtime.create_instance(new, now()).unwrap();
}

/// Whoever has user tasks done at once has taken the only pause out of these.
const LOOP: &str = r#"
<startEvent id="s"/><exclusiveGateway id="g"/><userTask id="t"/>
s -> g -> t -> g
"#;

const DOUBLING: &str = r#"
<startEvent id="s"/><exclusiveGateway id="g"/><userTask id="t"/><task id="u"/>
s -> g -> t -> g
t -> u -> g
"#;

#[test]
fn a_loop_without_waiting_ends_in_one_incident_and_goes_on_when_resolved() {
    let mut runtime = runtime(LOOP, 100);
    start(&mut runtime);
    let incidents = runtime.incidents();
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].kind, "STEP_LIMIT");
    assert!(["g", "t"].contains(&incidents[0].element_id.as_str()));

    runtime.resolve_incident(incidents[0].key, now()).unwrap();
    let again = runtime.incidents();
    assert_eq!(again.len(), 1);
    assert_ne!(again[0].key, incidents[0].key);

    let instance = runtime.instances()[0].key;
    runtime.cancel(instance, now()).unwrap();
    assert!(runtime.instances().is_empty());
    assert!(runtime.incidents().is_empty());
}

#[test]
fn a_process_that_doubles_its_tokens_is_stopped_with_one_incident() {
    let mut runtime = runtime(DOUBLING, 10_000);
    start(&mut runtime);
    assert_eq!(runtime.incidents().len(), 1);
    let instance = runtime.instances()[0].key;
    runtime.cancel(instance, now()).unwrap();
    assert!(runtime.instances().is_empty());
}

#[test]
fn a_process_that_calls_itself_is_stopped_at_the_deepest_level() {
    let mut runtime = runtime(
        r#"
<startEvent id="s"/>
<callActivity id="c"><extensionElements><z:calledElement processId="p"/></extensionElements></callActivity>
s -> c
"#,
        100_000,
    );
    start(&mut runtime);
    let incidents = runtime.incidents();
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].kind, "CALLED_ELEMENT_ERROR");
    assert_eq!(runtime.instances().len(), 1_001);
    let root = runtime.instances()[0].key;
    runtime.cancel(root, now()).unwrap();
    assert!(runtime.instances().is_empty());
}

#[test]
fn a_signal_that_starts_its_own_thrower_is_stopped() {
    let mut runtime = runtime(
        r#"
<startEvent id="s"><signalEventDefinition signalRef="g"/></startEvent>
<endEvent id="e"><signalEventDefinition signalRef="g"/></endEvent>
s -> e
--
<signal id="g" name="go"/>
"#,
        300,
    );
    runtime.broadcast("go", Variables::new(), now());
    assert_eq!(runtime.incidents().len(), 1);
}

#[test]
fn missed_cycles_fire_in_portions() {
    let mut runtime = runtime(
        r#"
<startEvent id="s"><timerEventDefinition><timeCycle>R/PT1S</timeCycle></timerEventDefinition></startEvent>
<endEvent id="e"/>
s -> e
"#,
        100_000,
    );
    let later = now() + jiff::SignedDuration::from_hours(1);
    runtime.advance(later);
    let started = |events: Vec<Event>| {
        events.iter().filter(|event| matches!(event, Event::InstanceStarted { .. })).count()
    };
    assert_eq!(started(runtime.drain_events()), 1_000);
    assert!(runtime.next_due().unwrap() < later);
    while runtime.next_due().unwrap() <= later {
        runtime.advance(later);
    }
    assert_eq!(started(runtime.drain_events()), 3_600 - 1_000);
}

#[test]
fn ten_thousand_items_run_in_reasonable_time() {
    let mut runtime = runtime(
        r#"
<startEvent id="s"/>
<task id="t"><multiInstanceLoopCharacteristics><extensionElements>
  <z:loopCharacteristics inputCollection="=for i in 1..10000 return i" inputElement="item" outputCollection="all" outputElement="=item * 2"/>
</extensionElements></multiInstanceLoopCharacteristics></task>
<endEvent id="e"/>
s -> t -> e
"#,
        100_000,
    );
    start(&mut runtime);
    let ended = runtime.drain_events().into_iter().find_map(|event| match event {
        Event::InstanceEnded { variables, .. } => Some(variables),
        _ => None,
    });
    let all = ended.unwrap()["all"].as_array().unwrap().clone();
    assert_eq!((all.len(), all[9_999].as_i64()), (10_000, Some(20_000)));
}
