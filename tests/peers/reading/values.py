"""Values of Arrow tables as plain Python, so that two readers' types do not stand between equal values."""

import math
import struct

import pyarrow as pa
import pyarrow.compute as pc

# Ticks of a unit in a second.
TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def rows(table):
    """The rows of a table as tuples of plain values."""
    columns = [column(table.column(index)) for index in range(table.num_columns)]
    return list(zip(*columns)) if columns else [()] * table.num_rows


def column(chunked):
    """The values of a column."""
    array = pa.chunked_array([chunked]) if isinstance(chunked, pa.Array) else chunked
    return [value for chunk in array.chunks for value in _array(chunk)]


def _array(array):
    """The values of one array; `to_pylist` would refuse times that Python's own type cannot hold."""
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return _array(array.storage)
    if pa.types.is_dictionary(kind):
        return _array(array.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return _array(pc.run_end_decode(array))
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind) or pa.types.is_duration(kind):
        return [None if ticks is None else ("time", ticks * (10**9 // TICKS[kind.unit])) for ticks in _integers(array)]
    if pa.types.is_date32(kind):
        return [None if days is None else ("day", days) for days in _integers(array)]
    if pa.types.is_date64(kind):
        return [None if ticks is None else ("day", ticks // 86_400_000) for ticks in _integers(array)]
    if pa.types.is_struct(kind):
        fields = [_array(array.field(index)) for index in range(kind.num_fields)]
        valid = array.is_valid().to_pylist()
        # Two structs without fields are equal.
        members = list(zip(*fields)) if fields else [()] * len(array)
        return [members[at] if valid[at] else None for at in range(len(array))]
    if pa.types.is_map(kind):
        return _lists(array, lambda part: list(zip(_array(part.field(0)), _array(part.field(1)))))
    if any(is_list(kind) for is_list in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list,
                                         pa.types.is_list_view, pa.types.is_large_list_view)):
        return _lists(array, _array)
    return [plain(value) for value in array.to_pylist()]


def _integers(array):
    wide = array.type.bit_width == 64
    return array.view(pa.int64() if wide else pa.int32()).to_pylist()


def _lists(array, members):
    found = []
    for at in range(len(array)):
        scalar = array[at]
        found.append(None if not scalar.is_valid else tuple(members(scalar.values)))
    return found


def plain(value):
    """One value; numbers of all types meet, and so do bytes and text of the same bytes."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    if isinstance(value, (list, tuple)):
        return tuple(plain(part) for part in value)
    if isinstance(value, dict):
        return tuple(plain(part) for part in value.values())
    return value


def alike(ours, theirs):
    """Whether two values are equal; a float of four bytes may have been written as its shortest digits."""
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        return len(ours) == len(theirs) and all(map(alike, ours, theirs))
    if isinstance(ours, float) and isinstance(theirs, float):
        return ours == theirs or _single(ours) == _single(theirs)
    return ours == theirs and isinstance(ours, bool) == isinstance(theirs, bool)


def _single(value):
    try:
        return struct.pack("<f", value)
    except OverflowError:
        return None


def first_difference(ours, theirs):
    """What two lists of rows differ in, as text, or None."""
    if len(ours) != len(theirs):
        return f"{len(ours)} rows instead of {len(theirs)}"
    for number, (one, other) in enumerate(zip(ours, theirs)):
        if alike(one, other):
            continue
        if len(one) != len(other):
            return f"{len(one)} columns instead of {len(other)}"
        at = next(at for at in range(len(one)) if not alike(one[at], other[at]))
        return f"row {number}, column {at}: {short(one[at])} instead of {short(other[at])}"
    return None


def short(value):
    """A value as text of a bearable length."""
    text = repr(value)
    return text if len(text) <= 90 else text[:87] + "..."
