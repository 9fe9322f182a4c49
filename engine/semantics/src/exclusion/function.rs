//! The window function that stands for another one over a frame from which rows are left out.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    AggregateUDF, LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;

use super::Exclusion;
use super::evaluate::{Evaluator, Over, Place};
use crate::window_aggregate::{Manner, call};

/// What is computed over the rows that remain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Computed {
    Aggregate(Arc<AggregateUDF>),
    First,
    Last,
    Nth,
}

impl Computed {
    fn name(&self) -> &str {
        match self {
            Self::Aggregate(function) => function.name(),
            Self::First => "first_value",
            Self::Last => "last_value",
            Self::Nth => "nth_value",
        }
    }
}

/// A function over its frame without some rows. Its arguments are those of the function that it stands for, and
/// behind them the condition of FILTER where there is one.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Without {
    /// Tells it from the same function over other rows.
    name: String,
    computed: Computed,
    exclusion: Exclusion,
    has_filter: bool,
    is_distinct: bool,
    signature: Signature,
}

impl Without {
    pub(super) fn new(
        computed: Computed,
        exclusion: Exclusion,
        has_filter: bool,
        is_distinct: bool,
    ) -> Self {
        let mut name = computed.name().to_owned();
        if has_filter {
            name.push_str(" FILTER");
        }
        if exclusion != Exclusion::NoOthers {
            name = format!("{name} EXCLUDE {exclusion}");
        }
        Self {
            name,
            computed,
            exclusion,
            has_filter,
            is_distinct,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    pub(super) fn has_filter(&self) -> bool {
        self.has_filter
    }

    /// Returns how many of its arguments are those of the function that it stands for.
    fn arguments(&self, all: usize) -> usize {
        all - usize::from(self.has_filter).min(all)
    }
}

impl WindowUDFImpl for Without {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let (arguments, filter) = types.split_at(self.arguments(types.len()));
        let mut coerced = match &self.computed {
            Computed::Aggregate(function) => {
                let fields = arguments.iter().enumerate();
                let fields: Vec<FieldRef> = fields
                    .map(|(place, data_type)| {
                        Arc::new(Field::new(place.to_string(), data_type.clone(), true))
                    })
                    .collect();
                let fields = fields_with_udf(&fields, function.as_ref())?;
                fields
                    .iter()
                    .map(|field| field.data_type().clone())
                    .collect()
            }
            Computed::First | Computed::Last => match arguments {
                [value] => vec![value.clone()],
                _ => return exec_err!("`{}` takes one argument", self.computed.name()),
            },
            Computed::Nth => match arguments {
                [value, _] => vec![value.clone(), DataType::Int64],
                _ => return exec_err!("`nth_value` takes two arguments"),
            },
        };
        coerced.extend(filter.iter().map(|_| DataType::Boolean));
        Ok(coerced)
    }

    fn field(&self, arguments: WindowUDFFieldArgs) -> Result<FieldRef> {
        let fields = arguments.input_fields();
        let fields = &fields[..self.arguments(fields.len())];
        let field = match (&self.computed, fields) {
            (Computed::Aggregate(function), fields) => function.return_field(fields)?,
            (_, [value, ..]) => Arc::new(value.as_ref().clone().with_nullable(true)),
            (_, []) => return exec_err!("`{}` takes an argument", self.computed.name()),
        };
        Ok(Arc::new(field.as_ref().clone().with_name(arguments.name())))
    }

    fn partition_evaluator(
        &self,
        arguments: PartitionEvaluatorArgs,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        let count = self.arguments(arguments.input_exprs().len());
        let ignores_nulls = arguments.ignore_nulls();
        let over = match &self.computed {
            Computed::Aggregate(function) => {
                let manner = Manner {
                    is_distinct: self.is_distinct,
                    ignores_nulls,
                };
                let expressions = &arguments.input_exprs()[..count];
                let fields = &arguments.input_fields()[..count];
                Over::aggregate(call(function, expressions, fields, manner)?, fields)
            }
            Computed::First => Over::one(Place::First, ignores_nulls),
            Computed::Last => Over::one(Place::Last, ignores_nulls),
            Computed::Nth => Over::one(Place::Nth, ignores_nulls),
        };
        Ok(Box::new(Evaluator::new(
            over,
            self.exclusion,
            count,
            self.has_filter,
        )))
    }

    /// The rows that a frame needs lie on both sides of it.
    fn limit_effect(&self, _: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::Unknown
    }
}
