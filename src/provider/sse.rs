//! Server-sent events: bytes in, the data of each event out.
//!
//! Invariants: what is buffered never exceeds [`MAX_EVENT`] beyond the bytes of one `push`; an event
//! without its closing blank line is never handed out, so a cut stream cannot end in a half event.
//!
//! Not here: reconnection and the fields `id`, `event`, `retry` (no dialect of ours needs them).
//!
//! Source: WHATWG HTML, 9.2.6 "Interpreting an event stream". One difference: a lone carriage return
//! does not end a line (no provider sends it, and it costs a byte of look-ahead).

use super::{Error, Kind};

/// Most bytes of one event, and of one line.
pub(super) const MAX_EVENT: usize = 4 << 20;

/// A reader of one stream.
#[derive(Debug, Default)]
pub(super) struct Events {
    buffer: Vec<u8>,
    /// Where the next line starts.
    start: usize,
    /// Up to where no line end was found.
    searched: usize,
    /// Data of the event being read.
    data: Vec<u8>,
    has_data: bool,
}

impl Events {
    /// Takes the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The data of the next whole event, if it is here.
    pub(super) fn next(&mut self) -> Result<Option<String>, Error> {
        while let Some((start, end)) = self.line() {
            let line = &self.buffer[start..end];
            if line.is_empty() {
                if std::mem::take(&mut self.has_data) {
                    let data = String::from_utf8(std::mem::take(&mut self.data));
                    return data.map(Some).map_err(|_| Kind::Malformed.into());
                }
                continue;
            }
            let Some(value) = line.strip_prefix(b"data:") else {
                continue;
            };
            if self.has_data {
                self.data.push(b'\n');
            }
            self.has_data = true;
            self.data
                .extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
            if self.data.len() > MAX_EVENT {
                return Err(Kind::TooLarge.into());
            }
        }
        if self.buffer.len() - self.start > MAX_EVENT {
            return Err(Kind::TooLarge.into());
        }
        Ok(None)
    }

    /// Bounds of the next whole line, without its end.
    fn line(&mut self) -> Option<(usize, usize)> {
        let found = self.buffer[self.searched..]
            .iter()
            .position(|b| *b == b'\n');
        let Some(offset) = found else {
            self.searched = self.buffer.len();
            return None;
        };
        let (start, newline) = (self.start, self.searched + offset);
        self.start = newline + 1;
        self.searched = newline + 1;
        let line = &self.buffer[start..newline];
        Some((start, newline - usize::from(line.ends_with(b"\r"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of `stream`, pushed `step` bytes at a time.
    fn events(stream: &str, step: usize) -> Vec<String> {
        let mut reader = Events::default();
        let mut events = Vec::new();
        for bytes in stream.as_bytes().chunks(step) {
            reader.push(bytes);
            while let Some(event) = reader.next().unwrap() {
                events.push(event);
            }
        }
        events
    }

    fn check(stream: &str, expected: &[&str]) {
        for step in [1, 2, 3, 7, 1000] {
            assert_eq!(events(stream, step), expected, "step {step}");
        }
    }

    #[test]
    fn events_come_whole_however_the_bytes_are_cut() {
        check("data: a\n\ndata:b\r\n\r\n", &["a", "b"]);
        check("data: é€\ndata: two\n\n", &["é€\ntwo"]);
        check(": keep alive\n\nevent: x\nid: 7\ndata: a\n\n", &["a"]);
        check("data:\n\n", &[""]);
    }

    #[test]
    fn a_half_event_is_never_handed_out() {
        check("data: a\n\ndata: half\n", &["a"]);
        check("data: a\n\ndata: ha", &["a"]);
    }

    #[test]
    fn an_endless_line_or_event_is_refused() {
        let mut reader = Events::default();
        reader.push(&vec![b'x'; MAX_EVENT + 1]);
        assert_eq!(reader.next(), Err(Kind::TooLarge.into()));
        let mut reader = Events::default();
        let line = format!("data: {}\n", "x".repeat(MAX_EVENT / 2));
        let outcome = (0..3).try_for_each(|_| {
            reader.push(line.as_bytes());
            reader.next().map(|_| ())
        });
        assert_eq!(outcome, Err(Kind::TooLarge.into()));
    }
}
