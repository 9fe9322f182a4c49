//! Twelve bulletins whose values were written by hand, with all that real ones trip over.

use super::{Expected, check_bulletin};

#[test]
fn the_usual_form() {
    let text = "ACCOUNTANT

Class Code:       1513
Open Date:  06-22-18
(Exam Open to All, including Current City Employees)

ANNUAL SALARY

$49,903 to $72,996; $54,204 to $79,281; and $56,752 to $82,956
The salary in the Department of Water and Power is $60,489 to $75,147 and $71,472 to $88,781.

NOTES:

1. Candidates from the eligible list are normally appointed to vacancies in the lower pay grade positions.
2. Annual salary is at the start of the pay range. The current salary range is subject to change. Please confirm the starting salary with the hiring department before accepting a job offer.

DUTIES

An Accountant does professional accounting work in the analysis of accounting procedures; prepares financial reports.

REQUIREMENT/MINIMUM QUALIFICATION

1. Graduation from an accredited four-year college or university with a major in accounting; or
2. Two years of full-time paid experience as an Accounting Clerk with the City of Los Angeles.

PROCESS NOTES

1. Applicants who lack six months or less of the required experience may file for this examination.

WHERE TO APPLY

Applications will only be accepted on-line. When you are viewing the on-line job bulletin of your choice, simply scroll to the top of the page and select the \"Apply\" icon. On-line job bulletins are also available at https://www.governmentjobs.com/careers/lacity.

NOTE:

Applicants are urged to apply early to ensure you have time to resolve any technical issues you may encounter.

APPLICATION DEADLINE

Applications must be received by THURSDAY, JULY 5, 2018. The examination may close without prior notice.

SELECTION PROCESS

After meeting minimum qualification, candidates will be scheduled for the following:

Examination Weight:\tMultiple-Choice Test . . . . . 100%

The multiple-choice test is expected to be held on August 18, 2018.

THIS EXAMINATION IS TO BE GIVEN ONLY ON AN OPEN COMPETITIVE BASIS

The City of Los Angeles does not discriminate on the basis of race, religion or national origin.

AN EQUAL EMPLOYMENT OPPORTUNITY EMPLOYER
";
    check_bulletin("usual", text.as_bytes(), &Expected {
        position: "ACCOUNTANT",
        class_code: "1513",
        salary: Some((49903.0, 82956.0)),
        start: "2018-06-22",
        end: "2018-07-05",
        requirements: "1. Graduation from an accredited four-year college or university with a major in accounting; or\n2. Two years of full-time paid experience as an Accounting Clerk with the City of Los Angeles.".into(),
        notes: "1. Candidates from the eligible list are normally appointed to vacancies in the lower pay grade positions.\n2. Annual salary is at the start of the pay range. The current salary range is subject to change. Please confirm the starting salary with the hiring department before accepting a job offer.".into(),
        duties: "An Accountant does professional accounting work in the analysis of accounting procedures; prepares financial reports.".into(),
        selection: "After meeting minimum qualification, candidates will be scheduled for the following:\n\nExamination Weight:\tMultiple-Choice Test . . . . . 100%\n\nThe multiple-choice test is expected to be held on August 18, 2018.".into(),
        experience: "Two years",
        education: "four-year",
        location: "Online",
    });
}

