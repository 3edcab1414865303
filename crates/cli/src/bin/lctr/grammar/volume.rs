//! Volumes: `SOURCE:TARGET[:ro|rw]`, paths on the host and in the container.
//!
//! What begins with neither `/` nor `.` would be a named volume to Docker, and is refused here.

use libcontainerd::Volume;

use super::GrammarError;

/// Reads a volume. Whether its paths can be, the library says.
pub(crate) fn parse(text: &str) -> Result<Volume, GrammarError> {
    let mut parts = text.split(':');
    let (Some(source), Some(target)) = (parts.next(), parts.next()) else { return Err(GrammarError::Volume) };
    let options = parts.next().unwrap_or("rw");
    if source.is_empty() || target.is_empty() || parts.next().is_some() {
        return Err(GrammarError::Volume);
    }
    if !source.starts_with(['/', '.']) {
        return Err(GrammarError::NamedVolume(source.to_owned()));
    }
    let mut volume = Volume::new(source, target);
    for option in options.split(',') {
        match option {
            "ro" => volume = volume.read_only(),
            "rw" => {}
            other => return Err(GrammarError::VolumeOption(other.to_owned())),
        }
    }
    Ok(volume)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_two_paths_and_may_be_read_only() {
        assert_eq!(parse("/a:/b"), Ok(Volume::new("/a", "/b")));
        assert_eq!(parse("./a:/b:rw"), Ok(Volume::new("./a", "/b")));
        assert_eq!(parse("/a:/b:ro"), Ok(Volume::new("/a", "/b").read_only()));
    }

    #[test]
    fn what_is_no_volume_says_why() {
        for text in ["", "/a", ":/b", "/a:", "/a:/b:ro:x"] {
            assert_eq!(parse(text), Err(GrammarError::Volume), "{text}");
        }
        assert_eq!(parse("data:/b"), Err(GrammarError::NamedVolume("data".into())));
        assert_eq!(parse("/a:/b:ro,z"), Err(GrammarError::VolumeOption("z".into())));
        assert_eq!(parse("/a:/b:"), Err(GrammarError::VolumeOption("".into())));
    }
}
