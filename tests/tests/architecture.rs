//! The picture of the house, held by tests: who imports whom, where `unsafe` may be, how files begin and how long
//! they are, which names are not used, and that every promise in ARCHITECTURE.md names a test that exists.
//!
//! The arrows are read from cargo, everything else from the sources' text: a rule that a reader can check by eye.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each crate of ours and the crates of ours that it may import: the picture in ARCHITECTURE.md.
const ARROWS: [(&str, &[&str]); 8] = [
    ("libcontainerd-core", &[]),
    ("libcontainerd-durable", &[]),
    ("libcontainerd-stream", &[]),
    ("libcontainerd-engine", &[]),
    ("libcontainerd-bundle", &["libcontainerd-core", "libcontainerd-durable"]),
    ("libcontainerd-fifo-io", &["libcontainerd-core", "libcontainerd-stream"]),
    (
        "libcontainerd-embedded",
        &["libcontainerd-core", "libcontainerd-durable", "libcontainerd-stream", "libcontainerd-engine"],
    ),
    (
        "libcontainerd",
        &["libcontainerd-core", "libcontainerd-bundle", "libcontainerd-fifo-io", "libcontainerd-embedded"],
    ),
];

/// Everything foreign that core may know. None of it makes a system call or speaks a wire's language.
const FOREIGN_TO_CORE: [&str; 11] = [
    "async-trait",
    "bytes",
    "futures-core",
    "getrandom",
    "mockall",
    "oci-spec",
    "serde",
    "serde_json",
    "thiserror",
    "tokio",
    "tracing",
];

/// What a leaf must not know.
const NEVER_IN_A_LEAF: [&str; 5] = ["tokio", "async-trait", "tonic", "prost", "futures-core"];

const LEAVES: [&str; 3] = ["libcontainerd-durable", "libcontainerd-stream", "libcontainerd-engine"];

/// Names that say nothing about what is behind them.
const EMPTY_NAMES: [&str; 12] =
    ["util", "utils", "helper", "helpers", "common", "misc", "types", "traits", "mod", "manager", "data", "info"];

/// The same as the end of a type's name.
const EMPTY_ENDS: [&str; 5] = ["Manager", "Impl", "Data", "Info", "Factory"];

const LONGEST_FILE: usize = 400;
const LONGEST_HEADER: usize = 12;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every package of the workspace and its dependencies outside of tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root());
    let answer: serde_json::Value = serde_json::from_slice(&cargo.output().unwrap().stdout).unwrap();
    let of = |package: &serde_json::Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        let ours = all.filter(|dependency| dependency["kind"] != "dev");
        ours.map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect()
    };
    let packages = answer["packages"].as_array().unwrap().iter();
    packages.map(|package| (package["name"].as_str().unwrap().to_owned(), of(package))).collect()
}

/// Every source file of ours, with its path from the root and its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for directory in ["crates", "tests", "benches", "fuzz"] {
        collect(&root().join(directory), &mut files);
    }
    let read = |path: PathBuf| (path.strip_prefix(root()).unwrap().to_owned(), fs::read_to_string(&path).unwrap());
    files.into_iter().map(read).collect()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// A file's lines without comments and texts, numbered from 1.
fn code(text: &str) -> impl Iterator<Item = (usize, String)> + '_ {
    text.lines().enumerate().map(|(at, line)| {
        let line = line.split("//").next().unwrap_or_default();
        let outside = line.split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
        (at + 1, outside)
    })
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_')
}

fn is_sys(path: &Path) -> bool {
    path.components().any(|part| matches!(part.as_os_str().to_str(), Some("sys" | "sys.rs")))
}

fn nothing(rule: &str, broken: Vec<String>) {
    assert!(broken.is_empty(), "{rule}:\n{}", broken.join("\n"));
}

#[test]
fn arrows_point_inwards_and_nowhere_else() {
    let all = dependencies();
    let mut broken = Vec::new();
    for (name, allowed) in ARROWS {
        let of = all.get(name).unwrap_or_else(|| panic!("the picture has a crate {name}, the workspace has not"));
        let ours = of.iter().filter(|other| ARROWS.iter().any(|(known, _)| known == other));
        broken.extend(ours.filter(|to| !allowed.contains(&to.as_str())).map(|to| format!("{name} -> {to}")));
    }
    nothing("an arrow that is not in the picture", broken);
}

#[test]
fn every_crate_is_in_the_picture() {
    let known = |name: &str| ARROWS.iter().any(|(known, _)| *known == name);
    let aside = ["libcontainerd-tests", "libcontainerd-probe", "libcontainerd-benches", "libcontainerd-fuzz"];
    let strangers = dependencies().into_keys().filter(|name| !known(name) && !aside.contains(&name.as_str()));
    nothing("a crate that is not in the picture", strangers.collect());
}

#[test]
fn core_knows_only_the_foreign_crates_on_the_list() {
    let all = dependencies();
    let strangers = all["libcontainerd-core"].iter().filter(|name| !FOREIGN_TO_CORE.contains(&name.as_str()));
    nothing("core knows more than it may", strangers.cloned().collect());
}

