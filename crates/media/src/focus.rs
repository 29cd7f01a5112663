//! Which part of a picture is shown where only a square is.

/// The point of a picture that matters most, as parts of its width and height: 0,0 is the top left, 1,1 the bottom
/// right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Focus {
    x: f64,
    y: f64,
}

impl Focus {
    /// A point inside the picture; `None` where either part is not between 0 and 1.
    pub fn new(x: f64, y: f64) -> Option<Self> {
        let inside = 0.0..=1.0;
        (inside.contains(&x) && inside.contains(&y)).then_some(Self { x, y })
    }

    /// The part of the width that is left of it.
    pub fn x(self) -> f64 {
        self.x
    }

    /// The part of the height that is above it.
    pub fn y(self) -> f64 {
        self.y
    }

    /// The largest square of a picture that has this point as near to its middle as the edges let it.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number between zero and a side"
    )]
    pub fn square(self, width: u32, height: u32) -> Square {
        let side = width.min(height);
        let start = |length: u32, part: f64| {
            let middle = f64::from(length) * part;
            let start = (middle - f64::from(side) / 2.0).round();
            start.clamp(0.0, f64::from(length - side)) as u32
        };
        Square { x: start(width, self.x), y: start(height, self.y), side }
    }
}

/// A square inside a picture, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Square {
    /// Pixels left of it.
    pub x: u32,
    /// Pixels above it.
    pub y: u32,
    /// Its width and its height.
    pub side: u32,
}
