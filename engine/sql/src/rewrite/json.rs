//! Casts to JSON: a text is checked and stays what it is, any other value is written as JSON.

use datafusion::sql::sqlparser::ast::{CastKind, DataType, Expr, Spanned, TypedString};

use super::call;

/// The function that a cast to JSON is.
const AS_JSON: &str = "lakesh_as_json";
/// The function that TRY_CAST to JSON is.
const TRY_AS_JSON: &str = "lakesh_try_as_json";

/// Writes a cast to JSON, and `JSON '…'`, as a call.
pub(super) fn rewrite(expression: &mut Expr) {
    let place = expression.span();
    let (value, name) = match expression {
        Expr::Cast {
            kind,
            expr,
            data_type: DataType::JSON | DataType::JSONB,
            ..
        } => {
            let name = match kind {
                CastKind::Cast | CastKind::DoubleColon => AS_JSON,
                CastKind::TryCast | CastKind::SafeCast => TRY_AS_JSON,
            };
            (expr.as_ref().clone(), name)
        }
        Expr::TypedString(TypedString {
            data_type: DataType::JSON | DataType::JSONB,
            value,
            ..
        }) => (Expr::Value(value.clone()), AS_JSON),
        _ => return,
    };
    *expression = call(name, vec![value], place);
}
