//! Bytes: how they are written, and what they sum up to.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, Int64Array, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, exec_err, plan_err};

use super::{is_text, texts};

/// The type of `hex`, for what it takes.
pub(crate) fn hex_type(types: &[DataType]) -> Result<DataType> {
    match types {
        [value]
            if is_text(value)
                || value.is_integer()
                || value.is_null()
                || matches!(
                    value,
                    DataType::Binary | DataType::LargeBinary | DataType::BinaryView
                ) =>
        {
            Ok(DataType::Utf8)
        }
        _ => plan_err!("`hex` takes a whole number, a text or bytes"),
    }
}

/// Writes whole numbers and bytes in base 16, in capitals.
pub(crate) fn hex(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values] = arrays else {
        return exec_err!("`hex` takes one argument");
    };
    if values.data_type().is_integer() {
        let numbers = cast(values, &DataType::Int64)?;
        let written = numbers.as_primitive::<Int64Type>().iter();
        let written: StringArray = written
            .map(|number| Some(format!("{:X}", number?)))
            .collect();
        return Ok(Arc::new(written));
    }
    let bytes = cast(values, &DataType::Binary)?;
    let written: StringArray = bytes
        .as_binary::<i32>()
        .iter()
        .map(|bytes| bytes.map(|bytes| digits(bytes, b"0123456789ABCDEF")))
        .collect();
    Ok(Arc::new(written))
}

fn digits(bytes: &[u8], alphabet: &[u8; 16]) -> String {
    let mut written = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        written.push(char::from(alphabet[usize::from(byte >> 4)]));
        written.push(char::from(alphabet[usize::from(byte & 15)]));
    }
    written
}

/// The type BLOB.
pub(crate) fn to_bytes(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Binary)
}

/// Reads digits of base 16; NULL where they are none.
pub(crate) fn unhex(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values] = arrays else {
        return exec_err!("`unhex` takes one text");
    };
    let mut read = BinaryBuilder::new();
    for value in texts(values) {
        read.append_option(value.and_then(from_digits));
    }
    Ok(Arc::new(read.finish()))
}

fn from_digits(text: &str) -> Option<Vec<u8>> {
    // Of an odd count the first digit stands by itself.
    let padded = match text.len() % 2 {
        0 => text.to_owned(),
        _ => format!("0{text}"),
    };
    let pairs = padded.as_bytes().chunks(2);
    let read = pairs.map(|pair| {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let (high, low) = (digit(*pair.first()?)?, digit(*pair.get(1)?)?);
        u8::try_from(high * 16 + low).ok()
    });
    read.collect()
}

/// Writes whole numbers in base 2; one below 0 as it is stored.
pub(crate) fn bin(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values] = arrays else {
        return exec_err!("`bin` takes one whole number");
    };
    let numbers = values.as_primitive::<Int64Type>().iter();
    let written: StringArray = numbers
        .map(|number| Some(format!("{:b}", number?)))
        .collect();
    Ok(Arc::new(written))
}

/// Counts the bits of whole numbers that are set.
pub(crate) fn bit_count(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values] = arrays else {
        return exec_err!("`bit_count` takes one whole number");
    };
    let counts = values
        .as_primitive::<Int64Type>()
        .unary::<_, Int64Type>(|number| i64::from(number.count_ones()));
    Ok(Arc::new(counts))
}

/// CRC-32 of bytes, by the polynomial of zip and PNG.
pub(crate) fn crc32(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values] = arrays else {
        return exec_err!("`crc32` takes one text");
    };
    let sums = values.as_binary::<i32>().iter();
    let sums: Int64Array = sums
        .map(|bytes| bytes.map(|bytes| i64::from(checksum(bytes))))
        .collect();
    Ok(Arc::new(sums))
}

fn checksum(bytes: &[u8]) -> u32 {
    static TABLE: LazyLock<[u32; 256]> = LazyLock::new(|| {
        std::array::from_fn(|place| {
            let mut rest = u32::try_from(place).unwrap_or(0);
            for _ in 0..8 {
                let is_odd = rest & 1 == 1;
                rest = (rest >> 1) ^ if is_odd { 0xEDB8_8320 } else { 0 };
            }
            rest
        })
    });
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        let [low, ..] = sum.to_le_bytes();
        (sum >> 8) ^ TABLE[usize::from(low ^ byte)]
    });
    !sum
}

/// SHA-1 of bytes, in base 16.
pub(crate) fn sha1(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [values] = arrays else {
        return exec_err!("`sha1` takes one text");
    };
    let hashes = values.as_binary::<i32>().iter();
    let hashes: StringArray = hashes
        .map(|bytes| bytes.map(|bytes| digits(&sha1_of(bytes), b"0123456789abcdef")))
        .collect();
    Ok(Arc::new(hashes))
}

