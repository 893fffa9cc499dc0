//! A reader of JSON that is nearly right: it copies a document from its first bracket on, leaves out commas
//! before a closing bracket, and knows at each place how the document could be closed.
//!
//! Invariants: what it copies is a subsequence of the text: nothing is written that was not there, but the
//! brackets and the quote that close a cut document. A value is kept whole or left out; only a text at
//! the very end may be kept in part. It does not recurse.
//!
//! Not here: whether the copy is JSON (`repair` has it parsed), which documents may be closed (`repair`).
//!
//! Units: bytes of UTF-8; nothing but ASCII is looked for, so that no character is cut.

/// What was read.
pub(super) enum Read<'a> {
    /// A document that closes, and the text behind it.
    Whole(String, &'a str),
    /// A document that the end of the text cut off, closed.
    Cut(String),
}

/// What may come next in an object or array.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A key or item, or the end.
    First,
    /// A key or item after a comma.
    Another,
    /// A colon.
    Colon,
    /// The value of a key.
    Value,
    /// A comma or the end.
    Comma,
}

struct Open {
    closer: u8,
    next: Next,
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    out: String,
    open: Vec<Open>,
    /// Where in `out` the last comma stands.
    comma: usize,
    /// Length of `out` after the last whole value or opening bracket.
    whole: usize,
}

/// Reads `text`, which begins with a bracket. None where it is not even nearly JSON.
pub(super) fn read(text: &str) -> Option<Read<'_>> {
    let mut scan = Scan {
        text,
        at: 0,
        out: String::with_capacity(text.len() + 8),
        open: Vec::new(),
        comma: 0,
        whole: 0,
    };
    while let Some(byte) = scan.text.as_bytes().get(scan.at).copied() {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => scan.copy(scan.at + 1)?,
            b'{' | b'[' => scan.enter(byte)?,
            b'}' | b']' => {
                scan.leave(byte)?;
                if scan.open.is_empty() {
                    return Some(Read::Whole(scan.out, scan.text.get(scan.at..)?));
                }
            }
            b',' => scan.part(Next::Comma, Next::Another)?,
            b':' => scan.part(Next::Colon, Next::Value)?,
            b'"' => scan.text()?,
            _ => scan.word()?,
        }
    }
    scan.out.truncate(scan.whole);
    let closers = scan.open.iter().rev().map(|open| char::from(open.closer));
    scan.out.extend(closers);
    Some(Read::Cut(scan.out))
}

impl Scan<'_> {
    /// Copies up to `end`.
    fn copy(&mut self, end: usize) -> Option<()> {
        self.out.push_str(self.text.get(self.at..end)?);
        self.at = end;
        Some(())
    }

    fn enter(&mut self, bracket: u8) -> Option<()> {
        if !self.open.is_empty() {
            self.admit()?;
        }
        let closer = if bracket == b'{' { b'}' } else { b']' };
        let next = Next::First;
        self.open.push(Open { closer, next });
        self.copy(self.at + 1)?;
        self.whole = self.out.len();
        Some(())
    }

    fn leave(&mut self, bracket: u8) -> Option<()> {
        let open = self.open.pop()?;
        let done = matches!(open.next, Next::First | Next::Another | Next::Comma);
        if open.closer != bracket || !done {
            return None;
        }
        if open.next == Next::Another && self.comma < self.out.len() {
            self.out.remove(self.comma);
        }
        self.copy(self.at + 1)?;
        self.whole = self.out.len();
        Some(())
    }

    /// A comma or colon.
    fn part(&mut self, due: Next, then: Next) -> Option<()> {
        let open = self.open.last_mut()?;
        if open.next != due {
            return None;
        }
        open.next = then;
        if due == Next::Comma {
            self.comma = self.out.len();
        }
        self.copy(self.at + 1)
    }

    /// That a value may stand here.
    fn admit(&mut self) -> Option<()> {
        let open = self.open.last_mut()?;
        let item = matches!(open.next, Next::First | Next::Another) && open.closer == b']';
        if !item && open.next != Next::Value {
            return None;
        }
        open.next = Next::Comma;
        Some(())
    }

    /// A text in quotes: a key or a value.
    fn text(&mut self) -> Option<()> {
        let open = self.open.last_mut()?;
        let key = matches!(open.next, Next::First | Next::Another) && open.closer == b'}';
        let rest = self.text.get(self.at + 1..)?;
        let end = closing_quote(rest);
        if key {
            open.next = Next::Colon;
        } else {
            self.admit()?;
        }
        match end {
            Some(end) => self.copy(self.at + end + 2)?,
            None => {
                self.copy(self.at + 1 + whole_characters(rest))?;
                self.out.push('"');
                self.at = self.text.len();
            }
        }
        if !key {
            self.whole = self.out.len();
        }
        Some(())
    }

    /// A number, `true`, `false` or `null`. One that meets the end of the text may be half a number, and is
    /// left out.
    fn word(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        let end = rest.find(|c: char| c.is_ascii_whitespace() || ",:{}[]\"".contains(c));
        self.admit()?;
        match end {
            Some(end) => self.copy(self.at + end)?,
            None if matches!(rest, "true" | "false" | "null") => self.copy(self.text.len())?,
            None => {
                self.at = self.text.len();
                return Some(());
            }
        }
        self.whole = self.out.len();
        Some(())
    }
}

