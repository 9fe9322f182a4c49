//! CREATE VIEW: a stored query, planned anew by each statement that reads it.

use async_trait::async_trait;
use datafusion::sql::sqlparser::ast::{Ident, ObjectName};
use datafusion::sql::sqlparser::tokenizer::{Location, Token};
use lakesh_catalog::definition::ViewDefinition;
use lakesh_catalog::{Created, Entry, OnConflict};
use lakesh_session::{Output, Overlay, Statement, StatementContext, StatementKind, starts_query};
use lakesh_sql::{Query, StatementParser, TableName, normalized};
use lakesh_text::failure::Failure;

/// The statement `CREATE VIEW`.
pub static CREATE_VIEW: StatementKind = StatementKind {
    name: "CREATE VIEW",
    usage: "CREATE [OR REPLACE] [TEMP] VIEW [IF NOT EXISTS] name [(column, …)] [COMMENT 'text'] AS query",
    summary: "Stores a query under a name; each statement that reads the view plans it anew. A TEMP VIEW goes with the session.",
    examples: &[
        "CREATE VIEW evens AS SELECT value FROM generate_series(0, 10, 2); SELECT count(*) FROM evens;",
    ],
    parse: |parser| {
        let Some((on_conflict, is_temporary)) = accept_create_temporary(parser, "view") else {
            return Ok(None);
        };
        let if_not_exists = parser.if_not_exists();
        let name = parser.name()?;
        let columns = columns(parser)?;
        let comment = parser
            .accept(&["comment"])
            .then(|| {
                parser.skip(&Token::Eq);
                parser.string()
            })
            .transpose()?;
        parser.expect(&["as"])?;
        if !starts_query(parser) {
            return parser.expected("a query");
        }
        let start = parser.sql().peek_token().span.start;
        let query = parser.query()?;
        Ok(Some(Box::new(CreateView {
            name,
            columns,
            comment,
            query,
            start,
            is_temporary,
            on_conflict: if if_not_exists {
                OnConflict::Skip
            } else {
                on_conflict
            },
        })))
    },
};

/// Consumes `CREATE [OR REPLACE] word`; says what happens when the name is taken.
pub fn accept_create(parser: &mut StatementParser, word: &str) -> Option<OnConflict> {
    if parser.accept(&["create", word]) {
        Some(OnConflict::Fail)
    } else if parser.accept(&["create", "or", "replace", word]) {
        Some(OnConflict::Replace)
    } else {
        None
    }
}

/// Consumes `CREATE [OR REPLACE] [TEMP] word`; says too whether it is temporary.
pub(super) fn accept_create_temporary(
    parser: &mut StatementParser,
    word: &str,
) -> Option<(OnConflict, bool)> {
    for temporary in ["temp", "temporary"] {
        if parser.accept(&["create", temporary, word]) {
            return Some((OnConflict::Fail, true));
        }
        if parser.accept(&["create", "or", "replace", temporary, word]) {
            return Some((OnConflict::Replace, true));
        }
    }
    accept_create(parser, word).map(|on_conflict| (on_conflict, false))
}

fn columns(parser: &mut StatementParser) -> lakesh_sql::ParseResult<Vec<String>> {
    if !parser.sql().consume_token(&Token::LParen) {
        return Ok(Vec::new());
    }
    let columns: Vec<Ident> = parser
        .sql()
        .parse_comma_separated(|parser| parser.parse_identifier())?;
    parser.sql().expect_token(&Token::RParen)?;
    Ok(columns.iter().map(normalized).collect())
}

struct CreateView {
    name: ObjectName,
    columns: Vec<String>,
    comment: Option<String>,
    query: Query,
    /// Where the query begins in the statement.
    start: Location,
    is_temporary: bool,
    on_conflict: OnConflict,
}

impl CreateView {
    fn definition(&self, context: &StatementContext) -> ViewDefinition {
        ViewDefinition {
            query: context.text_from(self.start),
            columns: self.columns.clone(),
            current_schema: context.current_schema().to_owned(),
            folder: Some(context.working_directory().to_string_lossy().into_owned()),
            comment: self.comment.clone(),
            feature: None,
        }
    }
}

#[async_trait]
impl Statement for CreateView {
    fn verb(&self) -> &'static str {
        "CREATE VIEW"
    }

    fn writes(&self) -> bool {
        true
    }

    async fn run(&self, context: &StatementContext) -> Result<Output, Failure> {
        let (name, _) = TableName::from_object(&self.name, context.current_schema())?;
        // A view that cannot be planned is refused now, with the place of what is wrong, not when it
        // is read first. The second look finds a view that would name itself.
        context.plan(self.query.clone()).await?;
        context.plan_view(&name, &self.definition(context)).await?;
        if self.is_temporary {
            if context.session.skips_temporary(&name, self.on_conflict)? {
                let note = format!(
                    "view `{}` is there already; nothing was changed",
                    name.table
                );
                context.notice(note).await?;
            } else {
                let entry = Entry::View(self.definition(context));
                context.session.keep_temporary(&name, entry, None);
            }
            return Ok(Output::done("CREATE VIEW"));
        }
        let created = context.session.catalog().create(
            &name.schema,
            &name.table,
            &Entry::View(self.definition(context)),
            self.on_conflict,
        )?;
        if created == Created::Skipped {
            context
                .notice(format!(
                    "view `{}` is there already; nothing was changed",
                    name.table
                ))
                .await?;
        }
        Ok(Output::done("CREATE VIEW"))
    }

    async fn check(&self, context: &StatementContext) -> Result<(), Failure> {
        let (name, _) = TableName::from_object(&self.name, context.current_schema())?;
        context.plan(self.query.clone()).await?;
        context.assume(name, Overlay::View(self.definition(context)));
        Ok(())
    }
}
