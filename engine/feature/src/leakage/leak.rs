//! The ways in which a feature can know what it must not, and what to do about each.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::error::ArrowError;

/// What is wrong with a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeakKind {
    /// It is the target, or computed of the target of its own row.
    Target,
    /// An encoder that was fitted on the evaluated rows' targets.
    TargetEncoding,
    /// An encoder that was fitted on the evaluated rows.
    Encoder,
    /// A window that reaches behind the current row.
    FutureRows,
    /// A window over all rows of the partition.
    WholePartition,
    /// An aggregate over rows of any time.
    WholeTable,
    /// A join to rows of any time.
    UnboundedJoin,
    /// A comparison that admits the label's own time.
    EqualTime,
    /// A window in which rows of the same time see each other.
    Ties,
    /// A window whose order is not known to be that of the label's time.
    OtherOrder,
    /// A part of the plan that cannot be followed.
    Unknown,
}

/// One feature that can know too much.
#[derive(Debug, Clone)]
pub(super) struct Leak {
    pub(super) feature: String,
    pub(super) kind: LeakKind,
    /// The table whose rows are seen, or the encoder.
    pub(super) of: String,
    pub(super) cause: usize,
    /// The feature's own expression.
    pub(super) used_at: usize,
}

/// The names that texts are made with.
pub(super) struct Words<'a> {
    pub(super) time: &'a str,
    pub(super) target: &'a str,
}

impl LeakKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::TargetEncoding => "target encoding",
            Self::Encoder => "encoder",
            Self::FutureRows => "future rows",
            Self::WholePartition => "whole partition",
            Self::WholeTable => "whole table",
            Self::UnboundedJoin => "join without a time",
            Self::EqualTime => "equal time",
            Self::Ties => "ties",
            Self::OtherOrder => "other order",
            Self::Unknown => "cannot tell",
        }
    }

    /// High: rows of the future or the target. Medium: rows of the same moment, or what all rows have in
    /// common. Low: nothing shows that there is none.
    pub(super) fn severity(self) -> &'static str {
        match self {
            Self::EqualTime | Self::Ties | Self::Encoder => "medium",
            Self::OtherOrder | Self::Unknown => "low",
            _ => "high",
        }
    }

    pub(super) fn why(self, of: &str, words: &Words<'_>) -> String {
        let Words { time, target } = words;
        match self {
            Self::Target => {
                format!("it is computed of `{target}` of its own row, or of rows at its time")
            }
            Self::TargetEncoding => format!(
                "encoder `{of}` was fitted on rows that are encoded here: each encoding knows its own row's target"
            ),
            Self::Encoder => {
                format!("encoder `{of}` was fitted on rows that are encoded here, later ones too")
            }
            Self::FutureRows => format!("it sees rows of `{of}` that come after the row itself"),
            Self::WholePartition => format!(
                "without ORDER BY the window covers all rows of `{of}` in the partition, later ones too"
            ),
            Self::WholeTable => format!("it is computed of rows of `{of}` whatever their time"),
            Self::UnboundedJoin => format!(
                "nothing in the query says that the rows of `{of}` are from before `{time}`"
            ),
            Self::EqualTime => format!("rows of `{of}` at exactly `{time}` are seen"),
            Self::Ties => {
                format!("rows of `{of}` that tie in ORDER BY are seen, some of them at `{time}`")
            }
            Self::OtherOrder => format!(
                "the rows of `{of}` are ordered by something that the query does not relate to `{time}`"
            ),
            Self::Unknown => {
                format!("it depends on `{of}`, and what that depends on cannot be told")
            }
        }
    }

    pub(super) fn remedy(self, words: &Words<'_>) -> String {
        let Words { time, target } = words;
        match self {
            Self::Target => format!(
                "leave it out, or use `{target}` of earlier rows only: ROWS BETWEEN … AND 1 PRECEDING"
            ),
            Self::TargetEncoding => {
                "TRANSFORM … CROSS FIT encodes each row from the others; or fit on other rows"
                    .to_owned()
            }
            Self::Encoder => {
                "fit the encoder on earlier rows, with WHERE in CREATE ENCODER, or CROSS FIT"
                    .to_owned()
            }
            Self::FutureRows => {
                "end the frame at the row: ROWS BETWEEN … AND CURRENT ROW; lag instead of lead"
                    .to_owned()
            }
            Self::WholePartition => {
                format!("add ORDER BY {time} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW")
            }
            Self::WholeTable => format!(
                "aggregate only rows from before: compare their time with {time} in the join or in WHERE"
            ),
            Self::UnboundedJoin => {
                format!("ASOF JOIN … MATCH_CONDITION ({time} > …), or compare the times in ON")
            }
            Self::EqualTime => "use > instead of >=, < instead of <=".to_owned(),
            Self::Ties => {
                "write ROWS in place of the default RANGE frame, or end it at 1 PRECEDING"
                    .to_owned()
            }
            Self::OtherOrder => format!("order the window by {time}"),
            Self::Unknown => "write the query without that part, or check it by hand".to_owned(),
        }
    }
}

/// A leak with its texts, as the result shows it.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) feature: String,
    pub(super) kind: LeakKind,
    pub(super) expression: String,
    pub(super) place: String,
    pub(super) why: String,
    pub(super) remedy: String,
}

/// Makes the result: a row a leak.
pub(super) fn rows(rows: &[Row]) -> Result<RecordBatch, ArrowError> {
    let column = |text: &dyn Fn(&Row) -> String| {
        let texts: Vec<String> = rows.iter().map(text).collect();
        Arc::new(StringArray::from(texts)) as ArrayRef
    };
    RecordBatch::try_from_iter_with_nullable([
        ("feature", column(&|row| row.feature.clone()), false),
        ("leak", column(&|row| row.kind.name().to_owned()), false),
        (
            "severity",
            column(&|row| row.kind.severity().to_owned()),
            false,
        ),
        ("expression", column(&|row| row.expression.clone()), false),
        ("place", column(&|row| row.place.clone()), false),
        ("why", column(&|row| row.why.clone()), false),
        ("remedy", column(&|row| row.remedy.clone()), false),
    ])
}
