"""What a process holds at most, for queries that gather, against `--memory-limit` 64, 256 and 1024 MB.

A query is answered within the limit plus 200 MB, or refused by an error that names the setting. Names of
groups, limits such as `64`, or parts of a query's text as arguments run only these: `limits.py window 64`.
"""

import os
import shutil
import signal
import subprocess
import sys
import time

import peers

LIMITS = (64, 256, 1024)
OVERHEAD = int(os.environ.get("LAKESH_BENCH_OVERHEAD", "200"))
ROWS = int(os.environ.get("LAKESH_BENCH_ROWS", "2000000"))
# The text of one line, and what is packed into small files.
BYTES = int(os.environ.get("LAKESH_BENCH_BYTES", str(1_000_000_000)))
# Whoever holds so much is ended before the machine is in danger.
FUSE = 4096
SECONDS = int(os.environ.get("LAKESH_BENCH_SECONDS", "600"))
DATA = peers.FOLDER / f"limits-{ROWS}-{BYTES}"
NAMED = ("memory_limit", "--memory-limit")


def packed(name, program, begin, piece, end):
    """Writes a text of BYTES through a program that packs it."""
    with open(DATA / name, "wb") as target:
        packer = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=target)
        packer.stdin.write(begin)
        block = piece * (1_000_000 // len(piece))
        for _ in range(BYTES // len(block)):
            packer.stdin.write(block)
        packer.stdin.write(end)
        packer.stdin.close()
        if packer.wait() != 0:
            sys.exit(f"{program[0]} fails")


def make():
    DATA.mkdir(parents=True, exist_ok=True)
    texts = ", ".join(f"repeat(chr({97 + place}), 40) || value as c{place}" for place in range(12))
    rows = f"select value as id, value % 1000 as few, value * 7919 % 1000003 as shuffled, {texts} from generate_series(1, {ROWS})"
    made = peers.run([*peers.lakesh().command, "-c", f"copy ({rows}) to '{DATA / 'wide.parquet'}'"])
    if made.status != 0:
        sys.exit("the rows cannot be made")
    packed("line.txt", ["cat"], b"", b"x", b"")
    packed("line.csv", ["cat"], b"a,b\n1,", b"x", b"\n")
    packed("quote.csv", ["cat"], b"a,b\n1,\"", b"x\n", b"\"\n")
    packed("line.json", ["cat"], b'{"a": "', b"x", b'"}\n')
    packed("array.json", ["cat"], b"[", b'{"a": 1},', b'{"a": 1}]\n')
    packed("zeros.csv.gz", ["gzip", "-1"], b"a\n", b"\0", b"\n")
    packed("line.json.gz", ["gzip", "-1"], b'{"a": "', b"x", b'"}\n')
    packed("rows.csv.gz", ["gzip", "-1"], b"a,b\n", b"1,xxxxxxxx\n", b"")
    if shutil.which("zstd"):
        packed("line.csv.zst", ["zstd", "-1", "-q"], b"a\n", b"x", b"\n")
        packed("rows.json.zst", ["zstd", "-1", "-q"], b"", b'{"a": 1}\n', b"")
    (DATA / "complete").touch()


WIDE = f"'{DATA / 'wide.parquet'}'"
BOTH = "rows between unbounded preceding and unbounded following"
ALL = [f"c{place}" for place in range(12)]


def over(calls, window):
    """The sum of the lengths of what window functions give, so that no column is left out."""
    columns = ", ".join(f"{call} over w as r{place}" for place, call in enumerate(calls))
    total = " + ".join(f"length(cast(r{place} as varchar))" for place in range(len(calls)))
    return f"select sum({total}) from (select {columns} from {WIDE} window w as ({window}))"


def gathered(call, group=""):
    group = f" group by {group}" if group else ""
    return f"select count(*), sum(n) from (select length(cast({call} as varchar)) as n from {WIDE}{group})"


def doubling(depth):
    levels = [f"c{n} as (select x.a from c{n - 1} x join c{n - 1} y on x.a = y.a)" for n in range(1, depth + 1)]
    return f"with c0 as (select 1 as a), {', '.join(levels)} select count(*) from c{depth}"


def nested(depth):
    return "select * from (" * depth + "select 1 as a" + ")" * depth


def groups():
    """All queries by the name of their group."""
    files = {
        name: f"select count(*), sum(length(cast(x as varchar))) from (select * from '{DATA / name}') t(x)"
        for name in ("line.json", "array.json", "zeros.csv.gz", "line.json.gz", "line.csv.zst", "rows.json.zst")
        if (DATA / name).exists()
    }
    files |= {name: f"select count(*), sum(length(cast(b as varchar))) from '{DATA / name}'"
              for name in ("line.csv", "quote.csv", "rows.csv.gz")}
    return {
        "window": [
            over(["first_value(" + name + ")" for name in ALL], f"order by id {BOTH}"),
            over(["last_value(" + name + ")" for name in ALL], f"order by shuffled {BOTH}"),
            over([f"nth_value({name}, 3)" for name in ALL], f"order by id {BOTH}"),
            over(["lag(c0)", "lead(c1)", "lag(c2, 100000)"], "order by shuffled"),
            over(["row_number()", "rank()", "dense_rank()"], "order by shuffled"),
            over(["percent_rank()", "cume_dist()", "ntile(100)"], "order by shuffled"),
            over(["count(*)"], ""),
            over(["min(c0)", "max(c1)", "count(c2)"], "partition by few"),
            over(["sum(id)", "avg(id)", "stddev(id)"], f"order by id {BOTH}"),
            over(["array_agg(c0)"], "partition by few"),
            over(["string_agg(c0, ',')"], "order by id rows between 10 preceding and current row"),
            over(["median(id)"], "partition by few"),
        ],
        "aggregate": [
            gathered("array_agg(c0)"),
            gathered("array_agg(c0 order by shuffled)"),
            gathered("array_agg(distinct c0)"),
            gathered("string_agg(c0, ',')"),
            gathered("string_agg(c0, ',' order by shuffled)", "few"),
            gathered("median(shuffled)"),
            gathered("percentile_cont(0.5) within group (order by shuffled)"),
            gathered("approx_percentile_cont(0.5) within group (order by shuffled)", "few"),
            gathered("count(distinct c0)"),
            gathered("count(distinct c0) + count(distinct c1)", "few"),
            gathered("max(c0)", "c1, c2, c3"),
            gathered("sum(id)", "cube (few, shuffled)"),
            gathered("first_value(c0 order by shuffled)", "few"),
        ],
        "array": [
            "select array_length(range(0, 500000000))",
            "select array_length(range(0, 10000000000))",
            "select array_length(range(0, n)) from (values (500000000)) t(n)",
            f"select sum(array_length(array_repeat(c0, 10000))) from {WIDE}",
            f"select sum(length(repeat(c0, 100000))) from {WIDE}",
            f"select sum(length(rpad(c0, 10000000, 'x'))) from {WIDE}",
            "select count(*) from (select unnest(range(0, 300000000)))",
            f"select sum(array_length(string_to_array(repeat(c0, 1000), 'a'))) from {WIDE}",
            f"select sum(length(regexp_replace(repeat(c0, 100), 'a', repeat('b', 10000), 'g'))) from {WIDE}",
            f"select sum(length(replace(repeat(c0, 100), 'a', repeat('b', 10000)))) from {WIDE}",
            "select array_length(flatten(array_repeat(range(0, 10000), 100000)))",
            "select length(array_to_string(range(0, 100000000), ','))",
        ],
        "join": [
            f"select count(*), sum(length(l.c0)) from {WIDE} l join {WIDE} r on l.id = r.id and l.c1 = r.c1",
            f"select count(*), sum(length(r.c0)) from {WIDE} l full join {WIDE} r on l.id = r.shuffled",
            f"select count(*) from {WIDE} l join {WIDE} r on l.few = r.few and l.id < r.id - 1999000",
            f"select count(*) from {WIDE} l where c0 in (select c0 from {WIDE} where few > 10)",
            f"select count(*) from (select * from {WIDE} limit 3000) l, (select * from {WIDE} limit 3000) r where l.c0 > r.c1",
            f"select count(*) from {WIDE} l left join {WIDE} r using (c0, c1, c2)",
        ],
        "sort": [
            f"select count(*), max(n) from (select c0, row_number() over (order by c0 desc, c1) as n from {WIDE})",
            f"select * from {WIDE} order by shuffled",
            f"select * from {WIDE} order by c11 desc limit 1000000",
            f"select count(*) from (select distinct c0, c1, c2, c3 from {WIDE})",
            f"select count(*) from (select c0 from {WIDE} union select c1 from {WIDE})",
            f"select count(*) from (select c0 from {WIDE} except select c1 from {WIDE})",
        ],
        "text": [f"select length(content) from read_text('{DATA / 'line.txt'}')", *files.values()],
        "plan": [
            doubling(12),
            doubling(20),
            doubling(60),
            nested(100),
            " union all ".join(f"select {n} as a" for n in range(3000)),
            f"select {' + '.join('1' for _ in range(5000))}",
            f"with recursive r as (select 0 as a, repeat('x', 200) as b union all select a + 1, b from r where a < {ROWS}) select count(*), max(b) from r",
            f"select 1 where 1 in ({', '.join(map(str, range(50000)))})",
        ],
    }


def measured(limit, sql):
    """Runs a query; returns what it is: seconds, the most that it held in MB, the status and the message."""
    command = [*peers.lakesh("--memory-limit", f"{limit}MB", "--threads", "2").command, "--format", "csv", DATA / "query.sql"]
    # As a file: a text can be too long for an argument.
    (DATA / "query.sql").write_text(sql)
    begin = time.perf_counter()
    message = open(DATA / "message", "w+b")
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=message,
                             cwd=peers.FOLDER, env=peers.environment())
    peak, why = 0, ""
    while True:
        ended, status, usage = os.wait4(child.pid, os.WNOHANG)
        seconds = time.perf_counter() - begin
        if ended:
            break
        if not why and (resident(child.pid) > FUSE or seconds > SECONDS):
            why = "the fuse" if seconds <= SECONDS else "no end"
            os.kill(child.pid, signal.SIGKILL)
        time.sleep(0.02)
    child.returncode = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss / 1024
    message.seek(0)
    text = why or message.read().decode(errors="replace")
    message.close()
    return seconds, peak, child.returncode, text


def resident(process):
    """What a process holds, in MB."""
    try:
        with open(f"/proc/{process}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024
    except (OSError, IndexError):
        return 0


def verdict(limit, peak, status, text):
    """What must hold: an answer or a refusal that names the setting, within the limit plus some."""
    if status < 0:
        return f"KILLED by {text or status}"
    if peak > limit + OVERHEAD:
        return f"OVER by {peak - limit - OVERHEAD:.0f} MB"
    if status == 0:
        return "answered"
    if any(name in text for name in NAMED):
        return "refused"
    return "FAILED: " + " ".join(text.split())[:160]


def main():
    chosen = [word for word in sys.argv[1:] if not word.isdigit()]
    limits = [int(word) for word in sys.argv[1:] if word.isdigit()] or LIMITS
    if not (DATA / "complete").exists():
        make()
    broken = total = 0
    for group, queries in groups().items():
        for sql in queries:
            if chosen and group not in chosen and not any(word in sql for word in chosen):
                continue
            for limit in limits:
                seconds, peak, status, text = measured(limit, sql)
                said = verdict(limit, peak, status, text)
                total += 1
                broken += said not in ("answered", "refused")
                shown = sql.replace(str(DATA) + "/", "")
                print(f"{group:9} {limit:5} MB {peak:6.0f} MB {seconds:6.1f} s  {said:24} {shown[:100]}", flush=True)
    print(f"{total} runs, {broken} beyond what must hold")
    sys.exit(1 if broken else 0)


main()
