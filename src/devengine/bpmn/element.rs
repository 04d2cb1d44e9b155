//! An element: by its name to whoever reads that kind, with what all kinds have.

use super::event::{self, Around};
use super::flow::{self, Flows};
use super::gateway;
use super::mapping;
use super::model::{Element, ElementIndex, Kind};
use super::multi_instance;
use super::outline::{Found, Outline};
use super::reader::Reader;
use super::task;
use super::xml::{self, Node};

/// Where an element stands.
pub(super) struct Site<'s, 'x> {
    /// Its own index.
    pub(super) index: ElementIndex,
    /// The process around it.
    pub(super) outline: &'s Outline<'x>,
    /// The flows of the process.
    pub(super) flows: &'s Flows<'x>,
}

impl<'x> Site<'_, 'x> {
    /// Its node.
    pub(super) fn node(&self) -> Node<'x> {
        self.found().node
    }

    /// Its node and scope.
    pub(super) fn found(&self) -> Found<'x> {
        self.outline.elements[self.index]
    }

    /// What a start event here would start.
    fn around(&self) -> Around {
        match self.found().scope {
            None => Around::Process,
            Some(scope) if flow::is_event_sub_process(self.outline.elements[scope].node) => {
                Around::EventSubProcess
            }
            Some(_) => Around::SubProcess,
        }
    }
}

/// Reads an element. One that is refused gets a kind that waits and that nobody will see, so
/// that no loop is reported on its account.
pub(super) fn read<'x>(site: &Site<'_, 'x>, reader: &mut Reader<'x>) -> Element {
    let Found { node, scope } = site.found();
    refuse_extras(node, reader);
    let mut element = Element {
        id: xml::filled(node, "id").unwrap_or_default().to_owned(),
        name: node.attribute("name").unwrap_or_default().to_owned(),
        kind: kind(site, reader).unwrap_or(Kind::EventBased),
        scope,
        incoming: Vec::new(),
        outgoing: Vec::new(),
        boundary: Vec::new(),
        inputs: mapping::inputs(node, reader),
        outputs: mapping::outputs(node, reader),
        multi_instance: multi_instance::read(node, reader),
    };
    task::add_script(node, &mut element, reader);
    element
}

fn kind<'x>(site: &Site<'_, 'x>, reader: &mut Reader<'x>) -> Option<Kind> {
    let node = site.node();
    match xml::name(node) {
        "startEvent" => event::start(node, site.around(), reader).map(Kind::Start),
        "endEvent" => event::end(node, reader).map(Kind::End),
        "intermediateCatchEvent" => event::catch(node, reader),
        "intermediateThrowEvent" => event::throw(node, reader),
        "boundaryEvent" => event::boundary(site, reader).map(Kind::Boundary),
        "task" | "manualTask" => Some(Kind::Pass),
        "serviceTask" | "sendTask" => task::job(node, reader).map(Kind::Job),
        "businessRuleTask" => task::business_rule(node, reader),
        "scriptTask" => task::script(node, reader),
        "userTask" => Some(Kind::User(task::user(node, reader))),
        "receiveTask" => event::receive(node, reader).map(Kind::Message),
        "callActivity" => task::call(node, reader).map(Kind::Call),
        "subProcess" => Some(sub_process(site)),
        "exclusiveGateway" => Some(gateway::exclusive(site, reader)),
        "inclusiveGateway" => Some(gateway::inclusive(site, reader)),
        "parallelGateway" => Some(Kind::Parallel),
        "eventBasedGateway" => Some(Kind::EventBased),
        other => reader.refuse(node, unknown(other)),
    }
}

/// An embedded or event sub-process; that the latter has one start event is checked later.
fn sub_process(site: &Site<'_, '_>) -> Kind {
    if !flow::is_event_sub_process(site.node()) {
        return Kind::SubProcess;
    }
    let mut inside = site.outline.inside(Some(site.index));
    match inside.find(|(_, node)| xml::name(*node) == "startEvent") {
        Some((start, node)) => {
            let interrupting = xml::flag(node, "isInterrupting", true);
            Kind::EventSubProcess { start, interrupting }
        }
        None => Kind::SubProcess,
    }
}

fn unknown(name: &str) -> String {
    let (what, instead) = match name {
        "complexGateway" => ("complex gateways", "an exclusive gateway"),
        "adHocSubProcess" => ("ad-hoc sub-processes", "an embedded sub-process"),
        "transaction" => ("transactions", "an embedded sub-process"),
        _ => ("elements of this kind", "another one"),
    };
    format!("the dev engine does not know {what}; use {instead} or a Camunda cluster")
}

/// What an element of any kind may bring that would be run on a cluster.
fn refuse_extras(node: Node<'_>, reader: &mut Reader<'_>) {
    if xml::flag(node, "isForCompensation", false) {
        let reason = "the dev engine does not compensate; \
                      clear isForCompensation or use a Camunda cluster";
        reader.report(node, reason);
    }
    for (listeners, words) in
        [("executionListeners", "execution listeners"), ("taskListeners", "task listeners")]
    {
        if xml::extension(node, listeners).is_some() {
            let reason = format!(
                "the dev engine does not run {words}; remove zeebe:{listeners} \
                 or use a Camunda cluster"
            );
            reader.report(node, reason);
        }
    }
}
