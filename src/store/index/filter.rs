//! A Bloom filter of 64-bit keys: says of most keys that are not in a file that they are not, without reading it.
//!
//! One word of 64 bits a key (so that a question costs one read of memory), 12 bits of room and 4 bits set for each:
//! 1.1 % of keys that are not there pass (with 16/3 keys a word in the mean, by Poisson's law), and are then looked
//! for in vain.
//!
//! Invariants: a key that was put in always passes.
//!
//! Source: Putze, Sanders, Singler 2007 (blocked Bloom filters).

const BITS_PER_KEY: usize = 12;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter(Vec<u64>);

impl Filter {
    /// For so many keys.
    pub(super) fn of(keys: usize) -> Self {
        let words = (keys * BITS_PER_KEY).div_ceil(64).max(1);
        Self(vec![0; words])
    }

    pub(super) fn put(&mut self, key: u64) {
        let at = self.word(key);
        if let Some(word) = self.0.get_mut(at) {
            *word |= mask(key);
        }
    }

    pub(super) fn may_have(&self, key: u64) -> bool {
        let word = self.0.get(self.word(key));
        word.is_some_and(|word| word & mask(key) == mask(key))
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    pub(super) fn read(bytes: &[u8]) -> Self {
        let (words, _) = bytes.as_chunks::<8>();
        Self(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
    }

    /// By the upper half of the key, spread evenly over the words.
    fn word(&self, key: u64) -> usize {
        let at = ((key >> 32) * self.0.len() as u64) >> 32;
        usize::try_from(at).unwrap_or(0)
    }
}

/// Four bits, by the lower half of the key.
fn mask(key: u64) -> u64 {
    let mixed = (key & 0xffff_ffff).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    (0..4).fold(0, |mask, bit| mask | 1 << ((mixed >> (6 * bit)) & 63))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use xxhash_rust::xxh3::xxh3_64;

    fn key(number: u64) -> u64 {
        xxh3_64(&number.to_le_bytes())
    }

    proptest! {
        #[test]
        fn what_was_put_in_passes_also_after_it_was_written(keys in prop::collection::vec(any::<u64>(), 0..200)) {
            let mut filter = Filter::of(keys.len());
            keys.iter().for_each(|key| filter.put(*key));
            let read = Filter::read(&filter.bytes());
            prop_assert_eq!(&read, &filter);
            prop_assert!(keys.iter().all(|key| read.may_have(*key)));
        }
    }

    #[test]
    fn few_others_pass() {
        let mut filter = Filter::of(10_000);
        (0..10_000).for_each(|n| filter.put(key(n)));
        let passed = (10_000..110_000)
            .filter(|n| filter.may_have(key(*n)))
            .count();
        // 1,115 by the numbers, give or take 33.
        assert!(passed < 1_500, "{passed}");
    }
}
