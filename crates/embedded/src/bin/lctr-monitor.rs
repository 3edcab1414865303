//! The small image of monitors: nothing but the hook.

use std::process::ExitCode;

fn main() -> ExitCode {
    libcontainerd_embedded::monitor_hook();
    // There is no log to say it in: this program was started by hand.
    #[allow(clippy::print_stderr, reason = "it is the whole output of this program")]
    {
        eprintln!("lctr-monitor: started by lctr and by programs that embed it; there is nothing to do by hand");
    }
    ExitCode::from(2)
}
