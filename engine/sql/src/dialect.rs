//! The dialect of SQL that is read: sqlparser's permissive one, with PostgreSQL's table of operators.
//!
//! sqlparser's own table ranks `||` with `*`, `&` above `|`, `LIKE` below `=` and `->` below `=`; it reads
//! `a IS DISTINCT FROM b AND c` as `a IS DISTINCT FROM (b AND c)`
//! (apache/datafusion-sqlparser-rs#2436). What PostgreSQL and DuckDB say is in their manuals' chapter
//! "Operator Precedence"; the levels below are its lines.

use std::any::TypeId;

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect, Precedence};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;

/// The dialect of every text that is parsed.
pub static DIALECT: LakeshDialect = LakeshDialect {
    generic: GenericDialect,
};

/// The permissive dialect with another order of operators.
#[derive(Debug)]
pub struct LakeshDialect {
    generic: GenericDialect,
}

/// DuckDB's and Python's operator of powers; `^` is one too.
pub(crate) const POWER: &str = "**";

const PERIOD: u8 = 200;
const CAST: u8 = 140;
/// Unary plus and minus; `-2 ^ 2` is 4.
const SIGN: u8 = 115;
const AT_TIME_ZONE: u8 = 110;
const RAISED: u8 = 100;
const TIMES: u8 = 90;
const PLUS: u8 = 80;
/// `||`, `|`, `&`, `#`, `<<`, `~`, `->` and what else there is: all of one rank, from left to right.
const OTHER: u8 = 70;
const PATH: u8 = 65;
const BETWEEN: u8 = 60;
const COMPARE: u8 = 50;
const IS: u8 = 40;
const NOT: u8 = 30;
const AND: u8 = 20;
const OR: u8 = 10;

/// Answers as the permissive dialect does.
macro_rules! as_generic {
    ($($name:ident)*) => {
        $(fn $name(&self) -> bool {
            self.generic.$name()
        })*
    };
}

impl Dialect for LakeshDialect {
    /// The parser asks for the permissive dialect by its type in many places.
    fn dialect(&self) -> TypeId {
        self.generic.dialect()
    }

    fn is_delimited_identifier_start(&self, character: char) -> bool {
        self.generic.is_delimited_identifier_start(character)
    }

    fn is_identifier_start(&self, character: char) -> bool {
        // `#` is the exclusive or.
        character != '#' && self.generic.is_identifier_start(character)
    }

    fn is_identifier_part(&self, character: char) -> bool {
        self.generic.is_identifier_part(character)
    }

    /// `1_000_000`, as in PostgreSQL 16 and DuckDB.
    fn supports_numeric_literal_underscores(&self) -> bool {
        true
    }

    fn supports_order_by_all(&self) -> bool {
        true
    }

    /// `x NOTNULL`, which would be an alias otherwise.
    fn supports_notnull_operator(&self) -> bool {
        true
    }

    fn prec_value(&self, precedence: Precedence) -> u8 {
        match precedence {
            Precedence::Period => PERIOD,
            Precedence::DoubleColon => CAST,
            Precedence::AtTz => AT_TIME_ZONE,
            Precedence::MulDivModOp => TIMES,
            Precedence::PlusMinus => PLUS,
            Precedence::Xor
            | Precedence::Ampersand
            | Precedence::Caret
            | Precedence::Pipe
            | Precedence::PgOther => OTHER,
            // Also where the lower end of `list[1 + 1:3]` ends.
            Precedence::Colon => PATH,
            Precedence::Between | Precedence::Like => BETWEEN,
            Precedence::Eq => COMPARE,
            Precedence::Is => IS,
            Precedence::UnaryNot => NOT,
            Precedence::And => AND,
            Precedence::Or => OR,
        }
    }

    fn get_next_precedence(&self, parser: &Parser) -> Option<Result<u8, ParserError>> {
        match &parser.peek_token_ref().token {
            Token::Caret => Some(Ok(RAISED)),
            Token::Mul if parser.peek_nth_token_ref(1).token == Token::Mul => Some(Ok(RAISED)),
            Token::StringConcat
            | Token::Tilde
            | Token::TildeAsterisk
            | Token::ExclamationMarkTilde
            | Token::ExclamationMarkTildeAsterisk
            | Token::DoubleTilde
            | Token::DoubleTildeAsterisk
            | Token::ExclamationMarkDoubleTilde
            | Token::ExclamationMarkDoubleTildeAsterisk
            | Token::CaretAt => Some(Ok(OTHER)),
            _ if is_word(parser, 0, "isnull") => Some(Ok(IS)),
            _ if is_word(parser, 0, "div") => Some(Ok(TIMES)),
            _ => None,
        }
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        let (op, rank) = match parser.peek_token_ref().token {
            Token::Minus => (UnaryOperator::Minus, SIGN),
            Token::Plus => (UnaryOperator::Plus, SIGN),
            Token::Tilde => (UnaryOperator::BitwiseNot, OTHER),
            _ => return None,
        };
        parser.advance_token();
        Some(parser.parse_subexpr(rank).map(|operand| Expr::UnaryOp {
            op,
            expr: Box::new(operand),
        }))
    }

