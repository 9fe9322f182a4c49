//! What is believed of a Parquet file's footer, and what is not.
//!
//! DataFusion 55.2 takes every bound in a footer for one that holds: it leaves row groups and pages out
//! by them, takes a column whose smallest and largest value are the same for a constant, and answers
//! min and max from them. But the format leaves NaN out of the bounds of floats (apache/datafusion
//! 15812, pull request 24804), old writers compared texts byte by byte as signed numbers, row groups
//! may lack bounds that others have (25226), and a count of NULLs that is missing counts as none.
//!
//! So every footer passes through here on its way to the scan: [`footer`] takes out what does not hold,
//! [`bounds`] says what does, [`summary`] makes a file's statistics of what is left, and [`reader`]
//! stands between the files and DataFusion's scan.

mod bounds;
mod footer;
mod reader;
mod summary;

pub(crate) use reader::with_believing_readers;
pub(crate) use summary::file_summary;
