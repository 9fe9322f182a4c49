//! The notebook kernel, asked by Jupyter's own clients, and notebooks that run without a front end.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Lake, python_in, repository};

/// A lake with a kernel that clients started in it find.
fn lake_with_kernel() -> Lake {
    let lake = Lake::project();
    let installed = lake.shell(["kernel", "install", "--user"]).run();
    assert!(installed.succeeds().is_empty());
    assert!(
        installed.stderr.contains("installed in"),
        "{}",
        installed.stderr
    );
    lake
}

#[test]
fn jupyters_own_tests_pass() {
    let lake = lake_with_kernel();
    let answer = python_in(&lake, "kernel_conformance.py", &[]);
    assert_eq!(
        answer,
        json!({ "run": 13, "skipped": [], "failures": [] }),
        "{answer:#}"
    );
}

#[test]
fn the_protocol_is_kept() {
    let lake = lake_with_kernel();
    let answer = python_in(&lake, "kernel_protocol.py", &[]);
    let checks = answer.as_object().unwrap();
    assert!(checks.len() >= 36, "{}", checks.len());
    for (name, outcome) in checks {
        assert_eq!(outcome, "ok", "{name}:\n{}", outcome.as_str().unwrap());
    }
    // What the notebook made is there for the terminal.
    assert_eq!(lake.rows("SELECT count(*) FROM stock"), "7\n");
}

#[test]
fn nothing_hostile_stops_the_kernel() {
    let lake = lake_with_kernel();
    let answer = python_in(&lake, "kernel_hostile.py", &[]);
    assert_eq!(
        answer,
        json!({ "changes": 1, "heard": 200, "results": 40, "alive": "ok" })
    );
}

#[test]
fn tools_run_notebooks() {
    let lake = lake_with_kernel();
    let tour = repository("docs/notebooks/first-tour.ipynb");
    let answer = python_in(&lake, "kernel_tools.py", &[&tour]);
    let expected = json!({
        "nbconvert": 0,
        "nbconvert_error": true,
        "html": true,
        "tour": 0,
        "papermill": [[{
            "city": "O'Fallon", "answer": 42, "day": "2024-01-31", "quoted": "a b\\c",
            "missing": null,
        }]],
        "parameters": ["city", "day", "factor"],
        "papermill_error": "PlanError",
    });
    assert_eq!(answer, expected, "{answer:#}");
}

#[test]
fn installing_names_the_kernel() {
    let lake = Lake::new();
    let prefix = lake.root().join("prefix");
    let arguments = [
        "kernel",
        "install",
        "--prefix",
        prefix.to_str().unwrap(),
        "--name",
        "lake-2",
        "--display-name",
        "The lake",
        "--",
        "--catalog",
        "/somewhere",
    ];
    lake.shell(arguments).run().succeeds();
    let file = prefix.join("share/jupyter/kernels/lake-2/kernel.json");
    let text = std::fs::read_to_string(file).unwrap();
    let specification: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(specification["display_name"], "The lake");
    let words: Vec<_> = specification["argv"].as_array().unwrap()[1..].to_vec();
    let expected = [
        "kernel",
        "start",
        "--connection-file",
        "{connection_file}",
        "--",
        "--catalog",
        "/somewhere",
    ];
    assert_eq!(words, expected);

    let message = lake
        .shell(["kernel", "install", "--name", "a b"])
        .run()
        .fails(2);
    assert!(
        message.contains("`a b` is not a kernel's name"),
        "{message}"
    );
    let message = lake
        .shell(["kernel", "start", "-f", "missing.json"])
        .run()
        .fails(2);
    assert!(
        message.contains("the connection file `missing.json` cannot be read"),
        "{message}"
    );
}

/// A notebook of code cells with their tags.
fn notebook(cells: &[(&str, &[&str])]) -> String {
    let cells: Vec<Value> = cells
        .iter()
        .enumerate()
        .map(|(index, (source, tags))| {
            json!({
                "cell_type": "code", "id": format!("cell-{index}"), "metadata": { "tags": tags },
                "execution_count": null, "outputs": [], "source": source,
            })
        })
        .collect();
    json!({ "nbformat": 4, "nbformat_minor": 5, "metadata": { "kept": true }, "cells": cells })
        .to_string()
}

#[track_caller]
fn outputs(lake: &Lake, name: &str, cell: usize) -> Value {
    let read: Value = serde_json::from_str(&lake.read(name)).unwrap();
    assert_eq!(read["metadata"]["kept"], true);
    read["cells"][cell]["outputs"].clone()
}

fn rows(output: &Value) -> &Value {
    &output["data"]["application/vnd.dataresource+json"]["data"]
}

