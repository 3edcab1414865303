//! `-t`: a terminal of the container's own, the user's raw meanwhile and as it was on every end.

use libcontainerd_tests::lctr::{command, lctr};
use libcontainerd_tests::scratch::Scratch;
use libcontainerd_tests::terminal::Terminal;
use rustix::process::Signal;

use crate::{background, refused, remove, run};

/// A container's program in a terminal of 100 columns and 40 rows.
fn start(scratch: &Scratch, options: &[&str], program: &[&str]) -> Terminal {
    Terminal::start(&command(scratch, run(&[options, &["-i", "-t"]].concat(), program)), 100, 40)
}

/// Says in which state the terminal is before a program has it: what `settings` are when nobody runs in it.
fn untouched() -> String {
    let mut terminal = Terminal::start(&std::process::Command::new("true"), 100, 40);
    terminal.ends();
    terminal.settings()
}

#[test]
fn the_size_is_there_from_the_start_and_follows_the_window() {
    let scratch = Scratch::new();
    let mut terminal = start(&scratch, &["--name", "c"], &["/probe", "size"]);
    terminal.shows("100x40");
    terminal.gets_size(120, 50);
    terminal.shows("120x50");
    terminal.gets_size(33, 7);
    terminal.shows("33x7");
    lctr(&scratch, ["kill", "-s", "TERM", "c"]).code(0);
    assert_eq!(terminal.ends().0, Some(0));
}

#[test]
fn what_is_typed_reaches_the_program_and_what_it_shows_the_screen() {
    let scratch = Scratch::new();
    let mut terminal = start(&scratch, &[], &["sh"]);
    terminal.types(b"tty; echo $((6*7))\r");
    terminal.shows("/dev/pts/0");
    terminal.shows("42");
    terminal.types(b"exit 5\r");
    assert_eq!(terminal.ends().0, Some(5));
}

#[test]
fn ctrl_c_is_the_containers_own_terminals() {
    let scratch = Scratch::new();
    let mut terminal = start(&scratch, &[], &["sh", "-c", "trap 'echo inside; exit 3' INT; echo ready; read x"]);
    terminal.shows("ready");
    terminal.types(b"\x03");
    terminal.shows("inside");
    assert_eq!(terminal.ends().0, Some(3));
}

#[test]
fn without_a_terminal_of_its_own_ctrl_c_interrupts_twice_and_then_kills() {
    let scratch = Scratch::new();
    let script = "trap 'echo interrupted' INT; echo ready; while :; do sleep 1000 & wait $!; done";
    let mut terminal = Terminal::start(&command(&scratch, run(&[], &["sh", "-c", script])), 80, 25);
    terminal.shows("ready");
    terminal.types(b"\x03");
    terminal.shows("interrupted");
    terminal.types(b"\x03");
    terminal.shows("interrupt once more to kill it");
    terminal.types(b"\x03");
    assert_eq!(terminal.ends().0, Some(128 + 9));
}

#[test]
fn the_users_terminal_is_raw_meanwhile_and_as_it_was_after_the_programs_end() {
    let scratch = Scratch::new();
    let mut terminal = start(&scratch, &[], &["sh", "-c", "echo ready; read x; exit 4"]);
    terminal.shows("ready");
    // The keys are answered by the container's terminal: ours is raw by then.
    terminal.types(b"word");
    terminal.shows("word");
    assert_ne!(terminal.settings(), untouched());
    terminal.types(b"\r");
    assert_eq!(terminal.ends().0, Some(4));
    assert_eq!(terminal.settings(), untouched());
}

#[test]
fn the_users_terminal_is_as_it_was_after_a_death_by_signal() {
    let scratch = Scratch::new();
    let mut terminal = start(&scratch, &["--name", "c"], &["/probe", "ignore-term"]);
    terminal.shows("ready");
    lctr(&scratch, ["kill", "-s", "KILL", "c"]).code(0);
    assert_eq!(terminal.ends().0, Some(128 + 9));
    assert_eq!(terminal.settings(), untouched());
}

