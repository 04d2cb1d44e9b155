//! What names stand for: a list of frames on the stack, the innermost first.

use std::sync::Arc;

use crate::feel::value::{Context, Value};

/// One frame and those around it.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    frame: Frame<'s>,
    parent: Option<&'s Scope<'s>>,
}

#[derive(Clone, Copy)]
enum Frame<'s> {
    Nothing,
    /// Variables, the latest last.
    Variables(&'s [(Arc<str>, Value)]),
    /// One variable.
    Variable(&'s str, &'s Value),
    /// The keys of a context.
    Context(&'s Context),
    /// The keys of the input.
    Input(&'s Context),
    /// The results of the running `for`.
    Partial(&'s [Value]),
}

/// What a name stands for.
#[derive(Clone, Copy)]
pub(super) enum Found<'s> {
    Value(&'s Value),
    /// Items that are not (yet) a list of their own.
    Items(&'s [Value]),
}

/// The name of the results of the running `for`.
const PARTIAL: &str = "partial";

impl<'s> Scope<'s> {
    /// The outermost scope: the input, if it is a context.
    pub(super) fn input(input: &'s Value) -> Self {
        let frame = input.as_context().map_or(Frame::Nothing, Frame::Input);
        Self { frame, parent: None }
    }

    pub(super) fn with_variables<'a>(&'a self, variables: &'a [(Arc<str>, Value)]) -> Scope<'a> {
        Scope { frame: Frame::Variables(variables), parent: Some(self) }
    }

    pub(super) fn with_variable<'a>(&'a self, name: &'a str, value: &'a Value) -> Scope<'a> {
        Scope { frame: Frame::Variable(name, value), parent: Some(self) }
    }

    pub(super) fn with_context<'a>(&'a self, context: &'a Context) -> Scope<'a> {
        Scope { frame: Frame::Context(context), parent: Some(self) }
    }

    pub(super) fn with_partial<'a>(&'a self, partial: &'a [Value]) -> Scope<'a> {
        Scope { frame: Frame::Partial(partial), parent: Some(self) }
    }

    /// What a name stands for; `looked` grows by how many variables were passed over.
    pub(super) fn find(&self, name: &str, looked: &mut usize) -> Option<Found<'s>> {
        let mut next = Some(self);
        while let Some(scope) = next {
            let found = scope.frame.find(name, looked);
            if found.is_some() {
                return found;
            }
            next = scope.parent;
        }
        None
    }

    /// What a name stands for in the expression, the input aside.
    pub(super) fn find_local(&self, name: &str, looked: &mut usize) -> Option<Found<'s>> {
        let mut next = Some(self);
        while let Some(scope) = next {
            if matches!(scope.frame, Frame::Input(_)) {
                return None;
            }
            let found = scope.frame.find(name, looked);
            if found.is_some() {
                return found;
            }
            next = scope.parent;
        }
        None
    }
}

impl<'s> Frame<'s> {
    fn find(self, name: &str, looked: &mut usize) -> Option<Found<'s>> {
        match self {
            Self::Nothing => None,
            Self::Variables(variables) => {
                *looked += variables.len();
                let found = variables.iter().rev().find(|(own, _)| &**own == name);
                found.map(|(_, value)| Found::Value(value))
            }
            Self::Variable(own, value) => (own == name).then_some(Found::Value(value)),
            Self::Context(context) | Self::Input(context) => {
                *looked += context.searched();
                context.get(name).map(Found::Value)
            }
            Self::Partial(items) => (name == PARTIAL).then_some(Found::Items(items)),
        }
    }
}
