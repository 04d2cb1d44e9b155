//! A process as the dev engine runs it: elements in a flat list, scopes by index.
//!
//! The reader makes it from BPMN XML and refuses what the runtime could not honour, so every
//! index in a [`Process`] is valid and every expression is parsed.

use std::collections::BTreeMap;

use crate::feel::Expression;

/// Index of an element in [`Process::elements`].
pub type ElementIndex = usize;
/// Index of a sequence flow in [`Process::flows`].
pub type FlowIndex = usize;

/// An executable process.
#[derive(Clone, Debug)]
pub struct Process {
    /// The process id, `bpmn:process/@id`.
    pub id: String,
    /// Its name; empty when it has none.
    pub name: String,
    /// All elements of all scopes, in the order of the file.
    pub elements: Vec<Element>,
    /// All sequence flows.
    pub flows: Vec<Flow>,
}

/// A sequence flow.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Its id in the file.
    pub id: String,
    /// Where it comes from.
    pub source: ElementIndex,
    /// Where it goes to.
    pub target: ElementIndex,
    /// Its condition, on the way out of an exclusive or inclusive gateway.
    pub condition: Option<Expression>,
}

/// A flow element that a token can stand on.
#[derive(Clone, Debug)]
pub struct Element {
    /// Its id in the file.
    pub id: String,
    /// Its name; empty when it has none.
    pub name: String,
    /// What it does.
    pub kind: Kind,
    /// The sub-process around it; `None` for the process itself.
    pub scope: Option<ElementIndex>,
    /// Flows that end here.
    pub incoming: Vec<FlowIndex>,
    /// Flows that leave here.
    pub outgoing: Vec<FlowIndex>,
    /// Boundary events that hang on it.
    pub boundary: Vec<ElementIndex>,
    /// `zeebe:input` mappings, in order.
    pub inputs: Vec<Mapping>,
    /// `zeebe:output` mappings, in order.
    pub outputs: Vec<Mapping>,
    /// Runs once an item of a collection.
    pub multi_instance: Option<MultiInstance>,
}

/// What an element does when a token enters it.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Begins the process or a sub-process.
    Start(StartTrigger),
    /// Ends a path.
    End(EndTrigger),
    /// An undefined or manual task, an intermediate throw event without definition, or a
    /// script, which is read as a mapping: passed at once.
    Pass,
    /// A job: service, send, script, business-rule task, message throw event.
    Job(JobWork),
    /// A user task, completed by a command or at once; with a job unless it is a native one
    /// (`zeebe:userTask`).
    User(Option<JobWork>),
    /// A receive task or intermediate message catch event.
    Message(MessageSubscription),
    /// An intermediate timer catch event.
    Timer(Timer),
    /// An intermediate signal catch event.
    Signal(Text),
    /// An intermediate signal throw event.
    BroadcastSignal(Text),
    /// One flow out, the last whose condition holds, else the default; a single
    /// flow out may have no condition.
    Exclusive {
        /// The flow taken when no condition holds.
        default: Option<FlowIndex>,
    },
    /// Every flow out whose condition holds (a fork only: the reader refuses a join, which a
    /// cluster knows).
    Inclusive {
        /// The flow taken when no condition holds.
        default: Option<FlowIndex>,
    },
    /// Waits for all flows in, takes all flows out.
    Parallel,
    /// The first of the catch events behind it wins.
    EventBased,
    /// An embedded sub-process.
    SubProcess,
    /// A sub-process that starts by its own event while its scope runs.
    EventSubProcess {
        /// Its start event.
        start: ElementIndex,
        /// Whether it ends what else runs in its scope.
        interrupting: bool,
    },
    /// Starts another process and waits for its end.
    Call(CalledProcess),
    /// Hangs on an activity.
    Boundary(Boundary),
}

