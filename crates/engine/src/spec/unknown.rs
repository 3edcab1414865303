//! Properties that the document has and the parsed spec has not.
//!
//! What was parsed is written out again and compared key by key, so that there is no second list of
//! known fields that could grow old.

use oci_spec::runtime::Spec;
use serde_json::Value;

use super::Warning;

/// Lists the properties of `raw` that parsing dropped.
pub(super) fn find(spec: &Spec, raw: &Value) -> Vec<Warning> {
    let mut fields = Vec::new();
    if let Ok(known) = serde_json::to_value(spec) {
        compare(raw, &known, "", &mut fields);
    }
    fields.into_iter().map(|field| Warning::UnknownProperty { field }).collect()
}

fn compare(raw: &Value, known: &Value, path: &str, fields: &mut Vec<String>) {
    match (raw, known) {
        (Value::Object(raw), Value::Object(known)) => {
            for (key, value) in raw {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match known.get(key) {
                    Some(known) => compare(value, known, &path, fields),
                    // What says nothing is not written out again either.
                    None if is_empty(value) => {}
                    None => fields.push(path),
                }
            }
        }
        (Value::Array(raw), Value::Array(known)) => {
            for (index, (raw, known)) in raw.iter().zip(known).enumerate() {
                compare(raw, known, &format!("{path}[{index}]"), fields);
            }
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}
