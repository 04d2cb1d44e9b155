//! From the text of an encoded query to conditions.

use super::{
    Direction, Query, Scene,
    condition::{Condition, Part, Side, Test},
    dates,
    path::Path,
    script,
};
use crate::sandbox::{
    schema::{Kind, Table},
    store::Store,
};

/// The filter option "Me" of `DYNAMIC`.
const ME: &str = "90d1921e5f510100a9ad2572f2b477fe";

/// Operators, those first that begin like a shorter one.
const OPERATORS: [&str; 44] = [
    "GT_OR_EQUALS_FIELD",
    "LT_OR_EQUALS_FIELD",
    "GT_FIELD",
    "LT_FIELD",
    "NSAMEAS",
    "SAMEAS",
    "STARTSWITH",
    "ENDSWITH",
    "DOES NOT CONTAIN",
    "NOT LIKE",
    "NOTLIKE",
    "NOT IN",
    "NOTIN",
    "NOTON",
    "ISNOTEMPTY",
    "ISEMPTY",
    "EMPTYSTRING",
    "ANYTHING",
    "BETWEEN",
    "CONTAINS",
    "LIKE",
    "INSTANCEOF",
    "IN_HIERARCHY",
    "IN",
    "ON",
    "RELATIVEGT",
    "RELATIVEGE",
    "RELATIVELT",
    "RELATIVELE",
    "RELATIVEEE",
    "DATEPART",
    "MORETHAN",
    "LESSTHAN",
    "DYNAMIC",
    "!*",
    "!%",
    "!=",
    ">=",
    "<=",
    "=",
    ">",
    "<",
    "*",
    "%",
];

pub(super) fn query(text: &str, store: &Store, table: &Table, scene: &Scene<'_>) -> Query {
    let reader = Reader { store, table, scene };
    let mut query = Query { blocks: vec![Vec::new()], ..Query::default() };
    let mut in_related_list = false;
    for token in text.split('^').filter(|token| !token.is_empty() && *token != "EQ") {
        if token.starts_with("RLQUERY") || in_related_list {
            in_related_list = token != "ENDRLQUERY";
            query.has_invalid_part = true;
        } else if let Some(field) = token.strip_prefix("ORDERBYDESC") {
            reader.order(&mut query, field, Direction::Down);
        } else if let Some(field) = token.strip_prefix("ORDERBY") {
            reader.order(&mut query, field, Direction::Up);
        } else if token.starts_with("GROUPBY") {
            // Grouping is for lists that people see; it selects nothing.
        } else {
            reader.take(&mut query, token);
        }
    }
    query
}

struct Reader<'a> {
    store: &'a Store,
    table: &'a Table,
    scene: &'a Scene<'a>,
}

