"""`select 1` as a whole process: median of 50, all programs in turn; and with 10,000 tables."""

import peers

ROUNDS = 50
TABLES = 10_000

few = peers.FOLDER / "few-tables"
many = peers.FOLDER / "many-tables"


def fill():
    """Fills a catalog once, through the binary itself."""
    if (many / "complete").exists():
        return
    many.mkdir(parents=True, exist_ok=True)
    script = ["COPY (SELECT 1 AS n) TO 'one.parquet' OPTIONS (overwrite true);"]
    script += [f"CREATE OR REPLACE EXTERNAL TABLE t{number} STORED AS PARQUET LOCATION 'one.parquet';" for number in range(TABLES)]
    (many / "fill.sql").write_text("\n".join(script))
    filled = peers.run([*peers.lakesh("--catalog", str(many / ".lakesh")).command, "-q", "fill.sql"], folder=many)
    assert filled.status == 0
    print(f"{TABLES} tables named in {filled.seconds:.1f} s")
    (many / "complete").touch()


few.mkdir(parents=True, exist_ok=True)
fill()
commands = {
    "lakesh": [*peers.lakesh("--catalog", str(few / ".lakesh")).command, "-c", "select 1"],
    f"lakesh, {TABLES} tables": [*peers.lakesh("--catalog", str(many / ".lakesh")).command, "-c", "select 1"],
    f"lakesh, one of {TABLES}": [*peers.lakesh("--catalog", str(many / ".lakesh")).command, "-c", "select n from t5000"],
    "duckdb": [*peers.duckdb().command, "-c", "select 1"],
}
if peers.datafusion():
    commands["datafusion-cli"] = [*peers.datafusion().command, "-c", "select 1"]
runs = peers.in_turn(commands, ROUNDS)
own = peers.median(runs["lakesh"])
for name, found in runs.items():
    mark = "  FAILED" if peers.failed(found) else ""
    time = peers.median(found)
    print(f"{name:24} {time * 1000:7.1f} ms   lakesh takes {own / time:5.2f} times as long{mark}")
