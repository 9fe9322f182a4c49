//! Inputs that are nearly right: kept seeds with a few bytes otherwise, by a number that says which.

/// What readers stumble over: borders of numbers, quotes, ends, text that is none.
const PIECES: &[&[u8]] = &[
    b"\0",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\0\0\0\x80",
    b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98\x80",
    b"\n",
    b"\r\n",
    b"'",
    b"\"",
    b"$$",
    b"/*",
    b"--",
    b"\\",
    b";",
    b",",
    b"{",
    b"}",
    b"[",
    b"(",
    b"-",
    b"null",
    b"1e999",
    b"99999999999999999999",
    b"\\u0000",
    b"%2e%2e/",
];

/// How many changes there are at most.
const CHANGES: usize = 6;

/// Numbers that look random; the same seed gives the same ones (SplitMix64).
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let number = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.draw() % limit.max(1) as u64) as usize
    }
}

/// Changes an input a little.
pub(crate) fn mutated(seed: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=numbers.below(CHANGES) {
        change(&mut bytes, numbers);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    let length = bytes.len();
    let at = place(length, numbers);
    let piece = PIECES[numbers.below(PIECES.len())];
    let end = (at + 1 + numbers.below(32)).min(length);
    match numbers.below(8) {
        _ if length == 0 => bytes.extend_from_slice(piece),
        0 => bytes[at] ^= 1 << numbers.below(8),
        1 => bytes[at] = numbers.draw() as u8,
        2 => {
            let end = (at + piece.len()).min(length);
            bytes.splice(at..end, piece.iter().copied());
        }
        3 => {
            bytes.splice(at..at, piece.iter().copied());
        }
        4 => {
            bytes.drain(at..end);
        }
        5 => {
            let twice = bytes[at..end].repeat(1 + numbers.below(8));
            bytes.splice(at..at, twice);
        }
        6 => bytes.truncate(at),
        _ => {
            let other = place(length, numbers);
            bytes.swap(at, other);
        }
    }
}

/// Chooses a place; formats keep what they say of themselves at their ends.
fn place(length: usize, numbers: &mut Numbers) -> usize {
    let near = numbers.below(length.min(300));
    match numbers.below(4) {
        0 => near,
        1 => length.saturating_sub(1 + near),
        _ => numbers.below(length),
    }
}
