//! Hint comments as text: what is found, and where.

use super::comment::{HintComments, parse};

#[track_caller]
fn words(text: &str) -> Vec<String> {
    let found = HintComments::find(text);
    let mut comments: Vec<_> = found.of_select.into_values().flatten().collect();
    comments.sort_by_key(|range| range.start);
    let mut words = Vec::new();
    for comment in comments {
        let (hints, wrong) = parse(text, comment);
        for hint in hints {
            let arguments: Vec<String> = hint
                .arguments
                .iter()
                .map(|argument| match &argument.value {
                    Some(value) => format!("{}={value}", argument.text),
                    None => argument.text.clone(),
                })
                .collect();
            assert!(text[hint.at].starts_with(&hint.name));
            words.push(format!("{}({})", hint.name, arguments.join(" ")));
        }
        words.extend(wrong.map(|(at, _)| format!("wrong at {}", &text[at])));
    }
    words
}

#[test]
fn hints_are_read_with_their_arguments() {
    for (text, expected) in [
        ("select /*+ BROADCAST(t) */ 1", vec!["BROADCAST(t)"]),
        (
            "select /*+ leading(A, \"B c\" s.t), SET(x.y = 0.5) */ 1",
            vec!["leading(a B c s.t)", "SET(x.y=0.5)"],
        ),
        (
            "select /*+ COALESCE(3) MATERIALIZE */ 1 union select --+ MERGE(b)\n 2",
            vec!["COALESCE(3)", "MATERIALIZE()", "MERGE(b)"],
        ),
        ("select /*+ BROADCAST(t */ 1", vec!["wrong at BROADCAST"]),
        ("select /*+ (t) */ 1", vec!["wrong at ("]),
        ("select /* + BROADCAST(t) */ '/*+ x */', 1 /* y */", vec![]),
    ] {
        assert_eq!(words(text), expected, "{text}");
    }
}

#[test]
fn hints_elsewhere_are_strays() {
    let text = "select 1 /*+ BROADCAST(t) */ from t; -- /*+ no */";
    let found = HintComments::find(text);
    let strays: Vec<_> = found.strays.into_iter().map(|at| &text[at]).collect();
    assert_eq!(strays, ["/*+ BROADCAST(t) */"]);
    assert!(found.of_select.is_empty());
}
