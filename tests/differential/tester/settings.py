"""Settings that must not change an answer: each is one way of running the same query."""

from dataclasses import dataclass

EXECUTION, OPTIMIZER = "datafusion.execution", "datafusion.optimizer"


@dataclass(frozen=True)
class Setting:
    name: str
    values: tuple  # Of pairs (name, value).

    def on(self):
        return " ".join(f"SET {name} = {value};" for name, value in self.values)

    def off(self):
        return " ".join(f"RESET {name};" for name, _ in self.values)


USUAL = Setting("usual", ())
SETTINGS = (
    Setting("one_partition", ((f"{EXECUTION}.target_partitions", "1"),)),
    Setting("eight_partitions", (
        (f"{EXECUTION}.target_partitions", "8"), (f"{EXECUTION}.batch_size", "3"), (f"{OPTIMIZER}.repartition_file_min_size", "1"),
        (f"{OPTIMIZER}.hash_join_single_partition_threshold", "0"), (f"{OPTIMIZER}.hash_join_single_partition_threshold_rows", "0"),
    )),
    Setting("small_batches", ((f"{EXECUTION}.batch_size", "3"),)),
    Setting("filters_in_scan", ((f"{EXECUTION}.parquet.pushdown_filters", "true"), (f"{EXECUTION}.parquet.reorder_filters", "true"))),
    Setting("no_pruning", (
        (f"{EXECUTION}.parquet.pruning", "false"), (f"{EXECUTION}.parquet.enable_page_index", "false"), (f"{EXECUTION}.parquet.bloom_filter_on_read", "false"),
    )),
    Setting("no_dynamic_filters", ((f"{OPTIMIZER}.enable_dynamic_filter_pushdown", "false"),)),
    Setting("no_statistics", ((f"{EXECUTION}.collect_statistics", "false"),)),
    Setting("sort_merge_joins", ((f"{OPTIMIZER}.prefer_hash_join", "false"), (f"{EXECUTION}.target_partitions", "4"))),
    Setting("no_reordering", ((f"{OPTIMIZER}.join_reordering", "false"), (f"{OPTIMIZER}.enable_leaf_expression_pushdown", "false"))),
    Setting("no_top_k", ((f"{OPTIMIZER}.enable_topk_aggregation", "false"), (f"{OPTIMIZER}.enable_sort_pushdown", "false"))),
)

# For queries over a large table only: others fit.
LOW_MEMORY = (
    Setting("low_memory", (("lakesh.memory_limit", "'16MiB'"),)),
    Setting("low_memory_sort_merge", (("lakesh.memory_limit", "'16MiB'"), (f"{OPTIMIZER}.prefer_hash_join", "false"), (f"{EXECUTION}.target_partitions", "4"))),
)
