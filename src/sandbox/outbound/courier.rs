//! Takes messages to where they go: queue, calls at once, tries, and the end of all.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::{
    BusinessRule, Change, Config, Delivery, DeliveryState,
    change::Values,
    line::{Era, Line},
    log::{self, DeliveryLog},
    message::{Installed, Message},
    sender::Sender,
    token::TokenSlot,
};
use crate::{
    ports::Clock,
    sandbox::{error::Error, store::Store},
};

const STOPPED: &str = "the sandbox stopped";

/// The rules in force and the deliveries under way.
#[derive(Debug)]
pub(crate) struct Courier {
    rules: RwLock<Vec<Arc<Installed>>>,
    log: DeliveryLog,
    line: Mutex<Line>,
    slots: Arc<Semaphore>,
    /// How many deliveries have not ended.
    open: watch::Sender<usize>,
    sender: Sender,
    config: Config,
}

/// While it lives, a listener serves; with the last one all deliveries end.
#[derive(Debug)]
pub(crate) struct Serving(Arc<Courier>);

impl Courier {
    pub(crate) fn new(
        config: Config,
        rules: Vec<BusinessRule>,
        log_capacity: usize,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let courier = Self {
            rules: RwLock::default(),
            log: DeliveryLog::new(log_capacity),
            line: Mutex::default(),
            slots: Arc::new(Semaphore::new(config.max_in_flight.max(1))),
            open: watch::Sender::new(0),
            sender: Sender::new(&config, clock)?,
            config,
        };
        courier.replace(rules);
        Ok(courier)
    }

    /// The rules, oldest first.
    pub(crate) fn rules(&self) -> Vec<BusinessRule> {
        self.installed().iter().map(|installed| installed.rule.clone()).collect()
    }

    /// Adds a rule, in the place of one with the same name.
    pub(crate) fn push(&self, rule: BusinessRule) {
        install(&mut self.rules.write().unwrap_or_else(PoisonError::into_inner), rule);
    }

    /// Puts these rules in the place of all.
    pub(crate) fn replace(&self, rules: Vec<BusinessRule>) {
        let mut installed = Vec::new();
        for rule in rules {
            install(&mut installed, rule);
        }
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = installed;
    }