#[test]
fn the_users_terminal_is_as_it_was_after_a_signal_to_lctr() {
    let scratch = Scratch::new();
    let mut terminal = start(&scratch, &[], &["/probe", "on-term", "bye", "6"]);
    terminal.shows("ready");
    terminal.gets(Signal::TERM);
    terminal.shows("bye");
    assert_eq!(terminal.ends().0, Some(6));
    assert_eq!(terminal.settings(), untouched());
}

#[test]
fn the_users_terminal_is_as_it_was_after_a_program_that_did_not_start() {
    let scratch = Scratch::new();
    let mut terminal = start(&scratch, &[], &["/no/such"]);
    terminal.shows("/no/such");
    assert_eq!(terminal.ends().0, Some(127));
    assert_eq!(terminal.settings(), untouched());
}

#[test]
fn ctrl_p_ctrl_q_leaves_the_container_running_and_attach_comes_back() {
    let scratch = Scratch::new();
    let mut terminal = start(&scratch, &["--name", "c"], &["sh"]);
    terminal.types(b"echo one $((1+1))\r");
    terminal.shows("one 2");
    terminal.types(b"\x10\x11");
    terminal.shows("lctr: left;");
    assert_eq!(terminal.ends().0, Some(0));
    assert_eq!(terminal.settings(), untouched());
    lctr(&scratch, ["ps", "-q"]).stdout("c\n").code(0);
    let mut terminal = Terminal::start(&command(&scratch, ["attach", "c"]), 90, 30);
    terminal.types(b"until [ \"$(stty size)\" = '30 90' ]; do :; done; exit 8\r");
    assert_eq!(terminal.ends().0, Some(8));
    assert_eq!(terminal.settings(), untouched());
    remove(&scratch, &["c"]);
}

#[test]
fn leaving_an_attached_terminal_ends_with_1() {
    let scratch = Scratch::new();
    crate::background_with(&scratch, "c", &["-i", "-t"], &["/probe", "size"]);
    let mut terminal = Terminal::start(&command(&scratch, ["attach", "c"]), 91, 31);
    // Told once the terminal is raw: keys from now on are not lost to the user's own.
    terminal.shows("91x31");
    terminal.types(b"\x10\x11");
    assert_eq!(terminal.ends().0, Some(1));
    assert_eq!(terminal.settings(), untouched());
    remove(&scratch, &["c"]);
}

#[test]
fn other_keys_leave_where_they_were_chosen() {
    let scratch = Scratch::new();
    let options = ["--name", "c", "--detach-keys", "ctrl-a,z"];
    let mut terminal = start(&scratch, &options, &["sh", "-c", "stty -echo raw; echo ready; exec /probe cat"]);
    terminal.shows("ready");
    // No longer special, and passed on.
    terminal.types(b"\x10\x11\x01x");
    terminal.shows("\x10\x11\x01x");
    terminal.types(b"\x01z");
    assert_eq!(terminal.ends().0, Some(0));
    lctr(&scratch, ["ps", "-q"]).stdout("c\n").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn an_exec_has_a_terminal_of_its_own_and_its_size() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    let mut terminal = Terminal::start(&command(&scratch, ["exec", "-i", "-t", "c", "sh"]), 71, 23);
    terminal.types(b"stty size; test -t 0 && exit 9\r");
    terminal.shows("23 71");
    assert_eq!(terminal.ends().0, Some(9));
    remove(&scratch, &["c"]);
}

#[test]
fn a_terminal_is_refused_where_the_user_has_none() {
    let scratch = Scratch::new();
    refused(lctr(&scratch, run(&["-t"], &["true"])), 125, "-t needs a terminal on stdin", "leave it out");
    background(&scratch, "c", &["/probe", "sleep"]);
    refused(lctr(&scratch, ["exec", "-t", "c", "true"]), 125, "-t needs a terminal on stdin", "leave it out");
    remove(&scratch, &["c"]);
}

#[test]
fn what_a_program_in_a_terminal_writes_before_it_ends_is_all_shown() {
    let scratch = Scratch::new();
    let mut terminal = start(&scratch, &[], &["/probe", "lines", "20000"]);
    let (code, shown) = terminal.ends();
    assert_eq!(code, Some(0));
    let wanted: String = (1..=20_000).map(|line| format!("line {line}\r\n")).collect();
    assert!(shown == wanted, "{} of {} bytes", shown.len(), wanted.len());
}
