//! Columns by their names, and what a name means among them.

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::DFSchema;
use lakesh_sql::{Meaning, meaning};

/// A column that an expression can name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    /// The name of its table, as expressions write it.
    pub(super) table: Option<String>,
    pub(super) name: String,
    /// Known for columns of tables, and where nothing but their names is asked for.
    pub(super) data_type: Option<DataType>,
    /// Whether USING or NATURAL has merged it into one that is there already: `*` leaves it out.
    pub(super) is_merged: bool,
    /// Whether it stands for a column that was merged into it too.
    pub(super) is_key: bool,
    /// Names that find it where there is nothing else of them.
    pub(super) also: Vec<String>,
}

/// The columns of a table, of a FROM or of a result, in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Columns {
    pub(super) list: Vec<Column>,
    /// Whether there may be others, which only the planner knows.
    pub(super) is_open: bool,
}

impl Columns {
    /// Returns columns that nobody knows.
    pub(super) fn unknown() -> Self {
        Self {
            list: Vec::new(),
            is_open: true,
        }
    }

    /// Returns the columns of a schema.
    pub(super) fn of_schema(schema: &Schema) -> Self {
        let fields = schema.fields().iter();
        Self {
            list: fields
                .map(|field| Column {
                    table: None,
                    name: field.name().clone(),
                    data_type: Some(field.data_type().clone()),
                    is_merged: false,
                    is_key: false,
                    also: Vec::new(),
                })
                .collect(),
            is_open: false,
        }
    }

    /// Returns the columns of the tables of a schema.
    pub(super) fn of_tables(schema: &DFSchema) -> Self {
        Self {
            list: schema
                .iter()
                .map(|(table, field)| Column {
                    table: table.map(|table| table.table().to_owned()),
                    name: field.name().clone(),
                    data_type: Some(field.data_type().clone()),
                    is_merged: false,
                    is_key: false,
                    also: Vec::new(),
                })
                .collect(),
            is_open: false,
        }
    }

    /// Adds a column of a result.
    pub(super) fn push(&mut self, name: String, data_type: Option<DataType>) {
        self.list.push(Column {
            table: None,
            name,
            data_type,
            is_merged: false,
            is_key: false,
            also: Vec::new(),
        });
    }

    /// Adds the columns of what stands beside.
    pub(super) fn extend(&mut self, others: Self) {
        self.list.extend(others.list);
        self.is_open |= others.is_open;
    }

    /// Returns the columns under the name of a table, and under names of their own as far as those go.
    pub(super) fn called(mut self, table: Option<&str>, names: &[String]) -> Self {
        for column in &mut self.list {
            column.table = table.map(ToOwned::to_owned);
            column.is_merged = false;
            column.is_key = false;
        }
        if self.list.is_empty() && self.is_open {
            for name in names {
                self.push(name.clone(), None);
            }
            if let Some(table) = table {
                for column in &mut self.list {
                    column.table = Some(table.to_owned());
                }
            }
            self.is_open = names.is_empty();
            return self;
        }
        for (column, name) in self.list.iter_mut().zip(names) {
            column.name.clone_from(name);
        }
        self
    }

    /// Returns the columns that `*` or `table.*` stands for.
    pub(super) fn shown(&self, table: Option<&str>) -> Vec<&Column> {
        self.list
            .iter()
            .filter(|column| match table {
                Some(table) => column.table.as_deref() == Some(table),
                None => !column.is_merged,
            })
            .collect()
    }

    /// Finds what a column's name stands for.
    pub(super) fn column(&self, wanted: &str) -> Meaning<'_> {
        named(self.list.iter(), wanted)
    }

    /// Finds what a column's name stands for in one table.
    pub(super) fn column_of(&self, table: &str, wanted: &str) -> Meaning<'_> {
        let columns = self
            .list
            .iter()
            .filter(|column| column.table.as_deref() == Some(table));
        named(columns, wanted)
    }

    /// Gives the only column a type.
    pub(super) fn of_type(mut self, data_type: DataType) -> Self {
        if let [only] = self.list.as_mut_slice() {
            only.data_type = Some(data_type);
        }
        self
    }

    /// Gives the only column names that find it too.
    pub(super) fn found_by(mut self, names: Vec<String>) -> Self {
        if let [only] = self.list.as_mut_slice() {
            only.also = names;
        }
        self
    }

    /// Finds what a table's name stands for.
    pub(super) fn table(&self, wanted: &str) -> Meaning<'_> {
        let tables = self
            .list
            .iter()
            .filter_map(|column| column.table.as_deref());
        meaning(tables, wanted)
    }

    /// Returns the type of a column.
    pub(super) fn data_type(&self, table: Option<&str>, name: &str) -> Option<&DataType> {
        let mut found = self.list.iter().filter(|column| {
            column.name == name && (table.is_none() || column.table.as_deref() == table)
        });
        found.next()?.data_type.as_ref()
    }
}

/// Finds what a name stands for among columns.
fn named<'a>(columns: impl Iterator<Item = &'a Column> + Clone, wanted: &str) -> Meaning<'a> {
    let found = meaning(columns.clone().map(|column| column.name.as_str()), wanted);
    if found != Meaning::Nothing {
        return found;
    }
    let mut others = columns.filter(|column| column.also.iter().any(|name| name == wanted));
    match (others.next(), others.next()) {
        (Some(only), None) => Meaning::Folded(&only.name),
        _ => Meaning::Nothing,
    }
}

/// Says whether an unquoted name cannot reach a name without its case being looked through.
pub(super) fn has_case(name: &str) -> bool {
    name.chars().any(char::is_uppercase)
}

/// Says whether a type has fields whose names have a case.
pub(super) fn has_cased_fields(data_type: &DataType) -> bool {
    match data_type {
        DataType::Struct(fields) => fields
            .iter()
            .any(|field| has_case(field.name()) || has_cased_fields(field.data_type())),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => has_cased_fields(field.data_type()),
        _ => false,
    }
}
