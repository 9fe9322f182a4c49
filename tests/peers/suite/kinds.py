"""What a query needs of DuckDB alone, and refusals by kind."""

import re

# Folders of the suite that are about DuckDB's own files, catalog and settings.
FOLDERS = {
    "storage", "attach", "pragma", "secrets", "logging", "extensions", "copy_database", "export", "index", "trigger",
    "settings", "pg_catalog", "explain", "storage_version", "detailed_profiler", "progress_bar", "connect",
}  # fmt: skip

# What only DuckDB's catalog, plans and settings answer.
OWN = re.compile(
    r"""
    ^\s*(PRAGMA|ATTACH|DETACH|USE|CHECKPOINT|FORCE|EXPLAIN|CALL|EXPORT|IMPORT|INSTALL|LOAD|VACUUM|SHOW|DESCRIBE|DESC
        |SUMMARIZE)\b
    | \b(duckdb_\w+|pragma_\w+|sqlite_master|sqlite_schema|sqlite_temp_master|pg_\w+|information_schema
        |current_setting|currval|nextval|getvariable|current_schemas?|current_database|txid_current|stats
        |in_search_path|enum_\w+|rowid|parse_duckdb_log_message|json_serialize_sql|json_deserialize_sql
        |json_execute_serialized_sql|sql_auto_complete|repeat_row|test_all_types|test_vector_types|seq_scan
        |which_secret|storage_info|write_log|vector_type)\b
    | \bCREATE\s+(OR\s+REPLACE\s+)?(TEMP\s+|TEMPORARY\s+|PERSISTENT\s+|UNIQUE\s+)*(INDEX|SEQUENCE|TYPE|TRIGGER|SECRET)\b
    | \bALTER\s+TYPE\b | \bDROP\s+(INDEX|SEQUENCE|TYPE|TRIGGER|SECRET)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)

# What a statement that failed would have made or changed.
TARGET = re.compile(
    r"""
    ^\s*(?: CREATE\s+(?:OR\s+REPLACE\s+)?(?:(?:LOCAL|GLOBAL)\s+)?(?:TEMP\s+|TEMPORARY\s+|RECURSIVE\s+|UNIQUE\s+)*
              (?:TABLE|VIEW|SCHEMA|MACRO|FUNCTION|TYPE|SEQUENCE|DATABASE)\s+(?:IF\s+NOT\s+EXISTS\s+)?
          | INSERT\s+(?:OR\s+\w+\s+)?INTO\s+ | UPDATE\s+ | DELETE\s+FROM\s+ | ALTER\s+(?:TABLE|VIEW)\s+(?:IF\s+EXISTS\s+)?
          | COPY\s+ | MERGE\s+INTO\s+ | TRUNCATE\s+(?:TABLE\s+)? | PREPARE\s+ | DROP\s+(?:TABLE|VIEW|SCHEMA|MACRO)\s+(?:IF\s+EXISTS\s+)?
        ) (?P<name>"[^"]+"|\w+) (?: \. (?P<inner>"[^"]+"|\w+) )?
    """,
    re.IGNORECASE | re.VERBOSE,
)


def is_own(sql):
    """Whether a statement is about what DuckDB alone has."""
    return OWN.search(sql) is not None


# A change of a table anywhere in a statement, as behind WITH.
CHANGE = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO)\s+(?P<name>\"[^\"]+\"|\w+)(?:\.(?P<inner>\"[^\"]+\"|\w+))?", re.IGNORECASE)


def target(sql):
    """The name in lower case of what a statement makes or changes; None where it names nothing."""
    found = TARGET.match(sql) or CHANGE.search(sql)
    name = found and (found["inner"] or found["name"])
    return name.strip('"').lower() if name else None


def mentions(sql, name):
    """Whether a name stands in a text."""
    return re.search(rf"\b{re.escape(name)}\b", sql, re.IGNORECASE) is not None


def kind_of(message):
    """A message without what is particular: names that are no functions, numbers, texts."""
    message = message.split(" (hint")[0]
    if found := re.match(r"(?:no function|function) `?(\w+)`?", message):
        return f"function {found[1].lower()}"
    message = re.sub(r"^[^ ]*<stdin>[^ ]* ", "", message)
    kept = re.search(r"(unexpected|keyword|statement|setting|option|type|clause|operator) `[^`]*`", message)
    hidden = re.sub(r"`[^`]*`", "`…`", message)
    if kept:
        hidden = hidden.replace(kept[1] + " `…`", kept[0][:60], 1)
    hidden = re.sub(r"'[^']*'|\"[^\"]*\"", "'…'", hidden)
    return re.sub(r"\d+", "N", hidden)[:110]
