//! Functions whose body is Rust: compiled by the installed `rustc` into a shared library, and called for
//! whole batches.
//!
//! A body runs inside this process with all its rights: it can read and write files, and a mistake in
//! `unsafe` code, an endless loop or a stack overflow takes the process with it. Only panics are caught.
//! Whether such functions may run at all is up to the session (`Session::native_functions`).

mod cache;
mod call;
mod compile;
mod function;
mod source;
mod types;

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;
use lakesh_sql::SqlFunction;
use lakesh_text::failure::{Failure, FailureKind};

pub use function::is_native;
use types::NativeType;

/// A function with a body in Rust, its types known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NativeDefinition {
    pub(crate) name: String,
    pub(crate) parameters: Vec<(String, NativeType)>,
    pub(crate) returns: NativeType,
    /// Whether a NULL among the arguments gives NULL, so that the body sees values.
    pub(crate) strict: bool,
    pub(crate) body: String,
}

/// What a compiler refuses in a body, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileError {
    /// The offset into the body, in bytes; `None` where it is not in the body.
    pub at: Option<usize>,
    pub(crate) failure: Box<Refusal>,
}

/// What is wrong, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) hints: Vec<String>,
}

impl NativeDefinition {
    /// Reads the types of a declared function.
    pub fn new(
        name: &str,
        function: &SqlFunction,
        parameters: &[DataType],
        returns: &DataType,
    ) -> Result<Self, Failure> {
        let native = |data_type: &DataType, what: &str| {
            NativeType::of(data_type).ok_or_else(|| {
                Failure::new(
                    FailureKind::Plan,
                    format!(
                        "{what} is {}, which a function in Rust cannot have",
                        lakesh_text::failure::sql_type_name(data_type)
                    ),
                )
                .hint("booleans, whole numbers, REAL, DOUBLE and VARCHAR can be; CAST in the call, times to BIGINT or VARCHAR")
            })
        };
        let named = function.parameters.iter().zip(parameters);
        let parameters = named
            .map(|(parameter, data_type)| {
                let what = format!("parameter `{}`", parameter.name);
                Ok((parameter.name.clone(), native(data_type, &what)?))
            })
            .collect::<Result<_, Failure>>()?;
        Ok(Self {
            name: name.to_owned(),
            parameters,
            returns: native(returns, "the result")?,
            strict: function.strict,
            body: function.body.clone(),
        })
    }

    /// Compiles the function, unless that was done before, and loads it.
    ///
    /// The compiler is looked for in `program_path`, folders as in `PATH`; what it makes is kept in
    /// `cache_folder`.
    pub fn load(
        self,
        program_path: &str,
        cache_folder: &Path,
    ) -> Result<Arc<ScalarUDF>, CompileError> {
        let library = cache::library(&self, program_path, cache_folder)?;
        Ok(Arc::new(function::function(self, library)))
    }
}

impl CompileError {
    /// Makes one that is not about a place in the body.
    fn outside(message: impl Into<String>, hint: Option<&str>) -> Self {
        Self {
            at: None,
            failure: Box::new(Refusal {
                message: message.into(),
                hints: hint.into_iter().map(str::to_owned).collect(),
            }),
        }
    }

    /// Makes the failure of a statement.
    pub fn into_failure(self) -> Failure {
        let mut failure = Failure::new(FailureKind::Plan, self.failure.message);
        failure.hints = self.failure.hints;
        failure
    }
}
