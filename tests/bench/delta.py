"""Delta tables: the 22 queries against the same Parquet files, MERGE against `deltalake`, a long log."""

import json
import math
import shutil
import sys
from pathlib import Path

import peers

ROUNDS = 3
FILES = 16
MERGE_ROWS = 10_000_000
LOG_FILES, LOG_COLUMNS, LOG_PARTITIONS, LOG_STATISTICS = 300_000, 100, 100, 32
SCRIPTS = Path(__file__).parent / "peer"


def lakesh(*statements, catalog="delta-catalog"):
    arguments = [part for statement in statements for part in ("-c", statement)]
    return [*peers.lakesh("--catalog", str(peers.FOLDER / catalog)).command, "--format", "csv", *arguments]


def python(script, *arguments):
    return [sys.executable, str(SCRIPTS / script), *map(str, arguments)]


def must(command):
    done = peers.run(command)
    assert done.status == 0, command
    return done


def queries():
    """lineitem in 16 files: as Parquet, and as a Delta table over a copy of the same files."""
    data = peers.tpch(1)
    parquet, delta = peers.FOLDER / "lineitem-parquet", peers.FOLDER / "lineitem-delta"
    if not (delta / "_delta_log").exists():
        must(python("split_parquet.py", data / "lineitem.parquet", parquet, FILES))
        shutil.rmtree(delta, ignore_errors=True)
        shutil.copytree(parquet, delta)
        must(lakesh(f"CONVERT TO DELTA '{delta}'"))
    others = ("customer", "nation", "orders", "part", "partsupp", "region", "supplier")
    named = "".join(f"CREATE OR REPLACE EXTERNAL TABLE {name} STORED AS PARQUET LOCATION '{data / name}.parquet';" for name in others)
    places = {"delta": f"STORED AS DELTA LOCATION '{delta}'", "parquet": f"STORED AS PARQUET LOCATION '{parquet}/'"}
    for name, place in places.items():
        must(lakesh(f"{named} CREATE OR REPLACE EXTERNAL TABLE lineitem {place}", catalog=f"tpch-{name}"))
    ratios = []
    for query in sorted((Path(__file__).parent / "queries").glob("q*.sql")):
        runs = peers.in_turn({name: lakesh(query.read_text(), catalog=f"tpch-{name}") for name in places}, ROUNDS)
        times = {name: peers.median(found) for name, found in runs.items()}
        ratios.append(times["delta"] / times["parquet"])
        failed = "  FAILED" if any(map(peers.failed, runs.values())) else ""
        print(f"{query.stem}  delta {times['delta'] * 1000:6.0f} ms  parquet {times['parquet'] * 1000:6.0f} ms  {ratios[-1]:.2f}{failed}", flush=True)
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    print(f"lineitem as Delta takes {mean:.2f} times as long as the same Parquet files (geometric mean)")


def merge():
    """1 % changed rows into 10 million, each time into a fresh copy of the table."""
    table, source = peers.FOLDER / "merge-table", peers.FOLDER / "merge-source.parquet"
    if not (table / "_delta_log").exists():
        shutil.rmtree(table, ignore_errors=True)
        columns = "value AS id, value % 1000 AS grp, value * 0.5 AS amount, 'customer ' || (value % 100000) AS name"
        must(lakesh(f"COPY (SELECT {columns} FROM generate_series(1, {MERGE_ROWS})) TO '{table}' STORED AS DELTA"))
        changed = "value * 100 AS id, CAST(-1 AS BIGINT) AS grp, 0.25 AS amount, 'changed' AS name"
        must(lakesh(f"COPY (SELECT {changed} FROM generate_series(1, {MERGE_ROWS // 100})) TO '{source}'"))
    copy = peers.FOLDER / "merge-copy"
    statement = f"MERGE INTO '{copy}' AS t USING '{source}' AS s ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    commands = {"lakesh": lakesh(statement), "deltalake": python("merge_delta.py", copy, source)}
    runs = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(table, copy)
            runs[name].append(peers.run(command))
    report("MERGE of 1 %", runs)


def long_log():
    """A table of which there is only the log: opened for a query with a partition filter, and just replayed."""
    table = peers.FOLDER / "long-log"
    if not (table / "complete").exists():
        shutil.rmtree(table, ignore_errors=True)
        write_log(table)
        (table / "complete").touch()
    query = f"EXPLAIN SELECT count(*) FROM '{table}' WHERE part = 7 AND c5 > 100"
    runs = peers.in_turn({"lakesh": lakesh(query), "deltalake": python("replay_log.py", table)}, ROUNDS)
    report(f"opening {LOG_FILES} files", runs)


def write_log(table):
    log = table / "_delta_log"
    log.mkdir(parents=True)
    fields = [{"name": f"c{number}", "type": "long", "nullable": True, "metadata": {}} for number in range(LOG_COLUMNS - 1)]
    fields.append({"name": "part", "type": "integer", "nullable": True, "metadata": {}})
    head = [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {"metaData": {"id": "3a6f0a4e-0000-4000-8000-000000000001", "format": {"provider": "parquet", "options": {}}, "schemaString": json.dumps({"type": "struct", "fields": fields}), "partitionColumns": ["part"], "configuration": {}, "createdTime": 1700000000000}},
    ]
    per_commit = LOG_FILES // 30
    for version in range(30):
        with open(log / f"{version:020}.json", "w") as out:
            for action in head if version == 0 else []:
                out.write(json.dumps(action) + "\n")
            for number in range(version * per_commit, (version + 1) * per_commit):
                low, high = number * 1000, number * 1000 + 999
                named = [f"c{column}" for column in range(LOG_STATISTICS)]
                statistics = {"numRecords": 1000, "minValues": dict.fromkeys(named, low), "maxValues": dict.fromkeys(named, high), "nullCount": dict.fromkeys(named, 0)}
                part = number % LOG_PARTITIONS
                add = {"path": f"part={part}/part-{number:06}.parquet", "partitionValues": {"part": str(part)}, "size": 100000, "modificationTime": 1700000000000, "dataChange": True, "stats": json.dumps(statistics)}
                out.write(json.dumps({"add": add}) + "\n")
    must(python("checkpoint_delta.py", table))


def report(what, runs):
    medians = {name: (peers.median(found), peers.median(found, "peak")) for name, found in runs.items()}
    parts = [f"{name} {seconds:6.2f} s {peak:6.0f} MB" for name, (seconds, peak) in medians.items()]
    ours, theirs = medians["lakesh"], medians["deltalake"]
    failed = "  FAILED" if any(map(peers.failed, runs.values())) else ""
    print(f"{what}: {'  '.join(parts)}  {ours[0] / theirs[0]:.2f} of the time, {ours[1] / theirs[1]:.2f} of the memory{failed}", flush=True)


if __name__ == "__main__":
    queries()
    merge()
    long_log()
