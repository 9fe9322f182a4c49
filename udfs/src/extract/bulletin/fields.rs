//! What SQL sees of bulletins: `extract_bulletin` and the functions of single fields.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Date32Array, Date32Builder, Float64Builder, StringArray, StringBuilder, StructArray,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;

use super::{Bulletin, deadline_of, head, location_of, salary_of};
use crate::extract::{ExtractArguments, ExtractBehaviour, text_type};
use crate::registry::{Behaviour, Function};
use crate::types::check_count;

pub(in crate::extract) static BULLETIN: Function = Function {
    name: "extract_bulletin",
    usage: "extract_bulletin(text)",
    summary: "Returns the thirteen fields of a job bulletin of the City of Los Angeles as a struct: position, classcode, salary_start, salary_end, start_date, end_date, req, notes, duties, selection, experience_length, education_length, application_location.",
    nulls: "NULL if text is NULL; a field that the bulletin lacks is NULL. Bytes are read as UTF-8 or else as Windows-1252.",
    examples: &[
        r"SELECT extract_bulletin(E'ACCOUNTANT\nClass Code: 1513\nANNUAL SALARY\n$49,903 to $72,996') AS b;",
    ],
    parameters: &["text"],
    behaviour: Behaviour::Extract(ExtractBehaviour {
        coerce: |types| one_text("extract_bulletin", types),
        returns: |_| Ok(DataType::Struct(fields())),
        compute: compute_bulletins,
    }),
};

pub(in crate::extract) static CLASS_CODE: Function = Function {
    name: "extract_class_code",
    usage: "extract_class_code(text)",
    summary: "Returns the class code of a job bulletin as four digits, from its head or its foot.",
    nulls: "NULL if text is NULL or has none.",
    examples: &["SELECT extract_class_code('Class Code:   0845');"],
    parameters: &["text"],
    behaviour: Behaviour::Extract(ExtractBehaviour {
        coerce: |types| one_text("extract_class_code", types),
        returns: |_| Ok(DataType::Utf8),
        compute: |arguments| texts(arguments, head::class_code),
    }),
};

pub(in crate::extract) static SALARY_RANGE: Function = Function {
    name: "extract_salary_range",
    usage: "extract_salary_range(text)",
    summary: "Returns salary_start of the first and salary_end of the last general range of a job bulletin, or of a text about salaries; what the Department of Water and Power pays does not count.",
    nulls: "NULL if text is NULL or has no amount; a flat rate is start and end.",
    examples: &["SELECT extract_salary_range('$49,903 to $72,996 and $54,204 to $79,281');"],
    parameters: &["text"],
    behaviour: Behaviour::Extract(ExtractBehaviour {
        coerce: |types| one_text("extract_salary_range", types),
        returns: |_| Ok(DataType::Struct(salary_fields())),
        compute: compute_salaries,
    }),
};

pub(in crate::extract) static DEADLINE: Function = Function {
    name: "extract_deadline",
    usage: "extract_deadline(text)",
    summary: "Returns the day until which a job bulletin takes applications.",
    nulls: "NULL if text is NULL or names none.",
    examples: &[
        r"SELECT extract_deadline(E'APPLICATION DEADLINE\nFrom July 13, 2018 to July 26, 2018');",
    ],
    parameters: &["text"],
    behaviour: Behaviour::Extract(ExtractBehaviour {
        coerce: |types| one_text("extract_deadline", types),
        returns: |_| Ok(DataType::Date32),
        compute: |arguments| {
            let texts = arguments.texts()?;
            let days = (0..arguments.rows).map(|row| deadline_of(&texts.get(row)?));
            Ok(Arc::new(days.collect::<Date32Array>()))
        },
    }),
};

pub(in crate::extract) static APPLICATION_LOCATION: Function = Function {
    name: "extract_application_location",
    usage: "extract_application_location(text)",
    summary: "Returns where a job bulletin wants applications: Online, or Mail or In Person.",
    nulls: "NULL if text is NULL or says nothing of it.",
    examples: &[
        "SELECT extract_application_location('Applications will only be accepted on-line.');",
    ],
    parameters: &["text"],
    behaviour: Behaviour::Extract(ExtractBehaviour {
        coerce: |types| one_text("extract_application_location", types),
        returns: |_| Ok(DataType::Utf8),
        compute: |arguments| texts(arguments, |text| location_of(text).map(str::to_owned)),
    }),
};

