//! What stands behind the target of COPY: format, partition columns, options.

use std::collections::HashMap;

use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::sql::sqlparser::ast::{Expr, Ident};
use datafusion::sql::sqlparser::tokenizer::Token;
use lakesh_session::StatementContext;
use lakesh_sql::{ParseResult, StatementParser, constant_text, normalized};
use lakesh_table::{parse_boolean, suffix_of};
use lakesh_text::failure::{Failure, FailureKind};

/// The suffixes of files that COPY writes.
const SUFFIXES: &[&str] = &["parquet", "csv", "tsv", "json", "ndjson", "jsonl", "arrow"];

/// Options as they were written.
pub(super) struct ParsedOptions {
    format: Option<String>,
    partition_columns: Vec<String>,
    options: Vec<(String, Expr)>,
}

/// What to do with a folder that is there and holds files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    Refuse,
    Overwrite,
    Append,
}

/// Options ready for use.
pub(super) struct CopyOptions {
    pub(super) format: String,
    pub(super) partition_columns: Vec<String>,
    pub(super) existing: Existing,
    pub(super) writer_options: HashMap<String, String>,
}

impl CopyOptions {
    /// Says whether each partition value gets a folder.
    pub(super) fn is_partitioned(&self) -> bool {
        !self.partition_columns.is_empty()
    }

    /// Compresses a file whose name says so, unless an option says something else.
    fn compress(&mut self, target: &str, compression: FileCompressionType) -> Result<(), Failure> {
        if !matches!(self.writer(), "csv" | "json") {
            return Err(Failure::new(
                FailureKind::Plan,
                format!(
                    "`{target}`: {} files are not compressed as a whole",
                    self.format
                ),
            )
            .hint("leave the second suffix out; OPTIONS (compression 'zstd') compresses inside"));
        }
        self.writer_options
            .entry("format.compression".to_owned())
            .or_insert_with(|| compression.get_variant().to_string());
        Ok(())
    }

    /// Returns the name of DataFusion's writer for the format.
    pub(super) fn writer(&self) -> &str {
        match self.format.as_str() {
            "tsv" => "csv",
            "ndjson" | "jsonl" => "json",
            other => other,
        }
    }
}

impl ParsedOptions {
    /// Reads `STORED AS`, `PARTITIONED BY` and `OPTIONS (…)`, or DuckDB's `(FORMAT …, …)`.
    pub(super) fn parse(parser: &mut StatementParser) -> ParseResult<Self> {
        let mut parsed = Self {
            format: None,
            partition_columns: Vec::new(),
            options: Vec::new(),
        };
        loop {
            if parser.accept(&["stored", "as"]) {
                parsed.format = Some(parser.identifier()?.value.to_lowercase());
            } else if parser.accept(&["partitioned", "by"]) {
                parsed.partition_columns = column_list(parser)?;
            } else if parser.accept(&["options"]) {
                parsed.options.extend(parser.options()?);
            } else if parser.sql().peek_token_ref().token == Token::LParen {
                parsed.duckdb_list(parser)?;
            } else {
                return Ok(parsed);
            }
        }
    }

    fn duckdb_list(&mut self, parser: &mut StatementParser) -> ParseResult<()> {
        for (key, value) in parser.options()? {
            match (key.as_str(), value) {
                ("format", Expr::Identifier(word)) => self.format = Some(word.value.to_lowercase()),
                ("partition_by", value) => self.partition_columns = column_names(&value),
                (_, value) => self.options.push((key, value)),
            }
        }
        Ok(())
    }

    /// Evaluates the options; the format comes from the target's suffix where it is not named.
    pub(super) fn evaluate(
        &self,
        context: &StatementContext,
        target: &str,
    ) -> Result<CopyOptions, Failure> {
        let mut options = CopyOptions {
            format: String::new(),
            partition_columns: self.partition_columns.clone(),
            existing: Existing::Refuse,
            writer_options: HashMap::new(),
        };
        let mut format = self.format.clone();
        for (key, value) in &self.options {
            let value = constant_text(value, &context.state, context.parameters())
                .map_err(|error| context.failure(error))?;
            match key.as_str() {
                "format" => format = Some(value.to_lowercase()),
                "overwrite" | "overwrite_or_ignore" if parse_boolean(&value) == Some(true) => {
                    options.existing = Existing::Overwrite;
                }
                "append" if parse_boolean(&value) == Some(true) => {
                    options.existing = Existing::Append
                }
                "overwrite" | "overwrite_or_ignore" | "append" => {}
                _ => {
                    let value = match (key.as_str(), value.as_str()) {
                        ("header", "0") => "false".to_owned(),
                        ("header", "1") => "true".to_owned(),
                        _ => value,
                    };
                    options.writer_options.insert(writer_key(key), value);
                }
            }
        }
        let (suffix, compression) = suffix_of(target);
        let suffix = suffix.filter(|suffix| SUFFIXES.contains(&suffix.as_str()));
        options.format = match format.or(suffix) {
            Some(format) => format,
            None => {
                return Err(Failure::new(
                    FailureKind::Plan,
                    format!("the format of `{target}` is not known"),
                )
                .hint("add STORED AS PARQUET, or give the target a suffix"));
            }
        };
        if compression.is_compressed() {
            options.compress(target, compression)?;
        }
        if options.format == "tsv" {
            let delimiter = "format.delimiter".to_owned();
            options
                .writer_options
                .entry(delimiter)
                .or_insert_with(|| "\t".to_owned());
        }
        Ok(options)
    }
}

/// Translates the names that people know into DataFusion's.
fn writer_key(key: &str) -> String {
    let key = match key {
        "header" => "has_header",
        "delim" | "sep" => "delimiter",
        "nullstr" | "null" => "null_value",
        "codec" => "compression",
        "dateformat" => "date_format",
        "timestampformat" => "timestamp_format",
        "row_group_size" => "max_row_group_size",
        other => other,
    };
    if key.contains('.') {
        key.to_owned()
    } else {
        format!("format.{key}")
    }
}

fn column_list(parser: &mut StatementParser) -> ParseResult<Vec<String>> {
    parser.sql().expect_token(&Token::LParen)?;
    let columns: Vec<Ident> = parser
        .sql()
        .parse_comma_separated(|parser| parser.parse_identifier())?;
    parser.sql().expect_token(&Token::RParen)?;
    Ok(columns.iter().map(normalized).collect())
}

/// Reads `(a, b)` or `a` where an expression was parsed.
fn column_names(value: &Expr) -> Vec<String> {
    match value {
        Expr::Identifier(word) => vec![normalized(word)],
        Expr::Nested(inner) => column_names(inner),
        Expr::Tuple(parts) => parts.iter().flat_map(column_names).collect(),
        _ => Vec::new(),
    }
}
