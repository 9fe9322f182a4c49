use lakesh_session::parse;
use lakesh_text::input::Substituted;

use super::STATEMENTS;

#[track_caller]
fn check(sql: &str, message: &str, hint: Option<&str>) {
    let failure = parse(STATEMENTS, &Substituted::detached(sql))
        .err()
        .unwrap();
    assert_eq!(failure.message, message, "{sql}");
    let hints: Vec<&str> = failure.hints.iter().map(String::as_str).collect();
    assert_eq!(hints, hint.into_iter().collect::<Vec<_>>(), "{sql}");
}

#[test]
fn words_that_begin_statements_are_known() {
    let meant = |word: &str| format!("did you mean `{word}`?");
    check(
        "selct 1",
        "expected a statement, found `selct`",
        Some(&meant("SELECT")),
    );
    check(
        "compres t",
        "expected a statement, found `compres`",
        Some(&meant("COMPRESS")),
    );
    check(
        "explain selct 1",
        "expected a statement, found `selct`",
        Some(&meant("SELECT")),
    );
    check("qqqqqq 1", "expected a statement, found `qqqqqq`", None);
    let missing = Some("a `;` may be missing before it");
    check(
        "select 1\nselect 2",
        "expected the end of the statement, found `select`",
        missing,
    );
    check(
        "select 1\nfrom t vacuum t",
        "expected the end of the statement, found `t`",
        None,
    );
    check(
        "drop table t drop table u",
        "expected the end of the statement, found `drop`",
        missing,
    );
}
