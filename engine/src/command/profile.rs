//! `\profile`: what the statements of a label took, and where. It stands for SQL over `system.queries`.

use async_trait::async_trait;
use lakesh_event::event::Summary;
use lakesh_session::command::{Arguments, Command, Invocation};
use lakesh_text::failure::Failure;

/// The labels with their statements.
const LABELS: &str = "\
    SELECT label, count(*) AS statements, round(sum(duration_ms), 3) AS duration_ms, \
           sum(\"rows\") AS \"rows\", sum(bytes_scanned) AS bytes_scanned, \
           max(peak_memory) AS peak_memory, sum(spilled_bytes) AS spilled_bytes, \
           min(started_at) AS started_at \
    FROM system.queries WHERE label IS NOT NULL GROUP BY label ORDER BY started_at";

/// The statements of the label `$1`, each with its slowest operator, and their sum.
const STATEMENTS: &str = "\
    WITH q AS (SELECT * FROM system.queries WHERE label = $LABEL), \
    o AS (SELECT query_id, operator, elapsed_ms, \
                 row_number() OVER (PARTITION BY query_id ORDER BY elapsed_ms DESC, operator_id) AS place \
          FROM system.operators WHERE elapsed_ms IS NOT NULL), \
    shown AS ( \
        SELECT q.id, \
               regexp_replace(q.sql, '\\s+', ' ', 'g') AS statement, \
               q.duration_ms, q.planning_ms, q.\"rows\", q.bytes_scanned, \
               q.files_pruned, q.row_groups_pruned, q.peak_memory, q.spilled_bytes, \
               o.operator AS slowest, o.elapsed_ms AS slowest_ms, q.status \
        FROM q LEFT JOIN o ON o.query_id = q.id AND o.place = 1 \
        UNION ALL \
        SELECT NULL, 'total of ' || count(*), sum(duration_ms), sum(planning_ms), sum(\"rows\"), \
               sum(bytes_scanned), sum(files_pruned), sum(row_groups_pruned), max(peak_memory), \
               sum(spilled_bytes), NULL, NULL, NULL \
        FROM q HAVING count(*) > 0) \
    SELECT id, CASE WHEN length(statement) > 60 THEN left(statement, 59) || '…' ELSE statement END AS statement, \
           round(duration_ms, 3) AS duration_ms, round(planning_ms, 3) AS planning_ms, \
           \"rows\", bytes_scanned, files_pruned, row_groups_pruned, peak_memory, spilled_bytes, \
           slowest, round(slowest_ms, 3) AS slowest_ms, status \
    FROM shown ORDER BY id NULLS LAST";

pub(super) struct Profile;

#[async_trait]
impl Command for Profile {
    fn names(&self) -> &'static [&'static str] {
        &["profile"]
    }

    fn usage(&self) -> &'static str {
        "\\profile [LABEL]"
    }

    fn summary(&self) -> &'static str {
        "shows what the statements of a label took (SET lakesh.query_label), or lists the labels"
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "SET lakesh.query_label = 'load';\nSELECT 1 AS a;\nRESET lakesh.query_label;\n\\profile load",
            "\\profile",
        ]
    }

    fn arguments(&self) -> Arguments {
        Arguments::Words(0..=1)
    }

    async fn run(&self, invocation: &Invocation) -> Result<Summary, Failure> {
        let Some(label) = invocation.argument(0) else {
            return invocation.run_statement(LABELS.to_owned()).await;
        };
        let literal = format!("'{}'", label.value.replace('\'', "''"));
        let sql = STATEMENTS.replace("$LABEL", &literal);
        invocation.run_statement(sql).await
    }
}
