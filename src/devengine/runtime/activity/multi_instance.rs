//! Multi-instance activities: a body that holds the boundary events and the results, and a
//! run for each item.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::{
    devengine::{
        bpmn::model::{Element, MultiInstance},
        record::Key,
        runtime::{
            Runtime,
            expression::{evaluate, unexpected},
            incident::{Failure, Trouble},
            instance::{Instance, Role, Work},
            json::json,
            step::Step,
            variables::{Document, Variable, input},
        },
    },
    feel::{Expression, Value},
};

/// An output collection up to this length can be seen as it fills; a longer one, which would
/// have to be copied for each run, only by a completion condition and at the end.
const LONGEST_SHOWN: usize = 256;

/// How far a body is.
#[derive(Debug)]
pub(in crate::devengine::runtime) struct Repeat {
    items: Vec<Value>,
    /// Runs that were started; also the loop counter of the last one.
    started: usize,
    completed: usize,
    terminated: usize,
    /// What was collected so far; empty without an output collection.
    outputs: Vec<Json>,
}

impl Runtime {
    /// Reads the collection and starts all runs, or the first.
    pub(in crate::devengine::runtime) fn enter_body(
        &mut self,
        key: Key,
        element: &Element,
    ) -> Result<(), Failure> {
        let Some(multi_instance) = &element.multi_instance else { return Ok(()) };
        let items = self.items(key, &multi_instance.input_collection)?;
        let waits = self.plan_waits(key)?;
        let count = items.len();
        let has_outputs = multi_instance.output_collection.is_some();
        let outputs = vec![Json::Null; if has_outputs { count } else { 0 }];
        let repeat = Repeat { items, started: 0, completed: 0, terminated: 0, outputs };
        self.activate(key, Work::Repeat(repeat));
        self.show_outputs(key, multi_instance);
        let next = if count == 0 { Step::Complete(key) } else { Step::StartRun(key) };
        self.steps.push_back(next);
        self.open_waits(key, waits);
        Ok(())
    }

    fn items(&self, key: Key, collection: &Expression) -> Result<Vec<Value>, Failure> {
        let input = self.input(key);
        let evaluation = evaluate(collection, &input, self.now, Trouble::ExtractValue)?;
        let items = evaluation.value.as_list().map(<[Value]>::to_vec);
        items.ok_or_else(|| unexpected(collection, &evaluation, "ARRAY"))
    }

    /// Starts the next run, and then, unless one waits for the other, the one after it.
    pub(in crate::devengine::runtime) fn start_run(&mut self, body: Key) {
        let Some(place) = self.place(body).filter(|_| !self.is_doomed(body)) else { return };
        let Some(index) = place.role.element() else { return };
        let Some(multi_instance) = &place.definition.element(index).multi_instance else { return };
        let Some(repeat) = self.repeat(body) else { return };
        let Some(item) = repeat.items.get(repeat.started).cloned() else { return };
        repeat.started += 1;
        let is_last = repeat.started == repeat.items.len();
        let variables = run_variables(multi_instance, &item, repeat.started);
        self.spawn(body, Role::Inner(index), |run| run.variables = variables);
        if !multi_instance.sequential && !is_last {
            self.steps.push_back(Step::StartRun(body));
        }
    }

    /// Notes the result of a run, and whether it was one too few.
    pub(in crate::devengine::runtime) fn collect(
        &mut self,
        key: Key,
        element: &Element,
    ) -> Result<(), Failure> {
        let Some(multi_instance) = &element.multi_instance else { return Ok(()) };
        let Some(body) = self.instances.get(&key).and_then(|instance| instance.parent) else {
            return Ok(());
        };
        let output = match &multi_instance.output_element {
            Some(expression) => {
                let input = self.input(key);
                let answer = evaluate(expression, &input, self.now, Trouble::ExtractValue)?;
                self.warn(key, &answer.warnings);
                json(&answer.value)
            }
            None => Json::Null,
        };
        let counter = self.loop_counter(key);
        if let Some(repeat) = self.repeat(body)
            && let Some(place) = counter.and_then(|counter| repeat.outputs.get_mut(counter - 1))
        {
            *place = output;
        }
        let is_short = self.repeat(body).is_some_and(|it| it.outputs.len() <= LONGEST_SHOWN);
        if is_short || multi_instance.completion_condition.is_some() {
            self.show_outputs(body, multi_instance);
        }
        if let Some(condition) = &multi_instance.completion_condition {
            let input = self.condition_input(key, body);
            if self.holds(key, condition, &input)? {
                self.finish_others(body, key);
            }
        }
        Ok(())
    }

    fn loop_counter(&self, run: Key) -> Option<usize> {
        let counter = self.instances.get(&run)?.variables.get("loopCounter")?;
        let counter = counter.value().as_number()?.to_i64()?;
        usize::try_from(counter).ok().filter(|counter| *counter > 0)
    }

