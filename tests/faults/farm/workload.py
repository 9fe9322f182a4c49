"""The statements of a round in which one session works: each a function that chooses one for a world."""

from .model import COLUMNS, Statement, condition, new_rows, rows_sql, updated, without

# Tables with a folder of their own, which are always there; `p` is partitioned.
LOCATED = ("t", "p")
# Tables of the warehouse, which come and go.
MANAGED = ("m", "n")

KINDS = {}


def kind(name, weight):
    """Adds a kind of statement."""

    def add(make):
        KINDS[name] = (make, weight)
        return make

    return add


def choose(rng, world):
    """Chooses a statement that must succeed where nothing fails."""
    while True:
        names = list(KINDS)
        name = rng.choices(names, [KINDS[name][1] for name in names])[0]
        statement = KINDS[name][0](rng, world)
        if statement:
            return statement


def some_table(rng, world):
    return rng.choice([name for name in LOCATED + MANAGED if world.things.get(("table", name)) is not None])


def changed(what, table, sql, rows, **more):
    return Statement(what, sql, {("table", table): rows}, **more)


@kind("INSERT", 5)
def insert(rng, world):
    table, count, v = some_table(rng, world), rng.choice((1, 5, 40)), rng.randrange(100)
    first = world.fresh(count)
    rows = world.rows(table) | new_rows(first, count, v)
    return changed("INSERT", table, f"insert into {table} {rows_sql(first, count, v)}", rows)


@kind("INSERT OVERWRITE", 1)
def overwrite(rng, world):
    table, count, v = some_table(rng, world), 12, rng.randrange(100)
    first = world.fresh(count)
    return changed("INSERT OVERWRITE", table, f"insert overwrite {table} {rows_sql(first, count, v)}",
                   new_rows(first, count, v))


@kind("REPLACE WHERE", 1)
def replace_where(rng, world):
    table, v = some_table(rng, world), rng.randrange(100)
    part = rng.randrange(4)
    first = world.fresh(8)
    first += (part - first) % 4
    world.fresh(8)
    kept = {key: row for key, row in world.rows(table).items() if row[0] != part}
    new = {key: row for key, row in new_rows(first, 5, v).items() if row[0] == part}
    sql = f"insert into {table} replace where part = {part} select * from ({rows_sql(first, 5, v)}) where part = {part}"
    return changed("REPLACE WHERE", table, sql, kept | new)


@kind("UPDATE", 4)
def update(rng, world):
    table, add = some_table(rng, world), rng.randrange(1, 50)
    where = condition(rng, world.rows(table))
    return changed("UPDATE", table, f"update {table} set v = v + {add} where {where.sql()}",
                   updated(world.rows(table), where, add))


@kind("UPDATE FROM", 1)
def update_from(rng, world):
    table, add = some_table(rng, world), rng.randrange(1, 50)
    keys = sorted(rng.sample(sorted(world.rows(table)), min(4, len(world.rows(table)))))
    if not keys:
        return None
    values = ", ".join(f"({key})" for key in keys)
    rows = {key: (row[0], row[1] + add, row[2]) if key in keys else row for key, row in world.rows(table).items()}
    sql = f"update {table} set v = v + {add} from (values {values}) as c (k) where c.k = {table}.id"
    return changed("UPDATE FROM", table, sql, rows)


@kind("DELETE", 3)
def delete(rng, world):
    table = some_table(rng, world)
    where = condition(rng, world.rows(table))
    return changed("DELETE", table, f"delete from {table} where {where.sql()}", without(world.rows(table), where))


