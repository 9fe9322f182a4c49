//! SET(name = value): a setting of DataFusion's for this statement alone; see `settings.rs`.

use super::super::usage::HintSource;
use super::super::{HintWord, Refusal};

pub(in super::super) static SET: HintWord = HintWord {
    names: &["SET"],
    usage: "SET(name = value, …)",
    summary: "Changes settings of DataFusion's for this statement alone; those of the runtime are refused.",
    example: "SELECT /*+ SET(target_partitions = 1) */ count(*) FROM generate_series(1, 9);",
    apply: |block, hint| {
        if hint.arguments.is_empty() {
            return Err(Refusal::new(
                "a setting is missing; write it as in SET(batch_size = 4096)",
            ));
        }
        // The settings of the statement's own text are in force already.
        match block.source {
            HintSource::Statement(_) => Ok(()),
            HintSource::View { .. } => Err(Refusal::new(
                "settings count only where they stand in the statement itself",
            )),
        }
    },
};
