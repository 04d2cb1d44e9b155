//! What a template is made of. Words are those of Camunda's element templates; what a
//! template of ours never needs cannot be said.
#![deny(clippy::disallowed_types)]

/// An element template.
#[derive(Clone, Debug)]
pub struct Template {
    /// The last part of its id, and of its file's name.
    pub name: String,
    /// What modelers look for.
    pub label: String,
    /// One sentence below the label.
    pub description: String,
    /// Raised with every change, so that the modeler offers the update.
    pub version: u32,
    /// Where to read more.
    pub documentation: &'static str,
    /// Further words to find it by.
    pub keywords: Vec<&'static str>,
    /// What it turns an element into.
    pub element: Element,
    /// Its fields, in the order in which they are shown.
    pub groups: Vec<Group>,
}

/// The BPMN element that a template makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// A service task.
    ServiceTask,
    /// A start event that waits for a message.
    MessageStartEvent,
    /// An intermediate event that waits for a message.
    MessageCatchEvent,
    /// A boundary event that waits for a message.
    MessageBoundaryEvent,
    /// A task that waits for a message.
    ReceiveTask,
    /// A start event that waits for a signal.
    SignalStartEvent,
}

/// Fields under one heading.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its id within the template.
    pub id: &'static str,
    /// Its heading.
    pub label: String,
    /// Whether it is open at first.
    pub is_open: bool,
    /// Its fields.
    pub properties: Vec<Property>,
}

/// A field, or a fixed value without one.
#[derive(Clone, Debug)]
pub struct Property {
    /// What conditions name it by; unique within the template.
    pub id: String,
    /// Text above the field.
    pub label: String,
    /// Text below the field.
    pub help: String,
    /// Text shown over the label.
    pub tooltip: String,
    /// Text inside the empty field.
    pub placeholder: String,
    /// How it is edited.
    pub kind: Kind,
    /// Its value at first.
    pub value: Option<String>,
    /// Where the value goes.
    pub binding: Binding,
    /// When it applies: all of these; none means always.
    pub conditions: Vec<Condition>,
    /// What is demanded of the value.
    pub constraint: Constraint,
}

/// How a property is edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A line of text.
    Line(Feel),
    /// Several lines of text.
    Area(Feel),
    /// One of a few values.
    Choice(Vec<Choice>),
    /// Not at all: the value is fixed.
    Fixed,
}

/// Whether a text may be an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feel {
    /// Never.
    No,
    /// The modeler may switch.
    Optional,
    /// Always.
    Required,
}

/// A value to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is shown.
    pub label: String,
    /// What is stored.
    pub value: String,
}

/// Where a value goes in the BPMN file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Binding {
    /// An input mapping, by its target.
    Input(String),
    /// A task header.
    Header(&'static str),
    /// The job type.
    JobType,
    /// The job's retries.
    Retries,
    /// Our own metadata: a choice of the modeler's that decides which fields are shown and
    /// is none of the engine's business.
    Metadata(&'static str),
    /// The name of the message waited for.
    MessageName,
    /// The correlation key of the message waited for.
    CorrelationKey,
    /// The name of the signal waited for.
    SignalName,
}

/// One thing that must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// A property has one of these values.
    OneOf(String, Vec<String>),
    /// A property does not apply.
    Inactive(String),
}

/// What is demanded of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Constraint {
    /// Nothing; an empty one is left out of the BPMN file.
    #[default]
    Optional,
    /// That it is there.
    Required,
    /// That it is there and looks like this. A pattern for what may be empty cannot be had:
    /// modelers match it against the absent value as well.
    Pattern(&'static str, &'static str),
}

impl Template {
    /// The id that BPMN files name it by.
    pub fn id(&self) -> String {
        format!("servicenow-worker.{}", self.name)
    }

    /// The stem of its file's name.
    pub fn stem(&self) -> String {
        format!("servicenow-{}", self.name)
    }

    /// All properties, group by group.
    pub fn properties(&self) -> impl Iterator<Item = &Property> {
        self.groups.iter().flat_map(|group| &group.properties)
    }

    /// Whether it makes a task that the worker does.
    pub fn is_job(&self) -> bool {
        self.element == Element::ServiceTask
    }
}

impl Group {
    /// A group that is open at first.
    pub fn open(id: &'static str, label: &str, properties: Vec<Property>) -> Self {
        Self { id, label: label.to_owned(), is_open: true, properties }
    }

    /// A group that is closed at first.
    pub fn closed(id: &'static str, label: &str, properties: Vec<Property>) -> Self {
        Self { is_open: false, ..Self::open(id, label, properties) }
    }

