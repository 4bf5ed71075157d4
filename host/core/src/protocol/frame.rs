//! Framing: four bytes of length (little endian), then that many bytes of JSON.

use std::io::{self, Read};

use serde::{Serialize, de::DeserializeOwned};

/// Maximum length of a frame that either side accepts [bytes]. A batch of samples is a few kilobytes.
pub const MAX_FRAME_BYTES: usize = 4 * 1024 * 1024;

/// Why bytes are not a message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The stream ended between two frames.
    #[error("the other side closed the channel")]
    Closed,
    /// The stream ended inside a frame, or could not be read.
    #[error("the channel broke: {0}")]
    Broken(#[source] io::Error),
    /// The length is over [`MAX_FRAME_BYTES`].
    #[error("a frame of {0} bytes was announced; at most {MAX_FRAME_BYTES} are accepted")]
    TooLong(usize),
    /// The bytes are not a known message.
    #[error("the other side sent data that is not a valid message: {0}")]
    Malformed(#[source] serde_json::Error),
}

/// A message as a whole frame.
///
/// # Errors
/// When the message cannot be written as JSON, or is too long.
pub fn encode(message: &impl Serialize) -> Result<Vec<u8>, FrameError> {
    let mut frame = vec![0; 4];
    serde_json::to_writer(&mut frame, message).map_err(FrameError::Malformed)?;
    let length = frame.len() - 4;
    if length > MAX_FRAME_BYTES {
        return Err(FrameError::TooLong(length));
    }
    // The check above keeps the length far under 2^32.
    frame[..4].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(frame)
}

/// The payload of the first frame in `buffer` and the length of that frame, or `None` when it is not all there yet.
///
/// # Errors
/// When the announced length is over the limit.
pub fn split(buffer: &[u8]) -> Result<Option<(&[u8], usize)>, FrameError> {
    let Some((head, rest)) = buffer.split_first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_le_bytes(*head) as usize;
    if length > MAX_FRAME_BYTES {
        return Err(FrameError::TooLong(length));
    }
    Ok(rest.get(..length).map(|payload| (payload, 4 + length)))
}

/// The message in the payload of a frame.
///
/// # Errors
/// When it is not a known message.
pub fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, FrameError> {
    serde_json::from_slice(payload).map_err(FrameError::Malformed)
}

/// Reads one message from a blocking stream.
///
/// # Errors
/// When the stream ends or the bytes are not a message.
pub fn read<T: DeserializeOwned>(stream: &mut impl Read) -> Result<T, FrameError> {
    let mut head = [0; 4];
    let mut filled = 0;
    while filled < head.len() {
        match stream.read(&mut head[filled..]) {
            Ok(0) if filled == 0 => return Err(FrameError::Closed),
            Ok(0) => return Err(FrameError::Broken(io::ErrorKind::UnexpectedEof.into())),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(FrameError::Broken(error)),
        }
    }
    let length = u32::from_le_bytes(head) as usize;
    if length > MAX_FRAME_BYTES {
        return Err(FrameError::TooLong(length));
    }
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).map_err(FrameError::Broken)?;
    decode(&payload)
}
