//! What a query says about the order of its columns: `a.t < b.t`, and what follows from several such.

use std::cmp::Ordering;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;

/// A column of one use of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Origin {
    /// Which use of a table; one that stands twice in a query is two.
    pub(super) scan: usize,
    pub(super) column: usize,
}

/// What can be before or after something.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Term {
    Column(Origin),
    Constant(ScalarValue),
}

/// An expression that can be compared: one of some terms, moved by a constant or rounded down.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Linear {
    /// Several where the rows come from several branches of a union.
    pub(super) terms: Vec<Term>,
    /// Whether the value is less than the term, equal to it or greater.
    pub(super) shift: Ordering,
    /// What it was rounded down to, such as days.
    pub(super) rounding: Option<String>,
}

/// `before <= after`, or `<` if strict.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fact {
    pub(super) before: Term,
    pub(super) after: Term,
    pub(super) strict: bool,
    /// The expression that says so.
    pub(super) cause: usize,
}

/// How one term is known to be before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) strict: bool,
    /// The first expression on the way that leads from one table to another.
    pub(super) cause: Option<usize>,
}

impl Linear {
    pub(super) fn of(term: Term) -> Self {
        Self {
            terms: vec![term],
            shift: Ordering::Equal,
            rounding: None,
        }
    }

    /// Returns the columns whose values it has unchanged.
    pub(super) fn exact(&self) -> impl Iterator<Item = Origin> {
        let is_exact = self.shift == Ordering::Equal && self.rounding.is_none();
        self.columns().filter(move |_| is_exact)
    }

    /// Returns the columns that it was made of.
    pub(super) fn columns(&self) -> impl Iterator<Item = Origin> {
        self.terms.iter().filter_map(|term| match term {
            Term::Column(origin) => Some(*origin),
            Term::Constant(_) => None,
        })
    }

    pub(super) fn constant(&self) -> Option<&ScalarValue> {
        match self.terms.as_slice() {
            [Term::Constant(value)] => Some(value),
            _ => None,
        }
    }

    /// Moves it by a constant with this sign; nothing is known where it was moved the other way before.
    pub(super) fn moved(mut self, sign: Ordering) -> Option<Self> {
        self.shift = match (self.shift, sign) {
            (Ordering::Equal, sign) => sign,
            (shift, Ordering::Equal) => shift,
            (shift, sign) if shift == sign => shift,
            _ => return None,
        };
        Some(self)
    }
}

/// Lists what a comparison says about the order of the terms.
pub(super) fn comparison(
    left: &Linear,
    operator: Operator,
    right: &Linear,
    cause: usize,
) -> Vec<Fact> {
    match operator {
        Operator::Lt => before(left, right, true, cause),
        Operator::LtEq => before(left, right, false, cause),
        Operator::Gt => before(right, left, true, cause),
        Operator::GtEq => before(right, left, false, cause),
        Operator::Eq => {
            let mut facts = before(left, right, false, cause);
            facts.extend(before(right, left, false, cause));
            facts
        }
        _ => Vec::new(),
    }
}

fn before(earlier: &Linear, later: &Linear, strict: bool, cause: usize) -> Vec<Fact> {
    // t + s < u + v says t < u + (v - s).
    let net = match (earlier.shift, later.shift) {
        (Ordering::Equal, shift) => shift,
        (shift, Ordering::Equal) => shift.reverse(),
        (Ordering::Greater, Ordering::Less) => Ordering::Less,
        _ => Ordering::Greater,
    };
    if net == Ordering::Greater {
        return Vec::new();
    }
    // The day of t is before the day of u only if t is before u; the same day says nothing.
    if let Some(rounding) = &earlier.rounding {
        let same = later.rounding.as_ref() == Some(rounding);
        let is_day = rounding == DAY && later.constant().is_some();
        if !strict || !(same || is_day) {
            return Vec::new();
        }
    }
    let strict = strict || net == Ordering::Less;
    let pairs = earlier
        .terms
        .iter()
        .flat_map(|before| later.terms.iter().map(move |after| (before, after)));
    pairs
        .map(|(before, after)| Fact {
            before: before.clone(),
            after: after.clone(),
            strict,
            cause,
        })
        .collect()
}

/// The rounding of a cast to a date.
pub(super) const DAY: &str = "day";

/// Finds out whether a term is before another, by any number of facts; strictly if any way is strict.
pub(super) fn chain(
    facts: &[&Fact],
    from: &Term,
    is_goal: &dyn Fn(&Term) -> bool,
) -> Option<Chain> {
    let mut reached: Vec<(Term, Chain)> = vec![(
        from.clone(),
        Chain {
            strict: false,
            cause: None,
        },
    )];
    let mut next = 0;
    let mut best: Option<Chain> = None;
    while let Some((term, way)) = reached.get(next).cloned() {
        next += 1;
        if is_goal(&term) {
            if way.strict {
                return Some(way);
            }
            best.get_or_insert(way);
        }
        let mut steps: Vec<(Term, Chain)> = Vec::new();
        for fact in facts {
            let (follows, strictly) = match (&fact.before, &term) {
                (before, term) if before == term => (true, fact.strict),
                // One constant is before another whatever the query says.
                (Term::Constant(later), Term::Constant(earlier)) => {
                    let order = earlier.partial_cmp(later);
                    let is_less = order == Some(Ordering::Less);
                    (
                        is_less || order == Some(Ordering::Equal),
                        fact.strict || is_less,
                    )
                }
                _ => (false, false),
            };
            if follows {
                let cause = way
                    .cause
                    .or_else(|| fact.links_tables().then_some(fact.cause));
                let strict = way.strict || strictly;
                steps.push((fact.after.clone(), Chain { strict, cause }));
            }
        }
        for (term, way) in steps {
            let known = reached
                .iter()
                .any(|(known, other)| *known == term && (other.strict || !way.strict));
            if !known {
                reached.push((term, way));
            }
        }
    }
    best
}

