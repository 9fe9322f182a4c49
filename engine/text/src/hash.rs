//! A hash that is the same on every machine and in every version: folds and plans are told by it.

/// FNV-1a with 64 bits (Fowler, Noll, Vo), whose lower bits are then mixed as MurmurHash3 does it.
#[derive(Debug, Clone, Copy)]
pub struct StableHash(u64);

impl Default for StableHash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl StableHash {
    /// Takes bytes in.
    pub fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// Returns the hash of what was taken in.
    pub fn finish(self) -> u64 {
        let mut hash = self.0;
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    }
}

#[cfg(test)]
mod tests {
    use super::StableHash;

    /// The numbers come from an implementation in Python: they must never change.
    #[test]
    fn hashes_never_change() {
        for (text, expected) in [
            ("", 0xefd0_1f60_ba99_2926),
            ("1", 0x7c38_32dd_e020_d3d6),
            ("Zürich", 0x24b2_2821_293c_05d0),
        ] {
            let mut hash = StableHash::default();
            hash.write(text.as_bytes());
            assert_eq!(hash.finish(), expected, "{text}: {:#x}", hash.finish());
        }
    }
}
