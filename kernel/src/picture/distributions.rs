//! How the values of columns are spread: a small chart a column, as Vega-Lite, SVG and letters.

use std::fmt::Write as _;

use lakesh_engine::failure::printable;
use lakesh_engine::picture::{Bin, BinValues, Distribution, Distributions};
use serde_json::{Value, json};

use super::{percent, shortened};
use crate::chart::{COLOURS, SVG, VEGA_LITE, rounded};
use crate::mime::escaped;
use crate::output::Bundle;

/// Charts in a row.
const ACROSS: usize = 3;
/// The size of a chart with what is around it, and of its bars.
const CELL: (f64, f64) = (240.0, 138.0);
const BARS: (f64, f64) = (210.0, 72.0);
/// What is missing or other.
const APART: &str = "#8c959f";
/// Letters of a column's name in the text.
const NAME: usize = 24;

/// Draws the columns that a result names; `None` if there is nothing to draw.
pub(crate) fn distributions(drawn: &Distributions, names: &[String]) -> Option<Bundle> {
    let columns = drawn.columns.iter();
    let columns: Vec<_> = columns
        .filter(|column| names.contains(&column.column) && !column.bins.is_empty())
        .collect();
    if columns.is_empty() {
        return None;
    }
    let text = letters(&columns, drawn.compared);
    let picture = svg(&columns, drawn.compared);
    let mut bundle = Bundle::default();
    let size = picture.len();
    bundle.add(VEGA_LITE, vega(&columns, drawn.compared), size);
    bundle.add(SVG, picture.into(), size);
    bundle.add("text/plain", text.into(), 0);
    Some(bundle)
}

fn title(column: &Distribution) -> String {
    match column.index {
        Some(index) => format!("{} · psi {index:.3}", column.column),
        None => column.column.clone(),
    }
}

fn label(values: &BinValues) -> String {
    match values {
        BinValues::Range(Some(lower), Some(upper)) if lower == upper => rounded(*lower),
        BinValues::Range(Some(lower), Some(upper)) => {
            format!("{} – {}", rounded(*lower), rounded(*upper))
        }
        BinValues::Range(Some(lower), None) => format!("≥ {}", rounded(*lower)),
        BinValues::Range(None, Some(upper)) => format!("< {}", rounded(*upper)),
        BinValues::Range(None, None) => "all".to_owned(),
        BinValues::Value(value) => value.clone(),
        BinValues::Other => "other".to_owned(),
        BinValues::Missing => "NULL".to_owned(),
    }
}

/// The lower end of a bin, for axes; the whole bin is in the tooltip.
fn short_label(values: &BinValues) -> String {
    match values {
        BinValues::Range(Some(lower), Some(_)) => rounded(*lower),
        other => label(other),
    }
}

fn is_apart(bin: &Bin) -> bool {
    matches!(bin.values, BinValues::Other | BinValues::Missing)
}

fn vega(columns: &[&Distribution], compared: bool) -> Value {
    let charts: Vec<_> = columns
        .iter()
        .map(|column| vega_chart(column, compared))
        .collect();
    json!({
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "concat": charts,
        "columns": ACROSS,
        "spacing": 24,
    })
}

fn vega_chart(column: &Distribution, compared: bool) -> Value {
    let mut rows = Vec::new();
    for (place, bin) in column.bins.iter().enumerate() {
        let row = |table: &str, share: f64| {
            json!({
                "place": place, "values": label(&bin.values), "from": short_label(&bin.values),
                "table": table, "share": share, "apart": is_apart(bin),
            })
        };
        if compared {
            rows.push(row("reference", bin.reference));
        }
        rows.push(row("current", bin.share));
    }
    // Bins have places of their own, since a value may be called `other` and edges may look alike.
    let names: Vec<_> = column
        .bins
        .iter()
        .map(|bin| short_label(&bin.values))
        .collect();
    let names = serde_json::to_string(&names).unwrap_or_default();
    let mut encoding = json!({
        "x": {
            "field": "place", "type": "ordinal", "title": null,
            "axis": {
                "labelExpr": format!("{names}[datum.value]"),
                "labelOverlap": "greedy", "labelSeparation": 6, "labelAngle": 0, "labelLimit": 70,
            },
        },
        "y": { "field": "share", "type": "quantitative", "title": null, "axis": { "format": "%" } },
        "tooltip": [
            { "field": "values", "type": "nominal", "title": column.column },
            { "field": "share", "type": "quantitative", "format": ".2%" },
        ],
    });
    if compared {
        let order = json!(["reference", "current"]);
        encoding["xOffset"] = json!({ "field": "table", "sort": order });
        encoding["color"] = json!({
            "field": "table", "type": "nominal", "title": null,
            "scale": { "domain": order, "range": [COLOURS[0], COLOURS[1]] },
        });
        let table = json!({ "field": "table", "type": "nominal" });
        if let Some(tooltip) = encoding["tooltip"].as_array_mut() {
            tooltip.push(table);
        }
    } else {
        encoding["color"] = json!({
            "condition": { "test": "datum.apart", "value": APART }, "value": COLOURS[0],
        });
    }
    json!({
        "title": { "text": title(column), "anchor": "start" },
        "width": BARS.0, "height": BARS.1,
        "data": { "values": rows },
        "mark": "bar",
        "encoding": encoding,
    })
}