#[test]
fn leaves_know_nothing_asynchronous() {
    let all = dependencies();
    let found = |leaf: &&str| {
        let known = all[*leaf].iter().filter(|name| NEVER_IN_A_LEAF.contains(&name.as_str()));
        known.map(|name| format!("{leaf} -> {name}")).collect::<Vec<_>>()
    };
    nothing("a leaf knows what it must not", LEAVES.iter().flat_map(found).collect());
}

#[test]
fn unsafe_code_is_in_the_sys_files_only() {
    let broken = sources().into_iter().filter(|(path, _)| !is_sys(path)).flat_map(|(path, text)| {
        let lines: Vec<_> = code(&text).filter(|(_, line)| words(line).any(|word| word == "unsafe")).collect();
        lines.into_iter().map(move |(at, _)| format!("{}:{at}", path.display()))
    });
    nothing("unsafe outside of sys", broken.collect());
}

#[test]
fn every_file_begins_with_a_header() {
    let broken = sources().into_iter().filter_map(|(path, text)| {
        let prose = header_prose(&text);
        let fits = prose > 0 && prose <= LONGEST_HEADER;
        (!fits).then(|| format!("{}: {prose} lines", path.display()))
    });
    nothing("a header has 1 to 12 lines of prose", broken.collect());
}

/// The lines of a file's header without its lists, examples and empty lines: a map may be long.
fn header_prose(text: &str) -> usize {
    let header = text.lines().map_while(|line| line.strip_prefix("//!"));
    let mut in_example = false;
    let is_prose = |line: &&str| {
        let fence = line.trim_start().starts_with("```");
        in_example ^= fence;
        !(fence || in_example || line.trim().is_empty() || line.starts_with(" - ") || line.starts_with("   "))
    };
    header.filter(is_prose).count()
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let broken = sources().into_iter().filter_map(|(path, text)| {
        let lines = text.lines().count();
        (lines > LONGEST_FILE).then(|| format!("{}: {lines} lines", path.display()))
    });
    nothing("a file is too long", broken.collect());
}

#[test]
fn no_file_or_folder_has_an_empty_name() {
    let broken = sources().into_iter().filter_map(|(path, _)| {
        let mut parts = path.iter().map(|part| part.to_string_lossy().trim_end_matches(".rs").to_owned());
        parts.any(|part| EMPTY_NAMES.contains(&part.as_str())).then(|| path.display().to_string())
    });
    nothing("a name that says nothing", broken.collect());
}

#[test]
fn no_type_has_an_empty_name() {
    let kinds = ["struct", "enum", "trait", "type"];
    let mut broken = Vec::new();
    // The kernel's structures keep the kernel's names.
    for (path, text) in sources().into_iter().filter(|(path, _)| !is_sys(path)) {
        for (at, line) in code(&text) {
            let all: Vec<_> = words(&line).collect();
            let defined = all.windows(2).filter(|pair| kinds.contains(&pair[0])).map(|pair| pair[1]);
            let empty = defined.filter(|name| EMPTY_ENDS.iter().any(|end| name.ends_with(end)));
            broken.extend(empty.map(|name| format!("{}:{at}: {name}", path.display())));
        }
    }
    nothing("a type's name that says nothing", broken);
}

#[test]
fn no_function_begins_with_get() {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        for (at, line) in code(&text) {
            let all: Vec<_> = words(&line).collect();
            if all.windows(2).any(|pair| pair[0] == "fn" && pair[1].starts_with("get_")) {
                broken.push(format!("{}:{at}", path.display()));
            }
        }
    }
    nothing("a function is named by what it gives", broken);
}

#[test]
fn every_promise_in_the_architecture_names_a_test_that_exists() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
    let promises = promises(&text);
    assert!(promises.len() >= 7, "a heading with the word `promises` and a numbered list of seven or more below it");
    let sources = sources();
    let exists = |name: &str| {
        let last = name.rsplit("::").next().unwrap_or(name);
        sources.iter().any(|(_, text)| text.contains(&format!("fn {last}(")))
    };
    let mut broken = Vec::new();
    for promise in &promises {
        let quoted = promise.split('`').skip(1).step_by(2);
        // A test's name is a sentence.
        let (there, missing): (Vec<_>, Vec<_>) =
            quoted.filter(|name| name.matches('_').count() >= 2).partition(|name| exists(name));
        broken.extend(missing.into_iter().map(str::to_owned));
        if there.is_empty() {
            broken.push(promise.lines().next().unwrap_or_default().to_owned());
        }
    }
    nothing("a promise without its test", broken);
}

/// The items of the numbered lists below the headings that speak of promises.
fn promises(text: &str) -> Vec<String> {
    let mut promises: Vec<String> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let is_item = line.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
        if line.starts_with('#') {
            inside = line.to_lowercase().contains("promises");
        } else if inside && is_item {
            promises.push(line.to_owned());
        } else if let (true, Some(last)) = (inside && line.starts_with(' '), promises.last_mut()) {
            last.push('\n');
            last.push_str(line);
        }
    }
    promises
}
