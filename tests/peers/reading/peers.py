"""The other readers: each takes a path and gives an Arrow table, or raises."""

import duckdb
import fastavro
import pyarrow as pa
import pyarrow.parquet as pq


def pyarrow_parquet(path):
    """Parquet by pyarrow; INT96 in the unit whose range holds the years that Spark writes."""
    return pq.ParquetFile(path, coerce_int96_timestamp_unit="us").read()


def duckdb_parquet(path):
    """Parquet by DuckDB."""
    sql = "select * from read_parquet(?, hive_partitioning = false)"
    with duckdb.connect() as connection:
        return connection.sql(sql, params=[str(path)]).to_arrow_table()


def pyarrow_ipc(path):
    """Arrow's file or stream format by pyarrow."""
    with open(path, "rb") as file:
        is_file = file.read(6) == b"ARROW1"
    with pa.OSFile(str(path)) as source:
        if is_file:
            return pa.ipc.open_file(source).read_all()
        return pa.ipc.open_stream(source).read_all()


def fastavro_rows(path):
    """Avro by fastavro; an Arrow table of what can be one."""
    with open(path, "rb") as file:
        reader = fastavro.reader(file)
        names = [field["name"] for field in reader.writer_schema["fields"]]
        rows = list(reader)
    return pa.table({name: [row[name] for row in rows] for name in names})


# By the reader function of lakesh: the peers in the order in which they are believed.
PEERS = {
    "read_parquet": (("pyarrow", pyarrow_parquet), ("duckdb", duckdb_parquet)),
    "read_arrow": (("pyarrow", pyarrow_ipc),),
    "read_avro": (("fastavro", fastavro_rows),),
}
