"""Builds small Delta tables by hand: log entries as the protocol describes them, beside Parquet files.

No Delta library takes part. Each table has the columns that its maker says, and the rows that a
reader must find are known by construction; they are printed as lines of CSV.
Source: https://github.com/delta-io/delta/blob/master/PROTOCOL.md
"""

import json
import struct
import sys
import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from answer import give

folder = Path(sys.argv[1])
Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


def z85(data):
    """Encodes bytes, a multiple of four, as ZeroMQ's RFC 32 describes."""
    text = ""
    for start in range(0, len(data), 4):
        number = int.from_bytes(data[start : start + 4], "big")
        text += "".join(Z85[number // 85**power % 85] for power in (4, 3, 2, 1, 0))
    return text


def bitmap(row_numbers):
    """Serializes row numbers as the protocol's RoaringBitmapArray with one bitmap of one array container."""
    roaring = struct.pack("<II", 12346, 1)  # cookie without runs, one container
    roaring += struct.pack("<HH", 0, len(row_numbers) - 1)  # its key, its cardinality less one
    roaring += struct.pack("<I", 16)  # where its values begin
    roaring += b"".join(struct.pack("<H", row) for row in sorted(row_numbers))
    return struct.pack("<I", 1681511377) + struct.pack("<Q", 1) + struct.pack("<I", 0) + roaring


def field(name, kind, **metadata):
    return {"name": name, "type": kind, "nullable": True, "metadata": metadata}


def meta(fields, partitions=(), **configuration):
    return {
        "metaData": {
            "id": str(uuid.uuid4()),
            "format": {"provider": "parquet", "options": {}},
            "schemaString": json.dumps({"type": "struct", "fields": fields}),
            "partitionColumns": list(partitions),
            "configuration": configuration,
            "createdTime": 1700000000000,
        }
    }


def protocol(reader, writer, reader_features=None, writer_features=None):
    action = {"minReaderVersion": reader, "minWriterVersion": writer}
    if reader_features is not None:
        action["readerFeatures"] = reader_features
        action["writerFeatures"] = writer_features or reader_features
    return {"protocol": action}


def add(place, name, table, partition_values=None, **more):
    """Writes a Parquet file and returns the action that adds it."""
    path = place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return {
        "add": {
            "path": name,
            "partitionValues": partition_values or {},
            "size": path.stat().st_size,
            "modificationTime": 1700000000000,
            "dataChange": True,
            "stats": json.dumps({"numRecords": table.num_rows}),
            **more,
        }
    }


def commit(place, version, actions):
    log = place / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    (log / f"{version:020}.json").write_text("".join(json.dumps(action) + "\n" for action in actions))


def numbers(first, last):
    return pa.table({"id": pa.array(range(first, last), pa.int64())})


ID = [field("id", "long")]
DELETION_VECTORS = protocol(3, 7, ["deletionVectors"])


def vector(rows):
    data = bitmap(rows)
    data += b"\0" * (-len(data) % 4)
    return {"storageType": "i", "pathOrInlineDv": z85(data), "sizeInBytes": len(bitmap(rows)), "cardinality": len(rows)}


def inline_deletion_vector():
    place = folder / "inline_deletion_vector"
    configuration = {"delta.enableDeletionVectors": "true"}
    whole = add(place, "one.parquet", numbers(0, 10))
    other = add(place, "two.parquet", numbers(10, 15))
    commit(place, 0, [DELETION_VECTORS, meta(ID, **configuration), whole, other])
    removed = {"remove": {"path": "one.parquet", "deletionTimestamp": 1700000001000, "dataChange": True}}
    shrunk = {"add": {**whole["add"], "deletionVector": vector([0, 3, 9])}}
    commit(place, 1, [removed, shrunk])
    return [str(number) for number in range(15) if number not in (0, 3, 9)]


def deletion_vector_file():
    """A vector in a file of its own, with the protocol's framing: version, size, data, checksum."""
    import zlib

    place = folder / "deletion_vector_file"
    name = uuid.UUID("c1e2f3a4-0001-4002-8003-0123456789ab")
    data = bitmap([1, 2])
    place.mkdir(parents=True)
    framed = b"\x01" + struct.pack(">I", len(data)) + data + struct.pack(">I", zlib.crc32(data))
    (place / f"deletion_vector_{name}.bin").write_bytes(framed)
    descriptor = {"storageType": "u", "pathOrInlineDv": z85(name.bytes), "offset": 1, "sizeInBytes": len(data), "cardinality": 2}
    table = add(place, "one.parquet", numbers(0, 5), deletionVector=descriptor)
    commit(place, 0, [DELETION_VECTORS, meta(ID, **{"delta.enableDeletionVectors": "true"}), table])
    return ["0", "3", "4"]


def mapped_fields():
    def mapped(name, kind, number, physical):
        return field(name, kind, **{"delta.columnMapping.id": number, "delta.columnMapping.physicalName": physical})

    return [mapped("id", "long", 1, "col-aaa"), mapped("new name, odd", "string", 2, "col-bbb"), mapped("part", "string", 3, "col-ccc")]


def mapped_table():
    """Columns carry physical names and numbers, as Spark writes them in both modes."""
    schema = pa.schema(
        [
            pa.field("col-aaa", pa.int64(), metadata={"PARQUET:field_id": "1"}),
            pa.field("col-bbb", pa.string(), metadata={"PARQUET:field_id": "2"}),
        ]
    )
    return pa.table({"col-aaa": [1, 2], "col-bbb": ["x", None]}, schema=schema)


def column_mapping(mode):
    place = folder / f"column_mapping_{mode}"
    configuration = {"delta.columnMapping.mode": mode, "delta.columnMapping.maxColumnId": "3"}
    action = add(place, "col-ccc=p/one.parquet", mapped_table(), {"col-ccc": "p"})
    commit(place, 0, [protocol(2, 5), meta(mapped_fields(), ["part"], **configuration), action])
    return ["1,x,p", "2,,p"]


def column_mapping_name():
    return column_mapping("name")


def column_mapping_id():
    return column_mapping("id")


def column_mapping_by_number():
    """Only the numbers of the fields say which column is which, as in a table that was Iceberg's."""
    place = folder / "column_mapping_by_number"
    configuration = {"delta.columnMapping.mode": "id", "delta.columnMapping.maxColumnId": "3"}
    columns = (("anything", pa.int64(), "1"), ("else", pa.string(), "2"))
    schema = pa.schema([pa.field(name, kind, metadata={"PARQUET:field_id": number}) for name, kind, number in columns])
    table = pa.table({"anything": [1, 2], "else": ["x", None]}, schema=schema)
    action = add(place, "col-ccc=p/one.parquet", table, {"col-ccc": "p"})
    commit(place, 0, [protocol(2, 5), meta(mapped_fields(), ["part"], **configuration), action])


CHECKPOINT_SCHEMA = pa.schema(
    [
        ("protocol", pa.struct([("minReaderVersion", pa.int32()), ("minWriterVersion", pa.int32()), ("readerFeatures", pa.list_(pa.string())), ("writerFeatures", pa.list_(pa.string()))])),
        (
            "metaData",
            pa.struct(
                [
                    ("id", pa.string()),
                    ("format", pa.struct([("provider", pa.string()), ("options", pa.map_(pa.string(), pa.string()))])),
                    ("schemaString", pa.string()),
                    ("partitionColumns", pa.list_(pa.string())),
                    ("configuration", pa.map_(pa.string(), pa.string())),
                    ("createdTime", pa.int64()),
                ]
            ),
        ),
        (
            "add",
            pa.struct(
                [
                    ("path", pa.string()),
                    ("partitionValues", pa.map_(pa.string(), pa.string())),
                    ("size", pa.int64()),
                    ("modificationTime", pa.int64()),
                    ("dataChange", pa.bool_()),
                    ("stats", pa.string()),
                ]
            ),
        ),
        ("remove", pa.struct([("path", pa.string()), ("deletionTimestamp", pa.int64()), ("dataChange", pa.bool_())])),
        ("checkpointMetadata", pa.struct([("version", pa.int64())])),
        ("sidecar", pa.struct([("path", pa.string()), ("sizeInBytes", pa.int64()), ("modificationTime", pa.int64())])),
    ]
)


def pairs(value):
    """Turns an action's objects into what pyarrow wants of a map."""
    (kind, action), = value.items()
    action = dict(action)
    for name in ("partitionValues", "configuration"):
        if name in action:
            action[name] = list(action[name].items())
    if "format" in action:
        action["format"] = {**action["format"], "options": []}
    return {kind: action}


def checkpoint_file(path, actions):
    rows = [{name: None for name in CHECKPOINT_SCHEMA.names} | pairs(action) for action in actions]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, CHECKPOINT_SCHEMA), path)
    return path.stat().st_size


