//! Two hundred bulletins of ten layouts, each with the values that it was made of.

use super::{Expected, check_bulletin};
use crate::testing::Random;

const POSITIONS: [&str; 12] = [
    "ACCOUNTANT",
    "SENIOR SYSTEMS ANALYST",
    "AIRPORT POLICE OFFICER",
    "WATER UTILITY WORKER",
    "311 DIRECTOR",
    "ELECTRICAL ENGINEERING ASSOCIATE",
    "PORT PILOT II",
    "CHIEF OF AIRPORT PLANNING",
    "EQUIPMENT MECHANIC (WELDER)",
    "ARTS MANAGER",
    "HEATING AND REFRIGERATION INSPECTOR",
    "DUTIES COORDINATOR",
];

const DUTIES: [&str; 4] = [
    "An incumbent plans, assigns and reviews the work of others, applies sound\nsupervisory principles, and fulfills equal employment opportunity responsibilities.",
    "Performs skilled work on pumps, valves and motors.\n\nMay drive a truck; other DUTIES and notes are kept in a log of the office.",
    "Keeps the books described under\nREQUIREMENTS of the State, and does related work.",
    "a. Inspects buildings.\nb. Writes reports, from January 1, 2015 to March 2, 2016 for instance.\n\nRelated work.",
];

const NOTES: [&str; 3] = [
    "1. Candidates from the eligible list are normally appointed to vacancies in the lower pay grade positions.\n2. For information regarding reciprocity go to http://per.lacity.org/Reciprocity.pdf.",
    "1. Annual salary is at the start of the pay range; the current range is subject to change, see DUTIES.\n\n2. A bonus of $1,200 to $2,400 may be paid.",
    "Please note that some positions may require working nights.",
];

/// Requirements, the experience and the education in them.
const REQUIREMENTS: [(&str, &str, &str); 6] = [
    (
        "Graduation from a recognized four-year college or university and two years of full-time paid experience in accounting.",
        "two years",
        "four-year",
    ),
    (
        "1. Two years of full-time paid experience with the City of Los Angeles as an\nAccountant; or\n2. A Master's degree from an accredited college.",
        "Two years",
        "",
    ),
    (
        "Six months of full-time paid experience as a Laborer within the last five years.",
        "Six months",
        "",
    ),
    (
        "A bachelor's degree from a four-year college or university;\nor\n\nCompletion of an apprenticeship. Notes of the school must be attached as described in the\nPROCESS NOTES below.",
        "",
        "four-year",
    ),
    (
        "Three years of full time paid experience\nmaintaining pumps, and a valid California driver's license obtained by June 30, 2017.",
        "Three years",
        "",
    ),
    ("A valid license issued by the Coast Guard.", "", ""),
];

const SELECTION: [&str; 3] = [
    "After meeting minimum qualification, candidates will be scheduled for the following:\n\nExamination Weight:\tInterview . . . . . . . . 100%\n\nThe interview will be held on April 7, 2019.",
    "Examination Weights:\tMultiple-Choice Test . . . . . . . .  Advisory\n\tInterview . . . . . . . . . 100%\n\nNOTES:\n1. Written DUTIES questions may be asked.",
    "The examination will consist entirely of an evaluation of professional training.",
];

/// Salaries as they are written, and what they mean.
const SALARIES: [(&str, f64, f64); 8] = [
    ("$49,903 to $72,996", 49903.0, 72996.0),
    (
        "$49,903 to $72,996; $54,204 to $79,281; and $56,752 to $82,956",
        49903.0,
        82956.0,
    ),
    ("$90,828 (flat-rated)", 90828.0, 90828.0),
    ("$ 90, 828 to $ 112, 500", 90828.0, 112500.0),
    (
        "$60,489 to $88,447 and $71,472 to $104,483\nThe salary in the Department of Water and Power is $99,999 to $123,609; and $125,000 to\n$150,000.",
        60489.0,
        104483.0,
    ),
    (
        "The salary range for positions in the Department of Water and Power is $72,328 to $89,864\n\n$53,000 to $60,000",
        53000.0,
        60000.0,
    ),
    (
        "$54,204 to $79,281 and $66,231 (flat-rated)",
        54204.0,
        66231.0,
    ),
    (
        "$115,445 to $168,773\n\nThe salary in the Department of Water and Power is $163,000 (flat-rated)",
        115445.0,
        168773.0,
    ),
];

/// Opening dates as they are written, and what they mean.
const OPENED: [(&str, &str); 6] = [
    ("4-20-18", "2018-04-20"),
    ("04-20-2018", "2018-04-20"),
    ("4/20/18", "2018-04-20"),
    ("12-31-69", "1969-12-31"),
    ("01-05-68", "2068-01-05"),
    ("April 20, 2018", "2018-04-20"),
];

