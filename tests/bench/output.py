"""3,000,000 rows to text: every row must arrive; time against DuckDB, and peak memory."""

import peers

ROWS = 3_000_000
LIMITS = {"narrow": 150, "lineitem": 250}

data = peers.tpch(1)
narrow = peers.FOLDER / "narrow.parquet"
if not narrow.exists():
    made = peers.run([*peers.duckdb().command, "-c", f"copy (select range as id, 'row ' || range as name, range * 1.5 as amount from range({ROWS})) to '{narrow}' (format parquet)"])
    assert made.status == 0

sources = {
    "narrow": f"select * from '{narrow}'",
    "lineitem": f"select * from '{data / 'lineitem.parquet'}' limit {ROWS}",
}
flags = {"csv": ["-csv"], "json": ["-json"], "ndjson": ["-jsonlines"]}
out = peers.FOLDER / "out"
for source, sql in sources.items():
    for form, flag in flags.items():
        seconds = {}
        for program, command in (
            ("lakesh", [*peers.lakesh().command, "--format", form, "-c", sql]),
            ("duckdb", [*peers.duckdb().command, *flag, "-c", sql]),
        ):
            runs = [peers.run(command, output=str(out)) for _ in range(4)][1:]
            time, peak = peers.median(runs), max(one.peak for one in runs)
            with open(out, "rb") as written:
                lines = sum(block.count(b"\n") for block in iter(lambda: written.read(1 << 20), b""))
            seconds[program] = time
            wrong = "  FAILED" if peers.failed(runs) else ""
            over = f"  OVER {LIMITS[source]} MB" if program == "lakesh" and peak > LIMITS[source] else ""
            print(f"{source:9} {form:7} {program:7} {time:6.2f} s  {peak:6.0f} MB  {lines:8} lines{over}{wrong}")
        print(f"{source:9} {form:7} lakesh takes {seconds['lakesh'] / seconds['duckdb']:.2f} times as long")
out.unlink(missing_ok=True)
