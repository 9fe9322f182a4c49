//! The transport of ZeroMQ as far as a publisher needs it: greeting, handshake and frames of ZMTP 3.0.
//!
//! See <https://rfc.zeromq.org/spec/23/>. No authentication: messages are signed one by one.

use std::io::{self, ErrorKind};

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

const GREETING_LENGTH: usize = 64;

/// A subscriber sends topics; nobody needs longer ones.
const LONGEST_FRAME: u64 = 64 * 1024;

/// What a subscriber says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SubscriberMessage {
    /// It wants messages whose first frame begins with these bytes.
    Subscribe(Bytes),
    /// It does not want them any more.
    Unsubscribe(Bytes),
    /// It wants to know whether somebody is there; the answer returns its context.
    Ping(Bytes),
    /// Something that means nothing to a publisher.
    Nothing,
}

/// Greets a peer and shakes hands; fails if it is no subscriber.
pub(crate) async fn handshake<S>(stream: &mut S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(&greeting()).await?;
    let mut theirs = [0; GREETING_LENGTH];
    stream.read_exact(&mut theirs).await?;
    let is_version_3 = theirs[0] == 0xff && theirs[9] == 0x7f && theirs[10] >= 3;
    if !is_version_3 || theirs[12..16] != *b"NULL" {
        return Err(refused("the greeting is not of ZMTP 3 without security"));
    }
    stream
        .write_all(&command(b"READY", &property("Socket-Type", b"XPUB")))
        .await?;
    stream.flush().await?;
    let (flags, body) = read_frame(stream).await?;
    let properties = body
        .strip_prefix(b"\x05READY")
        .filter(|_| flags & COMMAND != 0)
        .ok_or_else(|| refused("the handshake is not READY"))?;
    match socket_type(properties) {
        Some(b"SUB" | b"XSUB") => Ok(()),
        _ => Err(refused("the peer is not a subscriber")),
    }
}

/// Waits for the next thing that a subscriber says.
pub(crate) async fn listen<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<SubscriberMessage> {
    let (flags, body) = read_frame(stream).await?;
    let said = if flags & COMMAND != 0 {
        command_of(&body)
    } else {
        match body.first() {
            Some(1) => SubscriberMessage::Subscribe(body.slice(1..)),
            Some(0) => SubscriberMessage::Unsubscribe(body.slice(1..)),
            _ => SubscriberMessage::Nothing,
        }
    };
    Ok(said)
}

fn command_of(body: &Bytes) -> SubscriberMessage {
    let rest = |name: &[u8]| {
        let length = name.len() + 1;
        let is_it =
            body.len() >= length && usize::from(body[0]) == name.len() && &body[1..length] == name;
        is_it.then(|| body.slice(length..))
    };
    if let Some(topic) = rest(b"SUBSCRIBE") {
        return SubscriberMessage::Subscribe(topic);
    }
    if let Some(topic) = rest(b"CANCEL") {
        return SubscriberMessage::Unsubscribe(topic);
    }
    match rest(b"PING") {
        // Two bytes say how long the answer may take.
        Some(ping) if ping.len() >= 2 => SubscriberMessage::Ping(ping.slice(2..)),
        _ => SubscriberMessage::Nothing,
    }
}

/// Returns the answer to a ping.
pub(crate) fn pong(context: &[u8]) -> Bytes {
    command(b"PONG", context)
}

/// Returns the bytes of a message of several frames.
pub(crate) fn encode(frames: &[Bytes]) -> Bytes {
    let length = frames.iter().map(|frame| frame.len() + 9).sum();
    let mut bytes = BytesMut::with_capacity(length);
    for (index, frame) in frames.iter().enumerate() {
        let more = if index + 1 < frames.len() { MORE } else { 0 };
        put_frame(&mut bytes, more, frame);
    }
    bytes.freeze()
}

fn put_frame(bytes: &mut BytesMut, flags: u8, body: &[u8]) {
    match u8::try_from(body.len()) {
        Ok(length) => {
            bytes.put_u8(flags);
            bytes.put_u8(length);
        }
        Err(_) => {
            bytes.put_u8(flags | LONG);
            bytes.put_u64(body.len() as u64);
        }
    }
    bytes.put_slice(body);
}

fn greeting() -> [u8; GREETING_LENGTH] {
    let mut greeting = [0; GREETING_LENGTH];
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[12..16].copy_from_slice(b"NULL");
    greeting
}

