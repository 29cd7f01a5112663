//! How many sets of codes a lossless frame brings.
//!
//! The decoder builds all of them before it reads a pixel, up to 65,536 of up to 120 kB, from a dozen bytes each. So they are
//! counted first: it takes the codes of the small pictures before them, but none of their pixels.

use crate::ImageError;

/// Symbols of green with lengths and without a cache, of red, blue, alpha, and distances.
const SYMBOLS: [u16; 5] = [256 + 24, 256, 256, 256, 40];

/// Counts the sets of codes that a frame of these sides brings.
///
/// # Errors
///
/// [`ImageError::Corrupt`] where the frame ends or makes no sense before they are known.
pub(super) fn count(frame: &[u8], (width, height): (u32, u32)) -> Result<u32, ImageError> {
    Bits { bytes: frame, at: 0 }.sets(width, height).ok_or(ImageError::Corrupt)
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn sets(&mut self, mut width: u32, height: u32) -> Option<u32> {
        let blocks = |side: u32, bits: u32| side.div_ceil(1 << bits);
        while self.bit()? {
            match self.read(2)? {
                0 | 1 => {
                    let bits = self.read(3)? + 2;
                    self.image(blocks(width, bits), blocks(height, bits))?;
                }
                2 => {}
                _ => {
                    let colours = self.read(8)? + 1;
                    self.image(colours, 1)?;
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
        self.cache()?;
        if !self.bit()? {
            return Some(1);
        }
        let bits = self.read(3)? + 2;
        Some(self.image(blocks(width, bits), blocks(height, bits))? + 1)
    }

    /// Steps over a small picture; the largest number that the red and green of a pixel make.
    fn image(&mut self, width: u32, height: u32) -> Option<u32> {
        let cache = self.cache()?;
        let mut codes = Vec::with_capacity(SYMBOLS.len());
        for (at, symbols) in SYMBOLS.into_iter().enumerate() {
            codes.push(self.code(if at == 0 { symbols + cache } else { symbols })?);
        }
        let mut left = width * height;
        let mut largest = 0;
        while left > 0 {
            let symbol = self.symbol(&codes[0])?;
            let pixels = match symbol {
                0..256 => {
                    let red = self.symbol(&codes[1])?;
                    self.symbol(&codes[2])?;
                    self.symbol(&codes[3])?;
                    largest = largest.max(u32::from(red) << 8 | u32::from(symbol));
                    // Where nothing is left to tell, all pixels are alike.
                    if codes[..4].iter().all(|code| code.symbols.len() == 1) { left } else { 1 }
                }
                256..280 => {
                    let length = self.length(symbol - 256)?;
                    let distance = self.symbol(&codes[4])?;
                    self.length(distance)?;
                    length
                }
                _ => 1,
            };
            left = left.checked_sub(pixels)?;
        }
        Some(largest)
    }

    /// How many symbols a cache of colours adds.
    fn cache(&mut self) -> Option<u16> {
        if !self.bit()? {
            return Some(0);
        }
        let bits = self.read(4)?;
        (1..=11).contains(&bits).then(|| 1 << bits)
    }

    fn code(&mut self, symbols: u16) -> Option<Code> {
        /// In which order the lengths of the codes of lengths come.
        const ORDER: [usize; 19] =
            [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

        if self.bit()? {
            let two = self.bit()?;
            let bits = if self.bit()? { 8 } else { 1 };
            let mut code = Code { of_length: [0; 16], symbols: vec![self.short(bits)?] };
            if two {
                code.of_length[1] = 2;
                code.symbols.push(self.short(8)?);
            }
            return code.symbols.iter().all(|&symbol| symbol < symbols).then_some(code);
        }
        let mut lengths = [0; 19];
        for &place in &ORDER[..self.read(4)? as usize + 4] {
            lengths[place] = self.short(3)?;
        }
        let code_of_lengths = Code::new(&lengths)?;
        let mut left = symbols;
        if self.bit()? {
            let bits = self.read(3)? * 2 + 2;
            left = self.short(bits)?.checked_add(2)?;
        }
        let mut lengths = Vec::with_capacity(usize::from(symbols));
        let mut last = 8;
        while lengths.len() < usize::from(symbols) && left > 0 {
            left -= 1;
            let (length, times) = match self.symbol(&code_of_lengths)? {
                16 => (last, self.read(2)? + 3),
                17 => (0, self.read(3)? + 3),
                18 => (0, self.read(7)? + 11),
                length => (length, 1),
            };
            if length != 0 {
                last = length;
            }
            lengths.extend((0..times).map(|_| length));
        }
        (lengths.len() <= usize::from(symbols)).then(|| Code::new(&lengths))?
    }

    fn symbol(&mut self, code: &Code) -> Option<u16> {
        if let [only] = *code.symbols {
            return Some(only);
        }
        let (mut found, mut first, mut index) = (0, 0, 0);
        for &count in &code.of_length[1..] {
            found |= usize::from(self.bit()?);
            if found < first + count {
                return code.symbols.get(index + found - first).copied();
            }
            index += count;
            first = (first + count) << 1;
            found <<= 1;
        }
        None
    }

    /// A number of pixels, or a distance.
    fn length(&mut self, symbol: u16) -> Option<u32> {
        let symbol = u32::from(symbol);
        if symbol < 4 {
            return Some(symbol + 1);
        }
        let bits = (symbol - 2) >> 1;
        Some(((2 + (symbol & 1)) << bits) + self.read(bits)? + 1)
    }

    fn short(&mut self, bits: u32) -> Option<u16> {
        u16::try_from(self.read(bits)?).ok()
    }

    fn read(&mut self, bits: u32) -> Option<u32> {
        (0..bits).try_fold(0, |sum, at| Some(sum | u32::from(self.bit()?) << at))
    }

    fn bit(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }
}

/// A prefix code: how many symbols have each length, and the symbols, the shortest first.
struct Code {
    of_length: [usize; 16],
    symbols: Vec<u16>,
}

impl Code {
    fn new(lengths: &[u16]) -> Option<Self> {
        let mut of_length = [0; 16];
        let mut symbols: Vec<(u16, u16)> = Vec::new();
        for (&length, symbol) in lengths.iter().zip(0..) {
            if length > 0 {
                *of_length.get_mut(usize::from(length))? += 1;
                symbols.push((length, symbol));
            }
        }
        symbols.sort_unstable();
        let symbols: Vec<u16> = symbols.into_iter().map(|(_, symbol)| symbol).collect();
        (!symbols.is_empty()).then_some(Self { of_length, symbols })
    }
}
