//! `rolling_rank`: where the current value stands among those of its frame.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};

use super::{AggregateBehaviour, Call, Implementation};
use crate::frame_rule::FrameUse;
use crate::kernel::{Formula, OrderStatistics, Rolling, RollingFormula};
use crate::number::Numbers;
use crate::registry::{Behaviour, Function};
use crate::types::{check_count, number_or_time, text};

pub(super) static ROLLING_RANK: Function = Function {
    name: "rolling_rank",
    usage: "rolling_rank(x [, method [, pct]]) OVER (… ROWS BETWEEN n PRECEDING AND CURRENT ROW)",
    summary: "Returns the rank of the current row's x among the values of the frame, the smallest being 1; equal ones share a rank: 'average' (the default), 'min', 'max' or 'dense'. With pct the rank is divided by how many values there are.",
    nulls: "NULL if x of the current row is NULL; other rows whose x is NULL are left out. NaN is the largest value, as in ORDER BY.",
    examples: &[
        "SELECT rolling_rank(x, 'min') OVER (ORDER BY t ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM (VALUES (1, 2.0), (2, 4.0), (3, 3.0)) AS s(t, x);",
        "SELECT rolling_rank(x, method => 'average', pct => true) OVER (ORDER BY x ROWS UNBOUNDED PRECEDING) FROM (VALUES (2), (4)) AS s(x);",
    ],
    parameters: &["x", "method", "pct"],
    behaviour: Behaviour::Aggregate(AggregateBehaviour {
        coerce,
        returns: |_| Ok(DataType::Float64),
        frame: FrameUse::CurrentRow {
            instead: "is about the current row; write it with OVER (… ORDER BY …)",
        },
        state: |_| Vec::new(),
        implementation: Implementation::Rolling(make),
    }),
};

fn coerce(types: &[DataType]) -> Result<Vec<DataType>> {
    check_count("rolling_rank", types, 1..=3)?;
    let mut coerced = vec![number_or_time("rolling_rank", &types[0])?];
    if let Some(method) = types.get(1) {
        coerced.push(text("rolling_rank", "its method", method)?);
    }
    match types.get(2) {
        None => {}
        Some(DataType::Boolean | DataType::Null) => coerced.push(DataType::Boolean),
        Some(other) => return plan_err!("`rolling_rank` takes true or false as pct, not {other}"),
    }
    Ok(coerced)
}

/// How equal values are ranked.
#[derive(Debug, Clone, Copy)]
enum Method {
    Average,
    Smallest,
    Largest,
    Dense,
}

fn make(call: &Call, slides: bool) -> Result<Box<dyn Rolling>> {
    let word = call.constant(1, "its method")?.map(ToString::to_string);
    let method = match word.as_deref().unwrap_or("average") {
        "average" => Method::Average,
        "min" => Method::Smallest,
        "max" => Method::Largest,
        "dense" => Method::Dense,
        other => {
            return plan_err!(
                "`rolling_rank` has the methods 'average', 'min', 'max' and 'dense', and no '{other}'"
            );
        }
    };
    let share = call.constant(2, "pct")? == Some(&ScalarValue::Boolean(Some(true)));
    Ok(match call.types[0] {
        DataType::Decimal128(..) | DataType::UInt64 => Box::new(RollingFormula::new(
            RollingRank::<i128>::new(method, share, slides),
        )),
        _ => Box::new(RollingFormula::new(RollingRank::<i64>::new(
            method, share, slides,
        ))),
    })
}

/// An integer that orders the values of a column.
trait Key: Debug + Copy + Ord + Send + Sync + 'static {
    fn of(key: i128) -> Self;
}

impl Key for i128 {
    fn of(key: i128) -> Self {
        key
    }
}

impl Key for i64 {
    fn of(key: i128) -> Self {
        // Only columns whose keys are made of 64 bits are read as such.
        key as i64
    }
}

#[derive(Debug)]
struct RollingRank<K> {
    keys: OrderStatistics<K>,
    /// The rows of the frame in their order, if rows leave.
    rows: VecDeque<(u64, K)>,
    slides: bool,
    method: Method,
    share: bool,
}

impl<K: Key> RollingRank<K> {
    fn new(method: Method, share: bool, slides: bool) -> Self {
        Self {
            keys: OrderStatistics::default(),
            rows: VecDeque::new(),
            slides,
            method,
            share,
        }
    }
}

impl<K: Key> Formula for RollingRank<K> {
    type Item = K;
    type Output = f64;

    fn needs_current(&self) -> bool {
        true
    }

    fn read(&self, columns: &[Numbers], row: usize, _position: u64) -> Option<K> {
        columns[0].key(row).map(K::of)
    }

    fn push(&mut self, position: u64, key: K) {
        self.keys.insert(key);
        if self.slides {
            self.rows.push_back((position, key));
        }
    }

    fn expire(&mut self, first: u64) {
        while let Some((position, key)) = self.rows.front().copied()
            && position < first
        {
            self.keys.remove(key);
            self.rows.pop_front();
        }
    }

    fn value(&self, current: Option<K>) -> Option<f64> {
        let standing = self.keys.standing(current?);
        let (below, equal) = (standing.below as f64, standing.equal as f64);
        let rank = match self.method {
            Method::Average => below + (equal + 1.0) / 2.0,
            Method::Smallest => below + 1.0,
            Method::Largest => below + equal,
            Method::Dense => standing.distinct_below as f64 + 1.0,
        };
        Some(match self.share {
            true => rank / self.keys.len() as f64,
            false => rank,
        })
    }

    fn collect(&self, values: Vec<Option<f64>>) -> Result<ArrayRef> {
        Ok(Arc::new(Float64Array::from(values)))
    }

    fn clear(&mut self) {
        self.keys.clear();
        self.rows.clear();
    }

    fn size(&self) -> usize {
        self.keys.size() + self.rows.capacity() * size_of::<(u64, K)>()
    }
}
