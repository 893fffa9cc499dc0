//! One kept HTTP/1.1 connection of the generator: a request out, its answer read to the end.
//!
//! Invariants: an answer is one of status 200 whose length or last chunk has come, and of a stream
//! `[DONE]` besides; anything else fails the run, for a gateway that answers errors fast is not fast.

use crate::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Longest wait for a byte.
const PATIENCE: Duration = Duration::from_secs(30);

/// When an answer's parts came.
pub(crate) struct Answer {
    /// The first byte of the body; of a stream, of its first `data:`.
    pub(crate) first: Instant,
    /// The last byte.
    pub(crate) last: Instant,
    /// Bytes of the body, as they came over the wire.
    pub(crate) bytes: usize,
}

/// How the end of a body is known.
enum Length {
    Sized(usize),
    Chunked,
    /// By the end of the connection.
    Open,
}

/// A connection to one address, made anew where the other side does not keep it.
pub(crate) struct Connection {
    address: String,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: &str) -> Result<Self, Error> {
        let mut connection = Self {
            address: address.to_owned(),
            stream: None,
            buffer: Vec::with_capacity(1 << 16),
        };
        connection.stream = Some(connection.connect()?);
        Ok(connection)
    }

    fn connect(&self) -> Result<TcpStream, Error> {
        let stream = TcpStream::connect(&self.address)
            .map_err(|error| format!("{}: {error}", self.address))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// Sends a request and reads its answer.
    pub(crate) fn call(&mut self, request: &[u8], streamed: bool) -> Result<Answer, Error> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect()?,
        };
        stream.write_all(request)?;
        self.buffer.clear();
        let head = self.read_head(&mut stream)?;
        if self.buffer.get(8..12) != Some(b" 200") {
            return Err(self.refused(&mut stream, head));
        }
        let (length, kept) = self.understand(head)?;
        let answer = self.read_body(&mut stream, head, &length, streamed)?;
        if kept && !matches!(length, Length::Open) {
            self.stream = Some(stream);
        }
        Ok(answer)
    }

    /// Reads until the head is whole; its length.
    fn read_head(&mut self, stream: &mut TcpStream) -> Result<usize, Error> {
        loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                return Ok(at + 4);
            }
            if self.more(stream)? == 0 {
                return Err(format!("{} closed before an answer", self.address).into());
            }
        }
    }

    fn more(&mut self, stream: &mut TcpStream) -> Result<usize, Error> {
        let mut piece = [0; 16 << 10];
        let read = stream.read(&mut piece)?;
        self.buffer.extend_from_slice(&piece[..read]);
        Ok(read)
    }

    /// What was answered instead, as far as it comes with its head or right after.
    fn refused(&mut self, stream: &mut TcpStream, head: usize) -> Error {
        if self.buffer.len() == head {
            // What cannot be read is not told.
            let _ = self.more(stream);
        }
        let said = String::from_utf8_lossy(&self.buffer);
        let said: String = said.chars().take(1000).collect();
        format!("{} refused: {said}", self.address).into()
    }

    /// How long the body is, and whether the connection stays.
    fn understand(&self, head: usize) -> Result<(Length, bool), Error> {
        let text = std::str::from_utf8(&self.buffer[..head])?;
        let (mut length, mut kept) = (Length::Open, true);
        for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                length = Length::Sized(value.parse()?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                length = Length::Chunked;
            } else if name.eq_ignore_ascii_case("connection") {
                kept = !value.eq_ignore_ascii_case("close");
            }
        }
        Ok((length, kept))
    }

    fn read_body(
        &mut self,
        stream: &mut TcpStream,
        head: usize,
        length: &Length,
        streamed: bool,
    ) -> Result<Answer, Error> {
        let (mut first, mut next) = (None, head);
        let end = loop {
            let body = &self.buffer[head..];
            let begun = || match streamed {
                true => find(body, b"data:").is_some(),
                false => !body.is_empty(),
            };
            if first.is_none() && begun() {
                first = Some(Instant::now());
            }
            let end = match length {
                Length::Sized(bytes) => (body.len() >= *bytes).then_some(head + bytes),
                Length::Chunked => end_of_chunks(&self.buffer, &mut next)?,
                Length::Open => None,
            };
            if let Some(end) = end {
                break end;
            }
            if self.more(stream)? == 0 {
                match length {
                    Length::Open => break self.buffer.len(),
                    _ => return Err(format!("{} cut an answer", self.address).into()),
                }
            }
        };
        let last = Instant::now();
        let body = &self.buffer[head..end];
        let tail = &body[body.len().saturating_sub(256)..];
        if streamed && find(tail, b"[DONE]").is_none() {
            return Err(format!("{} ended a stream without [DONE]", self.address).into());
        }
        Ok(Answer {
            first: first.unwrap_or(last),
            last,
            bytes: body.len(),
        })
    }
}

/// Walks on from `next`, the beginning of a chunk, over those that have come; the end of the last one.
fn end_of_chunks(buffer: &[u8], next: &mut usize) -> Result<Option<usize>, Error> {
    loop {
        let rest = &buffer[*next..];
        let Some(line) = find(rest, b"\r\n") else {
            return Ok(None);
        };
        let size = std::str::from_utf8(&rest[..line])?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16)?;
        let end = line + 2 + size + 2;
        if rest.len() < end {
            return Ok(None);
        }
        *next += end;
        if size == 0 {
            return Ok(Some(*next));
        }
    }
}

/// Where `wanted` begins in `bytes`.
pub(crate) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
