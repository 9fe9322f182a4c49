//! The exact text of tables that are cut, streamed and coloured.

use std::sync::Arc;

use datafusion::arrow::array::{Int64Array, RecordBatch, StringArray};
use lakesh_text::display::DisplayOptions;
use unicode_width::UnicodeWidthStr;

use super::{FormatOptions, batch, integers, strings, text};

fn on_screen(width: usize, max_rows: Option<usize>) -> FormatOptions {
    FormatOptions {
        width: Some(width),
        display: DisplayOptions {
            max_rows,
            ..Default::default()
        },
        ..Default::default()
    }
}

#[track_caller]
fn check(options: &FormatOptions, batches: &[RecordBatch], expected: &[&str]) {
    let found = text("table", options, batches);
    assert_eq!(found.lines().collect::<Vec<_>>(), expected, "\n{found}");
}

#[test]
fn wide_text_is_cut_and_numbers_are_not() {
    let rows = batch([
        ("id", integers([1_234_567])),
        (
            "words",
            strings([Some("the quick brown fox jumps over the lazy dog")]),
        ),
    ]);
    check(
        &on_screen(30, None),
        &[rows],
        &[
            "┌─────────┬──────────────────┐",
            "│      id │ words            │",
            "│  bigint │ varchar          │",
            "├─────────┼──────────────────┤",
            "│ 1234567 │ the quick brown… │",
            "└─────────┴──────────────────┘",
        ],
    );
}

#[test]
fn columns_in_the_middle_are_left_out() {
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let rows = batch(names.map(|name| (name, integers([1_000_000]))));
    check(
        &on_screen(40, None),
        &[rows],
        &[
            "┌─────────┬─────────┬───┬─────────┐",
            "│       a │       b │ … │       g │",
            "│  bigint │  bigint │   │  bigint │",
            "├─────────┼─────────┼───┼─────────┤",
            "│ 1000000 │ 1000000 │ … │ 1000000 │",
            "└─────────┴─────────┴───┴─────────┘",
            "7 columns (3 shown)",
        ],
    );
}

#[test]
fn rows_in_the_middle_are_left_out() {
    let batches: Vec<RecordBatch> = (0..1_000)
        .map(|number| {
            batch([(
                "n",
                Arc::new(Int64Array::from_iter_values(
                    number * 1_000..(number + 1) * 1_000,
                )),
            )])
        })
        .collect();
    check(
        &on_screen(40, Some(3)),
        &batches,
        &[
            "┌────────┐",
            "│      n │",
            "│ bigint │",
            "├────────┤",
            "│      0 │",
            "│      1 │",
            "│      ⋮ │",
            "│ 999999 │",
            "└────────┘",
            "1,000,000 rows (3 shown)",
        ],
    );
    let piped = FormatOptions {
        width: None,
        ..on_screen(40, Some(3))
    };
    assert_eq!(
        text("table", &piped, &batches).lines().count(),
        1_000_005,
        "nothing is cut in a pipe"
    );
}

#[test]
fn as_many_rows_as_allowed_are_shown_whole() {
    check(
        &on_screen(40, Some(3)),
        &[
            batch([("n", integers([1, 2]))]),
            batch([("n", integers([3]))]),
        ],
        &[
            "┌────────┐",
            "│      n │",
            "│ bigint │",
            "├────────┤",
            "│      1 │",
            "│      2 │",
            "│      3 │",
            "└────────┘",
        ],
    );
}

#[test]
fn lines_align_whatever_the_script() {
    let texts = [
        "ascii",
        "日本語テキスト",
        "e\u{301}te\u{301}",
        "😀👩‍👩‍👧",
        "☺\u{fe0f}☺\u{fe0f}☺\u{fe0f}☺\u{fe0f}",
        "  lead",
        "ไทย",
        "x\u{200d}",
    ];
    let column = StringArray::from(texts.to_vec());
    let names = StringArray::from(vec![Some("x"); texts.len()]);
    for width in [None, Some(80), Some(24), Some(20)] {
        let rows = [batch([
            ("列", Arc::new(column.clone())),
            ("b", Arc::new(names.clone())),
            ("", Arc::new(names.clone())),
        ])];
        let options = FormatOptions {
            width,
            ..Default::default()
        };
        let table = text("table", &options, &rows);
        let widths: Vec<usize> = table
            .lines()
            .filter(|line| !line.ends_with(')'))
            .map(UnicodeWidthStr::width)
            .collect();
        assert!(
            widths.iter().all(|found| found == &widths[0]),
            "{width:?} {widths:?}\n{table}"
        );
        assert!(width.is_none_or(|width| widths[0] <= width), "{table}");
    }
}

