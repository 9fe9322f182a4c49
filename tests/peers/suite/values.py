"""Values of both sides in one form, and what makes two answers equal."""

import datetime
import math
import re
import uuid
from decimal import Decimal, InvalidOperation

SPACE = re.compile(r"\s+")
MOMENT = re.compile(r"^-?\d{4,}-\d\d-\d\d[ T]\d\d:\d\d:\d\d")
DATE = re.compile(r"^-?\d{4,}-\d\d-\d\d$")
CLOCK = re.compile(r"^\d\d:\d\d:\d\d(\.\d+)?$")
INTERVAL = re.compile(r"(-?[\d.]+) (years?|mons?|months?|days?|hours?|mins?|secs?|ms|us|µs|ns)\b")
MONTHS = {"year": 12, "mon": 1, "month": 1}
SECONDS = {"hour": 3600, "min": 60, "sec": 1, "ms": Decimal("0.001"), "us": Decimal("0.000001"), "µs": Decimal("0.000001"), "ns": Decimal("0.000000001")}


def of_duckdb(value, kind):
    """A value of DuckDB's Python package; `kind` is its type's name."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, Decimal)):
        return Decimal(value)
    if isinstance(value, float):
        return value
    if kind == "INTERVAL":
        return _interval(str(value))
    if isinstance(value, datetime.datetime):
        moment = value.astimezone(datetime.UTC).replace(tzinfo=None) if value.tzinfo else value
        return _clean(moment.isoformat(" "))
    if isinstance(value, (datetime.date, datetime.time, uuid.UUID)):
        return _clean(str(value))
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, dict):
        if kind.startswith("MAP"):
            return tuple(sorted((str(_plain(key)), of_duckdb(item, "")) for key, item in value.items()))
        return tuple(of_duckdb(item, "") for item in value.values())
    if isinstance(value, (list, tuple)):
        return tuple(of_duckdb(item, kind[:-2] if kind.endswith("[]") else "") for item in value)
    if isinstance(value, datetime.timedelta):
        return ("interval", 0, value.days, Decimal(value.seconds) + Decimal(value.microseconds) / 1000000)
    return _clean(str(value))


def of_lakesh(value, kind):
    """A value of a line of JSON; `kind` is the name of the type that DuckDB gives it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Decimal):
        return float(value) if kind in ("DOUBLE", "FLOAT") else value
    if isinstance(value, str):
        if kind == "INTERVAL":
            return _interval(value)
        if kind in ("DOUBLE", "FLOAT") or (kind == "" and value in ("NaN", "Infinity", "-Infinity")):
            try:
                return float(value)
            except ValueError:
                return value
        return _clean(_in_utc(value) if "TIME ZONE" in kind else value)
    if isinstance(value, dict):
        if kind.startswith("MAP"):
            return tuple(sorted((key, of_lakesh(item, "")) for key, item in value.items()))
        return tuple(of_lakesh(item, "") for item in value.values())
    return tuple(of_lakesh(item, kind[:-2] if kind.endswith("[]") else "") for item in value)


def _plain(value):
    return value.isoformat() if isinstance(value, (datetime.date, datetime.time)) else value


def _in_utc(text):
    """A moment with an offset as the package gives it of DuckDB's: by the clock of UTC."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment.astimezone(datetime.UTC).replace(tzinfo=None).isoformat(" ") if moment.tzinfo else text


def _clean(text):
    """Dates, moments and clocks in one spelling; other text as it is."""
    if MOMENT.match(text):
        text = text.replace("T", " ", 1)
        text = re.sub(r"(\+00:00|\+00|Z)$", "", text)
        return re.sub(r"\.?0+$", "", text) if "." in text else text
    if CLOCK.match(text) and "." in text:
        return re.sub(r"\.?0+$", "", text)
    return text


def _interval(text):
    """An interval as (months, days, seconds)."""
    months, days, seconds = 0, 0, Decimal(0)
    for number, unit in INTERVAL.findall(text):
        unit = unit.removesuffix("s") if unit not in ("ms", "us", "µs", "ns") else unit
        if unit in MONTHS:
            months += int(float(number) * MONTHS[unit])
        elif unit == "day":
            days += int(float(number))
        else:
            seconds += Decimal(number) * SECONDS[unit]
    clock = re.search(r"(-?)(\d+):(\d\d):(\d\d(?:\.\d+)?)", text)
    if clock:
        part = Decimal(clock[2]) * 3600 + Decimal(clock[3]) * 60 + Decimal(clock[4])
        seconds += -part if clock[1] else part
    return ("interval", months, days, seconds.normalize())


def equal(left, right):
    """Whether two values are the same, as the suite compares them: floats nearly, numbers by value."""
    if isinstance(left, tuple) and isinstance(right, tuple):
        if left[:1] == right[:1] == ("interval",):
            # A day has 24 hours where intervals are compared.
            return left[1] == right[1] and left[2] * 86400 + left[3] == right[2] * 86400 + right[3]
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, float) or isinstance(right, float):
        return _near(left, right)
    if isinstance(left, Decimal) != isinstance(right, Decimal):
        return _number(left) is not None and _number(left) == _number(right)
    return left == right


def _near(left, right):
    try:
        left, right = float(left), float(right)
    except (TypeError, ValueError):
        return False
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return left == right or math.isclose(left, right, rel_tol=1e-6, abs_tol=1e-12)


def _number(value):
    try:
        return Decimal(value) if isinstance(value, (str, Decimal)) else None
    except InvalidOperation:
        return None


def key(row):
    """Sorts rows of both sides alike: what is equal stands at one place."""
    return [_key(value) for value in row]


def _key(value):
    if isinstance(value, tuple):
        return "(" + ",".join(map(_key, value)) + ")"
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, (float, Decimal)):
        return f"{float(value):+.5e}" if value else "0"
    return str(value)


def same_rows(left, right):
    return len(left) == len(right) and all(map(equal, left, right))


def same_set(left, right):
    return len(left) == len(right) and same_rows(sorted(left, key=key), sorted(right, key=key))
