//! What may stand at the cursor: its context in the text, and the names that fit it.
//!
//! Names come from the registries and the catalog as they are now; what takes too long is left out. It
//! knows no terminal: the prompt and the notebook show what it finds in their own ways.

mod call;
mod context;
mod file;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use lakesh_session::{Session, settings};
use lakesh_text::keyword::{KEYWORDS, quoted_name};

use crate::vocabulary::statements;

use context::{CompletionContext, Wanted, context, without_quotes};

pub use call::{CalledFunction, called_function};
pub use context::Relation;
pub use lakesh_text::keyword::is_keyword;

/// A table that does not answer in this time offers no columns.
const PATIENCE: Duration = Duration::from_millis(400);

/// What may stand at the cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// The byte offset at which the replaced text begins; it ends at the cursor.
    pub start: usize,
    /// What may stand there, in the order to show it.
    pub candidates: Vec<Candidate>,
}

/// Something that may stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What is shown in a list.
    pub display: String,
    /// What replaces the typed text.
    pub replacement: String,
    /// What it is.
    pub kind: CandidateKind,
    /// More about it: a column's type.
    pub detail: Option<String>,
}

/// What a candidate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CandidateKind {
    /// A column of a table.
    Column,
    /// A command.
    Command,
    /// A file or a folder.
    File,
    /// A function.
    Function,
    /// A keyword of SQL.
    Keyword,
    /// A schema or an attachment.
    Schema,
    /// A setting.
    Setting,
    /// A table, a view or an alias of one.
    Table,
    /// One of a few words that a command takes.
    Word,
}

impl CandidateKind {
    /// Returns its name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Column => "column",
            Self::Command => "command",
            Self::File => "file",
            Self::Function => "function",
            Self::Keyword => "keyword",
            Self::Schema => "schema",
            Self::Setting => "setting",
            Self::Table => "table",
            Self::Word => "word",
        }
    }
}

/// Finds what may stand at a cursor, a byte offset into the text. Needs the session's runtime.
pub async fn complete(session: &Arc<Session>, text: &str, cursor: usize) -> Completion {
    Completer { session }.complete(text, cursor).await
}

/// Finds the tables that the statement around a cursor reads, with the names that they go by in it.
pub fn relations_at(text: &str, cursor: usize) -> Vec<Relation> {
    context(text, cursor).relations
}

struct Completer<'a> {
    session: &'a Arc<Session>,
}

/// What is offered, in the order to show it.
#[derive(Default)]
struct Offer {
    typed: String,
    seen: BTreeSet<String>,
    candidates: Vec<Candidate>,
}

impl Offer {
    /// Adds a name if it begins with what was typed, whatever the case.
    fn add(&mut self, kind: CandidateKind, name: &str, replacement: impl Into<String>) {
        self.add_with(kind, name, replacement, None);
    }

    fn add_with(
        &mut self,
        kind: CandidateKind,
        name: &str,
        replacement: impl Into<String>,
        detail: Option<String>,
    ) {
        let begins = name
            .get(..self.typed.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(&self.typed));
        let replacement = replacement.into();
        if begins && self.seen.insert(replacement.clone()) {
            self.candidates.push(Candidate {
                display: replacement.clone(),
                replacement,
                kind,
                detail,
            });
        }
    }

    /// Adds a table's name, in quotes if it needs them.
    fn add_table(&mut self, name: &str) {
        self.add(CandidateKind::Table, name, quoted_name(name));
    }

    /// Adds columns, in quotes if they need them, with their types.
    fn add_columns(&mut self, columns: Vec<(String, String)>) {
        for (name, data_type) in columns {
            self.add_with(
                CandidateKind::Column,
                &name,
                quoted_name(&name),
                Some(data_type),
            );
        }
    }

    /// Adds a keyword in the case of what was typed.
    fn add_keyword(&mut self, keyword: &str) {
        let lower = self.typed.starts_with(char::is_lowercase);
        let written = if lower {
            keyword.to_lowercase()
        } else {
            keyword.to_owned()
        };
        self.add(CandidateKind::Keyword, keyword, written);
    }

