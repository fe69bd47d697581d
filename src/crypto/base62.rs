//! Numbers written in base 62 (`0-9A-Za-z`) with a fixed count of digits.

use zeroize::Zeroize;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// 62^5, the largest power of 62 that a `u32` holds: one long division yields five digits.
const CHUNK: u32 = 916_132_832;
const CHUNK_DIGITS: usize = 5;
/// Limbs of the largest number we write, 256 bits.
const LIMBS: usize = 8;

/// Whether `text` consists of base62 digits only.
#[must_use]
pub fn is_base62(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Appends the big-endian `number` (at most 32 bytes) to `out` as exactly `DIGITS` digits, most significant first.
///
/// Leading zeros are kept, so that every number of one width has one text of one length. `DIGITS` must be enough for
/// the width: 22 for 128 bits, 43 for 256 bits, 6 for 32 bits.
///
/// # Panics
/// When `number` is wider than 32 bytes or does not fit in `DIGITS` digits; both are errors of the caller's code.
pub fn push<const DIGITS: usize>(number: &[u8], out: &mut String) {
    assert!(number.len() <= 4 * LIMBS, "at most 256 bits are written");
    let mut limbs = [0_u32; LIMBS]; // most significant first, right-aligned
    for (limb, bytes) in limbs.iter_mut().rev().zip(number.rchunks(4)) {
        *limb = bytes.iter().fold(0, |value, byte| (value << 8) | u32::from(*byte));
    }
    let used = number.len().div_ceil(4);
    let mut digits = [0_u8; DIGITS];
    for chunk in digits.rchunks_mut(CHUNK_DIGITS) {
        let mut rest = divide_by_chunk(&mut limbs[LIMBS - used..]);
        for digit in chunk.iter_mut().rev() {
            *digit = ALPHABET[(rest % 62) as usize];
            rest /= 62;
        }
        assert!(rest == 0, "the number fits in the digits");
    }
    assert!(limbs.iter().all(|limb| *limb == 0), "the number fits in the digits");
    out.extend(digits.iter().copied().map(char::from));
    limbs.zeroize();
    digits.zeroize();
}

/// [`push`] into a new string.
#[must_use]
pub fn encode<const DIGITS: usize>(number: &[u8]) -> String {
    let mut out = String::with_capacity(DIGITS);
    push::<DIGITS>(number, &mut out);
    out
}

/// Divides the limbs in place by [`CHUNK`] and gives the remainder.
fn divide_by_chunk(limbs: &mut [u32]) -> u32 {
    let mut rest = 0_u64;
    for limb in limbs {
        let value = (rest << 32) | u64::from(*limb);
        #[expect(clippy::cast_possible_truncation, reason = "rest < CHUNK, so the quotient is below 2^32")]
        {
            *limb = (value / u64::from(CHUNK)) as u32;
        }
        rest = value % u64::from(CHUNK);
    }
    #[expect(clippy::cast_possible_truncation, reason = "a remainder of a u32 divisor")]
    {
        rest as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The schoolbook way back, digit by digit; gives the low 32 bytes.
    fn decode(text: &str) -> [u8; 32] {
        let mut number = [0_u8; 32];
        for byte in text.bytes() {
            let digit = ALPHABET.iter().position(|known| *known == byte).expect("a base62 digit");
            let mut carry = u32::try_from(digit).expect("below 62");
            for place in number.iter_mut().rev() {
                let value = u32::from(*place) * 62 + carry;
                *place = (value & 0xff) as u8;
                carry = value >> 8;
            }
            assert_eq!(carry, 0, "no overflow");
        }
        number
    }

    #[test]
    fn known_answers() {
        assert_eq!(encode::<22>(&[0; 16]), "0".repeat(22));
        assert_eq!(encode::<6>(&[0, 0, 0, 61]), "00000z");
        assert_eq!(encode::<6>(&[0, 0, 0, 62]), "000010");
        assert_eq!(encode::<6>(&u32::MAX.to_be_bytes()), "4gfFC3");
        assert_eq!(encode::<22>(&[0xff; 16]), "7n42DGM5Tflk9n8mt7Fhc7");
        assert_eq!(decode(&encode::<43>(&[0xff; 32])), [0xff; 32]);
    }

    proptest! {
        #[test]
        fn every_number_has_one_text(number in any::<[u8; 32]>(), zeros in 0_usize..32) {
            let mut number = number;
            number[..zeros].fill(0);
            let text = encode::<43>(&number);
            prop_assert_eq!(text.len(), 43);
            prop_assert!(is_base62(&text));
            prop_assert_eq!(decode(&text), number);
        }
    }
}
