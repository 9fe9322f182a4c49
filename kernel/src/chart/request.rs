//! What `\chart` was asked for: `bar x=riders y=avg(distance_km) color=district SELECT …`.

use lakesh_engine::failure::{Failure, FailureKind};

/// A kind of chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bar,
    Line,
    Area,
    Scatter,
    Histogram,
    Heatmap,
    Box,
}

impl Kind {
    /// Returns the columns of which each value has a place or a colour of its own.
    pub(super) fn separate(self) -> &'static [&'static str] {
        match self {
            Self::Bar | Self::Box => &["x", "color"],
            Self::Line | Self::Area => &["color"],
            Self::Heatmap => &["x", "y"],
            Self::Scatter | Self::Histogram => &[],
        }
    }
}

/// The kinds by name.
const KINDS: &[(&str, Kind)] = &[
    ("bar", Kind::Bar),
    ("line", Kind::Line),
    ("area", Kind::Area),
    ("scatter", Kind::Scatter),
    ("histogram", Kind::Histogram),
    ("heatmap", Kind::Heatmap),
    ("box", Kind::Box),
];

/// What is to be drawn; the expressions are SQL as the user wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) kind: Kind,
    pub(super) x: String,
    pub(super) y: Option<String>,
    pub(super) color: Option<String>,
    pub(super) facet: Option<String>,
    /// The query; `None` takes the last result.
    pub(super) query: Option<String>,
}

/// Words with which a query begins.
const QUERY_WORDS: &[&str] = &["select", "with", "from", "values"];

impl Request {
    /// Reads the rest of the command's line.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let (first, mut rest) = word(text.trim().trim_end_matches(';'));
        let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == first) else {
            let names: Vec<_> = KINDS.iter().map(|(name, _)| *name).collect();
            return Err(wrong(format!("`{first}` is not a kind of chart"))
                .hint(format!("kinds: {}", names.join(", "))));
        };
        let (mut x, mut y, mut color, mut facet) = (None, None, None, None);
        let mut query = None;
        while !rest.is_empty() {
            let begins_query = |word: &&&str| {
                let head = rest.get(..word.len()).unwrap_or_default();
                let after = rest[head.len()..].chars().next();
                head.eq_ignore_ascii_case(word) && after.is_none_or(|next| !next.is_alphanumeric())
            };
            if QUERY_WORDS.iter().find(begins_query).is_some() {
                query = Some(rest.to_owned());
                break;
            }
            let (assignment, after) = word(rest);
            rest = after;
            let slot = match assignment.split_once('=') {
                Some(("x", value)) => Some((&mut x, value)),
                Some(("y", value)) => Some((&mut y, value)),
                Some(("color" | "colour", value)) => Some((&mut color, value)),
                Some(("facet", value)) => Some((&mut facet, value)),
                _ => None,
            };
            match slot {
                Some((slot, value)) if !value.is_empty() => *slot = Some(value.to_owned()),
                _ => {
                    return Err(wrong(format!("`{assignment}` is not a part of a chart"))
                        .hint("write x=…, y=…, color=… or facet=…, then a query or nothing"));
                }
            }
        }
        let needs_y = matches!(kind, Kind::Scatter | Kind::Heatmap | Kind::Box);
        if needs_y && y.is_none() {
            return Err(wrong(format!("a {first} needs y=…")));
        }
        let x = x.ok_or_else(|| wrong(format!("a {first} needs x=…")))?;
        Ok(Self {
            kind: *kind,
            x,
            y,
            color,
            facet,
            query,
        })
    }
}

fn wrong(message: String) -> Failure {
    Failure::new(FailureKind::Usage, message)
}

/// Splits off the first word; brackets and quotes hold white space together.
fn word(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    let mut quote = None;
    let end = text.char_indices().find(|(_, letter)| {
        match (quote, letter) {
            (Some(open), letter) if open == *letter => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(*letter),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth = depth.saturating_sub(1),
            (None, letter) => return letter.is_whitespace() && depth == 0,
        }
        false
    });
    let end = end.map_or(text.len(), |(at, _)| at);
    (&text[..end], text[end..].trim_start())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Kind, Request};

    #[test]
    fn requests_are_read() {
        let read =
            Request::parse("bar x=date_trunc('month', day) y=avg(km) color=\"my col\" SELECT 1;")
                .unwrap();
        assert_eq!(read.kind, Kind::Bar);
        assert_eq!(read.x, "date_trunc('month', day)");
        assert_eq!(read.y.as_deref(), Some("avg(km)"));
        assert_eq!(read.color.as_deref(), Some("\"my col\""));
        assert_eq!(read.query.as_deref(), Some("SELECT 1"));
        assert_eq!(Request::parse("line x=a").unwrap().query, None);
        assert_eq!(
            Request::parse("line x=a fromage=b").unwrap_err().message,
            "`fromage=b` is not a part of a chart"
        );
    }

    #[test]
    fn mistakes_are_explained() {
        let cases = [
            ("pie x=a", "`pie` is not a kind of chart"),
            ("", "`` is not a kind of chart"),
            ("bar y=a", "a bar needs x=…"),
            ("scatter x=a", "a scatter needs y=…"),
            ("bar x=", "`x=` is not a part of a chart"),
        ];
        for (text, expected) in cases {
            assert_eq!(Request::parse(text).unwrap_err().message, expected);
        }
    }
}