fn command(name: &[u8], rest: &[u8]) -> Bytes {
    let mut body = BytesMut::new();
    put_name(&mut body, name);
    body.put_slice(rest);
    let mut frame = BytesMut::new();
    put_frame(&mut frame, COMMAND, &body);
    frame.freeze()
}

fn property(name: &str, value: &[u8]) -> Bytes {
    let mut property = BytesMut::new();
    put_name(&mut property, name.as_bytes());
    property.put_u32(u32::try_from(value.len()).unwrap_or(u32::MAX));
    property.put_slice(value);
    property.freeze()
}

fn put_name(bytes: &mut BytesMut, name: &[u8]) {
    bytes.put_u8(u8::try_from(name.len()).unwrap_or(u8::MAX));
    bytes.put_slice(name);
}

/// Finds the type of a peer's socket among its properties.
fn socket_type(mut properties: &[u8]) -> Option<&[u8]> {
    loop {
        let (length, rest) = properties.split_first()?;
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (value, rest) = rest.split_at_checked(length)?;
        if name.eq_ignore_ascii_case(b"Socket-Type") {
            return Some(value);
        }
        properties = rest;
    }
}

async fn read_frame<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<(u8, Bytes)> {
    let flags = stream.read_u8().await?;
    let length = if flags & LONG == 0 {
        u64::from(stream.read_u8().await?)
    } else {
        stream.read_u64().await?
    };
    if length > LONGEST_FRAME {
        return Err(refused("a frame is too long"));
    }
    let length = usize::try_from(length).map_err(|_| refused("a frame is too long"))?;
    let mut body = BytesMut::zeroed(length);
    stream.read_exact(&mut body).await?;
    Ok((flags, body.freeze()))
}

fn refused(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bytes::Bytes;
    use tokio::io::AsyncWriteExt;
    use zeromq::{Socket, SocketRecv, SubSocket};

    use super::{SubscriberMessage, command, encode, handshake, listen, pong};

    #[tokio::test]
    async fn another_implementation_understands_it() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = tokio::spawn(async move {
            let mut socket = SubSocket::new();
            socket.subscribe("a").await.unwrap();
            socket.connect(&format!("tcp://{address}")).await.unwrap();
            socket.recv().await.unwrap().into_vec()
        });
        let (mut stream, _) = listener.accept().await.unwrap();
        handshake(&mut stream).await.unwrap();
        let said = listen(&mut stream).await.unwrap();
        assert_eq!(said, SubscriberMessage::Subscribe(Bytes::from_static(b"a")));
        let frames = vec![Bytes::from_static(b"abc"), Bytes::from(vec![7; 70_000])];
        stream.write_all(&encode(&frames)).await.unwrap();
        assert_eq!(client.await.unwrap(), frames);
    }

    #[tokio::test]
    async fn commands_are_understood() {
        let cases = [
            (
                command(b"SUBSCRIBE", b"x"),
                SubscriberMessage::Subscribe(Bytes::from_static(b"x")),
            ),
            (
                command(b"CANCEL", b""),
                SubscriberMessage::Unsubscribe(Bytes::new()),
            ),
            (
                command(b"PING", b"\0\x01ctx"),
                SubscriberMessage::Ping(Bytes::from_static(b"ctx")),
            ),
            (command(b"PING", b"\0"), SubscriberMessage::Nothing),
            (pong(b"ctx"), SubscriberMessage::Nothing),
            (Bytes::from_static(b"\0\0"), SubscriberMessage::Nothing),
            (
                Bytes::from_static(b"\0\x02\0t"),
                SubscriberMessage::Unsubscribe(Bytes::from_static(b"t")),
            ),
        ];
        for (bytes, expected) in cases {
            assert_eq!(
                listen(&mut &bytes[..]).await.unwrap(),
                expected,
                "{bytes:?}"
            );
        }
        let endless = [2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert!(listen(&mut &endless[..]).await.is_err());
    }

    #[tokio::test]
    async fn others_are_refused() {
        for hello in [&b"GET / HTTP/1.1\r\n"[..], &[0xff; 64]] {
            let (mut ours, mut theirs) = tokio::io::duplex(1024);
            theirs.write_all(hello).await.unwrap();
            theirs.shutdown().await.unwrap();
            assert!(handshake(&mut ours).await.is_err());
        }
    }
}
