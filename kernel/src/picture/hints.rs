//! Hints as a card: what is the matter, what to do, and what measuring it showed.

use std::fmt::Write as _;

use lakesh_engine::picture::HintCard;

use crate::mime::escaped;

/// The colours; without `--jp-…` of a notebook's page those of the system's theme.
const STYLE: &str = "<style>\
.lakesh-hints{--lakesh-text:#1f2328;--lakesh-dim:#57606a;--lakesh-box:#f3f5f8;max-width:960px}\
@media (prefers-color-scheme:dark){.lakesh-hints{--lakesh-text:#e6edf3;--lakesh-dim:#9da7b1;--lakesh-box:#1c2430}}\
.lakesh-hints article{margin:0 0 8px;padding:8px 12px;border-left:4px solid #8c959f;\
color:var(--jp-content-font-color1,var(--lakesh-text));background:var(--jp-layout-color2,var(--lakesh-box))}\
.lakesh-hints .lakesh-advice{border-color:#d4a72c}.lakesh-hints .lakesh-warning{border-color:#e5534b}\
.lakesh-hints header{color:var(--jp-content-font-color2,var(--lakesh-dim))}\
.lakesh-hints pre{white-space:pre-wrap;margin:6px 0 0}\
</style>";

/// Writes hints for reading; a page that shows no styles shows the same words.
pub(crate) fn hints(cards: &[HintCard]) -> String {
    let mut html = format!("<div class=\"lakesh-hints\">{STYLE}");
    if cards.is_empty() {
        html.push_str(
            "<article>no hints: nothing was found that would make the query faster</article>",
        );
    }
    for card in cards {
        article(&mut html, card);
    }
    html.push_str("</div>");
    html
}

fn article(html: &mut String, card: &HintCard) {
    // Writing to a string cannot fail.
    let _ = write!(
        html,
        "<article class=\"lakesh-{severity}\"><header>{number} · {severity} · {rule}</header><div>{finding}</div>",
        number = card.number,
        severity = card.severity,
        rule = escaped(card.rule),
        finding = escaped(&card.finding),
    );
    if !card.evidence.is_empty() {
        let evidence = card.evidence.join("; ");
        let _ = write!(html, "<div><small>{}</small></div>", escaped(&evidence));
    }
    if let Some(verdict) = &card.verdict {
        let times = card.times.map(|(before, after)| {
            let times = before / after.max(1e-3);
            format!(": {before:.1} ms, with it {after:.1} ms, {times:.1} times as fast")
        });
        let _ = write!(
            html,
            "<div><b>{}</b>{}</div>",
            escaped(verdict),
            times.unwrap_or_default()
        );
    }
    if let Some(remedy) = &card.remedy {
        let _ = write!(html, "<pre>{};</pre>", escaped(remedy));
    }
    html.push_str("</article>");
}