    fn add_all<'n>(&mut self, kind: CandidateKind, names: impl IntoIterator<Item = &'n str>) {
        for name in names {
            self.add(kind, name, name);
        }
    }

    fn at(self, start: usize) -> Completion {
        Completion {
            start,
            candidates: self.candidates,
        }
    }
}

impl Completer<'_> {
    async fn complete(&self, text: &str, cursor: usize) -> Completion {
        let context = context(text, cursor);
        let mut offer = Offer {
            // An open quote belongs to the name, and the replacement brings its own.
            typed: context.typed.trim_start_matches('"').replace("\"\"", "\""),
            ..Offer::default()
        };
        match &context.wanted {
            Wanted::Command => self.commands(&mut offer),
            Wanted::Argument(command) => return self.arguments(command, &context, offer).await,
            Wanted::File => return self.files(&context),
            Wanted::Setting => {
                let names = settings().iter().map(|setting| setting.name);
                offer.add_all(CandidateKind::Setting, names);
            }
            Wanted::Format => {
                let formats = ["PARQUET", "DELTA", "CSV", "JSON", "ARROW", "AVRO"];
                formats
                    .into_iter()
                    .for_each(|format| offer.add_keyword(format));
            }
            Wanted::Relation(qualifier) => {
                self.relations(qualifier.as_deref(), &context, &mut offer)
                    .await;
            }
            Wanted::Expression(Some(qualifier)) => {
                self.qualified(qualifier, &context, &mut offer).await;
            }
            Wanted::Expression(None) => self.expression(&context, &mut offer).await,
            Wanted::Statement => {
                for kind in statements() {
                    let first = kind.name.split(' ').next().unwrap_or(kind.name);
                    offer.add_keyword(first);
                }
                for keyword in KEYWORDS {
                    offer.add_keyword(keyword);
                }
            }
        }
        offer.at(context.start)
    }

    fn commands(&self, offer: &mut Offer) {
        for command in self.session.commands() {
            offer.add_all(CandidateKind::Command, command.names().iter().copied());
        }
    }

    async fn arguments(
        &self,
        name: &str,
        context: &CompletionContext,
        mut offer: Offer,
    ) -> Completion {
        let name = name.trim_end_matches('+');
        let mut commands = self.session.commands().iter();
        let command = commands.find(|command| command.names().contains(&name));
        match command.map(|command| command.names()[0]) {
            Some("d" | "diff" | "dt" | "dv" | "versions") => {
                let (start, qualifier, typed) = split_name(context);
                offer.typed = typed;
                self.relations(qualifier.as_deref(), context, &mut offer)
                    .await;
                return offer.at(start);
            }
            Some("i" | "o" | "save" | "cd" | "e" | "!") => return self.files(context),
            Some("mode") => {
                let formats = lakesh_format::formats().iter().map(|format| format.name);
                offer.add_all(CandidateKind::Word, formats);
            }
            Some("x" | "timing" | "header" | "pager") => {
                offer.add_all(CandidateKind::Word, ["on", "off"]);
            }
            Some("maxrows") => offer.add_all(CandidateKind::Word, ["all"]),
            Some("df") => self.functions(&mut offer, ""),
            Some("help") => {
                self.commands(&mut offer);
                for kind in statements() {
                    offer.add_keyword(kind.name);
                }
                self.functions(&mut offer, "");
            }
            _ => {}
        }
        offer.at(context.start)
    }

    fn files(&self, context: &CompletionContext) -> Completion {
        let (length, candidates) =
            file::candidates(&self.session.working_directory(), &context.typed);
        Completion {
            start: context.start + context.typed.len() - length,
            candidates,
        }
    }

    /// Offers tables and views, and where no schema is named yet, schemas.
    async fn relations(
        &self,
        qualifier: Option<&str>,
        context: &CompletionContext,
        offer: &mut Offer,
    ) {
        match qualifier {
            Some(schema) => {
                for table in self.tables(&without_quotes(schema)).await {
                    offer.add_table(&table);
                }
            }
            None => {
                context
                    .common_tables
                    .iter()
                    .for_each(|name| offer.add_table(name));
                for table in self.tables(&self.session.current_schema()).await {
                    offer.add_table(&table);
                }
                for schema in self.schemas() {
                    offer.add(
                        CandidateKind::Schema,
                        &schema,
                        format!("{}.", quoted_name(&schema)),
                    );
                }
                for reader in lakesh_table::READERS {
                    offer.add(
                        CandidateKind::Function,
                        reader.name,
                        format!("{}(", reader.name),
                    );
                }
            }
        }
    }

    fn schemas(&self) -> Vec<String> {
        let catalog = self.session.catalog();
        // A catalog that cannot be read says so when a statement needs it.
        let schemas = catalog.schemas().unwrap_or_default().into_iter();
        let mut names: Vec<_> = schemas.map(|schema| schema.name).collect();
        let attached = catalog.attachments().unwrap_or_default();
        names.extend(attached.into_iter().map(|attachment| attachment.name));
        names.extend(["information_schema".to_owned(), "system".to_owned()]);
        names
    }

    async fn tables(&self, schema: &str) -> Vec<String> {
        let session = Arc::clone(self.session);
        let wanted = schema.to_owned();
        answer(async move { session.table_names(&wanted).await.ok() })
            .await
            .unwrap_or_default()
    }

    async fn columns(&self, relation: &Relation) -> Vec<(String, String)> {
        let session = Arc::clone(self.session);
        let name = relation.name.clone();
        answer(async move { session.columns(&name).await.ok() })
            .await
            .unwrap_or_default()
    }

    /// Offers the columns of the relation of a name, or the tables of the schema of that name.
    async fn qualified(&self, qualifier: &str, context: &CompletionContext, offer: &mut Offer) {
        let plain = without_quotes(qualifier);
        let relation = context.relations.iter().find(|relation| {
            relation.alias.eq_ignore_ascii_case(&plain) || relation.name == qualifier
        });
        match relation {
            Some(relation) => offer.add_columns(self.columns(relation).await),
            None => self.relations(Some(qualifier), context, offer).await,
        }
    }

    async fn expression(&self, context: &CompletionContext, offer: &mut Offer) {
        for relation in &context.relations {
            offer.add_columns(self.columns(relation).await);
        }
        for relation in &context.relations {
            offer.add_table(&relation.alias);
        }
        if offer.typed.is_empty() {
            // Hundreds of functions and keywords are no help to someone who typed nothing.
            return;
        }
        for keyword in KEYWORDS {
            offer.add_keyword(keyword);
        }
        self.functions(offer, "(");
    }

    fn functions(&self, offer: &mut Offer, suffix: &str) {
        for function in self.session.function_names() {
            offer.add(
                CandidateKind::Function,
                &function,
                format!("{function}{suffix}"),
            );
        }
    }
}

/// Asks on a thread of the runtime, whose stack is large enough, and waits for a moment.
async fn answer<T: Send + 'static>(
    question: impl Future<Output = Option<T>> + Send + 'static,
) -> Option<T> {
    let task = tokio::spawn(question);
    let abort = task.abort_handle();
    match tokio::time::timeout(PATIENCE, task).await {
        Ok(answer) => answer.ok().flatten(),
        Err(_) => {
            abort.abort();
            None
        }
    }
}

/// Splits a name that is being typed as a command's argument at its last dot.
fn split_name(context: &CompletionContext) -> (usize, Option<String>, String) {
    match context.typed.rsplit_once('.') {
        Some((schema, typed)) => (
            context.start + schema.len() + 1,
            Some(schema.to_owned()),
            typed.trim_start_matches('"').to_owned(),
        ),
        None => (
            context.start,
            None,
            context.typed.trim_start_matches('"').to_owned(),
        ),
    }
}
