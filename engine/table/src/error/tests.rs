use super::*;

#[test]
fn hints_name_the_nearest_option_and_list_the_others() {
    let failure = Failure::from(TableError::UnknownOption {
        target: "csv".into(),
        option: "delimter".into(),
        known: vec!["delimiter", "header"],
    });
    assert_eq!(failure.message, "`csv` has no option `delimter`");
    assert_eq!(
        failure.hints,
        ["did you mean `delimiter`?", "known are: delimiter, header"]
    );
    assert_eq!(failure.kind, FailureKind::Usage);
}

#[test]
fn a_failing_disk_is_known_where_only_the_text_is_left() {
    let kind = |text: &str| {
        let location = "/lake/t".to_owned();
        let source = Box::new(DeltaTableError::Generic(text.to_owned()));
        Failure::from(TableError::Delta { location, source }).kind
    };
    let said = "Z-order failed while scanning data: Input/output error (os error 5)";
    assert_eq!(kind(said), FailureKind::InputOutput);
    assert_eq!(kind("no such column"), FailureKind::Execution);
}

#[test]
fn what_a_store_says_is_cut_to_its_message() {
    let said = |text: &str| {
        let source = object_store::Error::Generic {
            store: "S3",
            source: text.to_owned().into(),
        };
        Failure::from(TableError::store("s3://lake/x", source))
    };
    let missing = said(
        "404 Not Found: <Error><Code>NoSuchBucket</Code><Message>It does not exist.</Message></Error>",
    );
    assert_eq!(
        missing.message,
        "cannot reach `s3://lake/x`: It does not exist (NoSuchBucket)"
    );
    let nobody = said("Error performing PUT http://169.254.169.254/latest/api/token: 403");
    assert_eq!(
        nobody.message,
        "cannot reach `s3://lake/x`: there are no credentials for it"
    );
    assert!(nobody.hints[0].contains("AWS_ACCESS_KEY_ID"));
}