/// The rows behind the sample are drawn by other code than those in it, in the same grid.
#[test]
fn streamed_rows_continue_the_grid_and_wide_ones_overflow() {
    let words = |count: usize| {
        let texts = (0..count).map(|_| Some(" é b")).collect::<StringArray>();
        let numbers = Int64Array::from_iter_values((0..count).map(|_| 42));
        batch([("t", Arc::new(texts)), ("n", Arc::new(numbers))])
    };
    let wide = batch([
        ("t", strings([Some("wider than the sample")])),
        ("n", integers([1])),
    ]);
    let lines = text(
        "table",
        &FormatOptions::default(),
        &[words(10_000), words(2), wide.clone()],
    );
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 4 + 10_003 + 1);
    assert_eq!(lines[4], "│  é b    │     42 │");
    assert!(
        lines[4..10_006].iter().all(|line| *line == lines[4]),
        "{:?}",
        lines[10_005]
    );
    assert_eq!(lines[10_006], "│ wider than the sample │      1 │");
    assert_eq!(lines[10_007], "└─────────┴────────┘");

    let cut = text("table", &on_screen(80, None), &[words(10_001), wide]);
    assert!(
        cut.contains("│ wider … │      1 │\n"),
        "a screen's lines stay in the grid"
    );
}

#[test]
fn a_huge_cell_is_whole_in_a_pipe_and_bounded_on_a_screen() {
    let huge = "x".repeat(100_000);
    let rows = [batch([("t", strings([Some("a"), Some(&huge), Some("b")]))])];
    let piped = text("table", &FormatOptions::default(), &rows);
    assert_eq!(piped.lines().filter(|line| line.contains(&huge)).count(), 1);
    assert_eq!(piped.lines().count(), 8);
    let screen = text("table", &on_screen(20, None), &rows);
    assert!(screen.contains("│ xxxxxxxxxxxxxxx… │\n"), "{screen}");
}

#[test]
fn nulls_and_types_are_dim_in_colour_and_text_is_told_from_null() {
    let rows = [batch([("v", strings([None, Some("NULL"), Some("")]))])];
    let options = FormatOptions {
        colour: true,
        ..on_screen(40, None)
    };
    check(
        &options,
        &rows,
        &[
            "┌─────────┐",
            "│ v       │",
            "\u{1b}[2m│ varchar │\u{1b}[0m",
            "├─────────┤",
            "│ \u{1b}[2mNULL\u{1b}[0m    │",
            "│ 'NULL'  │",
            "│         │",
            "└─────────┘",
        ],
    );
}

#[test]
fn vertical_and_html_show_the_first_and_last_rows_on_a_screen() {
    let rows = [batch([("n", integers([1, 2, 3, 4, 5]))])];
    let vertical = text("vertical", &on_screen(40, Some(2)), &rows);
    let rule = |number| format!("-[ RECORD {number} ]-{}\n", "-".repeat(24));
    assert_eq!(
        vertical,
        format!("{}n | 1\n⋮\n{}n | 5\n5 rows (2 shown)\n", rule(1), rule(5))
    );
    let html = text("html", &on_screen(40, Some(2)), &rows);
    assert_eq!(html.matches("<tr>").count(), 1 + 2, "{html}");
    assert!(html.contains("<td colspan=\"1\">⋮</td>"), "{html}");
    assert!(
        html.ends_with("<p class=\"lakesh-rows\">5 rows (2 shown)</p>\n"),
        "{html}"
    );
}

#[test]
fn long_names_put_the_cross_above_the_bars() {
    let rows = [batch([
        ("a_rather_long_name", integers([1])),
        ("b", integers([2])),
    ])];
    let expected = [
        "-[ RECORD 1 ]------+------------------------",
        "a_rather_long_name | 1",
        "b                  | 2",
    ];
    let found = text("vertical", &FormatOptions::default(), &rows);
    assert_eq!(found.lines().collect::<Vec<_>>(), expected, "{found}");
}
