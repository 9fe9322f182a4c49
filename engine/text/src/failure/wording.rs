//! Cleans the text of other libraries' errors: no prefixes, no Debug output, types in SQL's words.
//!
//! It knows how texts look, not what they mean.

use datafusion::arrow::datatypes::DataType;

use super::types::sql_type_name;

/// What the libraries put before or between their messages.
const PREFIXES: &[&str] = &[
    "Error during planning: ",
    "Execution error: ",
    "Internal error: ",
    "Schema error: ",
    "External error: ",
    "Arrow error: ",
    "Parquet error: ",
    "Object Store error: ",
    "IO error: ",
    "SQL error: ",
    "This feature is not implemented: ",
    "Invalid or Unsupported Configuration: ",
    "ExecutionJoin error: ",
    "Resources exhausted: ",
    "Substrait error: ",
    "FFI error: ",
    "Cast error: ",
    "Parser error: ",
    "Compute error: ",
    "Arithmetic overflow: ",
    "Invalid argument error: ",
    "Parquet argument error: ",
    "Not yet implemented: ",
    "Memory error: ",
    "Csv error: ",
    "Json error: ",
    "Avro error: ",
    "Ipc error: ",
    "Io error: ",
    "External: ",
    "Arrow: ",
    "NYI: ",
    "EOF: ",
    "sql parser error: ",
];

/// Texts from which on nothing is meant for the user.
const TAILS: &[&str] = &[
    "\n\nbacktrace: ",
    ".\nThis issue was likely caused by a bug",
    "\nThis issue was likely caused by a bug",
    "This issue was likely caused by a bug",
    " See `RuntimeEnv::",
];

/// How long a value in a message may be, in characters.
const LONGEST: usize = 60;

/// Drops prefixes, contexts and tails, and keeps the words of the innermost message as they are.
pub(super) fn strip_noise(text: &str) -> String {
    let mut text = text;
    for tail in TAILS {
        if let Some(start) = text.find(tail) {
            text = &text[..start];
        }
    }
    if let Some(start) = text.rfind("\ncaused by\n") {
        text = &text[start + "\ncaused by\n".len()..];
    }
    let mut text = text.trim().to_owned();
    for prefix in PREFIXES {
        if text.contains(prefix) {
            text = text.replace(prefix, "");
        }
    }
    without_store_prefix(without_os_number(&text).trim()).to_owned()
}

/// Drops ` (os error 2)`.
fn without_os_number(text: &str) -> String {
    match text.split_once(" (os error ") {
        Some((before, rest)) => match rest.split_once(')') {
            Some((_, after)) => format!("{before}{after}"),
            None => before.to_owned(),
        },
        None => text.to_owned(),
    }
}

/// Drops `Generic S3 error: `.
fn without_store_prefix(text: &str) -> &str {
    match text
        .strip_prefix("Generic ")
        .and_then(|rest| rest.split_once(" error: "))
    {
        Some((store, message)) if !store.contains(' ') => message,
        _ => text,
    }
}

/// Turns a stripped text into a message in our style: lower case, one line, no full stop.
pub(super) fn tidy(text: &str) -> String {
    let text = without_debug(text);
    let text = sql_words(&text);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = one_sentence(&backticks(&text));
    let text = text.trim_end_matches(['.', '!', ' ']);
    let text = if text.is_empty() {
        "unknown error"
    } else {
        text
    };
    cut(&lower_first(text), 400)
}

/// Joins sentences by semicolons.
fn one_sentence(text: &str) -> String {
    let mut sentences = text.split(". ");
    let mut joined = sentences.next().unwrap_or_default().to_owned();
    for sentence in sentences {
        let ends = joined.ends_with(|last: char| last.is_alphanumeric() || "`'\")".contains(last));
        if ends && sentence.starts_with(|first: char| first.is_uppercase()) {
            joined.push_str("; ");
            joined.push_str(&lower_first(sentence));
        } else {
            joined.push_str(". ");
            joined.push_str(sentence);
        }
    }
    joined
}

