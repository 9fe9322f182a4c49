//! Everything that is said beside the results, on standard error: notices, counts, failures.
//!
//! A standard error that cannot be written to is nobody's concern: there is nowhere left to say so.

use std::io::Write;

use lakesh_engine::failure::Failure;
use unicode_width::UnicodeWidthChar;

use crate::renderer::width;

/// The stream for people.
pub(crate) struct Messages {
    stream: Box<dyn Write>,
    colour: bool,
    /// Whether lines are broken between words where the screen ends.
    wraps: bool,
}

impl Messages {
    /// Writes to a stream.
    pub(crate) fn new(stream: Box<dyn Write>, colour: bool, wraps: bool) -> Self {
        Self {
            stream,
            colour,
            wraps,
        }
    }

    /// Tells something.
    pub(crate) fn say(&mut self, text: &str) {
        let text = match self.wraps {
            true => wrapped(text, width()),
            false => text.to_owned(),
        };
        drop(writeln!(self.stream, "{text}"));
        drop(self.stream.flush());
    }

    /// Tells something in passing: counts and times.
    pub(crate) fn whisper(&mut self, text: &str) {
        if self.colour {
            self.say(&format!("\x1b[90m{text}\x1b[0m"));
        } else {
            self.say(text);
        }
    }

    /// Tells what went wrong, where, and what to do.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        self.say(&failure.report(self.colour));
    }
}

/// Breaks lines that are longer than the screen is wide between words. A line of words only: what stands
/// in a frame or is set in columns stays, and so does a word that is longer than a line.
fn wrapped(text: &str, width: usize) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| wrapped_line(line, width))
        .collect();
    lines.join("\n")
}

fn wrapped_line(line: &str, width: usize) -> String {
    let is_set = line.contains("  ") || line.contains('│') || line.contains(" |");
    if is_set || columns(line) <= width {
        return line.to_owned();
    }
    let mut broken = String::with_capacity(line.len() + 8);
    let mut filled = 0;
    for word in line.split(' ') {
        let wide = columns(word);
        if filled > 0 && filled + 1 + wide > width {
            broken.push('\n');
            filled = 0;
        } else if filled > 0 || !broken.is_empty() {
            broken.push(' ');
            filled += 1;
        }
        broken.push_str(word);
        filled += wide;
    }
    broken
}

/// The columns of a text on the screen, without the codes that give it colour.
fn columns(text: &str) -> usize {
    let mut count = 0;
    let mut in_code = false;
    for character in text.chars() {
        match character {
            '\x1b' => in_code = true,
            'm' if in_code => in_code = false,
            _ if in_code => {}
            other => count += other.width().unwrap_or(0),
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_break_between_words() {
        let cases = [
            ("one two three", 8, "one two\nthree"),
            ("one two", 7, "one two"),
            ("\x1b[90mone two\x1b[0m", 7, "\x1b[90mone two\x1b[0m"),
            ("a verylongword b", 6, "a\nverylongword\nb"),
            (
                "1 | select * from somewhere",
                10,
                "1 | select * from somewhere",
            ),
            ("größe größe", 6, "größe\ngröße"),
            ("a\nb c d", 3, "a\nb c\nd"),
        ];
        for (text, width, expected) in cases {
            assert_eq!(wrapped(text, width), expected, "{text}");
        }
    }
}
