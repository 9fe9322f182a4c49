//! The list of all functions: each entry owns its name, usage, summary, treatment of NULL and examples.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use datafusion::common::Result;
use datafusion::logical_expr::registry::FunctionRegistry;
use datafusion::logical_expr::{
    AggregateUDF, DocSection, Documentation, ScalarUDF, Signature, TypeSignature, Volatility,
    WindowUDF,
};

use crate::extract::{ExtractBehaviour, ExtractFunction};
use crate::row::{RowBehaviour, RowFunction};
use crate::validation::VALIDATION_FUNCTIONS;
use crate::window::{
    AggregateBehaviour, FeatureAggregate, PartitionBehaviour, PartitionFunction, WINDOW_FUNCTIONS,
};

/// The section under which DataFusion lists these functions.
const SECTION: DocSection = DocSection {
    include: true,
    label: "Feature Functions",
    description: None,
};

/// One function.
#[derive(Debug)]
pub struct Function {
    /// Its name in SQL.
    pub name: &'static str,
    /// How it is called.
    pub usage: &'static str,
    /// What it returns, in one sentence.
    pub summary: &'static str,
    /// What it does with NULL and with values outside its domain.
    pub nulls: &'static str,
    /// Statements that show it, each complete.
    pub examples: &'static [&'static str],
    /// The names of its parameters, for calls by name.
    pub(crate) parameters: &'static [&'static str],
    pub(crate) behaviour: Behaviour,
}

/// What a function does, by its kind.
#[derive(Debug)]
pub(crate) enum Behaviour {
    /// From the values of one row.
    Row(RowBehaviour),
    /// From a text of one row.
    Extract(ExtractBehaviour),
    /// From the rows of a group or of a frame.
    Aggregate(AggregateBehaviour),
    /// From the rows of a partition, whatever the frame.
    Partition(PartitionBehaviour),
}

/// What DataFusion takes a function for.
#[derive(Debug, Clone)]
pub enum FunctionKind {
    /// One value a row.
    Scalar(Arc<ScalarUDF>),
    /// One value a group or a frame.
    Aggregate(Arc<AggregateUDF>),
    /// One value a row of a partition.
    Window(Arc<WindowUDF>),
}

impl Function {
    /// Makes the function that DataFusion runs.
    pub fn implementation(&'static self) -> FunctionKind {
        match &self.behaviour {
            Behaviour::Row(behaviour) => {
                FunctionKind::Scalar(Arc::new(ScalarUDF::from(RowFunction::new(self, behaviour))))
            }
            Behaviour::Extract(behaviour) => FunctionKind::Scalar(Arc::new(ScalarUDF::from(
                ExtractFunction::new(self, behaviour),
            ))),
            Behaviour::Aggregate(behaviour) => FunctionKind::Aggregate(Arc::new(
                AggregateUDF::from(FeatureAggregate::new(self, behaviour)),
            )),
            Behaviour::Partition(behaviour) => FunctionKind::Window(Arc::new(WindowUDF::from(
                PartitionFunction::new(self, behaviour),
            ))),
        }
    }

    /// The signature: types are checked by the function itself, which can say what is wrong.
    pub(crate) fn signature(&self) -> Signature {
        let mut signature = Signature::new(TypeSignature::UserDefined, Volatility::Immutable);
        if !self.parameters.is_empty() {
            let names = self.parameters.iter().map(|name| (*name).to_owned());
            signature.parameter_names = Some(names.collect());
        }
        signature
    }

    /// The entry as DataFusion shows it.
    pub(crate) fn documentation(&self) -> Option<&'static Documentation> {
        static ALL: LazyLock<HashMap<&'static str, Documentation>> = LazyLock::new(|| {
            let document = |function: &Function| {
                let text = format!("{} {}", function.summary, function.nulls);
                let builder = Documentation::builder(SECTION, text, function.usage);
                builder
                    .with_sql_example(function.examples.join("\n"))
                    .build()
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
    static ALL: LazyLock<Vec<&'static Function>> = LazyLock::new(|| {
        [
            crate::row::ROW_FUNCTIONS,
            WINDOW_FUNCTIONS,
            VALIDATION_FUNCTIONS,
            crate::extract::EXTRACT_FUNCTIONS,
        ]
        .concat()
    });
    &ALL
}

/// Registers all functions, replacing others of their names.
pub fn register(registry: &mut dyn FunctionRegistry) -> Result<()> {
    for function in functions() {
        match function.implementation() {
            FunctionKind::Scalar(function) => drop(registry.register_udf(function)?),
            FunctionKind::Aggregate(function) => drop(registry.register_udaf(function)?),
            FunctionKind::Window(function) => drop(registry.register_udwf(function)?),
        }
    }
    Ok(())
}