#[test]
fn campus_interviews_and_a_span_of_days() {
    let text = "\t\t CAMPUS INTERVIEWS ONLY\r\n\r\n  CIVIL ENGINEERING ASSOCIATE\t\r\n\r\nClass Code:\t\t7246\r\nOpen Date:\t7-13-2018\r\nANNUALSALARY\r\n$ 66, 231 to $ 96, 841\r\n\r\nDUTIES\r\nDesigns streets.\r\n\r\nREQUIREMENTS/ MINIMUM QUALIFICATIONS\r\nGraduation from a recognized four-year college or university.\r\n\r\nAPPLICATION DEADLINE\r\nFrom 8:00 a.m. Friday, July 13, 2018 to 11:59 p.m., Thursday, July 26, 2018\r\n\r\nSELELCTION PROCESS\r\nInterview . . . 100%\r\n";
    check_bulletin(
        "campus",
        text.as_bytes(),
        &Expected {
            position: "CIVIL ENGINEERING ASSOCIATE",
            class_code: "7246",
            salary: Some((66231.0, 96841.0)),
            start: "2018-07-13",
            end: "2018-07-26",
            requirements: "Graduation from a recognized four-year college or university.".into(),
            duties: "Designs streets.".into(),
            selection: "Interview . . . 100%".into(),
            education: "four-year",
            ..Expected::default()
        },
    );
}

#[test]
fn the_code_at_the_foot_and_a_flat_rate() {
    let text = "PORT PILOT II
Open Date: 4-20-18

ANNUAL SALARY
$245,987 (flat-rated)

DUTIES
A Port Pilot II boards ships as described under the heading
DUTIES of the harbor's book and pilots them.

REQUIREMENTS
A valid license. Candidates in Class Code 5112 may apply.

HOW TO APPLY
Applications may be mailed to 700 East Temple Street or handed in in person. They are kept until used.

SELECTION PROCESS
Interview.

AN EQUAL EMPLOYMENT OPPORTUNITY EMPLOYER        Class Code: 5113
";
    check_bulletin("foot", text.as_bytes(), &Expected {
        position: "PORT PILOT II",
        class_code: "5113",
        salary: Some((245_987.0, 245_987.0)),
        start: "2018-04-20",
        requirements: "A valid license. Candidates in Class Code 5112 may apply.".into(),
        duties: "A Port Pilot II boards ships as described under the heading\nDUTIES of the harbor's book and pilots them.".into(),
        selection: "Interview.".into(),
        location: "Mail or In Person",
        ..Expected::default()
    });
}

#[test]
fn bytes_of_windows() {
    let text = b"FIREARMS EXAMINER\r\nClass  Code: 2234\r\nOpen date:  05-04-18\r\nREVISED:  05-10-18\r\n(Exam Open to All)\r\nANNUAL SALARY\r\n$65,145 \x96 $95,234\r\n\r\nDUTIES\r\nThe examiner\x92s work is \x93forensic\x94.\r\n\r\nREQUIREMENT\r\nOne year of full-time paid experience in a firearms unit.\r\n\r\nDEADLINE\r\nMAY 17, 2018\r\n\r\nSELECTION PROCESS\r\nTo be announced\x85\r\n";
    check_bulletin(
        "windows",
        text,
        &Expected {
            position: "FIREARMS EXAMINER",
            class_code: "2234",
            salary: Some((65145.0, 95234.0)),
            start: "2018-05-04",
            end: "2018-05-17",
            requirements: "One year of full-time paid experience in a firearms unit.".into(),
            duties: "The examiner\u{2019}s work is \u{201c}forensic\u{201d}.".into(),
            selection: "To be announced\u{2026}".into(),
            experience: "One year",
            ..Expected::default()
        },
    );
}

#[test]
fn labels_in_small_letters() {
    let text = "City of Los Angeles
Personnel Department
JOB BULLETIN

Job Title: Arts Manager
Class Code: 2454
Opening Date: June 1, 2018
Closing Date: June 14, 2018
Annual Salary: $76,796 to $112,271

Duties: Plans festivals.
Notes are kept of each one.

Minimum Qualifications: Three years of full-time paid experience in arts administration, and
a bachelor's degree from a four-year college.

Selection Process: An interview on July 9, 2018.

How to Apply: Apply online at governmentjobs.com.
";
    check_bulletin("labels", text.as_bytes(), &Expected {
        position: "Arts Manager",
        class_code: "2454",
        salary: Some((76796.0, 112_271.0)),
        start: "2018-06-01",
        end: "2018-06-14",
        requirements: "Three years of full-time paid experience in arts administration, and\na bachelor's degree from a four-year college.".into(),
        duties: "Plans festivals.\nNotes are kept of each one.".into(),
        selection: "An interview on July 9, 2018.".into(),
        experience: "Three years",
        education: "four-year",
        location: "Online",
        ..Expected::default()
    });
}