/// Cuts a value for a message.
pub(super) fn short(value: &str) -> String {
    cut(value.lines().next().unwrap_or_default(), LONGEST)
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// Lowers the first letter unless the first word is a name or an acronym.
fn lower_first(text: &str) -> String {
    let word = text.split([' ', ':', ',', '(']).next().unwrap_or_default();
    let mut characters = word.chars();
    let Some(first) = characters.next() else {
        return text.to_owned();
    };
    let ordinary = characters.all(|rest| rest.is_lowercase() || rest == '\'' || rest == '-');
    if first.is_uppercase() && ordinary {
        first.to_lowercase().collect::<String>() + &text[first.len_utf8()..]
    } else {
        text.to_owned()
    }
}

/// Turns the quotes of `'name'` and `"name"` into backticks; other quoted text is left alone.
fn backticks(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['\'', '"']) {
        let quote = &rest[start..=start];
        let inside = &rest[start + 1..];
        let opens = !rest[..start].ends_with(|before: char| before.is_alphanumeric());
        let name = inside.split(quote).next().unwrap_or_default();
        let is_name = name.starts_with(|first: char| first.is_alphabetic() || "_/".contains(first))
            && name
                .chars()
                .all(|part| part.is_alphanumeric() || "_./-:@".contains(part))
            && inside.len() > name.len();
        result.push_str(&rest[..start]);
        if opens && is_name {
            result.push('`');
            result.push_str(name);
            result.push('`');
            rest = &inside[name.len() + 1..];
        } else {
            result.push_str(quote);
            rest = inside;
        }
    }
    result + rest
}

/// Removes what Debug printed: `Some(x)` becomes `x`, a structure its name field or nothing.
pub(super) fn without_debug(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(start) = find_word(&text, "Some(") {
        let open = start + "Some".len();
        let Some(end) = closing(&text, open) else {
            break;
        };
        let inner = text[open + 1..end].trim_matches('"').to_owned();
        text.replace_range(start..=end, &inner);
    }
    while let Some(open) = text.find(" { ") {
        let word = text[..open].rfind(|part: char| !part.is_alphanumeric());
        let start = word.map_or(0, |before| before + 1);
        if !text[start..].starts_with(|first: char| first.is_ascii_uppercase()) {
            break;
        }
        let end = closing(&text, open + 1).map_or(text.len(), |end| end + 1);
        let inside = &text[open + 1..end];
        let name = ["name: \"", "value: \""]
            .iter()
            .find_map(|field| inside.split_once(field))
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(name, _)| name.to_owned());
        text.replace_range(start..end, &name.unwrap_or_default());
    }
    text
}

fn find_word(text: &str, word: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(length) = text[from..].find(word) {
        let start = from + length;
        if !text[..start].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            return Some(start);
        }
        from = start + word.len();
    }
    None
}

/// Finds the bracket that closes the one at `open`; brackets in double quotes do not count.
fn closing(text: &str, open: usize) -> Option<usize> {
    let (mut depth, mut quoted) = (0_usize, false);
    for (offset, byte) in text.bytes().enumerate().skip(open) {
        match byte {
            b'"' => quoted = !quoted,
            b'(' | b'{' | b'[' if !quoted => depth += 1,
            b')' | b'}' | b']' if !quoted => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(offset);
                }
            }
            _ => {}
        }
    }
    None
}

/// Returns the SQL name of a type as Arrow writes it, or the text itself if it is no type.
pub(super) fn sql_type(text: &str) -> String {
    match text.trim().parse::<DataType>() {
        Ok(data_type) => sql_type_name(&data_type),
        Err(_) => sql_words(text),
    }
}

/// Rewrites Arrow's types and DataFusion's literals (`Int64(1)`, `Utf8("a")`) wherever they stand.
pub(super) fn sql_words(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|part: char| part.is_alphanumeric() || part == '_') {
        result.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(|part: char| !part.is_alphanumeric() && part != '_');
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        let (name, length) = sql_word(word, after, rest);
        result.push_str(&name);
        rest = &rest[length..];
    }
    result + rest
}

/// Rewrites one word and, if it has some, its arguments; tells how much of `rest` that took.
fn sql_word(word: &str, after: &str, rest: &str) -> (String, usize) {
    let unchanged = (word.to_owned(), word.len());
    if !word.starts_with(|first: char| first.is_ascii_uppercase()) {
        return unchanged;
    }
    if after.starts_with('(')
        && let Some(end) = closing(rest, word.len())
    {
        let whole = &rest[..=end];
        if let Ok(data_type) = whole.parse::<DataType>() {
            return (sql_type_name(&data_type), whole.len());
        }
        if let Some(literal) = sql_literal(word, &rest[word.len() + 1..end]) {
            return (literal, whole.len());
        }
        return unchanged;
    }
    // `Binary`, `Null` and the like are English words too.
    let is_type = word.ends_with(|last: char| last.is_ascii_digit())
        || ["Utf8View", "BinaryView", "LargeBinary", "Boolean"].contains(&word);
    match word.parse::<DataType>() {
        Ok(data_type) if is_type => (sql_type_name(&data_type), word.len()),
        _ => unchanged,
    }
}

