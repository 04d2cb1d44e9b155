//! What `crate::fuzzing` reaches of this module's inside (feature `fuzzing`).

pub(crate) use super::{input::query, json_path::JsonPath, template::Templates};
