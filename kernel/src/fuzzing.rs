//! What reads bytes that others have made, for fuzzers; nothing else uses it.

use bytes::Bytes;
use zeromq::ZmqMessage;

use crate::notebook::read_and_written;
use crate::wire::parse_unsigned;
use crate::zmtp::listen;

/// Reads bytes as the frames of a connection, and their parts between line ends as a message.
pub async fn frames(bytes: &[u8]) {
    let mut rest = bytes;
    // Each frame takes at least two bytes.
    for _ in 0..bytes.len() {
        if listen(&mut rest).await.is_err() {
            break;
        }
    }
    let parts = bytes
        .split(|byte| *byte == b'\n')
        .map(Bytes::copy_from_slice);
    if let Ok(message) = ZmqMessage::try_from(parts.collect::<Vec<_>>()) {
        let _ = parse_unsigned(message);
    }
}

/// Reads bytes as a notebook's file, puts parameters in, and writes it.
pub fn notebook(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = read_and_written(text);
    }
}
