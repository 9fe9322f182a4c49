//! Standard input as cells, each as soon as it is whole, so that a pipe may stay open.
//!
//! It is read on a thread of its own: nothing can cancel a read.

use std::io::{self, Read};
use std::thread;

use lakesh_engine::failure::{Failure, FailureKind};
use lakesh_engine::input::{Cell, Feed, SplitOptions};
use tokio::sync::mpsc;

use crate::renderer::reason;

/// How many bytes are read at once.
const PIECE: usize = 64 * 1024;

/// Standard input as cells.
pub(crate) struct StandardInput {
    pieces: mpsc::Receiver<io::Result<Vec<u8>>>,
    feed: Feed,
    ended: bool,
}

impl StandardInput {
    /// Begins to read.
    pub(crate) fn start() -> Self {
        let (sender, pieces) = mpsc::channel(2);
        thread::spawn(move || read_all(io::stdin().lock(), &sender));
        Self {
            pieces,
            feed: Feed::new("<stdin>", SplitOptions::default()),
            ended: false,
        }
    }

    /// Returns the next cell; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Result<Cell, Failure>> {
        loop {
            if let Some(cell) = self.feed.next_cell() {
                return Some(cell);
            }
            if self.ended {
                return None;
            }
            match self.pieces.recv().await {
                Some(Ok(piece)) => self.feed.push(&piece),
                Some(Err(error)) => {
                    self.ended = true;
                    let message = format!("cannot read standard input: {}", reason(&error));
                    let failure = Failure::new(FailureKind::InputOutput, message);
                    return Some(Err(failure.caused_by(error)));
                }
                None => {
                    self.ended = true;
                    self.feed.finish();
                }
            }
        }
    }
}

fn read_all(mut input: impl Read, sender: &mpsc::Sender<io::Result<Vec<u8>>>) {
    loop {
        let mut piece = vec![0; PIECE];
        let read = match input.read(&mut piece) {
            Ok(0) => return,
            Ok(length) => {
                piece.truncate(length);
                Ok(piece)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        if sender.blocking_send(read).is_err() || failed {
            return;
        }
    }
}
