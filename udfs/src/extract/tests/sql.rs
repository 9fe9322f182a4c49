//! Extraction in SQL: results, NULL, bytes and errors.

use crate::testing::{check, check_error};

#[test]
fn groups_become_fields() {
    let pattern = r"(?P<code>\d{4}) (?P<title>\w+)(?P<rest> x)?";
    for (text, expected) in [
        ("'1513 CLERK'", "{code: 1513, title: CLERK, rest: NULL}"),
        ("'none'", "NULL"),
        ("NULL", "NULL"),
        (
            "arrow_cast('1513 CLERK x', 'Utf8View')",
            "{code: 1513, title: CLERK, rest:  x}",
        ),
        (
            "arrow_cast('1513 CLERK', 'Binary')",
            "{code: 1513, title: CLERK, rest: NULL}",
        ),
    ] {
        check(
            &format!("select regexp_extract_struct({text}, '{pattern}')"),
            &[expected],
        );
    }
    check(
        r"select regexp_extract_struct(v, '(?P<a>\d)')['a'] from (values ('x1'), ('y'), (null)) as t(v)",
        &["1", "NULL", "NULL"],
    );
    check(
        r"select regexp_extract_all_struct(v, '(?P<k>\w)=(?P<v>\d)') from (values ('a=1, b=2'), ('y'), (null)) as t(v)",
        &["[{k: a, v: 1}, {k: b, v: 2}]", "[]", "NULL"],
    );
}

#[test]
fn patterns_are_checked() {
    check_error(
        "select regexp_extract_struct('a', '(\\d)')",
        "has no named group",
    );
    check_error(
        "select regexp_extract_struct('a', '(?P<a>')",
        "the pattern is wrong: unclosed group",
    );
    check_error(
        "select regexp_extract_struct('a', '(?<=x)(?P<a>y)')",
        "the pattern is wrong: look-around",
    );
    check_error(
        "select regexp_extract_struct('a', p) from (values ('x')) as t(p)",
        "takes its pattern as a literal",
    );
    check_error(
        "select regexp_extract_struct(1, '(?P<a>.)')",
        "takes a text, not Int64",
    );
    check_error("select extract_duration('a', 'sleep')", "not of `sleep`");
    check_error("select sections('a', 'b')", "takes a list of headings");
}

#[test]
fn texts_are_cut_at_headings() {
    check(
        r"select sections(E'T\r\nDuties:\r\n one\r\n two \r\n\r\nNOTES: a\nDuties of others\nDUTIES\nmore', ['DUTIES', 'NOTES', 'REST'])",
        &["{: T, DUTIES: one\n two\n\nmore, NOTES: a\nDuties of others}"],
    );
    check(
        "select sections(null, ['A']), sections('a', null), sections('', ['A'])",
        &["NULL,NULL,{}"],
    );
    check(
        r"select map_extract(sections(E'a\nB:\nc', [h]), h) from (values ('B')) as t(h)",
        &["[c]"],
    );
}

#[test]
fn dates_and_lengths() {
    check(
        "select extract_dates('4-20-18, 04/20/2018; 2-30-18, 1-1-69 and 1-1-68, July 4th, 2018, 4 July 2018 (2018-07-04) JULY 4,2018')",
        &[
            "[2018-04-20, 2018-04-20, 1969-01-01, 2068-01-01, 2018-07-04, 2018-07-04, 2018-07-04, 2018-07-04]",
        ],
    );
    check(
        "select extract_dates('none 2018'), extract_dates(null)",
        &["[],NULL"],
    );
    check(
        "select extract_dates('2-29-2000 2-29-1900 12-31-1969 1-1-1970')",
        &["[2000-02-29, 1969-12-31, 1970-01-01]"],
    );
    for (text, any, experience, education) in [
        (
            "Two years of full-time paid experience",
            "Two years",
            "Two years",
            "NULL",
        ),
        (
            "a four-year college and six months of full time experience as a clerk",
            "four-year",
            "six months",
            "four-year",
        ),
        (
            "at least 18 months of experience within the last five years",
            "18 months",
            "18 months",
            "NULL",
        ),
        ("two years' experience", "two years", "two years", "NULL"),
        (
            "Two (2) years of full-time paid professional experience",
            "Two (2) years",
            "Two (2) years",
            "NULL",
        ),
        (
            "one and one-half years of full-time paid experience",
            "one and one-half years",
            "one and one-half years",
            "NULL",
        ),
        ("Two years as a Clerk", "Two years", "Two years", "NULL"),
        (
            "a recognized four-year college or university",
            "four-year",
            "NULL",
            "four-year",
        ),
        (
            "Completion of two years of college",
            "two years",
            "NULL",
            "two years",
        ),
        ("nothing", "NULL", "NULL", "NULL"),
    ] {
        check(
            &format!(
                "select extract_duration('{0}'), extract_duration('{0}', 'experience'), extract_duration('{0}', 'education')",
                text.replace('\'', "''")
            ),
            &[&format!("{any},{experience},{education}")],
        );
    }
}

