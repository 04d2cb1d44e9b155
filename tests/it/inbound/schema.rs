//! As much of JSON Schema as our own description uses. Anything else in it is a fault, so
//! that nothing goes unchecked.

use serde_json::Value;

/// An OpenAPI document.
pub(crate) struct Document(pub(crate) Value);

impl Document {
    /// What a reference stands for, or the thing itself.
    pub(crate) fn resolve<'d>(&'d self, given: &'d Value) -> &'d Value {
        match given["$ref"].as_str() {
            None => given,
            Some(place) => {
                let place = place.strip_prefix('#').unwrap();
                self.0.pointer(place).unwrap_or_else(|| panic!("there is no {place}"))
            }
        }
    }

    /// In what a value differs from a schema. Properties that the schema does not have are
    /// faults as well, unless it has none.
    pub(crate) fn faults(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let mut faults = Vec::new();
        for (keyword, said) in self.resolve(schema).as_object().unwrap() {
            let fits = match keyword.as_str() {
                "type" => has_type(said, value),
                "const" => said == value,
                "enum" => said.as_array().unwrap().contains(value),
                "pattern" => {
                    let pattern = regex::Regex::new(said.as_str().unwrap()).unwrap();
                    value.as_str().is_none_or(|text| pattern.is_match(text))
                }
                "maxLength" => {
                    value.as_str().is_none_or(|text| text.len() as u64 <= said.as_u64().unwrap())
                }
                "minimum" => value.as_i64().is_none_or(|number| number >= said.as_i64().unwrap()),
                "required" => said
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|name| value.get(name.as_str().unwrap()).is_some()),
                "properties" => {
                    for (name, value) in value.as_object().into_iter().flatten() {
                        let at = format!("{at}.{name}");
                        match said.get(name) {
                            Some(schema) => faults.extend(self.faults(schema, value, &at)),
                            None => faults.push(format!("{at} is not described")),
                        }
                    }
                    true
                }
                "items" => {
                    for value in value.as_array().into_iter().flatten() {
                        faults.extend(self.faults(said, value, at));
                    }
                    true
                }
                "description" | "default" => true,
                _ => panic!("{at}: '{keyword}' is not checked"),
            };
            if !fits {
                faults.push(format!("{at}: {keyword} is {said}, but this is {value}"));
            }
        }
        faults
    }
}

/// The schema of an operation's body.
pub(crate) fn body_schema(operation: &Value) -> Option<&Value> {
    let content = operation["requestBody"]["content"].as_object()?;
    content.values().next().map(|content| &content["schema"])
}

/// The example bodies of an operation.
pub(crate) fn examples(operation: &Value) -> Vec<&Value> {
    let content = operation["requestBody"]["content"].as_object();
    let content = content.and_then(|content| content.values().next());
    let examples = content.and_then(|content| content["examples"].as_object());
    examples.into_iter().flatten().map(|(_, example)| &example["value"]).collect()
}

fn has_type(said: &Value, value: &Value) -> bool {
    let has = |name: &Value| match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("there is no type {other}"),
    };
    said.as_array().map_or_else(|| has(said), |names| names.iter().any(has))
}