def multi_part_checkpoint():
    place = folder / "multi_part_checkpoint"
    log = place / "_delta_log"
    adds = [add(place, f"{part}.parquet", numbers(part * 10, part * 10 + 10)) for part in range(4)]
    checkpoint_file(log / f"{3:020}.checkpoint.{1:010}.{2:010}.parquet", [protocol(1, 2), meta(ID), adds[0]])
    checkpoint_file(log / f"{3:020}.checkpoint.{2:010}.{2:010}.parquet", adds[1:3])
    (log / "_last_checkpoint").write_text(json.dumps({"version": 3, "size": 5, "parts": 2}))
    commit(place, 4, [adds[3], {"remove": {"path": "0.parquet", "deletionTimestamp": 1700000001000, "dataChange": True}}])
    return sorted((str(number) for number in range(10, 40)), key=int)


V2 = protocol(3, 7, ["v2Checkpoint"])


def v2_checkpoint_parquet():
    """The main file names a sidecar, which holds the files."""
    place = folder / "v2_checkpoint_parquet"
    log = place / "_delta_log"
    adds = [add(place, f"{part}.parquet", numbers(part * 10, part * 10 + 10)) for part in range(3)]
    sidecar = f"{uuid.uuid4()}.parquet"
    size = checkpoint_file(log / "_sidecars" / sidecar, adds[:2])
    main = [
        {"checkpointMetadata": {"version": 2}},
        V2,
        meta(ID, **{"delta.checkpointPolicy": "v2"}),
        {"sidecar": {"path": sidecar, "sizeInBytes": size, "modificationTime": 1700000000000}},
    ]
    checkpoint_file(log / f"{2:020}.checkpoint.{uuid.uuid4()}.parquet", main)
    commit(place, 3, [adds[2]])
    return [str(number) for number in range(30)]


