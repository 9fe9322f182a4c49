//! The source of a function's library: the body as it was written, and what calls it for each row.

use super::{NativeDefinition, NativeType};

/// What is the same for all functions.
const RUNTIME: &str = include_str!("runtime.rs.txt");

/// The lines of the source before the body.
const LINES_BEFORE: usize = 2;

/// Returns the source of a function's library.
pub(super) fn source(function: &NativeDefinition) -> String {
    let optional = |written: &str| match function.strict {
        true => written.to_owned(),
        false => format!("Option<{written}>"),
    };
    let parameters: Vec<String> = function
        .parameters
        .iter()
        .map(|(name, native)| format!("r#{name}: {}", optional(native.argument())))
        .collect();
    let result = optional(function.returns.result());
    // The body begins on a line of its own, so that its lines can be told.
    let mut text = format!(
        "#![allow(warnings)]\nfn lakesh_body({}) -> {result} {{\n{}\n}}\n",
        parameters.join(", "),
        function.body
    );
    text.push_str(RUNTIME);
    text.push_str(
        "\nunsafe fn lakesh_row(row: usize, columns: *const LakeshColumn, output: &LakeshOutput) {\n",
    );
    let mut arguments = Vec::new();
    for (place, (_, native)) in function.parameters.iter().enumerate() {
        let read = match native {
            NativeType::Boolean => "boolean(row)".to_owned(),
            NativeType::Text => "text(row)".to_owned(),
            number => format!("number::<{}>(row)", number.argument()),
        };
        text.push_str(&format!(
            "    let a{place} = (*columns.add({place})).{read};\n"
        ));
        arguments.push(format!("a{place}"));
    }
    let arguments = arguments.join(", ");
    let call = match function.strict {
        false => format!("lakesh_body({arguments})"),
        true if function.parameters.is_empty() => "Some(lakesh_body())".to_owned(),
        true => {
            let values: Vec<String> = (0..function.parameters.len())
                .map(|place| format!("Some(v{place})"))
                .collect();
            let given = arguments.replace('a', "v");
            let pattern = values.join(", ");
            format!(
                "match ({arguments},) {{ ({pattern},) => Some(lakesh_body({given})), _ => None }}"
            )
        }
    };
    let result = function.returns.result();
    text.push_str(&format!("    let value: Option<{result}> = {call};\n"));
    text.push_str(match function.returns {
        NativeType::Text => "    lakesh_put_text(value, output, row);\n}\n",
        _ => "    lakesh_put(value, output, row);\n}\n",
    });
    text
}

/// Finds the place in the body for a line and a column of the source, both counted from 1, the column in
/// characters. `None` where it is not in the body.
pub(super) fn place_in_body(body: &str, line: usize, column: usize) -> Option<usize> {
    let line = line.checked_sub(LINES_BEFORE + 1)?;
    let mut start = 0;
    for (number, text) in body.split_inclusive('\n').enumerate() {
        if number == line {
            let places = text.char_indices().map(|(place, _)| place);
            let place = places.chain([text.len()]).nth(column.saturating_sub(1));
            return Some(start + place.unwrap_or(text.len()));
        }
        start += text.len();
    }
    None
}

/// Returns the line of the body, counted from 1, for a line of the source; `None` where it is not in it.
pub(super) fn line_of_body(body: &str, line: u32) -> Option<u32> {
    let before = u32::try_from(LINES_BEFORE).unwrap_or_default();
    let line = line.checked_sub(before).filter(|line| *line > 0)?;
    let lines = u32::try_from(body.split('\n').count()).unwrap_or(u32::MAX);
    (line <= lines).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::{line_of_body, place_in_body, source};
    use crate::{NativeDefinition, NativeType};

    fn definition(strict: bool, parameters: &[(&str, NativeType)]) -> NativeDefinition {
        let parameters = parameters.iter();
        NativeDefinition {
            name: "f".to_owned(),
            parameters: parameters
                .map(|(name, native)| ((*name).to_owned(), *native))
                .collect(),
            returns: NativeType::Text,
            strict,
            body: "BODY".to_owned(),
        }
    }

    /// The first lines of the source, and that of the call.
    #[track_caller]
    fn check(strict: bool, parameters: &[(&str, NativeType)], head: &str, call: &str) {
        let text = source(&definition(strict, parameters));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..4], ["#![allow(warnings)]", head, "BODY", "}"]);
        let called = lines.iter().rfind(|line| line.contains("let value: "));
        let called = called.map(|line| line.trim());
        assert_eq!(
            called,
            Some(format!("let value: Option<String> = {call};").as_str())
        );
    }

    #[test]
    fn a_body_sees_options_or_values() {
        let both = [("x", NativeType::Int64), ("type", NativeType::Text)];
        check(
            false,
            &both,
            "fn lakesh_body(r#x: Option<i64>, r#type: Option<&str>) -> Option<String> {",
            "lakesh_body(a0, a1)",
        );
        check(
            true,
            &both,
            "fn lakesh_body(r#x: i64, r#type: &str) -> String {",
            "match (a0, a1,) { (Some(v0), Some(v1),) => Some(lakesh_body(v0, v1)), _ => None }",
        );
        check(
            false,
            &[],
            "fn lakesh_body() -> Option<String> {",
            "lakesh_body()",
        );
        check(
            true,
            &[],
            "fn lakesh_body() -> String {",
            "Some(lakesh_body())",
        );
    }

    #[test]
    fn places_are_those_of_the_body() {
        let body = "\n  let ä = x;\n  y";
        assert_eq!(place_in_body(body, 2, 1), None);
        assert_eq!(place_in_body(body, 3, 1), Some(0));
        assert_eq!(
            place_in_body(body, 4, 11).map(|at| &body[at..at + 1]),
            Some("x")
        );
        assert_eq!(place_in_body(body, 5, 3).map(|at| &body[at..]), Some("y"));
        assert_eq!(place_in_body(body, 6, 1), None);
        assert_eq!(line_of_body(body, 2), None);
        assert_eq!(line_of_body(body, 4), Some(2));
        assert_eq!(line_of_body(body, 6), None);
    }
}
