//! HTTP/1.1 over one kept connection, as cheap as it gets: what generates load must not cost what it measures.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects to a port of this machine.
    pub(crate) async fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(4096),
        })
    }

    /// Sends a request and reads the whole answer: its status.
    pub(crate) async fn call(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(status) = status_if_complete(&self.buffer) {
                return Ok(status);
            }
        }
    }

    /// The body of the last answer.
    pub(crate) fn body(&self) -> &[u8] {
        let start = end_of_head(&self.buffer).unwrap_or(self.buffer.len());
        self.buffer.get(start..).unwrap_or_default()
    }
}

/// Where the body begins.
pub(crate) fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let at = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some(at + 4)
}

/// The value of a header, its name in lower case.
pub(crate) fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(head).ok()?;
    text.split("\r\n").skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn status_if_complete(bytes: &[u8]) -> Option<u16> {
    let start = end_of_head(bytes)?;
    let head = bytes.get(..start)?;
    let length: usize = header(head, "content-length")?.parse().ok()?;
    if bytes.len() < start + length {
        return None;
    }
    std::str::from_utf8(head.get(9..12)?).ok()?.parse().ok()
}
