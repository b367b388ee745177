//! The body of a request: gix writes it, reqwest reads it.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::exchange::{self, Exchange};

/// The pieces of a body, as reqwest reads them.
pub(super) struct Pieces(pub mpsc::Receiver<Bytes>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| Ok(http_body::Frame::data(piece))))
    }
}

/// The body of a request, as gix writes it. Dropping it completes the body.
pub(super) struct PostBody {
    exchange: Arc<Mutex<Exchange>>,
}

impl PostBody {
    pub fn of(exchange: Arc<Mutex<Exchange>>) -> Self {
        Self { exchange }
    }
}

impl io::Write for PostBody {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        exchange::lock(&self.exchange).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for PostBody {
    fn drop(&mut self) {
        exchange::lock(&self.exchange).finish();
    }
}
