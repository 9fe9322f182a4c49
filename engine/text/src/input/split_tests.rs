//! Tests of the splitter: tables of cases, agreement with sqlparser, and linear time.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token as ParserToken, Tokenizer};

use super::{
    Awaiting, Cell, OpenKind, SplitOptions, Terminator, TokenKind, awaiting, offset_of, split,
    tokens,
};
use crate::source::Source;

/// Shows cells as their text, with a mark for commands and unusual terminators.
fn show(text: &str, options: SplitOptions) -> Vec<String> {
    match split(&Source::new("x.sql", text), options) {
        Ok(cells) => cells.iter().map(show_cell).collect(),
        Err(failure) => {
            let place = failure.place.unwrap();
            let (line, column) = place.line_and_column();
            let text = place.text();
            vec![format!("{line}:{column} {text} {}", failure.message)]
        }
    }
}

fn show_cell(cell: &Cell) -> String {
    let text = cell.place().text();
    match cell {
        Cell::Command {
            statement: Some(statement),
            ..
        } => format!("{} > {text}", statement.text()),
        Cell::Command { .. } => format!("> {text}"),
        Cell::Statement { terminator, .. } => match terminator {
            Terminator::Semicolon => text.to_owned(),
            Terminator::Go => format!("{text} [go]"),
            Terminator::GoExpanded => format!("{text} [expanded]"),
            Terminator::EndOfInput => format!("{text} [end]"),
        },
    }
}

