//! The monitor and its witness with real containers, driven over the wire as every client does it.
//!
//! Needs root. The monitors are this very program, started under another name; so the hook comes first in main. The
//! requests are written by hand as JSON: what is tested here is what older clients say too.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

#[path = "monitor/bounds.rs"]
mod bounds;
#[path = "monitor/container.rs"]
mod container;
#[path = "monitor/deaths.rs"]
mod deaths;
#[path = "monitor/descriptors.rs"]
mod descriptors;
#[path = "monitor/execs.rs"]
mod execs;
#[path = "monitor/kept.rs"]
mod kept;
#[path = "monitor/kept_deaths.rs"]
mod kept_deaths;
#[path = "monitor/kept_log.rs"]
mod kept_log;
#[path = "monitor/leases.rs"]
mod leases;
#[path = "monitor/life.rs"]
mod life;
#[path = "monitor/peers.rs"]
mod peers;
#[path = "monitor/records.rs"]
mod records;
#[path = "monitor/removals.rs"]
mod removals;
#[path = "monitor/runtime.rs"]
mod runtime;
#[path = "monitor/scratch.rs"]
mod scratch;
#[path = "monitor/streams.rs"]
mod streams;
#[path = "monitor/sweeps.rs"]
mod sweeps;
#[path = "monitor/terminals.rs"]
mod terminals;
#[path = "monitor/unread.rs"]
mod unread;
#[path = "monitor/versions.rs"]
mod versions;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// Makes a trial of each function named, called as it is.
macro_rules! trials {
    ($($module:ident: $($name:ident),+ $(,)?;)+) => {
        vec![$($(Trial::test(concat!(stringify!($module), "::", stringify!($name)), || {
            $module::$name();
            Ok(())
        })),+),+]
    };
}

