//! All that can be said to a session of lakesh: the only lists of it.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::sync::Arc;

use lakesh_session::table_functions::TableFunction;
use lakesh_session::{Session, SessionOptions, StatementKind, Vocabulary};
use lakesh_statement::{
    alter_table, attach, cache, check_table, checkpoint, comment_on, convert, copy,
    create_external_table, create_function, create_schema, create_table, create_view, delete,
    describe, describe_history, diff, drop, explain, explain_compare, insert, merge, optimize,
    prepare, query, restore, set, show, summarize, table_function, truncate, undo, update, vacuum,
};
use lakesh_text::failure::Failure;

use crate::command::commands;

static VOCABULARY: Vocabulary = Vocabulary {
    statements: STATEMENTS,
    commands: || commands().to_vec(),
    table_functions: TABLE_FUNCTIONS,
    advisor: &lakesh_hint::HintAdvisor,
};

/// Opens a session. Touches neither disk nor network: the catalog opens with its first use.
pub fn open(options: SessionOptions) -> Result<Arc<Session>, Failure> {
    Session::new(options, &VOCABULARY)
}

/// Returns the statements, in alphabetical order but where one begins as another does.
pub fn statements() -> &'static [&'static StatementKind] {
    STATEMENTS
}

/// Returns the table functions of the engine, in alphabetical order.
pub fn table_functions() -> &'static [&'static TableFunction] {
    TABLE_FUNCTIONS
}

static STATEMENTS: &[&StatementKind] = &[
    &alter_table::ALTER_TABLE,
    &attach::ATTACH,
    &attach::DETACH,
    &cache::CACHE,
    &check_table::CHECK_TABLE,
    &checkpoint::CHECKPOINT,
    &cache::CLEAR_CACHE,
    &comment_on::COMMENT_ON,
    &lakesh_feature::statement::profile::COMPRESS,
    &convert::CONVERT,
    &copy::COPY,
    &lakesh_feature::statement::create_encoder::CREATE_ENCODER,
    &create_external_table::CREATE_EXTERNAL_TABLE,
    &lakesh_feature::statement::feature_view::CREATE_FEATURE_VIEW,
    &create_function::CREATE_FUNCTION,
    &create_schema::CREATE_SCHEMA,
    &create_table::CREATE_TABLE,
    &create_view::CREATE_VIEW,
    &prepare::DEALLOCATE,
    &delete::DELETE,
    // Before DESCRIBE, which takes what these leave.
    &lakesh_feature::statement::encoders::DESCRIBE_ENCODER,
    &describe_history::DESCRIBE_DETAIL,
    &describe_history::DESCRIBE_HISTORY,
    &describe::DESCRIBE,
    &diff::DIFF,
    &lakesh_feature::statement::profile::DRIFT,
    &drop::DROP,
    &lakesh_feature::statement::encoders::DROP_ENCODER,
    &lakesh_feature::statement::feature_view::DROP_FEATURE_VIEW,
    &create_function::DROP_FUNCTION,
    &prepare::EXECUTE,
    // Before EXPLAIN, which takes what this leaves.
    &explain_compare::EXPLAIN_COMPARE,
    &lakesh_feature::statement::leakage::EXPLAIN_LEAKAGE,
    // Before EXPLAIN, as DESCRIBE HISTORY is before DESCRIBE.
    &lakesh_hint::statement::EXPLAIN_HINTS,
    &explain::EXPLAIN,
    &lakesh_feature::statement::encoders::EXPORT_ENCODER,
    &insert::INSERT,
    &merge::MERGE,
    &optimize::OPTIMIZE,
    &prepare::PREPARE,
    &check_table::REPAIR_TABLE,
    &set::RESET,
    &restore::RESTORE,
    &query::QUERY,
    &set::SET,
    &lakesh_feature::statement::feature_view::SHOW_FEATURE_GRAPH,
    &cache::SHOW_CACHE,
    &show::SHOW,
    &summarize::SUMMARIZE,
    &lakesh_feature::statement::transform::TRANSFORM,
    &truncate::TRUNCATE,
    &cache::UNCACHE,
    &undo::UNDO,
    &update::UPDATE,
    &set::USE,
    &vacuum::VACUUM,
];

static TABLE_FUNCTIONS: &[&TableFunction] = &[
    &lakesh_feature::table_function::profile::COMPRESS,
    &lakesh_feature::table_function::profile::DRIFT,
    &lakesh_feature::table_function::encoder::ENCODER_OUTPUTS,
    &lakesh_feature::table_function::encoder::ENCODER_VALUES,
    &lakesh_feature::table_function::profile::FEATURE_PROFILE,
    &table_function::summary::SUMMARIZE,
    &table_function::changes::TABLE_CHANGES,
    &table_function::check::TABLE_CHECK,
    &table_function::columns::TABLE_COLUMNS,
    &table_function::history::TABLE_DETAIL,
    &table_function::diff::TABLE_DIFF,
    &table_function::diff::TABLE_DIFF_SUMMARY,
    &table_function::history::TABLE_HISTORY,
    &lakesh_feature::table_function::encoder::TRANSFORM,
    &lakesh_feature::table_function::profile::WOE_TABLE,
];
