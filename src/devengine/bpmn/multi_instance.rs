//! Multi-instance activities.

use crate::feel::Expression;

use super::model::MultiInstance;
use super::reader::Reader;
use super::xml::{self, Node};

/// The loop of an activity, if it has one.
pub(super) fn read(node: Node<'_>, reader: &mut Reader<'_>) -> Option<MultiInstance> {
    if xml::child(node, "standardLoopCharacteristics").is_some() {
        let reason = "standard loops are not run by Camunda; use a multi-instance";
        return reader.refuse(node, reason);
    }
    let characteristics = xml::child(node, "multiInstanceLoopCharacteristics")?;
    let Some(details) = xml::extension(characteristics, "loopCharacteristics") else {
        let reason = "its multi-instance has no zeebe:loopCharacteristics; set an input collection";
        return reader.refuse(node, reason);
    };
    let input_collection = input_collection(node, details, reader);
    let output_element = optional(node, details, "outputElement", reader);
    let completion_condition = completion_condition(node, characteristics, reader);
    let output_collection = xml::filled(details, "outputCollection").map(str::to_owned);
    if output_collection.is_some() != xml::filled(details, "outputElement").is_some() {
        let reason = "of outputCollection and outputElement only one is set; set both or none";
        reader.report(node, reason);
    }
    Some(MultiInstance {
        sequential: xml::flag(characteristics, "isSequential", false),
        input_collection: input_collection?,
        input_element: xml::filled(details, "inputElement").map(str::to_owned),
        output_collection,
        output_element,
        completion_condition,
    })
}

fn input_collection(
    node: Node<'_>,
    details: Node<'_>,
    reader: &mut Reader<'_>,
) -> Option<Expression> {
    let remedy = "its multi-instance has no input collection; set inputCollection";
    let text = reader.required(node, details, "inputCollection", remedy)?;
    reader.expression(node, "inputCollection", text)
}

fn optional(
    node: Node<'_>,
    details: Node<'_>,
    attribute: &str,
    reader: &mut Reader<'_>,
) -> Option<Expression> {
    reader.expression(node, attribute, xml::filled(details, attribute)?)
}

fn completion_condition(
    node: Node<'_>,
    characteristics: Node<'_>,
    reader: &mut Reader<'_>,
) -> Option<Expression> {
    let text = xml::text(xml::child(characteristics, "completionCondition")?);
    if text.is_empty() { None } else { reader.expression(node, "completionCondition", &text) }
}
