//! The session: one cell in, a stream of events out.
//!
//! It owns settings, variables, the catalog and DataFusion's state; it never prints.

#![forbid(unsafe_code)]

mod behaviour;
pub mod command;
mod conditions;
mod context;
mod drawing;
mod drive;
mod execute;
mod facts;
mod hiding;
mod hints;
mod keeping;
mod locks;
mod moment;
mod native;
mod options;
mod overlay;
mod parameters;
mod planning;
mod prepared;
mod queries;
mod requests;
mod results;
pub mod scope;
mod secrets;
mod session;
mod settings;
mod statement;
mod stream;
mod system;
pub mod table_functions;
mod temporary;
mod vocabulary;
mod writing;

pub use context::StatementContext;
pub use drawing::ToDraw;
pub use drive::{run as run_cell, run_statement};
pub use execute::{Output, count_rows};
pub use hints::{HintMode, HintSettings, LastHint, LastHints};
pub(crate) use locks::{read, write};
pub use moment::moment_text;
pub use options::{CatalogChoice, SessionOptions};
pub use overlay::Overlay;
pub use parameters::parse_parameter;
pub use prepared::Prepared;
pub use queries::QueryRecord;
pub use results::EarlierResult;
pub(crate) use results::FoundResult;
pub use session::Session;
pub use settings::{Setting, settings};
pub use statement::{Parsing, Statement, StatementKind, parse, starts_query};
pub use stream::EventStream;
pub(crate) use stream::{EventSender, unexpected_end};
pub(crate) use system::system_table;
pub use system::{columns_provider, find_system_table, system_provider};
pub use vocabulary::{Advisor, Vocabulary};
