//! Compression of a whole output file: gzip and zstd, chosen by the file name's second ending.
//!
//! A file that is dropped without [`CompressedWriter::finish`] stays cut off, so that readers notice
//! that it is incomplete.

use std::io::{self, Write};

use flate2::{Compress, Crc, FlushCompress, Status};

/// How an output file is compressed as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    #[default]
    None,
    /// gzip, `.gz`.
    Gzip,
    /// Zstandard, `.zst`.
    Zstd,
}

impl Compression {
    /// Takes a compression's ending off a file name.
    pub(super) fn split(name: &str) -> (&str, Self) {
        let Some((stem, suffix)) = name.rsplit_once('.') else {
            return (name, Self::None);
        };
        match suffix.to_ascii_lowercase().as_str() {
            "gz" => (stem, Self::Gzip),
            "zst" | "zstd" => (stem, Self::Zstd),
            _ => (name, Self::None),
        }
    }

    /// The file name ending, without the dot; empty for none.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => "gz",
            Self::Zstd => "zst",
        }
    }

    /// Puts the compression in front of a stream.
    pub fn compress<W: Write>(self, inner: W) -> io::Result<CompressedWriter<W>> {
        let kind = match self {
            Self::None => Kind::None(inner),
            Self::Gzip => Kind::Gzip(Box::new(Gzip::new(inner)?)),
            Self::Zstd => Kind::Zstd(zstd::Encoder::new(inner, zstd::DEFAULT_COMPRESSION_LEVEL)?),
        };
        Ok(CompressedWriter { kind })
    }
}

/// A stream that compresses what is written to it.
pub struct CompressedWriter<W: Write> {
    kind: Kind<W>,
}

enum Kind<W: Write> {
    None(W),
    Gzip(Box<Gzip<W>>),
    Zstd(zstd::Encoder<'static, W>),
}

impl<W: Write> CompressedWriter<W> {
    /// Writes the end mark and gives the stream below back, not flushed. Call it for complete results only.
    pub fn finish(self) -> io::Result<W> {
        match self.kind {
            Kind::None(inner) => Ok(inner),
            Kind::Gzip(gzip) => gzip.finish(),
            Kind::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for CompressedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.kind {
            Kind::None(inner) => inner.write(bytes),
            Kind::Gzip(gzip) => gzip.write(bytes),
            Kind::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.kind {
            Kind::None(inner) => inner.flush(),
            Kind::Gzip(gzip) => gzip.inner.flush(),
            Kind::Zstd(encoder) => encoder.flush(),
        }
    }
}

/// gzip (RFC 1952) around a raw deflate stream.
///
/// Not flate2's own encoder, because that ends the file in `drop`: a result that failed half-way would
/// look whole.
struct Gzip<W> {
    inner: W,
    deflate: Compress,
    checksum: Crc,
    buffer: Vec<u8>,
}

impl<W: Write> Gzip<W> {
    fn new(mut inner: W) -> io::Result<Self> {
        // Magic, deflate, no flags, no time, no extra flags, unknown system.
        inner.write_all(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])?;
        Ok(Self {
            inner,
            deflate: Compress::new(flate2::Compression::default(), false),
            checksum: Crc::new(),
            buffer: Vec::with_capacity(64 * 1024),
        })
    }

    /// Compresses until all input is taken, or to the end of the stream with `Finish`.
    fn deflate(&mut self, mut bytes: &[u8], flush: FlushCompress) -> io::Result<()> {
        loop {
            let taken = self.deflate.total_in();
            self.buffer.clear();
            let status = self.deflate.compress_vec(bytes, &mut self.buffer, flush)?;
            self.inner.write_all(&self.buffer)?;
            bytes = &bytes[(self.deflate.total_in() - taken) as usize..];
            let done = match flush {
                FlushCompress::Finish => status == Status::StreamEnd,
                _ => bytes.is_empty(),
            };
            if done {
                return Ok(());
            }
        }
    }

    fn finish(mut self) -> io::Result<W> {
        self.deflate(&[], FlushCompress::Finish)?;
        self.inner.write_all(&self.checksum.sum().to_le_bytes())?;
        self.inner
            .write_all(&self.checksum.amount().to_le_bytes())?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for Gzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.deflate(bytes, FlushCompress::None)?;
        self.checksum.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Read;

    use super::*;

    fn decompress(compression: Compression, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        match compression {
            Compression::None => text.extend_from_slice(bytes),
            Compression::Gzip => drop(flate2::read::GzDecoder::new(bytes).read_to_end(&mut text)?),
            Compression::Zstd => drop(zstd::Decoder::new(bytes)?.read_to_end(&mut text)?),
        }
        Ok(text)
    }

    #[test]
    fn what_is_written_can_be_read_back_and_a_dropped_file_is_cut_off() {
        let text: Vec<u8> = (0..300_000_u32)
            .flat_map(|number| number.wrapping_mul(number).to_le_bytes())
            .collect();
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            for content in [&text[..0], &text[..1], &text] {
                let mut writer = compression.compress(Vec::new()).unwrap();
                content
                    .chunks(70_001)
                    .for_each(|chunk| writer.write_all(chunk).unwrap());
                let file = writer.finish().unwrap();
                assert_eq!(
                    decompress(compression, &file).unwrap(),
                    content,
                    "{compression:?}"
                );
            }
            let mut file = Vec::new();
            let mut writer = compression.compress(&mut file).unwrap();
            writer.write_all(&text).unwrap();
            drop(writer);
            let whole = compression == Compression::None;
            assert_eq!(
                decompress(compression, &file).is_ok(),
                whole,
                "{compression:?}"
            );
        }
    }
}
