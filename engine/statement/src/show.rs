//! SHOW: tables, schemas, columns, functions, settings, the session, and the text that makes a table.

use async_trait::async_trait;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, col, lit};
use datafusion::sql::sqlparser::ast::{Ident, ObjectName, TableFactor};
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use lakesh_session::{
    Output, Statement, StatementContext, StatementKind, find_system_table, system_provider,
};
use lakesh_sql::{DIALECT, ParseResult, StatementParser, TableName, normalized, syntax_error};
use lakesh_text::failure::{Failure, FailureKind};

use super::describe::{Describe, parse_relation};

mod definition;
mod partitions;

/// The statement `SHOW`.
pub static SHOW: StatementKind = StatementKind {
    name: "SHOW",
    usage: "SHOW [ALL] TABLES [FROM schema] [LIKE 'pattern']\n\
            SHOW SCHEMAS [LIKE 'pattern']\n\
            SHOW COLUMNS FROM name\n\
            SHOW PARTITIONS name\n\
            SHOW CREATE TABLE | VIEW name\n\
            SHOW FUNCTIONS [LIKE 'pattern']\n\
            SHOW ENCODERS [LIKE 'pattern']\n\
            SHOW FEATURE VIEWS [LIKE 'pattern']\n\
            SHOW ALL | setting\n\
            SHOW SESSION",
    summary: "Lists what the catalog and the session hold.",
    examples: &[
        "SHOW TABLES; SHOW SCHEMAS; SHOW SESSION;",
        "SHOW FUNCTIONS LIKE 'regexp%';",
        "CREATE VIEW one AS SELECT 1 AS n; SHOW COLUMNS FROM one; SHOW CREATE VIEW one;",
        "SHOW lakesh.threads;",
    ],
    parse: |parser| {
        if !parser.accept(&["show"]) {
            return Ok(None);
        }
        if parser.accept(&["columns"]) || parser.accept(&["fields"]) {
            if !parser.accept(&["from"]) {
                parser.expect(&["in"])?;
            }
            let query = parse_relation(parser)?;
            return Ok(Some(Box::new(Describe { query })));
        }
        if parser.accept(&["create"]) {
            if !parser.accept(&["table"]) {
                parser.expect(&["view"])?;
            }
            let name = parser.name()?;
            return Ok(Some(Box::new(definition::ShowCreate { name })));
        }
        let names_one = matches!(parser.sql().peek_nth_token_ref(1).token, Token::Word(_));
        if parser.peeks(&["partitions"]) && names_one {
            parser.accept(&["partitions"]);
            let name = parser.name()?;
            let factor = table(&name)?;
            return Ok(Some(Box::new(partitions::ShowPartitions { name, factor })));
        }
        if parser.peeks(&["tblproperties"]) && names_one {
            let place = parser.sql().peek_token_ref().span.start;
            return Err(syntax_error(
                "SHOW TBLPROPERTIES is not supported; DESCRIBE DETAIL shows the properties of a table, SHOW CREATE TABLE the statement that sets them",
                place,
            ));
        }
        Ok(Some(Box::new(parse_listing(parser)?)))
    },
};

/// Reads a table's name as it stands in FROM.
fn table(name: &ObjectName) -> ParseResult<TableFactor> {
    let mut parser = Parser::new(&DIALECT).try_with_sql(&name.to_string())?;
    Ok(parser.parse_table_factor()?)
}

fn parse_listing(parser: &mut StatementParser) -> ParseResult<Show> {
    let mut show = if parser.accept(&["all", "tables"]) || parser.accept(&["tables"]) {
        Show::new(("system", "tables"), "name")
    } else if parser.accept(&["views"]) {
        let mut show = Show::new(("system", "tables"), "name");
        show.only = Some(("kind", "view".to_owned()));
        show
    } else if parser.accept(&["schemas"]) || parser.accept(&["databases"]) {
        let mut show = Show::new(("information_schema", "schemata"), "schema_name");
        show.columns = &["schema_name"];
        show
    } else if parser.accept(&["functions"]) {
        Show::new(("system", "functions"), "name")
    } else if parser.accept(&["encoders"]) {
        let mut show = Show::new(("system", "encoders"), "name");
        show.only = Some(("current", "yes".to_owned()));
        show
    } else if parser.accept(&["feature", "views"]) {
        Show::new(("system", "feature_views"), "name")
    } else if parser.accept(&["all"]) {
        Show::new(("system", "settings"), "name")
    } else if parser.accept(&["session"]) {
        let mut show = Show::new(("system", "session"), "name");
        show.ordered = false;
        show
    } else if parser.accept(&["time", "zone"]) || parser.accept(&["timezone"]) {
        Show::setting("datafusion.execution.time_zone".to_owned())
    } else {
        Show::setting(super::set::setting_name(parser)?)
    };
    if parser.accept(&["from"]) || parser.accept(&["in"]) {
        let schema: Ident = parser.identifier()?;
        show.schema = Some(normalized(&schema));
    }
    if parser.accept(&["like"]) {
        show.pattern = Some(parser.string()?);
    }
    Ok(show)
}