fn one_text(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    check_count(name, types, 1..=1)?;
    Ok(vec![text_type(name, &types[0])?])
}

fn texts(arguments: &ExtractArguments<'_>, of: fn(&str) -> Option<String>) -> Result<ArrayRef> {
    let texts = arguments.texts()?;
    let found = (0..arguments.rows).map(|row| of(&texts.get(row)?));
    Ok(Arc::new(found.collect::<StringArray>()))
}

fn salary_fields() -> Fields {
    let amount = |name| Field::new(name, DataType::Float64, true);
    vec![amount("salary_start"), amount("salary_end")].into()
}

fn compute_salaries(arguments: &ExtractArguments<'_>) -> Result<ArrayRef> {
    let texts = arguments.texts()?;
    let (mut starts, mut ends) = (Float64Builder::new(), Float64Builder::new());
    let mut valid = Vec::with_capacity(arguments.rows);
    for row in 0..arguments.rows {
        let salary = texts.get(row).and_then(|text| salary_of(&text));
        starts.append_option(salary.map(|salary| salary.start));
        ends.append_option(salary.map(|salary| salary.end));
        valid.push(salary.is_some());
    }
    let columns: Vec<ArrayRef> = vec![Arc::new(starts.finish()), Arc::new(ends.finish())];
    let nulls = NullBuffer::from(valid);
    let salaries = StructArray::try_new(salary_fields(), columns, Some(nulls))?;
    Ok(Arc::new(salaries))
}

/// The fields of a bulletin.
fn fields() -> Fields {
    let text = |name| Field::new(name, DataType::Utf8, true);
    let amount = |name| Field::new(name, DataType::Float64, true);
    let date = |name| Field::new(name, DataType::Date32, true);
    vec![
        text("position"),
        text("classcode"),
        amount("salary_start"),
        amount("salary_end"),
        date("start_date"),
        date("end_date"),
        text("req"),
        text("notes"),
        text("duties"),
        text("selection"),
        text("experience_length"),
        text("education_length"),
        text("application_location"),
    ]
    .into()
}

fn compute_bulletins(arguments: &ExtractArguments<'_>) -> Result<ArrayRef> {
    let texts = arguments.texts()?;
    let mut strings: [StringBuilder; 9] = Default::default();
    let mut amounts: [Float64Builder; 2] = Default::default();
    let mut dates: [Date32Builder; 2] = Default::default();
    let mut valid = Vec::with_capacity(arguments.rows);
    for row in 0..arguments.rows {
        let text = texts.get(row);
        valid.push(text.is_some());
        let found = text.map(|text| Bulletin::of(&text)).unwrap_or_default();
        let found_texts = [
            found.position,
            found.class_code,
            found.requirements,
            found.notes,
            found.duties,
            found.selection,
            found.experience,
            found.education,
            found.location,
        ];
        for (column, value) in strings.iter_mut().zip(found_texts) {
            column.append_option(value);
        }
        amounts[0].append_option(found.salary.map(|salary| salary.start));
        amounts[1].append_option(found.salary.map(|salary| salary.end));
        dates[0].append_option(found.start_date);
        dates[1].append_option(found.end_date);
    }
    let mut strings = strings
        .into_iter()
        .map(|mut column| Arc::new(column.finish()) as ArrayRef);
    let mut columns: Vec<ArrayRef> = strings.by_ref().take(2).collect();
    columns.extend(
        amounts
            .into_iter()
            .map(|mut column| Arc::new(column.finish()) as ArrayRef),
    );
    columns.extend(
        dates
            .into_iter()
            .map(|mut column| Arc::new(column.finish()) as ArrayRef),
    );
    columns.extend(strings);
    let nulls = NullBuffer::from(valid);
    let bulletins = StructArray::try_new(fields(), columns, Some(nulls))?;
    Ok(Arc::new(bulletins))
}