impl Fact {
    fn links_tables(&self) -> bool {
        match (&self.before, &self.after) {
            (Term::Column(before), Term::Column(after)) => before.scan != after.scan,
            _ => true,
        }
    }

    /// Says whether it mentions a column of one of some uses of tables.
    pub(super) fn mentions(&self, is_meant: &dyn Fn(usize) -> bool) -> bool {
        [&self.before, &self.after].iter().any(|term| match term {
            Term::Column(origin) => is_meant(origin.scan),
            Term::Constant(_) => false,
        })
    }
}

/// Says whether facts contradict each other: a constant would have to be before one that is less.
pub(super) fn contradictory(facts: &[&Fact]) -> bool {
    let mut constants = facts.iter().filter_map(|fact| match &fact.before {
        Term::Constant(value) => Some(value),
        Term::Column(_) => None,
    });
    constants.any(|low| {
        let is_less = |term: &Term| {
            matches!(term, Term::Constant(value) if value.partial_cmp(low) == Some(Ordering::Less))
        };
        let is_same = |term: &Term| {
            matches!(term, Term::Constant(value) if value.partial_cmp(low) == Some(Ordering::Equal))
        };
        let from = Term::Constant(low.clone());
        chain(facts, &from, &is_less).is_some()
            || chain(facts, &from, &is_same).is_some_and(|way| way.strict)
    })
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use datafusion::common::ScalarValue;
    use datafusion::logical_expr::Operator;

    use super::{DAY, Fact, Linear, Origin, Term, chain, comparison, contradictory};

    fn column(scan: usize) -> Linear {
        Linear::of(Term::Column(Origin { scan, column: 0 }))
    }

    fn number(value: i64) -> Linear {
        Linear::of(Term::Constant(ScalarValue::from(value)))
    }

    /// Says how scan 0 is known to be before scan 1: strictly, or not.
    fn known(facts: &[Fact]) -> Option<bool> {
        let facts: Vec<&Fact> = facts.iter().collect();
        let goal = Term::Column(Origin { scan: 1, column: 0 });
        chain(&facts, &column(0).terms[0], &|term| *term == goal).map(|chain| chain.strict)
    }

    fn compared(left: &Linear, operator: Operator, right: &Linear) -> Vec<Fact> {
        comparison(left, operator, right, 0)
    }

    #[test]
    fn comparisons_say_what_is_before() {
        let (a, b) = (column(0), column(1));
        assert_eq!(known(&compared(&a, Operator::Lt, &b)), Some(true));
        assert_eq!(known(&compared(&b, Operator::GtEq, &a)), Some(false));
        assert_eq!(known(&compared(&a, Operator::Eq, &b)), Some(false));
        assert_eq!(known(&compared(&a, Operator::Gt, &b)), None);
    }

    #[test]
    fn a_shift_makes_strict_or_says_nothing() {
        let earlier = column(1).moved(Ordering::Less).unwrap_or_else(|| column(9));
        let later = column(1)
            .moved(Ordering::Greater)
            .unwrap_or_else(|| column(9));
        assert_eq!(
            known(&compared(&column(0), Operator::LtEq, &earlier)),
            Some(true)
        );
        assert_eq!(known(&compared(&column(0), Operator::Lt, &later)), None);
        assert_eq!(later.moved(Ordering::Less), None);
    }

    #[test]
    fn the_same_day_says_nothing() {
        let day = |scan| Linear {
            rounding: Some(DAY.to_owned()),
            ..column(scan)
        };
        assert_eq!(known(&compared(&day(0), Operator::Lt, &day(1))), Some(true));
        assert_eq!(known(&compared(&day(0), Operator::LtEq, &day(1))), None);
        assert_eq!(known(&compared(&day(0), Operator::Lt, &column(1))), None);
        assert_eq!(
            known(&compared(&column(0), Operator::Lt, &day(1))),
            Some(true)
        );
    }

    #[test]
    fn facts_are_joined_through_columns_and_constants() {
        let mut facts = compared(&column(0), Operator::LtEq, &column(2));
        facts.extend(compared(&column(2), Operator::Lt, &column(1)));
        assert_eq!(known(&facts), Some(true));
        let mut facts = compared(&column(0), Operator::LtEq, &number(5));
        facts.extend(compared(&column(1), Operator::GtEq, &number(5)));
        assert_eq!(known(&facts), Some(false));
        facts.extend(compared(&column(1), Operator::GtEq, &number(6)));
        assert_eq!(known(&facts), Some(true));
    }

    #[test]
    fn contradictions_are_found() {
        let check = |facts: &[Fact]| contradictory(&facts.iter().collect::<Vec<_>>());
        let mut facts = compared(&column(0), Operator::Lt, &number(5));
        assert!(!check(&facts));
        facts.extend(compared(&column(0), Operator::GtEq, &number(4)));
        assert!(!check(&facts));
        facts.extend(compared(&column(0), Operator::GtEq, &number(5)));
        assert!(check(&facts));
    }
}