/// Where the quote is that ends a text.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| match byte {
        _ if escaped => {
            escaped = false;
            false
        }
        b'\\' => {
            escaped = true;
            false
        }
        byte => byte == b'"',
    })
}

/// Bytes of a cut text up to the last whole character: half an escape and half a pair of surrogates are
/// left out.
fn whole_characters(text: &str) -> usize {
    let mut at = 0;
    while let Some(step) = text.get(at..).and_then(character) {
        at += step;
    }
    at
}

/// Bytes of the first character of `text`, as it is escaped; None where it is not whole.
fn character(text: &str) -> Option<usize> {
    let Some(escape) = text.strip_prefix('\\') else {
        return text.chars().next().map(char::len_utf8);
    };
    let Some(digits) = escape.strip_prefix('u') else {
        return escape.chars().next().map(|c| 1 + c.len_utf8());
    };
    let code = u32::from_str_radix(digits.get(..4)?, 16).ok()?;
    if !(0xd800..0xdc00).contains(&code) {
        return Some(6);
    }
    digits.get(4..10).map(|_| 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(&str, Option<&str>)>) {
        let found = match read(text) {
            None => None,
            Some(Read::Whole(out, rest)) => Some((out, Some(rest))),
            Some(Read::Cut(out)) => Some((out, None)),
        };
        let found = found.as_ref().map(|(out, rest)| (out.as_str(), *rest));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_document_that_closes_is_copied_without_trailing_commas() {
        check("[1] and", Some(("[1]", Some(" and"))));
        check("{\"a\": [1, 2,], }", Some(("{\"a\": [1, 2] }", Some(""))));
        check("[1 , ]", Some(("[1  ]", Some(""))));
        check("[\"a,]\",\"\\\"\"]", Some(("[\"a,]\",\"\\\"\"]", Some(""))));
    }

    #[test]
    fn a_document_that_is_cut_is_closed_after_its_last_whole_value() {
        check("{\"a\":1,\"b", Some(("{\"a\":1}", None)));
        check("{\"a\":1,\"b\":", Some(("{\"a\":1}", None)));
        check("{\"a\":[1,2", Some(("{\"a\":[1]}", None)));
        check("{\"a\":[1,2 ", Some(("{\"a\":[1,2]}", None)));
        check("[true", Some(("[true]", None)));
        check("[tru", Some(("[]", None)));
        check("[\"long te", Some(("[\"long te\"]", None)));
    }

    #[test]
    fn a_cut_text_keeps_whole_characters_only() {
        check("[\"a\\", Some(("[\"a\"]", None)));
        check("[\"a\\n", Some(("[\"a\\n\"]", None)));
        check("[\"a\\u00e", Some(("[\"a\"]", None)));
        check("[\"a\\u00e9", Some(("[\"a\\u00e9\"]", None)));
        check("[\"a\\ud83d", Some(("[\"a\"]", None)));
        check("[\"a\\ud83d\\ude0", Some(("[\"a\"]", None)));
        check("[\"a\\ud83d\\ude00", Some(("[\"a\\ud83d\\ude00\"]", None)));
    }

    #[test]
    fn what_is_not_nearly_json_is_not_read() {
        for text in [
            "{]",
            "[,1]",
            "[1,,2]",
            "{1:2}",
            "{\"a\" 1}",
            "[1 2]",
            "{\"a\":}",
            "[1:2]",
            "{a}",
        ] {
            check(text, None);
        }
    }
}
