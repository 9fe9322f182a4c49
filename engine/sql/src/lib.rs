//! From a statement's text to its syntax tree: the front parser over DataFusion's own.
//!
//! It knows what stands in a statement, not what it means: names are resolved by `scope`.

#![forbid(unsafe_code)]

mod asof;
mod changed_table;
mod complete;
mod constant;
mod depth;
mod dialect;
mod difference;
mod digits;
mod frame;
mod from_first;
mod function;
mod headers;
mod literals;
mod materialized;
mod meaning;
mod name;
mod numbers;
mod parser;
mod percent;
mod pivot_statement;
mod portable;
mod positional;
mod prefix_alias;
mod query;
mod rewrite;
mod sampling;
mod short_forms;
mod table_name;
mod table_query;
mod time;
mod types;
mod uses;
mod versions;
mod word;

pub use asof::{LEFT_MARK, ON_MARK};
pub use changed_table::{ChangedTable, Selection, refuse_unclaimed, refuse_version, without_joins};
pub use complete::{CallKind, check_calls};
pub use constant::{bind, constant, constant_text, whole_number};
pub use dialect::{DIALECT, LakeshDialect};
pub use difference::differences;
pub use digits::{Digits, MOST_DIGITS, PLAIN_DIGITS};
pub use frame::{EXCLUSION, unmarked};
pub use from_first::select_everything;
pub use function::{Language, Parameter as SqlParameter, SqlFunction, parse_type};
pub use headers::ShownNames;
pub use literals::{TypeOf, type_numbers, type_numbers_in};
pub use meaning::{Meaning, ambiguous, meaning};
pub use name::{identifiers, normalized, stem, word};
pub use parser::{
    ParseResult, StatementParser, parse_expression, parse_name, parse_query, parse_query_tree,
    select_from_nothing, syntax_error,
};
pub use portable::portable;
pub use query::Query;
pub use rewrite::{
    AS_WRITTEN, LIKE_PATTERN, PRODUCT_OF_ROWS, REPLACING, SIMILAR_PATTERN, is_of_the_parser,
    is_series, like_pattern, similar_pattern,
};
pub use table_name::TableName;
pub use time::{TimeTypes, session_zone};
pub use uses::relations;
pub use versions::{VersionClause, VersionClauses, VersionKind, split_version};
