//! Messages of the kernel's own: headers, parents, topics, and their signed frames.

use async_trait::async_trait;
use bytes::Bytes;
use jupyter_protocol::{JupyterMessage, JupyterMessageContent, UnknownMessage};
use jupyter_zmq_client::Connection;
use serde_json::Value;
use zeromq::{SocketSend, ZmqMessage, ZmqResult};

/// The version of the protocol that the kernel speaks.
pub(crate) const PROTOCOL_VERSION: &str = "5.4";

/// Makes a message with content that is JSON already.
pub(crate) fn json_content(kind: &str, content: Value) -> JupyterMessageContent {
    JupyterMessageContent::UnknownMessage(UnknownMessage {
        msg_type: kind.to_owned(),
        content,
    })
}

/// Makes a message; with a parent it goes to that one's sender.
pub(crate) fn message(
    content: impl Into<JupyterMessageContent>,
    parent: Option<&JupyterMessage>,
) -> JupyterMessage {
    let mut message = JupyterMessage::new(content, parent);
    PROTOCOL_VERSION.clone_into(&mut message.header.version);
    "lakesh".clone_into(&mut message.header.username);
    message
}

/// Signs messages.
pub(crate) struct Signer(Connection<Collector>);

/// Takes the frames of a message instead of sending them.
struct Collector(Option<ZmqMessage>);

#[async_trait]
impl SocketSend for Collector {
    async fn send(&mut self, message: ZmqMessage) -> ZmqResult<()> {
        self.0 = Some(message);
        Ok(())
    }
}

impl Signer {
    /// Signs with the key and in the name of the session of a connection.
    pub(crate) fn like<S>(connection: &Connection<S>) -> Self {
        Self(Connection {
            socket: Collector(None),
            mac: connection.mac.clone(),
            session_id: connection.session_id.clone(),
        })
    }

    /// Returns the frames of a message; `None` if its content cannot be written as JSON.
    pub(crate) async fn frames(&mut self, message: JupyterMessage) -> Option<Vec<Bytes>> {
        self.0.send(message).await.ok()?;
        self.0.socket.0.take().map(ZmqMessage::into_vec)
    }
}
