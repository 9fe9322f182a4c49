//! What lies beside the binary: completions and the manual page.

use std::fs::File;

use crate::support::{Lake, Shell};

/// Lets Bash complete the last word of a line as it does at Tab, and returns what it offers.
#[track_caller]
fn completed_by_bash(lake: &Lake, words: &[&str]) -> Vec<String> {
    let (last, earlier) = words.split_last().unwrap();
    let script = format!(
        "PATH=$(dirname \"$LAKESH\"):$PATH\n\
         source <(lakesh completions bash)\n\
         COMP_WORDS=({line}) COMP_CWORD={index} COMP_TYPE=9\n\
         _clap_complete_lakesh lakesh {last} {previous} 2> messages\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
        line = words.join(" "),
        index = words.len() - 1,
        previous = earlier.last().unwrap(),
    );
    lake.write("complete.bash", script);
    let offered = Shell::through_sh(lake, "bash complete.bash")
        .run()
        .succeeds();
    offered.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_the_command_line() {
    let lake = Lake::new();
    lake.write("report.sql", "select 1");
    assert_eq!(
        completed_by_bash(&lake, &["lakesh", "r"]),
        ["run", "report.sql"]
    );
    assert_eq!(
        completed_by_bash(&lake, &["lakesh", "report.sql", "--format", "nd"]),
        ["ndjson"]
    );
    assert_eq!(
        completed_by_bash(&lake, &["lakesh", "kernel", "in"]),
        ["install"]
    );
}

#[test]
fn completions_and_the_manual_end_as_scripts_do() {
    let lake = Lake::new();
    let message = lake.shell(["completions", "tcsh"]).run().fails(2);
    assert!(message.contains("bash, fish, zsh"), "{message}");
    assert!(
        lake.shell(["man"])
            .run()
            .succeeds()
            .contains(".TH LAKESH 1")
    );
    let full = File::options().write(true).open("/dev/full").unwrap();
    let message = lake.shell(["man"]).output_to(full).run().fails(3);
    assert!(
        message.contains("cannot write to standard output"),
        "{message}"
    );
}
