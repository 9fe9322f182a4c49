//! `WITH name AS [NOT] MATERIALIZED (…)`, which the parser reads in one dialect alone.
//!
//! The words are taken out of the tokens, and are put into the tree where the bracket behind them ends.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{CteAsMaterialized, Query, VisitMut, VisitorMut};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use crate::word::is_word;

/// What was said of queries of WITH, by where their closing brackets stand.
#[derive(Debug, Default)]
pub(crate) struct Materialized(HashMap<(u64, u64), CteAsMaterialized>);

impl Materialized {
    /// Takes the words out of a statement's tokens.
    pub(crate) fn take_from(tokens: &mut Vec<TokenWithSpan>) -> Self {
        let mut found = Self::default();
        let mut place = 0;
        while place < tokens.len() {
            let Some(words) = words_at(tokens, place) else {
                place += 1;
                continue;
            };
            let Some(end) = end_of_bracket(tokens, words.bracket) else {
                // The parser says that it is not closed.
                return found;
            };
            found.0.insert(key(end), words.says);
            tokens.drain(words.first..words.bracket);
            place = words.first;
        }
        found
    }

    /// Puts what was said into a tree.
    pub(crate) fn put_into<T: VisitMut>(&self, tree: &mut T) {
        if self.0.is_empty() {
            return;
        }
        // The walk never breaks off.
        let _: ControlFlow<()> = tree.visit(&mut Putter(self));
    }
}

struct Putter<'a>(&'a Materialized);

impl VisitorMut for Putter<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let with = query.with.iter_mut();
        for cte in with.flat_map(|with| &mut with.cte_tables) {
            let end = cte.closing_paren_token.0.span.start;
            if let Some(says) = self.0.0.get(&key(end)) {
                cte.materialized = Some(*says);
            }
        }
        ControlFlow::Continue(())
    }
}

fn key(at: Location) -> (u64, u64) {
    (at.line, at.column)
}

/// `[NOT] MATERIALIZED` between AS and a bracket.
struct Words {
    says: CteAsMaterialized,
    first: usize,
    bracket: usize,
}

/// Reads the words behind an AS.
fn words_at(tokens: &[TokenWithSpan], place: usize) -> Option<Words> {
    if !is_word(tokens.get(place)?, "as") {
        return None;
    }
    let mut real = (place + 1..tokens.len())
        .filter(|next| !matches!(tokens[*next].token, Token::Whitespace(_)));
    let first = real.next()?;
    let (says, word) = match is_word(&tokens[first], "not") {
        true => (CteAsMaterialized::NotMaterialized, real.next()?),
        false => (CteAsMaterialized::Materialized, first),
    };
    let bracket = real.next()?;
    let is_it = is_word(&tokens[word], "materialized") && tokens[bracket].token == Token::LParen;
    is_it.then_some(Words {
        says,
        first,
        bracket,
    })
}

fn end_of_bracket(tokens: &[TokenWithSpan], open: usize) -> Option<Location> {
    let mut depth = 0_usize;
    for token in &tokens[open..] {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 1 => return Some(token.span.start),
            Token::RParen => depth -= 1,
            _ => {}
        }
    }
    None
}
