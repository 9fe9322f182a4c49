//! `\crosstabview`: the rows of a query as a table of two directions.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use lakesh_event::event::Summary;
use lakesh_session::command::{Argument, Arguments, Command, Invocation};
use lakesh_text::failure::{Failure, FailureKind};

use super::query::{Rows, rows, send};

/// More rows than this nobody reads as a table of two directions.
const MOST_ROWS: usize = 1_000_000;

/// The most columns, psql's own limit.
const MOST_COLUMNS: usize = 1_600;

pub(super) struct Crosstab;

#[async_trait]
impl Command for Crosstab {
    fn names(&self) -> &'static [&'static str] {
        &["crosstabview", "crosstab"]
    }

    fn usage(&self) -> &'static str {
        "\\crosstabview [DOWN [ACROSS [VALUE [ORDER]]]]"
    }

    fn summary(&self) -> &'static str {
        "shows the query that it ends with one column down, one across, and one as the values"
    }

    fn examples(&self) -> &'static [&'static str] {
        &["SELECT a, b, a * b AS c FROM (VALUES (1, 1), (1, 2), (2, 1)) AS t(a, b) \\crosstabview"]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=4)
    }

    fn takes_statement(&self) -> bool {
        true
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let rows = rows(invocation, MOST_ROWS).await?;
        let columns = Columns::find(invocation, &rows)?;
        let batch = crossed(&rows, &columns)?;
        let count = send(invocation, batch).await?;
        Ok(Summary {
            rows: Some(count),
            returned_rows: true,
            ..invocation.done()
        })
    }
}

/// Which column of the query has which part.
struct Columns {
    down: usize,
    across: usize,
    value: usize,
    order: Option<usize>,
}

impl Columns {
    fn find(invocation: &Invocation, rows: &Rows) -> Result<Self, Failure> {
        let names = rows.names();
        if names.len() < 3 {
            return Err(invocation
                .wrong("`\\crosstabview` needs three columns: down, across and the value"));
        }
        let named = |position: usize| {
            let argument = invocation.argument(position);
            argument
                .map(|argument| column(invocation, argument, &names))
                .transpose()
        };
        let down = named(0)?.unwrap_or(0);
        let across = named(1)?.unwrap_or(1);
        let order = named(3)?;
        let left = (0..names.len())
            .find(|column| ![Some(down), Some(across), order].contains(&Some(*column)));
        let value = named(2)?.or(left).unwrap_or(2);
        if down == across {
            return Err(invocation.wrong("the columns down and across are the same"));
        }
        Ok(Self {
            down,
            across,
            value,
            order,
        })
    }
}

/// Finds a column by its name or its number, which begins with 1.
fn column(
    invocation: &Invocation,
    argument: &Argument,
    names: &[String],
) -> Result<usize, Failure> {
    let number = argument.value.parse::<usize>().ok();
    let found = match number {
        Some(number) => number.checked_sub(1).filter(|place| *place < names.len()),
        None => names
            .iter()
            .position(|name| *name == argument.value)
            .or_else(|| {
                names
                    .iter()
                    .position(|name| name.eq_ignore_ascii_case(&argument.value))
            }),
    };
    found.ok_or_else(|| {
        invocation
            .wrong(format!("the query has no column `{}`", argument.value))
            .hint(format!("columns: {}", names.join(", ")))
            .at(argument.place.clone())
    })
}

/// Different values in the order in which they came.
#[derive(Default)]
struct Values {
    values: Vec<Option<String>>,
    places: HashMap<Option<String>, usize>,
}

impl Values {
    /// Returns the place of a value, which is added if it is new.
    fn place(&mut self, value: &Option<String>) -> usize {
        if let Some(place) = self.places.get(value) {
            return *place;
        }
        let place = self.values.len();
        self.values.push(value.clone());
        self.places.insert(value.clone(), place);
        place
    }
}

/// Makes the table. Rows and columns come in the order in which the query has them, or by `order`.
fn crossed(rows: &Rows, columns: &Columns) -> Result<RecordBatch, Failure> {
    let usage = |message: String| Failure::new(FailureKind::Usage, message);
    let (mut down, mut across) = (Values::default(), Values::default());
    let mut orders: Vec<Option<String>> = Vec::new();
    let mut cells: Vec<(usize, usize, Option<String>)> = Vec::new();
    for row in rows.texts() {
        let line = down.place(&row[columns.down]);
        let column = across.place(&row[columns.across]);
        if across.values.len() > MOST_COLUMNS {
            let message = format!("there would be more than {MOST_COLUMNS} columns");
            return Err(usage(message));
        }
        if let Some(order) = columns.order
            && orders.len() < across.values.len()
        {
            orders.push(row[order].clone());
        }
        cells.push((line, column, row[columns.value].clone()));
    }
    let (down, across) = (down.values, across.values);
    let mut grid = vec![vec![None; down.len()]; across.len()];
    let mut filled = vec![vec![false; down.len()]; across.len()];
    for (line, column, value) in cells {
        if std::mem::replace(&mut filled[column][line], true) {
            let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "NULL".to_owned());
            let message = format!(
                "there are two values for `{}` and `{}`",
                shown(&down[line]),
                shown(&across[column])
            );
            return Err(usage(message).hint("let the query have one, with GROUP BY"));
        }
        grid[column][line] = value;
    }
    let mut sequence: Vec<usize> = (0..across.len()).collect();
    if columns.order.is_some() {
        let number = |column: &usize| {
            let text = orders[*column].as_deref().unwrap_or_default();
            text.parse::<f64>().unwrap_or(f64::INFINITY)
        };
        sequence.sort_by(|left, right| number(left).total_cmp(&number(right)));
    }
    let name = rows.schema.field(columns.down).name().clone();
    let mut fields = vec![Field::new(name, DataType::Utf8, true)];
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(StringArray::from(down))];
    for column in sequence {
        let name = across[column].clone().unwrap_or_else(|| "NULL".to_owned());
        fields.push(Field::new(name, DataType::Utf8, true));
        arrays.push(Arc::new(StringArray::from(std::mem::take(
            &mut grid[column],
        ))));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(Failure::from_error)
}