def v2_checkpoint_json():
    place = folder / "v2_checkpoint_json"
    log = place / "_delta_log"
    adds = [add(place, f"{part}.parquet", numbers(part * 10, part * 10 + 10)) for part in range(3)]
    sidecar = f"{uuid.uuid4()}.parquet"
    size = checkpoint_file(log / "_sidecars" / sidecar, adds[:2])
    main = [
        {"checkpointMetadata": {"version": 2}},
        V2,
        meta(ID, **{"delta.checkpointPolicy": "v2"}),
        {"sidecar": {"path": sidecar, "sizeInBytes": size, "modificationTime": 1700000000000}},
    ]
    name = f"{2:020}.checkpoint.{uuid.uuid4()}.json"
    (log / name).write_text("".join(json.dumps(action) + "\n" for action in main))
    commit(place, 3, [adds[2]])
    return [str(number) for number in range(30)]


def timestamp_without_zone():
    import datetime

    place = folder / "timestamp_without_zone"
    at = datetime.datetime(2024, 2, 29, 23, 59, 59, 1)
    table = pa.table({"at": pa.array([at, None], pa.timestamp("us"))})
    action = add(place, "one.parquet", table)
    commit(place, 0, [protocol(3, 7, ["timestampNtz"]), meta([field("at", "timestamp_ntz")]), action])
    return ["2024-02-29 23:59:59.000001", ""]


def encoded_path():
    """Paths in the log are URL-encoded; this file has a space and a percent sign in its name."""
    place = folder / "encoded_path"
    action = add(place, "part=a b%25/one file.parquet", numbers(0, 2), {"part": "a b%"})
    action["add"]["path"] = "part=a%20b%2525/one%20file.parquet"
    commit(place, 0, [protocol(1, 2), meta([*ID, field("part", "string")], ["part"]), action])
    return ["0,a b%", "1,a b%"]


def unsupported(feature):
    place = folder / f"unsupported_{feature}"
    action = add(place, "one.parquet", numbers(0, 2))
    commit(place, 0, [protocol(3, 7, [feature]), meta(ID), action])


def broken():
    """Tables that no reader can read."""
    place = folder / "missing_file"
    action = add(place, "one.parquet", numbers(0, 2))
    commit(place, 0, [protocol(1, 2), meta(ID), action])
    (place / "one.parquet").unlink()
    place = folder / "broken_log"
    commit(place, 0, [protocol(1, 2), meta(ID)])
    (place / "_delta_log" / f"{0:020}.json").write_text('{"protocol": {"minReaderVersion"')
    place = folder / "gap_in_log"
    commit(place, 0, [protocol(1, 2), meta(ID), add(place, "one.parquet", numbers(0, 2))])
    commit(place, 2, [add(place, "two.parquet", numbers(2, 4))])
    (folder / "empty_log" / "_delta_log").mkdir(parents=True)
    for feature in ("typeWidening", "inventedFeature"):
        unsupported(feature)


makers = (
    inline_deletion_vector,
    deletion_vector_file,
    column_mapping_name,
    column_mapping_id,
    multi_part_checkpoint,
    v2_checkpoint_parquet,
    v2_checkpoint_json,
    timestamp_without_zone,
    encoded_path,
)
answer = {make.__name__: make() for make in makers}
column_mapping_by_number()
broken()
give(answer)
