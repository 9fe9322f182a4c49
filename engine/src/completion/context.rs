//! What could stand at the cursor, from the text alone.
//!
//! It reads tokens, not grammar: a guess that is right where Tab is pressed, in one pass.

use std::ops::Range;

use lakesh_text::input::{Token, TokenKind, tokens};
use lakesh_text::keyword::is_keyword;

use crate::vocabulary::statements;

/// What could stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A command's name.
    Command,
    /// An argument of the named command.
    Argument(String),
    /// A file's path inside quotes.
    File,
    /// A setting's name.
    Setting,
    /// A format's name.
    Format,
    /// A table, a view or a schema; below a qualifier, what is in it.
    Relation(Option<String>),
    /// What may stand in an expression; below a qualifier, its columns.
    Expression(Option<String>),
    /// The first word of a statement.
    Statement,
}

/// A table that the statement reads, and the name it goes by there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The table's name as it is written, with its schema and quotes.
    pub name: String,
    /// The name that columns may be qualified with, without quotes.
    pub alias: String,
}

/// What could stand at the cursor, and what it replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CompletionContext {
    /// Where the word begins that is being typed.
    pub(super) start: usize,
    /// What has been typed of it.
    pub(super) typed: String,
    pub(super) wanted: Wanted,
    /// The tables of the statement.
    pub(super) relations: Vec<Relation>,
    /// Names that the statement itself defines with WITH.
    pub(super) common_tables: Vec<String>,
}

/// Words of queries after which a table's name stands; those of other statements are in their usages.
const BEFORE_RELATION: &[&str] = &[
    "FROM",
    "JOIN",
    "INTO",
    "UPDATE",
    "TABLE",
    "VIEW",
    "OVERWRITE",
];

/// Says whether a table's name stands after a word.
fn is_before_relation(word: &str) -> bool {
    let mut usages = statements().iter().map(|kind| kind.usage);
    BEFORE_RELATION.contains(&word) || usages.any(|usage| names_a_table_after(usage, word))
}

/// Says whether a usage has a table behind a word, as `VACUUM [TABLE] name | 'path'` has.
fn names_a_table_after(usage: &str, word: &str) -> bool {
    let parts: Vec<&str> = usage.split_whitespace().collect();
    let is_table = |parts: &[&str]| matches!(parts, ["name", "|", path] if path.starts_with('\''));
    let places = (0..parts.len()).filter(|place| parts[*place..].get(..3).is_some_and(is_table));
    for place in places {
        let mut before = parts[..place].iter().rev().peekable();
        while let Some(part) = before.next() {
            let optional = part
                .strip_prefix('[')
                .and_then(|part| part.strip_suffix(']'));
            if optional.unwrap_or(part) == word {
                return true;
            }
            // What is optional may be left out, and one of several words is as good as the others.
            if optional.is_none() && before.next_if_eq(&&"|").is_none() {
                break;
            }
        }
    }
    false
}

/// Finds out what could stand at the cursor.
pub(super) fn context(text: &str, cursor: usize) -> CompletionContext {
    let closed = close_name(text, cursor);
    let text = closed.as_deref().unwrap_or(text);
    let statement = statement_at(text, cursor);
    let tokens: Vec<_> = tokens(&text[statement.clone()])
        .map(|token| Token {
            kind: token.kind,
            range: token.range.start + statement.start..token.range.end + statement.start,
        })
        .filter(Token::is_real)
        .collect();
    let before: Vec<_> = tokens
        .iter()
        .filter(|token| token.range.start < cursor)
        .cloned()
        .collect();
    let (start, wanted) = wanted(text, &before, cursor);
    CompletionContext {
        start,
        typed: text[start..cursor].to_owned(),
        wanted,
        relations: relations(text, &tokens),
        common_tables: common_tables(text, &tokens),
    }
}

/// Closes a quoted name that is being typed, which would swallow all that follows it otherwise.
fn close_name(text: &str, cursor: usize) -> Option<String> {
    let name = tokens(text).find(|token| {
        token.kind == TokenKind::QuotedName
            && (token.range.start + 1..=token.range.end).contains(&cursor)
    })?;
    let quote = &text[name.range.start..=name.range.start];
    let rest = &text[cursor..name.range.end];
    let is_closed = text[name.range.start + 1..name.range.end].ends_with(quote);
    if is_closed && !rest.contains(char::is_whitespace) {
        return None;
    }
    Some(format!("{}{quote}{}", &text[..cursor], &text[cursor..]))
}

