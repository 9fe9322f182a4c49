//! Functions that give one of their arguments back: times among these meet in microseconds.
//!
//! `coalesce(valid_to, DATE '9999-12-31')` makes nanoseconds of both in DataFusion 55.2, and fails.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Result, plan_err};
use datafusion::execution::registry::FunctionRegistry;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};

use super::sides::one_type;
use super::{Zone, session_zone};

/// The functions, and how many of their first arguments are no candidates.
const FUNCTIONS: [(&str, usize); 6] = [
    ("coalesce", 0),
    ("nvl", 0),
    ("nvl2", 1),
    ("nullif", 0),
    ("greatest", 0),
    ("least", 0),
];

/// Returns how many arguments of a function are no candidates; `None` where it is another function.
pub(super) fn conditions(function: &str) -> Option<usize> {
    let found = FUNCTIONS.iter().find(|(name, _)| *name == function);
    found.map(|(_, conditions)| *conditions)
}

/// Returns the functions around those that are registered.
pub(super) fn functions(registry: &dyn FunctionRegistry) -> Result<Vec<Arc<ScalarUDF>>> {
    FUNCTIONS
        .iter()
        .map(|(name, conditions)| {
            let function = OneType {
                theirs: registry.udf(name)?,
                conditions: *conditions,
                zone: "UTC".into(),
                signature: Signature::user_defined(Volatility::Immutable),
            };
            Ok(Arc::new(ScalarUDF::from(function)))
        })
        .collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OneType {
    theirs: Arc<ScalarUDF>,
    conditions: usize,
    zone: Zone,
    signature: Signature,
}

impl OneType {
    /// Returns the types that DataFusion gives the arguments.
    fn coerced_by_theirs(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let fields: Vec<FieldRef> = types
            .iter()
            .map(|data_type| {
                let field = datafusion::arrow::datatypes::Field::new("", data_type.clone(), true);
                Arc::new(field)
            })
            .collect();
        let coerced = fields_with_udf(&fields, self.theirs.as_ref())?;
        let types = coerced.iter().map(|field| field.data_type().clone());
        Ok(types.collect())
    }
}

impl ScalarUDFImpl for OneType {
    fn name(&self) -> &str {
        self.theirs.name()
    }

    fn aliases(&self) -> &[String] {
        self.theirs.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn with_updated_config(&self, options: &ConfigOptions) -> Option<ScalarUDF> {
        Some(ScalarUDF::from(Self {
            theirs: Arc::clone(&self.theirs),
            conditions: self.conditions,
            zone: session_zone(options),
            signature: self.signature.clone(),
        }))
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if types.len() < self.conditions {
            return plan_err!("`{}` takes more arguments", self.name());
        }
        let candidates = &types[self.conditions..];
        let Some(to) = one_type(candidates.iter(), &self.zone) else {
            return self.coerced_by_theirs(types);
        };
        let conditions = types[..self.conditions].iter().cloned();
        Ok(conditions
            .chain(candidates.iter().map(|_| to.clone()))
            .collect())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.theirs.return_type(types)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.theirs.return_field_from_args(arguments)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.theirs.invoke_with_args(arguments)
    }

    fn conditional_arguments<'a>(
        &self,
        arguments: &'a [Expr],
    ) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.theirs.conditional_arguments(arguments)
    }

    fn short_circuits(&self) -> bool {
        self.theirs.short_circuits()
    }

    fn simplify(
        &self,
        arguments: Vec<Expr>,
        context: &SimplifyContext,
    ) -> Result<ExprSimplifyResult> {
        self.theirs.simplify(arguments, context)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.theirs.documentation()
    }
}
