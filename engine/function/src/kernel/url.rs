//! The parts of URLs.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, StringArray};
use datafusion::common::{Result, exec_err};

use super::texts;

/// `parse_url(url, part [, key])`: NULL where a URL has no such part.
pub(crate) fn part(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let (urls, parts, keys) = match arrays {
        [urls, parts] => (texts(urls), texts(parts), None),
        [urls, parts, keys] => (texts(urls), texts(parts), Some(texts(keys))),
        _ => return exec_err!("`parse_url` takes a URL and the name of a part"),
    };
    let found = (0..urls.len()).map(|row| {
        let url = urls.is_valid(row).then(|| urls.value(row))?;
        let name = parts.is_valid(row).then(|| parts.value(row))?;
        let value = Url::parse(url)?.part(name)?;
        match keys {
            None => Some(value),
            Some(keys) if name == "QUERY" && keys.is_valid(row) => {
                let mut pairs = value.split('&').filter_map(|pair| pair.split_once('='));
                let found = pairs.find(|(key, _)| *key == keys.value(row));
                found.map(|(_, value)| value.to_owned())
            }
            Some(_) => None,
        }
    });
    Ok(Arc::new(found.collect::<StringArray>()))
}

/// A URL, taken apart; nothing is decoded.
struct Url<'a> {
    scheme: &'a str,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Url<'a> {
    /// As appendix B of RFC 3986 does.
    fn parse(url: &'a str) -> Option<Self> {
        let (rest, fragment) = match url.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (url, None),
        };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let (scheme, rest) = rest.split_once(':')?;
        let is_scheme = scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter));
        if !is_scheme || url.contains(char::is_whitespace) {
            return None;
        }
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                (Some(&rest[..end]), &rest[end..])
            }
            None => (None, rest),
        };
        Some(Self {
            scheme,
            authority,
            path,
            query,
            fragment,
        })
    }

    fn part(&self, name: &str) -> Option<String> {
        let user = self
            .authority
            .and_then(|authority| authority.rsplit_once('@'));
        let value = match name {
            "PROTOCOL" => self.scheme,
            "AUTHORITY" => self.authority?,
            "USERINFO" => user?.0,
            "HOST" => {
                let host = user.map_or(self.authority?, |(_, host)| host);
                match host.rsplit_once(':') {
                    Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
                    _ => host,
                }
            }
            "PATH" => self.path,
            "QUERY" => self.query?,
            "REF" => self.fragment?,
            "FILE" => {
                let query = self
                    .query
                    .map_or_else(String::new, |query| format!("?{query}"));
                return Some(format!("{}{query}", self.path));
            }
            _ => return None,
        };
        Some(value.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[track_caller]
    fn check(url: &str, name: &str, expected: Option<&str>) {
        let found = Url::parse(url).and_then(|url| url.part(name));
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn urls_are_taken_apart() {
        let url = "https://user:pw@lakesh.test:8080/a/b.html?x=1&y=%C3%B1#part";
        check(url, "PROTOCOL", Some("https"));
        check(url, "HOST", Some("lakesh.test"));
        check(url, "USERINFO", Some("user:pw"));
        check(url, "AUTHORITY", Some("user:pw@lakesh.test:8080"));
        check(url, "PATH", Some("/a/b.html"));
        check(url, "FILE", Some("/a/b.html?x=1&y=%C3%B1"));
        check(url, "REF", Some("part"));
        check("http://a", "PATH", Some(""));
        check("http://a", "QUERY", None);
        check("no url", "HOST", None);
        check(url, "host", None);
    }
}
