//! Loops in which nothing waits: they would run for ever, so that a cluster refuses them.

use crate::devengine::bpmn::model::{ElementIndex, Kind, Process};
use crate::devengine::bpmn::outline::Outline;
use crate::devengine::bpmn::reader::Reader;

/// How far the walk has come with an element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Walked {
    Not,
    OnTheWay,
    Done,
}

/// Reports a loop for each element that closes one.
pub(super) fn check(process: &Process, outline: &Outline<'_>, reader: &mut Reader<'_>) {
    let mut walked = vec![Walked::Not; process.elements.len()];
    for start in 0..process.elements.len() {
        for way in loops_from(start, process, &mut walked) {
            let node = outline.elements[way[0]].node;
            let ids: Vec<_> =
                way.iter().map(|index| process.elements[*index].id.as_str()).collect();
            let reason = format!(
                "nothing waits on the way from it back to it ({}); \
                 put a task with a job, a timer or a message into the loop",
                ids.join(", ")
            );
            reader.report(node, reason);
        }
    }
}

/// Walks on from an element, depth first and without recursion.
fn loops_from(
    start: ElementIndex,
    process: &Process,
    walked: &mut [Walked],
) -> Vec<Vec<ElementIndex>> {
    let mut found = Vec::new();
    // The way so far, each with how many of its flows out were followed.
    let mut way: Vec<(ElementIndex, usize)> = Vec::new();
    enter(start, process, walked, &mut way);
    while let Some((at, followed)) = way.last_mut() {
        let next = process.elements[*at].outgoing.get(*followed).copied();
        *followed += 1;
        let Some(flow) = next else {
            walked[*at] = Walked::Done;
            way.pop();
            continue;
        };
        let target = process.flows[flow].target;
        if walked[target] == Walked::OnTheWay {
            let ids = way.iter().map(|(index, _)| *index);
            found.push(ids.skip_while(|index| *index != target).collect());
        } else {
            enter(target, process, walked, &mut way);
        }
    }
    found
}

fn enter(
    index: ElementIndex,
    process: &Process,
    walked: &mut [Walked],
    way: &mut Vec<(ElementIndex, usize)>,
) {
    if walked[index] == Walked::Not && passes_at_once(&process.elements[index].kind) {
        walked[index] = Walked::OnTheWay;
        way.push((index, 0));
    }
}

fn passes_at_once(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Pass
            | Kind::BroadcastSignal(_)
            | Kind::Exclusive { .. }
            | Kind::Inclusive { .. }
            | Kind::Parallel
    )
}
