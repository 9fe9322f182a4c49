//! `mod(a, b)`, which is `a % b`.
//!
//! DataFusion has the operator alone. The call is written as one before types are made to fit, so that all that
//! holds for the operator holds for the call.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, internal_err, plan_err};
use datafusion::logical_expr::binary::BinaryTypeCoercer;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, LogicalPlan, Operator, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility, binary_expr, scalar_doc_sections::DOC_SECTION_MATH,
};
use datafusion::optimizer::AnalyzerRule;

use crate::function::is_call;

/// Returns the function, for whoever looks it up by name.
pub(crate) fn function() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(Remainder {
        signature: Signature::any(2, Volatility::Immutable),
    }))
}

/// Writes calls of `mod` with the operator.
#[derive(Debug)]
pub(crate) struct WriteRemainders;

impl AnalyzerRule for WriteRemainders {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| {
            let names = NamePreserver::new(&node);
            node.map_expressions(|expression| {
                let name = names.save(&expression);
                let written = expression.transform_up(|part| Ok(written(part)))?;
                Ok(written.update_data(|expression| name.restore(expression)))
            })
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "write_remainders"
    }
}

fn written(expression: Expr) -> Transformed<Expr> {
    if !is_call::<Remainder>(&expression) {
        return Transformed::no(expression);
    }
    match expression {
        Expr::ScalarFunction(mut call) if call.args.len() == 2 => {
            let divisor = call.args.remove(1);
            let dividend = call.args.remove(0);
            Transformed::yes(binary_expr(dividend, Operator::Modulo, divisor))
        }
        other => Transformed::no(other),
    }
}

/// The remainder of a division that is cut towards zero; it has the sign of the first argument.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Remainder {
    signature: Signature,
}

impl ScalarUDFImpl for Remainder {
    fn name(&self) -> &str {
        "mod"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let [dividend, divisor] = types else {
            return plan_err!("`mod` takes two numbers, as in mod(7, 3)");
        };
        BinaryTypeCoercer::new(dividend, &Operator::Modulo, divisor).get_result_type()
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("`mod` was not written as an operator")
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DOC_SECTION_MATH,
                "Returns the remainder of a division, with the sign of x; the same as x % y. \
                 A y of 0 is an error.",
                "mod(x, y)",
            )
            .with_sql_example("SELECT mod(7, 3), mod(-7, 3);")
            .with_argument("x", "A number.")
            .with_argument("y", "A number.")
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
