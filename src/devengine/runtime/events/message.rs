//! Messages: by name and correlation key, once a process each, kept for a while when they
//! ask for it.
//!
//! A message that starts a process holds its correlation key for as long as that instance
//! runs: the next message of the same key waits, if it is kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use crate::devengine::{
    record::{Key, Message, Refusal, RefusalKind},
    runtime::{
        Runtime,
        definition::Definition,
        events::{On, Owner, WAY_TO_MESSAGES, Wait},
        instance::{ProcessInstance, Trigger},
        step::Step,
        variables::{Document, document},
    },
};

/// A message on its way.
#[derive(Clone, Debug)]
pub(in crate::devengine::runtime) struct Published {
    name: String,
    correlation_key: String,
    message_id: String,
    variables: Document,
    until: Timestamp,
    /// Processes that have got it.
    correlated: BTreeSet<String>,
}

/// Messages that are kept, in the order they came.
pub(in crate::devengine::runtime) type Kept = BTreeMap<Key, Published>;

impl Runtime {
    pub(in crate::devengine::runtime) fn publish_message(
        &mut self,
        message: Message,
    ) -> Result<Key, Refusal> {
        self.drop_expired_messages();
        self.refuse_duplicate(&message)?;
        let key = self.next_key();
        let time_to_live = SignedDuration::from_millis(message.time_to_live_ms.max(0));
        let mut published = Published {
            name: message.name,
            correlation_key: message.correlation_key,
            message_id: message.message_id,
            variables: document(message.variables),
            until: self.now.checked_add(time_to_live).unwrap_or(Timestamp::MAX),
            correlated: BTreeSet::new(),
        };
        self.correlate_now(&mut published);
        if published.until > self.now {
            self.messages.insert(key, published);
        }
        Ok(key)
    }

    fn refuse_duplicate(&self, message: &Message) -> Result<(), Refusal> {
        let is_same = |kept: &Published| {
            kept.message_id == message.message_id
                && kept.name == message.name
                && kept.correlation_key == message.correlation_key
        };
        if message.message_id.is_empty() || !self.messages.values().any(is_same) {
            return Ok(());
        }
        let message = format!(
            "Expected to publish a new message with id '{}', but a message with that id was \
             already published",
            message.message_id
        );
        Err(Refusal::new(RefusalKind::AlreadyExists, message))
    }

    pub(in crate::devengine::runtime) fn drop_expired_messages(&mut self) {
        let now = self.now;
        self.messages.retain(|_, message| message.until > now);
    }

    /// Brings a new message to one instance of each process, and to its start events.
    fn correlate_now(&mut self, message: &mut Published) {
        let waits = self.waits.iter().filter(|(_, wait)| is_meant(message, wait));
        let keys: Vec<Key> = waits.map(|(key, _)| key).collect();
        for key in keys {
            self.correlate(key, message);
        }
        for definition in self.definitions.all_latest() {
            self.start_by_message(&definition, message);
        }
    }

    fn correlate(&mut self, wait: Key, message: &mut Published) {
        let Some(Wait { owner: Owner::Instance(owner), element, .. }) = self.waits.get(wait) else {
            return;
        };
        let (owner, element) = (*owner, *element);
        let Some(place) = self.place(owner) else { return };
        if message.correlated.insert(place.definition.process.id.clone()) {
            self.trigger(owner, element, message.variables.clone());
        }
    }

    /// A subscription was opened, or is still open: the oldest kept message for it.
    pub(in crate::devengine::runtime) fn correlate_kept(&mut self, key: Key) {
        let Some(wait) = self.waits.get(key) else { return };
        let Owner::Instance(owner) = wait.owner else { return };
        let Some(place) = self.place(owner) else { return };
        let process_id = &place.definition.process.id;
        let now = self.now;
        let kept = self.messages.iter().find(|(_, message)| {
            message.until > now
                && is_meant(message, wait)
                && !message.correlated.contains(process_id)
        });
        let Some(message_key) = kept.map(|(message_key, _)| *message_key) else { return };
        let Some(mut message) = self.messages.remove(&message_key) else { return };
        self.correlate(key, &mut message);
        self.messages.insert(message_key, message);
        // What does not interrupt goes on listening.
        self.steps.push_back(Step::Correlate(key, WAY_TO_MESSAGES));
    }

    /// Starts a process that waits for this message, unless it has got it, or an instance of
    /// the same correlation key still runs.
    fn start_by_message(&mut self, definition: &Arc<Definition>, message: &mut Published) {
        let start = definition.starts.iter().find(|start| is_start_of(message, &start.on));
        let Some(start) = start else { return };
        let process_id = &definition.process.id;
        if self.is_locked(process_id, &message.correlation_key)
            || !message.correlated.insert(process_id.clone())
        {
            return;
        }
        let lock = Some(message.correlation_key.clone()).filter(|key| !key.is_empty());
        let process = ProcessInstance { lock, ..ProcessInstance::default() };
        let begin = Trigger { element: start.element, variables: message.variables.clone() };
        self.start(Arc::clone(definition), begin, Document::new(), process);
    }

    fn is_locked(&self, process_id: &str, correlation_key: &str) -> bool {
        self.processes.iter().any(|(key, process)| {
            process.lock.as_deref() == Some(correlation_key)
                && self
                    .instances
                    .get(key)
                    .is_some_and(|instance| instance.definition.process.id == process_id)
        })
    }

    /// An instance has given its correlation key free: the oldest kept message takes it.
    pub(in crate::devengine::runtime) fn start_by_next_message(
        &mut self,
        process_id: &str,
        correlation_key: &str,
    ) {
        let Some(definition) = self.definitions.latest(process_id).cloned() else { return };
        let now = self.now;
        let next = self.messages.iter().find(|(_, message)| {
            message.until > now
                && message.correlation_key == correlation_key
                && !message.correlated.contains(process_id)
                && definition.starts.iter().any(|start| is_start_of(message, &start.on))
        });
        let Some(key) = next.map(|(key, _)| *key) else { return };
        if let Some(mut message) = self.messages.remove(&key) {
            self.start_by_message(&definition, &mut message);
            self.messages.insert(key, message);
        }
    }
}

fn is_meant(message: &Published, wait: &Wait) -> bool {
    matches!(
        &wait.on,
        On::Message { name, correlation_key }
            if *name == message.name && *correlation_key == message.correlation_key
    )
}

fn is_start_of(message: &Published, on: &On) -> bool {
    matches!(on, On::Message { name, .. } if *name == message.name)
}