fn svg(columns: &[&Distribution], compared: bool) -> String {
    let across = columns.len().min(ACROSS);
    let lines = columns.len().div_ceil(ACROSS);
    let head = if compared { 24.0 } else { 4.0 };
    let (width, height) = (CELL.0 * across as f64, CELL.1 * lines as f64 + head);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"10\">\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
    );
    if compared {
        for (at, colour, name) in [
            (14.0, COLOURS[0], "reference"),
            (94.0, COLOURS[1], "current"),
        ] {
            // Writing to a string cannot fail.
            let _ = write!(
                svg,
                "<rect x=\"{at}\" y=\"8\" width=\"10\" height=\"10\" fill=\"{colour}\"/>\
                 <text x=\"{}\" y=\"17\">{name}</text>",
                at + 14.0
            );
        }
    }
    for (place, column) in columns.iter().enumerate() {
        let left = CELL.0 * (place % ACROSS) as f64 + 14.0;
        let top = CELL.1 * (place / ACROSS) as f64 + head;
        svg_chart(&mut svg, (left, top), column, compared);
    }
    svg.push_str("</svg>");
    svg
}

fn svg_chart(svg: &mut String, (left, top): (f64, f64), column: &Distribution, compared: bool) {
    let floor = top + 24.0 + BARS.1;
    let largest = largest(column);
    let room = BARS.0 / column.bins.len() as f64;
    let _ = write!(
        svg,
        "<text x=\"{left}\" y=\"{:.0}\" font-size=\"12\" font-weight=\"bold\">{}</text>\
         <path d=\"M{left} {floor:.1}h{}\" stroke=\"#888\"/>\
         <text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\" fill=\"#57606a\">{}</text>",
        top + 14.0,
        escaped(&shortened(&title(column), 28)),
        BARS.0,
        left + BARS.0,
        top + 14.0,
        percent(largest)
    );
    for (place, bin) in column.bins.iter().enumerate() {
        let from = left + room * place as f64;
        let mut bar = |offset: f64, width: f64, share: f64, colour: &str| {
            let height = if largest > 0.0 {
                share / largest * BARS.1
            } else {
                0.0
            };
            let _ = write!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" \
                 fill=\"{colour}\"/>",
                from + offset,
                floor - height,
                width.max(0.5)
            );
        };
        if compared {
            bar(room * 0.1, room * 0.38, bin.reference, COLOURS[0]);
            bar(room * 0.5, room * 0.38, bin.share, COLOURS[1]);
        } else {
            let colour = if is_apart(bin) { APART } else { COLOURS[0] };
            bar(room * 0.06, room * 0.88, bin.share, colour);
        }
    }
    svg_labels(svg, (left, floor + 13.0), column, room);
}

/// Writes the labels of bins that have room, the first ones before the others.
fn svg_labels(svg: &mut String, (left, down): (f64, f64), column: &Distribution, room: f64) {
    // About six units a letter; a label begins below its bin.
    let mut free = 0.0;
    for (place, bin) in column.bins.iter().enumerate() {
        let from = room * place as f64;
        let text = shortened(&short_label(&bin.values), 12);
        let width = 5.6 * text.chars().count() as f64;
        let is_only = place + 1 == column.bins.len() && free == 0.0;
        if from < free || (from + width > BARS.0 + 14.0 && !is_only) {
            continue;
        }
        free = from + width + 6.0;
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{down:.1}\" fill=\"#57606a\">{}</text>",
            left + from,
            escaped(&text)
        );
    }
}

fn largest(column: &Distribution) -> f64 {
    let shares = column.bins.iter().map(|bin| bin.share.max(bin.reference));
    shares.fold(0.0, f64::max)
}

