//! Regular expressions that only look for a text.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr};

use crate::ast::{bare, call, comparison, integer, string, text};
use crate::evidence::TableFacts;
use crate::rewrite;
use crate::scope::SelectScope;
use crate::{Evidence, Finding, Rule};

pub(super) static RULE: Rule = Rule {
    name: "regex-as-like",
    summary: "A regular expression only looks for a piece of text, or only whether there is a match.",
    advice: "LIKE looks for a text several times as fast as a regular expression, and `LIKE 'abc%'` skips \
             row groups. Where the pattern has to stay, `regexp_like` says whether it matches without \
             collecting what matched.",
    measured: false,
    setup: super::lakes::EVENTS,
    fires: "SELECT count(*) FROM events WHERE regexp_count(code, '0012') > 0",
    silent: "SELECT count(*) FROM events WHERE regexp_count(code, '0') > 2",
    inspect,
};

fn inspect(evidence: &Evidence) -> Vec<Finding> {
    let exact = rewrite::conditions(evidence, |found, scope| change(found, scope, true));
    let loose =
        || rewrite::positive_conditions(evidence, |found, scope| change(found, scope, false));
    let Some(rewritten) = exact.or_else(loose) else {
        return Vec::new();
    };
    let severity = rewritten.severity(evidence);
    let text = format!(
        "`{}` runs a regular expression over every row",
        rewritten.before()
    );
    vec![
        Finding::new(severity, rewritten.node(), text)
            .gain(2.5)
            .rewrite(rewritten.tree),
    ]
}

/// Writes a search for a text as LIKE.
fn change<'a>(
    found: &Expr,
    scope: &SelectScope<'a>,
    negated: bool,
) -> Option<(Expr, &'a TableFacts)> {
    let search = search(found).filter(|search| !(negated && search.hides_null))?;
    let facts = scope.column(search.column)?;
    if !facts.data_type().is_string() {
        return None;
    }
    let plain = match like_pattern(search.pattern) {
        Some(pattern) => Expr::Like {
            negated: search.negated,
            any: false,
            expr: Box::new(search.column.clone()),
            pattern: Box::new(string(pattern)),
            escape_char: None,
        },
        None if search.collects && !search.negated => crate::ast::parsed(&format!(
            "regexp_like({}, {})",
            search.column,
            string(search.pattern)
        ))?,
        None => return None,
    };
    Some((plain, facts.table))
}

struct Search<'a> {
    column: &'a Expr,
    pattern: &'a str,
    negated: bool,
    /// Whether it collects what matched, though only whether it does is asked for.
    collects: bool,
    /// Whether it is false where the text is NULL.
    hides_null: bool,
}

fn search(condition: &Expr) -> Option<Search<'_>> {
    let found = |column, pattern, negated, collects| Search {
        column: bare(column),
        pattern,
        negated,
        collects,
        hides_null: false,
    };
    match bare(condition) {
        Expr::BinaryOp { left, op, right } => match op {
            BinaryOperator::PGRegexMatch => Some(found(left, text(right)?, false, false)),
            BinaryOperator::PGRegexNotMatch => Some(found(left, text(right)?, true, false)),
            _ => counted(condition),
        },
        Expr::IsNotNull(inner) => {
            let (name, arguments) = call(inner)?;
            match (name.as_str(), arguments.as_slice()) {
                ("regexp_match", [column, pattern]) => Some(Search {
                    hides_null: true,
                    ..found(column, text(pattern)?, false, true)
                }),
                _ => None,
            }
        }
        other => {
            let (name, arguments) = call(other)?;
            match (name.as_str(), arguments.as_slice()) {
                ("regexp_like", [column, pattern]) => {
                    Some(found(column, text(pattern)?, false, false))
                }
                _ => None,
            }
        }
    }
}

/// Reads `regexp_count(s, p) > 0`, `strpos(s, p) > 0` and the like.
fn counted(condition: &Expr) -> Option<Search<'_>> {
    let compared = comparison(condition)?;
    let negated = match (compared.op, integer(compared.right)?) {
        (BinaryOperator::Gt | BinaryOperator::NotEq, 0) | (BinaryOperator::GtEq, 1) => false,
        (BinaryOperator::Eq | BinaryOperator::LtEq, 0) | (BinaryOperator::Lt, 1) => true,
        _ => return None,
    };
    let (name, arguments) = call(compared.left)?;
    match (name.as_str(), arguments.as_slice()) {
        ("regexp_count" | "regexp_instr", [column, pattern]) => Some(Search {
            column: bare(column),
            pattern: text(pattern)?,
            negated,
            collects: true,
            hides_null: false,
        }),
        _ => None,
    }
}

/// Writes a regular expression without operators as a pattern of LIKE.
fn like_pattern(regex: &str) -> Option<String> {
    let (start, rest) = match regex.strip_prefix('^') {
        Some(rest) => ("", rest),
        None => ("%", regex),
    };
    let (rest, end) = match rest.strip_suffix('$') {
        Some(rest) => (rest, ""),
        None => (rest, "%"),
    };
    let rest = rest.strip_prefix(".*").unwrap_or(rest);
    let rest = rest.strip_suffix(".*").unwrap_or(rest);
    let plain = !rest.is_empty()
        && rest
            .chars()
            .all(|letter| letter.is_alphanumeric() || " -/:@#=,;<>'\"!&~".contains(letter));
    // `^.*x` and `x.*$` are looser than they look: only where both ends are open are they the same.
    let stripped = regex.contains(".*") && (start.is_empty() || end.is_empty());
    (plain && !stripped).then(|| format!("{start}{rest}{end}"))
}

#[cfg(test)]
mod tests {
    use super::like_pattern;

    #[test]
    fn expressions_without_operators_are_patterns() {
        for (regex, pattern) in [
            ("abc", Some("%abc%")),
            ("^abc", Some("abc%")),
            ("abc$", Some("%abc")),
            ("^abc$", Some("abc")),
            (".*abc.*", Some("%abc%")),
            ("abc.*", Some("%abc%")),
            ("ä/b:c", Some("%ä/b:c%")),
            // These ask for less than their ends say.
            ("^.*abc", None),
            ("abc.*$", None),
            // Letters that LIKE reads as more, or that the expression does.
            ("a_b", None),
            ("a%b", None),
            ("a.b", None),
            ("a\\.b", None),
            ("a|b", None),
            ("(abc)", None),
            ("ab+", None),
            ("[ab]", None),
            ("", None),
            ("^$", None),
        ] {
            assert_eq!(like_pattern(regex).as_deref(), pattern, "{regex}");
        }
    }
}
