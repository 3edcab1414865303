//! Reading an OCI runtime spec without losing what it says.
//!
//! The types of the specification drop properties that they do not know, in silence; here they are found by comparing
//! what was read with what was understood, so that the caller can warn or refuse.

use std::fmt;

use oci_spec::runtime::Spec;
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};

/// A spec and the properties in its text that nobody here knows, as dotted paths.
#[derive(Clone)]
#[non_exhaustive]
pub struct ReadSpec {
    /// What was understood.
    pub spec: Spec,
    /// What was not: `linux.newThing`, `mounts.2.color`.
    pub unknown: Vec<String>,
}

impl fmt::Debug for ReadSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The spec holds the environment.
        f.debug_struct("ReadSpec").field("unknown", &self.unknown).finish_non_exhaustive()
    }
}

/// Reads the text of a `config.json`.
///
/// # Errors
/// `InvalidArgument` with line and column when it is no JSON or no spec.
pub fn read(json: &[u8]) -> Result<ReadSpec> {
    // The parser's own words may quote what it read, an environment too: only the place is told.
    let bad = |what: &str, e: serde_json::Error| {
        Error::new(ErrorKind::InvalidArgument, format!("{what}, at line {} column {}", e.line(), e.column()))
    };
    let spec: Spec = serde_json::from_slice(json).map_err(|e| bad("the bundle's config.json is no OCI spec", e))?;
    let text: Value = serde_json::from_slice(json).map_err(|e| bad("the bundle's config.json is no JSON", e))?;
    let understood =
        serde_json::to_value(&spec).map_err(|e| Error::new(ErrorKind::Internal, "a spec has no text").because(e))?;
    let mut unknown = Vec::new();
    compare(&text, &understood, &mut String::new(), &mut unknown);
    Ok(ReadSpec { spec, unknown })
}

fn compare(text: &Value, understood: &Value, path: &mut String, unknown: &mut Vec<String>) {
    let mut below = |key: &str, value: &Value, known: Option<&Value>| {
        let length = path.len();
        if length > 0 {
            path.push('.');
        }
        path.push_str(key);
        match known {
            Some(known) => compare(value, known, path, unknown),
            None if is_nothing(value) => {}
            None => unknown.push(path.clone()),
        }
        path.truncate(length);
    };
    match (text, understood) {
        (Value::Object(text), Value::Object(known)) => {
            for (key, value) in text {
                below(key, value, known.get(key));
            }
        }
        (Value::Array(text), Value::Array(known)) => {
            for (at, value) in text.iter().enumerate() {
                below(&at.to_string(), value, known.get(at));
            }
        }
        _ => {}
    }
}

/// Values that the types leave out when they write: absent and empty are the same to them.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(items) => items.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_properties_are_named_and_known_ones_are_not() {
        let mut json = serde_json::to_value(Spec::default()).unwrap();
        json["linux"]["warpDrive"] = serde_json::json!({"on": true});
        json["mounts"][0]["color"] = "blue".into();
        json["hooks"] = serde_json::json!({});
        let read = read(json.to_string().as_bytes()).unwrap();
        assert_eq!(read.unknown, ["linux.warpDrive", "mounts.0.color"]);
    }

    #[test]
    fn a_broken_text_says_where() {
        let error = read(b"{\n  \"ociVersion\": ,").err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("line 2"), "{error}");
    }

    #[test]
    fn c44_an_error_quotes_nothing_of_the_text() {
        let error = read(br#"{"ociVersion": "1.0.2", "process": {"env": "SECRET=hunter2"}}"#).err().unwrap();
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}
