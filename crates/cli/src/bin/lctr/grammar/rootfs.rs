//! Root file systems: `DIR` below a layer of its own, `DIR:rw` written into, `DIR:ro` never written into.
//!
//! A directory whose name ends in `:rw` is named with a trailing slash.

use libcontainerd::Rootfs;

use super::GrammarError;

/// Reads a root file system; relative directories are taken from the working directory.
pub(crate) fn parse(text: &str) -> Result<Rootfs, GrammarError> {
    let (directory, kind): (_, fn(std::path::PathBuf) -> Rootfs) = match text.rsplit_once(':') {
        Some((directory, "rw")) => (directory, Rootfs::Directory),
        Some((directory, "ro")) => (directory, Rootfs::ReadOnly),
        _ => (text, Rootfs::Overlay),
    };
    let absolute = std::path::absolute(directory).map_err(|_| GrammarError::Rootfs)?;
    Ok(kind(absolute))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_alone_is_an_overlay_and_its_ending_chooses_otherwise() {
        assert_eq!(parse("/"), Ok(Rootfs::Overlay("/".into())));
        assert_eq!(parse("/x:rw"), Ok(Rootfs::Directory("/x".into())));
        assert_eq!(parse("/x:ro"), Ok(Rootfs::ReadOnly("/x".into())));
        assert_eq!(parse("/x:y"), Ok(Rootfs::Overlay("/x:y".into())));
    }

    #[test]
    fn relative_directories_become_absolute() {
        assert!(parse("here").unwrap().directory().is_absolute());
    }

    #[test]
    fn no_directory_is_refused() {
        for text in ["", ":rw", ":ro"] {
            assert_eq!(parse(text), Err(GrammarError::Rootfs), "{text}");
        }
    }
}
