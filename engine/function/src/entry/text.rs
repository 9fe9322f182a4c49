//! Functions of texts.

use super::tree;
use crate::kernel::{
    Kernel, Kind, base, bytes, distance, pattern, printf, shape, text, to_number, to_text,
    to_texts, to_whole, url,
};
use crate::registry::{Form, Function};

/// The entries.
pub(super) static ENTRIES: &[Function] = &[
    Function::kernel(
        "length",
        "length(value)",
        "The characters of a text, the bytes of a BLOB, the elements of a list, the entries of a map.",
        Kernel::new(&[&[Kind::Any]], shape::length_type, shape::length),
    )
    .also(&["len", "size", "array_size"])
    .example("SELECT length('añb'), len([1, NULL]), size([]);")
    .duckdb("length, len")
    .postgres("length")
    .spark("length, size"),
    Function::kernel(
        "string_split",
        "string_split(text, separator)",
        "The parts of a text between separators, which are taken as they are; an empty one cuts between all characters. Spark takes a regular expression: regexp_split_to_array.",
        Kernel::new(&[&[Kind::Text, Kind::Text]], to_texts, text::split),
    )
    .also(&["split", "str_split"])
    .example("SELECT string_split('a,ñ,', ',');")
    .duckdb("string_split")
    .postgres("string_to_array")
    .spark("split"),
    Function::kernel(
        "regexp_split_to_array",
        "regexp_split_to_array(text, pattern [, limit])",
        "The parts of a text between matches of a regular expression.",
        Kernel::new(&[&[Kind::Text, Kind::Text], &[Kind::Text, Kind::Text, Kind::Whole]], to_texts, pattern::split),
    )
    .also(&["string_split_regex", "str_split_regex"])
    .example("SELECT regexp_split_to_array('a1b22c', '[0-9]+');")
    .duckdb("regexp_split_to_array")
    .postgres("regexp_split_to_array")
    .spark("split"),
    Function::kernel(
        "regexp_extract",
        "regexp_extract(text, pattern [, group | names [, flags]])",
        "The first match of a regular expression, or its group; an empty text where there is none. Without a number the whole match, as in DuckDB; Spark gives group 1. With a list of names, a struct of the groups. Flags are i, s and c.",
        Kernel::new(&[&[Kind::Text, Kind::Text], &[Kind::Text, Kind::Text, Kind::Whole]], to_text, pattern::extract),
    )
    .specially(tree::regexp::extract)
    .example("SELECT regexp_extract('100-200', '(\\d+)-(\\d+)', 1), regexp_extract('a1', '(.)(.)', ['x', 'y']);")
    .duckdb("regexp_extract")
    .spark("regexp_extract"),
    Function::kernel(
        "regexp_substr",
        "regexp_substr(text, pattern [, 0])",
        "The first match of a regular expression; NULL where there is none.",
        Kernel::new(&[&[Kind::Text, Kind::Text], &[Kind::Text, Kind::Text, Kind::Whole]], to_text, pattern::substr),
    )
    .example("SELECT regexp_substr('Steven Jones', 'Ste(v|ph)en');")
    .postgres("regexp_substr")
    .spark("regexp_substr"),
    Function::kernel(
        "regexp_extract_all",
        "regexp_extract_all(text, pattern [, group | names [, flags]])",
        "All matches of a regular expression, or a group of each; with a list of names, structs of the groups. Flags are i, s and c.",
        Kernel::new(&[&[Kind::Text, Kind::Text], &[Kind::Text, Kind::Text, Kind::Whole]], to_texts, pattern::extract_all),
    )
    .specially(tree::regexp::extract_all)
    .example("SELECT regexp_extract_all('a1 b22', '([a-z])([0-9]+)', 2);")
    .duckdb("regexp_extract_all")
    .spark("regexp_extract_all"),
    Function::kernel(
        "lakesh_regexp_groups",
        "lakesh_regexp_groups(text, pattern)",
        "The groups of the first match; NULL for one that took no part, and where nothing matches.",
        Kernel::new(&[&[Kind::Text, Kind::Text]], to_texts, pattern::groups),
    )
    .example("SELECT regexp_extract('a1', '(.)(.)', ['x', 'y']);")
    .duckdb("regexp_extract"),
    Function::kernel(
        "lakesh_regexp_all_groups",
        "lakesh_regexp_all_groups(text, pattern)",
        "The groups of each match; NULL for one that took no part.",
        Kernel::new(&[&[Kind::Text, Kind::Text]], pattern::to_lists_of_texts, pattern::all_groups),
    )
    .example("SELECT regexp_extract_all('a1 b2', '(.)(.)', ['x', 'y']);")
    .duckdb("regexp_extract_all"),
    Function::kernel(
        "regexp_escape",
        "regexp_escape(text)",
        "A text as a regular expression that matches it alone.",
        Kernel::new(&[&[Kind::Text]], to_text, pattern::escape),
    )
    .example("SELECT regexp_escape('a.b');")
    .duckdb("regexp_escape"),
    Function::renamed(
        "regexp_matches",
        "regexp_matches(text, pattern [, flags])",
        "Whether a regular expression matches somewhere. In PostgreSQL this name returns rows; regexp_match returns the groups.",
        "regexp_like",
    )
    .also(&["rlike", "regexp"])
    .example("SELECT regexp_matches('anabanana', 'an');")
    .duckdb("regexp_matches")
    .postgres("regexp_like")
    .spark("rlike"),
    Function::written(
        "regexp_full_match",
        "regexp_full_match(text, pattern)",
        "Whether a regular expression matches all of a text.",
        &[Form { parameters: &["s", "p"], sql: "regexp_like(s, '^(?:' || p || ')$')" }],
    )
    .example("SELECT regexp_full_match('abc', 'b');")
    .duckdb("regexp_full_match"),
    Function::renamed(
        "lcase",
        "lcase(text)",
        "The text in small letters.",
        "lower",
    )
    .example("SELECT lcase('ÄB');")
    .duckdb("lcase")
    .spark("lcase"),
    Function::renamed(
        "ucase",
        "ucase(text)",
        "The text in capitals.",
        "upper",
    )
    .example("SELECT ucase('äb');")
    .duckdb("ucase")
    .spark("ucase"),
    Function::renamed(
        "char",
        "char(code)",
        "The character of a code.",
        "chr",
    )
    .example("SELECT char(241);")
    .spark("char"),
    Function::renamed(
        "unicode",
        "unicode(text)",
        "The code of the first character.",
        "ascii",
    )
    .also(&["ord"])
    .example("SELECT unicode('ñ');")
    .duckdb("unicode, ord")
    .postgres("ascii")
    .spark("ascii"),
    Function::renamed(
        "mid",
        "mid(text, start [, length])",
        "A piece of a text; characters are counted from 1.",
        "substr",
    )
    .example("SELECT mid('añb', 2, 1);")
    .spark("mid"),
    Function::kernel(
        "locate",
        "locate(wanted, text [, start])",
        "Where a text begins in another, counted from 1; 0 where it is not in it.",
        Kernel::new(&[&[Kind::Text, Kind::Text], &[Kind::Text, Kind::Text, Kind::Whole]], to_whole, text::locate),
    )
    .also(&["charindex"])
    .example("SELECT locate('b', 'äbab', 3);")
    .spark("locate"),
    Function::renamed(
        "prefix",
        "prefix(text, begin)",
        "Whether a text begins with another.",
        "starts_with",
    )
    .also(&["startswith"])
    .example("SELECT prefix('añb', 'añ');")
    .duckdb("prefix")
    .postgres("starts_with")
    .spark("startswith"),
    Function::renamed(
        "suffix",
        "suffix(text, end)",
        "Whether a text ends with another.",
        "ends_with",
    )
    .also(&["endswith"])
    .example("SELECT suffix('añb', 'ñb');")
    .duckdb("suffix")
    .spark("endswith"),
    Function::renamed(
        "strlen",
        "strlen(text)",
        "The bytes of a text.",
        "octet_length",
    )
    .example("SELECT strlen('ñ');")
    .duckdb("strlen")
    .postgres("octet_length")
    .spark("octet_length"),
    Function::kernel(
        "printf",
        "printf(format, value, …)",
        "Values put into a format of C, as in %5.2f. NULL among the values makes NULL.",
        Kernel::new(&[&[Kind::Text], &[Kind::Text, Kind::Any]], to_text, printf::printf).going_on(),
    )
    .also(&["format_string"])
    .example("SELECT printf('%s is %d years, %.1f m', 'Åsa', 7, 1.25);")
    .duckdb("printf")
    .spark("printf"),
    Function::kernel(
        "format",
        "format(format, value, …)",
        "Values put into the braces of a format, {} or {:.2f}, as in DuckDB; without braces into %s, %I and %L as in PostgreSQL.",
        Kernel::new(&[&[Kind::Text], &[Kind::Text, Kind::Any]], to_text, printf::format).going_on(),
    )
    .nulls("NULL among the values makes NULL in braces, as in DuckDB; for %s it is an empty text, as in PostgreSQL.")
    .example("SELECT format('{} is {:.1f}', 'pi', 3.14159), format('%s %L', 'a', 'it''s');")
    .duckdb("format")
    .postgres("format"),
    Function::kernel(
        "hex",
        "hex(value)",
        "A whole number, or the bytes of a text, in base 16.",
        Kernel::new(&[&[Kind::Any]], bytes::hex_type, bytes::hex),
    )
    .example("SELECT hex(255), hex('ñ');")
    .duckdb("hex")
    .spark("hex"),
    Function::kernel(
        "unhex",
        "unhex(text)",
        "The bytes that digits of base 16 stand for; NULL where they are none.",
        Kernel::new(&[&[Kind::Text]], bytes::to_bytes, bytes::unhex),
    )
    .also(&["from_hex"])
    .example("SELECT unhex('C3B1');")
    .duckdb("unhex")
    .spark("unhex"),
    Function::kernel(
        "bin",
        "bin(number)",
        "A whole number in base 2.",
        Kernel::new(&[&[Kind::Whole]], to_text, bytes::bin),
    )
    .also(&["to_binary"])
    .example("SELECT bin(13);")
    .duckdb("bin")
    .spark("bin"),
    Function::kernel(
        "to_base",
        "to_base(number, base [, length])",
        "A whole number of at least 0 in a base from 2 to 36.",
        Kernel::new(&[&[Kind::Whole, Kind::Whole], &[Kind::Whole, Kind::Whole, Kind::Whole]], to_text, base::to_base),
    )
    .example("SELECT to_base(255, 36, 4);")
    .duckdb("to_base"),
    Function::kernel(
        "conv",
        "conv(number, from, to)",
        "A number that is written in one base in another one.",
        Kernel::new(&[&[Kind::Text, Kind::Whole, Kind::Whole]], to_text, base::convert),
    )
    .example("SELECT conv('-10', 16, -10);")
    .spark("conv"),
    Function::written(
        "base64",
        "base64(value)",
        "Bytes in base 64.",
        &[Form { parameters: &["x"], sql: "encode(x, 'base64pad')" }],
    )
    .also(&["to_base64"])
    .example("SELECT base64('ñ');")
    .duckdb("to_base64")
    .postgres("encode")
    .spark("base64"),
    Function::written(
        "unbase64",
        "unbase64(text)",
        "The bytes that base 64 stands for.",
        &[Form { parameters: &["x"], sql: "decode(x, 'base64pad')" }],
    )
    .also(&["from_base64"])
    .example("SELECT unbase64('w7E=');")
    .duckdb("from_base64")
    .postgres("decode")
    .spark("unbase64"),
    Function::kernel(
        "soundex",
        "soundex(text)",
        "The English sounds that a word begins with.",
        Kernel::new(&[&[Kind::Text]], to_text, base::soundex),
    )
    .example("SELECT soundex('Miller');")
    .postgres("soundex")
    .spark("soundex"),
    Function::kernel(
        "jaro_similarity",
        "jaro_similarity(a, b)",
        "How alike two texts are, from 0 to 1.",
        Kernel::new(&[&[Kind::Text, Kind::Text]], to_number, distance::jaro),
    )
    .example("SELECT jaro_similarity('duck', 'duckdb');")
    .duckdb("jaro_similarity"),
    Function::kernel(
        "jaro_winkler_similarity",
        "jaro_winkler_similarity(a, b)",
        "How alike two texts are, from 0 to 1, with weight on the beginning.",
        Kernel::new(&[&[Kind::Text, Kind::Text]], to_number, distance::jaro_winkler),
    )
    .also(&["jaro_winkler"])
    .example("SELECT jaro_winkler_similarity('duck', 'duckdb');")
    .duckdb("jaro_winkler_similarity"),
    Function::kernel(
        "damerau_levenshtein",
        "damerau_levenshtein(a, b)",
        "How many letters are to be put in, taken out, changed or exchanged with their neighbours.",
        Kernel::new(&[&[Kind::Text, Kind::Text]], to_whole, distance::damerau_levenshtein),
    )
    .example("SELECT damerau_levenshtein('duckdb', 'udckbd');")
    .duckdb("damerau_levenshtein"),
    Function::kernel(
        "hamming",
        "hamming(a, b)",
        "In how many places two texts of one length differ.",
        Kernel::new(&[&[Kind::Text, Kind::Text]], to_whole, distance::hamming),
    )
    .also(&["mismatches"])
    .example("SELECT hamming('duck', 'luck');")
    .duckdb("hamming"),
    Function::kernel(
        "jaccard",
        "jaccard(a, b)",
        "The share of the characters of two texts that both have.",
        Kernel::new(&[&[Kind::Text, Kind::Text]], to_number, distance::jaccard),
    )
    .example("SELECT jaccard('duck', 'luck');")
    .duckdb("jaccard"),
    Function::renamed(
        "editdist3",
        "editdist3(a, b)",
        "How many letters are to be put in, taken out or changed.",
        "levenshtein",
    )
    .example("SELECT editdist3('duck', 'db');")
    .duckdb("editdist3"),
    Function::kernel(
        "url_encode",
        "url_encode(text)",
        "A text with %XX for what URLs do not let stand.",
        Kernel::new(&[&[Kind::Text]], to_text, text::url_encode),
    )
    .example("SELECT url_encode('a ñ');")
    .duckdb("url_encode")
    .spark("url_encode"),
    Function::kernel(
        "url_decode",
        "url_decode(text)",
        "A text without %XX.",
        Kernel::new(&[&[Kind::Text]], to_text, text::url_decode),
    )
    .example("SELECT url_decode('a%20%C3%B1');")
    .duckdb("url_decode")
    .spark("url_decode"),
    Function::kernel(
        "parse_url",
        "parse_url(url, part [, key])",
        "A part of a URL: HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY or USERINFO; with a key, its value in QUERY.",
        Kernel::new(&[&[Kind::Text, Kind::Text], &[Kind::Text, Kind::Text, Kind::Text]], to_text, url::part),
    )
    .example("SELECT parse_url('https://lakesh.test/a?b=1', 'QUERY', 'b');")
    .spark("parse_url"),
    Function::written(
        "space",
        "space(count)",
        "So many blanks.",
        &[Form { parameters: &["n"], sql: "repeat(' ', n)" }],
    )
    .example("SELECT space(2) || 'x';")
    .spark("space"),
    Function::kernel(
        "elt",
        "elt(number, text, …)",
        "The text with that number; NULL where there is none.",
        Kernel::new(&[&[Kind::Whole, Kind::Text]], to_text, text::chosen).going_on(),
    )
    .example("SELECT elt(2, 'a', 'ñ');")
    .spark("elt"),
    Function::written(
        "quote_literal",
        "quote_literal(text)",
        "A text as SQL writes it.",
        &[Form { parameters: &["s"], sql: "'''' || replace(s, '''', '''''') || ''''" }],
    )
    .example("SELECT quote_literal('it''s');")
    .postgres("quote_literal"),
    Function::written(
        "quote_ident",
        "quote_ident(text)",
        "A name as SQL writes it.",
        &[Form { parameters: &["s"], sql: "format('%I', s)" }],
    )
    .example("SELECT quote_ident('a b');")
    .postgres("quote_ident"),
    Function::written(
        "parse_filename",
        "parse_filename(path)",
        "What stands behind the last slash of a path.",
        &[Form { parameters: &["s"], sql: "regexp_substr(s, '[^/]*$')" }],
    )
    .example("SELECT parse_filename('a/b.csv');")
    .duckdb("parse_filename"),
    Function::tree(
        "encode",
        "encode(text)",
        "The bytes of a text in UTF-8. With two arguments bytes as a text of a format: encode(bytes, format).",
        tree::encode,
    )
    .example("SELECT encode('ñ');")
    .duckdb("encode"),
    Function::kernel(
        "lakesh_text_slice",
        "lakesh_text_slice(text, start, stop)",
        "The letters from one place to another, both among them; places below zero count from the end.",
        Kernel::new(&[&[Kind::Text, Kind::Whole, Kind::Whole]], to_text, text::slice),
    )
    .example("SELECT ('añb')[2:], ('añb')[-1];")
    .duckdb("text[start:stop]"),
];
