//! Exclusive and inclusive gateways: their default flow.

use super::element::Site;
use super::flow::Lookup;
use super::model::{FlowIndex, Kind};
use super::reader::Reader;
use super::xml;

/// An exclusive gateway.
pub(super) fn exclusive(site: &Site<'_, '_>, reader: &mut Reader<'_>) -> Kind {
    Kind::Exclusive { default: default(site, reader) }
}

/// An inclusive gateway.
pub(super) fn inclusive(site: &Site<'_, '_>, reader: &mut Reader<'_>) -> Kind {
    Kind::Inclusive { default: default(site, reader) }
}

/// The default flow, which must leave the gateway.
fn default(site: &Site<'_, '_>, reader: &mut Reader<'_>) -> Option<FlowIndex> {
    let id = xml::reference(site.node(), "default")?;
    match site.flows.find(id) {
        Lookup::Flow(index) if site.flows.flows[index].source == site.index => Some(index),
        Lookup::Refused => None,
        Lookup::Flow(_) | Lookup::Unknown => {
            let reason = format!("its default flow '{id}' does not leave it; choose one that does");
            reader.refuse(site.node(), reason)
        }
    }
}