/// Turns `Int64(1)` into `1` and `Utf8("a")` into `'a'`.
fn sql_literal(word: &str, inside: &str) -> Option<String> {
    let text = inside
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let quoted = || format!("'{}'", text.unwrap_or(inside));
    Some(match word {
        "Int8" | "Int16" | "Int32" | "Int64" | "UInt8" | "UInt16" | "UInt32" | "UInt64"
        | "Float16" | "Float32" | "Float64" | "Boolean" => inside.to_owned(),
        _ if inside == "NULL" => inside.to_owned(),
        "Decimal128" | "Decimal256" => inside.split(',').next()?.trim_matches('"').to_owned(),
        "Utf8" | "LargeUtf8" | "Utf8View" => quoted(),
        "Date32" | "Date64" => format!("DATE {}", quoted()),
        "IntervalYearMonth" | "IntervalDayTime" | "IntervalMonthDayNano" => {
            format!("INTERVAL {}", quoted())
        }
        "TimestampSecond"
        | "TimestampMillisecond"
        | "TimestampMicrosecond"
        | "TimestampNanosecond" => format!("TIMESTAMP '{}'", inside.split(',').next()?),
        _ => return None,
    })
}

/// Splits `A + B` into its sides; operators inside brackets do not count.
pub(super) fn split_operation(text: &str) -> Option<(&str, &str, &str)> {
    let space = |from: usize| {
        let mut depth = 0_usize;
        text.bytes()
            .enumerate()
            .skip(from)
            .find_map(|(offset, byte)| {
                match byte {
                    b'(' => depth += 1,
                    b')' => depth = depth.saturating_sub(1),
                    b' ' if depth == 0 => return Some(offset),
                    _ => {}
                }
                None
            })
    };
    let first = space(0)?;
    let mut second = space(first + 1)?;
    if text[first + 1..].starts_with("IS ") || text[first + 1..].starts_with("NOT ") {
        // `IS DISTINCT FROM`, `NOT LIKE`: the operator is written in capitals.
        while let Some(next) = space(second + 1)
            && text[second + 1..next]
                .chars()
                .all(|part| part.is_ascii_uppercase())
        {
            second = next;
        }
    }
    Some((
        &text[..first],
        &text[first + 1..second],
        &text[second + 1..],
    ))
}

#[cfg(test)]
mod tests {
    use super::{split_operation, sql_words, strip_noise, tidy};

    #[test]
    fn texts_become_messages() {
        for (text, message) in [
            ("Execution error: Foo 'bar' is bad.", "foo `bar` is bad"),
            ("LIMIT must be 'x y'!", "LIMIT must be 'x y'"),
            (
                "Internal error: Oops.\nThis issue was likely caused by a bug in DataFusion's code. \
                 Please help us to resolve this by filing a bug report",
                "oops",
            ),
            ("Can't do it\n\nbacktrace:    0: std::x", "can't do it"),
            ("Got Some(\"x\") of Utf8View", "got x of VARCHAR"),
            (
                "Bad Column { relation: Some(Bare { table: \"t\" }), name: \"c\" } here",
                "bad c here",
            ),
            (
                "Optimizer rule 'a' failed\ncaused by\nArrow error: Cast error: No Int32",
                "no INTEGER",
            ),
            ("Generic S3 error: No credentials", "no credentials"),
            (
                "No such file or directory (os error 2)",
                "no such file or directory",
            ),
            (
                "It is bad. Try 'x'. Or 3. 4.",
                "it is bad; try `x`; or 3. 4",
            ),
            ("", "unknown error"),
        ] {
            assert_eq!(tidy(&strip_noise(text)), message);
        }
    }

    #[test]
    fn types_and_literals_become_sql() {
        for (text, sql) in [
            ("Timestamp(µs) + Int64(1)", "TIMESTAMP + 1"),
            ("sum(t.a) = Utf8(\"Int64\")", "sum(t.a) = 'Int64'"),
            (
                "List(Int64), Decimal128(10, 2)",
                "ARRAY<BIGINT>, DECIMAL(10, 2)",
            ),
            ("Timestamp(µs, \"UTC\") x", "TIMESTAMP WITH TIME ZONE x"),
            ("Dictionary(UInt16, Utf8)", "VARCHAR"),
            ("Struct(\"a\": Int32)", "STRUCT<a INTEGER>"),
            (
                "Binary Null File(3) FileNotFound",
                "Binary Null File(3) FileNotFound",
            ),
            ("Boolean(NULL) my_Int64", "NULL my_Int64"),
        ] {
            assert_eq!(sql_words(text), sql);
        }
    }

    #[test]
    fn operations_split() {
        for (text, parts) in [
            ("Utf8 + Int64", ("Utf8", "+", "Int64")),
            (
                "Timestamp(ns, \"UTC\") >= Decimal128(1, 2)",
                ("Timestamp(ns, \"UTC\")", ">=", "Decimal128(1, 2)"),
            ),
            ("A IS DISTINCT FROM B", ("A", "IS DISTINCT FROM", "B")),
        ] {
            assert_eq!(split_operation(text), Some(parts));
        }
        assert_eq!(split_operation("x"), None);
    }
}
