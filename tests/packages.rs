//! What lies beside the binary: completions, the manual page, and the wheel that brings all of it.

use std::ffi::OsStr;
use std::fs::{self, File};

use serde_json::{Value, json};

use crate::support::{Lake, Shell, python_in, python_program, repository};

/// What the wheel lays over an environment's folder.
const DATA: &str = "packaging/lakesh.data/data";

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

/// Reads a file that the wheel brings.
#[track_caller]
fn packed(path: &str) -> String {
    let path = repository(DATA).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_page_in_the_wheel_is_what_the_binary_prints() {
    let page = Lake::new().shell(["man"]).run().succeeds();
    assert!(
        packed("share/man/man1/lakesh.1") == page,
        "the manual page has changed: `lakesh man > {DATA}/share/man/man1/lakesh.1`, or `just man`"
    );
}

#[test]
fn the_kernel_in_the_wheel_is_what_the_binary_installs() {
    let lake = Lake::new();
    lake.shell(["kernel", "install", "--prefix", "."])
        .run()
        .succeeds();
    let kernel = "share/jupyter/kernels/lakesh/kernel.json";
    let mut installed: Value = serde_json::from_str(&lake.read(kernel)).unwrap();
    // A wheel does not know the folder of its environment; from the kernel's own the way is always the same.
    installed["argv"][0] = json!("{resource_dir}/../../../../bin/lakesh");
    let packed: Value = serde_json::from_str(&packed(kernel)).unwrap();
    assert_eq!(packed, installed);
}

#[test]
fn a_wheel_is_all_that_an_environment_needs() {
    let lake = Lake::new();
    let folder = lake.root().join("wheel");
    python_program(
        "packaging/wheel.py",
        &[
            OsStr::new(env!("CARGO_BIN_EXE_lakesh")),
            folder.as_os_str(),
            OsStr::new("--"),
            // A debug build is large, and nobody downloads this one.
            OsStr::new("--compression-method"),
            OsStr::new("stored"),
        ],
    );
    let wheels: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let [wheel] = wheels.as_slice() else {
        panic!("one wheel, not {wheels:?}");
    };
    let name = wheel.file_name().unwrap().to_str().unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(
        name.starts_with(&format!("lakesh-{version}-py3-none-")),
        "{name}"
    );

    let answer = python_in(&lake, "installed_wheel.py", &[wheel]);
    assert_eq!(answer["rows"], "a\n1\n");
    assert_eq!(answer["page"], true);
    assert_eq!(answer["kernel_is_inside"], true, "{answer}");
    assert_eq!(answer["specification"]["display_name"], "SQL (lakesh)");
    assert_eq!(answer["kernel"], json!(["ok", true, true]), "{answer}");
}