    fn parse_infix(
        &self,
        parser: &mut Parser,
        left: &Expr,
        rank: u8,
    ) -> Option<Result<Expr, ParserError>> {
        let binary = |parser: &mut Parser, op| {
            parser.advance_token();
            parser.parse_subexpr(rank).map(|right| Expr::BinaryOp {
                left: Box::new(left.clone()),
                op,
                right: Box::new(right),
            })
        };
        match &parser.peek_token_ref().token {
            Token::Caret => return Some(binary(parser, BinaryOperator::PGExp)),
            Token::Mul if parser.peek_nth_token_ref(1).token == Token::Mul => {
                parser.advance_token();
                return Some(binary(parser, BinaryOperator::Custom(POWER.to_owned())));
            }
            Token::Sharp => return Some(binary(parser, BinaryOperator::PGBitwiseXor)),
            _ => {}
        }
        if is_word(parser, 0, "div") {
            return Some(binary(parser, BinaryOperator::MyIntegerDivide));
        }
        if is_word(parser, 0, "isnull") {
            parser.advance_token();
            return Some(Ok(Expr::IsNull(Box::new(left.clone()))));
        }
        if parser.parse_keywords(&[Keyword::IS, Keyword::DISTINCT, Keyword::FROM]) {
            return Some(distinct(parser, left, Expr::IsDistinctFrom));
        }
        if parser.parse_keywords(&[Keyword::IS, Keyword::NOT, Keyword::DISTINCT, Keyword::FROM]) {
            return Some(distinct(parser, left, Expr::IsNotDistinctFrom));
        }
        symmetric_between(parser, left).or_else(|| list_with_subquery(parser, left))
    }

    as_generic! {
        supports_string_literal_backslash_escape
        ignores_wildcard_escapes
        supports_unicode_string_literal
        supports_filter_during_aggregation
        supports_window_clause_named_window_reference
        supports_within_after_array_aggregation
        supports_partition_by_after_order_by
        supports_array_join_syntax
        supports_group_by_expr
        supports_group_by_with_modifier
        supports_left_associative_joins_without_parens
        supports_outer_join_operator
        supports_cross_join_constraint
        supports_connect_by
        supports_execute_immediate
        supports_match_recognize
        supports_in_empty_list
        supports_start_transaction_modifier
        supports_end_transaction_modifier
        supports_named_fn_args_with_eq_operator
        supports_named_fn_args_with_colon_operator
        supports_named_fn_args_with_assignment_operator
        supports_named_fn_args_with_rarrow_operator
        supports_named_fn_args_with_expr_name
        supports_numeric_prefix
        supports_window_function_null_treatment_arg
        supports_dictionary_syntax
        support_map_literal_syntax
        supports_lambda_functions
        supports_parenthesized_set_variables
        supports_comma_separated_set_assignments
        supports_update_order_by
        supports_select_wildcard_except
        convert_type_before_value
        supports_triple_quoted_string
        supports_trailing_commas
        supports_limit_comma
        supports_string_literal_concatenation
        supports_string_literal_concatenation_with_newline
        supports_projection_trailing_commas
        supports_from_trailing_commas
        supports_column_definition_trailing_commas
        supports_object_name_double_dot_notation
        supports_struct_literal
        supports_empty_projections
        supports_select_expr_star
        supports_from_first_select
        supports_from_first_insert
        supports_pipe_operator
        supports_user_host_grantee
        supports_match_against
        supports_select_wildcard_exclude
        supports_select_exclude
        supports_create_table_multi_schema_info_sources
        supports_select_modifiers
        describe_requires_table_keyword
        allow_extract_custom
        allow_extract_single_quotes
        supports_extract_comma_syntax
        supports_subquery_as_function_arg
        supports_create_view_comment_syntax
        supports_array_typedef_without_element_type
        supports_parens_around_table_factor
        supports_values_as_table_factor
        supports_dollar_placeholder
        supports_dollar_as_money_prefix
        supports_create_index_with_clause
        require_interval_qualifier
        supports_explain_with_utility_options
        supports_asc_desc_in_column_definition
        supports_factorial_operator
        supports_bitwise_shift_operators
        supports_nested_comments
        supports_multiline_comment_hints
        supports_eq_alias_assignment
        supports_try_convert
        supports_bang_not_operator
        supports_listen_notify
        supports_load_data
        supports_load_extension
        supports_top_before_distinct
        supports_boolean_literals
        supports_show_like_before_in
        supports_comment_on
        supports_create_table_select
        supports_partiql
        supports_constraint_keyword_without_name
        supports_key_column_option
        supports_table_sample_before_alias
        supports_insert_set
        supports_insert_table_function
        supports_insert_table_query
        supports_insert_format
        supports_insert_table_alias
        supports_set_stmt_without_operator
        supports_table_versioning
        supports_string_escape_constant
        supports_table_hints
        requires_single_line_comment_whitespace
        supports_array_typedef_with_brackets
        supports_geometric_types
        supports_set_names
        supports_space_separated_column_options
        supports_alter_column_type_using
        supports_comma_separated_drop_column_list
        supports_data_type_signed_suffix
        supports_interval_options
        supports_create_table_like_parenthesized
        supports_semantic_view_table_factor
        supports_quote_delimited_string
        supports_comment_optimizer_hint
        supports_double_ampersand_operator
        supports_binary_kw_as_cast
        supports_select_wildcard_replace
        supports_select_wildcard_ilike
        supports_select_wildcard_rename
        supports_select_wildcard_with_alias
        supports_optimize_table
        supports_install
        supports_detach
        supports_prewhere
        supports_with_fill
        supports_limit_by
        supports_interpolate
        supports_settings
        supports_select_format
        supports_comma_separated_trim
        supports_cte_without_as
        supports_select_item_multi_column_alias
        supports_xml_expressions
        supports_create_table_using
        supports_long_type_as_bigint
        supports_map_literal_with_angle_brackets
    }
}

