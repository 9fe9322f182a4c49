//! `regexp_extract` and `regexp_extract_all` with names of groups, and with flags: DuckDB's.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, FunctionArg};

use super::{Written, binary, literal, text};
use crate::expand::{call, elements_of, expressions, sql};

/// `regexp_extract(text, pattern, names | group [, flags])`; without names and flags it is the kernel's.
pub(in crate::entry) fn extract(arguments: &[FunctionArg]) -> Written {
    written(arguments, "regexp_extract", |names| {
        let fields = fields("coalesce(lakesh_regexp_groups(t, p)[", "], '')", names);
        format!("CASE WHEN t IS NOT NULL THEN named_struct({fields}) END")
    })
}

/// `regexp_extract_all`, likewise.
pub(in crate::entry) fn extract_all(arguments: &[FunctionArg]) -> Written {
    written(arguments, "regexp_extract_all", |names| {
        let fields = fields("lakesh_groups[", "]", names);
        format!(
            "list_transform(lakesh_regexp_all_groups(t, p), lakesh_groups -> named_struct({fields}))"
        )
    })
}

fn fields(before: &str, behind: &str, names: &[&str]) -> String {
    let fields = names.iter().enumerate().map(|(place, name)| {
        let name = name.replace('\'', "''");
        format!("'{name}', {before}{}{behind}", place + 1)
    });
    fields.collect::<Vec<_>>().join(", ")
}

fn written(
    arguments: &[FunctionArg],
    function: &str,
    by_names: impl FnOnce(&[&str]) -> String,
) -> Written {
    let Some(values) = expressions(arguments) else {
        return Ok(None);
    };
    let (value, pattern, groups, flags) = match values[..] {
        [value, pattern, groups] => (value, pattern, groups, None),
        [value, pattern, groups, flags] => (value, pattern, groups, Some(flags)),
        _ => return Ok(None),
    };
    let names = elements_of(groups);
    if names.is_none() && flags.is_none() {
        return Ok(None);
    }
    let pattern = match flags {
        Some(flags) => with_flags(pattern, flags)?,
        None => pattern.clone(),
    };
    let Some(names) = names else {
        let arguments = vec![value.clone(), pattern, groups.clone()];
        return Ok(Some(call(function, arguments)));
    };
    let names: Option<Vec<&str>> = names.iter().map(literal).collect();
    let names = names.ok_or("takes the names of groups as texts between quotes")?;
    if names.is_empty() {
        return Err("takes at least one name".to_owned());
    }
    if let Some(pattern) = literal(&pattern) {
        let count = pattern_groups(pattern)?;
        if names.len() > count {
            return Err(format!(
                "names {} groups of the regular expression, which has {count}",
                names.len()
            ));
        }
    }
    for (place, name) in names.iter().enumerate() {
        if names[..place].contains(name) {
            return Err(format!("names two groups `{name}`"));
        }
    }
    sql(&by_names(&names), &[("t", value.clone()), ("p", pattern)]).map(Some)
}

fn pattern_groups(pattern: &str) -> Result<usize, String> {
    let compiled = regex::Regex::new(pattern).map_err(|error| error.to_string())?;
    Ok(compiled.captures_len() - 1)
}

/// The pattern with what its flags say in front.
fn with_flags(pattern: &Expr, flags: &Expr) -> Result<Expr, String> {
    let flags = literal(flags).ok_or("takes its flags as a text between quotes")?;
    let mut inner = String::new();
    for flag in flags.chars() {
        match flag {
            'i' | 's' => inner.push(flag),
            // What holds anyway.
            'c' | 'g' => {}
            other => return Err(format!("knows the flags c, i, s and g, not `{other}`")),
        }
    }
    if inner.is_empty() {
        return Ok(pattern.clone());
    }
    let flags = format!("(?{inner})");
    Ok(match literal(pattern) {
        Some(pattern) => text(&format!("{flags}{pattern}")),
        None => Expr::Nested(Box::new(binary(
            text(&flags),
            BinaryOperator::StringConcat,
            Expr::Nested(Box::new(pattern.clone())),
        ))),
    })
}