    /// The same for when a property has one of these values.
    #[must_use]
    pub fn when(mut self, property: &str, values: &[&str]) -> Self {
        self.properties =
            self.properties.into_iter().map(|item| item.when(property, values)).collect();
        self
    }
}

impl Choice {
    /// A value and what is shown for it.
    pub fn new(label: &str, value: &str) -> Self {
        Self { label: label.to_owned(), value: value.to_owned() }
    }
}

impl Property {
    fn new(id: &str, kind: Kind, binding: Binding) -> Self {
        Self {
            id: id.to_owned(),
            label: String::new(),
            help: String::new(),
            tooltip: String::new(),
            placeholder: String::new(),
            kind,
            value: None,
            binding,
            conditions: Vec::new(),
            constraint: Constraint::default(),
        }
    }

    /// A line of text that may be an expression.
    pub fn line(id: &str, binding: Binding, label: &str) -> Self {
        Self::new(id, Kind::Line(Feel::Optional), binding).labelled(label)
    }

    /// A line of text as it is.
    pub fn plain(id: &str, binding: Binding, label: &str) -> Self {
        Self::new(id, Kind::Line(Feel::No), binding).labelled(label)
    }

    /// Several lines of text that may be an expression.
    pub fn area(id: &str, binding: Binding, label: &str) -> Self {
        Self::new(id, Kind::Area(Feel::Optional), binding).labelled(label)
    }

    /// Several lines of text as they are.
    pub fn text(id: &str, binding: Binding, label: &str) -> Self {
        Self::new(id, Kind::Area(Feel::No), binding).labelled(label)
    }

    /// An expression.
    pub fn expression(id: &str, binding: Binding, label: &str) -> Self {
        Self::new(id, Kind::Area(Feel::Required), binding).labelled(label)
    }

    /// One of these values, the first at first.
    pub fn choice(id: &str, binding: Binding, label: &str, choices: Vec<Choice>) -> Self {
        let first = choices.first().map(|choice| choice.value.clone());
        let choice = Self::new(id, Kind::Choice(choices), binding).labelled(label).required();
        Self { value: first, ..choice }
    }

    /// A fixed value.
    pub fn fixed(id: &str, binding: Binding, value: &str) -> Self {
        Self::new(id, Kind::Fixed, binding).starting(value)
    }

    fn labelled(mut self, label: &str) -> Self {
        label.clone_into(&mut self.label);
        self
    }

    /// The same with a text below the field.
    #[must_use]
    pub fn help(mut self, help: &str) -> Self {
        help.clone_into(&mut self.help);
        self
    }

    /// The same with a text over the label, for what a modeler rarely touches: help that is
    /// in sight takes room, and the panel is to stay short.
    #[must_use]
    pub fn tooltip(mut self, tooltip: &str) -> Self {
        tooltip.clone_into(&mut self.tooltip);
        self
    }

    /// The same with a text inside the empty field.
    #[must_use]
    pub fn placeholder(mut self, placeholder: &str) -> Self {
        placeholder.clone_into(&mut self.placeholder);
        self
    }

    /// The same with this value at first.
    #[must_use]
    pub fn starting(mut self, value: &str) -> Self {
        self.value = Some(value.to_owned());
        self
    }

    /// The same, red when empty.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.constraint = Constraint::Required;
        self
    }

    /// The same, red when empty or when a text does not match.
    #[must_use]
    pub fn matching(mut self, pattern: &'static str, message: &'static str) -> Self {
        self.constraint = Constraint::Pattern(pattern, message);
        self
    }

    /// The same, only when a property has one of these values.
    #[must_use]
    pub fn when(mut self, property: &str, values: &[&str]) -> Self {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.conditions.push(Condition::OneOf(property.to_owned(), values));
        self
    }

    /// The property, and null in its place while it does not apply.
    ///
    /// Without the null a variable of the same name from anywhere in the process would be
    /// taken for the input. It also keeps the place: the properties panel tells fields apart
    /// by their place in the group, and a text field that moves to the place of another
    /// comes up as an expression if the other was one.
    pub fn or_null(self) -> [Self; 2] {
        let null = Self::instead_of(&self, "=null");
        [self, null]
    }

    /// A fixed value that stands in a property's place while that does not apply.
    pub fn instead_of(property: &Self, value: &str) -> Self {
        let mut fixed =
            Self::fixed(&format!("{}_none", property.id), property.binding.clone(), value);
        fixed.conditions.push(Condition::Inactive(property.id.clone()));
        fixed
    }

    /// Whether an empty value is an error.
    pub fn is_required(&self) -> bool {
        self.constraint != Constraint::Optional
    }

    /// Whether it is shown when it applies.
    pub fn is_field(&self) -> bool {
        self.kind != Kind::Fixed
    }
}