/// Lists all settings.
pub(super) fn all_settings() -> impl Statement {
    Show::new(("system", "settings"), "name")
}

/// A listing from one of the system tables.
struct Show {
    table: (&'static str, &'static str),
    /// The column that LIKE tests and that the rows are ordered by.
    name_column: &'static str,
    /// The columns to show; empty shows all.
    columns: &'static [&'static str],
    only: Option<(&'static str, String)>,
    schema: Option<String>,
    pattern: Option<String>,
    /// A setting by its short or full name.
    setting: Option<String>,
    ordered: bool,
}

impl Show {
    fn new(table: (&'static str, &'static str), name_column: &'static str) -> Self {
        Self {
            table,
            name_column,
            columns: &[],
            only: None,
            schema: None,
            pattern: None,
            setting: None,
            ordered: true,
        }
    }

    fn setting(name: String) -> Self {
        Self {
            setting: Some(name),
            ..Self::new(("system", "settings"), "name")
        }
    }

    fn conditions(&self, context: &StatementContext) -> Result<Vec<Expr>, Failure> {
        let mut conditions = Vec::new();
        if let Some((column, value)) = &self.only {
            conditions.push(col(*column).eq(lit(value.as_str())));
        }
        if let Some(schema) = &self.schema {
            super::create_schema::require_schema(context, schema)?;
            conditions.push(col("schema").eq(lit(schema.as_str())));
        }
        if let Some(pattern) = &self.pattern {
            conditions.push(col(self.name_column).ilike(lit(pattern.as_str())));
        }
        if let Some(setting) = &self.setting {
            let name = context.session.full_setting_name(setting);
            let known = context
                .session
                .shown_settings()
                .iter()
                .any(|known| known.name == name);
            if !known {
                return Err(Failure::new(
                    FailureKind::Plan,
                    format!("setting `{setting}` not found"),
                )
                .hint("SHOW ALL lists the settings; SHOW TABLES, SCHEMAS, COLUMNS, CREATE, FUNCTIONS and SESSION list the rest"));
            }
            conditions.push(col("name").eq(lit(name)));
        }
        Ok(conditions)
    }
}

#[async_trait]
impl Statement for Show {
    fn verb(&self) -> &'static str {
        "SHOW"
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let (schema, name) = self.table;
        let Some(table) = find_system_table(&TableName::new(schema, name)) else {
            return Err(Failure::new(
                FailureKind::Plan,
                format!("table `{schema}.{name}` not found"),
            ));
        };
        let conditions = self.conditions(context)?;
        let build = || {
            let source = provider_as_source(system_provider(context, table));
            let mut plan = LogicalPlanBuilder::scan(name, source, None)?;
            for condition in conditions {
                plan = plan.filter(condition)?;
            }
            if self.setting.is_some() {
                plan = plan.project([col("name"), col("value")])?;
            } else if !self.columns.is_empty() {
                plan = plan.project(self.columns.iter().map(|column| col(*column)))?;
            }
            if self.ordered {
                let mut order = Vec::new();
                if self.table == ("system", "tables") {
                    order.push(col("schema").sort(true, false));
                }
                order.push(col(self.name_column).sort(true, false));
                plan = plan.sort(order)?;
            }
            plan.build()
        };
        build()
            .map(|plan| Output::Plan(plan.into()))
            .map_err(|error| context.failure(error))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        self.conditions(context).map(drop)
    }
}