/// As FIPS 180-4 describes it.
fn sha1_of(bytes: &[u8]) -> [u8; 20] {
    let mut state: [u32; 5] = [
        0x6745_2301,
        0xEFCD_AB89,
        0x98BA_DCFE,
        0x1032_5476,
        0xC3D2_E1F0,
    ];
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    let bits = u64::try_from(bytes.len()).unwrap_or(0).wrapping_mul(8);
    padded.extend_from_slice(&bits.to_be_bytes());
    for block in padded.chunks_exact(64) {
        let mut words = [0_u32; 80];
        for (word, part) in words.iter_mut().zip(block.chunks_exact(4)) {
            *word = part
                .iter()
                .fold(0, |word, byte| word << 8 | u32::from(*byte));
        }
        for place in 16..80 {
            let mixed = words[place - 3] ^ words[place - 8] ^ words[place - 14] ^ words[place - 16];
            words[place] = mixed.rotate_left(1);
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (place, word) in words.iter().enumerate() {
            let (mixed, constant) = match place {
                0..20 => ((b & c) | (!b & d), 0x5A82_7999),
                20..40 => (b ^ c ^ d, 0x6ED9_EBA1),
                40..60 => ((b & c) | (b & d) | (c & d), 0x8F1B_BCDC),
                _ => (b ^ c ^ d, 0xCA62_C1D6_u32),
            };
            let next = a
                .rotate_left(5)
                .wrapping_add(mixed)
                .wrapping_add(e)
                .wrapping_add(constant)
                .wrapping_add(*word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (sum, part) in state.iter_mut().zip([a, b, c, d, e]) {
            *sum = sum.wrapping_add(part);
        }
    }
    let mut hash = [0; 20];
    for (part, word) in hash.chunks_exact_mut(4).zip(state) {
        part.copy_from_slice(&word.to_be_bytes());
    }
    hash
}

/// xxHash of 64 bits over all arguments of a row, as Spark computes it: the hash so far is the seed of the next.
pub(crate) fn xxhash64(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let rows = arrays.first().map_or(0, |array| array.len());
    let mut hashes = vec![42_u64; rows];
    for array in arrays {
        add_hashes(array, &mut hashes)?;
    }
    let hashes = hashes
        .into_iter()
        .map(|hash| Some(i64::from_ne_bytes(hash.to_ne_bytes())));
    Ok(Arc::new(hashes.collect::<Int64Array>()))
}

fn add_hashes(array: &ArrayRef, hashes: &mut [u64]) -> Result<()> {
    let data_type = array.data_type();
    let mut each = |of: &mut dyn FnMut(usize, u64) -> u64| {
        for (row, hash) in hashes.iter_mut().enumerate() {
            if array.is_valid(row) {
                *hash = of(row, *hash);
            }
        }
    };
    match data_type {
        DataType::Null => {}
        DataType::Boolean => {
            let values = array.as_boolean();
            each(&mut |row, seed| hash_of(&i32::from(values.value(row)).to_le_bytes(), seed));
        }
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Date32 => {
            let values = cast(array, &DataType::Int32)?;
            let values = values.as_primitive::<datafusion::arrow::datatypes::Int32Type>();
            each(&mut |row, seed| hash_of(&values.value(row).to_le_bytes(), seed));
        }
        DataType::Float32 => {
            let values = array.as_primitive::<datafusion::arrow::datatypes::Float32Type>();
            // Both zeros are one value.
            each(&mut |row, seed| hash_of(&(values.value(row) + 0.0).to_le_bytes(), seed));
        }
        DataType::Float64 => {
            let values = array.as_primitive::<datafusion::arrow::datatypes::Float64Type>();
            each(&mut |row, seed| hash_of(&(values.value(row) + 0.0).to_le_bytes(), seed));
        }
        DataType::Int64 | DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => {
            let values = cast(array, &DataType::Int64)?;
            let values = values.as_primitive::<Int64Type>();
            each(&mut |row, seed| hash_of(&values.value(row).to_le_bytes(), seed));
        }
        DataType::Timestamp(_, zone) => {
            let micros = DataType::Timestamp(
                datafusion::arrow::datatypes::TimeUnit::Microsecond,
                zone.clone(),
            );
            let values = cast(&cast(array, &micros)?, &DataType::Int64)?;
            let values = values.as_primitive::<Int64Type>();
            each(&mut |row, seed| hash_of(&values.value(row).to_le_bytes(), seed));
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            let values = cast(array, &DataType::Binary)?;
            let values = values.as_binary::<i32>();
            each(&mut |row, seed| hash_of(values.value(row), seed));
        }
        // All else by its text.
        _ => {
            let values = cast(array, &DataType::Utf8)?;
            let values = texts(&values);
            each(&mut |row, seed| hash_of(values.value(row).as_bytes(), seed));
        }
    }
    Ok(())
}

const PRIMES: [u64; 5] = [
    0x9E37_79B1_85EB_CA87,
    0xC2B2_AE3D_27D4_EB4F,
    0x1656_67B1_9E37_79F9,
    0x85EB_CA77_C2B2_AE63,
    0x27D4_EB2F_1656_67C5,
];

/// XXH64 as its specification describes it.
fn hash_of(bytes: &[u8], seed: u64) -> u64 {
    let round = |sum: u64, word: u64| {
        sum.wrapping_add(word.wrapping_mul(PRIMES[1]))
            .rotate_left(31)
            .wrapping_mul(PRIMES[0])
    };
    let word = |part: &[u8]| {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(part) {
            *to = *from;
        }
        u64::from_le_bytes(word)
    };
    let stripes = bytes.chunks_exact(32);
    let mut rest = stripes.remainder();
    let mut hash = if bytes.len() >= 32 {
        let mut sums = [
            seed.wrapping_add(PRIMES[0]).wrapping_add(PRIMES[1]),
            seed.wrapping_add(PRIMES[1]),
            seed,
            seed.wrapping_sub(PRIMES[0]),
        ];
        for stripe in stripes {
            for (sum, part) in sums.iter_mut().zip(stripe.chunks_exact(8)) {
                *sum = round(*sum, word(part));
            }
        }
        let joined = [1, 7, 12, 18]
            .iter()
            .zip(sums)
            .fold(0_u64, |hash, (turn, sum)| {
                hash.wrapping_add(sum.rotate_left(*turn))
            });
        sums.iter().fold(joined, |hash, sum| {
            (hash ^ round(0, *sum))
                .wrapping_mul(PRIMES[0])
                .wrapping_add(PRIMES[3])
        })
    } else {
        seed.wrapping_add(PRIMES[4])
    };
    hash = hash.wrapping_add(u64::try_from(bytes.len()).unwrap_or(0));
    while rest.len() >= 8 {
        let (part, behind) = rest.split_at(8);
        hash = (hash ^ round(0, word(part)))
            .rotate_left(27)
            .wrapping_mul(PRIMES[0])
            .wrapping_add(PRIMES[3]);
        rest = behind;
    }
    if rest.len() >= 4 {
        let (part, behind) = rest.split_at(4);
        hash = (hash ^ word(part).wrapping_mul(PRIMES[0]))
            .rotate_left(23)
            .wrapping_mul(PRIMES[1])
            .wrapping_add(PRIMES[2]);
        rest = behind;
    }
    for byte in rest {
        hash = (hash ^ u64::from(*byte).wrapping_mul(PRIMES[4]))
            .rotate_left(11)
            .wrapping_mul(PRIMES[0]);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(PRIMES[1]);
    hash = (hash ^ (hash >> 29)).wrapping_mul(PRIMES[2]);
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::{checksum, digits, from_digits, hash_of, sha1_of};

    #[test]
    fn sums_are_those_of_the_standards() {
        assert_eq!(checksum(b"Spark"), 1_557_323_817);
        assert_eq!(checksum(b""), 0);
        let hex = |bytes: &[u8]| digits(&sha1_of(bytes), b"0123456789abcdef");
        assert_eq!(hex(b"Spark"), "85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c");
        assert_eq!(hex(b""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        let million = vec![b'a'; 1_000_000];
        assert_eq!(hex(&million), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    }

    #[test]
    fn hashes_are_those_of_the_specification() {
        assert_eq!(hash_of(b"", 0), 0xEF46_DB37_51D8_E999);
        assert_eq!(hash_of(b"a", 0), 0xD24E_C4F1_A98C_6E5B);
        assert_eq!(hash_of(b"abc", 0), 0x44BC_2CF5_AD77_0999);
        let text = b"Nobody inspects the spammish repetition";
        assert_eq!(hash_of(text, 0), 0xFBCE_A83C_8A37_8BF1);
    }

    #[test]
    fn digits_are_read_back() {
        assert_eq!(from_digits("C3b1"), Some(vec![0xC3, 0xB1]));
        assert_eq!(from_digits("F"), Some(vec![15]));
        assert_eq!(from_digits("xy"), None);
    }
}
