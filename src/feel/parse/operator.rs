//! Operators and how tightly they bind.

use super::Parser;
use crate::feel::ast::{Arithmetic, Comparison};

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Compare(Comparison),
    Between,
    InstanceOf,
    In,
    Arithmetic(Arithmetic),
}

/// How tightly operators bind, the loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Or,
    And,
    Comparison,
    Sum,
    Product,
    Power,
    Operand,
}

impl Operator {
    pub(super) fn rank(self) -> Rank {
        match self {
            Self::Or => Rank::Or,
            Self::And => Rank::And,
            Self::Compare(_) | Self::Between | Self::InstanceOf | Self::In => Rank::Comparison,
            Self::Arithmetic(Arithmetic::Add | Arithmetic::Subtract) => Rank::Sum,
            Self::Arithmetic(Arithmetic::Multiply | Arithmetic::Divide) => Rank::Product,
            Self::Arithmetic(Arithmetic::Power) => Rank::Power,
        }
    }

    /// Whether what follows is no operand but a form of its own.
    pub(super) fn is_postfix(self) -> bool {
        matches!(self, Self::Between | Self::InstanceOf | Self::In)
    }

    /// What may no longer follow once this operator was read.
    pub(super) fn closes(self, before: Closed) -> Closed {
        match self {
            Self::Or | Self::And => Closed::Nothing,
            Self::Compare(_) => Closed::Comparison,
            Self::Between | Self::InstanceOf | Self::In => Closed::Operand,
            Self::Arithmetic(_) => before,
        }
    }
}

/// What may not follow before a looser operator comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    Nothing,
    /// Another comparison: they do not chain.
    Comparison,
    /// Anything tighter than `and`: `between` and its like end their operand.
    Operand,
    /// Anything.
    All,
}

impl Closed {
    pub(super) fn allows(self, rank: Rank) -> bool {
        match self {
            Self::Nothing => true,
            Self::Comparison => rank != Rank::Comparison,
            Self::Operand => rank < Rank::Comparison,
            Self::All => false,
        }
    }
}

impl Rank {
    /// The next tighter rank.
    pub(super) fn tighter(self) -> Self {
        match self {
            Self::Or => Self::And,
            Self::And => Self::Comparison,
            Self::Comparison => Self::Sum,
            Self::Sum => Self::Product,
            Self::Product => Self::Power,
            Self::Power | Self::Operand => Self::Operand,
        }
    }
}

impl Parser<'_> {
    /// The operator that comes next and its length.
    pub(super) fn operator(&mut self) -> Option<(Operator, usize)> {
        self.sign().or_else(|| self.word_operator())
    }

    fn sign(&mut self) -> Option<(Operator, usize)> {
        self.cursor.skip();
        let arithmetic = |operator, length| Some((Operator::Arithmetic(operator), length));
        let compare = |comparison, length| Some((Operator::Compare(comparison), length));
        match self.cursor.rest().as_bytes() {
            [b'*', b'*', ..] => arithmetic(Arithmetic::Power, 2),
            [b'*', ..] => arithmetic(Arithmetic::Multiply, 1),
            [b'/', ..] => arithmetic(Arithmetic::Divide, 1),
            [b'+', ..] => arithmetic(Arithmetic::Add, 1),
            [b'-', ..] => arithmetic(Arithmetic::Subtract, 1),
            [b'<', b'=', ..] => compare(Comparison::LessOrEqual, 2),
            [b'>', b'=', ..] => compare(Comparison::GreaterOrEqual, 2),
            [b'<', ..] => compare(Comparison::Less, 1),
            [b'>', ..] => compare(Comparison::Greater, 1),
            [b'!', b'=', ..] => compare(Comparison::NotEqual, 2),
            [b'=', ..] => compare(Comparison::Equal, 1),
            _ => None,
        }
    }

    fn word_operator(&mut self) -> Option<(Operator, usize)> {
        let operators = [
            ("and", Operator::And),
            ("or", Operator::Or),
            ("in", Operator::In),
            ("between", Operator::Between),
            ("instance", Operator::InstanceOf),
        ];
        if self.cursor.looks_at_word("instanceof") {
            return Some((Operator::InstanceOf, "instance".len()));
        }
        let found = operators.into_iter().find(|(word, _)| self.cursor.looks_at_word(word));
        found.map(|(word, operator)| (operator, word.len()))
    }

    /// The comparison sign at the front, as in the test `> 5`.
    pub(super) fn test_sign(&mut self) -> Option<(Comparison, usize)> {
        match self.sign() {
            Some((Operator::Compare(Comparison::Equal | Comparison::NotEqual), _)) => None,
            Some((Operator::Compare(comparison), length)) => Some((comparison, length)),
            _ => None,
        }
    }
}
