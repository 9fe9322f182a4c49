//! What reads bytes that anybody may have made: one function for each, the same for the tests and for
//! cargo-fuzz. It panics where the input does what no input may.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures::StreamExt;
use lakesh_engine::effect::{Capabilities, Effect, Lack};
use lakesh_engine::event::Event;
use lakesh_engine::failure::Failure;
use lakesh_engine::input::{Cell, SplitOptions, Terminator, awaiting, cells, decode, tokens};
use lakesh_engine::session::{Session, SessionOptions};
use lakesh_engine::source::{Place, Source};

/// Longer takes no input of a few kilobytes, not even without optimization on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// Enough for every input that says the truth about itself.
const MEMORY: u64 = 128 * 1024 * 1024;

/// Words of messages that say that something went wrong inside.
const INTERNAL: &[&str] = &["panicked", "nternal error", "itself failed", "has crashed"];

/// A reader of bytes.
pub(crate) struct Target {
    /// Its name, and that of the folder with its seeds.
    pub(crate) name: &'static str,
    /// How many mutations of each seed the tests try.
    pub(crate) mutations: usize,
    /// Reads an input.
    pub(crate) run: fn(&[u8]),
}

/// All of them, in alphabetical order.
pub(crate) static TARGETS: &[Target] = &[
    Target {
        name: "arrow",
        mutations: 60,
        run: |bytes| file("arrow", bytes),
    },
    Target {
        name: "commands",
        mutations: 60,
        run: commands,
    },
    Target {
        name: "csv",
        mutations: 60,
        run: |bytes| file("csv", bytes),
    },
    Target {
        name: "delta_log",
        mutations: 40,
        run: delta_log,
    },
    Target {
        name: "frames",
        mutations: 1000,
        run: |bytes| {
            WORLD
                .runtime
                .block_on(lakesh_kernel::fuzzing::frames(bytes))
        },
    },
    Target {
        name: "json",
        mutations: 60,
        run: |bytes| file("json", bytes),
    },
    Target {
        name: "lexer",
        mutations: 1000,
        run: lexer,
    },
    Target {
        name: "notebook",
        mutations: 1000,
        run: lakesh_kernel::fuzzing::notebook,
    },
    Target {
        name: "parquet",
        mutations: 60,
        run: |bytes| file("parquet", bytes),
    },
    Target {
        name: "parser",
        mutations: 80,
        run: parser,
    },
];

/// A session that reads, and the folder in which its files lie.
struct World {
    runtime: tokio::runtime::Runtime,
    session: Arc<Session>,
    folder: tempfile::TempDir,
    files: AtomicUsize,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let capabilities = Capabilities::ALL
        .without(Effect::Network, Lack::Unattended)
        .read_only();
    let options = SessionOptions {
        capabilities,
        memory_limit: Some(MEMORY),
        threads: Some(2),
        temp_folder: folder.path().join("temp"),
        ..SessionOptions::in_folder(folder.path())
    };
    World {
        runtime: tokio::runtime::Runtime::new().expect("a runtime"),
        session: lakesh_engine::open(options).expect("a session"),
        folder,
        files: AtomicUsize::new(0),
    }
});

impl World {
    /// Returns a path that no other input has.
    fn path(&self, suffix: &str) -> PathBuf {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        self.folder.path().join(format!("input-{number}{suffix}"))
    }
}

/// Fails if a failure shows what is inside.
fn look_at(failure: &Failure) {
    let text = failure.report(false);
    for word in INTERNAL {
        assert!(!text.contains(word), "{text}");
    }
}

/// Waits for an answer; a session that was dropped ends what it does.
fn in_time<T>(work: impl Future<Output = T>) -> T {
    let limited = async { tokio::time::timeout(DEADLINE, work).await };
    let done = WORLD.runtime.block_on(limited);
    done.expect("it does not end")
}

/// Runs a cell to its end, whatever that is.
async fn run(cell: Cell) {
    let mut events = WORLD.session.run(cell);
    while let Some(event) = events.next().await {
        if let Event::Failed(failure) = event {
            look_at(&failure);
        }
    }
}

fn statement(sql: String) -> Cell {
    let source = Source::new("input", sql);
    let length = source.text.len();
    Cell::Statement {
        place: Place::new(&source, 0..length),
        terminator: Terminator::EndOfInput,
    }
}

/// Cuts a text into tokens and cells; each is a part of it, behind the one before.
fn lexer(bytes: &[u8]) {
    let Ok(source) = decode("input", bytes) else {
        return;
    };
    let mut end = 0;
    for token in tokens(&source.text) {
        assert!(token.range.start >= end, "tokens go back");
        end = token.range.end;
        let _ = &source.text[token.range];
    }
    for magics in [false, true] {
        let options = SplitOptions {
            magics,
            ..SplitOptions::default()
        };
        let mut end = 0;
        for cell in cells(&source, options) {
            let Ok(cell) = cell else {
                break;
            };
            let place = cell.place();
            assert!(place.range.start >= end, "cells go back");
            end = place.range.end;
            let _ = place.text();
        }
        let _ = awaiting(&source.text, options);
    }
}

/// Checks each statement of a text, which parses and plans it and runs nothing.
fn parser(bytes: &[u8]) {
    let Ok(source) = decode("input", bytes) else {
        return;
    };
    for cell in cells(&source, SplitOptions::default()) {
        let Ok(cell) = cell else {
            break;
        };
        if let Err(failure) = in_time(WORLD.session.check(cell)) {
            look_at(&failure);
        }
    }
}

/// Runs each line as a command, in a session that changes nothing.
fn commands(bytes: &[u8]) {
    let Ok(source) = decode("input", bytes) else {
        return;
    };
    for line in source.text.lines() {
        let line = Source::new("input", format!("\\{line}"));
        for cell in cells(&line, SplitOptions::default()) {
            if let Ok(cell @ Cell::Command { .. }) = cell {
                in_time(run(cell));
            }
        }
    }
}

/// Reads a file of a format: all rows, and how many there are by what the file says.
fn file(suffix: &str, bytes: &[u8]) {
    let path = WORLD.path(&format!(".{suffix}"));
    fs::write(&path, bytes).expect("a file");
    read(&path.display().to_string());
    fs::remove_file(path).expect("the file is there");
}

/// Reads a table whose first commit is the input, and checks it.
fn delta_log(bytes: &[u8]) {
    let folder = WORLD.path("");
    let log = folder.join("_delta_log");
    fs::create_dir_all(&log).expect("a folder");
    fs::write(log.join(format!("{:020}.json", 0)), bytes).expect("a file");
    read(&folder.display().to_string());
    in_time(run(statement(format!(
        "CHECK TABLE '{}'",
        folder.display()
    ))));
    remove(&folder);
}

fn read(location: &str) {
    for selected in ["*", "count(*)"] {
        in_time(run(statement(format!(
            "SELECT {selected} FROM '{location}'"
        ))));
    }
}

fn remove(folder: &Path) {
    fs::remove_dir_all(folder).expect("the folder is there");
}
