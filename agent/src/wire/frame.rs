//! Frames: a big-endian `u32` length, then that many bytes of JSON.

use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest frame either side accepts: a whole host's files travel in one.
pub const MAX_FRAME: u32 = 256 * 1024 * 1024;

/// Why a frame could not be sent or read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The stream failed.
    #[error("the connection to the agent failed: {0}")]
    Io(#[from] std::io::Error),
    /// The frame is longer than [`MAX_FRAME`].
    #[error("a frame of {0} bytes is longer than the allowed {MAX_FRAME}")]
    TooLong(u64),
    /// The frame is not the JSON that was expected.
    #[error("a frame can't be read: {0}")]
    Json(#[from] serde_json::Error),
}

/// Writes one frame and flushes.
///
/// # Errors
/// When the message can't be encoded, is too long, or the stream fails.
pub async fn write<T, W>(stream: &mut W, message: &T) -> Result<(), FrameError>
where
    T: Serialize + Sync,
    W: AsyncWrite + Unpin + Send,
{
    // One buffer, one write: a frame is one packet where it can be.
    let mut buffer = vec![0; 4];
    serde_json::to_writer(&mut buffer, message)?;
    let length = buffer.len() - 4;
    match u32::try_from(length) {
        Ok(short) if short <= MAX_FRAME => buffer[..4].copy_from_slice(&short.to_be_bytes()),
        _ => return Err(FrameError::TooLong(length as u64)),
    }
    stream.write_all(&buffer).await?;
    stream.flush().await?;
    Ok(())
}

/// Reads one frame; `None` when the other side hung up between frames.
///
/// # Errors
/// When the stream fails or ends inside a frame, or the frame is too long or not a `T`.
pub async fn read<T, R>(stream: &mut R) -> Result<Option<T>, FrameError>
where
    T: DeserializeOwned,
    R: AsyncRead + Unpin + Send,
{
    let mut length = [0; 4];
    let first = stream.read(&mut length).await?;
    if first == 0 {
        return Ok(None);
    }
    stream.read_exact(&mut length[first..]).await?;
    let length = u32::from_be_bytes(length);
    if length > MAX_FRAME {
        return Err(FrameError::TooLong(length.into()));
    }
    // Grows as bytes come, so that a lying length costs no memory.
    let mut body = Vec::with_capacity((length as usize).min(64 * 1024));
    let got = stream.take(length.into()).read_to_end(&mut body).await?;
    if got < length as usize {
        return Err(FrameError::Io(std::io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(Some(serde_json::from_slice(&body)?))
}
