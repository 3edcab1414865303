//! Whose life a container is bound to: a pid, or whoever runs `lctr`.

use libcontainerd::Lease;

use super::GrammarError;

/// Reads an owner.
pub(crate) fn parse(text: &str) -> Result<Lease, GrammarError> {
    if text == "parent" {
        return Ok(Lease::on(std::os::unix::process::parent_id()));
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    // The kernel's own limit of pids is far below this one of its type.
    match text.parse() {
        Ok(pid @ 1..=0x7fff_ffff) if digits => Ok(Lease::on(pid)),
        _ => Err(GrammarError::Owner),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_a_pid_or_the_parent() {
        assert_eq!(parse("42"), Ok(Lease::on(42)));
        assert_eq!(parse("parent").unwrap().owner, std::os::unix::process::parent_id());
    }

    #[test]
    fn what_can_be_nobodys_pid_is_refused() {
        for text in ["", "0", "-1", "+1", "me", "4294967295", "1.0"] {
            assert_eq!(parse(text), Err(GrammarError::Owner), "{text}");
        }
    }
}
