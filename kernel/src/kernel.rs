//! What the kernel says of itself, and the channel on which it is asked and answers.

use jupyter_protocol::{
    CodeMirrorMode, HelpLink, JupyterMessage, JupyterMessageContent, KernelInfoReply, LanguageInfo,
    ReplyStatus, Status,
};
use zeromq::{RouterRecvHalf, RouterSendHalf, SocketSend, ZmqMessage};

use crate::VERSION;
use crate::message::{PROTOCOL_VERSION, Signer, message};
use crate::publisher::Publisher;
use crate::wire::Receiver;

/// A channel of requests and replies.
pub(crate) struct Channel {
    pub(crate) receiver: Receiver<RouterRecvHalf>,
    pub(crate) outlet: Outlet,
}

/// Where replies and outputs go.
#[derive(Clone)]
pub(crate) struct Outlet {
    sender: std::sync::Arc<tokio::sync::Mutex<(RouterSendHalf, Signer)>>,
    publisher: Publisher,
}

impl Channel {
    pub(crate) fn new(
        connection: jupyter_zmq_client::KernelShellConnection,
        publisher: &Publisher,
    ) -> Self {
        let signer = Signer::like(&connection);
        let (sender, receiver) = connection.split();
        let sender = std::sync::Arc::new(tokio::sync::Mutex::new((sender.socket, signer)));
        Self {
            receiver: Receiver::new(receiver),
            outlet: Outlet {
                sender,
                publisher: publisher.clone(),
            },
        }
    }
}

impl Outlet {
    /// Sends a reply to whoever sent a request.
    pub(crate) async fn reply(
        &self,
        content: impl Into<JupyterMessageContent>,
        request: &JupyterMessage,
    ) {
        let mut sender = self.sender.lock().await;
        let (socket, signer) = &mut *sender;
        let Some(frames) = signer.frames(message(content, Some(request))).await else {
            return;
        };
        if let Ok(frames) = ZmqMessage::try_from(frames) {
            // A client that has left wants no reply.
            drop(socket.send(frames).await);
        }
    }

    /// Sends something to everybody.
    pub(crate) async fn publish(
        &self,
        content: impl Into<JupyterMessageContent>,
        request: &JupyterMessage,
    ) {
        self.publisher
            .publish(message(content, Some(request)))
            .await;
    }

    /// Waits until those who read have caught up.
    pub(crate) async fn room(&self) {
        self.publisher.room().await;
    }

    /// Says that a request is being worked on.
    pub(crate) async fn busy(&self, request: &JupyterMessage) {
        self.publish(Status::busy(), request).await;
    }

    /// Says that a request is done.
    pub(crate) async fn idle(&self, request: &JupyterMessage) {
        self.publish(Status::idle(), request).await;
    }
}

/// Says what the kernel is.
pub(crate) fn kernel_info() -> KernelInfoReply {
    KernelInfoReply {
        status: ReplyStatus::Ok,
        protocol_version: PROTOCOL_VERSION.to_owned(),
        implementation: "lakesh".to_owned(),
        implementation_version: VERSION.to_owned(),
        language_info: LanguageInfo {
            name: "sql".to_owned(),
            version: VERSION.to_owned(),
            mimetype: Some("application/sql".to_owned()),
            file_extension: Some(".sql".to_owned()),
            pygments_lexer: Some("postgresql".to_owned()),
            codemirror_mode: Some(CodeMirrorMode::Simple("sql".to_owned())),
            nbconvert_exporter: Some("script".to_owned()),
        },
        banner: format!("lakesh {VERSION}: SQL over Parquet and Delta tables; \\help explains"),
        help_links: vec![HelpLink {
            text: "DataFusion's SQL".to_owned(),
            url: "https://datafusion.apache.org/user-guide/sql/index.html".to_owned(),
        }],
        debugger: false,
        error: None,
    }
}
