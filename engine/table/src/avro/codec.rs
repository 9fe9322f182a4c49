//! Takes the compression off a block of an Avro file, with memory that was asked for.
//!
//! The library makes of a block whatever its compressed bytes say, without a bound.

use std::io::{Cursor, Read};

use bytes::Bytes;
use datafusion::arrow_avro::compression::CompressionCodec;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::error::Result;
use flate2::Crc;
use flate2::read::DeflateDecoder;

use crate::file_parts::broken;

/// So much is decompressed at a time.
const PIECE: usize = 64 << 10;

/// No block of Snappy becomes more of a byte than this.
const MOST_SNAPPY: usize = 64;

/// What stands behind a block of Snappy: a checksum of what it becomes.
const CHECKSUM: usize = 4;

/// Returns what a block holds; `reserve` is asked for all its bytes before they are held.
pub(super) fn plain(
    path: &str,
    codec: Option<CompressionCodec>,
    block: Bytes,
    reserve: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<Bytes> {
    let wrong = |error: &dyn std::fmt::Display| {
        let how = format!("a block in it cannot be decompressed: {error}");
        broken(path, how.trim_end_matches('.'))
    };
    let stream: Box<dyn Read> = match codec {
        None => return Ok(block),
        Some(CompressionCodec::Snappy) => {
            return snappy(path, &block, reserve).map(Bytes::from);
        }
        Some(CompressionCodec::Deflate) => Box::new(DeflateDecoder::new(Cursor::new(block))),
        Some(CompressionCodec::ZStandard) => {
            FileCompressionType::ZSTD.convert_read(Cursor::new(block))?
        }
        Some(CompressionCodec::Bzip2) => {
            FileCompressionType::BZIP2.convert_read(Cursor::new(block))?
        }
        Some(CompressionCodec::Xz) => FileCompressionType::XZ.convert_read(Cursor::new(block))?,
    };
    let mut stream = stream;
    let mut plain = Vec::new();
    let mut piece = vec![0; PIECE];
    loop {
        let read = stream.read(&mut piece).map_err(|error| wrong(&error))?;
        if read == 0 {
            return Ok(plain.into());
        }
        if plain.capacity() - plain.len() < read {
            let next = plain.capacity().saturating_mul(2).max(plain.len() + read);
            reserve(next)?;
            plain.reserve_exact(next - plain.len());
        }
        plain.extend_from_slice(&piece[..read]);
    }
}

fn snappy(
    path: &str,
    block: &[u8],
    reserve: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<Vec<u8>> {
    let Some((block, sum)) = block.split_last_chunk::<CHECKSUM>() else {
        return Err(broken(path, "a block in it is too short to be compressed"));
    };
    let length = snap::raw::decompress_len(block)
        .ok()
        .filter(|length| *length <= block.len().saturating_mul(MOST_SNAPPY))
        .ok_or_else(|| broken(path, "a block in it has an impossible length"))?;
    reserve(length)?;
    let plain = snap::raw::Decoder::new()
        .decompress_vec(block)
        .map_err(|error| {
            let how = format!("a block in it cannot be decompressed: {error}");
            broken(path, &how)
        })?;
    let mut check = Crc::new();
    check.update(&plain);
    match check.sum() == u32::from_be_bytes(*sum) {
        true => Ok(plain),
        false => Err(broken(path, "a block in it is not what its checksum says")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use datafusion::error::DataFusionError;
    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    fn deflated(plain: &[u8]) -> Bytes {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap().into()
    }

    fn snapped(plain: &[u8]) -> Vec<u8> {
        let mut block = snap::raw::Encoder::new().compress_vec(plain).unwrap();
        let mut check = Crc::new();
        check.update(plain);
        block.extend(check.sum().to_be_bytes());
        block
    }

    fn said(error: &DataFusionError) -> String {
        error.to_string()
    }

    #[test]
    fn blocks_become_what_they_were() {
        let text = b"one two one two one two".repeat(10_000);
        for (codec, block) in [
            (CompressionCodec::Deflate, deflated(&text)),
            (CompressionCodec::Snappy, snapped(&text).into()),
        ] {
            let mut most = 0;
            let plain = plain("a.avro", Some(codec), block, &mut |bytes| {
                most = most.max(bytes);
                Ok(())
            });
            assert_eq!(plain.unwrap(), text);
            assert!(most >= text.len());
        }
    }

    #[test]
    fn no_block_becomes_more_than_there_is_memory_for() {
        let block = deflated(&vec![0; 16 << 20]);
        let mut refuse = |bytes| match bytes > 1 << 20 {
            true => Err(DataFusionError::ResourcesExhausted("too much".to_owned())),
            false => Ok(()),
        };
        let failed = plain(
            "a.avro",
            Some(CompressionCodec::Deflate),
            block,
            &mut refuse,
        );
        assert!(said(&failed.unwrap_err()).contains("too much"));
    }

    #[test]
    fn false_blocks_name_the_file() {
        let mut changed = snapped(b"one two one two");
        let end = changed.len();
        changed[end - 1] ^= 1;
        // Four gigabytes of three bytes.
        let long = [&[0xfe, 0xff, 0xff, 0xff, 0x0f, 0, b'a'][..], &[0; CHECKSUM]].concat();
        for (codec, block, how) in [
            (CompressionCodec::Snappy, b"ab".to_vec(), "too short"),
            (CompressionCodec::Snappy, changed, "checksum"),
            (CompressionCodec::Snappy, long, "impossible length"),
            (CompressionCodec::Deflate, vec![0xff; 20], "decompressed"),
            (CompressionCodec::Bzip2, vec![0xff; 20], "decompressed"),
            (CompressionCodec::Xz, vec![0xff; 20], "decompressed"),
            (CompressionCodec::ZStandard, vec![0xff; 20], "decompressed"),
        ] {
            let failed = plain("a.avro", Some(codec), block.into(), &mut |_| Ok(()));
            let said = said(&failed.unwrap_err());
            assert!(said.contains("a.avro") && said.contains(how), "{said}");
        }
    }
}
