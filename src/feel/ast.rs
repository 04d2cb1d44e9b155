//! The parsed form of an expression.
//!
//! Chains (of operators, of path steps, of `else if`) are vectors: neither their
//! evaluation nor their end recurses per term. What does nest, the parser bounds.

use std::sync::Arc;

use super::builtins::Builtin;
use super::value::Value;

/// An expression.
#[derive(Debug)]
pub(super) enum Expr {
    /// A value written out.
    Literal(Value),
    /// A temporal literal that is no temporal: null with a warning.
    NoTemporal(Arc<str>),
    /// `?`, the value under test.
    Input,
    /// A variable.
    Name(Arc<str>),
    /// A value and the steps into it.
    Path(Box<Path>),
    /// `-x`
    Negated(Box<Expr>),
    /// `a + b - c`: operators of one rank, left to right.
    Arithmetic(Box<(Expr, Vec<(Arithmetic, Expr)>)>),
    /// `a < b`
    Compared(Box<(Expr, Comparison, Expr)>),
    /// `x between a and b`
    Between(Box<[Expr; 3]>),
    /// `x instance of T`
    InstanceOf(Box<(Expr, Arc<str>)>),
    /// `x in (tests)`
    In(Box<(Expr, Vec<Test>)>),
    /// `> 5` or `[1..5]` standing alone: a test of the value under test.
    Test(Box<Test>),
    /// `a and b and c`
    And(Vec<Expr>),
    /// `a or b or c`
    Or(Vec<Expr>),
    /// `if a then b else if c then d else e`
    If(Box<(Vec<(Expr, Expr)>, Expr)>),
    /// `for x in xs return y`
    For(Box<Loop>),
    /// `some x in xs satisfies y`, or `every`
    Quantified(Quantifier, Box<Loop>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{a: b}`
    Context(Vec<(Arc<str>, Expr)>),
    /// `f(x)`
    Call(Box<Invocation>),
    /// `function(x) y`
    Function(Arc<FunctionDefinition>),
    /// `[a..b]` as an argument
    Range(Box<RangeEnds>),
}

/// A value and the steps into it.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) base: Expr,
    pub(super) steps: Vec<Step>,
}

/// One step into a value.
#[derive(Debug)]
pub(super) enum Step {
    /// `.key`
    Key(Arc<str>),
    /// `[filter]`
    Filter(Expr, FilterKind),
}

/// How a filter is to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FilterKind {
    /// A number written out.
    Index,
    /// Asked for each item.
    Condition,
    /// First evaluated outside of the list: a number is the index.
    Either,
}

/// Arithmetic operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

/// Comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A unary test.
#[derive(Debug)]
pub(super) enum Test {
    /// `> 5`
    Compare(Comparison, Expr),
    /// `[1..5]`
    Range(Box<RangeEnds>),
    /// A value that equals or contains the tested one, or a condition.
    Expression(Expr),
    /// A condition that speaks of `?`.
    Condition(Expr),
}

/// The ends of a range.
#[derive(Debug)]
pub(super) struct RangeEnds {
    pub(super) start: Expr,
    pub(super) start_included: bool,
    pub(super) end: Expr,
    pub(super) end_included: bool,
}

/// `some` or `every`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantifier {
    Some,
    Every,
}

/// A body that is evaluated for all combinations of the iterators' items.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) iterators: Vec<(Arc<str>, Iterated)>,
    pub(super) body: Expr,
}

/// What an iterator walks over.
#[derive(Debug)]
pub(super) enum Iterated {
    /// The items of a list.
    List(Expr),
    /// Whole numbers from one end to the other.
    Between(Expr, Expr),
}

/// A call.
#[derive(Debug)]
pub(super) struct Invocation {
    /// The context that holds the function, if written `a.b.f()`.
    pub(super) holder: Option<Expr>,
    pub(super) name: Arc<str>,
    pub(super) arguments: Vec<Expr>,
    /// The names of the arguments, if they are named.
    pub(super) names: Vec<Arc<str>>,
    /// The built-in functions of the name.
    pub(super) builtins: &'static [&'static Builtin],
}

/// A function as written.
#[derive(Debug)]
pub(super) struct FunctionDefinition {
    pub(super) parameters: Vec<Arc<str>>,
    pub(super) body: Expr,
    /// The names that the body may take from where the function is written.
    pub(super) free: Vec<Arc<str>>,
}