/// The statement around the cursor; a command ends with its line.
fn statement_at(text: &str, cursor: usize) -> Range<usize> {
    let line = text[..cursor].rfind('\n').map_or(0, |newline| newline + 1);
    if is_command(&text[line..]) {
        let end = text[line..].find('\n').map_or(text.len(), |end| line + end);
        return line..end;
    }
    let mut start = 0;
    for token in tokens(text).filter(|token| token.kind == TokenKind::Semicolon) {
        if token.range.end > cursor {
            return start..token.range.start;
        }
        start = token.range.end;
    }
    start..text.len()
}

fn is_command(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('\\')
        || line.strip_prefix(['.', '%']).is_some_and(|rest| {
            rest.is_empty() || rest.starts_with(|first: char| first.is_alphabetic())
        })
}

fn wanted(text: &str, before: &[Token], cursor: usize) -> (usize, Wanted) {
    if let Some(first) = before.first()
        && is_command(&text[first.range.start..])
    {
        return command_or_argument(text, first.range.start, cursor);
    }
    // The token that the cursor ends or is in.
    let current = before.last().filter(|token| token.range.end >= cursor);
    let (start, earlier) = match current {
        Some(token) if token.kind == TokenKind::String => {
            let quote = text[token.range.clone()]
                .find('\'')
                .map_or(0, |quote| quote + 1);
            let start = (token.range.start + quote).min(cursor);
            return (start, Wanted::File);
        }
        Some(token) if matches!(token.kind, TokenKind::Word | TokenKind::QuotedName) => {
            (token.range.start, &before[..before.len() - 1])
        }
        Some(token) if token.kind == TokenKind::Number => {
            return (cursor, Wanted::Expression(None));
        }
        _ => (cursor, before),
    };
    let (qualifier, earlier) = qualifier(text, earlier, start);
    let length = qualifier
        .as_ref()
        .map_or(0, |qualifier| qualifier.len() + 1);
    match wanted_after(text, earlier, qualifier) {
        // A setting's name has dots in it.
        Wanted::Setting => (start - length, Wanted::Setting),
        wanted => (start, wanted),
    }
}

fn command_or_argument(text: &str, start: usize, cursor: usize) -> (usize, Wanted) {
    let name_start = start + 1;
    let typed = &text[name_start.min(cursor)..cursor];
    let Some(space) = typed.find(char::is_whitespace) else {
        return (name_start.min(cursor), Wanted::Command);
    };
    let name = typed[..space].to_owned();
    let argument = typed
        .rfind(char::is_whitespace)
        .map_or(0, |space| space + 1);
    let quoted = typed[argument..].strip_prefix('\'').map_or(0, |_| 1);
    (name_start + argument + quoted, Wanted::Argument(name))
}

/// Reads `a.b.` backwards from a position.
fn qualifier<'t>(text: &str, tokens: &'t [Token], start: usize) -> (Option<String>, &'t [Token]) {
    let mut end = start;
    let mut rest = tokens;
    while let [head @ .., name, dot] = rest
        && &text[dot.range.clone()] == "."
        && matches!(name.kind, TokenKind::Word | TokenKind::QuotedName)
        && dot.range.end == end
        && name.range.end == dot.range.start
    {
        end = name.range.start;
        rest = head;
    }
    if end == start {
        return (None, tokens);
    }
    (Some(text[end..start - 1].to_owned()), rest)
}

