//! The control channel: interrupt, shutdown and questions about the kernel, whatever the shell channel does.

use jupyter_protocol::{InterruptReply, JupyterMessageContent, ReplyStatus, ShutdownReply};
use serde_json::json;

use crate::interrupt::Interrupts;
use crate::kernel::{Channel, kernel_info};
use crate::server::Stopper;

/// Answers requests until the kernel ends.
pub(crate) async fn serve(mut channel: Channel, interrupts: Interrupts, stopper: Stopper) {
    loop {
        let request = channel.receiver.receive().await;
        let outlet = channel.outlet.clone();
        outlet.busy(&request).await;
        let reply: JupyterMessageContent = match &request.content {
            JupyterMessageContent::InterruptRequest(_) => {
                interrupts.request();
                InterruptReply::default().into()
            }
            JupyterMessageContent::KernelInfoRequest(_) => kernel_info().into(),
            JupyterMessageContent::ShutdownRequest(shutdown) => {
                let reply = ShutdownReply {
                    restart: shutdown.restart,
                    status: ReplyStatus::Ok,
                    error: None,
                };
                interrupts.request();
                outlet.publish(reply.clone(), &request).await;
                outlet.reply(reply, &request).await;
                outlet.idle(&request).await;
                stopper.stop();
                continue;
            }
            other => crate::message::json_content(
                &reply_name(other.message_type()),
                json!({
                    "status": "error",
                    "ename": "UnknownRequest",
                    "evalue": format!("`{}` is not answered on this channel", other.message_type()),
                    "traceback": [],
                }),
            ),
        };
        outlet.reply(reply, &request).await;
        outlet.idle(&request).await;
    }
}

/// Returns what the reply to a request is called.
pub(crate) fn reply_name(request: &str) -> String {
    match request.strip_suffix("_request") {
        Some(name) => format!("{name}_reply"),
        None => format!("{request}_reply"),
    }
}
