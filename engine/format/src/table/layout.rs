//! Which columns of a table are shown, and how wide each is.
//!
//! Widths are columns of the screen. A column takes its width and three more, for two spaces and a border.

use super::row::Row;

/// Numbers are not cut, since a cut number is another number, unless they are wider than this.
const WIDEST_UNCUT_NUMBER: usize = 24;

/// Text columns are not made narrower than this, or than their name up to `LONGEST_UNCUT_NAME`.
const NARROWEST_TEXT: usize = 8;
const LONGEST_UNCUT_NAME: usize = 16;

/// How wide a column wants to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Need {
    /// Wide enough for all its cells.
    pub(super) natural: usize,
    /// The least that is still of use.
    pub(super) least: usize,
    /// Whether it holds numbers, which stand at the right.
    pub(super) number: bool,
}

/// A column of the drawn table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// The column of the result; `None` stands for all those left out.
    pub(super) column: Option<usize>,
    pub(super) width: usize,
    pub(super) number: bool,
}

/// Finds out what each column needs. `on_screen` says that types may be cut.
pub(super) fn needs<'a>(
    names: &Row,
    types: &Row,
    numbers: &[bool],
    rows: impl Iterator<Item = &'a Row>,
    on_screen: bool,
) -> Vec<Need> {
    let widths = (0..numbers.len()).map(|index| {
        let (name, data_type) = (names.cell(index).1, types.cell(index).1);
        name.max(if on_screen {
            data_type.min(LONGEST_UNCUT_NAME)
        } else {
            data_type
        })
        .max(1)
    });
    let mut widths: Vec<usize> = widths.collect();
    for row in rows {
        for (index, width) in widths.iter_mut().enumerate() {
            *width = row.cell(index).1.max(*width);
        }
    }
    let needs = widths
        .into_iter()
        .zip(numbers)
        .enumerate()
        .map(|(index, (natural, &number))| {
            let least = match number {
                true => WIDEST_UNCUT_NUMBER,
                false => names
                    .cell(index)
                    .1
                    .clamp(NARROWEST_TEXT, LONGEST_UNCUT_NAME),
            };
            Need {
                natural,
                least: least.min(natural),
                number,
            }
        });
    needs.collect()
}

/// Fits columns into the screen's width, or gives each what it wants where there is no screen.
///
/// Text columns become narrower first, the widest before the others; if that is not enough, columns in
/// the middle are left out.
pub(super) fn arrange(needs: &[Need], screen: Option<usize>) -> Vec<Slot> {
    let all: Vec<usize> = (0..needs.len()).collect();
    let Some(screen) = screen else {
        return slots(
            needs,
            &all,
            &needs.iter().map(|need| need.natural).collect::<Vec<_>>(),
        );
    };
    let mut shown = all;
    if total(needs.iter().map(|need| need.least)) > screen {
        shown = outermost(needs, screen);
    }
    let gap = if shown.len() < needs.len() {
        total([1]) - 1
    } else {
        0
    };
    let budget = screen.saturating_sub(gap + total(shown.iter().map(|_| 0)));
    let widths = share(needs, &shown, budget);
    slots(needs, &shown, &widths)
}

/// The width of a table whose columns have these widths.
fn total(widths: impl IntoIterator<Item = usize>) -> usize {
    widths.into_iter().fold(1, |sum, width| sum + width + 3)
}

/// The columns that fit at their least width beside a gap, taken in turn from the left and the right.
fn outermost(needs: &[Need], screen: usize) -> Vec<usize> {
    let (mut left, mut right) = (1, needs.len());
    let mut used = total([1, needs[0].least]);
    loop {
        let from_left = needs.len() - right >= left;
        let next = if from_left { left } else { right - 1 };
        if left >= right || used + needs[next].least + 3 > screen {
            return (0..left).chain(right..needs.len()).collect();
        }
        used += needs[next].least + 3;
        if from_left {
            left += 1;
        } else {
            right -= 1;
        }
    }
}

/// Shares out the budget: every column gets the same, but no more than it wants and no less than its least.
fn share(needs: &[Need], shown: &[usize], budget: usize) -> Vec<usize> {
    let at = |ceiling: usize| {
        let widths = shown
            .iter()
            .map(|&index| needs[index].natural.min(ceiling.max(needs[index].least)));
        widths.collect::<Vec<usize>>()
    };
    let fits = |ceiling: usize| at(ceiling).iter().sum::<usize>() <= budget;
    if !fits(0) {
        // Not even the least widths fit: a very narrow screen.
        return shown
            .iter()
            .map(|_| (budget / shown.len().max(1)).max(1))
            .collect();
    }
    let (mut low, mut high) = (0, budget.max(1));
    while low + 1 < high {
        let middle = low.midpoint(high);
        if fits(middle) {
            low = middle
        } else {
            high = middle
        }
    }
    let mut widths = if fits(high) { at(high) } else { at(low) };
    let mut left = budget - widths.iter().sum::<usize>();
    for (width, &index) in widths.iter_mut().zip(shown) {
        if left > 0 && *width < needs[index].natural {
            *width += 1;
            left -= 1;
        }
    }
    widths
}

fn slots(needs: &[Need], shown: &[usize], widths: &[usize]) -> Vec<Slot> {
    let mut slots: Vec<Slot> = Vec::with_capacity(shown.len() + 1);
    let mut next = 0;
    for (&column, &width) in shown.iter().zip(widths) {
        if column != next {
            slots.push(Slot {
                column: None,
                width: 1,
                number: false,
            });
        }
        slots.push(Slot {
            column: Some(column),
            width,
            number: needs[column].number,
        });
        next = column + 1;
    }
    if next < needs.len() {
        slots.push(Slot {
            column: None,
            width: 1,
            number: false,
        });
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_the_screen() {
        let text = |natural: usize| Need {
            natural,
            least: natural.min(8),
            number: false,
        };
        let number = |natural| Need {
            natural,
            least: natural,
            number: true,
        };
        let cases: [(Vec<Need>, Option<usize>, &str); 9] = [
            (vec![text(30), number(5)], None, "0:30 1:5"),
            (vec![text(30), number(5)], Some(42), "0:30 1:5"),
            (vec![text(30), number(5)], Some(41), "0:29 1:5"),
            (
                vec![text(30), text(10), text(100)],
                Some(60),
                "0:20 1:10 2:20",
            ),
            (
                vec![text(30), text(10), text(100)],
                Some(61),
                "0:21 1:10 2:20",
            ),
            (
                vec![text(20), number(6), number(6), number(6), text(9)],
                Some(41),
                "0:12 1:6 … 4:9",
            ),
            (vec![number(9), number(9), number(9)], Some(17), "0:9 …"),
            (vec![number(9)], Some(8), "0:4"),
            (vec![text(9), text(9)], Some(3), "0:1 …"),
        ];
        for (needs, screen, expected) in cases {
            let slots = arrange(&needs, screen);
            let shown: Vec<String> = slots
                .iter()
                .map(|slot| match slot.column {
                    Some(column) => format!("{column}:{}", slot.width),
                    None => "…".to_owned(),
                })
                .collect();
            assert_eq!(shown.join(" "), expected, "{needs:?} in {screen:?}");
        }
    }
}
