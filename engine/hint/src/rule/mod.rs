//! The rules of hints: one file and one line each.

mod arithmetic_on_column;
mod batch_size;
mod build_side;
mod cast_in_join;
mod cast_on_column;
mod count_distinct;
mod cross_join;
mod date_function_on_column;
mod deletion_vectors;
mod dynamic_filter_off;
mod few_partitions;
mod filter_pushdown;
mod hash_join_off;
mod hidden_join_condition;
mod join_distribution;
mod join_order;
mod lakes;
mod large_row_groups;
mod limit_without_order;
mod many_partitions;
mod missing_page_index;
mod missing_statistics;
mod not_in_nullable;
mod null_function_on_column;
mod or_in_join;
mod partition_column_unused;
mod point_lookup;
mod prefix_function_on_column;
mod pruning_off;
mod redundant_distinct;
mod regex_as_like;
mod repartition_off;
mod repeated_subquery;
mod select_star;
mod several_sorts;
mod skewed_key;
mod small_files;
mod small_row_groups;
mod spill;
mod statistics_off;
mod text_format;
mod unclustered_filter;
mod union_distinct;

use super::evidence::Evidence;
use super::finding::Finding;

/// A rule of hints: what it is about, and how it recognises it.
pub struct Rule {
    /// The name that the table of hints shows: `cast-on-column`.
    pub name: &'static str,
    /// One sentence: what a query that it fires on does.
    pub summary: &'static str,
    /// What to do instead and why that is faster, in a few sentences.
    pub advice: &'static str,
    /// Whether it looks at what a run has counted, so that only ANALYZE and VERIFY show it.
    pub measured: bool,
    /// Statements that make the tables of the examples, in an empty session.
    pub setup: &'static str,
    /// A query that it fires on.
    pub fires: &'static str,
    /// A query like it that it leaves alone.
    pub silent: &'static str,
    pub(super) inspect: fn(&Evidence) -> Vec<Finding>,
}

/// Returns the rules, in alphabetical order.
pub fn rules() -> &'static [&'static Rule] {
    RULES
}

static RULES: &[&Rule] = &[
    &arithmetic_on_column::RULE,
    &batch_size::RULE,
    &build_side::RULE,
    &cast_in_join::RULE,
    &cast_on_column::RULE,
    &count_distinct::RULE,
    &cross_join::RULE,
    &date_function_on_column::RULE,
    &deletion_vectors::RULE,
    &dynamic_filter_off::RULE,
    &few_partitions::RULE,
    &filter_pushdown::RULE,
    &hash_join_off::RULE,
    &hidden_join_condition::RULE,
    &join_distribution::RULE,
    &join_order::RULE,
    &large_row_groups::RULE,
    &limit_without_order::RULE,
    &many_partitions::RULE,
    &missing_page_index::RULE,
    &missing_statistics::RULE,
    &not_in_nullable::RULE,
    &null_function_on_column::RULE,
    &or_in_join::RULE,
    &partition_column_unused::RULE,
    &point_lookup::RULE,
    &prefix_function_on_column::RULE,
    &pruning_off::RULE,
    &redundant_distinct::RULE,
    &regex_as_like::RULE,
    &repartition_off::RULE,
    &repeated_subquery::RULE,
    &select_star::RULE,
    &several_sorts::RULE,
    &skewed_key::RULE,
    &small_files::RULE,
    &small_row_groups::RULE,
    &spill::RULE,
    &statistics_off::RULE,
    &text_format::RULE,
    &unclustered_filter::RULE,
    &union_distinct::RULE,
];
