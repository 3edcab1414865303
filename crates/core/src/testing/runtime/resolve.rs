//! Who and what: the machine's few users and programs, looked up as a container's files would be.
//!
//! Every container has `/probe` (all verbs), `/not-executable`, what the test installed, and `true`, `false`, `echo`,
//! `cat` and `sleep` under any path; users are `root`, `tester` (1000, also in group 50) and `nobody` (65534).

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::process::User;
use crate::start::{StartFailure, StartStage};
use crate::testing::program::{Behaviour, Identity, Program, Verb};

const ENOENT: i32 = 2;
const EACCES: i32 = 13;

/// The behaviour of a program.
///
/// # Errors
/// `StartFailed` when there is none of that path.
pub(super) fn program(installed: &HashMap<String, Program>, args: &[String]) -> Result<Behaviour> {
    let path = args.first().map_or("", String::as_str);
    if let Some(program) = installed.get(path) {
        return Ok(Behaviour::Script(program.clone()));
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let verb = match name {
        "probe" => Verb::parse(&args[1..]),
        "true" => Verb::Exit(0),
        "false" => Verb::Exit(1),
        "echo" | "cat" | "sleep" => Verb::parse(&[&[name.to_owned()], &args[1..]].concat()),
        "not-executable" => return Err(unresolved(path, EACCES)),
        _ => return Err(unresolved(path, ENOENT)),
    };
    Ok(Behaviour::Verb(verb))
}

fn unresolved(path: &str, errno: i32) -> Error {
    Error::start_failed(StartFailure::new(StartStage::Resolve, errno, path))
}

/// The ids of a user.
///
/// # Errors
/// `StartFailed` when there is no such user.
pub(super) fn user(user: &User) -> Result<Identity> {
    match user {
        User::Ids { uid, gid, groups } => Ok(Identity { uid: *uid, gid: *gid, groups: groups.clone() }),
        User::Named(text) => named(text)
            .ok_or_else(|| Error::start_failed(StartFailure::new(StartStage::Identity, ENOENT, text.as_str()))),
    }
}

fn named(text: &str) -> Option<Identity> {
    let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
    let mut identity = match user {
        "root" | "0" => Identity::default(),
        "tester" | "1000" => Identity { uid: 1000, gid: 1000, groups: vec![50] },
        "nobody" | "65534" => Identity { uid: 65534, gid: 65534, groups: Vec::new() },
        number => Identity { uid: number.parse().ok()?, ..Identity::default() },
    };
    match group {
        None => {}
        Some("staff") => identity = Identity { gid: 50, groups: Vec::new(), ..identity },
        Some(number) => identity = Identity { gid: number.parse().ok()?, groups: Vec::new(), ..identity },
    }
    Some(identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_are_not_there_and_that_cannot_run_are_told_apart() {
        let code = |path: &str| {
            let error = program(&HashMap::new(), &[path.to_owned()]).unwrap_err();
            error.start_failure().and_then(StartFailure::exit_code)
        };
        assert_eq!(code("/missing"), Some(127));
        assert_eq!(code("/not-executable"), Some(126));
    }

    #[test]
    fn a_user_is_found_by_name_number_and_group() {
        let of = |text: &str| user(&User::Named(text.into())).map(|i| (i.uid, i.gid, i.groups)).ok();
        assert_eq!(of("tester"), Some((1000, 1000, vec![50])));
        assert_eq!(of("tester:staff"), Some((1000, 50, vec![])));
        assert_eq!(of("7:8"), Some((7, 8, vec![])));
        assert_eq!(of("stranger"), None);
    }
}
