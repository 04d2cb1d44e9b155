//! Functions of truth and absence.

use super::{Builtin, Call};
use crate::feel::error::Error;
use crate::feel::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("not", &["negand"], not),
    Builtin::new("is defined", &["value"], is_defined),
    Builtin::new("get or else", &["value", "default"], get_or_else),
    Builtin::new("assert", &["value", "condition"], assert),
    Builtin::new("assert", &["value", "condition", "cause"], assert_with_cause),
];

fn not(_: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    Ok(match &arguments[0] {
        Value::Boolean(boolean) => Value::Boolean(!boolean),
        _ => Value::Null,
    })
}

fn is_defined(_: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    Ok(Value::Boolean(!arguments[0].is_null()))
}

fn get_or_else(_: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    Ok(if arguments[0].is_null() { arguments[1].clone() } else { arguments[0].clone() })
}

fn assert(_: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    held(arguments).ok_or_else(|| Error::failed("the condition of assert() is not fulfilled"))
}

fn assert_with_cause(call: &mut Call<'_>, arguments: &[Value]) -> Result<Value, Error> {
    match (held(arguments), &arguments[2]) {
        (None, Value::String(cause)) => Err(Error::failed(&**cause)),
        _ => assert(call, arguments),
    }
}

fn held(arguments: &[Value]) -> Option<Value> {
    (arguments[1].as_bool() == Some(true)).then(|| arguments[0].clone())
}