@kind("MERGE", 4)
def merge(rng, world):
    table, v = some_table(rng, world), rng.randrange(100)
    old = world.rows(table)
    count = rng.choice((4, 25))
    last = max(old, default=0)
    first = max(1, last - count // 2)
    world.next_id = max(world.next_id, first + count)
    rows = dict(old)
    for key, row in new_rows(first, count, v).items():
        if key not in old:
            rows[key] = row
        elif key % 5 == 0:
            del rows[key]
        else:
            rows[key] = (old[key][0], v, old[key][2])
    sql = (f"merge into {table} as o using ({rows_sql(first, count, v)}) as n on o.id = n.id "
           "when matched and n.id % 5 = 0 then delete when matched then update set v = n.v "
           "when not matched then insert (id, part, v, s) values (n.id, n.part, n.v, n.s)")
    return changed("MERGE", table, sql, rows)


@kind("OPTIMIZE", 2)
def optimize(rng, world):
    table = some_table(rng, world)
    order = rng.choice(("", " zorder by (v)", " zorder by (id, v)"))
    return changed("OPTIMIZE", table, f"optimize {table}{order}", world.rows(table))


@kind("VACUUM", 2)
def vacuum(rng, world):
    table = some_table(rng, world)
    sql = f"vacuum {table}{rng.choice(('', ' lite'))} retain 0 hours"
    return changed("VACUUM", table, sql, world.rows(table), forgets=table)


@kind("CHECKPOINT", 1)
def checkpoint(rng, world):
    table = some_table(rng, world)
    return changed("CHECKPOINT", table, f"checkpoint {table}", world.rows(table), places=("log",))


@kind("RESTORE", 2)
def restore(rng, world):
    table = rng.choice(LOCATED)
    known = world.versions.get(table, {})
    if not known:
        return None
    version = rng.choice(sorted(known))
    return changed("RESTORE", table, f"restore table {table} to version as of {version}", known[version])


@kind("CREATE TABLE", 3)
def create(rng, world):
    table = rng.choice(MANAGED)
    first, v = world.fresh(9), rng.randrange(100)
    is_there = world.things.get(("table", table)) is not None
    places = ("data", "log", "catalog")
    partitions = rng.choice(("", " partitioned by (part)"))
    if not is_there and rng.random() < 0.3:
        return changed("CREATE TABLE", table, f"create table {table} ({COLUMNS}){partitions}", {}, places=places)
    create = "create or replace table" if is_there else "create table"
    return changed("CREATE OR REPLACE" if is_there else "CREATE TABLE AS", table,
                   f"{create} {table}{partitions} as {rows_sql(first, 9, v)}", new_rows(first, 9, v), places=places)


@kind("CREATE OR REPLACE LOCATED", 1)
def replace_located(rng, world):
    first, v = world.fresh(9), rng.randrange(100)
    sql = f"create or replace table t using delta location 't' as {rows_sql(first, 9, v)}"
    return changed("CREATE OR REPLACE", "t", sql, new_rows(first, 9, v), places=("data", "log", "catalog"))


@kind("DROP", 2)
def drop(rng, world):
    there = [name for name in MANAGED if world.things.get(("table", name)) is not None]
    if not there:
        return None
    table = rng.choice(there)
    return changed("DROP", table, f"drop table {table}", None, places=("data", "log", "catalog"))


@kind("VIEW", 1)
def view(rng, world):
    if world.things.get(("view", "w")) is not None and rng.random() < 0.4:
        return Statement("DROP VIEW", "drop view w", {("view", "w"): None}, places=("catalog",))
    n = rng.randrange(1000)
    return Statement("CREATE VIEW", f"create or replace view w as select {n} as n", {("view", "w"): n},
                     places=("catalog",))


@kind("COPY", 3)
def copy(rng, world):
    table = some_table(rng, world)
    where = condition(rng, world.rows(table))
    rows = {key: row for key, row in world.rows(table).items() if where.holds(key, row)}
    target = rng.choice(("out/a.parquet", "out/b.csv", "out/c.json"))
    return Statement("COPY", f"copy (select id, part, v, s from {table} where {where.sql()}) to '{target}'",
                     {("file", target): rows}, places=("target", "home"))


@kind("COPY to a folder", 2)
def copy_to_folder(rng, world):
    table = some_table(rng, world)
    if not world.rows(table):
        return None
    sql = (f"copy (select id, part, v, s from {table}) to 'out/d' stored as parquet partitioned by (part) "
           "options (overwrite true)")
    return Statement("COPY to a folder", sql, {("file", "out/d"): world.rows(table)}, places=("target", "home"))


@kind("COPY to Delta", 2)
def copy_to_delta(rng, world):
    table = some_table(rng, world)
    sql = f"copy (select id, part, v, s from {table}) to 'copied' stored as delta options (overwrite true)"
    return Statement("COPY to Delta", sql, {("file", "copied"): world.rows(table)})


@kind("-o", 1)
def output(rng, world):
    table = some_table(rng, world)
    rows = world.rows(table)
    if not rows:
        return None
    target = rng.choice(("out/a.parquet", "out/b.csv"))
    arguments = ("-c", f"select id, part, v, s from {table}", "-o", target)
    return Statement("-o", " ".join(arguments), {("file", target): rows}, places=("target", "home"),
                     arguments=arguments)


@kind("SELECT", 1)
def select(rng, world):
    table = some_table(rng, world)
    return Statement("SELECT", f"select count(*) from {table}", {}, places=("catalog",))


SPILLED = 120_000


@kind("COPY with spilling", 1)
def copy_with_spilling(rng, world):
    sql = (f"copy (select md5(cast(value as varchar)) as s, count(*) as n from generate_series(1, {SPILLED}) "
           "group by 1) to 'out/big.parquet'")
    return Statement("COPY with spilling", sql, {("big", "out/big.parquet"): SPILLED}, places=("spill", "target"))


def beginning(world):
    """The statements that make the first state of a round."""
    statements = []
    for table, more in (("t", " location 't'"), ("p", " partitioned by (part) location 'p'")):
        statements.append(f"create table {table} ({COLUMNS}){more}")
        rows = {}
        for v in range(3):
            first = world.fresh(10)
            statements.append(f"insert into {table} {rows_sql(first, 10, v)}")
            rows |= new_rows(first, 10, v)
        statements.append(f"update {table} set v = v + 5 where id % 5 = 0")
        world.things[("table", table)] = {
            key: (row[0], row[1] + 5, row[2]) if key % 5 == 0 else row for key, row in rows.items()}
    first = world.fresh(6)
    statements.append(f"create table m as {rows_sql(first, 6, 1)}")
    world.things[("table", "m")] = new_rows(first, 6, 1)
    statements.append("create view w as select 1 as n")
    world.things[("view", "w")] = 1
    for target in ("out/a.parquet", "out/b.csv"):
        statements.append(f"copy (select id, part, v, s from m) to '{target}'")
        world.things[("file", target)] = world.rows("m")
    for target, how in (("out/d", "parquet partitioned by (part)"), ("copied", "delta")):
        statements.append(f"copy (select id, part, v, s from m) to '{target}' stored as {how}")
        world.things[("file", target)] = world.rows("m")
    return statements
