//! The call that the cursor stands in: `date_trunc('day', |`.

use lakesh_text::input::{TokenKind, tokens};

/// A call whose bracket is open at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalledFunction {
    /// The function's name, as it is written.
    pub name: String,
    /// How many arguments stand before the one at the cursor.
    pub argument: usize,
}

/// Finds the innermost call around a cursor, a byte offset into the text.
pub fn called_function(text: &str, cursor: usize) -> Option<CalledFunction> {
    let mut open: Vec<CalledFunction> = Vec::new();
    let mut before: Option<&str> = None;
    for token in tokens(&text[..cursor]) {
        let written = &text[token.range.clone()];
        match token.kind {
            TokenKind::Comment => continue,
            TokenKind::Semicolon => open.clear(),
            TokenKind::Symbol => match written {
                "(" | "[" | "{" => open.push(CalledFunction {
                    // A name with a space before its bracket is a keyword more often than a function.
                    name: before
                        .filter(|_| written == "(")
                        .unwrap_or_default()
                        .to_owned(),
                    argument: 0,
                }),
                ")" | "]" | "}" => drop(open.pop()),
                "," => {
                    if let Some(call) = open.last_mut() {
                        call.argument += 1;
                    }
                }
                _ => {}
            },
            _ => {}
        }
        before = matches!(token.kind, TokenKind::Word).then_some(written);
    }
    open.into_iter().rev().find(|call| !call.name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::called_function;

    #[test]
    fn the_innermost_open_call_is_found() {
        let cases = [
            ("select date_trunc(", Some(("date_trunc", 0))),
            ("select date_trunc('day', ", Some(("date_trunc", 1))),
            ("select a(b(1, 2), 3, (4", Some(("a", 2))),
            ("select a([1, 2], [", Some(("a", 1))),
            ("select a(1); select (", None),
            ("select a(')', ", Some(("a", 1))),
            ("select x from t where y in (", None),
            ("select 1", None),
        ];
        for (text, expected) in cases {
            let found = called_function(text, text.len());
            let found = found
                .as_ref()
                .map(|call| (call.name.as_str(), call.argument));
            assert_eq!(found, expected, "{text}");
        }
    }
}
