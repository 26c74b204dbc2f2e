//! The protocol on the pipes. The relay sends two pieces, each with its length in front: the job as
//! JSON, and the module. The child answers with frames: a letter for the kind, a length, the bytes.

use std::io::{self, Read, Write};

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// FrameKind of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameKind {
    /// Name of the step that begins.
    Step,
    /// Line that the module logged, with its level in front.
    Log,
    /// Error for which the module is refused, as JSON. The last frame.
    Refused,
    /// Description of the module, as JSON.
    Inspection,
    /// Code of the module. The last frame.
    Code,
}

impl FrameKind {
    const ALL: [FrameKind; 5] = [
        FrameKind::Step,
        FrameKind::Log,
        FrameKind::Refused,
        FrameKind::Inspection,
        FrameKind::Code,
    ];

    fn letter(self) -> u8 {
        match self {
            FrameKind::Step => b's',
            FrameKind::Log => b'l',
            FrameKind::Refused => b'r',
            FrameKind::Inspection => b'i',
            FrameKind::Code => b'c',
        }
    }

    /// Returns the limit on a frame of this kind in bytes; `code` is the limit on code.
    fn limit(self, code: usize) -> usize {
        match self {
            FrameKind::Step => 200,
            FrameKind::Log => 8 << 10,
            FrameKind::Refused => 256 << 10,
            // It holds the schema, of which each character may take six in JSON.
            FrameKind::Inspection => 2 << 20,
            FrameKind::Code => code,
        }
    }
}

/// Returns the length prefix of a piece.
pub(super) fn length_prefix(piece: &[u8]) -> io::Result<[u8; 4]> {
    let length = u32::try_from(piece.len()).map_err(io::Error::other)?;
    Ok(length.to_be_bytes())
}

/// Reads a piece with its length. The length is not limited, since the relay sends it.
pub(super) fn read_piece(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    let mut piece = Vec::new();
    from.take(u64::from(length)).read_to_end(&mut piece)?;
    if piece.len() < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(piece)
}

pub(super) fn write_frame(to: &mut impl Write, kind: FrameKind, bytes: &[u8]) -> io::Result<()> {
    to.write_all(&[kind.letter()])?;
    to.write_all(&length_prefix(bytes)?)?;
    to.write_all(bytes)?;
    to.flush()
}

/// Reads the next frame; `None` if the pipe is closed, between frames or within one.
pub(super) async fn read_frame(
    from: &mut (impl AsyncRead + Unpin),
    code: usize,
) -> io::Result<Option<(FrameKind, Vec<u8>)>> {
    let mut head = [0; 5];
    match from.read_exact(&mut head).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    };
    let [letter, length @ ..] = head;
    let kind = FrameKind::ALL
        .into_iter()
        .find(|kind| kind.letter() == letter);
    let kind = kind.ok_or_else(|| io::Error::other("a frame of no known kind"))?;
    let length = u32::from_be_bytes(length) as usize;
    if length > kind.limit(code) {
        return Err(io::Error::other("a frame is too long"));
    }
    let mut bytes = Vec::new();
    from.take(length as u64).read_to_end(&mut bytes).await?;
    Ok((bytes.len() == length).then_some((kind, bytes)))
}
