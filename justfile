# The daily commands; `just` lists them. Each can be typed without just, too.

# Where .ci/run builds; several clones may share it.
export CARGO_TARGET_DIR := env("CARGO_TARGET_DIR", env("XDG_CACHE_HOME", env("HOME") / ".cache") / "lakesh/target")
export CARGO_INCREMENTAL := "0"

data := "packaging/lakesh.data/data/share"

[private]
default:
    @just --list

# Ask the compiler, of every crate and test.
check:
    cargo check --workspace --all-targets

# Run all tests, or those whose names contain a text.
test *names:
    cargo test --workspace {{ names }}

# Run what a change must pass: format, lints, tests.
ci:
    .ci/run

# Format the code.
format:
    cargo fmt --all

# Build an optimized binary without the long link, and run it.
quick *arguments:
    cargo run --profile quick -- {{ arguments }}

# Build the binary that users get.
release:
    cargo build --release

# Measure against peers: tests/bench/README.md says what there is.
bench *arguments:
    tests/bench/run {{ arguments }}

# Build the pages of docs/ as a site, in target/book (cargo install mdbook --locked).
site:
    mdbook build docs

# Put the release binary into a wheel, in target/wheels (pip install maturin).
wheel: release
    python3 packaging/wheel.py "$CARGO_TARGET_DIR/release/lakesh" target/wheels

# Write the manual page that the wheel brings anew.
man:
    mkdir -p target
    cargo run --quiet -- man > target/lakesh.1
    mv target/lakesh.1 {{ data }}/man/man1/lakesh.1