/// Draws a line of bars a column.
fn letters(columns: &[&Distribution], compared: bool) -> String {
    let width = columns.iter().map(|column| column.column.chars().count());
    let width = width.max().unwrap_or(0).min(NAME);
    let mut text = String::new();
    for column in columns {
        let name = printable(&shortened(&column.column, NAME));
        let room = width + 1 - name.chars().count().min(width);
        let largest = largest(column);
        let bars = |share: fn(&Bin) -> f64| -> String {
            let bins = column.bins.iter();
            bins.map(|bin| letter(share(bin), largest)).collect()
        };
        let first = column.bins.first().map(|bin| label(&bin.values));
        let last = column.bins.last().map(|bin| label(&bin.values));
        let ends = [first.unwrap_or_default(), last.unwrap_or_default()];
        let ends = match column.bins.len() {
            1 => printable(&ends[0]),
            _ => printable(&ends.join(" … ")),
        };
        let drawn = match compared {
            true => format!(
                "{} reference, {} current, psi {}",
                bars(|bin| bin.reference),
                bars(|bin| bin.share),
                column
                    .index
                    .map_or("unknown".to_owned(), |index| format!("{index:.3}"))
            ),
            false => bars(|bin| bin.share),
        };
        let _ = writeln!(text, "{name}{} {drawn}  {ends}", " ".repeat(room));
    }
    text
}

fn letter(share: f64, largest: f64) -> char {
    let height = if largest > 0.0 {
        share / largest * 8.0
    } else {
        0.0
    };
    // What is there is seen, however little it is.
    let height = if share > 0.0 { height.max(1.0) } else { 0.0 };
    [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][(height.round() as usize).min(8)]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use lakesh_engine::picture::{Bin, BinValues, Distribution, Distributions};

    use super::distributions;
    use crate::chart::{SVG, VEGA_LITE};

    fn drawn(compared: bool) -> Distributions {
        let bin = |values, share, reference| Bin {
            values,
            share,
            reference,
        };
        let numbers = Distribution {
            column: "km".to_owned(),
            index: compared.then_some(0.25),
            bins: vec![
                bin(BinValues::Range(None, Some(1.5)), 0.2, 0.5),
                bin(BinValues::Range(Some(1.5), Some(2.25)), 0.8, 0.4),
                bin(BinValues::Missing, 0.0, 0.1),
            ],
        };
        let texts = Distribution {
            column: "<b>".to_owned(),
            index: None,
            bins: vec![bin(BinValues::Value("a<b".to_owned()), 1.0, 1.0)],
        };
        Distributions {
            compared,
            columns: vec![numbers, texts],
        }
    }

    fn names() -> Vec<String> {
        vec!["km".to_owned(), "<b>".to_owned()]
    }

    #[test]
    fn a_profile_is_drawn_in_every_form() {
        let data = distributions(&drawn(false), &names()).unwrap().data;
        let text = data["text/plain"].as_str().unwrap();
        assert_eq!(text, "km   ▂█   < 1.5 … NULL\n<b>  █  a<b\n");
        let charts = data[VEGA_LITE]["concat"].as_array().unwrap();
        assert_eq!(charts.len(), 2);
        assert_eq!(charts[0]["data"]["values"][1]["values"], "1.5 – 2.25");
        assert_eq!(charts[0]["data"]["values"].as_array().unwrap().len(), 3);
        let svg = data[SVG].as_str().unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
        assert!(
            !svg.contains("a<b") && !svg.contains("<b>") && !svg.contains("NaN"),
            "{svg}"
        );
        // A panel, and a bar for each of four bins.
        assert_eq!(svg.matches("<rect ").count(), 5);
    }

    #[test]
    fn a_comparison_shows_both_tables() {
        let data = distributions(&drawn(true), &names()).unwrap().data;
        let text = data["text/plain"].as_str().unwrap();
        assert!(
            text.starts_with("km   ▅▄▁ reference, ▂█  current, psi 0.250  < 1.5 … NULL\n"),
            "{text}"
        );
        let values = data[VEGA_LITE]["concat"][0]["data"]["values"]
            .as_array()
            .unwrap();
        assert_eq!(values.len(), 6);
        assert_eq!(values[0]["table"], "reference");
        // A panel, two of the legend, and two bars for each of four bins.
        assert_eq!(data[SVG].as_str().unwrap().matches("<rect ").count(), 11);
    }

    #[test]
    fn only_columns_of_the_result_are_drawn() {
        let data = distributions(&drawn(false), &names()[..1]).unwrap().data;
        assert_eq!(data[VEGA_LITE]["concat"].as_array().unwrap().len(), 1);
        assert!(distributions(&drawn(false), &[]).is_none());
    }
}
