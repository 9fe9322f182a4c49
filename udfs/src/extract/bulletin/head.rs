//! The head of a bulletin: the position, the class code, the day on which it was opened.

use std::sync::LazyLock;

use regex::Regex;

use crate::extract::date::dates;
use crate::extract::lines::squeezed;

static CODE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\bclass\s*codes?\b(?:\s*(?:no|number)\b\.?)?[^\S\n]*(?P<colon>:)?[\s*#]*(?P<code>\d{3,5})\b")
        .expect("the pattern of class codes is valid")
});

static OPENED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:open(?:ing|ed)?\s*dates?|date\s+opened|posted|posting\s+date)\b[\s:*]*")
        .expect("the pattern of opening dates is valid")
});

/// A line that names the class code, the opening date or a revision and says nothing else.
static MARK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)^[\s*\#]*(?:
            class\s*codes?\s*:?[\s*]*\d*\s*(?:open.*)?
          | .{0,60}\bclass\s*codes?\s*:\s*\d{3,5}\s*
          | open(?:ing)?\s*dates?\s*:?.{0,40}
          | (?:last\s+)?(?:revised|amended|corrected|posted|updated)\b\s*:?.{0,40}\d.{0,40}
        )$",
    )
    .expect("the pattern of marks is valid")
});

/// What stands above the position, or beside it, and is none.
static ABOVE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)^[\W_]*(?:
            (?:(?:on-?)?campus|on-?line|college)\s+(?:recruitment\s+)?interviews?\s+only
          | (?:the\s+)?city\s+of\s+los\s+angeles(?:[\W_]+personnel\s+department)?
          | (?:los\s+angeles\s+)?(?:city\s+)?personnel\s+department
          | (?:official\s+)?(?:job|employment|examination|exam)\s+(?:bulletin|announcement|opportunity|opportunities)
          | (?:invites?\s+applications?\s+for(?:\s+the\s+position\s+of)?:?)
          | (?:announces|presents)(?:\s+an?)?(?:\s+\w+){0,4}\s+(?:opportunity|examination)(?:\s+for)?:?
          | (?:open\s+competitive|(?:inter)?departmental(?:\s+promotional)?|promotional|continuous)(?:\s+(?:examination|exam|bulletin|basis|filing|testing))?
          | (?:revised|amended|corrected|re-?opened|re-?issued|continued)
          | page\s+\d+(?:\s+of\s+\d+)?
          | bulletin | announcement | confidential
        )[\W_]*$",
    )
    .expect("the pattern of what stands above is valid")
});

/// The label before a position.
static LABEL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^[\W_]*(?:(?:job|class|position|classification)\s+(?:title|name)|position|title|classification|class)\s*:\s*")
        .expect("the pattern of labels is valid")
});

/// What a position's line may hold besides it.
static BESIDE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)\t.*$ | \s{2,}(?:class\s*code|open(?:ing)?\s*date|\(exam).*$ | [\s,;|-]+class\s*code\b.*$
        | [\s\-–—:(]*\b(?:(?:on-?)?campus|on-?line)\s+interviews?\s+only\b[\s)\-–—:]*",
    )
    .expect("the pattern of what stands beside is valid")
});

/// Says whether a line is a mark of the bulletin and no text of it.
pub(super) fn is_mark(line: &str) -> bool {
    line.len() < 160 && may_be_mark(line) && MARK.is_match(line)
}

/// Most lines have none of the words, and to see that is cheap.
fn may_be_mark(line: &str) -> bool {
    let bytes = line.as_bytes();
    bytes.windows(4).any(|word| {
        [
            b"clas", b"open", b"revi", b"amen", b"corr", b"post", b"upda",
        ]
        .iter()
        .any(|start| word.eq_ignore_ascii_case(*start))
    })
}

/// Returns the position that a line gives, if it is no line above it.
pub(super) fn position(line: &str) -> Option<String> {
    let line = line.trim().trim_matches(['*', '#', '_', '=']).trim();
    if line.is_empty() || ABOVE.is_match(line) || is_mark(line) || line.starts_with('(') {
        return None;
    }
    let line = LABEL.replace(line, "");
    let position = BESIDE.replace_all(&line, "");
    let position = squeezed(position.trim_matches(['*', '#', '_', '=', ':', '-', '–', '—', ' ']));
    let has_letters = position.chars().any(char::is_alphabetic);
    has_letters.then_some(position)
}

/// Says whether the next line goes on with a position.
pub(super) fn goes_on(position: &str) -> bool {
    let last = position.rsplit(' ').next().unwrap_or_default();
    position.ends_with(['/', ',', '&', '-'])
        || ["AND", "OF", "FOR", "THE", "TO", "OR", "IN"]
            .contains(&last.to_ascii_uppercase().as_str())
}

/// Returns the class code, four digits with the zeros before it: the first that begins a line, or else one
/// that is written like a mark, or else any.
pub(crate) fn class_code(text: &str) -> Option<String> {
    let mut best: Option<(u8, &str)> = None;
    for found in CODE.captures_iter(text) {
        let whole = found.get_match();
        let line = text[..whole.start()].rfind('\n').map_or(0, |end| end + 1);
        let before = text[line..whole.start()].trim();
        let begins = before.chars().all(|character| "*#_".contains(character));
        let ends = text[whole.end()..].lines().next().unwrap_or_default();
        let rank = match (begins, found.name("colon").is_some()) {
            (true, true) => 4,
            (false, true) => 3,
            (true, false) if ends.trim().is_empty() || ends.trim_start().starts_with("Open") => 2,
            _ => 1,
        };
        let code = found.name("code")?.as_str();
        if best.is_none_or(|(known, _)| rank > known) {
            best = Some((rank, code));
        }
        if rank == 4 {
            break;
        }
    }
    best.map(|(_, code)| format!("{code:0>4}"))
}

/// Returns the day on which applications were opened.
pub(super) fn opened(text: &str) -> Option<i32> {
    for label in OPENED.find_iter(text) {
        let rest = &text[label.end()..];
        let end = rest.find('\n').unwrap_or(rest.len());
        if let Some(date) = dates(&rest[..end]).next() {
            // The date stands right behind its label, a weekday at most between them.
            if date.start <= "Wednesday, ".len() {
                return Some(date.days);
            }
        }
    }
    None
}
