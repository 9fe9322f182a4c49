"""The grammar of the queries. Each expression has a type, so that few are refused for having none."""