fn main() -> ExitCode {
    libcontainerd_embedded::monitor_hook();
    let trials = trials! {
        life:
            a_container_is_made_started_and_tells_its_exit,
            a_death_by_signal_is_told_as_that,
            a_deleted_container_leaves_nothing,
            a_failed_create_leaves_nothing,
            a_running_container_is_not_deleted,
            a_container_that_was_never_started_can_be_deleted,
            a_program_that_is_missing_is_told_by_stage_and_errno,
            a_monitor_without_work_ends_and_leaves_the_record,
            a_change_in_an_overlay_is_not_in_the_directory_below,
            want_of_memory_is_told_with_the_exit_that_it_explains;
        streams:
            output_is_whole_and_ends,
            stdin_reaches_the_program_and_its_end_too,
            output_of_a_container_that_has_ended_waits_for_its_reader,
            a_reader_that_goes_and_comes_back_loses_nothing,
            no_stdin_is_an_end_of_file;
        descriptors:
            pipe_file_and_socket_of_the_caller_are_the_streams_of_init,
            pipe_file_and_socket_of_the_caller_are_the_streams_of_an_exec,
            a_monitor_holds_nothing_of_a_descriptor_once_the_process_has_it,
            a_terminal_of_the_host_is_refused,
            a_descriptor_that_is_not_open_is_refused;
        kept:
            kept_output_is_whole_and_ends,
            kept_output_of_a_terminal_is_whole_and_ends,
            kept_output_of_execs_is_whole_and_ends_for_each,
            only_the_output_that_is_placed_so_is_kept,
            a_log_that_cannot_be_written_is_an_error_that_says_so,
            an_exec_without_a_log_is_an_error_and_leaves_nothing,
            the_log_of_an_exec_that_does_not_start_has_an_end,
            the_exit_does_not_wait_for_what_left_overs_write,
            a_left_over_that_writes_after_the_drain_gets_a_closed_pipe,
            a_drain_for_a_time_ends_when_it_is_over,
            a_drain_until_the_end_waits_for_the_last_writer,
            no_drain_keeps_what_was_written_before_the_exit,
            a_full_disk_makes_the_writer_wait_and_delays_no_kill,
            a_full_disk_drops_what_may_be_dropped,
            a_container_whose_log_is_not_drained_yet_can_be_deleted;
        kept_deaths:
            kept_output_is_whole_whoever_is_killed,
            kept_output_of_a_terminal_is_whole_whoever_is_killed,
            kept_output_of_an_exec_is_whole_whoever_is_killed,
            a_monitor_killed_after_the_exit_still_ends_the_log,
            output_goes_on_into_the_log_of_a_container_that_is_adopted,
            a_terminal_whose_monitor_and_witness_died_is_broken_off;
        unread:
            live_output_that_nobody_reads_is_thrown_away_where_asked,
            a_reader_is_never_robbed_of_what_it_reads,
            live_output_that_nobody_reads_is_kept_where_asked,
            output_that_turned_into_kept_output_stays_so_whoever_is_killed;
        terminals:
            a_terminal_is_relayed_byte_for_byte,
            a_terminal_has_its_size_from_the_start_and_changes_it,
            closing_stdin_of_a_terminal_is_an_end_of_file;
        execs:
            an_exec_runs_in_the_container_and_tells_its_exit,
            fifty_execs_at_once_all_tell_their_exit,
            a_failed_exec_leaves_no_trace,
            the_exit_of_an_exec_comes_before_the_exit_of_init,
            an_exec_is_killed_with_all_that_it_started,
            a_monitor_forgets_execs_that_have_ended;
        deaths:
            a_monitor_killed_before_the_start_costs_nothing,
            a_monitor_killed_while_the_container_runs_costs_nothing,
            a_monitor_killed_while_an_exec_is_pending_costs_that_exec_at_most,
            a_monitor_killed_after_the_exit_keeps_what_was_not_read,
            a_monitor_killed_again_and_again_costs_nothing,
            a_witness_killed_costs_nothing,
            a_witness_killed_and_then_the_monitor_cost_nothing,
            a_container_whose_monitor_and_witness_died_is_adopted,
            a_terminal_survives_its_monitor,
            a_monitor_killed_during_a_create_leaves_a_container_or_nothing,
            a_monitor_killed_during_a_start_costs_nothing,
            a_monitor_killed_during_a_delete_leaves_nothing,
            a_monitor_killed_as_the_container_ends_costs_nothing,
            a_witness_killed_as_the_container_ends_costs_nothing;
        bounds:
            an_exec_whose_time_is_up_is_killed_with_its_tree,
            an_exec_that_ends_in_time_is_not_timed_out,
            a_successor_keeps_the_time_of_an_exec,
            one_that_adopts_keeps_the_time_of_an_exec,
            the_time_of_an_exec_is_up_in_a_frozen_container_too,
            left_overs_are_killed_and_counted_where_asked,
            left_overs_go_on_and_are_counted,
            a_monitor_killed_as_left_overs_are_killed_costs_nothing,
            an_exec_in_a_paused_container_is_refused,
            what_was_counted_is_in_the_exit_of_init;
        leases:
            a_container_goes_with_its_owner,
            a_container_that_was_never_started_goes_with_its_owner,
            a_container_that_has_ended_goes_with_its_owner,
            an_owner_that_is_gone_has_no_container,
            successors_hold_the_owner_too,
            a_monitor_killed_as_the_owner_ends_costs_nothing,
            an_owner_that_died_while_nobody_looked_is_missed_by_the_next;
        removals:
            a_container_that_removes_itself_leaves_nothing_but_its_record,
            output_that_nobody_has_read_keeps_a_container_that_removes_itself,
            a_start_that_fails_is_the_end_too,
            supervisors_killed_as_a_container_removes_itself_cost_nothing,
            one_whose_supervisors_are_both_dead_is_removed_at_the_next_look,
            a_full_disk_keeps_no_container,
            the_ledger_answers_for_a_container_that_was_deleted;
        sweeps:
            a_sweep_leaves_alone_what_lives_and_what_is_anothers,
            a_sweep_clears_what_no_journal_knows,
            a_sweep_settles_the_dead_and_leaves_orphans_that_live_to_be_adopted,
            a_monitor_without_a_directory_is_ended_with_its_container,
            a_journal_of_a_later_version_protects_its_container_from_sweeps;
        versions:
            a_client_of_a_later_version_signals_waits_and_deletes,
            a_journal_of_a_later_version_ends_the_successors_and_leaves_the_container;
        peers:
            a_foreign_user_is_not_heard,
            garbage_harms_nobody,
            a_silent_client_blocks_nobody,
            the_environment_of_a_monitor_is_empty_and_its_directory_the_root;
    };
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(4);
    libtest_mimic::run(&arguments, trials).exit_code()
}