/// What starts a process or event sub-process.
#[derive(Clone, Debug)]
pub enum StartTrigger {
    /// A command, or the token that enters the sub-process.
    None,
    /// A message (process start: no correlation key; event sub-process: with one).
    Message(MessageSubscription),
    /// A signal of that name.
    Signal(Text),
    /// A timer (process: started at deployment; event sub-process: with its scope).
    Timer(Timer),
    /// A BPMN error (event sub-process only).
    Error(ErrorCatch),
}

/// What an end event does besides ending its path.
#[derive(Clone, Debug)]
pub enum EndTrigger {
    /// Nothing.
    None,
    /// Throws a BPMN error with that code.
    Error(Text),
    /// Ends its whole scope.
    Terminate,
    /// A message end event: a job first.
    Job(JobWork),
    /// Broadcasts a signal of that name.
    Signal(Text),
}

/// What a job worker is asked for.
#[derive(Clone, Debug)]
pub struct JobWork {
    /// The job type.
    pub job_type: Text,
    /// Retries a new job gets; 3 unless modelled.
    pub retries: Text,
    /// Task headers.
    pub headers: BTreeMap<String, String>,
    /// Headers to evaluate, by their key: who is to do a user task, and by when.
    pub assignment: Vec<(String, Assignment)>,
}

/// What a user task says of people and dates.
#[derive(Clone, Debug)]
pub enum Assignment {
    /// Somebody.
    Person(Text),
    /// Several, or groups.
    Candidates(Expression),
    /// A date and time.
    Date(Text),
}

/// A message to wait for.
#[derive(Clone, Debug)]
pub struct MessageSubscription {
    /// Its name.
    pub name: Text,
    /// Its correlation key; `None` at a process's start.
    pub correlation_key: Option<Expression>,
}

/// When a timer fires.
#[derive(Clone, Debug)]
pub enum Timer {
    /// After an ISO 8601 duration.
    Duration(Text),
    /// At an ISO 8601 date and time.
    Date(Text),
    /// Again and again, `R3/PT10S`; boundary and start only.
    Cycle(Text),
}

/// A process to call.
#[derive(Clone, Debug)]
pub struct CalledProcess {
    /// Its id.
    pub process_id: Text,
    /// Whether all variables of the called process come back; true unless modelled.
    pub propagate_all_child_variables: bool,
    /// Whether all variables go in; true unless modelled.
    pub propagate_all_parent_variables: bool,
}

/// An event at the edge of an activity.
#[derive(Clone, Debug)]
pub struct Boundary {
    /// The activity.
    pub attached_to: ElementIndex,
    /// Whether it ends the activity.
    pub interrupting: bool,
    /// What it waits for.
    pub trigger: BoundaryTrigger,
}

/// What a boundary event waits for.
#[derive(Clone, Debug)]
pub enum BoundaryTrigger {
    /// A message.
    Message(MessageSubscription),
    /// A timer.
    Timer(Timer),
    /// A signal of that name.
    Signal(Text),
    /// A BPMN error.
    Error(ErrorCatch),
}

/// Which BPMN errors are caught.
#[derive(Clone, Debug)]
pub struct ErrorCatch {
    /// The code; `None` catches every error.
    pub code: Option<String>,
}

/// A collection to run over.
#[derive(Clone, Debug)]
pub struct MultiInstance {
    /// One after the other.
    pub sequential: bool,
    /// The list.
    pub input_collection: Expression,
    /// The variable that holds the item.
    pub input_element: Option<String>,
    /// The variable that collects results.
    pub output_collection: Option<String>,
    /// What is collected of each run.
    pub output_element: Option<Expression>,
    /// Ends the rest early once it is true.
    pub completion_condition: Option<Expression>,
}

/// An input or output mapping.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// A FEEL expression or a fixed text.
    pub source: Text,
    /// Where it goes: a variable, or a path `a.b` that is merged into `a`; never empty.
    pub target: Vec<String>,
}

/// An attribute that takes a fixed text or, after `=`, a FEEL expression.
#[derive(Clone, Debug)]
pub enum Text {
    /// As it stands.
    Fixed(String),
    /// To be evaluated when its element is entered.
    Expression(Expression),
}
