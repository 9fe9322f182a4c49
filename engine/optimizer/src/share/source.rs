//! The table that stands for a subplan while the plan around it is optimized. Nobody ever scans it.

use std::any::Any;
use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::{Column, Result, TableReference};
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, TableProviderFilterPushDown, TableScan,
    TableScanBuilder, TableSource,
};

/// A subplan and the table that stands for it.
pub(super) struct Placeholder {
    pub(super) subplan: LogicalPlan,
    name: TableReference,
    source: Arc<SharedSource>,
}

/// Takes the place of a subplan; conditions are handed to it, and stay where they were besides.
struct SharedSource {
    number: usize,
    schema: SchemaRef,
}

impl TableSource for SharedSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}

/// Returns the number of the subplan that a scan stands for, if it does.
pub(super) fn placeholder_of(scan: &TableScan) -> Option<usize> {
    let source: &dyn Any = scan.source.as_ref();
    let source: &SharedSource = source.downcast_ref()?;
    Some(source.number)
}

impl Placeholder {
    pub(super) fn new(number: usize, subplan: LogicalPlan) -> Result<Self> {
        let mut taken = HashSet::new();
        let fields = subplan.schema().fields().iter().enumerate();
        let fields = fields.map(|(place, field)| {
            let mut name = field.name().clone();
            while !taken.insert(name.clone()) {
                name = format!("{name}:{place}");
            }
            Field::clone(field).with_name(name)
        });
        let fields: Vec<Field> = fields.collect();
        let metadata = subplan.schema().metadata().clone();
        Ok(Self {
            source: Arc::new(SharedSource {
                number,
                schema: Arc::new(Schema::new_with_metadata(fields, metadata)),
            }),
            name: TableReference::bare(format!("__shared{number}")),
            subplan,
        })
    }

    /// Returns a column of the table.
    pub(super) fn column(&self, place: usize) -> Expr {
        let name = self.source.schema.field(place).name();
        Expr::Column(Column::new(Some(self.name.clone()), name))
    }

    /// Returns the subplan with the names of the table's columns.
    pub(super) fn renamed(&self) -> Result<LogicalPlan> {
        let columns = self.subplan.schema().iter();
        let columns = columns.zip(self.source.schema.fields());
        let columns = columns.map(|(from, to)| {
            let column = Expr::Column(Column::from(from));
            column.alias_qualified(Some(self.name.clone()), to.name())
        });
        LogicalPlanBuilder::from(self.subplan.clone())
            .project(columns)?
            .build()
    }

    /// Returns a scan of the table under the names of the subplan's columns.
    pub(super) fn scan(&self) -> Result<LogicalPlan> {
        let source: Arc<dyn TableSource> = Arc::clone(&self.source) as _;
        let scan = TableScanBuilder::new(self.name.clone(), source).build()?;
        let columns = self.subplan.schema().iter().enumerate();
        let columns = columns.map(|(place, (relation, field))| {
            let column = self.column(place);
            column.alias_qualified(relation.cloned(), field.name())
        });
        LogicalPlanBuilder::from(LogicalPlan::TableScan(scan))
            .project(columns)?
            .build()
    }
}
