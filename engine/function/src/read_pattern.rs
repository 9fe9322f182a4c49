//! `to_date` and `to_timestamp` with patterns: PostgreSQL's `DD.MM.YYYY`, Spark's `dd.MM.yyyy`, as formats of
//! strptime. A pattern with `%` is one already.
//!
//! PostgreSQL's manual, "Template Patterns for Date/Time Formatting"; Spark's, "Datetime Patterns".

/// What stands for a pattern, longest first.
const POSTGRES: &[(&str, &str)] = &[
    ("YYYY", "%Y"),
    ("HH24", "%H"),
    ("HH12", "%I"),
    ("MONTH", "%B"),
    ("DDD", "%j"),
    ("MON", "%b"),
    ("DAY", "%A"),
    ("YY", "%y"),
    ("MM", "%m"),
    ("DD", "%d"),
    ("DY", "%a"),
    ("HH", "%I"),
    ("MI", "%M"),
    ("SS", "%S"),
    ("AM", "%p"),
    ("PM", "%p"),
];
const SPARK: &[(&str, &str)] = &[
    ("MMMM", "%B"),
    ("yyyy", "%Y"),
    ("EEEE", "%A"),
    ("MMM", "%b"),
    ("EEE", "%a"),
    ("DDD", "%j"),
    ("yy", "%y"),
    ("MM", "%m"),
    ("dd", "%d"),
    ("HH", "%H"),
    ("hh", "%I"),
    ("mm", "%M"),
    ("ss", "%S"),
    ("y", "%Y"),
    ("M", "%m"),
    ("d", "%d"),
    ("H", "%H"),
    ("h", "%I"),
    ("m", "%M"),
    ("s", "%S"),
    ("E", "%a"),
    ("a", "%p"),
];

/// Writes a pattern as a format of strptime; `None` where it is one already.
pub(crate) fn format_of(pattern: &str) -> Result<Option<String>, String> {
    if pattern.contains('%') {
        return Ok(None);
    }
    let is_sparks = pattern.contains(['y', 'd', 'H', 'h', 'm', 's'])
        && !["YY", "DD", "MI", "HH24", "HH12", "SS"]
            .iter()
            .any(|of_postgres| pattern.contains(of_postgres));
    let written = match is_sparks {
        true => written(pattern, '\'', |rest| found(rest, SPARK, str::to_owned)),
        false => written(pattern, '"', |rest| {
            found(rest, POSTGRES, str::to_uppercase)
        }),
    };
    written.map(Some)
}

fn found(
    rest: &str,
    patterns: &[(&'static str, &'static str)],
    fold: fn(&str) -> String,
) -> Option<(usize, &'static str)> {
    let fits = |name: &str| {
        rest.get(..name.len())
            .is_some_and(|begin| fold(begin) == name)
    };
    let found = patterns.iter().find(|(name, _)| fits(name));
    found.map(|(name, format)| (name.len(), *format))
}

fn written(
    pattern: &str,
    quote: char,
    found: impl Fn(&str) -> Option<(usize, &'static str)>,
) -> Result<String, String> {
    let mut format = String::with_capacity(pattern.len() * 2);
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        if letter == quote {
            let inner = &rest[1..];
            let Some(end) = inner.find(quote) else {
                return Err(format!(
                    "has a quote in its pattern that does not end: {pattern}"
                ));
            };
            format.push_str(&inner[..end]);
            rest = &inner[end + 1..];
            continue;
        }
        if let Some((length, put)) = found(rest) {
            format.push_str(put);
            rest = &rest[length..];
            continue;
        }
        if letter.is_alphabetic() && letter != 'T' {
            return Err(format!("does not know `{letter}` in the pattern {pattern}"));
        }
        format.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    Ok(format)
}

#[cfg(test)]
mod tests {
    use super::format_of;

    #[test]
    fn patterns_become_formats() {
        let check = |pattern: &str, expected: &str| {
            assert_eq!(
                format_of(pattern),
                Ok(Some(expected.to_owned())),
                "{pattern}"
            );
        };
        check("dd/MM/yyyy HH:mm:ss", "%d/%m/%Y %H:%M:%S");
        check("DD/MM/YYYY HH24:MI:SS", "%d/%m/%Y %H:%M:%S");
        check("d MMM yy", "%d %b %y");
        check("DD Mon YYYY", "%d %b %Y");
        check("yyyy-MM-dd'T'HH", "%Y-%m-%dT%H");
        assert_eq!(format_of("%Y"), Ok(None));
        assert!(format_of("yyyy-QQ").is_err());
    }
}
