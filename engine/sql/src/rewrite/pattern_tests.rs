use super::{like_pattern, similar_pattern};

#[track_caller]
fn check_like(pattern: &str, escape: char, expected: &str) {
    assert_eq!(like_pattern(pattern, Some(escape)).as_deref(), Ok(expected));
}

#[track_caller]
fn check_similar(pattern: &str, expected: &str) {
    let whole = format!("^(?s:{expected})$");
    assert_eq!(similar_pattern(pattern, Some('\\')), Ok(whole));
}

#[test]
fn escapes_of_like_become_backslashes() {
    check_like("a!%c", '!', r"a\%c");
    check_like("a!!c!_", '!', r"a!c\_");
    check_like(r"a\b%", '!', r"a\\b%");
    check_like(r"a\%b", '\\', r"a\%b");
    assert_eq!(like_pattern(r"a\%", None).as_deref(), Ok(r"a\\%"));
    assert!(like_pattern("a!", Some('!')).is_err());
}

#[test]
fn patterns_of_similar_to_become_regular_expressions() {
    check_similar("a%", "a.*");
    check_similar("(a|x)_", "(?:a|x).");
    check_similar("a.c$^", r"a\.c\$\^");
    check_similar(r"a\%", r"a\%");
    check_similar("a{2,3}b?", "a{2,3}b?");
    check_similar("[a-c&&~[]", r"[a-c\&\&\~\[]");
    check_similar("[^[:alpha:]_-]", r"[^[:alpha:]\_\-]");
    check_similar("[]x]", r"[\]x]");
    assert_eq!(
        similar_pattern("a#%#", Some('#')),
        Err("a pattern cannot end in its escape".to_owned())
    );
    assert!(similar_pattern("[a", Some('\\')).is_err());
    assert!(similar_pattern("a{x}", Some('\\')).is_err());
}