    /// The latest deliveries, oldest first.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.log.all()
    }

    /// Waits until every delivery has ended.
    pub(crate) async fn settled(&self) {
        // Fails only when the sender is gone, and it is ours.
        drop(self.open.subscribe().wait_for(|open| *open == 0).await);
    }

    /// Lets the rules see a commit. The caller holds the store, so that messages line up
    /// as the commits do.
    pub(crate) fn fire(self: &Arc<Self>, store: &mut Store, change: &Change<'_>) {
        for installed in self.installed() {
            if change.meets(&installed.rule, store) {
                let key = store.new_id();
                self.enlist(&installed, store, change, &key);
            }
        }
    }

    fn installed(&self) -> Vec<Arc<Installed>> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the message, takes it down, and puts it in line.
    fn enlist(
        self: &Arc<Self>,
        installed: &Arc<Installed>,
        store: &Store,
        change: &Change<'_>,
        key: &str,
    ) {
        let Some(table) = store.table(&installed.rule.table) else { return };
        let values = Values { change, store, table, key };
        match Message::render(installed, &values, self.config.max_body_bytes) {
            Ok(mut message) => {
                let (url, body) = (message.url.as_str(), log::shown(&message.body));
                message.id = self.log.begin(entry(&installed.rule, &values, url, body));
                self.accept(message);
            }
            Err(error) => {
                let url = &installed.rule.url;
                let id = self.log.begin(entry(&installed.rule, &values, url, String::new()));
                self.log.ended(id, DeliveryState::Failed, Some(error));
            }
        }
    }

    fn accept(self: &Arc<Self>, message: Message) {
        let mut line = self.line();
        let open = *self.open.borrow();
        let refusal = if line.era.closing.is_cancelled() {
            STOPPED.to_owned()
        } else if open >= self.config.queue_limit {
            format!("the queue is full: {open} deliveries have not ended")
        } else {
            self.open.send_modify(|open| *open += 1);
            line.push(message);
            drop(line);
            return self.pump();
        };
        self.log.ended(message.id, DeliveryState::Dropped, Some(refusal));
    }

    /// Starts what can start. Called whenever a message, a slot or a lane comes free.
    fn pump(self: &Arc<Self>) {
        let mut line = self.line();
        while line.has_next() {
            let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else { return };
            let Some(message) = line.next() else { return };
            tokio::spawn(Arc::clone(self).carry(message, slot, line.era.clone()));
        }
    }

    async fn carry(self: Arc<Self>, message: Message, slot: OwnedSemaphorePermit, era: Era) {
        let (state, error) = tokio::select! {
            () = era.cut.cancelled() => (DeliveryState::Dropped, Some(STOPPED.to_owned())),
            end = self.tries(&message, slot, &era) => end,
        };
        self.log.ended(message.id, state, error);
        self.line().ended(&message);
        self.open.send_modify(|open| *open -= 1);
        self.pump();
    }

    /// Tries until it is delivered, hopeless or stopped. Waits without a slot.
    async fn tries(
        self: &Arc<Self>,
        message: &Message,
        mut slot: OwnedSemaphorePermit,
        era: &Era,
    ) -> (DeliveryState, Option<String>) {
        let mut count = 0;
        loop {
            let tried = self.sender.try_once(message).await;
            drop(slot);
            count += 1;
            self.log.tried(message.id, &tried);
            let retry = message.installed.rule.retry.as_ref();
            let Some(wait) = retry.and_then(|retry| retry.wait(count, &tried)) else {
                let success = tried.is_success();
                let state = if success { DeliveryState::Delivered } else { DeliveryState::Failed };
                return (state, None);
            };
            self.pump();
            tokio::select! {
                () = era.closing.cancelled() => {
                    return (DeliveryState::Dropped, Some(STOPPED.to_owned()));
                }
                next = self.slot_after(wait) => slot = next,
            }
        }
    }

    /// A slot, once the time is over.
    async fn slot_after(&self, wait: Duration) -> OwnedSemaphorePermit {
        tokio::time::sleep(wait).await;
        loop {
            // Fails only for a closed semaphore, and ours is never closed.
            if let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await {
                return slot;
            }
        }
    }

    /// Counts a listener in.
    pub(crate) fn serve(self: &Arc<Self>) -> Serving {
        let mut line = self.line();
        line.listeners += 1;
        if line.era.closing.is_cancelled() {
            line.era = Era::default();
        }
        drop(line);
        Serving(Arc::clone(self))
    }

    /// Ends everything under way and starts again with these rules.
    pub(crate) fn reset(&self, rules: Vec<BusinessRule>) {
        self.replace(rules);
        let mut line = self.line();
        line.era.cut.cancel();
        line.era = Era::default();
        self.forget(line.drain());
        drop(line);
        self.log.clear();
    }

    /// Drops what waits; no further try begins.
    fn close(&self, line: &mut Line) {
        line.era.closing.cancel();
        self.forget(line.drain());
    }

    fn forget(&self, waiting: Vec<Message>) {
        for message in waiting {
            self.log.ended(message.id, DeliveryState::Dropped, Some(STOPPED.to_owned()));
            self.open.send_modify(|open| *open -= 1);
        }
    }
}

impl Serving {
    /// No further try begins, if this is the last listener.
    pub(crate) fn close(&self) {
        let mut line = self.0.line();
        if line.listeners == 1 {
            self.0.close(&mut line);
        }
    }

    /// Waits until the calls in progress are over, if this is the last listener.
    pub(crate) async fn finished(&self) {
        let is_last = self.0.line().listeners == 1;
        if is_last {
            self.0.settled().await;
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let mut line = self.0.line();
        line.listeners -= 1;
        if line.listeners == 0 {
            self.0.close(&mut line);
            line.era.cut.cancel();
        }
    }
}

fn install(rules: &mut Vec<Arc<Installed>>, rule: BusinessRule) {
    let former = rules.iter().position(|known| known.rule.name == rule.name);
    let installed = Arc::new(Installed { rule, token: TokenSlot::default() });
    match former {
        Some(at) => rules[at] = installed,
        None => rules.push(installed),
    }
}

fn entry(rule: &BusinessRule, values: &Values<'_>, url: &str, body: String) -> Delivery {
    Delivery {
        id: 0,
        at: values.change.now,
        rule: rule.name.clone(),
        table: values.change.new.class.to_string(),
        sys_id: values.change.new.sys_id().to_owned(),
        operation: values.change.operation,
        key: values.key.to_owned(),
        method: rule.method.clone(),
        url: url.to_owned(),
        body,
        state: DeliveryState::Pending,
        tries: 0,
        status: None,
        answer: String::new(),
        error: None,
    }
}