impl Reader<'_> {
    fn order(&self, query: &mut Query, field: &str, direction: Direction) {
        match Path::resolve(self.store, self.table, field) {
            Some(path) => query.order.push((path, direction)),
            None => query.has_invalid_part = true,
        }
    }

    /// Puts one condition where its prefix wants it, or drops it.
    fn take(&self, query: &mut Query, token: &str) {
        let (is_alternative, token) = match (token.strip_prefix("OR"), token.strip_prefix("NQ")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => {
                query.blocks.push(Vec::new());
                (false, rest)
            }
            _ => (false, token),
        };
        let condition = self.condition(token);
        query.has_invalid_part |= condition.is_none();
        let (Some(condition), Some(block)) = (condition, query.blocks.last_mut()) else { return };
        match block.last_mut() {
            Some(set) if is_alternative => set.push(condition),
            _ => block.push(vec![condition]),
        }
    }

    fn condition(&self, token: &str) -> Option<Condition> {
        if let Some((_, words)) = token.split_once("TEXTQUERY321=") {
            let words = words.split_whitespace().map(str::to_lowercase).collect();
            let field = Path::resolve(self.store, self.table, "sys_id")?;
            return Some(Condition { field, test: Test::HasWords(words) });
        }
        let end = token.find(|c: char| {
            !(c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.'))
        });
        let (field, rest) = token.split_at(end?);
        let field = Path::resolve(self.store, self.table, field)?;
        let operator = OPERATORS.iter().find(|operator| rest.starts_with(**operator))?;
        let test = self.test(&field, operator, &rest[operator.len()..])?;
        Some(Condition { field, test })
    }

    fn test(&self, field: &Path, operator: &str, operand: &str) -> Option<Test> {
        Some(match operator {
            "=" => Test::Is(self.value(field, operand)?),
            "!=" => Test::IsNot(self.value(field, operand)?),
            ">" => Test::Above(self.value(field, operand)?),
            ">=" => Test::AtLeast(self.value(field, operand)?),
            "<" => Test::Below(self.value(field, operand)?),
            "<=" => Test::AtMost(self.value(field, operand)?),
            "STARTSWITH" => Test::StartsWith(self.lower(operand)?),
            "ENDSWITH" | "%" => Test::EndsWith(self.lower(operand)?),
            "LIKE" | "CONTAINS" | "*" => Test::Contains(self.lower(operand)?),
            "NOT LIKE" | "NOTLIKE" | "DOES NOT CONTAIN" | "!*" => Test::Lacks(self.lower(operand)?),
            "IN" => Test::In(self.list(field, operand)?),
            "NOT IN" | "NOTIN" => Test::NotIn(self.list(field, operand)?),
            "ISEMPTY" | "EMPTYSTRING" => Test::Empty,
            "ISNOTEMPTY" => Test::NotEmpty,
            "ANYTHING" => Test::Anything,
            "BETWEEN" => self.between(field, operand)?,
            "DYNAMIC" if operand == ME => Test::Is(self.scene.user_id.to_owned()),
            "INSTANCEOF" => Test::In(
                self.store.table(operand)?.family.iter().map(ToString::to_string).collect(),
            ),
            "SAMEAS" => Test::Same(self.other(operand)?),
            "NSAMEAS" => Test::NotSame(self.other(operand)?),
            _ => return self.wide_test(operator, operand),
        })
    }

    fn wide_test(&self, operator: &str, operand: &str) -> Option<Test> {
        Some(match operator {
            "GT_FIELD" => Test::Beside(Side::Above, self.other(operand)?),
            "GT_OR_EQUALS_FIELD" => Test::Beside(Side::AtLeast, self.other(operand)?),
            "LT_FIELD" => Test::Beside(Side::Below, self.other(operand)?),
            "LT_OR_EQUALS_FIELD" => Test::Beside(Side::AtMost, self.other(operand)?),
            "ON" => self.on(operand)?,
            "NOTON" => Test::Not(Box::new(self.on(operand)?)),
            "RELATIVEGT" => Test::Above(dates::relative(operand, self.scene)?),
            "RELATIVEGE" => Test::AtLeast(dates::relative(operand, self.scene)?),
            "RELATIVELT" => Test::Below(dates::relative(operand, self.scene)?),
            "RELATIVELE" => Test::AtMost(dates::relative(operand, self.scene)?),
            "RELATIVEEE" => {
                let (from, to) = dates::relative_unit(operand, self.scene)?;
                Test::Between(from, to)
            }
            "DATEPART" => Test::DatePart(Part::read(operand, self.scene)?),
            "MORETHAN" => self.apart(operand, Side::Above)?,
            "LESSTHAN" => self.apart(operand, Side::Below)?,
            _ => return None,
        })
    }

    fn lower(&self, operand: &str) -> Option<String> {
        script::resolve(operand, self.scene).map(|value| value.to_lowercase())
    }

    fn value(&self, field: &Path, operand: &str) -> Option<String> {
        let value = script::resolve(operand, self.scene)?;
        let is_boolean = field.last().is_some_and(|column| column.kind == Kind::Boolean);
        Some(match value.as_str() {
            "1" if is_boolean => "true".to_owned(),
            "0" if is_boolean => "false".to_owned(),
            _ => value,
        })
    }

    fn list(&self, field: &Path, operand: &str) -> Option<Vec<String>> {
        // A script may have commas of its own; it yields the list as a whole.
        if operand.starts_with(script::PREFIX) {
            let whole = script::resolve(operand, self.scene)?;
            return Some(whole.split(',').map(|item| item.trim().to_owned()).collect());
        }
        operand.split(',').map(|item| self.value(field, item.trim())).collect()
    }

    fn between(&self, field: &Path, operand: &str) -> Option<Test> {
        let (from, to) = operand.split_once('@')?;
        Some(Test::Between(self.value(field, from)?, self.value(field, to)?))
    }

    /// `ONToday@<start>@<end>`: the label in front is for people.
    fn on(&self, operand: &str) -> Option<Test> {
        let (_, span) = operand.split_once('@')?;
        let (from, to) = span.split_once('@')?;
        let [from, to] = [from, to].map(|end| script::resolve(end, self.scene));
        Some(Test::Between(from?, to?))
    }

    fn other(&self, field: &str) -> Option<Path> {
        Path::resolve(self.store, self.table, field)
    }

    /// `MORETHANother@day@before@1`.
    fn apart(&self, operand: &str, side: Side) -> Option<Test> {
        let mut parts = operand.splitn(2, '@');
        let other = self.other(parts.next()?)?;
        let span = dates::span(parts.next()?)?;
        Some(Test::Apart { side, other, span })
    }
}
