//! Numbers as a broker keeps them: integers of 64 bits, all others as doubles. `1.50` comes
//! back as `1.5`, `1e3` as `1000.0`.

use serde_json::{Number, Value};

use crate::devengine::record::Variables;

/// Variables with their numbers as a broker would give them back.
pub(super) fn as_kept(mut variables: Variables) -> Variables {
    variables.values_mut().for_each(keep);
    variables
}

fn keep(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let integer = number.is_i64() || number.is_u64();
            if let Some(double) = number.as_f64().filter(|_| !integer).and_then(Number::from_f64) {
                *number = double;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(keep),
        Value::Object(entries) => entries.values_mut().for_each(keep),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_doubles_and_integers_stay() {
        let text = r#"{"a":1.50,"b":[1e3,{"c":-7,"d":12345678901234567890}],"e":"1.50","f":0.1}"#;
        let kept = as_kept(serde_json::from_str(text).unwrap());
        let expected =
            r#"{"a":1.5,"b":[1000.0,{"c":-7,"d":12345678901234567890}],"e":"1.50","f":0.1}"#;
        assert_eq!(Value::Object(kept).to_string(), expected);
    }
}