#[test]
fn notebooks_run_without_a_front_end() {
    let lake = Lake::project();
    let cells: [(&str, &[&str]); 4] = [
        ("\\param day:date=2024-01-01 n=1", &["parameters"]),
        ("\\echo first\n\\echo second\nselect $n + 1 as n", &[]),
        ("select $day as day", &[]),
        ("select no_column", &["raises-exception"]),
    ];
    lake.write("in.ipynb", notebook(&cells));
    let arguments = ["run", "in.ipynb", "-o", "out.ipynb", "--param", "n=41"];
    assert_eq!(lake.shell(arguments).run().succeeds(), "");
    let injected: Value = serde_json::from_str(&lake.read("out.ipynb")).unwrap();
    assert_eq!(
        injected["cells"][1]["metadata"]["tags"][0],
        "injected-parameters"
    );
    let shown = outputs(&lake, "out.ipynb", 2);
    assert_eq!(shown[0]["text"], json!(["first\n", "second\n"]));
    assert_eq!(rows(&shown[1]), &json!([{ "n": 42 }]));
    assert_eq!(
        rows(&outputs(&lake, "out.ipynb", 3)[0])[0]["day"],
        "2024-01-01"
    );
    assert_eq!(outputs(&lake, "out.ipynb", 4)[0]["ename"], "PlanError");
    // The notebook that was read is as it was.
    assert_eq!(outputs(&lake, "in.ipynb", 1), json!([]));

    // Without another place it is written back, and a second run gives the same.
    lake.shell(["run", "in.ipynb"]).run().succeeds();
    let first = lake.read("in.ipynb");
    assert_eq!(
        rows(&outputs(&lake, "in.ipynb", 1)[1]),
        &json!([{ "n": 2 }])
    );
    lake.shell(["run", "in.ipynb"]).run().succeeds();
    assert_eq!(lake.read("in.ipynb"), first);
}

#[test]
fn a_failing_notebook_has_the_status_of_a_failing_script() {
    let lake = Lake::project();
    let cells: [(&str, &[&str]); 3] = [
        ("select 1", &[]),
        ("select 1;\nselect no_column", &[]),
        ("create table later as select 1 as a", &[]),
    ];
    lake.write("bad.ipynb", notebook(&cells));
    let message = lake.shell(["run", "bad.ipynb"]).run().fails(1);
    assert!(message.contains("cell 2:2:8"), "{message}");
    assert_eq!(outputs(&lake, "bad.ipynb", 1)[1]["output_type"], "error");
    lake.refuses("SELECT * FROM later");
    lake.shell(["run", "bad.ipynb", "--keep-going"])
        .run()
        .fails(1);
    assert_eq!(lake.rows("SELECT * FROM later"), "1\n");

    lake.shell(["run", "missing.ipynb"]).run().fails(3);
    lake.write("none.ipynb", "{}");
    lake.shell(["run", "none.ipynb"]).run().fails(2);
    lake.shell(["run"]).run().fails(2);
}

#[test]
fn an_interrupted_notebook_is_written_and_says_so() {
    let lake = Lake::project();
    // The file appears while its statement still runs, so both are one cell.
    let endless = "copy (select 1 as a) to 'begun.csv';\n\
                   select count(*) from range(2000000000) a, range(2000000000) b \
                   where a.value % 7 = b.value % 5";
    let cells: [(&str, &[&str]); 2] =
        [(endless, &[]), ("create table later as select 1 as a", &[])];
    lake.write("long.ipynb", notebook(&cells));
    let running = lake.shell(["run", "long.ipynb", "-o", "out.ipynb"]).start();
    let deadline = Instant::now() + Duration::from_secs(120);
    while !lake.path().join("begun.csv").exists() {
        assert!(Instant::now() < deadline, "the first cell does not run");
        thread::yield_now();
    }
    running.signal("INT");
    let message = running.wait().fails(130);
    assert!(message.contains("interrupted"), "{message}");
    let stopped = outputs(&lake, "out.ipynb", 0);
    assert_eq!(
        stopped.as_array().unwrap().last().unwrap()["ename"],
        "Interrupted"
    );
    assert_eq!(outputs(&lake, "out.ipynb", 1), json!([]));
    lake.refuses("SELECT * FROM later");
}

#[test]
fn the_first_tour_is_as_it_is_committed() {
    let lake = Lake::project();
    let committed = repository("docs/notebooks/first-tour.ipynb");
    let path = committed.to_str().unwrap();
    lake.shell(["run", path, "-o", "again.ipynb"])
        .run()
        .succeeds();
    let again: Value = serde_json::from_str(&lake.read("again.ipynb")).unwrap();
    let committed: Value = serde_json::from_str(&read(&committed)).unwrap();
    for (cell, expected) in again["cells"]
        .as_array()
        .unwrap()
        .iter()
        .zip(committed["cells"].as_array().unwrap())
    {
        assert_eq!(cell["source"], expected["source"]);
        let texts = |cell: &Value| -> Vec<Value> {
            let outputs = cell["outputs"].as_array().into_iter().flatten();
            outputs.map(|output| rows(output).clone()).collect()
        };
        assert_eq!(texts(cell), texts(expected), "{}", cell["source"]);
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
