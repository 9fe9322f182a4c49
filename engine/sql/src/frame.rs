//! EXCLUDE behind a window's frame: the parser knows no such clause, and its tree has no place for one.
//!
//! The clause is taken out of the tokens, and a call of [`EXCLUSION`] is put in front of the window's PARTITION BY
//! to say what stood there. The planner takes it away again. EXCLUDE NO OTHERS is what holds without it.

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Value,
};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Span, Token, TokenWithSpan, Whitespace};

use super::word::is_word;
use super::{ParseResult, syntax_error};

/// The function whose call among the keys of PARTITION BY says what a frame leaves out.
pub const EXCLUSION: &str = "_lakesh_exclude";

/// What ends the frame before EXCLUDE: `CURRENT ROW`, `1 PRECEDING`, `1 FOLLOWING`.
const ENDS: [&str; 3] = ["row", "preceding", "following"];
/// What may follow, each with what it is called.
const EXCLUSIONS: [(&[&str], Option<&str>); 4] = [
    (&["current", "row"], Some("CURRENT ROW")),
    (&["group"], Some("GROUP")),
    (&["ties"], Some("TIES")),
    (&["no", "others"], None),
];

/// Takes EXCLUDE out of window frames and marks the windows that have one.
pub(crate) fn mark_exclusions(tokens: &mut Vec<TokenWithSpan>) -> ParseResult<()> {
    let mut place = 0;
    while place < tokens.len() {
        let Some((what, last)) = exclusion(tokens, place) else {
            place += 1;
            continue;
        };
        let span = tokens[place].span;
        tokens.drain(place..=last);
        let Some(what) = what else {
            continue;
        };
        let Some(start) = start_of_window(tokens, place) else {
            let message = "EXCLUDE stands behind the frame of a window in brackets";
            return Err(syntax_error(message, span.start));
        };
        let (start, mark) = mark(tokens, start, what, span);
        place += mark.len();
        tokens.splice(start..start, mark);
    }
    Ok(())
}

/// Returns what a window's frame leaves out, if this is the mark of it.
pub(crate) fn marked(expression: &Expr) -> Option<&str> {
    let Expr::Function(function) = expression else {
        return None;
    };
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(argument)))] = list.args.as_slice()
    else {
        return None;
    };
    match &argument.value {
        Value::SingleQuotedString(what) if function.name.to_string() == EXCLUSION => Some(what),
        _ => None,
    }
}

/// Returns the text of a tree as it was written, with EXCLUDE where it stood.
#[must_use]
pub fn unmarked(text: &str) -> String {
    let mut text = text.to_owned();
    let opening = format!("{EXCLUSION}('");
    while let Some(found) = text.find(&opening) {
        let Some(length) = text[found + opening.len()..].find("')") else {
            return text;
        };
        let what = text[found + opening.len()..][..length].to_owned();
        let mut end = found + opening.len() + length + "')".len();
        // Alone it has its own PARTITION BY in front of it, else a comma behind it.
        let mut start = found;
        match text[end..].strip_prefix(", ") {
            Some(_) => end += ", ".len(),
            None => {
                let before = text[..found].strip_suffix("PARTITION BY ");
                start = before.map_or(found, str::len);
                if text[end..].starts_with(' ') {
                    end += 1;
                }
            }
        }
        text.replace_range(start..end, "");
        let close = closing_bracket(&text[start..]).map(|length| start + length);
        text.insert_str(close.unwrap_or(text.len()), &format!(" EXCLUDE {what}"));
    }
    text
}

