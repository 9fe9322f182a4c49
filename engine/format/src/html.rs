//! `html`: one `<table>` with class names, without a style sheet or script. Streams; where a person reads
//! it, it shows the first and last rows up to `max_rows`.

use std::io::Write;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use lakesh_text::quantity::grouped;

use super::encode::{Column, Syntax, any_byte};
use super::held_rows::HeldRows;
use super::rows::{columns, flush, write_rows};
use super::screen::push_visible;
use super::types::{is_number, short_type};
use super::{Format, FormatError, FormatOptions, ResultEnd, ResultWriter};

pub(super) const FORMAT: Format = Format {
    name: "html",
    aliases: &[],
    suffixes: &["html", "htm"],
    summary: "an HTML table",
    binary: false,
    one_result: false,
    for_eyes: false,
    separated: false,
    create: |options| Box::new(HtmlWriter::new(options)),
};

const NUMBER: &str = " class=\"number\" style=\"text-align:right\"";
const TEXT: &str = " style=\"text-align:left\"";

struct HtmlWriter {
    null: String,
    header: bool,
    /// The attributes of the cells of each column.
    attributes: Vec<&'static str>,
    held: HeldRows<Vec<u8>>,
    buffer: Vec<u8>,
}

impl HtmlWriter {
    fn new(options: &FormatOptions) -> Self {
        Self {
            null: options.null_value("NULL"),
            header: options.display.header,
            attributes: Vec::new(),
            held: HeldRows::new(options.max_rows()),
            buffer: Vec::new(),
        }
    }

    fn push(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }
}

impl ResultWriter for HtmlWriter {
    fn start(&mut self, schema: &SchemaRef, out: &mut dyn Write) -> Result<(), FormatError> {
        let fields = schema.fields();
        let attributes = fields.iter().map(|field| {
            if is_number(field.data_type()) {
                NUMBER
            } else {
                TEXT
            }
        });
        self.attributes = attributes.collect();
        self.push("<table class=\"lakesh-result\">\n");
        if self.header {
            self.push("<thead>\n<tr>");
            for (field, attributes) in fields.iter().zip(self.attributes.clone()) {
                self.push(&format!("<th scope=\"col\"{attributes}>"));
                Html.text(field.name(), &mut self.buffer);
                self.push("<br><small class=\"type\">");
                Html.text(&short_type(field.data_type()), &mut self.buffer);
                self.push("</small></th>");
            }
            self.push("</tr>\n</thead>\n");
        }
        self.push("<tbody>\n");
        flush(&mut self.buffer, out)
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), FormatError> {
        let Self {
            null,
            attributes,
            held,
            buffer,
            ..
        } = self;
        let mut columns = columns(batch, &Html);
        let wanted = held.count(batch.num_rows());
        write_rows(wanted.head, buffer, out, |row, buffer| {
            push_row(&mut columns, attributes, null, row, buffer);
        })?;
        for row in wanted.tail {
            let mut text = Vec::new();
            push_row(&mut columns, attributes, null, row, &mut text);
            held.hold(text);
        }
        Ok(())
    }

    /// Closes the table even when rows are missing, because the page goes on, but says that they are.
    fn finish(&mut self, end: &ResultEnd, out: &mut dyn Write) -> Result<(), FormatError> {
        let (left_out, tail) = self.held.finish();
        let all = self.held.seen();
        if left_out > 0 {
            let span = self.attributes.len().max(1);
            self.push(&format!(
                "<tr class=\"left-out\"><td colspan=\"{span}\">⋮</td></tr>\n"
            ));
        }
        for row in tail {
            self.buffer.extend_from_slice(&row);
        }
        self.push("</tbody>\n</table>\n");
        if left_out > 0 {
            let shown = grouped(all - left_out);
            self.push(&format!(
                "<p class=\"lakesh-rows\">{} rows ({shown} shown)</p>\n",
                grouped(all)
            ));
        }
        if !end.complete {
            let all = grouped(all);
            self.push(&format!(
                "<p class=\"lakesh-incomplete\">incomplete: it stopped after {all} rows</p>\n"
            ));
        }
        flush(&mut self.buffer, out)
    }
}

fn push_row(
    columns: &mut [Column<'_>],
    attributes: &[&str],
    null: &str,
    row: usize,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"<tr>");
    for (column, attributes) in columns.iter_mut().zip(attributes) {
        if column.is_null(row) {
            out.extend_from_slice(b"<td class=\"null\">");
            Html.text(null, out);
        } else {
            out.extend_from_slice(b"<td");
            out.extend_from_slice(attributes.as_bytes());
            out.push(b'>');
            column.write(row, out);
        }
        out.extend_from_slice(b"</td>");
    }
    out.extend_from_slice(b"</tr>\n");
}

struct Html;

impl Syntax for Html {
    fn text(&self, text: &str, out: &mut Vec<u8>) {
        let special =
            |byte| !matches!(byte, b' '..=b'~') | matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'');
        if !any_byte(text.as_bytes(), special) {
            return out.extend_from_slice(text.as_bytes());
        }
        for character in text.chars() {
            match character {
                '&' => out.extend_from_slice(b"&amp;"),
                '<' => out.extend_from_slice(b"&lt;"),
                '>' => out.extend_from_slice(b"&gt;"),
                '"' => out.extend_from_slice(b"&quot;"),
                '\'' => out.extend_from_slice(b"&#39;"),
                '\n' => out.extend_from_slice(b"<br>"),
                '\t' => out.push(b'\t'),
                other => push_visible(other, out),
            }
        }
    }
}
