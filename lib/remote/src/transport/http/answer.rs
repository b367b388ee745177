//! A response as gix reads it: headers as lines, and a body.

use std::{
    io::{self, BufRead, Cursor, Read},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderValue};

use super::exchange::{self, Exchange};
use crate::transport::wire::Fault;

/// The headers, one per line. Reading them waits for the response; an error that credentials are wanted is returned
/// here, where gix expects it.
pub(super) struct Headers {
    exchange: Arc<Mutex<Exchange>>,
    lines: Option<Cursor<Vec<u8>>>,
}

/// The body.
pub(super) struct Answer {
    exchange: Arc<Mutex<Exchange>>,
    piece: Bytes,
}

impl Headers {
    pub fn of(exchange: Arc<Mutex<Exchange>>) -> Self {
        Self { exchange, lines: None }
    }

    fn lines(&mut self) -> io::Result<&mut Cursor<Vec<u8>>> {
        if self.lines.is_none() {
            let mut exchange = exchange::lock(&self.exchange);
            let response = exchange.response()?;
            let kind = response.headers().get(CONTENT_TYPE).map_or(&b"nothing"[..], HeaderValue::as_bytes);
            let not_git = (!kind.starts_with(b"application/x-git-"))
                .then(|| format!("it answers with {}", sanitize::line(&String::from_utf8_lossy(kind))));
            let mut lines = Vec::new();
            for (name, value) in response.headers() {
                lines.extend_from_slice(name.as_str().as_bytes());
                lines.push(b':');
                let mut value = value.as_bytes();
                if name == CONTENT_TYPE {
                    // Parameters such as a character set do not matter, and gix does not know them.
                    value = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
                }
                lines.extend_from_slice(value);
                lines.push(b'\n');
            }
            if let Some(words) = not_git {
                exchange.fault(Fault::NotGit(words));
            }
            drop(exchange);
            self.lines = Some(Cursor::new(lines));
        }
        Ok(self.lines.get_or_insert_default())
    }
}

impl Answer {
    pub fn of(exchange: Arc<Mutex<Exchange>>) -> Self {
        Self { exchange, piece: Bytes::new() }
    }
}

impl Read for Headers {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.lines()?.read(buffer)
    }
}

impl BufRead for Headers {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.lines()?.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if let Some(lines) = &mut self.lines {
            lines.consume(amount);
        }
    }
}

impl Read for Answer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut ready = self.fill_buf()?;
        let read = ready.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Answer {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        // An empty piece is not the end.
        while self.piece.is_empty() {
            match exchange::lock(&self.exchange).piece()? {
                Some(piece) => self.piece = piece,
                None => break,
            }
        }
        Ok(&self.piece)
    }

    fn consume(&mut self, amount: usize) {
        let _ = self.piece.split_to(amount);
    }
}
