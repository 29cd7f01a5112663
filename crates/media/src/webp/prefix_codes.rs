//! Counts the prefix code groups of a lossless frame.
//!
//! The decoder builds all groups before it reads a pixel: up to 65,536 groups of up to 120 kB, each from about a dozen
//! bytes. So they are counted first. That requires decoding the transform and entropy images, but none of the frame's
//! pixels.

use crate::ImageError;

/// Alphabet sizes of the five codes in a group: green and lengths (without a colour cache), red, blue, alpha, distance.
const ALPHABET_SIZES: [u16; 5] = [256 + 24, 256, 256, 256, 40];

/// Counts the prefix code groups of a frame with these dimensions.
///
/// # Errors
///
/// [`ImageError::Corrupt`] if the frame ends or is invalid before the count is known.
pub(super) fn count_groups(frame: &[u8], (width, height): (u32, u32)) -> Result<u32, ImageError> {
    BitReader { bytes: frame, position: 0 }.count_groups(width, height).ok_or(ImageError::Corrupt)
}

/// Reads bits, the lowest of each byte first.
struct BitReader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl BitReader<'_> {
    fn count_groups(&mut self, mut width: u32, height: u32) -> Option<u32> {
        let blocks = |side: u32, bits: u32| side.div_ceil(1 << bits);
        while self.read_bit()? {
            match self.read(2)? {
                0 | 1 => {
                    let bits = self.read(3)? + 2;
                    self.skip_image(blocks(width, bits), blocks(height, bits))?;
                }
                2 => {}
                _ => {
                    let colours = self.read(8)? + 1;
                    self.skip_image(colours, 1)?;
                    let bits = match colours {
                        ..=2 => 3,
                        3..=4 => 2,
                        5..=16 => 1,
                        _ => 0,
                    };
                    width = blocks(width, bits);
                }
            }
        }
        self.read_colour_cache_size()?;
        if !self.read_bit()? {
            return Some(1);
        }
        let bits = self.read(3)? + 2;
        Some(self.skip_image(blocks(width, bits), blocks(height, bits))? + 1)
    }

    /// Skips an entropy-coded image. Returns the largest 16-bit value that red and green of a pixel form.
    fn skip_image(&mut self, width: u32, height: u32) -> Option<u32> {
        let cache_size = self.read_colour_cache_size()?;
        let mut codes = Vec::with_capacity(ALPHABET_SIZES.len());
        for (index, size) in ALPHABET_SIZES.into_iter().enumerate() {
            codes.push(self.read_code(if index == 0 { size + cache_size } else { size })?);
        }
        let mut remaining = width * height;
        let mut largest = 0;
        while remaining > 0 {
            let symbol = self.read_symbol(&codes[0])?;
            let pixels = match symbol {
                0..256 => {
                    let red = self.read_symbol(&codes[1])?;
                    self.read_symbol(&codes[2])?;
                    self.read_symbol(&codes[3])?;
                    largest = largest.max(u32::from(red) << 8 | u32::from(symbol));
                    // If no code needs bits, all remaining pixels are equal.
                    if codes[..4].iter().all(|code| code.symbols.len() == 1) {
                        remaining
                    } else {
                        1
                    }
                }
                256..280 => {
                    let length = self.read_length(symbol - 256)?;
                    let distance = self.read_symbol(&codes[4])?;
                    self.read_length(distance)?;
                    length
                }
                _ => 1,
            };
            remaining = remaining.checked_sub(pixels)?;
        }
        Some(largest)
    }

    /// The number of symbols that a colour cache adds to the first alphabet.
    fn read_colour_cache_size(&mut self) -> Option<u16> {
        if !self.read_bit()? {
            return Some(0);
        }
        let bits = self.read(4)?;
        (1..=11).contains(&bits).then(|| 1 << bits)
    }

    fn read_code(&mut self, alphabet_size: u16) -> Option<PrefixCode> {
        /// The order in which the lengths of the code length code are stored.
        const ORDER: [usize; 19] =
            [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

        if self.read_bit()? {
            let has_two = self.read_bit()?;
            let bits = if self.read_bit()? { 8 } else { 1 };
            let mut code =
                PrefixCode { count_by_length: [0; 16], symbols: vec![self.read_u16(bits)?] };
            if has_two {
                code.count_by_length[1] = 2;
                code.symbols.push(self.read_u16(8)?);
            }
            return code.symbols.iter().all(|&symbol| symbol < alphabet_size).then_some(code);
        }
        let mut lengths = [0; 19];
        for &index in &ORDER[..self.read(4)? as usize + 4] {
            lengths[index] = self.read_u16(3)?;
        }
        let length_code = PrefixCode::new(&lengths)?;
        let mut remaining = alphabet_size;
        if self.read_bit()? {
            let bits = self.read(3)? * 2 + 2;
            remaining = self.read_u16(bits)?.checked_add(2)?;
        }
        let mut lengths = Vec::with_capacity(usize::from(alphabet_size));
        let mut previous = 8;
        while lengths.len() < usize::from(alphabet_size) && remaining > 0 {
            remaining -= 1;
            let (length, repeat) = match self.read_symbol(&length_code)? {
                16 => (previous, self.read(2)? + 3),
                17 => (0, self.read(3)? + 3),
                18 => (0, self.read(7)? + 11),
                length => (length, 1),
            };
            if length != 0 {
                previous = length;
            }
            lengths.extend((0..repeat).map(|_| length));
        }
        (lengths.len() <= usize::from(alphabet_size)).then(|| PrefixCode::new(&lengths))?
    }

    fn read_symbol(&mut self, code: &PrefixCode) -> Option<u16> {
        if let [only] = *code.symbols {
            return Some(only);
        }
        let (mut bits, mut first, mut index) = (0, 0, 0);
        for &count in &code.count_by_length[1..] {
            bits |= usize::from(self.read_bit()?);
            if bits < first + count {
                return code.symbols.get(index + bits - first).copied();
            }
            index += count;
            first = (first + count) << 1;
            bits <<= 1;
        }
        None
    }

    /// Reads a run length or a distance with this prefix symbol.
    fn read_length(&mut self, symbol: u16) -> Option<u32> {
        let symbol = u32::from(symbol);
        if symbol < 4 {
            return Some(symbol + 1);
        }
        let bits = (symbol - 2) >> 1;
        Some(((2 + (symbol & 1)) << bits) + self.read(bits)? + 1)
    }

    fn read_u16(&mut self, bits: u32) -> Option<u16> {
        u16::try_from(self.read(bits)?).ok()
    }

    fn read(&mut self, bits: u32) -> Option<u32> {
        (0..bits).try_fold(0, |value, index| Some(value | u32::from(self.read_bit()?) << index))
    }

    fn read_bit(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.position / 8)?;
        let bit = byte >> (self.position % 8) & 1;
        self.position += 1;
        Some(bit == 1)
    }
}

/// A prefix code: the number of symbols of each code length, and the symbols, those with the shortest codes first.
struct PrefixCode {
    count_by_length: [usize; 16],
    symbols: Vec<u16>,
}

impl PrefixCode {
    fn new(lengths: &[u16]) -> Option<Self> {
        let mut count_by_length = [0; 16];
        let mut symbols: Vec<(u16, u16)> = Vec::new();
        for (&length, symbol) in lengths.iter().zip(0..) {
            if length > 0 {
                *count_by_length.get_mut(usize::from(length))? += 1;
                symbols.push((length, symbol));
            }
        }
        symbols.sort_unstable();
        let symbols: Vec<u16> = symbols.into_iter().map(|(_, symbol)| symbol).collect();
        (!symbols.is_empty()).then_some(Self { count_by_length, symbols })
    }
}