#[test]
fn scripts_split_into_cells() {
    let cases: &[(&str, &[&str])] = &[
        ("", &[]),
        (" ;;\n; -- only a comment\n/* ; */ ;", &[]),
        ("select 1; select 2", &["select 1", "select 2 [end]"]),
        ("-- head\n  select 1 /* tail */ ; ", &["select 1"]),
        (
            "select 'a;''b;', E'\\';', \";\", `;`;",
            &["select 'a;''b;', E'\\';', \";\", `;`"],
        ),
        ("select 'a\\'; select 2;", &["select 'a\\'", "select 2"]),
        ("select e;'x;';", &["select e", "'x;'"]),
        (
            "select /* a /* ; */ ; */ 1;",
            &["select /* a /* ; */ ; */ 1"],
        ),
        ("select 1 -- ;\n, 2;", &["select 1 -- ;\n, 2"]),
        (
            "select $$;$$, $t$;$$;$t$, $1, $n; x;",
            &["select $$;$$, $t$;$$;$t$, $1, $n", "x"],
        ),
        (
            "select a$$b; select $$;",
            &["1:21 $$ the dollar-quoted text is never closed"],
        ),
        (
            "select U&'\\0041;', x'00', b';', N';', q'[;']', nq'x;x';",
            &["select U&'\\0041;', x'00', b';', N';', q'[;']', nq'x;x'"],
        ),
        (
            "select r';', r''';'';''', r'';",
            &["select r';', r''';'';''', r''"],
        ),
        // Commands.
        (
            "\\d\n.tables\nselect 1;\\x\n",
            &["> \\d", "> .tables", "select 1", "> \\x"],
        ),
        (
            "  \\echo a; b  \r\nselect 1",
            &["> \\echo a; b", "select 1 [end]"],
        ),
        (
            "\\echo 'a\\\\b' \\\\ select 1; \\d t\\;\\x",
            &["> \\echo 'a\\\\b'", "select 1", "> \\d t", "> \\x"],
        ),
        ("\\echo it's \\\\ select 1;", &["> \\echo it's", "select 1"]),
        (
            "\\! printf 'a\\\\n' \\\\ x\nselect 1;",
            &["> \\! printf 'a\\\\n' \\\\ x", "select 1"],
        ),
        (".5;\n.t x", &[".5", "> .t x"]),
        ("select\n.5;", &["select\n.5"]),
        ("select 1\n.tables\n;", &["select 1\n.tables"]),
        ("/* c */ \\d -- x\n", &["> \\d -- x"]),
        ("%sql x\nselect 1", &["%sql x\nselect 1 [end]"]),
        // \g and its kin.
        (
            "select 1 \\g\nselect 2 \\gx\nselect 3\n\\G",
            &[
                "select 1 [go]",
                "select 2 [expanded]",
                "select 3 [expanded]",
            ],
        ),
        (
            "select 1 \\g \\echo b\nselect 2\\g-- c\n",
            &["select 1 [go]", "> \\echo b", "select 2 [go]"],
        ),
        ("select 1 \\g;select 2;", &["select 1 [go]", "select 2"]),
        ("select 1 \\go;", &["select 1 > \\go;"]),
        ("select 1 \\ 2;", &["select 1 \\ 2"]),
        (
            "select 7 as n \\gset\nselect :n\n  \\watch 2\n",
            &["select 7 as n > \\gset", "select :n > \\watch 2"],
        ),
        (
            "select 1 \\gset a_ \\\\ select 2;",
            &["select 1 > \\gset a_", "select 2"],
        ),
        (
            "select 1 \\g out.csv\nselect 2;",
            &["select 1 > \\g out.csv", "select 2"],
        ),
        ("\\g\n", &["> \\g"]),
        // The interpreter line.
        ("#!/usr/bin/env -S lakesh -f\nselect 1;", &["select 1"]),
        ("#!/bin/lakesh", &[]),
        // A backslash that stands alone at the end of a command's line joins the next to it.
        (
            "\\param a=1 \\\n  b=2 \\\r\n c=3\nselect 1",
            &["> \\param a=1 \\\n  b=2 \\\r\n c=3", "select 1 [end]"],
        ),
        (
            "\\echo c:\\\nselect 1",
            &["> \\echo c:\\", "select 1 [end]"],
        ),
        ("\\! ls \\\nselect 1", &["> \\! ls \\", "select 1 [end]"]),
        ("\\d a \\", &["> \\d a \\"]),
        // What is never closed.
        (
            "select 1;\nselect 'ab",
            &["2:8 ' the string is never closed"],
        ),
        ("select e'ab\\'", &["1:8 e' the string is never closed"]),
        ("select \"ab;", &["1:8 \" the quoted name is never closed"]),
        ("select `ab;", &["1:8 ` the quoted name is never closed"]),
        (
            "select 1 /* /* */",
            &["1:10 /* the comment is never closed"],
        ),
        (
            "select $x$ $x",
            &["1:8 $x$ the dollar-quoted text is never closed"],
        ),
        ("select q'[ab'", &["1:8 q' the string is never closed"]),
        ("select '\\", &["1:8 ' the string is never closed"]),
    ];
    for (text, cells) in cases {
        assert_eq!(show(text, SplitOptions::default()), *cells, "{text}");
    }
    let magics = SplitOptions {
        magics: true,
        cell_magics: &["chart"],
    };
    assert_eq!(
        show("%%sql\n%time x\nselect 5 % 2;\n%5", magics),
        ["> %%sql", "> %time x", "select 5 % 2", "%5 [end]"]
    );
    // All lines belong to some commands that are written with `%%`.
    let chart = "%%chart bar x=a\nselect 1 as a;\n\nselect 2 as a";
    assert_eq!(show(chart, magics), [format!("> {chart}")]);
    assert_eq!(
        show("%chart bar x=a\n%%charts\nselect 1", magics),
        ["> %chart bar x=a", "> %%charts", "select 1 [end]"]
    );
}