/// Says whether a word of no rank of its own comes next.
fn is_word(parser: &Parser, place: usize, expected: &str) -> bool {
    matches!(
        &parser.peek_nth_token_ref(place).token,
        Token::Word(word)
            if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected)
    )
}

/// Reads what stands behind IS [NOT] DISTINCT FROM: a comparison's operand, not all that follows.
fn distinct(
    parser: &mut Parser,
    left: &Expr,
    make: fn(Box<Expr>, Box<Expr>) -> Expr,
) -> Result<Expr, ParserError> {
    let right = parser.parse_subexpr(IS)?;
    Ok(make(Box::new(left.clone()), Box::new(right)))
}

/// `x IN ((SELECT …), y)`: a list that begins with a subquery, which the parser takes for all there is.
fn list_with_subquery(parser: &mut Parser, left: &Expr) -> Option<Result<Expr, ParserError>> {
    let negated = is_word(parser, 0, "not");
    let place = usize::from(negated);
    let opens = |parser: &Parser, place| parser.peek_nth_token_ref(place).token == Token::LParen;
    if !is_word(parser, place, "in") || !opens(parser, place + 1) || !opens(parser, place + 2) {
        return None;
    }
    let queries = ["select", "with", "values", "table", "from"];
    if !queries.iter().any(|word| is_word(parser, place + 3, word)) {
        return None;
    }
    let mut depth = 1_usize;
    let mut next = place + 3;
    while depth > 0 {
        match parser.peek_nth_token_ref(next).token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            Token::EOF => return None,
            _ => {}
        }
        next += 1;
    }
    match parser.peek_nth_token_ref(next).token {
        // The end, or a word such as UNION: all of it is a query.
        Token::RParen | Token::Word(_) | Token::EOF => return None,
        _ => {}
    }
    for _ in 0..place + 2 {
        parser.advance_token();
    }
    let list = parser.parse_comma_separated(Parser::parse_expr);
    Some(list.and_then(|list| {
        parser.expect_token(&Token::RParen)?;
        Ok(Expr::InList {
            expr: Box::new(left.clone()),
            list,
            negated,
        })
    }))
}

/// Reads `[NOT] BETWEEN SYMMETRIC a AND b`, which is a BETWEEN in either order of its bounds, as
/// PostgreSQL plans it; ASYMMETRIC says what holds anyway.
fn symmetric_between(parser: &mut Parser, left: &Expr) -> Option<Result<Expr, ParserError>> {
    let negated = is_word(parser, 0, "not");
    let place = usize::from(negated);
    if !is_word(parser, place, "between") {
        return None;
    }
    let symmetric = is_word(parser, place + 1, "symmetric");
    // A column may have one of these names.
    let is_column = matches!(
        &parser.peek_nth_token_ref(place + 2).token,
        Token::Word(word) if word.keyword == Keyword::AND
    );
    if is_column || !(symmetric || is_word(parser, place + 1, "asymmetric")) {
        return None;
    }
    for _ in 0..place + 2 {
        parser.advance_token();
    }
    Some(bounds(parser).map(|(low, high)| {
        let between = |low: &Expr, high: &Expr| Expr::Between {
            expr: Box::new(left.clone()),
            negated: negated && !symmetric,
            low: Box::new(low.clone()),
            high: Box::new(high.clone()),
        };
        if !symmetric {
            return between(&low, &high);
        }
        let either = Expr::Nested(Box::new(Expr::BinaryOp {
            left: Box::new(between(&low, &high)),
            op: BinaryOperator::Or,
            right: Box::new(between(&high, &low)),
        }));
        match negated {
            false => either,
            true => Expr::Nested(Box::new(Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr: Box::new(either),
            })),
        }
    }))
}

fn bounds(parser: &mut Parser) -> Result<(Expr, Expr), ParserError> {
    let low = parser.parse_subexpr(BETWEEN)?;
    parser.expect_keyword_is(Keyword::AND)?;
    let high = parser.parse_subexpr(BETWEEN)?;
    Ok((low, high))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "dialect_tests.rs"]
mod tests;
