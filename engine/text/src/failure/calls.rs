//! Messages about functions and operators that were given values of the wrong types.

use super::rules::{capture, fill};
use super::wording::{short, split_operation, sql_type, sql_words, strip_noise, tidy};

/// What is wrong with a call or an operation, and the word of the statement that stands for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misuse {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// The function's name or the operator.
    pub(super) word: String,
}

/// Explains a call for which DataFusion found no signature.
pub(super) fn misused_function(text: &str) -> Option<Misuse> {
    let (reason, rest) =
        text.split_once(" No function matches the given name and argument types '")?;
    let (call, rest) = rest.split_once("'. You might need")?;
    let (name, arguments) = call.split_once('(')?;
    let arguments = arguments.strip_suffix(')').unwrap_or(arguments);
    let reason = strip_noise(reason);
    let reason = reason.trim_end_matches('.');
    let count = capture("Function '{}' expects {} arguments but received {}", reason);
    let inner = capture(
        "Function '{}' user-defined coercion failed with: {}",
        reason,
    );
    let message = if let Some(captures) =
        count.filter(|captures| is_number(captures[1]) && !captures[0].contains('\''))
    {
        fill("function `{0}` takes {1#argument}, not {2}", &captures)
    } else if let Some(captures) = inner {
        let inner = tidy(captures[1]);
        if inner.contains(name) {
            inner
        } else {
            format!("function `{name}`: {inner}")
        }
    } else if arguments.is_empty() {
        format!("function `{name}` needs arguments")
    } else {
        let types: Vec<String> = split_list(arguments).map(sql_type).collect();
        match types.as_slice() {
            [one] => format!("function `{name}` does not take {one}"),
            several => format!("function `{name}` does not take ({})", several.join(", ")),
        }
    };
    Some(Misuse {
        message,
        hint: usage(rest),
        word: name.to_owned(),
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Shows how the function is called, if its signatures say anything to a person.
fn usage(text: &str) -> Option<String> {
    let (_, candidates) = text.split_once("Candidate functions:\n\t")?;
    let mut usages: Vec<String> = Vec::new();
    for candidate in candidates.split("\n\t") {
        let Some(usage) = signature(candidate.trim()) else {
            continue;
        };
        if !usages.contains(&usage) {
            usages.push(usage);
        }
    }
    let more = usages.len() > 3;
    usages.truncate(3);
    let usages = usages.join(", ");
    let tail = if more { ", …" } else { "" };
    (!usages.is_empty()).then(|| format!("usage: {usages}{tail}"))
}

fn signature(candidate: &str) -> Option<String> {
    let (name, arguments) = candidate.split_once('(')?;
    let arguments = arguments.strip_suffix(')')?;
    let mut types = Vec::new();
    for argument in split_list(arguments) {
        match capture("{}({})", argument).filter(|_| argument.ends_with(')')) {
            Some(class) if is_number(class[1]) => {
                let count = class[1].parse::<usize>().ok()?.min(8);
                let class = class_name(class[0])?;
                types.extend(std::iter::repeat_n(class.to_owned(), count));
            }
            _ => types.push(argument_type(argument)?),
        }
    }
    (!types.is_empty()).then(|| format!("{name}({})", types.join(", ")))
}

/// The name of one argument's type; of several that fit, the first.
fn argument_type(argument: &str) -> Option<String> {
    let (label, text) = match argument.split_once(": ") {
        Some((label, text)) if !label.contains('(') => (Some(label), text),
        _ => (None, argument),
    };
    let first = text.split('/').next().unwrap_or(text);
    let name = match class_name(first) {
        Some(class) => class.to_owned(),
        None => {
            let name = sql_type(first).replace(" '+TZ'", "");
            let known =
                name != first && name.starts_with(|letter: char| letter.is_ascii_uppercase());
            known.then_some(name)?
        }
    };
    Some(match label {
        Some(label) => format!("{label} {name}"),
        None => name,
    })
}

fn class_name(class: &str) -> Option<&'static str> {
    Some(match class {
        "Numeric" => "NUMERIC",
        "String" => "VARCHAR",
        "Integer" => "INTEGER",
        "Decimal" => "DECIMAL",
        "Float" => "DOUBLE",
        "Boolean" => "BOOLEAN",
        "Timestamp" => "TIMESTAMP",
        "Date" => "DATE",
        "Time" => "TIME",
        "Interval" => "INTERVAL",
        "Binary" => "BINARY",
        "Any" | "Comparable" => "ANY",
        "array" => "ARRAY",
        "index" => "INTEGER",
        "element" => "ANY",
        _ => return None,
    })
}

/// Splits at the commas outside brackets.
fn split_list(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    text.split(move |part| {
        match part {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => return true,
            _ => {}
        }
        false
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
}

/// Explains an operator whose sides do not go together.
pub(super) fn misused_operator(text: &str) -> Option<Misuse> {
    const PATTERNS: &[&str] = &[
        "Cannot coerce arithmetic expression {} to valid types",
        "Cannot infer common argument type for comparison operation {}",
        "Cannot infer common argument type for logical boolean operation {}",
        "Cannot infer common argument type for regex operation {}",
        "Cannot infer common argument type for operation {}",
        "Cannot infer common type for bitwise operation {}",
        "Cannot infer common string type for string concat operation {}",
        "Cannot get result type for arithmetic operation {}: ",
        "Cannot get result type for temporal operation {}: ",
        "Cannot get result type for decimal operation {}: ",
    ];
    let operation = PATTERNS
        .iter()
        .find_map(|pattern| capture(pattern, text))?
        .first()
        .copied()?;
    let (left, operator, right) = split_operation(operation)?;
    let (left, right) = (sql_type(left), sql_type(right));
    let message = if matches!(operator, "=" | "!=" | "<>" | "<" | "<=" | ">" | ">=") {
        format!("cannot compare {left} with {right}")
    } else {
        format!(
            "`{}` cannot be used with {left} and {right}",
            short(operator)
        )
    };
    Some(Misuse {
        message: sql_words(&message),
        hint: Some("cast one side to a type that goes with the other".to_owned()),
        word: operator.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{misused_function, misused_operator};

    #[test]
    fn calls_are_explained() {
        let tail = "You might need to add explicit type casts.\n\tCandidate functions:\n\t";
        for (reason, call, candidates, message, hint) in [
            (
                "Function 'abs' expects 1 arguments but received 2.",
                "abs(Utf8, Int64)",
                "abs(Numeric(1))",
                "function `abs` takes 1 argument, not 2",
                Some("usage: abs(NUMERIC)"),
            ),
            (
                "Failed to coerce arguments to satisfy a call to 'sqrt' function: x failed.",
                "sqrt(Utf8View, List(Int64))",
                "sqrt(Float64/Float32)",
                "function `sqrt` does not take (VARCHAR, ARRAY<BIGINT>)",
                Some("usage: sqrt(DOUBLE)"),
            ),
            (
                "Function 'x' user-defined coercion failed with: it is bad.",
                "x(Int64)",
                "x(UserDefined)",
                "function `x`: it is bad",
                None,
            ),
        ] {
            let text = format!(
                "{reason} No function matches the given name and argument types '{call}'. {tail}{candidates}"
            );
            let misuse = misused_function(&text);
            assert_eq!(
                misuse.as_ref().map(|misuse| misuse.message.as_str()),
                Some(message)
            );
            assert_eq!(misuse.and_then(|misuse| misuse.hint).as_deref(), hint);
        }
        assert_eq!(misused_function("else"), None);
    }

    #[test]
    fn operators_are_explained() {
        for (text, message) in [
            (
                "Cannot coerce arithmetic expression Utf8View + Timestamp(µs) to valid types",
                "`+` cannot be used with VARCHAR and TIMESTAMP",
            ),
            (
                "Cannot infer common argument type for comparison operation Float64 >= Timestamp(µs, \"UTC\")",
                "cannot compare DOUBLE with TIMESTAMP WITH TIME ZONE",
            ),
        ] {
            assert_eq!(
                misused_operator(text)
                    .map(|misuse| misuse.message)
                    .as_deref(),
                Some(message)
            );
        }
    }
}
