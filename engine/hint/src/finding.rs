//! What a rule says of a query: where, what, how bad, and what to do about it.

use datafusion::sql::sqlparser::ast::Query as SqlQuery;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Worth knowing; nothing has to be done.
    Info,
    /// Something would make the query faster.
    Advice,
    /// The query is likely wrong, or slower by orders of magnitude than it has to be.
    Warning,
}

impl Severity {
    /// Returns the word that the table of hints shows.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Advice => "advice",
            Self::Warning => "warning",
        }
    }
}

/// What sort of thing a remedy changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A setting of the session.
    Setting,
    /// The text of the query.
    Rewrite,
    /// How the table lies on disk.
    Layout,
    /// Something that is computed once and kept.
    Cache,
}

impl Kind {
    /// Returns the word that the table of hints shows.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Setting => "setting",
            Self::Rewrite => "rewrite",
            Self::Layout => "layout",
            Self::Cache => "cache",
        }
    }
}

/// What would make a query faster.
#[derive(Debug, Clone)]
pub(crate) enum Remedy {
    /// `SET name = value`.
    Setting { name: &'static str, value: String },
    /// Another text for the query.
    Rewrite { tree: Box<SqlQuery>, kind: Kind },
    /// A statement that writes a table anew, and what to try in its place.
    Layout {
        statement: String,
        /// The table as the query's text names it.
        table: String,
        copy: CopyLayout,
    },
}

impl Remedy {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Setting { .. } => Kind::Setting,
            Self::Rewrite { kind, .. } => *kind,
            Self::Layout { .. } => Kind::Layout,
        }
    }

    /// Returns the statement to run.
    pub(crate) fn statement(&self) -> String {
        match self {
            Self::Setting { name, value } => format!("SET {name} = {value}"),
            Self::Rewrite { tree, .. } => super::text::query_text(tree),
            Self::Layout { statement, .. } => statement.clone(),
        }
    }
}

/// How a copy of a table is written to try a layout.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CopyLayout {
    /// The columns that the copy's rows are ordered by.
    pub(crate) order: Vec<String>,
    /// Rows of a row group at most.
    pub(crate) group_rows: Option<usize>,
    /// The column that the copy has a bloom filter of.
    pub(crate) bloom: Option<String>,
    /// Bytes of a file, about; `None` writes one file.
    pub(crate) file_bytes: Option<u64>,
}

/// What a rule found.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    /// The table, clause or plan node that it is about.
    pub(crate) node: String,
    pub(crate) text: String,
    pub(crate) evidence: Vec<String>,
    pub(crate) remedy: Option<Remedy>,
    /// Whether the remedy is known to give other rows.
    pub(crate) changes_result: bool,
    /// How many times as fast the query may become; it only orders findings of one severity.
    pub(crate) gain: f64,
}

impl Finding {
    pub(crate) fn new(
        severity: Severity,
        node: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            node: node.into(),
            text: text.into(),
            evidence: Vec::new(),
            remedy: None,
            changes_result: false,
            gain: 1.0,
        }
    }

    pub(crate) fn evidence(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    pub(crate) fn remedy(mut self, remedy: Remedy) -> Self {
        self.remedy = Some(remedy);
        self
    }

    pub(crate) fn rewrite(self, tree: SqlQuery) -> Self {
        self.remedy(Remedy::Rewrite {
            tree: Box::new(tree),
            kind: Kind::Rewrite,
        })
    }

    /// Suggests another text that keeps rows which are used again.
    pub(crate) fn keeping(self, tree: SqlQuery) -> Self {
        self.remedy(Remedy::Rewrite {
            tree: Box::new(tree),
            kind: Kind::Cache,
        })
    }

    pub(crate) fn setting(self, name: &'static str, value: impl Into<String>) -> Self {
        self.remedy(Remedy::Setting {
            name,
            value: value.into(),
        })
    }

    pub(crate) fn gain(mut self, gain: f64) -> Self {
        self.gain = gain;
        self
    }

    pub(crate) fn changing_result(mut self) -> Self {
        self.changes_result = true;
        self
    }
}