#[test]
fn water_and_power_before_the_others() {
    let text = "UTILITY SERVICES MANAGER
Class Code: 3983
Open Date: 01/05/68

ANNUAL SALARY

The salary range for positions in the Department of Water and Power is $135,302 to
$168,084; and $150,398 to $186,855.
$108,847 to $159,126 and $113,712 to $166,267

The current salary range is subject to change; a bonus of $1,000 to $2,000 is none.

DUTIES

Manages.

REQUIREMENTS/MINIMUM QUALIFICATIONS

Two years of full-time paid experience.

PROCESS NOTES

Notes.

WHERE TO APPLY & APPLICATION DEADLINE

Applications will be accepted on-line only from Friday, May 4, 2018 through Thursday, May 17, 2018.

SELECTION PROCESS

Interview
";
    check_bulletin(
        "power",
        text.as_bytes(),
        &Expected {
            position: "UTILITY SERVICES MANAGER",
            class_code: "3983",
            salary: Some((108_847.0, 166_267.0)),
            start: "2068-01-05",
            end: "2018-05-17",
            requirements: "Two years of full-time paid experience.".into(),
            duties: "Manages.".into(),
            selection: "Interview".into(),
            experience: "Two years",
            location: "Online",
            ..Expected::default()
        },
    );
}

#[test]
fn no_deadline_but_other_days() {
    let text = "CUSTODIAN (continuous)

Class Code: 3156
Open Date: 03-09-18

ANNUAL SALARY
$31,633 to $46,270

DUTIES
Cleans.

REQUIREMENTS
Six months of full-time paid experience by March 1, 2018.

WHERE TO APPLY
On-line. Applications are accepted until enough are received.

APPLICATION DEADLINE
Applications will be accepted until further notice.

SELECTION PROCESS
A test on May 5, 2018.
";
    check_bulletin(
        "no deadline",
        text.as_bytes(),
        &Expected {
            position: "CUSTODIAN (continuous)",
            class_code: "3156",
            salary: Some((31633.0, 46270.0)),
            start: "2018-03-09",
            requirements: "Six months of full-time paid experience by March 1, 2018.".into(),
            duties: "Cleans.".into(),
            selection: "A test on May 5, 2018.".into(),
            experience: "Six months",
            location: "Online",
            ..Expected::default()
        },
    );
}

#[test]
fn a_position_over_two_lines_and_notes_everywhere() {
    let text = "DIRECTOR OF PLANNING AND
BUILDING SAFETY
Class Code: 0123
Open Date: 4-20-2018

ANNUAL SALARY
$150,000 to $200,000

NOTES:
Salary note.

DUTIES
Directs.

NOTE: Travel is needed.

REQUIREMENTS
Eighteen months of full-time paid experience.

NOTES:
Part-time experience counts half.

PROCESS NOTES
None.

SELECTION PROCESS
Interview.

NOTES:
Bring papers.
";
    check_bulletin("notes", text.as_bytes(), &Expected {
        position: "DIRECTOR OF PLANNING AND BUILDING SAFETY",
        class_code: "0123",
        salary: Some((150_000.0, 200_000.0)),
        start: "2018-04-20",
        requirements: "Eighteen months of full-time paid experience.\n\nNOTES:\nPart-time experience counts half.".into(),
        notes: "Salary note.".into(),
        duties: "Directs.\n\nNOTE: Travel is needed.".into(),
        selection: "Interview.\n\nNOTES:\nBring papers.".into(),
        experience: "Eighteen months",
        ..Expected::default()
    });
}

