//! What remains of a frame, as ranges of rows.

use std::ops::Range;

use super::Exclusion;

/// The rows of a frame before those that are left out, among them, and behind them; each may be empty.
pub(super) type Parts = [Range<usize>; 3];

/// Returns what remains of a row's frame; `peers` are the rows that the window's order does not tell from it.
pub(super) fn parts(
    exclusion: Exclusion,
    frame: &Range<usize>,
    row: usize,
    peers: &Range<usize>,
) -> Parts {
    // A frame that begins behind its end is empty.
    let (start, end) = (frame.start.min(frame.end), frame.end);
    let hole = match exclusion {
        Exclusion::NoOthers => end..end,
        Exclusion::CurrentRow => row..row + 1,
        Exclusion::Group | Exclusion::Ties => peers.clone(),
    };
    let before = start..hole.start.clamp(start, end);
    let behind = hole.end.clamp(start, end)..end;
    // The row stays where it is in its frame at all, which is not said: `ROWS BETWEEN 1 FOLLOWING AND …`.
    let own = match exclusion {
        Exclusion::Ties if (start..end).contains(&row) => row..row + 1,
        _ => before.end..before.end,
    };
    [before, own, behind]
}

/// Returns the rows of a frame that are left out, from what remains of it.
pub(super) fn left_out([before, own, behind]: &Parts) -> [Range<usize>; 2] {
    match own.is_empty() {
        true => [before.end..behind.start, behind.start..behind.start],
        false => [before.end..own.start, own.end..behind.start],
    }
}

#[cfg(test)]
mod tests {
    use super::{left_out, parts};
    use crate::exclusion::Exclusion::{self, CurrentRow, Group, NoOthers, Ties};
    use std::ops::Range;

    /// Ten rows, of which 3, 4 and 5 are peers.
    #[track_caller]
    fn check(exclusion: Exclusion, frame: Range<usize>, row: usize, expected: &[usize]) {
        let peers = match row {
            3..6 => 3..6,
            row => row..row + 1,
        };
        let found = parts(exclusion, &frame, row, &peers);
        let rows: Vec<usize> = found.iter().cloned().flatten().collect();
        assert_eq!(rows, expected);
        let out: Vec<usize> = left_out(&found).into_iter().flatten().collect();
        let rest: Vec<usize> = frame.filter(|row| !expected.contains(row)).collect();
        assert_eq!(out, rest);
    }

    #[test]
    fn nothing() {
        check(NoOthers, 2..6, 4, &[2, 3, 4, 5]);
        check(NoOthers, 6..6, 4, &[]);
    }

    #[test]
    fn the_row_itself() {
        check(CurrentRow, 2..6, 4, &[2, 3, 5]);
        check(CurrentRow, 4..6, 4, &[5]);
        check(CurrentRow, 2..5, 4, &[2, 3]);
        check(CurrentRow, 4..5, 4, &[]);
        check(CurrentRow, 5..7, 4, &[5, 6]);
        check(CurrentRow, 1..3, 4, &[1, 2]);
        check(CurrentRow, 0..0, 4, &[]);
    }

    #[test]
    fn the_row_and_its_peers() {
        check(Group, 0..10, 4, &[0, 1, 2, 6, 7, 8, 9]);
        check(Group, 4..5, 4, &[]);
        check(Group, 4..8, 4, &[6, 7]);
        check(Group, 1..5, 4, &[1, 2]);
        check(Group, 6..8, 4, &[6, 7]);
        check(Group, 0..3, 4, &[0, 1, 2]);
        check(Group, 0..10, 7, &[0, 1, 2, 3, 4, 5, 6, 8, 9]);
    }

    #[test]
    fn its_peers_alone() {
        check(Ties, 0..10, 4, &[0, 1, 2, 4, 6, 7, 8, 9]);
        check(Ties, 3..6, 3, &[3]);
        check(Ties, 3..6, 5, &[5]);
        check(Ties, 5..8, 4, &[6, 7]);
        check(Ties, 1..4, 4, &[1, 2]);
        check(Ties, 8..8, 4, &[]);
    }
}
