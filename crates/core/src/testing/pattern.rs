//! Bytes that look random and are known: the same on both sides of a stream, from any offset.
//!
//! Eight bytes at a time are a mix of the seed and their position, so that a lost, doubled or swapped byte shows and
//! a checker needs to keep nothing. The probe program includes this very file.
//!
//! Does not know: streams, or how long they are.

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

fn word(seed: u64, index: u64) -> [u8; 8] {
    let mut mixed = seed.wrapping_add(index.wrapping_mul(GAMMA));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed ^ (mixed >> 31)).to_le_bytes()
}

/// Fills `buffer` with the bytes of `seed`'s stream from `offset`, in bytes.
pub fn fill(seed: u64, offset: u64, buffer: &mut [u8]) {
    let skip = (offset % 8) as usize;
    let first = offset / 8;
    let head = (8 - skip).min(buffer.len());
    buffer[..head].copy_from_slice(&word(seed, first)[skip..skip + head]);
    for (index, chunk) in buffer[head..].chunks_mut(8).enumerate() {
        chunk.copy_from_slice(&word(seed, first + 1 + index as u64)[..chunk.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_cut_of_the_stream_gives_the_same_bytes() {
        let mut whole = [0; 100];
        fill(7, 0, &mut whole);
        for from in 0..whole.len() {
            let mut part = vec![0; whole.len() - from];
            fill(7, from as u64, &mut part);
            assert_eq!(part, whole[from..], "from {from}");
        }
    }
}
