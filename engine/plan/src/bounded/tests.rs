use datafusion::common::DataFusionError;
use datafusion::prelude::{SessionConfig, SessionContext};
use lakesh_memory::runtime::{MemorySettings, build_runtime};
use lakesh_text::failure::{Failure, FailureKind};

fn context() -> SessionContext {
    let folder = std::env::temp_dir();
    let settings = MemorySettings {
        limit: Some(64 * 1024 * 1024),
        ..MemorySettings::new(folder)
    };
    let (runtime, memory) = build_runtime(&settings).expect("a runtime");
    let context = SessionContext::new_with_config_rt(SessionConfig::new(), runtime);
    let state = context.state_ref();
    super::register(&mut *state.write(), &memory).expect("the functions are there");
    context
}

async fn answer(sql: &str) -> Result<String, DataFusionError> {
    let batches = context().sql(sql).await?.collect().await?;
    let shown = datafusion::arrow::util::pretty::pretty_format_batches(&batches)?;
    Ok(shown.to_string())
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_what_fits_is_not() {
    let large = "FROM (VALUES (500000000)) AS t (n)";
    for sql in [
        "SELECT array_length(range(0, 10000000000))".to_owned(),
        format!("SELECT array_length(range(0, n)) {large}"),
        format!("SELECT array_length(range(n, 0, -1)) {large}"),
        format!("SELECT array_length(range(n)) {large}"),
        format!("SELECT array_length(generate_series(1, n, 2)) {large}"),
        "SELECT array_length(generate_series(TIMESTAMP '2000-01-01', TIMESTAMP '2024-01-01', INTERVAL '1 second'))".to_owned(),
        "SELECT array_length(range(DATE '0001-01-01', DATE '9999-01-01', INTERVAL '1 minute'))".to_owned(),
        format!("SELECT array_length(array_repeat('abcdefgh', n)) {large}"),
        format!("SELECT array_length(list_repeat(1, n)) {large}"),
        format!("SELECT array_length(array_resize([1], n, 2)) {large}"),
        format!("SELECT length(repeat('abc', n)) {large}"),
        "SELECT length(repeat('abc', 500000000))".to_owned(),
        format!("SELECT length(lpad('a', n, 'x')) {large}"),
        format!("SELECT length(rpad('a', n)) {large}"),
        "SELECT length(replace(repeat('a', 100000), 'a', repeat('b', 100000)))".to_owned(),
        "SELECT length(regexp_replace(repeat('a', 100000), '.', repeat('b', 100000), 'g'))".to_owned(),
        "SELECT length(array_to_string(range(0, 100000), repeat('b', 100000)))".to_owned(),
    ] {
        let failure = Failure::from_error(answer(&sql).await.expect_err(&sql));
        assert_eq!(failure.kind, FailureKind::Resources, "{sql}: {failure}");
        assert!(failure.hints[0].contains("lakesh.memory_limit"), "{sql}");
    }
    for (sql, expected) in [
        ("SELECT array_length(range(0, 1000000)) AS n", "1000000"),
        ("SELECT array_length(range(10, 0, -2)) AS n", "5"),
        (
            "SELECT array_length(range(DATE '2024-01-01', DATE '2024-03-01', INTERVAL '1 month')) AS n",
            "2",
        ),
        ("SELECT length(repeat('abc', 1000)) AS n", "3000"),
        ("SELECT length(lpad('a', 100, 'x')) AS n", "100"),
        ("SELECT array_length(array_repeat('a', 7)) AS n", "7"),
        // One occurrence in a long text that might have had a hundred thousand.
        (
            "SELECT length(replace(repeat('a', 100000) || 'b', 'b', repeat('c', 100000))) AS n",
            "200000",
        ),
        ("SELECT repeat(NULL, 5) IS NULL AS n", "true"),
        ("SELECT range(5, 0) AS n", "[]"),
    ] {
        let answer = answer(sql).await.expect(sql);
        assert!(answer.contains(expected), "{sql}: {answer}");
    }
}
