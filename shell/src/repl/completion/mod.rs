//! What Tab offers at the prompt: the context of the cursor, and the names that fit it.
//!
//! Names come from the registries and the catalog as they are now; what takes too long is left out.

mod context;
mod file;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use lakesh_engine::format;
use lakesh_engine::session::{Session, settings};
use lakesh_engine::statement::statements;
use lakesh_engine::table;
use rustyline::completion::Pair;
use tokio::runtime::Handle;

use super::keywords::{KEYWORDS, is_keyword};
use context::{CompletionContext, Relation, Wanted, context, without_quotes};

/// A table that does not answer in this time offers no columns.
const PATIENCE: Duration = Duration::from_millis(400);

/// Finds what Tab offers.
pub(super) struct Completer {
    session: Arc<Session>,
    runtime: Handle,
}

/// What Tab offers, in the order to show it.
#[derive(Default)]
struct Offer {
    typed: String,
    seen: BTreeSet<String>,
    pairs: Vec<Pair>,
}

impl Offer {
    /// Adds a name if it begins with what was typed, whatever the case.
    fn add(&mut self, name: &str, replacement: impl Into<String>) {
        let begins = name
            .get(..self.typed.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(&self.typed));
        let replacement = replacement.into();
        if begins && self.seen.insert(replacement.clone()) {
            self.pairs.push(Pair {
                display: replacement.clone(),
                replacement,
            });
        }
    }

    /// Adds a name of the catalog, in quotes if it needs them.
    fn add_name(&mut self, name: &str) {
        self.add(name, quoted(name));
    }

    /// Adds a keyword in the case of what was typed.
    fn add_keyword(&mut self, keyword: &str) {
        let lower = self.typed.starts_with(char::is_lowercase);
        let written = if lower {
            keyword.to_lowercase()
        } else {
            keyword.to_owned()
        };
        self.add(keyword, written);
    }

    fn add_all<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        for name in names {
            self.add(name, name);
        }
    }
}

impl Completer {
    pub(super) fn new(session: Arc<Session>, runtime: Handle) -> Self {
        Self { session, runtime }
    }

