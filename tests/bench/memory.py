"""Data four times the memory limit: sort, aggregation, join, COPY and feature windows must finish by spilling.

Names of cases as arguments run only these: `memory.py copy`.
"""

import sys


import peers

LIMIT = 512
OVERHEAD = 200
# 16,000,000 rows of about 140 bytes are some 2.2 GB in memory.
ROWS = 16_000_000

wide = peers.FOLDER / "wide.parquet"
if not wide.exists():
    made = peers.run(
        [
            *peers.duckdb().command,
            "-c",
            f"copy (select range as id, hash(range) % 1000003 as shuffled, md5(range::varchar) || md5((range + 1)::varchar) || md5((range + 2)::varchar) as pad from range({ROWS})) to '{wide}' (format parquet)",
        ]
    )
    assert made.status == 0

target = peers.FOLDER / "sorted.parquet"
queries = {
    "sort": f"select count(*), max(place) from (select id, pad, row_number() over (order by pad) as place from '{wide}')",
    "sort to csv": f"select * from '{wide}' order by pad",
    "aggregation": f"select count(*), sum(n) from (select pad, count(*) as n from '{wide}' group by pad)",
    "join": f"select count(*), sum(length(l.pad)) from '{wide}' l join '{wide}' r on l.id = r.id and l.pad = r.pad",
    "copy": f"copy (select * from '{wide}' order by pad) to '{target}'",
}
features = "delta(id), pct_change(id), momentum(id), volatility(id), trend_slope(id), rolling_rank(shuffled), minmax_range(shuffled)"
for title, group, frame in (
    ("features, one group", "", "rows between 999 preceding and current row"),
    ("features, groups", "partition by shuffled % 1000", "rows between 6 preceding and current row"),
    ("features, range", "partition by shuffled % 10", "range between 100 preceding and current row"),
):
    columns = ", ".join(f"{call} over w as c{place}" for place, call in enumerate(features.split(", ")))
    total = ", ".join(f"sum(c{place})" for place in range(7))
    queries[title] = f"select {total}, max(length(pad)) from (select pad, {columns} from '{wide}' window w as ({group} order by id {frame}))"
peerless = [name for name in queries if name.startswith("features")]
chosen = sys.argv[1:] or list(queries)
for name in chosen:
    sql = queries[name]
    target.unlink(missing_ok=True)
    command = [*peers.lakesh("--memory-limit", f"{LIMIT}MB").command, "--format", "csv", "-c", sql]
    found = peers.run(command)
    mark = "  FAILED" if found.status else ""
    over = f"  OVER {LIMIT + OVERHEAD} MB" if found.peak > LIMIT + OVERHEAD else ""
    print(f"{name:20} lakesh {found.seconds:6.1f} s  {found.peak:6.0f} MB{over}{mark}", flush=True)
    if name in peerless:
        continue
    peer = [*peers.duckdb().command, "-csv", "-c", f"set memory_limit = '{LIMIT}MB'; set temp_directory = '{peers.FOLDER / 'duckdb-temp'}'; {sql}"]
    found = peers.run(peer)
    mark = "  failed" if found.status else ""
    print(f"{name:20} duckdb {found.seconds:6.1f} s  {found.peak:6.0f} MB{mark}")
target.unlink(missing_ok=True)