/// Returns the place of the bracket that closes what is open at the start of a text.
fn closing_bracket(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    for (place, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '(') => depth += 1,
            (None, ')') if depth == 0 => return Some(place),
            (None, ')') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

/// Returns what EXCLUDE at a place leaves out, and the place of its last word.
fn exclusion(tokens: &[TokenWithSpan], place: usize) -> Option<(Option<&'static str>, usize)> {
    if !is_word(&tokens[place], "exclude") {
        return None;
    }
    let before = tokens[..place]
        .iter()
        .rev()
        .find(|token| !is_blank(token))?;
    if !ENDS.iter().any(|word| is_word(before, word)) {
        return None;
    }
    EXCLUSIONS.iter().find_map(|(words, what)| {
        let places = following(tokens, place, words.len());
        let fits = places.len() == words.len()
            && places
                .iter()
                .zip(*words)
                .all(|(place, word)| is_word(&tokens[*place], word));
        fits.then(|| (*what, places[words.len() - 1]))
    })
}

/// Returns the place behind the bracket that opens the window in which a place lies.
fn start_of_window(tokens: &[TokenWithSpan], place: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (before, token) in tokens[..place].iter().enumerate().rev() {
        match token.token {
            Token::RParen => depth += 1,
            Token::LParen if depth == 0 => return Some(before + 1),
            Token::LParen => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Returns the tokens of the mark and where they go, for a window that starts at a place.
fn mark(
    tokens: &[TokenWithSpan],
    start: usize,
    what: &str,
    span: Span,
) -> (usize, Vec<TokenWithSpan>) {
    let first = (start..tokens.len()).find(|place| !is_blank(&tokens[*place]));
    // The name of another window stands first.
    let is_name = |place: &usize| {
        matches!(
            &tokens[*place].token,
            Token::Word(word) if word.quote_style.is_some() || word.keyword == Keyword::NoKeyword
        )
    };
    let start = first.filter(is_name).map_or(start, |name| name + 1);
    let words = following_from(tokens, start, 2);
    let by = match words.as_slice() {
        [partition, by]
            if is_word(&tokens[*partition], "partition") && is_word(&tokens[*by], "by") =>
        {
            Some(*by)
        }
        _ => None,
    };
    let space = || Token::Whitespace(Whitespace::Space);
    let call = [
        Token::make_word(EXCLUSION, None),
        Token::LParen,
        Token::SingleQuotedString(what.to_owned()),
        Token::RParen,
    ];
    let (start, mark): (_, Vec<_>) = match by {
        Some(by) => {
            let call = std::iter::once(space()).chain(call);
            (by + 1, call.chain([Token::Comma]).collect())
        }
        None => {
            let words = [
                space(),
                Token::make_keyword("PARTITION"),
                space(),
                Token::make_keyword("BY"),
                space(),
            ];
            (
                start,
                words.into_iter().chain(call).chain([space()]).collect(),
            )
        }
    };
    let mark = mark.into_iter();
    (
        start,
        mark.map(|token| TokenWithSpan::new(token, span)).collect(),
    )
}

/// Returns the places of the next tokens that are not blank.
fn following(tokens: &[TokenWithSpan], place: usize, count: usize) -> Vec<usize> {
    following_from(tokens, place + 1, count)
}

fn following_from(tokens: &[TokenWithSpan], start: usize, count: usize) -> Vec<usize> {
    (start..tokens.len())
        .filter(|next| !is_blank(&tokens[*next]))
        .take(count)
        .collect()
}

fn is_blank(token: &TokenWithSpan) -> bool {
    matches!(token.token, Token::Whitespace(_))
}

#[cfg(test)]
mod tests {
    use super::unmarked;
    use crate::StatementParser;

    #[track_caller]
    fn check(text: &str, planned: &str, written: &str) {
        let mut parser = StatementParser::new(text).expect("it has tokens");
        let expression = parser.sql().parse_expr().expect("it parses").to_string();
        assert_eq!(expression, planned);
        assert_eq!(unmarked(&expression), written);
    }

    #[test]
    fn a_mark_says_what_a_frame_leaves_out() {
        let frame = "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW";
        check(
            &format!("sum(x) OVER ({frame} exclude current row)"),
            &format!("sum(x) OVER (PARTITION BY _lakesh_exclude('CURRENT ROW') {frame})"),
            &format!("sum(x) OVER ({frame} EXCLUDE CURRENT ROW)"),
        );
        check(
            &format!("sum(x) OVER (PARTITION BY (a), f(b) ORDER BY (c) {frame} EXCLUDE GROUP)"),
            &format!(
                "sum(x) OVER (PARTITION BY _lakesh_exclude('GROUP'), (a), f(b) ORDER BY (c) {frame})"
            ),
            &format!("sum(x) OVER (PARTITION BY (a), f(b) ORDER BY (c) {frame} EXCLUDE GROUP)"),
        );
        check(
            &format!("sum(x) OVER (w ORDER BY c {frame} EXCLUDE TIES) + 1"),
            &format!("sum(x) OVER (w PARTITION BY _lakesh_exclude('TIES') ORDER BY c {frame}) + 1"),
            &format!("sum(x) OVER (w ORDER BY c {frame} EXCLUDE TIES) + 1"),
        );
    }

    #[test]
    fn no_others_is_what_holds_anyway() {
        let frame = "sum(x) OVER (ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)";
        check(
            "sum(x) OVER (ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE NO OTHERS)",
            frame,
            frame,
        );
    }
}
