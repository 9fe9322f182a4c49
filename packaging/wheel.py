"""Puts a binary that is there already into a wheel.

    python packaging/wheel.py target/dist/lakesh dist/

The wheel is maturin's, as pyproject.toml describes it: maturin finds out what the binary needs of a system,
writes the metadata and packs. Only the compiler is left out. In its place stands a program that answers
`cargo rustc` with the binary, so that what is published, and what the tests ran, is what the wheel holds.
It takes `pip install maturin`, and `strip`, which comes with a C compiler.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

# What maturin reads of cargo's answer: which package it is, and where its file lies.
STAND_IN = """\
#!{python}
import json, os, subprocess, sys

CARGO = {cargo!r}
if sys.argv[1:2] != ["rustc"]:
    os.execvp(CARGO, [CARGO, *sys.argv[1:]])
manifest = {manifest!r}
package = subprocess.run(
    [CARGO, "pkgid", "--manifest-path", manifest], check=True, capture_output=True, text=True
).stdout.strip()
print(json.dumps({{
    "reason": "compiler-artifact",
    "package_id": package,
    "manifest_path": manifest,
    "target": {{
        "kind": ["bin"], "crate_types": ["bin"], "name": "lakesh", "src_path": {source!r}, "edition": "2024",
        "doc": True, "doctest": False, "test": False,
    }},
    "profile": {{
        "opt_level": "3", "debuginfo": 0, "debug_assertions": False, "overflow_checks": False, "test": False,
    }},
    "features": [],
    "filenames": [{binary!r}],
    "executable": {binary!r},
    "fresh": True,
}}))
print(json.dumps({{"reason": "build-finished", "success": True}}))
"""


def build(binary: Path, folder: Path, options: list[str]) -> None:
    """Writes the wheel of a binary into a folder."""
    with tempfile.TemporaryDirectory(prefix="lakesh-wheel-") as work:
        # maturin moves the compiler's file away while it packs: this one is nobody else's. Without symbols,
        # because PyPI takes no file above 100 MB.
        stripped = Path(work, "lakesh")
        subprocess.run(["strip", "-o", stripped, binary], check=True)
        stand_in = Path(work, "cargo")
        stand_in.write_text(
            STAND_IN.format(
                python=sys.executable,
                cargo=os.environ.get("CARGO", "cargo"),
                manifest=str(REPOSITORY / "shell/Cargo.toml"),
                source=str(REPOSITORY / "shell/src/main.rs"),
                binary=str(stripped),
            )
        )
        stand_in.chmod(0o755)
        command = [sys.executable, "-m", "maturin", "build", "--locked", "--out", str(folder)]
        subprocess.run(
            [*command, "--target-dir", str(Path(work, "target")), *options],
            check=True,
            cwd=REPOSITORY,
            env={**os.environ, "CARGO": str(stand_in)},
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=Path, help="the program to pack")
    parser.add_argument("folder", type=Path, help="where the wheel goes")
    parser.add_argument("options", nargs="*", help="what maturin takes besides, behind `--`")
    arguments = parser.parse_args()
    build(arguments.binary.resolve(), arguments.folder.resolve(), arguments.options)


if __name__ == "__main__":
    main()
