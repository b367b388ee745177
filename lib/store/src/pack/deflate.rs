//! A reusable zlib compressor.

use gix::zlib::{
    Compression, Status,
    stream::deflate::{Compress, FlushCompress},
};

/// A compressor that is reused, as creating one costs more than compressing a small object.
pub(crate) struct Deflate {
    compress: Compress,
    /// A buffer for the output.
    out: Vec<u8>,
}

impl Deflate {
    pub fn new(level: Compression) -> Self {
        Self { compress: Compress::new(level), out: Vec::new() }
    }

    /// Compresses all of `bytes`.
    pub fn all(&mut self, bytes: &[u8]) -> gix::Result<&[u8]> {
        self.compress.reset();
        // Data that cannot be compressed grows by a few bytes for each 16 KiB.
        let room = bytes.len() + bytes.len() / 1024 + 64;
        if self.out.len() < room {
            self.out.resize(room, 0);
        }
        let mut read = 0;
        loop {
            let written = self.compress.total_out() as usize;
            let status =
                self.compress.compress(&bytes[read..], &mut self.out[written..], FlushCompress::Finish)?;
            if status == Status::StreamEnd {
                return Ok(&self.out[..self.compress.total_out() as usize]);
            }
            read = self.compress.total_in() as usize;
            self.out.resize(self.out.len() * 2, 0);
        }
    }

    /// Begins a stream that is fed piece by piece.
    pub fn begin(&mut self) {
        self.compress.reset();
    }

    /// Feeds a piece of a stream; the last one with [`FlushCompress::Finish`].
    pub fn feed(
        &mut self,
        mut bytes: &[u8],
        flush: FlushCompress,
        out: &mut dyn FnMut(&[u8]) -> gix::Result<()>,
    ) -> gix::Result<()> {
        let mut buffer = [0; 32 * 1024];
        loop {
            let (read, written) = (self.compress.total_in(), self.compress.total_out());
            let status = self.compress.compress(bytes, &mut buffer, flush)?;
            bytes = &bytes[(self.compress.total_in() - read) as usize..];
            let written = (self.compress.total_out() - written) as usize;
            out(&buffer[..written])?;
            let finished = match flush {
                FlushCompress::Finish => status == Status::StreamEnd,
                _ => bytes.is_empty() && written < buffer.len(),
            };
            if finished {
                return Ok(());
            }
        }
    }
}
