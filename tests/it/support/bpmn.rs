//! Processes to deploy.

/// A file with this in its one process.
pub(crate) fn process(id: &str, body: &str) -> String {
    file(id, body, "")
}

/// The same with messages, signals or errors beside the process.
pub(crate) fn file(id: &str, body: &str, beside: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="file"
    targetNamespace="http://bpmn.io/schema/bpmn">
  <bpmn:process id="{id}" isExecutable="true">{body}</bpmn:process>{beside}
</bpmn:definitions>"#
    )
}

/// Sequence flows along a list of elements.
pub(crate) fn flows(elements: &[&str]) -> String {
    let pairs = elements.windows(2);
    let flows = pairs.map(|pair| {
        let (from, to) = (pair[0], pair[1]);
        format!(r#"<bpmn:sequenceFlow id="{from}-{to}" sourceRef="{from}" targetRef="{to}"/>"#)
    });
    flows.collect()
}

/// A service task of the job type `work`.
pub(crate) fn task() -> &'static str {
    r#"<bpmn:serviceTask id="task"><bpmn:extensionElements>
         <zeebe:taskDefinition type="work" retries="2"/>
         <zeebe:taskHeaders><zeebe:header key="color" value="red"/></zeebe:taskHeaders>
       </bpmn:extensionElements></bpmn:serviceTask>"#
}

/// Start, the task, end.
pub(crate) fn one_task(id: &str) -> String {
    let ends = r#"<bpmn:startEvent id="start"/><bpmn:endEvent id="end"/>"#;
    process(id, &format!("{ends}{}{}", task(), flows(&["start", "task", "end"])))
}

/// Start and end.
pub(crate) fn nothing_to_do(id: &str) -> String {
    let ends = r#"<bpmn:startEvent id="start"/><bpmn:endEvent id="end"/>"#;
    process(id, &format!("{ends}{}", flows(&["start", "end"])))
}

/// The task with a boundary event for the error `NOT_THERE`, and an end of its own behind it.
pub(crate) fn with_error_boundary(id: &str) -> String {
    let body = format!(
        r#"<bpmn:startEvent id="start"/><bpmn:endEvent id="end"/><bpmn:endEvent id="missing"/>
           <bpmn:boundaryEvent id="caught" attachedToRef="task">
             <bpmn:errorEventDefinition errorRef="error"/></bpmn:boundaryEvent>{}{}{}"#,
        task(),
        flows(&["start", "task", "end"]),
        flows(&["caught", "missing"]),
    );
    file(id, &body, r#"<bpmn:error id="error" errorCode="NOT_THERE"/>"#)
}

/// Waits for the message `answer` with the variable `id` as its correlation key.
pub(crate) fn waiting_for_a_message(id: &str) -> String {
    let body = format!(
        r#"<bpmn:startEvent id="start"/><bpmn:endEvent id="end"/>
           <bpmn:intermediateCatchEvent id="wait">
             <bpmn:messageEventDefinition messageRef="message"/></bpmn:intermediateCatchEvent>{}"#,
        flows(&["start", "wait", "end"]),
    );
    let message = r#"<bpmn:message id="message" name="answer"><bpmn:extensionElements>
        <zeebe:subscription correlationKey="=id"/></bpmn:extensionElements></bpmn:message>"#;
    file(id, &body, message)
}

/// Starts by the message `begin`, with the task in it.
pub(crate) fn started_by_a_message(id: &str) -> String {
    let body = format!(
        r#"<bpmn:startEvent id="start"><bpmn:messageEventDefinition messageRef="message"/>
           </bpmn:startEvent><bpmn:endEvent id="end"/>{}{}"#,
        task(),
        flows(&["start", "task", "end"]),
    );
    file(id, &body, r#"<bpmn:message id="message" name="begin"/>"#)
}

/// Starts by the signal `alarm`, with the task in it.
pub(crate) fn started_by_a_signal(id: &str) -> String {
    let body = format!(
        r#"<bpmn:startEvent id="start"><bpmn:signalEventDefinition signalRef="signal"/>
           </bpmn:startEvent><bpmn:endEvent id="end"/>{}{}"#,
        task(),
        flows(&["start", "task", "end"]),
    );
    file(id, &body, r#"<bpmn:signal id="signal" name="alarm"/>"#)
}

/// Waits an hour.
pub(crate) fn waiting_an_hour(id: &str) -> String {
    let body = format!(
        r#"<bpmn:startEvent id="start"/><bpmn:endEvent id="end"/>
           <bpmn:intermediateCatchEvent id="wait"><bpmn:timerEventDefinition>
             <bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>
           </bpmn:intermediateCatchEvent>{}"#,
        flows(&["start", "wait", "end"]),
    );
    process(id, &body)
}
