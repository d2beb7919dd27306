//! Randomness that is the same for the same seed, in every version: `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom
//! number generators", 2014).

/// A stream of numbers.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// The stream for the `index`-th thing of `seed`.
    pub(super) fn new(seed: u64, index: u64) -> Self {
        let mut start = Self(seed ^ index.wrapping_mul(0xd6e8_feb8_6659_fd93));
        Self(start.next())
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0. The bias is beyond notice for the small bounds of made-up people.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// True in `thousandths` of a thousand cases.
    pub(super) fn chance(&mut self, thousandths: u64) -> bool {
        self.below(1000) < thousandths
    }

    /// One of `things`, which are not empty.
    pub(super) fn pick<'t, T>(&mut self, things: &'t [T]) -> Option<&'t T> {
        let index = self.below(things.len() as u64);
        usize::try_from(index)
            .ok()
            .and_then(|index| things.get(index))
    }

    /// As many random bytes.
    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            let number = self.next().to_le_bytes();
            for (byte, random) in chunk.iter_mut().zip(number) {
                *byte = random;
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_numbers_and_another_gives_others() {
        let mut first = Random::new(1, 7);
        let mut again = Random::new(1, 7);
        let mut other = Random::new(2, 7);

        let numbers: Vec<u64> = (0..8).map(|_| first.next()).collect();

        assert_eq!(numbers, (0..8).map(|_| again.next()).collect::<Vec<_>>());
        assert_ne!(numbers, (0..8).map(|_| other.next()).collect::<Vec<_>>());
    }

    #[test]
    fn a_chance_comes_true_about_as_often_as_it_says() {
        let mut random = Random::new(3, 0);

        let hits = (0..10_000).filter(|_| random.chance(250)).count();

        assert!((2300..2700).contains(&hits), "{hits}");
    }
}