    /// Returns where the replaced text begins, and what may stand there.
    pub(super) fn complete(&self, text: &str, cursor: usize) -> (usize, Vec<Pair>) {
        let context = context(text, cursor);
        let mut offer = Offer {
            // An open quote belongs to the name, and the replacement brings its own.
            typed: context.typed.trim_start_matches('"').replace("\"\"", "\""),
            ..Offer::default()
        };
        match &context.wanted {
            Wanted::Command => self.commands(&mut offer),
            Wanted::Argument(command) => return self.arguments(command, &context, offer),
            Wanted::File => return self.files(&context),
            Wanted::Setting => offer.add_all(settings().iter().map(|setting| setting.name)),
            Wanted::Format => {
                let formats = ["PARQUET", "DELTA", "CSV", "JSON", "ARROW", "AVRO"];
                formats
                    .into_iter()
                    .for_each(|format| offer.add_keyword(format));
            }
            Wanted::Relation(qualifier) => {
                self.relations(qualifier.as_deref(), &context, &mut offer)
            }
            Wanted::Expression(Some(qualifier)) => self.qualified(qualifier, &context, &mut offer),
            Wanted::Expression(None) => self.expression(&context, &mut offer),
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
        (context.start, offer.pairs)
    }

    fn commands(&self, offer: &mut Offer) {
        for command in self.session.commands() {
            offer.add_all(command.names().iter().copied());
        }
    }

    fn arguments(
        &self,
        name: &str,
        context: &CompletionContext,
        mut offer: Offer,
    ) -> (usize, Vec<Pair>) {
        let name = name.trim_end_matches('+');
        let mut commands = self.session.commands().iter();
        let command = commands.find(|command| command.names().contains(&name));
        match command.map(|command| command.names()[0]) {
            Some("d" | "dt" | "dv") => {
                let (start, qualifier, typed) = split_name(context);
                offer.typed = typed;
                self.relations(qualifier.as_deref(), context, &mut offer);
                return (start, offer.pairs);
            }
            Some("i" | "o" | "save" | "cd" | "e" | "!") => return self.files(context),
            Some("mode") => offer.add_all(format::formats().iter().map(|format| format.name)),
            Some("x" | "timing" | "header" | "pager") => offer.add_all(["on", "off"]),
            Some("maxrows") => offer.add_all(["all"]),
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
        (context.start, offer.pairs)
    }

    fn files(&self, context: &CompletionContext) -> (usize, Vec<Pair>) {
        let (length, pairs) = file::candidates(&self.session.working_directory(), &context.typed);
        (context.start + context.typed.len() - length, pairs)
    }

    /// Offers tables and views, and where no schema is named yet, schemas.
    fn relations(&self, qualifier: Option<&str>, context: &CompletionContext, offer: &mut Offer) {
        match qualifier {
            Some(schema) => {
                for table in self.tables(&without_quotes(schema)) {
                    offer.add_name(&table);
                }
            }
            None => {
                context
                    .common_tables
                    .iter()
                    .for_each(|name| offer.add_name(name));
                for table in self.tables(&self.session.current_schema()) {
                    offer.add_name(&table);
                }
                for schema in self.schemas() {
                    offer.add(&schema, format!("{}.", quoted(&schema)));
                }
                for reader in table::READERS {
                    offer.add(reader.name, format!("{}(", reader.name));
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

    fn tables(&self, schema: &str) -> Vec<String> {
        let session = Arc::clone(&self.session);
        let wanted = schema.to_owned();
        self.answer(async move { session.table_names(&wanted).await.ok() })
            .unwrap_or_default()
    }

    fn columns(&self, relation: &Relation) -> Vec<String> {
        let session = Arc::clone(&self.session);
        let name = relation.name.clone();
        let columns = self.answer(async move { session.columns(&name).await.ok() });
        let columns = columns.unwrap_or_default().into_iter();
        columns.map(|(name, _)| name).collect()
    }

    /// Asks on a thread of the runtime, whose stack is large enough, and waits for a moment.
    fn answer<T: Send + 'static>(
        &self,
        question: impl Future<Output = Option<T>> + Send + 'static,
    ) -> Option<T> {
        let task = self.runtime.spawn(question);
        let abort = task.abort_handle();
        let answer = self
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, task).await });
        match answer {
            Ok(answer) => answer.ok().flatten(),
            Err(_) => {
                abort.abort();
                None
            }
        }
    }

    /// Offers the columns of the relation of a name, or the tables of the schema of that name.
    fn qualified(&self, qualifier: &str, context: &CompletionContext, offer: &mut Offer) {
        let plain = without_quotes(qualifier);
        let relation = context.relations.iter().find(|relation| {
            relation.alias.eq_ignore_ascii_case(&plain) || relation.name == qualifier
        });
        match relation {
            Some(relation) => {
                for column in self.columns(relation) {
                    offer.add_name(&column);
                }
            }
            None => self.relations(Some(qualifier), context, offer),
        }
    }

    fn expression(&self, context: &CompletionContext, offer: &mut Offer) {
        for relation in &context.relations {
            for column in self.columns(relation) {
                offer.add_name(&column);
            }
        }
        for relation in &context.relations {
            offer.add_name(&relation.alias);
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
            offer.add(&function, format!("{function}{suffix}"));
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

/// Writes a name as SQL needs it: plain if it is lower case and no keyword, else in quotes.
fn quoted(name: &str) -> String {
    let plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        && !is_keyword(name);
    if plain {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use futures::StreamExt;
    use lakesh_engine::event::Event;
    use lakesh_engine::input::{self, SplitOptions};
    use lakesh_engine::session::{Session, SessionOptions};
    use lakesh_engine::source::Source;
    use tokio::runtime::Runtime;

    use super::{Completer, quoted};

    fn session(runtime: &Runtime, folder: &std::path::Path) -> Arc<Session> {
        let _guard = runtime.enter();
        let session = Session::new(SessionOptions::in_folder(folder)).unwrap();
        let script = "create view trips as select 1 as distance, 2 as \"VendorID\";
             create view tolls as select 3 as amount;
             create schema lake;
             create view lake.zones as select 1 as borough;";
        for cell in input::cells(&Source::new("test", script), SplitOptions::default()) {
            let mut events = session.run(cell.unwrap());
            runtime.block_on(async {
                while let Some(event) = events.next().await {
                    assert!(!matches!(event, Event::Failed(_)), "{event:?}");
                }
            });
        }
        session
    }

    #[test]
    fn names_that_fit_are_offered() {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("data.csv"), "a\n1\n").unwrap();
        let session = session(&runtime, folder.path());
        let completer = Completer::new(session, runtime.handle().clone());
        let cases: [(&str, &[&str]); 14] = [
            ("select dista| from trips", &["distance"]),
            ("select t.| from trips as t", &["distance", "\"VendorID\""]),
            ("select t.v| from trips as t", &["\"VendorID\""]),
            ("select * from tr|", &["trips"]),
            ("select * from la|", &["lake."]),
            ("select * from lake.|", &["zones"]),
            ("select \"Ven| from trips", &["\"VendorID\""]),
            ("select \"Ven| from \"trips\"", &["\"VendorID\""]),
            ("select t.\"v| from trips as t", &["\"VendorID\""]),
            ("selec|", &["select"]),
            ("\\d lake.z|", &["zones"]),
            ("\\mode js|", &["json"]),
            ("set lakesh.mem|", &["lakesh.memory_limit"]),
            ("select * from 'da|", &["data.csv'"]),
        ];
        for (marked, expected) in cases {
            let cursor = marked.find('|').unwrap();
            let (_, pairs) = completer.complete(&marked.replace('|', ""), cursor);
            let found: Vec<_> = pairs.iter().map(|pair| pair.replacement.as_str()).collect();
            for name in expected {
                assert!(found.contains(name), "{marked}: {found:?}");
            }
            assert!(found.len() <= expected.len() + 4, "{marked}: {found:?}");
        }
    }

    #[test]
    fn names_get_the_quotes_they_need() {
        let cases = [
            ("a_1", "a_1"),
            ("A", "\"A\""),
            ("select", "\"select\""),
            ("a\"b", "\"a\"\"b\""),
        ];
        for (name, expected) in cases {
            assert_eq!(quoted(name), expected);
        }
    }
}