    fn repeat(&mut self, body: Key) -> Option<&mut Repeat> {
        match &mut self.instances.get_mut(&body)?.work {
            Work::Repeat(repeat) => Some(repeat),
            _ => None,
        }
    }

    /// What a completion condition sees: the run's variables and the body's figures.
    fn condition_input(&mut self, run: Key, body: Key) -> Value {
        let mut seen = self.visible(run);
        if let Some(repeat) = self.repeat(body) {
            let completed = repeat.completed + 1;
            let active = repeat.started.saturating_sub(completed + repeat.terminated);
            for (name, number) in [
                ("numberOfInstances", repeat.started),
                ("numberOfActiveInstances", active),
                ("numberOfCompletedInstances", completed),
                ("numberOfTerminatedInstances", repeat.terminated),
            ] {
                seen.insert(name.into(), Variable::new(number.into()));
            }
        }
        input(&seen)
    }

    /// The condition holds: the other runs are ended, and no more begin.
    fn finish_others(&mut self, body: Key, run: Key) {
        let Some(instance) = self.instances.get_mut(&body) else { return };
        let others = instance.children.iter().copied().filter(|child| *child != run);
        self.steps.extend(others.map(Step::Terminate));
        if let Work::Repeat(repeat) = &mut instance.work {
            repeat.items.truncate(repeat.started);
        }
        instance.finishing = true;
    }

    /// A run has completed: the next one, or the end.
    pub(in crate::devengine::runtime) fn run_ended(&mut self, body: Key) {
        let Some(place) = self.place(body) else { return };
        let Some(index) = place.role.element() else { return };
        let multi_instance = place.definition.element(index).multi_instance.as_ref();
        let is_sequential = multi_instance.is_some_and(|it| it.sequential);
        let Some(repeat) = self.repeat(body) else { return };
        repeat.completed += 1;
        let is_next = is_sequential && repeat.started < repeat.items.len();
        let is_last = repeat.completed + repeat.terminated >= repeat.items.len();
        if is_next {
            self.start_run(body);
        } else if is_last && let Some(instance) = self.instances.get_mut(&body) {
            instance.finishing = true;
        }
    }

    pub(in crate::devengine::runtime) fn run_terminated(&mut self, body: Key) {
        if let Some(repeat) = self.repeat(body) {
            repeat.terminated += 1;
        }
    }

    /// Sets the output collection at the body.
    fn show_outputs(&mut self, body: Key, multi_instance: &MultiInstance) {
        let Some(name) = &multi_instance.output_collection else { return };
        let Some(repeat) = self.repeat(body) else { return };
        let outputs = Variable::new(Json::Array(repeat.outputs.clone()));
        self.set_local(body, Document::from([(Arc::from(name.as_str()), outputs)]));
    }

    /// The body is done: its collection goes to the scope around it.
    pub(in crate::devengine::runtime) fn hand_on_collection(&mut self, body: Key) {
        let Some(instance) = self.instances.get(&body) else { return };
        let Some(parent) = instance.parent else { return };
        let Some(name) = output_collection(instance) else { return };
        let Some(repeat) = self.repeat(body) else { return };
        let outputs = Variable::new(Json::Array(std::mem::take(&mut repeat.outputs)));
        self.set_local(parent, Document::from([(name, outputs)]));
    }
}

fn output_collection(instance: &Instance) -> Option<Arc<str>> {
    let multi_instance = instance.element()?.multi_instance.as_ref()?;
    multi_instance.output_collection.as_deref().map(Arc::from)
}

/// What a run begins with: its number, its item, and a place of its own for its result.
fn run_variables(multi_instance: &MultiInstance, item: &Value, counter: usize) -> Document {
    let mut variables = Document::new();
    let output = multi_instance.output_element.as_ref().and_then(variable_name);
    if let Some(name) = output {
        variables.insert(name.into(), Variable::null());
    }
    if let Some(name) = &multi_instance.input_element {
        variables.insert(name.as_str().into(), Variable::from(item));
    }
    variables.insert("loopCounter".into(), Variable::new(counter.into()));
    variables
}

/// The variable of an expression that is nothing but a variable, or a path into one.
fn variable_name(expression: &Expression) -> Option<&str> {
    let mut parts = expression.source().split('.').map(str::trim);
    let is_name = |part: &str| {
        part.chars().all(|c| c.is_alphanumeric() || c == '_')
            && part.chars().next().is_some_and(|first| !first.is_ascii_digit())
            && !matches!(part, "null" | "true" | "false")
    };
    let first = parts.next().filter(|part| is_name(part))?;
    parts.all(is_name).then_some(first)
}