#[test]
fn salaries() {
    for (text, expected) in [
        (
            "$49,903 to $72,996",
            "{salary_start: 49903.0, salary_end: 72996.0}",
        ),
        (
            "$49,903 to $72,996; $54,204 to $79,281; and $56,752 to $82,956",
            "{salary_start: 49903.0, salary_end: 82956.0}",
        ),
        (
            "$49,903 to $72,996 and $54,204 to $79,281",
            "{salary_start: 49903.0, salary_end: 79281.0}",
        ),
        (
            "$93,542 (flat-rated)",
            "{salary_start: 93542.0, salary_end: 93542.0}",
        ),
        (
            "$ 90, 828 to $ 132, 859",
            "{salary_start: 90828.0, salary_end: 132859.0}",
        ),
        (
            "$49,903 - $72,996",
            "{salary_start: 49903.0, salary_end: 72996.0}",
        ),
        (
            "$49,903 – 72,996",
            "{salary_start: 49903.0, salary_end: 72996.0}",
        ),
        (
            "$14.50 to $18.25 an hour",
            "{salary_start: 14.5, salary_end: 18.25}",
        ),
        (
            "$1 to $2\nThe salary in the Department of Water and Power is $8 to $9; and $10 to\n$11",
            "{salary_start: 1.0, salary_end: 2.0}",
        ),
        (
            "The salary range for positions in the Department of Water and Power is $8 to $9.\n\n$1 to $2",
            "{salary_start: 1.0, salary_end: 2.0}",
        ),
        (
            "$1 to $2; $8 to $9 in the Department of Water and Power; $3 to $4",
            "{salary_start: 1.0, salary_end: 4.0}",
        ),
        (
            "$1 to $2. The salary at LADWP is $8 to $9. An hourly rate is $3 to $4.",
            "{salary_start: 1.0, salary_end: 4.0}",
        ),
        (
            "$1 to $2, and the salary in the Department of Water & Power is $8 (flat-rated)",
            "{salary_start: 1.0, salary_end: 2.0}",
        ),
        (
            "$1,000 to $2,000; a bonus of $500 to $600",
            "{salary_start: 1000.0, salary_end: 2000.0}",
        ),
        ("none", "NULL"),
    ] {
        check(
            &format!(
                "select extract_salary_range(E'{}')",
                text.replace('\n', "\\n")
            ),
            &[expected],
        );
    }
}

#[test]
fn fields_alone() {
    check(
        r"select extract_class_code('Class Code: 845'), extract_class_code(E'as in Class Code 1111\nClass Code:\t0845'), extract_class_code('x'), extract_class_code(null)",
        &["0845,0845,NULL,NULL"],
    );
    check(
        "select extract_deadline('Applications must be received by March 1, 2018.'), extract_deadline('The test is on March 1, 2018.')",
        &["2018-03-01,NULL"],
    );
    check(
        "select extract_application_location('Applications will only be accepted on-line.'), extract_application_location('Return it by mail.'), extract_application_location('')",
        &["Online,Mail or In Person,NULL"],
    );
    check(
        r"select b.position, b.classcode, b.salary_end, b.end_date from (select extract_bulletin(v) as b from (values (E'CLERK\nClass Code: 1111\nANNUAL SALARY\n$1 to $2'), (null), ('')) as t(v))",
        &[
            "CLERK,1111,2.0,NULL",
            "NULL,NULL,NULL,NULL",
            "NULL,NULL,NULL,NULL",
        ],
    );
}
