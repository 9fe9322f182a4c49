//! The list of all functions: each entry owns its names, usage, summary, treatment of NULL and example.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::{AggregateUDF, DocSection, Documentation, ScalarUDF};
use datafusion::sql::sqlparser::ast::{Expr, FunctionArg};

use crate::computed::KernelFunction;
use crate::entry;
use crate::kernel::Kernel;

/// What the section is called under which these functions are listed.
pub const SECTION_LABEL: &str = "Functions of other databases";

/// The section under which these functions are listed.
const SECTION: DocSection = DocSection {
    include: true,
    label: SECTION_LABEL,
    description: None,
};

/// One function.
#[derive(Debug)]
pub struct Function {
    /// Its first name.
    pub name: &'static str,
    /// Its other names, each with the same arguments.
    pub aliases: &'static [&'static str],
    /// How it is called.
    pub usage: &'static str,
    /// What it returns.
    pub summary: &'static str,
    /// What it does with NULL, and with values outside its domain.
    pub nulls: &'static str,
    /// A complete statement that shows it.
    pub example: &'static str,
    /// What DuckDB calls it; empty where it has no such function.
    pub duckdb: &'static str,
    /// What PostgreSQL calls it.
    pub postgres: &'static str,
    /// What Spark calls it.
    pub spark: &'static str,
    pub(crate) body: Body,
    /// Calls that stand for something else by how their arguments are written; tried before the body.
    pub(crate) special: Option<Write>,
}

/// A piece of SQL for calls with as many arguments as it has parameters.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) parameters: &'static [&'static str],
    pub(crate) sql: &'static str,
}

/// Reads the arguments of a call; `None` where the call is not its own.
pub(crate) type Write = fn(&[FunctionArg]) -> Result<Option<Expr>, String>;

/// What a function does.
#[derive(Debug)]
pub(crate) enum Body {
    /// The same as another function, with all that a call of that one can have.
    Renamed(&'static str),
    /// An expression over the arguments.
    Written(&'static [Form]),
    /// An expression over aggregates of the arguments: ORDER BY, FILTER and OVER of a call are theirs.
    Grouped(&'static [Form]),
    /// An expression that depends on how the arguments are written.
    Tree(Write),
    /// A kernel over arrays.
    Kernel(Kernel),
    /// An aggregate of ours.
    Aggregate(fn() -> Arc<AggregateUDF>),
    /// A function over lists whose last argument is a lambda; it is called by another name.
    Lambda(&'static str),
}

impl Function {
    const fn new(
        name: &'static str,
        usage: &'static str,
        summary: &'static str,
        body: Body,
    ) -> Self {
        Self {
            name,
            aliases: &[],
            usage,
            summary,
            nulls: "NULL for NULL.",
            example: "",
            duckdb: "",
            postgres: "",
            spark: "",
            body,
            special: None,
        }
    }

    pub(crate) const fn renamed(
        name: &'static str,
        usage: &'static str,
        summary: &'static str,
        other: &'static str,
    ) -> Self {
        Self::new(name, usage, summary, Body::Renamed(other))
    }

    pub(crate) const fn written(
        name: &'static str,
        usage: &'static str,
        summary: &'static str,
        forms: &'static [Form],
    ) -> Self {
        Self::new(name, usage, summary, Body::Written(forms))
    }

    pub(crate) const fn grouped(
        name: &'static str,
        usage: &'static str,
        summary: &'static str,
        forms: &'static [Form],
    ) -> Self {
        Self::new(name, usage, summary, Body::Grouped(forms)).nulls("Rows with NULL are left out.")
    }

    pub(crate) const fn tree(
        name: &'static str,
        usage: &'static str,
        summary: &'static str,
        write: Write,
    ) -> Self {
        Self::new(name, usage, summary, Body::Tree(write))
    }

    pub(crate) const fn kernel(
        name: &'static str,
        usage: &'static str,
        summary: &'static str,
        kernel: Kernel,
    ) -> Self {
        Self::new(name, usage, summary, Body::Kernel(kernel))
    }

    pub(crate) const fn aggregate_of(
        name: &'static str,
        usage: &'static str,
        summary: &'static str,
        make: fn() -> Arc<AggregateUDF>,
    ) -> Self {
        Self::new(name, usage, summary, Body::Aggregate(make)).nulls("Rows with NULL are left out.")
    }

    pub(crate) const fn lambda(
        name: &'static str,
        usage: &'static str,
        summary: &'static str,
        other: &'static str,
    ) -> Self {
        Self::new(name, usage, summary, Body::Lambda(other))
    }

    pub(crate) const fn specially(mut self, write: Write) -> Self {
        self.special = Some(write);
        self
    }

    pub(crate) const fn also(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    pub(crate) const fn nulls(mut self, nulls: &'static str) -> Self {
        self.nulls = nulls;
        self
    }

    pub(crate) const fn example(mut self, example: &'static str) -> Self {
        self.example = example;
        self
    }

    pub(crate) const fn duckdb(mut self, name: &'static str) -> Self {
        self.duckdb = name;
        self
    }

    pub(crate) const fn postgres(mut self, name: &'static str) -> Self {
        self.postgres = name;
        self
    }

    pub(crate) const fn spark(mut self, name: &'static str) -> Self {
        self.spark = name;
        self
    }

    /// All names, the first one first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// Whether it stands only in the SQL of other functions.
    pub fn is_internal(&self) -> bool {
        self.name.starts_with("lakesh_")
    }

    /// `scalar` or `aggregate`, as the list of functions says it.
    pub fn kind(&self) -> &'static str {
        match self.body {
            Body::Grouped(_) | Body::Aggregate(_) => "aggregate",
            Body::Renamed(other) => match entry::AGGREGATES_BELOW.contains(&other) {
                true => "aggregate",
                false => "scalar",
            },
            _ => "scalar",
        }
    }

    /// Makes the function that DataFusion runs, where a kernel computes this one.
    pub(crate) fn scalar(&'static self) -> Option<Arc<ScalarUDF>> {
        match &self.body {
            Body::Kernel(kernel) => {
                let made = ScalarUDF::from(KernelFunction::new(self, kernel));
                Some(Arc::new(made.with_aliases(self.aliases.iter().copied())))
            }
            _ => None,
        }
    }

    /// Makes the aggregate that DataFusion runs, where this is one.
    pub(crate) fn aggregate(&self) -> Option<Arc<AggregateUDF>> {
        match self.body {
            Body::Aggregate(make) => {
                let made = AggregateUDF::clone(&make());
                Some(Arc::new(made.with_aliases(self.aliases.iter().copied())))
            }
            _ => None,
        }
    }

    /// The entry as DataFusion shows it.
    pub fn documentation(&self) -> Option<&'static Documentation> {
        static ALL: LazyLock<HashMap<&'static str, Documentation>> = LazyLock::new(|| {
            let document = |function: &Function| {
                let text = format!("{} {}", function.summary, function.nulls);
                let builder = Documentation::builder(SECTION, text, function.usage);
                builder.with_sql_example(function.example).build()
            };
            let all = functions().iter();
            all.map(|function| (function.name, document(function)))
                .collect()
        });
        ALL.get(self.name)
    }
}

/// Returns all functions of this crate.
pub fn functions() -> &'static [&'static Function] {
    static ALL: LazyLock<Vec<&'static Function>> =
        LazyLock::new(|| entry::GROUPS.iter().copied().flatten().collect());
    &ALL
}