fn wanted_after(text: &str, before: &[Token], qualifier: Option<String>) -> Wanted {
    let word = |token: &Token| text[token.range.clone()].to_uppercase();
    let Some(last) = before.last() else {
        return match qualifier {
            None => Wanted::Statement,
            Some(_) => Wanted::Expression(qualifier),
        };
    };
    let last_word = word(last);
    let first_word = word(&before[0]);
    match last_word.as_str() {
        "SET" | "RESET" if before.len() == 1 => return Wanted::Setting,
        "SHOW" if before.len() == 1 => return Wanted::Statement,
        "AS" if first_word == "CREATE" && has(text, before, "STORED") => return Wanted::Format,
        _ => {}
    }
    let after_comma_in_from = last_word == "," && last_clause(text, before) == Some("FROM");
    if is_before_relation(&last_word) || after_comma_in_from {
        return Wanted::Relation(qualifier);
    }
    Wanted::Expression(qualifier)
}

fn has(text: &str, tokens: &[Token], word: &str) -> bool {
    tokens
        .iter()
        .any(|token| text[token.range.clone()].eq_ignore_ascii_case(word))
}

/// The clause that the end of the tokens belongs to, not counting what stands in closed brackets.
fn last_clause(text: &str, tokens: &[Token]) -> Option<&'static str> {
    let mut depth = 0_usize;
    for token in tokens.iter().rev() {
        match &text[token.range.clone()] {
            ")" => depth += 1,
            "(" if depth == 0 => return None,
            "(" => depth -= 1,
            word if depth == 0 => {
                let clauses = [
                    "FROM", "SELECT", "WHERE", "GROUP", "ORDER", "HAVING", "ON", "SET", "VALUES",
                ];
                let found = clauses
                    .into_iter()
                    .find(|clause| word.eq_ignore_ascii_case(clause));
                if found.is_some() {
                    return found;
                }
            }
            _ => {}
        }
    }
    None
}

/// Lists the tables that follow FROM, JOIN, INTO, UPDATE, and commas in FROM.
fn relations(text: &str, tokens: &[Token]) -> Vec<Relation> {
    let mut relations = Vec::new();
    let mut index = 0;
    let mut in_from = false;
    while let Some(token) = tokens.get(index) {
        index += 1;
        let word = text[token.range.clone()].to_uppercase();
        let expected = match word.as_str() {
            "FROM" | "JOIN" | "INTO" | "UPDATE" => true,
            "," => in_from,
            "WHERE" | "GROUP" | "ORDER" | "SELECT" | "SET" | "ON" | "HAVING" | "LIMIT" => {
                in_from = false;
                false
            }
            _ => false,
        };
        if !expected {
            continue;
        }
        in_from = word == "FROM" || word == "," || (in_from && word == "JOIN");
        if let Some((relation, length)) = relation(text, &tokens[index..]) {
            relations.push(relation);
            index += length;
        }
    }
    relations
}

/// Reads `schema.table [AS] alias`; says how many tokens it took.
fn relation(text: &str, tokens: &[Token]) -> Option<(Relation, usize)> {
    let written = |token: &Token| &text[token.range.clone()];
    let is_name = |token: &Token| {
        matches!(
            token.kind,
            TokenKind::Word | TokenKind::QuotedName | TokenKind::String
        )
    };
    let first = tokens.first().filter(|token| is_name(token))?;
    if first.kind == TokenKind::Word && is_keyword(written(first)) {
        return None;
    }
    let mut length = 1;
    while let [dot, name, ..] = &tokens[length..]
        && written(dot) == "."
        && is_name(name)
    {
        length += 2;
    }
    let last = &tokens[length - 1];
    let mut relation = Relation {
        name: text[first.range.start..last.range.end].to_owned(),
        alias: without_quotes(written(last)),
    };
    if tokens.get(length).is_some_and(|next| written(next) == "(") {
        return None;
    }
    let with_as = tokens
        .get(length)
        .is_some_and(|next| written(next).eq_ignore_ascii_case("as"));
    let position = length + usize::from(with_as);
    if let Some(alias) = tokens.get(position)
        && matches!(alias.kind, TokenKind::Word | TokenKind::QuotedName)
        && !is_keyword(written(alias))
    {
        relation.alias = without_quotes(written(alias));
        length = position + 1;
    }
    Some((relation, length))
}

