//! What goes over the pipes. The relay sends two pieces, each with its length in front: the job as
//! JSON, and the module. What comes back are frames: a letter for their kind, a length, the octets.

use std::io::{self, Read, Write};

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What is about to be done, in words.
    Step,
    /// A line that the module has logged: its level in front.
    Log,
    /// Why the module is refused, as JSON. The last frame.
    Refused,
    /// What the module says of itself, as JSON.
    Inspection,
    /// Its code. The last frame.
    Code,
}

impl Kind {
    const ALL: [Kind; 5] = [
        Kind::Step,
        Kind::Log,
        Kind::Refused,
        Kind::Inspection,
        Kind::Code,
    ];

    fn letter(self) -> u8 {
        match self {
            Kind::Step => b's',
            Kind::Log => b'l',
            Kind::Refused => b'r',
            Kind::Inspection => b'i',
            Kind::Code => b'c',
        }
    }

    /// Octets that one may have, where code may have so many.
    fn longest(self, code: usize) -> usize {
        match self {
            Kind::Step => 200,
            Kind::Log => 8 << 10,
            Kind::Refused => 256 << 10,
            // The schema, each character of which may take six in JSON.
            Kind::Inspection => 2 << 20,
            Kind::Code => code,
        }
    }
}

/// Writes a piece with its length.
pub(super) fn length(piece: &[u8]) -> io::Result<[u8; 4]> {
    let length = u32::try_from(piece.len()).map_err(io::Error::other)?;
    Ok(length.to_be_bytes())
}

/// Reads a piece with its length. What it may be long is for who sends it.
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

pub(super) fn write_frame(to: &mut impl Write, kind: Kind, octets: &[u8]) -> io::Result<()> {
    to.write_all(&[kind.letter()])?;
    to.write_all(&length(octets)?)?;
    to.write_all(octets)?;
    to.flush()
}

/// The next frame; `None` when the pipe is closed, between frames or in one.
pub(super) async fn read_frame(
    from: &mut (impl AsyncRead + Unpin),
    code: usize,
) -> io::Result<Option<(Kind, Vec<u8>)>> {
    let mut head = [0; 5];
    match from.read_exact(&mut head).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    };
    let [letter, length @ ..] = head;
    let kind = Kind::ALL.into_iter().find(|kind| kind.letter() == letter);
    let kind = kind.ok_or_else(|| io::Error::other("a frame of no known kind"))?;
    let length = u32::from_be_bytes(length) as usize;
    if length > kind.longest(code) {
        return Err(io::Error::other("a frame is too long"));
    }
    let mut octets = Vec::new();
    from.take(length as u64).read_to_end(&mut octets).await?;
    Ok((octets.len() == length).then_some((kind, octets)))
}
