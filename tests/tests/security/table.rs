//! The table in SECURITY.md: every test that it names exists, and every row that is due has one.

use std::fs;
use std::path::Path;

use libcontainerd_tests::host::entries;

/// The rows that the first release owes.
const DUE: [u32; 21] = [1, 2, 6, 12, 15, 18, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 41, 42, 44, 51, 52];

/// The text of every source file below a directory.
fn sources(directory: &Path) -> String {
    let read = |path: &Path| match path {
        path if path.is_dir() => sources(path),
        path if path.extension().is_some_and(|name| name == "rs") => fs::read_to_string(path).unwrap(),
        _ => String::new(),
    };
    entries(directory).iter().filter(|path| !path.ends_with("target")).map(|path| read(path)).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The rows of the table: number and names of tests.
fn rows() -> Vec<(u32, Vec<String>)> {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| C-"));
    let names = |row: &str| {
        row.split('`').filter(|word| word.starts_with('c') && word.contains('_')).map(str::to_owned).collect()
    };
    rows.map(|row| (row.split_once(' ').unwrap().0.parse().unwrap(), names(row))).collect()
}

#[test]
fn every_test_that_the_table_names_exists_and_is_of_its_row() {
    let sources = ["crates", "tests"].map(|directory| sources(&root().join(directory))).concat();
    for (row, names) in rows() {
        for name in names {
            assert!(sources.contains(&format!("fn {name}(")), "C-{row}: there is no test {name}");
            let of_row = [format!("c{row}_"), format!("c{row:02}_")].iter().any(|start| name.starts_with(start));
            assert!(of_row, "C-{row}: {name} is another row's");
        }
    }
}

#[test]
fn every_row_that_is_due_has_a_test() {
    let rows = rows();
    for due in DUE {
        assert!(rows.iter().any(|(row, names)| *row == due && !names.is_empty()), "C-{due}");
    }
}
