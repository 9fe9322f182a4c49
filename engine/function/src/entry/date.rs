//! Functions of dates and times.

use super::tree;
use crate::kernel::{Kernel, Kind, clock, strptime, to_clock, to_number, to_text, to_whole};
use crate::registry::{Form, Function};

/// The entries.
pub(super) static ENTRIES: &[Function] = &[
    Function::written(
        "year",
        "year(moment)",
        "The year.",
        &[Form { parameters: &["x"], sql: "date_part('year', x)" }],
    )
    .example("SELECT year(TIMESTAMP '1969-12-31 23:59:58');")
    .duckdb("year")
    .spark("year"),
    Function::written(
        "quarter",
        "quarter(moment)",
        "The quarter of the year, 1 to 4.",
        &[Form { parameters: &["x"], sql: "date_part('quarter', x)" }],
    )
    .example("SELECT quarter(TIMESTAMP '1969-12-31 23:59:58');")
    .duckdb("quarter")
    .spark("quarter"),
    Function::written(
        "month",
        "month(moment)",
        "The month of the year, 1 to 12.",
        &[Form { parameters: &["x"], sql: "date_part('month', x)" }],
    )
    .example("SELECT month(TIMESTAMP '1969-12-31 23:59:58');")
    .duckdb("month")
    .spark("month"),
    Function::written(
        "week",
        "week(moment)",
        "The week of the year as ISO 8601 counts it.",
        &[Form { parameters: &["x"], sql: "date_part('week', x)" }],
    )
    .also(&["weekofyear"])
    .example("SELECT week(TIMESTAMP '1969-12-31 23:59:58');")
    .duckdb("week")
    .spark("weekofyear"),
    Function::written(
        "day",
        "day(moment)",
        "The day of the month, 1 to 31.",
        &[Form { parameters: &["x"], sql: "date_part('day', x)" }],
    )
    .also(&["dayofmonth"])
    .example("SELECT day(TIMESTAMP '1969-12-31 23:59:58');")
    .duckdb("day")
    .spark("dayofmonth"),
    Function::written(
        "dayofyear",
        "dayofyear(moment)",
        "The day of the year, 1 to 366.",
        &[Form { parameters: &["x"], sql: "date_part('doy', x)" }],
    )
    .example("SELECT dayofyear(TIMESTAMP '1969-12-31 23:59:58');")
    .duckdb("dayofyear")
    .spark("dayofyear"),
    Function::written(
        "dayofweek",
        "dayofweek(moment)",
        "The day of the week from 0, Sunday, to 6, as in DuckDB; Spark counts from 1.",
        &[Form { parameters: &["x"], sql: "date_part('dow', x)" }],
    )
    .also(&["weekday"])
    .example("SELECT dayofweek(TIMESTAMP '1969-12-31 23:59:58');")
    .duckdb("dayofweek")
    .spark("dayofweek - 1"),
    Function::written(
        "isodow",
        "isodow(moment)",
        "The day of the week from 1, Monday, to 7.",
        &[Form { parameters: &["x"], sql: "date_part('isodow', x)" }],
    )
    .example("SELECT isodow(TIMESTAMP '1969-12-31 23:59:58');")
    .duckdb("isodow"),
    Function::written(
        "isoyear",
        "isoyear(moment)",
        "The year that the ISO week of a day belongs to.",
        &[Form { parameters: &["x"], sql: "date_part('isoyear', x)" }],
    )
    .example("SELECT isoyear(TIMESTAMP '1969-12-31 23:59:58');")
    .duckdb("isoyear"),
    Function::written(
        "hour",
        "hour(moment)",
        "The hour of the day, 0 to 23.",
        &[Form { parameters: &["x"], sql: "date_part('hour', x)" }],
    )
    .example("SELECT hour(TIMESTAMP '1969-12-31 23:59:58');")
    .duckdb("hour")
    .spark("hour"),
    Function::written(
        "minute",
        "minute(moment)",
        "The minute of the hour, 0 to 59.",
        &[Form { parameters: &["x"], sql: "date_part('minute', x)" }],
    )
    .example("SELECT minute(TIMESTAMP '1969-12-31 23:59:58');")
    .duckdb("minute")
    .spark("minute"),
    Function::written(
        "second",
        "second(moment)",
        "The second of the minute, 0 to 59.",
        &[Form { parameters: &["x"], sql: "date_part('second', x)" }],
    )
    .example("SELECT second(TIMESTAMP '1969-12-31 23:59:58');")
    .duckdb("second")
    .spark("second"),
    Function::written(
        "millisecond",
        "millisecond(moment)",
        "The seconds of the minute in thousandths.",
        &[Form { parameters: &["x"], sql: "date_part('millisecond', x)" }],
    )
    .also(&["milliseconds"])
    .example("SELECT millisecond(TIMESTAMP '1969-12-31 23:59:58');")
    .duckdb("millisecond"),
    Function::written(
        "microsecond",
        "microsecond(moment)",
        "The seconds of the minute in millionths.",
        &[Form { parameters: &["x"], sql: "date_part('microsecond', x)" }],
    )
    .also(&["microseconds"])
    .example("SELECT microsecond(TIMESTAMP '1969-12-31 23:59:58');")
    .duckdb("microsecond"),
    Function::written(
        "epoch",
        "epoch(moment)",
        "The seconds since 1970.",
        &[Form { parameters: &["x"], sql: "date_part('epoch', x)" }],
    )
    .example("SELECT epoch(TIMESTAMP '1969-12-31 23:59:58');")
    .duckdb("epoch"),
    Function::written(
        "decade",
        "decade(moment)",
        "The year without its last digit.",
        &[Form { parameters: &["x"], sql: "CAST(floor(date_part('year', x) / 10e0) AS BIGINT)" }],
    )
    .example("SELECT decade(DATE '1969-12-31');")
    .duckdb("decade"),
    Function::written(
        "century",
        "century(moment)",
        "The century; the 21st begins with 2001.",
        &[Form { parameters: &["x"], sql: "CAST(ceil(date_part('year', x) / 100e0) AS BIGINT)" }],
    )
    .example("SELECT century(DATE '2000-12-31');")
    .duckdb("century"),
    Function::written(
        "millennium",
        "millennium(moment)",
        "The millennium; the third begins with 2001.",
        &[Form { parameters: &["x"], sql: "CAST(ceil(date_part('year', x) / 1000e0) AS BIGINT)" }],
    )
    .example("SELECT millennium(DATE '2000-12-31');")
    .duckdb("millennium"),
    Function::written(
        "yearweek",
        "yearweek(moment)",
        "The ISO year and week as one number, 202405.",
        &[Form { parameters: &["x"], sql: "date_part('isoyear', x) * 100 + date_part('week', x)" }],
    )
    .example("SELECT yearweek(DATE '2024-02-01');")
    .duckdb("yearweek"),
    Function::written(
        "dayname",
        "dayname(moment)",
        "The name of the day in English.",
        &[Form { parameters: &["x"], sql: "to_char(x, 'FMDay')" }],
    )
    .example("SELECT dayname(DATE '2024-02-29');")
    .duckdb("dayname")
    .spark("dayname"),
    Function::written(
        "monthname",
        "monthname(moment)",
        "The name of the month in English; Spark cuts it to three letters.",
        &[Form { parameters: &["x"], sql: "to_char(x, 'FMMonth')" }],
    )
    .example("SELECT monthname(DATE '2024-02-29');")
    .duckdb("monthname")
    .spark("date_format(x, 'MMM')"),
    Function::written(
        "last_day",
        "last_day(day)",
        "The last day of the month.",
        &[Form { parameters: &["x"], sql: "CAST(date_trunc('month', CAST(x AS DATE)) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE)" }],
    )
    .example("SELECT last_day(DATE '2024-02-01');")
    .duckdb("last_day")
    .spark("last_day"),
    Function::written(
        "add_months",
        "add_months(day, count)",
        "The day so many months later; a day that the month has not is its last one.",
        &[Form { parameters: &["x", "n"], sql: "CAST(CAST(x AS DATE) + n * INTERVAL '1 month' AS DATE)" }],
    )
    .example("SELECT add_months(DATE '2024-01-31', 1);")
    .spark("add_months"),
    Function::kernel(
        "age",
        "age(later, earlier)",
        "What lies between two moments in years, months, days and time. With one argument, between it and today.",
        Kernel::new(&[&[Kind::Clock, Kind::Clock]], clock::to_interval, clock::ages),
    )
    .example("SELECT age(TIMESTAMP '2024-03-01', TIMESTAMP '2023-01-31');")
    .duckdb("age")
    .postgres("age"),
    Function::tree(
        "date_diff",
        "date_diff(unit, start, end)",
        "How many borders of a unit lie between two moments. With two arguments, as in Spark, the days from the second to the first.",
        tree::date_diff,
    )
    .also(&["datediff"])
    .example("SELECT date_diff('month', DATE '2024-01-31', DATE '2024-02-01');")
    .duckdb("date_diff")
    .spark("datediff"),
    Function::kernel(
        "lakesh_date_borders",
        "lakesh_date_borders(unit, start, end)",
        "How many borders of a unit lie between two moments.",
        Kernel::new(&[&[Kind::Text, Kind::Clock, Kind::Clock]], to_whole, clock::difference).by_unit(),
    )
    .example("SELECT date_diff('month', DATE '2024-01-31', DATE '2024-02-01');")
    .duckdb("date_diff"),
    Function::tree(
        "timestampdiff",
        "timestampdiff(unit, start, end)",
        "How many whole units lie between two moments.",
        tree::timestampdiff,
    )
    .example("SELECT timestampdiff(MONTH, DATE '2024-01-31', DATE '2024-02-29');")
    .spark("timestampdiff"),
    Function::kernel(
        "lakesh_whole_units",
        "lakesh_whole_units(unit, start, end)",
        "How many whole units lie between two moments.",
        Kernel::new(&[&[Kind::Text, Kind::Clock, Kind::Clock]], to_whole, clock::whole_difference).by_unit(),
    )
    .example("SELECT timestampdiff('day', DATE '2024-01-31', DATE '2024-02-29');")
    .spark("timestampdiff"),
    Function::kernel(
        "datesub",
        "datesub(unit, start, end)",
        "How many whole units lie between two moments; the last day of a month is as far as a day that it has not.",
        Kernel::new(&[&[Kind::Text, Kind::Clock, Kind::Clock]], to_whole, clock::whole_difference_to_last_day).by_unit(),
    )
    .example("SELECT datesub('month', DATE '2024-01-31', DATE '2024-02-29');")
    .duckdb("datesub"),
    Function::tree(
        "date_sub",
        "date_sub(day, count)",
        "The day so many days, or an interval, earlier. With three arguments, as in DuckDB, how many whole units lie between two moments.",
        tree::date_sub,
    )
    .example("SELECT date_sub(DATE '2024-03-01', 1), date_sub('day', DATE '2024-01-31', DATE '2024-03-01');")
    .duckdb("date_sub")
    .spark("date_sub"),
    Function::tree(
        "date_add",
        "date_add(day, count)",
        "The day so many days, or an interval, later. With three arguments so many of a unit later: dateadd(month, 1, day).",
        tree::date_add,
    )
    .also(&["dateadd", "timestampadd", "adddate"])
    .example("SELECT date_add(DATE '2024-02-28', 2), date_add(DATE '2024-02-28', INTERVAL '1 day');")
    .duckdb("date_add")
    .spark("date_add"),
    Function::kernel(
        "months_between",
        "months_between(later, earlier)",
        "The months between two moments; what is left of a month as a share of 31 days.",
        Kernel::new(&[&[Kind::Clock, Kind::Clock]], to_number, clock::months_between),
    )
    .example("SELECT months_between(TIMESTAMP '1997-02-28 10:30:00', DATE '1996-10-30');")
    .spark("months_between"),
    Function::tree(
        "make_timestamp",
        "make_timestamp(year, month, day, hour, minute, seconds)",
        "The moment of these numbers, or of microseconds since 1970.",
        tree::make_timestamp,
    )
    .also(&["make_timestamp_ntz"])
    .example("SELECT make_timestamp(1969, 7, 20, 20, 17, 40.5);")
    .duckdb("make_timestamp")
    .postgres("make_timestamp")
    .spark("make_timestamp"),
    Function::tree(
        "make_timestamptz",
        "make_timestamptz(year, month, day, hour, minute, seconds [, zone])",
        "The moment at which clocks of a zone, else of the session's, show these numbers; or so many microseconds after 1970.",
        tree::make_timestamptz,
    )
    .also(&["make_timestamp_ltz"])
    .example("SELECT make_timestamptz(1969, 7, 20, 20, 17, 40.5, 'America/New_York');")
    .duckdb("make_timestamptz")
    .postgres("make_timestamptz")
    .spark("make_timestamp_ltz"),
    Function::written(
        "ago",
        "ago(interval)",
        "The moment an interval before now.",
        &[Form { parameters: &["x"], sql: "now() - x" }],
    )
    .example("SELECT ago(INTERVAL '1 day') < now();")
    .duckdb("ago"),
    Function::written(
        "era",
        "era(moment)",
        "1, for moments of this era; there are no others.",
        &[Form { parameters: &["x"], sql: "CASE WHEN CAST(x AS TIMESTAMP) IS NOT NULL THEN 1 END" }],
    )
    .example("SELECT era(DATE '1969-07-20');")
    .duckdb("era"),
    Function::kernel(
        "lakesh_timestamp_of_parts",
        "lakesh_timestamp_of_parts(year, month, day, hour, minute, seconds)",
        "The moment of these numbers.",
        Kernel::new(&[&[Kind::Whole, Kind::Whole, Kind::Whole, Kind::Whole, Kind::Whole, Kind::Number]], to_clock, clock::made),
    )
    .example("SELECT make_timestamp(1969, 7, 20, 20, 17, 40.5);")
    .duckdb("make_timestamp"),
    Function::written(
        "strftime",
        "strftime(moment, format)",
        "A moment as a text, by a format such as '%d.%m.%Y'.",
        &[Form { parameters: &["x", "f"], sql: "to_char(x, lakesh_format(f))" }],
    )
    .example("SELECT strftime(TIMESTAMP '1969-07-20 20:17:40', '%d.%m.%Y %H:%M');")
    .duckdb("strftime")
    .postgres("to_char")
    .spark("date_format"),
    Function::kernel(
        "lakesh_format",
        "lakesh_format(format)",
        "A format of strftime as to_char takes it.",
        Kernel::new(&[&[Kind::Text]], to_text, strptime::written_format),
    )
    .example("SELECT strftime(DATE '2024-02-29', '%j');")
    .duckdb("strftime"),
    Function::kernel(
        "strptime",
        "strptime(text, format)",
        "A text read as a moment by a format such as '%d.%m.%Y'; one that does not fit is an error.",
        Kernel::new(&[&[Kind::Text, Kind::Text]], to_clock, strptime::parsed),
    )
    .specially(tree::strptime)
    .example("SELECT strptime('20.07.1969 20:17', '%d.%m.%Y %H:%M');")
    .duckdb("strptime")
    .postgres("to_timestamp")
    .spark("to_timestamp"),
    Function::tree(
        "to_date",
        "to_date(text [, pattern])",
        "A text read as a date by PostgreSQL's pattern, such as 'DD.MM.YYYY', by Spark's, such as 'dd.MM.yyyy', or by a format such as '%d.%m.%Y'.",
        tree::to_date,
    )
    .example("SELECT to_date('20.07.1969', 'dd.MM.yyyy'), to_date('20.07.1969', 'DD.MM.YYYY');")
    .duckdb("strptime")
    .postgres("to_date")
    .spark("to_date"),
    Function::tree(
        "to_timestamp",
        "to_timestamp(text [, pattern])",
        "A text read as a moment by PostgreSQL's pattern, such as 'DD.MM.YYYY HH24:MI', by Spark's, such as 'dd.MM.yyyy HH:mm', or by a format; a number is seconds since 1970.",
        tree::to_timestamp,
    )
    .example("SELECT to_timestamp('20.07.1969 20:17', 'dd.MM.yyyy HH:mm');")
    .duckdb("strptime")
    .postgres("to_timestamp")
    .spark("to_timestamp"),
    Function::kernel(
        "lakesh_dated",
        "lakesh_dated(text, format)",
        "What to_timestamp reads by a format.",
        Kernel::new(&[&[Kind::Text, Kind::Text]], to_clock, strptime::parsed_with_year),
    )
    .example("SELECT to_timestamp('20.07.1969', 'dd.MM.yyyy');")
    .postgres("to_timestamp"),
    Function::kernel(
        "try_strptime",
        "try_strptime(text, format)",
        "A text read as a moment by a format; one that does not fit is NULL.",
        Kernel::new(&[&[Kind::Text, Kind::Text]], to_clock, strptime::parsed_or_null),
    )
    .specially(tree::try_strptime)
    .example("SELECT try_strptime('no day', '%d.%m.%Y');")
    .duckdb("try_strptime"),
    Function::kernel(
        "epoch_ms",
        "epoch_ms(moment or milliseconds)",
        "The milliseconds since 1970 of a moment, or the moment of so many.",
        Kernel::new(&[&[Kind::Any]], clock::epoch_type, clock::epoch_milliseconds),
    )
    .example("SELECT epoch_ms(TIMESTAMP '1969-12-31 23:59:59.999'), epoch_ms(-1);")
    .duckdb("epoch_ms"),
    Function::kernel(
        "epoch_us",
        "epoch_us(moment)",
        "The microseconds since 1970.",
        Kernel::new(&[&[Kind::Any]], to_whole, clock::epoch_microseconds),
    )
    .example("SELECT epoch_us(TIMESTAMP '1969-12-31 23:59:59');")
    .duckdb("epoch_us"),
    Function::kernel(
        "epoch_ns",
        "epoch_ns(moment)",
        "The nanoseconds since 1970.",
        Kernel::new(&[&[Kind::Any]], to_whole, clock::epoch_nanoseconds),
    )
    .example("SELECT epoch_ns(TIMESTAMP '1969-12-31 23:59:59');")
    .duckdb("epoch_ns"),
    Function::written(
        "unix_timestamp",
        "unix_timestamp([moment [, format]])",
        "The whole seconds since 1970, of now without a moment.",
        &[Form { parameters: &[], sql: "to_unixtime(now())" }, Form { parameters: &["x"], sql: "to_unixtime(x)" }, Form { parameters: &["x", "f"], sql: "to_unixtime(lakesh_dated(x, f))" }],
    )
    .also(&["to_unix_timestamp"])
    .example("SELECT unix_timestamp(TIMESTAMP '1969-12-31 23:59:59');")
    .spark("unix_timestamp"),
    Function::written(
        "unix_seconds",
        "unix_seconds(moment)",
        "The whole seconds since 1970.",
        &[Form { parameters: &["x"], sql: "to_unixtime(x)" }],
    )
    .example("SELECT unix_seconds(TIMESTAMP '1970-01-01 00:00:01');")
    .spark("unix_seconds"),
    Function::written(
        "unix_millis",
        "unix_millis(moment)",
        "The milliseconds since 1970.",
        &[Form { parameters: &["x"], sql: "epoch_ms(CAST(x AS TIMESTAMP))" }],
    )
    .example("SELECT unix_millis(TIMESTAMP '1970-01-01 00:00:01');")
    .spark("unix_millis"),
    Function::written(
        "unix_micros",
        "unix_micros(moment)",
        "The microseconds since 1970.",
        &[Form { parameters: &["x"], sql: "epoch_us(CAST(x AS TIMESTAMP))" }],
    )
    .example("SELECT unix_micros(TIMESTAMP '1970-01-01 00:00:01');")
    .spark("unix_micros"),
    Function::written(
        "unix_date",
        "unix_date(day)",
        "The days since 1970.",
        &[Form { parameters: &["x"], sql: "CAST(x AS DATE) - DATE '1970-01-01'" }],
    )
    .example("SELECT unix_date(DATE '1969-12-31');")
    .spark("unix_date"),
    Function::written(
        "date_from_unix_date",
        "date_from_unix_date(days)",
        "The day so many days after the first of 1970.",
        &[Form { parameters: &["n"], sql: "DATE '1970-01-01' + n" }],
    )
    .example("SELECT date_from_unix_date(-1);")
    .spark("date_from_unix_date"),
    Function::renamed(
        "timestamp_seconds",
        "timestamp_seconds(seconds)",
        "The moment so many seconds after 1970.",
        "to_timestamp_seconds",
    )
    .example("SELECT timestamp_seconds(1);")
    .spark("timestamp_seconds"),
    Function::renamed(
        "timestamp_millis",
        "timestamp_millis(milliseconds)",
        "The moment so many milliseconds after 1970.",
        "to_timestamp_millis",
    )
    .also(&["make_timestamp_ms"])
    .example("SELECT timestamp_millis(1);")
    .spark("timestamp_millis"),
    Function::renamed(
        "timestamp_micros",
        "timestamp_micros(microseconds)",
        "The moment so many microseconds after 1970.",
        "to_timestamp_micros",
    )
    .example("SELECT timestamp_micros(1);")
    .spark("timestamp_micros"),
    Function::renamed(
        "make_timestamp_ns",
        "make_timestamp_ns(nanoseconds)",
        "The moment so many nanoseconds after 1970.",
        "to_timestamp_nanos",
    )
    .example("SELECT make_timestamp_ns(1);")
    .duckdb("make_timestamp_ns"),
    Function::written(
        "from_utc_timestamp",
        "from_utc_timestamp(moment, zone)",
        "What the clocks of a zone show when those of UTC show the moment.",
        &[Form { parameters: &["x", "z"], sql: "(CAST(x AS TIMESTAMP) AT TIME ZONE 'UTC') AT TIME ZONE z" }],
    )
    .example("SELECT from_utc_timestamp(TIMESTAMP '2016-08-31 00:00:00', 'Asia/Seoul');")
    .spark("from_utc_timestamp"),
    Function::written(
        "to_utc_timestamp",
        "to_utc_timestamp(moment, zone)",
        "What the clocks of UTC show when those of a zone show the moment.",
        &[Form { parameters: &["x", "z"], sql: "(CAST(x AS TIMESTAMP) AT TIME ZONE z) AT TIME ZONE 'UTC'" }],
    )
    .example("SELECT to_utc_timestamp(TIMESTAMP '2016-08-31 00:00:00', 'Asia/Seoul');")
    .spark("to_utc_timestamp"),
    Function::written(
        "convert_timezone",
        "convert_timezone(from, to, moment)",
        "What the clocks of a zone show when those of another show the moment.",
        &[Form { parameters: &["a", "b", "x"], sql: "((CAST(x AS TIMESTAMP) AT TIME ZONE a) AT TIME ZONE b)" }],
    )
    .example("SELECT convert_timezone('UTC', 'Europe/Berlin', TIMESTAMP '2024-07-01 12:00:00');")
    .spark("convert_timezone"),
    Function::tree(
        "time_bucket",
        "time_bucket(width, moment [, origin])",
        "The begin of the bucket that a moment falls into: buckets begin at Monday, 3 January 2000, those of months and years at the first of that month.",
        tree::time_bucket,
    )
    .example("SELECT time_bucket(INTERVAL '2 weeks', DATE '1992-04-20');")
    .duckdb("time_bucket"),
    Function::written(
        "get_current_timestamp",
        "get_current_timestamp()",
        "The moment at which the statement began.",
        &[Form { parameters: &[], sql: "now()" }],
    )
    .also(&["transaction_timestamp", "statement_timestamp", "getdate"])
    .example("SELECT get_current_timestamp() = now();")
    .duckdb("get_current_timestamp")
    .postgres("transaction_timestamp")
    .spark("now"),
    Function::written(
        "curdate",
        "curdate()",
        "The day of today.",
        &[Form { parameters: &[], sql: "current_date()" }],
    )
    .also(&["get_current_date"])
    .example("SELECT curdate() = current_date;")
    .spark("curdate"),
    Function::written(
        "to_years",
        "to_years(count)",
        "An interval of so many years.",
        &[Form { parameters: &["n"], sql: "n * INTERVAL '1 year'" }],
    )
    .example("SELECT to_years(-2);")
    .duckdb("to_years"),
    Function::written(
        "to_months",
        "to_months(count)",
        "An interval of so many months.",
        &[Form { parameters: &["n"], sql: "n * INTERVAL '1 month'" }],
    )
    .example("SELECT to_months(-2);")
    .duckdb("to_months"),
    Function::written(
        "to_weeks",
        "to_weeks(count)",
        "An interval of so many weeks.",
        &[Form { parameters: &["n"], sql: "n * INTERVAL '1 week'" }],
    )
    .example("SELECT to_weeks(-2);")
    .duckdb("to_weeks"),
    Function::written(
        "to_days",
        "to_days(count)",
        "An interval of so many days.",
        &[Form { parameters: &["n"], sql: "n * INTERVAL '1 day'" }],
    )
    .example("SELECT to_days(-2);")
    .duckdb("to_days"),
    Function::written(
        "to_hours",
        "to_hours(count)",
        "An interval of so many hours.",
        &[Form { parameters: &["n"], sql: "n * INTERVAL '1 hour'" }],
    )
    .example("SELECT to_hours(-2);")
    .duckdb("to_hours"),
    Function::written(
        "to_minutes",
        "to_minutes(count)",
        "An interval of so many minutes.",
        &[Form { parameters: &["n"], sql: "n * INTERVAL '1 minute'" }],
    )
    .example("SELECT to_minutes(-2);")
    .duckdb("to_minutes"),
    Function::written(
        "to_seconds",
        "to_seconds(count)",
        "An interval of so many seconds.",
        &[Form { parameters: &["n"], sql: "n * INTERVAL '1 second'" }],
    )
    .example("SELECT to_seconds(-2);")
    .duckdb("to_seconds"),
    Function::written(
        "to_milliseconds",
        "to_milliseconds(count)",
        "An interval of so many milliseconds.",
        &[Form { parameters: &["n"], sql: "n * INTERVAL '1 millisecond'" }],
    )
    .example("SELECT to_milliseconds(-2);")
    .duckdb("to_milliseconds"),
    Function::written(
        "to_microseconds",
        "to_microseconds(count)",
        "An interval of so many microseconds.",
        &[Form { parameters: &["n"], sql: "n * INTERVAL '1 microsecond'" }],
    )
    .example("SELECT to_microseconds(-2);")
    .duckdb("to_microseconds"),
    Function::kernel(
        "next_day",
        "next_day(day, name)",
        "The first day of that name behind a day; NULL where no day is called so.",
        Kernel::new(&[&[Kind::Day, Kind::Text]], clock::to_day, clock::next_day),
    )
    .example("SELECT next_day(DATE '2015-01-14', 'TU');")
    .spark("next_day"),
    Function::tree(
        "make_interval",
        "make_interval(years, months, weeks, days, hours, minutes, seconds)",
        "An interval of these numbers; those at the end may be left out, and any given by name.",
        tree::make_interval,
    )
    .example("SELECT make_interval(100, 11, 1, 1, 12, 30, 1), make_interval(days => 10);")
    .postgres("make_interval")
    .spark("make_interval"),
];