/// Deadlines as they are written, and what they mean.
const DEADLINES: [(&str, &str); 6] = [
    (
        "Applications will only be accepted on-line. From 8:00 a.m. Friday, July 13, 2018 to 11:59 p.m., Thursday, July 26, 2018",
        "2018-07-26",
    ),
    (
        "Applications must be received by THURSDAY, MARCH 1, 2018",
        "2018-03-01",
    ),
    (
        "Applications will be accepted from FRIDAY, JUNE 22, 2018 through\nTHURSDAY, JULY 5, 2018. The filing period may close without prior notice. The test is planned for August 9, 2018.",
        "2018-07-05",
    ),
    (
        "Applications are accepted until sufficient are received.",
        "",
    ),
    (
        "On-line applications will be taken until 5/14/18.",
        "2018-05-14",
    ),
    (
        "8:00 a.m. on September 7, 2018 to 11:59 p.m. on September 20, 2018",
        "2018-09-20",
    ),
];

/// Ways to apply, and what they mean.
const WAYS: [(&str, &str); 3] = [
    (
        "Applications will only be accepted on-line. When you are viewing the on-line job bulletin of your choice, select the \"Apply\" icon.",
        "Online",
    ),
    (
        "Submit a City application at https://www.governmentjobs.com/careers/lacity.\n\nNOTE:\nApply early to have time to resolve any technical issues.",
        "Online",
    ),
    (
        "Applications may be filed in person or by mail at the Personnel Department, 700 East Temple Street, Room 100.",
        "Mail or In Person",
    ),
];

/// How the headings of a layout are written: salary, notes, duties, requirements, process notes, apply,
/// deadline, selection.
const HEADINGS: [[&str; 8]; 10] = [
    [
        "ANNUAL SALARY",
        "NOTES:",
        "DUTIES",
        "REQUIREMENTS/MINIMUM QUALIFICATIONS",
        "PROCESS NOTES",
        "WHERE TO APPLY",
        "APPLICATION DEADLINE",
        "SELECTION PROCESS",
    ],
    [
        "ANNUALSALARY",
        "NOTE:",
        "DUTIES",
        "REQUIREMENT/MIMINUMUM QUALIFICATION",
        "PROCESS NOTE",
        "HOW TO APPLY",
        "APPLICATION DEADLINE",
        "SELELCTION PROCESS",
    ],
    [
        "ANNUAL SALARY ",
        "NOTES",
        "DUTIES:",
        "REQUIREMENTS/ MINUMUM QUALIFICATIONS",
        "PROCESS NOTES:",
        "WHERE TO APPLY:",
        "FILING DEADLINE",
        "SELECTION PROCESS:",
    ],
    [
        "\tANNUAL SALARY",
        "\tNOTES:",
        "\tDUTIES",
        "\tREQUIREMENT(S)",
        "\tPROCESS NOTES",
        "\tAPPLICATION PROCESS",
        "\tDEADLINE",
        "\tSELECTION",
    ],
    [
        "ANNUAL SALARY:  ",
        "NOTES:  ",
        "DUTIES:  ",
        "REQUIREMENTS:  ",
        "PROCESS NOTES:  ",
        "WHERE TO APPLY:  ",
        "APPLICATION DEADLINE:  ",
        "SELECTION PROCESS:  ",
    ],
    [
        "Salary:",
        "Notes:",
        "Duties:",
        "Minimum Qualifications:",
        "Process Notes:",
        "How to Apply:",
        "Application Deadline:",
        "Selection Process:",
    ],
    [
        "ANNUAL SALARY\t",
        "NOTES:\t",
        "DUTIES\t",
        "REQUIREMENTS/MINIMUM QUALIFICATIONS\t",
        "PROCESS NOTES\t",
        "WHERE TO APPLY\t",
        "APPLICATION DEADLINE\t",
        "SELECTION PROCESS\t",
    ],
    [
        "**ANNUAL SALARY**",
        "**NOTES**",
        "**DUTIES**",
        "**REQUIREMENTS**",
        "**PROCESS NOTES**",
        "**WHERE TO APPLY**",
        "**APPLICATION DEADLINE**",
        "**SELECTION PROCESS**",
    ],
    [
        "ANNUAL SALARY",
        "NOTES:",
        "DUTIES",
        "REQUIREMENT/MINIMUM QUALIFICATION",
        "PROCESS NOTES",
        "WHERE TO APPLY",
        "APPLICATION  DEADLINE",
        "SELECTION PROCCESS",
    ],
    [
        "SALARY RANGE",
        "GENERAL NOTES",
        "JOB DUTIES",
        "MINIMUM REQUIREMENTS",
        "DESIRABLE QUALIFICATIONS",
        "TO APPLY",
        "CLOSING DATE",
        "EXAMINATION PROCESS",
    ],
];

