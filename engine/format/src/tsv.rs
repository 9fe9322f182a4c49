//! `tsv`: tab-separated values, quoted as in `csv`. Streams.
//!
//! Readers of delimited text, ours among them, take quotes for what they are and backslashes for text.

use super::Format;
use super::csv::CsvWriter;

pub(super) const FORMAT: Format = Format {
    name: "tsv",
    aliases: &["tabs"],
    suffixes: &["tsv", "tab"],
    summary: "tab-separated values, quoted as in csv; NULL is empty, the empty string is \"\"",
    binary: false,
    one_result: true,
    for_eyes: false,
    separated: true,
    create: |options| Box::new(CsvWriter::new(options, b'\t')),
};
