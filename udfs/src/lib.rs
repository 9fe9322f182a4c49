//! Feature, text and privacy functions: plain DataFusion functions that any DataFusion program can use.