fn one_of<T>(random: &mut Random, all: &'static [T]) -> &'static T {
    &all[usize::try_from(random.below(all.len() as u64)).unwrap()]
}

/// Makes a bulletin of a layout, and what it says.
fn bulletin(layout: usize, random: &mut Random) -> (Vec<u8>, Expected) {
    let headings = HEADINGS[layout];
    let is_inline = |heading: &str| heading.ends_with("  ") || heading.ends_with('\t');
    let position = *one_of(random, &POSITIONS);
    let code = ["0845", "1513", "7245", "3112"][usize::try_from(random.below(4)).unwrap()];
    let (opened, start) = *one_of(random, &OPENED);
    let (salary, low, high) = *one_of(random, &SALARIES);
    let (asked, experience, education) = *one_of(random, &REQUIREMENTS);
    let (deadline, end) = *one_of(random, &DEADLINES);
    let (way, location) = *one_of(random, &WAYS);
    let notes = (!random.one_in(4)).then(|| *one_of(random, &NOTES));
    let (duties, selection) = (*one_of(random, &DUTIES), *one_of(random, &SELECTION));
    // A selection with notes of its own is one part only where the bulletin has notes.
    let selection = if notes.is_none() {
        SELECTION[0]
    } else {
        selection
    };
    let code_at_foot = random.one_in(4);
    let has_opened = !random.one_in(8);

    let mut text = String::new();
    if layout % 3 == 1 {
        text.push_str("CAMPUS INTERVIEWS ONLY\n\n");
    }
    if layout == 5 {
        text.push_str(&format!("Position: {position}\n"));
    } else {
        text.push_str(&format!("{position}{}\n", ["", "  ", "\t"][layout % 3]));
    }
    text.push('\n');
    if !code_at_foot {
        let gap = [" ", "       ", "\t", "\t\t"][usize::try_from(random.below(4)).unwrap()];
        text.push_str(&format!("Class Code:{gap}{code}\n"));
    }
    if has_opened {
        text.push_str(&format!("Open Date:  {opened}\n"));
    }
    text.push_str("(Exam Open to All, including Current City Employees)\n\n");
    let mut part = |heading: &str, body: &str| {
        text.push_str(heading);
        text.push_str(if is_inline(heading) { "" } else { "\n\n" });
        text.push_str(body);
        text.push_str("\n\n");
    };
    part(headings[0], salary);
    if let Some(notes) = notes {
        part(headings[1], notes);
    }
    part(headings[2], duties);
    part(headings[3], asked);
    part(
        headings[4],
        "1. Applicants must submit the NOTES of their DUTIES. Ten years of records are kept.",
    );
    if layout.is_multiple_of(2) {
        part(headings[7], selection);
    }
    part(headings[5], way);
    part(headings[6], deadline);
    if layout % 2 == 1 {
        part(headings[7], selection);
    }
    text.push_str("THIS EXAMINATION IS TO BE GIVEN ONLY ON AN OPEN COMPETITIVE BASIS\n\nThe City does not discriminate.\n\nAN EQUAL EMPLOYMENT OPPORTUNITY EMPLOYER\n");
    if code_at_foot {
        text.push_str(&format!("\nClass Code: {code}\n"));
    }
    let expected = Expected {
        position,
        class_code: code,
        salary: Some((low, high)),
        start: if has_opened { start } else { "" },
        end,
        requirements: asked.to_owned(),
        notes: notes.unwrap_or_default().to_owned(),
        duties: duties.to_owned(),
        selection: selection.to_owned(),
        experience,
        education,
        location,
    };
    (encoded(layout, &text), expected)
}

/// Some bulletins come from Windows, with its line ends, quotation marks and dashes.
fn encoded(layout: usize, text: &str) -> Vec<u8> {
    let text = match layout % 4 {
        2 => text.replace('\n', "\r\n"),
        _ => text.to_owned(),
    };
    match layout % 5 {
        2 => {
            let text = format!("{text}The City\u{2019}s address \u{2013} see above");
            let byte = |character| match character {
                '\u{2019}' => 0x92,
                '\u{2013}' => 0x96,
                other => u8::try_from(other).unwrap(),
            };
            text.chars().map(byte).collect()
        }
        3 => format!("\u{feff}{text}").into_bytes(),
        _ => text.into_bytes(),
    }
}

#[test]
fn two_hundred_bulletins_of_ten_layouts() {
    let mut random = Random(17);
    for number in 0..200 {
        let layout = number % HEADINGS.len();
        let (bytes, expected) = bulletin(layout, &mut random);
        check_bulletin(
            &format!("bulletin {number} of layout {layout}"),
            &bytes,
            &expected,
        );
    }
}