/// Lists the names before `AS (`.
fn common_tables(text: &str, tokens: &[Token]) -> Vec<String> {
    let written = |token: &Token| &text[token.range.clone()];
    tokens
        .windows(3)
        .filter(|window| {
            matches!(window[0].kind, TokenKind::Word | TokenKind::QuotedName)
                && written(&window[1]).eq_ignore_ascii_case("as")
                && written(&window[2]) == "("
        })
        .map(|window| without_quotes(written(&window[0])))
        .collect()
}

/// Removes the quotes of a name.
pub(super) fn without_quotes(name: &str) -> String {
    let inner = |quote: char| name.strip_prefix(quote)?.strip_suffix(quote);
    match inner('"').or_else(|| inner('`')).or_else(|| inner('\'')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => name.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Relation, Wanted, context};

    /// `|` is the cursor.
    #[track_caller]
    fn check(marked: &str, wanted: Wanted, typed: &str) {
        let cursor = marked.find('|').unwrap();
        let text = marked.replace('|', "");
        let found = context(&text, cursor);
        assert_eq!(
            (found.wanted, found.typed.as_str()),
            (wanted, typed),
            "{marked}"
        );
        assert_eq!(found.start + typed.len(), cursor);
    }

    #[test]
    fn what_could_stand_at_the_cursor() {
        let some = |name: &str| Some(name.to_owned());
        check("|", Wanted::Statement, "");
        check("se|", Wanted::Statement, "se");
        check("select 1; se|", Wanted::Statement, "se");
        check("select 'a;' , f|", Wanted::Expression(None), "f");
        check("select a.|", Wanted::Expression(some("a")), "");
        check("select a.n| from t a", Wanted::Expression(some("a")), "n");
        check("select s.t.n|", Wanted::Expression(some("s.t")), "n");
        check("select * from |", Wanted::Relation(None), "");
        check(
            "select * from lake.tr|",
            Wanted::Relation(some("lake")),
            "tr",
        );
        check("select * from a, b|", Wanted::Relation(None), "b");
        check("select f(a, b|", Wanted::Expression(None), "b");
        check("select a, b| from t", Wanted::Expression(None), "b");
        check("select * from t where x|", Wanted::Expression(None), "x");
        check("select * from 'da|", Wanted::File, "da");
        check("copy t to 'da|'", Wanted::File, "da");
        check("set lake|", Wanted::Setting, "lake");
        check("set lakesh.as|", Wanted::Setting, "lakesh.as");
        check("\\d|", Wanted::Command, "d");
        check(".ta|", Wanted::Command, "ta");
        check("\\d tr|", Wanted::Argument("d".into()), "tr");
        check("\\i 'a b|", Wanted::Argument("i".into()), "b");
        check("select 1;\n\\mode c|", Wanted::Argument("mode".into()), "c");
        check("insert into t|", Wanted::Relation(None), "t");
        check("create external table t stored as p|", Wanted::Format, "p");
        check("select \"Ab|", Wanted::Expression(None), "\"Ab");
    }

    #[test]
    fn relations_are_found_by_alias() {
        let cases: [(&str, &[(&str, &str)]); 7] = [
            ("select | from t", &[("t", "t")]),
            (
                "select | from lake.\"My T\" as m join b on true",
                &[("lake.\"My T\"", "m"), ("b", "b")],
            ),
            (
                "select | from a x, b, c where f(1, d)",
                &[("a", "x"), ("b", "b"), ("c", "c")],
            ),
            ("update t set | ", &[("t", "t")]),
            ("select 1 from old; select | from new", &[("new", "new")]),
            ("select | from 'x.parquet' p", &[("'x.parquet'", "p")]),
            (
                "select | from range(5) r, (select 1 from q) z",
                &[("q", "q")],
            ),
        ];
        for (marked, expected) in cases {
            let cursor = marked.find('|').unwrap();
            let found = context(&marked.replace('|', ""), cursor).relations;
            let expected: Vec<_> = expected
                .iter()
                .map(|(name, alias)| Relation {
                    name: (*name).to_owned(),
                    alias: (*alias).to_owned(),
                })
                .collect();
            assert_eq!(found, expected, "{marked}");
        }
    }

    #[test]
    fn common_tables_are_found() {
        let found = context("with a as (select 1), b as (select 2) select * from ", 52);
        assert_eq!(found.common_tables, ["a", "b"]);
    }
}
