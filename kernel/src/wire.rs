//! From frames to a request: nothing is parsed before its length and its signature are right.

use std::collections::{HashSet, VecDeque};

use bytes::Bytes;
use jupyter_protocol::{Header, JupyterMessage, JupyterMessageContent, UnknownMessage};
use jupyter_zmq_client::{Connection, RawMessage};
use serde_json::{Value, json};
use zeromq::{SocketRecv, ZmqMessage};

/// What stands between the identities of a client and the signed parts.
const DELIMITER: &[u8] = b"<IDS|MSG>";

/// The delimiter, the signature, header, parent header, metadata and content.
const LEAST_FRAMES: usize = 6;

/// How many signatures are remembered, so that no message works twice.
const REMEMBERED: usize = 1 << 16;

/// Verifies and parses what comes in on one socket.
pub(crate) struct Receiver<S> {
    connection: Connection<S>,
    seen: HashSet<Bytes>,
    order: VecDeque<Bytes>,
}

impl<S: SocketRecv> Receiver<S> {
    pub(crate) fn new(connection: Connection<S>) -> Self {
        Self {
            connection,
            seen: HashSet::new(),
            order: VecDeque::new(),
        }
    }

    /// Waits for the next message that is whole, signed and new; drops all others.
    pub(crate) async fn receive(&mut self) -> JupyterMessage {
        loop {
            match self.connection.socket.recv().await {
                Ok(frames) => {
                    if let Some(message) = self.accept(frames) {
                        return message;
                    }
                }
                // A peer broke the protocol and is gone; the socket serves the others.
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }

    fn accept(&mut self, frames: ZmqMessage) -> Option<JupyterMessage> {
        let delimiter = delimiter_of(&frames)?;
        let signature = frames.get(delimiter + 1)?.clone();
        let raw = RawMessage::from_multipart(frames, &self.connection.mac).ok()?;
        if self.connection.mac.is_some() && !self.remember(signature) {
            return None;
        }
        parse(raw)
    }

    /// Remembers a signature; says whether it is new.
    fn remember(&mut self, signature: Bytes) -> bool {
        if !self.seen.insert(signature.clone()) {
            return false;
        }
        self.order.push_back(signature);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }
}

/// Finds the delimiter of a message that has all its parts; the library does not look before it takes them.
fn delimiter_of(frames: &ZmqMessage) -> Option<usize> {
    let delimiter = frames.iter().position(|frame| &frame[..] == DELIMITER)?;
    (frames.len() >= delimiter + LEAST_FRAMES).then_some(delimiter)
}

/// Parses a message of a connection without a key.
pub(crate) fn parse_unsigned(frames: ZmqMessage) -> Option<JupyterMessage> {
    delimiter_of(&frames)?;
    parse(RawMessage::from_multipart(frames, &None).ok()?)
}

/// Parses a verified message. Content that makes no sense is kept, so that a reply can say so.
fn parse(raw: RawMessage) -> Option<JupyterMessage> {
    let RawMessage {
        zmq_identities,
        jparts,
    } = raw;
    let header: Header = serde_json::from_slice(jparts.first()?).ok()?;
    let metadata = serde_json::from_slice(jparts.get(2)?).ok()?;
    let mut content: Value = serde_json::from_slice(jparts.get(3)?).ok()?;
    add_defaults(&header.msg_type, &mut content);
    let parsed = JupyterMessageContent::from_type_and_content(&header.msg_type, content.clone());
    let content = parsed.unwrap_or_else(|_| {
        JupyterMessageContent::UnknownMessage(UnknownMessage {
            msg_type: header.msg_type.clone(),
            content,
        })
    });
    Some(JupyterMessage {
        zmq_identities,
        parent_header: serde_json::from_slice(jparts.get(1)?).ok(),
        header,
        metadata,
        content,
        buffers: Vec::new(),
        channel: None,
    })
}

/// Puts in what the protocol lets clients leave out and the parser demands.
fn add_defaults(kind: &str, content: &mut Value) {
    let defaults = match kind {
        "execute_request" => json!({
            "silent": false, "store_history": true, "user_expressions": {},
            "allow_stdin": true, "stop_on_error": true,
        }),
        "history_request" => json!({
            "hist_access_type": "tail", "output": false, "raw": true, "n": 0, "unique": false,
            "pattern": "*", "session": 0, "start": 0, "stop": i32::MAX,
        }),
        "shutdown_request" => json!({ "restart": false }),
        "comm_open" | "comm_msg" | "comm_close" => json!({ "data": {} }),
        "complete_request" | "inspect_request" => {
            let code = content.get("code").and_then(Value::as_str);
            json!({ "cursor_pos": code.map_or(0, |code| code.chars().count()) })
        }
        _ => return,
    };
    let (Value::Object(content), Value::Object(defaults)) = (content, defaults) else {
        return;
    };
    for (key, value) in defaults {
        let entry = content.entry(key).or_insert(Value::Null);
        if entry.is_null() {
            *entry = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use jupyter_protocol::JupyterMessageContent;
    use serde_json::json;

    use super::add_defaults;

    #[test]
    fn requests_may_leave_things_out() {
        let cases = [
            ("execute_request", json!({ "code": "select 1" })),
            ("history_request", json!({ "hist_access_type": "tail" })),
            ("history_request", json!({ "hist_access_type": "search" })),
            (
                "history_request",
                json!({ "hist_access_type": "range", "session": null }),
            ),
            ("shutdown_request", json!({})),
            ("comm_close", json!({ "comm_id": "x" })),
            ("complete_request", json!({ "code": "sel" })),
            ("inspect_request", json!({ "code": "sel", "cursor_pos": 1 })),
        ];
        for (kind, mut content) in cases {
            add_defaults(kind, &mut content);
            let parsed = JupyterMessageContent::from_type_and_content(kind, content);
            assert!(parsed.is_ok(), "{kind}: {parsed:?}");
        }
    }
}