/// Finds a function by one of its names, in lower case.
pub fn find(name: &str) -> Option<&'static Function> {
    static BY_NAME: LazyLock<HashMap<&'static str, &'static Function>> = LazyLock::new(|| {
        let all = functions().iter();
        all.flat_map(|function| function.names().map(move |name| (name, *function)))
            .collect()
    });
    BY_NAME.get(name).copied()
}

/// Says what serves instead of a function of another database that there is not.
pub fn absent(name: &str) -> Option<&'static str> {
    let found = entry::ABSENT.iter().find(|absent| absent.name == name);
    found.map(|absent| absent.instead)
}

/// A function of another database that there is not, with what serves instead.
#[derive(Debug)]
pub(crate) struct Absent {
    pub(crate) name: &'static str,
    pub(crate) instead: &'static str,
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Body, absent, find, functions};
    use crate::entry::ABSENT;

    #[test]
    fn each_name_is_given_once() {
        let mut seen = HashSet::new();
        for function in functions() {
            for name in function.names() {
                assert!(seen.insert(name), "{name}");
                assert_eq!(name, name.to_lowercase());
            }
        }
        for entry in ABSENT {
            assert!(seen.insert(entry.name), "{}", entry.name);
        }
        assert!(find("year").is_some() && find("no_such").is_none());
        assert!(absent("pg_sleep").is_some());
    }

    #[test]
    fn each_entry_is_whole() {
        for function in functions() {
            let name = function.name;
            assert!(function.usage.contains(name), "{name}");
            assert!(function.summary.ends_with('.'), "{name}");
            assert!(function.nulls.is_empty() || function.nulls.ends_with('.'));
            assert!(function.example.starts_with("SELECT "), "{name}");
            assert!(function.example.ends_with(';'), "{name}");
            let elsewhere = [function.duckdb, function.postgres, function.spark];
            assert!(elsewhere.iter().any(|name| !name.is_empty()), "{name}");
            if let Body::Written(forms) | Body::Grouped(forms) = &function.body {
                for form in *forms {
                    assert!(lakesh_sql::parse_expression(form.sql).is_ok(), "{name}");
                }
            }
        }
    }
}
