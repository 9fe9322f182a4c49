//! Bytes that anybody may have made: the seeds of the fuzzers, and some thousand mutations of them.
//!
//! `LAKESH_FUZZ_ROUNDS` tries more by hand; an input that fails is written down and named.

mod mutation;
mod targets;

use std::env;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use crate::support::repository;
use mutation::{Numbers, mutated};
use targets::{TARGETS, Target};

fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let folder = repository("tests/fuzz/seeds").join(target.name);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    // Every machine tries the same mutations.
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn try_input(target: &Target, input: &[u8]) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.run)(input))) else {
        return;
    };
    let path = env::temp_dir().join(format!("lakesh-fuzz-{}", target.name));
    fs::write(&path, input).unwrap();
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let why = text.or_else(|| panic.downcast_ref::<&str>().copied());
    panic!(
        "{} does not survive {}: {}",
        target.name,
        path.display(),
        why.unwrap_or_default()
    );
}

fn survives(names: &[&str]) {
    let rounds: usize = env::var("LAKESH_FUZZ_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap());
    for name in names {
        let target = TARGETS.iter().find(|target| target.name == *name).unwrap();
        let seeds = seeds(target);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for (place, seed) in seeds.iter().enumerate() {
            try_input(target, seed);
            let mut numbers = Numbers::new(place as u64);
            for _ in 0..target.mutations * rounds {
                try_input(target, &mutated(seed, &mut numbers));
            }
        }
    }
}

/// Each is one of a test below, and has a fuzzer of its own.
#[test]
fn every_target_is_tried() {
    let manifest = fs::read_to_string(repository("tests/fuzz/Cargo.toml")).unwrap();
    let tried = [TEXTS, STATEMENTS, FILES].concat();
    for target in TARGETS {
        assert!(tried.contains(&target.name), "{}", target.name);
        let named = format!("name = \"{}\"\n", target.name);
        assert!(manifest.contains(&named), "{}", target.name);
    }
    assert_eq!(tried.len(), TARGETS.len());
}

const TEXTS: &[&str] = &["frames", "lexer", "notebook"];
const STATEMENTS: &[&str] = &["commands", "parser"];
const FILES: &[&str] = &["arrow", "csv", "delta_log", "json", "parquet"];

#[test]
fn texts_of_any_kind_are_read() {
    survives(TEXTS);
}

#[test]
fn statements_and_commands_of_any_kind_are_refused_in_words() {
    survives(STATEMENTS);
}

#[test]
fn files_of_any_kind_are_refused_in_words() {
    survives(FILES);
}
