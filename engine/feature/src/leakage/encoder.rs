//! Encoders in a query: whether they were fitted on the rows that they encode.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::common::{DFSchema, DFSchemaRef, DataFusionError};
use datafusion::logical_expr::Expr;
use lakesh_encoder::{EncoderKind, OutputDefinition, Provenance};
use lakesh_session::StatementContext;

use super::facts::{Fact, Linear, Origin, Term, contradictory};
use super::label::Label;
use super::lineage::{Dependency, Reach, Relation, Value, merge};
use super::walk::{CauseKind, Walker};

impl Walker<'_> {
    /// Notes that a value is encoded by what was learned elsewhere.
    pub(super) fn note_encoder(
        &mut self,
        value: &mut Value,
        output: &OutputDefinition,
        provenance: &Arc<Provenance>,
        expression: &Expr,
    ) {
        let cause = self.cause_of(
            CauseKind::Use,
            expression,
            Some(lakesh_session::scope::APPLY_ENCODER),
        );
        let encoder = self.encoders.len();
        self.encoders.push(Arc::clone(provenance));
        let scan = value.dependencies.first().map_or(0, |one| one.scan);
        let fitted = Dependency {
            cause: Some(cause),
            reach: Reach::Fitted {
                encoder,
                learns_target: matches!(output.encoder, EncoderKind::Target { .. }),
                name: output.name.clone(),
            },
            ..Dependency::own(scan, None)
        };
        merge(&mut value.dependencies, [fitted]);
    }

    /// Returns the applications of encoders that were fitted on rows which the label may be among.
    pub(super) fn fitted_here(
        &mut self,
        label: &Label,
        facts: &[Fact],
        context: &StatementContext,
    ) -> Vec<usize> {
        let mut here = Vec::new();
        for (number, provenance) in self.encoders.clone().iter().enumerate() {
            let mut scans: Vec<usize> = label.times.iter().map(|time| time.scan).collect();
            scans.dedup();
            scans.retain(|scan| {
                let location = self
                    .scans
                    .get(*scan)
                    .and_then(|scan| scan.location.as_ref());
                let mut tables = provenance.tables.iter();
                location.is_some() && tables.any(|table| table.location.as_ref() == location)
            });
            let meets = scans.into_iter().any(|scan| {
                // What cannot be understood is taken for what may meet.
                let apart = self.is_apart(scan, provenance, facts, context);
                !apart.unwrap_or(false)
            });
            if meets {
                here.push(number);
            }
        }
        here
    }

    /// Says whether the rows that an encoder was fitted on cannot be among those of the query, by what WHERE
    /// says of both.
    fn is_apart(
        &mut self,
        scan: usize,
        provenance: &Provenance,
        facts: &[Fact],
        context: &StatementContext,
    ) -> Result<bool, DataFusionError> {
        let Some(predicate) = &provenance.predicate else {
            return Ok(false);
        };
        let Some(table) = self.scans.get(scan) else {
            return Ok(false);
        };
        let columns = table.columns.iter();
        let fields: Vec<Field> = columns
            .map(|(name, data_type)| Field::new(name, data_type.clone(), true))
            .collect();
        let relation = Relation {
            columns: (0..fields.len())
                .map(|column| Value {
                    linear: Some(Linear::of(Term::Column(Origin { scan, column }))),
                    dependencies: Vec::new(),
                })
                .collect(),
            ..Relation::default()
        };
        let schema: DFSchemaRef = Arc::new(DFSchema::try_from(Schema::new(fields))?);
        let parsed = lakesh_sql::parse_expression(predicate)?;
        let condition = lakesh_session::scope::expression(
            &context.state,
            &schema,
            parsed,
            None,
            lakesh_session::scope::OwnFunctions::new(),
        )?;
        let theirs = self.facts(&condition, &schema, &relation)?;
        let all: Vec<&Fact> = facts.iter().chain(&theirs).collect();
        Ok(contradictory(&all))
    }
}
