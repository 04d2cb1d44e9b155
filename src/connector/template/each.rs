//! `{{#each}}` as Handlebars has it, but every turn is counted.
#![deny(clippy::disallowed_types)]

use handlebars::{
    BlockContext, BlockParams, Context, Handlebars, Helper, HelperDef, HelperResult, Output,
    RenderContext, RenderError, RenderErrorReason, Renderable,
};
use serde_json::Value;

pub(super) struct Each;

/// One turn of the loop.
struct Turn<'a> {
    index: usize,
    is_last: bool,
    /// The list's index or the context's key.
    key: Value,
    /// The same as a step of a path.
    step: String,
    value: &'a Value,
}

impl HelperDef for Each {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render_context: &mut RenderContext<'reg, 'rc>,
        output: &mut dyn Output,
    ) -> HelperResult {
        let param = helper.param(0).ok_or(RenderErrorReason::ParamNotFoundForIndex("each", 0))?;
        let turns = turns_of(param.value())
            .ok_or_else(|| RenderErrorReason::MissingVariable(param.relative_path().cloned()))?;
        let (Some(body), false) = (helper.template(), turns.is_empty()) else {
            return match helper.inverse() {
                Some(inverse) => inverse.render(registry, context, render_context, output),
                None => Ok(()),
            };
        };
        render_context.push_block(BlockContext::new());
        for turn in turns {
            output.write("")?;
            if let Some(block) = render_context.block_mut() {
                enter(block, helper, param.context_path(), turn)?;
            }
            body.render(registry, context, render_context, output)?;
        }
        render_context.pop_block();
        Ok(())
    }
}

/// `None` for what cannot be looped over.
fn turns_of(value: &Value) -> Option<Vec<Turn<'_>>> {
    let turn =
        |index, len, key, step, value| Turn { index, is_last: index + 1 == len, key, step, value };
    match value {
        Value::Array(items) => Some(
            items
                .iter()
                .enumerate()
                .map(|(i, value)| turn(i, items.len(), i.into(), i.to_string(), value))
                .collect(),
        ),
        Value::Object(map) => Some(
            map.iter()
                .enumerate()
                .map(|(i, (key, value))| {
                    turn(i, map.len(), key.as_str().into(), key.clone(), value)
                })
                .collect(),
        ),
        _ => None,
    }
}

fn enter<'rc>(
    block: &mut BlockContext<'rc>,
    helper: &Helper<'rc>,
    base: Option<&Vec<String>>,
    turn: Turn<'_>,
) -> Result<(), RenderError> {
    block.set_local_var("first", (turn.index == 0).into());
    block.set_local_var("last", turn.is_last.into());
    block.set_local_var("index", turn.index.into());
    block.set_local_var("key", turn.key.clone());
    let mut params = BlockParams::new();
    let (item_name, key_name) = match helper.block_param_pair() {
        Some((item, key)) => (Some(item), Some(key)),
        None => (helper.block_param(), None),
    };
    if let Some(name) = key_name {
        params.add_value(name, turn.key)?;
    }
    if let Some(name) = item_name {
        match base {
            Some(_) => params.add_path(name, Vec::new())?,
            None => params.add_value(name, turn.value.clone())?,
        }
    }
    block.set_block_params(params);
    match base {
        Some(path) => {
            let steps = path.iter().cloned().chain([turn.step]);
            *block.base_path_mut() = steps.collect();
        }
        None => block.set_base_value(turn.value.clone()),
    }
    Ok(())
}
