//! `date_part`, and `extract`, of TIMESTAMPTZ by the clock of the session.
//!
//! DataFusion 55.2 goes by the zone of the column, makes nanoseconds of texts, and takes `date_part('year', ts) =
//! 2024` for a range in UTC.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int32Type, TimeUnit};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::datetime;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};

use super::{is_text, is_utc, session_zone};

static PART: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Arc::new(ScalarUDF::from(Part {
        theirs: datetime::date_part(),
        signature: Signature::user_defined(Volatility::Immutable),
    }))
});

/// Returns the function.
pub(super) fn function() -> Arc<ScalarUDF> {
    Arc::clone(&PART)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Part {
    theirs: Arc<ScalarUDF>,
    signature: Signature,
}

impl ScalarUDFImpl for Part {
    fn name(&self) -> &str {
        self.theirs.name()
    }

    fn aliases(&self) -> &[String] {
        self.theirs.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [part, value] = types else {
            return plan_err!("`date_part` takes a part and a date, time or interval");
        };
        if is_text(value) {
            let moment = DataType::Timestamp(TimeUnit::Microsecond, None);
            return Ok(vec![part.clone(), moment]);
        }
        let fields = types.iter().map(|data_type| {
            let field = Field::new("", data_type.clone(), true);
            Arc::new(field)
        });
        let fields: Vec<FieldRef> = fields.collect();
        let coerced = fields_with_udf(&fields, self.theirs.as_ref())?;
        let types = coerced.iter().map(|field| field.data_type().clone());
        Ok(types.collect())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.theirs.return_type(types)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.theirs.return_field_from_args(arguments)
    }

    fn invoke_with_args(&self, mut arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if let Some(value) = arguments.args.get_mut(1)
            && let DataType::Timestamp(unit, Some(_)) = value.data_type()
        {
            let zone = session_zone(&arguments.config_options);
            *value = value.cast_to(&DataType::Timestamp(unit, Some(zone)), None)?;
        }
        match arguments.args.first().and_then(long_part) {
            Some(part) => self.long(arguments, part),
            None => self.theirs.invoke_with_args(arguments),
        }
    }

    fn preimage(
        &self,
        arguments: &[Expr],
        literal: &Expr,
        context: &SimplifyContext,
    ) -> Result<PreimageResult> {
        if let Some(value) = arguments.get(1)
            && let DataType::Timestamp(_, Some(zone)) = context.get_data_type(value)?
            && !(is_utc(&zone) && is_utc(&session_zone(context.config_options())))
        {
            return Ok(PreimageResult::None);
        }
        let part = arguments.first().and_then(Expr::as_literal);
        if part.is_some_and(|part| long_part(&ColumnarValue::Scalar(part.clone())).is_some()) {
            return Ok(PreimageResult::None);
        }
        self.theirs.preimage(arguments, literal, context)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.theirs.documentation()
    }
}

impl Part {
    /// Computes a part of many years from the year.
    fn long(&self, mut arguments: ScalarFunctionArgs, part: LongPart) -> Result<ColumnarValue> {
        if let Some(name) = arguments.args.get_mut(0) {
            *name = ColumnarValue::Scalar(ScalarValue::from("year"));
        }
        Ok(match self.theirs.invoke_with_args(arguments)? {
            ColumnarValue::Array(years) => {
                let years = years.as_primitive::<Int32Type>();
                ColumnarValue::Array(Arc::new(years.unary::<_, Int32Type>(|year| part.of(year))))
            }
            ColumnarValue::Scalar(ScalarValue::Int32(year)) => {
                ColumnarValue::Scalar(ScalarValue::Int32(year.map(|year| part.of(year))))
            }
            other => other,
        })
    }
}

/// The parts of a date that DataFusion does not know.
#[derive(Debug, Clone, Copy)]
enum LongPart {
    Decade,
    Century,
    Millennium,
}

impl LongPart {
    /// Counts as PostgreSQL does: decades begin with years that end in 0, centuries with those that end in 1, and
    /// there is no century 0. The year 0 is 1 BC.
    fn of(self, year: i32) -> i32 {
        let since_one = |years: i32| match year > 0 {
            true => (year - 1) / years + 1,
            false => year / years - 1,
        };
        match self {
            Self::Decade => year.div_euclid(10),
            Self::Century => since_one(100),
            Self::Millennium => since_one(1_000),
        }
    }
}

fn long_part(name: &ColumnarValue) -> Option<LongPart> {
    let ColumnarValue::Scalar(name) = name else {
        return None;
    };
    match name.try_as_str()??.to_lowercase().as_str() {
        "decade" | "decades" => Some(LongPart::Decade),
        "century" | "centuries" => Some(LongPart::Century),
        "millennium" | "millenniums" | "millennia" => Some(LongPart::Millennium),
        _ => None,
    }
}