#[test]
fn windows_of_filing_and_old_line_ends() {
    let text = "TREE SURGEON\rClass Code: 3114\rOpen Date: 10-05-18\r\rANNUAL SALARY\r$21.50 to $28.75 an hour\r\rDUTIES\rPrunes trees.\r\rREQUIREMENTS\rTwo (2) years of full-time paid experience pruning trees.\r\rAPPLICATION DEADLINE\rFrom 8:00 am Friday, October 5, 2018 to 11:59 pm Thursday, October 18, 2018\rFrom 8:00 am Friday, January 4, 2019 to 11:59 pm Thursday, January 17, 2019\r\rSELECTION PROCESS\rPerformance test.\r";
    check_bulletin(
        "old",
        text.as_bytes(),
        &Expected {
            position: "TREE SURGEON",
            class_code: "3114",
            salary: Some((21.5, 28.75)),
            start: "2018-10-05",
            end: "2019-01-17",
            requirements: "Two (2) years of full-time paid experience pruning trees.".into(),
            duties: "Prunes trees.".into(),
            selection: "Performance test.".into(),
            experience: "Two (2) years",
            ..Expected::default()
        },
    );
}

#[test]
fn another_order_and_an_emphasis() {
    let text = "\u{feff}## SENIOR CLERK (CAMPUS INTERVIEWS ONLY)

**Class Code:** 1368
**Open Date:** 02-16-2018

**DUTIES**
Files papers.

**NOTES**
Shifts rotate.

**REQUIREMENTS**
One year of full time paid experience as a Clerk.

**SELECTION PROCESS**
Essay.

**ANNUAL SALARY**
$45,142 to $66,001 (flat-rated for none)
";
    check_bulletin(
        "emphasis",
        text.as_bytes(),
        &Expected {
            position: "SENIOR CLERK",
            class_code: "1368",
            salary: Some((45142.0, 66001.0)),
            start: "2018-02-16",
            requirements: "One year of full time paid experience as a Clerk.".into(),
            notes: "Shifts rotate.".into(),
            duties: "Files papers.".into(),
            selection: "Essay.".into(),
            experience: "One year",
            ..Expected::default()
        },
    );
}

#[test]
fn headings_in_the_middle_of_sentences() {
    let text = "INVESTIGATOR
Class Code: 0602
Open Date: 9-28-18
ANNUAL SALARY
$61,992 to $90,640

DUTIES
Reads the NOTES, DUTIES and REQUIREMENTS of files; the
REQUIREMENTS of the law and the
SELECTION PROCESS
used by others are weighed.
DUTIES and rights are explained to the public.

REQUIREMENTS
Four years of full-time paid investigative experience (see
SELECTION PROCESS: below).
Notes: none count.

FILING PERIOD
September 28 to October 11, 2018

SELECTION PROCESS
Interview
";
    check_bulletin("sentences", text.as_bytes(), &Expected {
        position: "INVESTIGATOR",
        class_code: "0602",
        salary: Some((61992.0, 90640.0)),
        start: "2018-09-28",
        end: "2018-10-11",
        requirements: "Four years of full-time paid investigative experience (see\nSELECTION PROCESS: below).".into(),
        notes: "none count.".into(),
        duties: "Reads the NOTES, DUTIES and REQUIREMENTS of files; the\nREQUIREMENTS of the law and the\nSELECTION PROCESS\nused by others are weighed.\nDUTIES and rights are explained to the public.".into(),
        selection: "Interview".into(),
        experience: "Four years",
        ..Expected::default()
    });
}

#[test]
fn almost_nothing() {
    check_bulletin("empty", b"", &Expected::default());
    check_bulletin(
        "title",
        b"\n\n  GARDENER \n",
        &Expected {
            position: "GARDENER",
            ..Expected::default()
        },
    );
    check_bulletin("headings", b"DUTIES\n\nNOTES\n", &Expected::default());
}