#[test]
fn prompts_know_what_is_missing() {
    let closing = |kind| Some(Awaiting::Closing(kind));
    for (text, expected) in [
        ("", None),
        ("-- nothing", None),
        (";", None),
        ("select 1;", None),
        ("select 1; -- x", None),
        ("\\d", None),
        (".tables", None),
        ("select 1 \\gx", None),
        ("select 1 \\g x", None),
        ("select 7 \\gset", None),
        ("select 7\n\\gset x", None),
        ("select 7 \\gset\nselect", Some(Awaiting::Terminator)),
        ("\\param a=1 \\", Some(Awaiting::Continuation)),
        ("\\param a=1 \\\n b=2", None),
        ("select 1", Some(Awaiting::Terminator)),
        ("select 1; select 2", Some(Awaiting::Terminator)),
        ("select 1 -- ;", Some(Awaiting::Terminator)),
        ("select 'a;", closing(OpenKind::String)),
        ("select \"a;", closing(OpenKind::DoubleQuotes)),
        ("select `a;", closing(OpenKind::Backticks)),
        ("select $$a;", closing(OpenKind::DollarQuotes)),
        ("/* a;", closing(OpenKind::BlockComment)),
    ] {
        assert_eq!(awaiting(text, SplitOptions::default()), expected, "{text}");
    }
}

/// A small generator of SQL-like text, the same in each run.
struct Generator(u64);

impl Generator {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn text(&mut self) -> String {
        // sqlparser lets `@` and `#` swallow the character behind them, reads `/*!…*/` as code and
        // checks escapes: none of that can come out of these pieces.
        const PIECES: &[&str] = &[
            "select", "e", "E", "x", "b", "n", "N", "r", "q", "nq", "u&", "U&", "é", "t1", " ",
            "\n", "\r\n", "\t", ";", ";", ";", "'", "'", "''", "'a'", "\"", "\"b\"", "`", "`c`",
            "--", "- -", "-- c\n", "/*", "*/", "/* d */", "//", "||", "|", "/", "*", "-", "->",
            "->>", "$", "$$", "$t$", "$1", "$x", "1", "1.5", ".5", "1e5", "1e", "0x", "L", ",",
            "(", ")", "::", ":", "=", "<", ">", "%", "[", "]", "{", "}", "日本", "_", "?", "&",
            "^", "~", "\u{a0}",
        ];
        let length = 1 + self.below(16);
        (0..length)
            .map(|_| PIECES[self.below(PIECES.len())])
            .collect()
    }
}

#[test]
fn semicolons_are_where_sqlparser_sees_them() {
    let mut generator = Generator(0x9E37_79B9_7F4A_7C15);
    let (mut compared, mut semicolons) = (0, 0);
    for _ in 0..60_000 {
        let text = generator.text();
        let Ok(theirs) = Tokenizer::new(&GenericDialect {}, &text).tokenize_with_location() else {
            continue;
        };
        let theirs: Vec<usize> = theirs
            .iter()
            .filter(|token| token.token == ParserToken::SemiColon)
            .map(|token| offset_of(&text, token.span.start.line, token.span.start.column))
            .collect();
        let ours: Vec<usize> = tokens(&text)
            .filter(|token| token.kind == TokenKind::Semicolon)
            .map(|token| token.range.start)
            .collect();
        assert_eq!(ours, theirs, "{text:?}");
        compared += 1;
        semicolons += ours.len();
    }
    assert!(
        compared > 30_000 && semicolons > 8_000,
        "{compared} {semicolons}"
    );
}

#[test]
fn time_grows_with_the_text_only() {
    let one = format!("select {} from t;", vec!["'a;'"; 200_000].join(","));
    let many = "select 1, 'x';\n".repeat(100_000);
    let comment = "/* ".repeat(100_000) + &"*/ ".repeat(100_000);
    let dollars = "$a ".repeat(300_000);
    let start = Instant::now();
    assert_eq!(show(&one, SplitOptions::default()).len(), 1);
    assert_eq!(show(&many, SplitOptions::default()).len(), 100_000);
    assert_eq!(show(&comment, SplitOptions::default()).len(), 0);
    assert_eq!(show(&dollars, SplitOptions::default()).len(), 1);
    // Quadratic time would take minutes even in a release build.
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}
