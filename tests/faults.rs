//! A short run of the fault farm: lakesh at work while its file calls fail, beside a model.
//!
//! `tests/faults/run` does more of it by hand, and says how to repeat a round that fails.

use std::path::Path;
use std::process::Command;

use crate::support::{interpreter, repository};

/// As many rounds as begin within so many seconds; the binary is not optimized, and the machine busy.
const SECONDS: &str = "45";

#[test]
#[cfg(target_os = "linux")]
fn statements_take_effect_as_a_whole_or_not_at_all_whatever_fails_below() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let output = Command::new(repository("tests/faults/run"))
        .args(["--rounds", "1000", "--seconds", SECONDS])
        .args(["--lakesh", env!("CARGO_BIN_EXE_lakesh")])
        .env("CARGO_TARGET_DIR", target)
        .env("LAKESH_FAULTS_PYTHON", interpreter())
        .output()
        .unwrap();
    // The seed is today's date; it stands in what is printed.
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{error}");
}
