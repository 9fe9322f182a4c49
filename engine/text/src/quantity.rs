//! Numbers and sizes as people read them: `1,234,567`, `1.5 GiB`.
//!
//! It only writes them; `memory` reads sizes, since a share of memory is a size too.

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;
const TIB: u64 = 1024 * GIB;

/// Writes a number with a comma after each three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Writes a size for people, in powers of 1024 with at most one decimal: `1.5 GiB`, `64 MiB`, `17 B`.
pub fn format_size(bytes: u64) -> String {
    let units = [(TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")];
    let Some((factor, name)) = units.iter().find(|(factor, _)| bytes >= *factor) else {
        return format!("{bytes} B");
    };
    let number = format!("{:.1}", bytes as f64 / *factor as f64);
    format!("{} {name}", number.strip_suffix(".0").unwrap_or(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn sizes_are_written_for_people() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (64 * MIB, "64 MiB"),
            (GIB + GIB / 2, "1.5 GiB"),
            (3 * TIB, "3 TiB"),
        ] {
            assert_eq!(format_size(bytes), text);
        }
    }
}
