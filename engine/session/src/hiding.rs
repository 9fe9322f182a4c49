//! Takes secrets out of what a running cell says, of whatever sort it is.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, LargeStringArray, RecordBatch, StringArray, StringViewArray,
    make_array,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::DataFusionError;
use lakesh_event::event::Event;
use lakesh_event::picture::{BinValues, Picture};
use lakesh_text::failure::Failure;
use lakesh_text::secret::{Secret, Secrets};

/// What is hidden in the events of a cell.
#[derive(Clone)]
pub(crate) struct Hiding {
    secrets: Secrets,
    /// Whether rows are looked at too, as those of a statement into which a secret was put.
    in_rows: bool,
}

impl Hiding {
    /// Hides the secrets of a session.
    pub(crate) fn of(secrets: Secrets) -> Self {
        Self {
            secrets,
            in_rows: false,
        }
    }

    /// Hides others too.
    pub(crate) fn also(&self, named: impl IntoIterator<Item = Secret>, in_rows: bool) -> Self {
        Self {
            secrets: self.secrets.with_named(named),
            in_rows: self.in_rows || in_rows,
        }
    }

    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Returns an event without secrets.
    pub(crate) fn hide(&self, event: Event) -> Result<Event, Failure> {
        if self.secrets.is_empty() {
            return Ok(event);
        }
        let in_rows = self.in_rows || self.secrets.hold_asked();
        Ok(match event {
            Event::Notice(text) => Event::Notice(self.text(text)),
            Event::Text(text) => Event::Text(self.text(text)),
            Event::Page(text) => Event::Page(self.text(text)),
            Event::Output(file) => Event::Output(file),
            Event::Failed(failure) => Event::Failed(self.secrets.hide_in_failure(failure)),
            Event::Schema(schema) if in_rows => Event::Schema(self.schema(&schema)),
            Event::Batch(batch) if in_rows => {
                Event::Batch(self.batch(&batch).map_err(Failure::from_error)?)
            }
            Event::Reads(mut reads) => {
                reads.shown = self.text(reads.shown);
                Event::Reads(reads)
            }
            Event::Picture(picture) => Event::Picture(self.picture(picture)),
            other => other,
        })
    }

    fn text(&self, text: String) -> String {
        match self.secrets.hide(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(hidden) => hidden,
        }
    }

    fn each(&self, texts: &mut [String]) {
        for text in texts {
            *text = self.text(std::mem::take(text));
        }
    }

    fn picture(&self, mut picture: Picture) -> Picture {
        match &mut picture {
            Picture::Plan(plan) => {
                for operator in &mut plan.observation.operators {
                    operator.line = self.text(std::mem::take(&mut operator.line));
                }
                for details in &mut plan.details {
                    self.each(details);
                }
            }
            Picture::Hints(cards) => {
                for card in cards {
                    card.finding = self.text(std::mem::take(&mut card.finding));
                    self.each(&mut card.evidence);
                    card.remedy = card.remedy.take().map(|text| self.text(text));
                    card.verdict = card.verdict.take().map(|text| self.text(text));
                }
            }
            Picture::Distributions(drawn) => {
                for column in &mut drawn.columns {
                    column.column = self.text(std::mem::take(&mut column.column));
                    for bin in &mut column.bins {
                        if let BinValues::Value(value) = &mut bin.values {
                            *value = self.text(std::mem::take(value));
                        }
                    }
                }
            }
        }
        picture
    }

    /// Hides secrets in the names of columns, which may be expressions.
    fn schema(&self, schema: &SchemaRef) -> SchemaRef {
        let fields = schema.fields().iter().map(|field| {
            let name = self.secrets.hide_in_rows(field.name());
            Field::clone(field).with_name(name.into_owned())
        });
        let fields: Vec<Field> = fields.collect();
        Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
    }

    fn batch(&self, batch: &RecordBatch) -> Result<RecordBatch, DataFusionError> {
        let columns: Vec<ArrayRef> = batch
            .columns()
            .iter()
            .map(|column| self.array(column))
            .collect();
        Ok(RecordBatch::try_new(self.schema(&batch.schema()), columns)?)
    }

    /// Hides secrets in texts, those inside lists, structs, maps and dictionaries too.
    fn array(&self, array: &ArrayRef) -> ArrayRef {
        match array.data_type() {
            DataType::Utf8 => Arc::new(self.all::<StringArray>(array.as_string::<i32>().iter())),
            DataType::LargeUtf8 => {
                Arc::new(self.all::<LargeStringArray>(array.as_string::<i64>().iter()))
            }
            DataType::Utf8View => {
                Arc::new(self.all::<StringViewArray>(array.as_string_view().iter()))
            }
            nested if nested.is_nested() || matches!(nested, DataType::Dictionary(..)) => {
                let data = array.to_data();
                let children = data.child_data().iter();
                let children =
                    children.map(|child| self.array(&make_array(child.clone())).to_data());
                let children = children.collect();
                match data.clone().into_builder().child_data(children).build() {
                    Ok(hidden) => make_array(hidden),
                    Err(_) => Arc::clone(array),
                }
            }
            _ => Arc::clone(array),
        }
    }

    fn all<'a, A: FromIterator<Option<Cow<'a, str>>>>(
        &self,
        texts: impl Iterator<Item = Option<&'a str>>,
    ) -> A {
        texts
            .map(|text| text.map(|text| self.secrets.hide_in_rows(text)))
            .collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::arrow::array::{DictionaryArray, ListArray, StructArray};
    use datafusion::arrow::datatypes::{Int32Type, Int64Type};
    use datafusion::arrow::util::display::array_value_to_string;
    use lakesh_text::secret::Origin;

    use super::*;

    #[test]
    fn texts_are_hidden_wherever_they_nest() {
        let secrets = Secrets::default();
        secrets.hold(&Secret::new("hunter2hunter2"), Origin::Asked);
        let hiding = Hiding::of(secrets);
        let texts = StringArray::from(vec![Some("a hunter2hunter2"), None]);
        let numbers =
            ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1)]), None]);
        let dictionary: DictionaryArray<Int32Type> = ["x", "hunter2hunter2"].into_iter().collect();
        let field = Arc::new(Field::new("inner", DataType::Utf8, true));
        let nested = StructArray::from(vec![(field, Arc::new(texts.clone()) as ArrayRef)]);
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("hunter2hunter2", Arc::new(texts) as ArrayRef, true),
            ("numbers", Arc::new(numbers) as ArrayRef, true),
            ("dictionary", Arc::new(dictionary) as ArrayRef, true),
            ("nested", Arc::new(nested) as ArrayRef, true),
        ])
        .unwrap();
        let Event::Batch(hidden) = hiding.hide(Event::Batch(batch)).unwrap() else {
            panic!("another event");
        };
        assert_eq!(hidden.schema().field(0).name(), "***");
        let shown = |column: usize, row| array_value_to_string(hidden.column(column), row).unwrap();
        assert_eq!(shown(0, 0), "a ***");
        assert_eq!(shown(1, 0), "[1]");
        assert_eq!(
            (shown(2, 0), shown(2, 1)),
            ("x".to_owned(), "***".to_owned())
        );
        assert_eq!(shown(3, 0), "{inner: a ***}");
    }
}
